"""How models are fed: every row once an epoch, the same way for the same seed."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pandas as pd
import pytest

from nnloss import REGRESSION, compile_for_task, training
from nnloss._tensorflow import keras, tf


def visited(dataset):
    return [batch[0].numpy().ravel().astype(int).tolist() for batch in dataset]


@pytest.fixture(params=["rows shuffled", "row numbers shuffled"])
def _way(request, monkeypatch):
    """Both ways of shuffling: small data and large."""
    monkeypatch.setattr(training, "LARGE", 0 if "numbers" in request.param else 2**60)


@pytest.mark.usefixtures("_way")
def test_an_epoch_visits_each_row_once_in_a_new_order():
    keras.utils.set_random_seed(0)
    x = np.arange(100.0)[:, None]
    dataset = training.batches(x, x, None, 32, shuffle=True)
    first, second = visited(dataset), visited(dataset)
    assert [len(batch) for batch in first] == [32, 32, 32, 4]
    assert sorted(chain(*first)) == sorted(chain(*second)) == list(range(100))
    assert first != second
    assert list(chain(*first)) != list(range(100))
    # A shuffle within batches, or within a short buffer, would leave rows near their place.
    assert np.mean(np.abs(np.array([*chain(*first)]) - np.arange(100))) > 20


@pytest.mark.usefixtures("_way")
def test_the_order_depends_on_the_seed_alone():
    x = np.arange(50.0)[:, None]

    def order(seed):
        keras.utils.set_random_seed(seed)
        dataset = training.batches(x, x, None, 8, shuffle=True)
        return [visited(dataset) for _ in range(3)]

    assert order(1) == order(1)
    assert order(1) != order(2)


@pytest.mark.usefixtures("_way")
def test_rows_keep_their_targets_and_weights():
    x = {"a": np.arange(20.0), "b": np.arange(20)}
    dataset = training.batches(x, pd.Series(np.arange(20)), np.arange(20.0), 6, shuffle=True)
    for inputs, targets, weights in dataset:
        assert inputs["a"].dtype == weights.dtype == tf.float32
        assert inputs["b"].dtype == tf.int64
        assert inputs["a"].numpy().tolist() == inputs["b"].numpy().tolist()
        assert targets.numpy().tolist() == weights.numpy().tolist() == inputs["b"].numpy().tolist()


def test_without_shuffling_the_order_stays():
    x = np.arange(10.0)[:, None]
    assert visited(training.batches(x, x, None, 4, shuffle=False)) == [
        [0, 1, 2, 3], [4, 5, 6, 7], [8, 9],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("verbose", "steps", "at_once"),
    [(0, 13, 16), (2, 13, 16), (1, 13, 13), ("auto", 34, 2), (1, 7, 7)],
)
def test_a_progress_bar_ends_at_its_end(verbose, steps, at_once):
    assert training.steps_per_execution([], steps, verbose) == at_once


def test_what_counts_as_in_memory():
    array = np.zeros(3)
    assert training.in_memory(
        array, None, {"a": array, "b": [pd.Series(array), tf.constant(array)]}
    )
    assert not training.in_memory(tf.data.Dataset.range(3))
    assert not training.in_memory(iter([array]))


def test_the_seed_is_known_however_it_was_set():
    training.set_seed(11)
    assert training.current_seed() == 11
    keras.utils.set_random_seed(12)
    assert training.current_seed() == 12


def test_a_seed_fixes_weights_shuffling_and_dropout(split):
    def weights(seed):
        training.set_seed(seed)
        body = keras.Sequential(
            [keras.Input((13,)), keras.layers.Dense(8, "relu"), keras.layers.Dropout(0.3)]
        )
        model = compile_for_task(body, REGRESSION)
        model.fit(split.x_train, split.y_train, epochs=2, verbose=0)
        return np.concatenate([w.ravel() for w in model.get_weights()])

    assert np.array_equal(weights(0), weights(0))
    assert not np.array_equal(weights(0), weights(1))
