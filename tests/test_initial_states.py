"""Initial states without building a model for each seed: the bits of the built ones."""

from __future__ import annotations

import logging
import random

import numpy as np
import pytest
from test_many_seeds import BODIES, agree, fit_many, sequential, singly, small  # noqa: F401

from nnloss import REGRESSION
from nnloss._tensorflow import keras, tf
from nnloss.training import seed_plan
from nnloss.training.initial_states import starts

L = keras.layers
SEEDS = (7, 0, 2**32 - 1, 41)


def plan(build, task=REGRESSION):
    classes = 3 if task.nodes is None else None
    return seed_plan.Plan(build, task, classes, None, "adam", 1, 32, False)


def drawn_and_built(build, task=REGRESSION):
    """Return the states of SEEDS, drawn from the model of the first and built, with the count."""
    calls = []
    made, first = plan(build, task).start(SEEDS[0])

    def counted(seed):
        calls.append(seed)
        return plan(build, task).start(seed)[1]

    start_of = starts(keras.Model(made.inputs, made.outputs), first, SEEDS, counted)
    drawn = [start_of(seed) for seed in SEEDS]
    return drawn, [plan(build, task).start(seed)[1] for seed in SEEDS], calls


def assert_same_bits(drawn, built):
    for ours, theirs in zip(drawn, built, strict=True):
        assert ours.shuffle_seed == theirs.shuffle_seed
        for one, other in zip(ours.variables, theirs.variables, strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)


def mixed():
    return keras.Sequential(
        [
            keras.Input((8,)),
            L.Dense(6, kernel_initializer=keras.initializers.HeNormal(), bias_initializer="normal"),
            L.Dropout(0.4),
            L.Dense(5, kernel_initializer="orthogonal"),
            L.Dropout(0.4, seed=5),
            L.Dense(4, "relu", kernel_initializer=keras.initializers.GlorotNormal(seed=3)),
        ]
    )


@pytest.mark.parametrize("name", [*BODIES, "mixed"])
def test_drawn_states_have_the_bits_of_built_ones(name):
    task, build = BODIES.get(name, (REGRESSION, mixed))
    drawn, built, calls = drawn_and_built(build, task)
    assert_same_bits(drawn, built)
    assert calls == [SEEDS[-1]]
    kernels = [state.variables[0] for state in drawn]
    assert not np.array_equal(kernels[0], kernels[1])


def dense(initializer):
    return sequential((8,), lambda: L.Dense(4, "relu", kernel_initializer=initializer))


def by_numpy(shape, dtype=None):
    return np.random.normal(size=shape).astype(dtype)


def by_tensorflow(shape, dtype=None):
    return tf.random.normal(shape, dtype=dtype)


def by_keras(shape, dtype=None):
    return keras.random.normal(shape, dtype=dtype)


def by_python(shape, dtype=None):
    return np.full(shape, random.random(), dtype)


def wide():
    # As many words of the generator as the seed of an initializer takes.
    return sequential((8,), lambda: L.Dense(4 + random.randint(1, 10**9) // 10**9, "relu"))()


PYTHON = "random numbers from Python that are not the seed of a variable"
BUILT = {
    "numpy": (dense(by_numpy), "random numbers from NumPy"),
    "tensorflow": (dense(by_tensorflow), "other initial weights of seed 41 than"),
    "keras": (dense(by_keras), PYTHON),
    "python": (dense(by_python), PYTHON),
    "a seed of nothing": (wide, PYTHON),
}


@pytest.mark.parametrize("name", BUILT)
def test_what_initializers_do_not_explain_is_built(name, caplog):
    build, reason = BUILT[name]
    with caplog.at_level(logging.INFO, "nnloss"):
        drawn, built, calls = drawn_and_built(build)
    assert_same_bits(drawn, built)
    assert set(SEEDS[1:]) == set(calls)
    assert "A model is built for each seed, because of" in caplog.text
    assert reason in caplog.text


def test_another_model_for_the_last_seed_is_noticed(small, caplog):  # noqa: F811
    sizes = [4, 5]

    def build():
        return sequential((8,), lambda: L.Dense(sizes.pop(0) if sizes else 5, "relu"))()

    with caplog.at_level(logging.INFO, "nnloss"):
        fit_many(build, small(REGRESSION, (8,)), seeds=range(3), task=REGRESSION, epochs=1)
    assert "A model is built for each seed, because of a different model for seed 2" in caplog.text
    assert "Seeds are trained one after another" in caplog.text


def test_a_build_is_called_for_two_seeds_of_many(small):  # noqa: F811
    calls = []

    def build():
        calls.append(1)
        return BODIES["dropout"][1]()

    task, split = BODIES["dropout"][0], small(BODIES["dropout"][0], (8,))
    together = fit_many(build, split, seeds=range(6), task=task, epochs=2, per_epoch=True)
    assert len(calls) == 2
    agree(together, singly(BODIES["dropout"][1], split, range(6), task=task, epochs=2))
