"""Many seeds at once: each gives what a run of its own gives."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

from nnloss import (
    BINARY,
    MULTICLASS,
    REGRESSION,
    NnlossError,
    PairingError,
    Split,
    TargetError,
    compile_for_task,
    set_seed,
)
from nnloss._tensorflow import keras
from nnloss.table.encoding import as_targets
from nnloss.training import batched_layers, device_data, many_seeds, seed_plan, stacked_models
from nnloss.training.initial_states import variables
from nnloss.training.many_seeds import fit_many as compiled

L = keras.layers
# XLA takes seconds to compile what trains for milliseconds; one test has it.
fit_many = partial(compiled, jit_compile=False)


@pytest.fixture
def small():
    """Make a split of random rows, for a task and a shape of x."""

    def make(task, shape, rows=50):
        rng = np.random.default_rng(0)
        x = rng.normal(size=(rows + 20, *shape))
        score = x.reshape(len(x), -1)[:, :3].sum(axis=1)
        y = (
            score
            if task is REGRESSION
            else np.digitize(score, (0.0,) if task is BINARY else (-1, 1))
        )
        names = () if task is REGRESSION else tuple("abc"[: y.max() + 1])
        numbers = np.arange(len(x))
        return Split(
            x[:rows], y[:rows], x[rows:], y[rows:], numbers[:rows], numbers[rows:], classes=names
        )

    return make


def sequential(shape, *layers):
    """Give a function that builds the model: layers are made anew each time."""
    return lambda: keras.Sequential([keras.Input(shape), *(layer() for layer in layers)])


def singly(build, split, seeds, *, task, loss=None, optimizer="adam", **settings):
    """Train seed after seed with `TaskModel.fit`, what `fit_many` must agree with."""
    rows = []
    for seed in seeds:
        set_seed(seed)
        classes = len(split.classes) if task is MULTICLASS else None
        if not isinstance(optimizer, str):
            optimizer = type(optimizer).from_config(optimizer.get_config())
        model = compile_for_task(build(), task, classes=classes, loss=loss, optimizer=optimizer)
        known = model._choice.loss
        parts = [(split.x_train, split.y_train), (split.x_test, split.y_test)]
        train, test = ((x, as_targets(y, known, classes or 1)) for x, y in parts)
        history = model.fit(*train, validation_data=test, verbose=0, **settings).history
        rows.append(pd.DataFrame(history).assign(seed=seed, epoch=range(1, settings["epochs"] + 1)))
    return pd.concat(rows, ignore_index=True)


def agree(together, alone, tolerance=1e-4):
    """Compare all columns of two tables of runs."""
    assert set(together) == {*alone, "diverged"}
    for name in alone:
        assert together[name].to_numpy() == pytest.approx(alone[name].to_numpy(), rel=tolerance)


def residual():
    inputs = keras.Input((8,))
    wide = L.Dense(6, "tanh")(inputs)
    joined = L.Concatenate()([L.Add()([wide, L.Dense(6)(wide)]), inputs])
    return keras.Model(inputs, L.LeakyReLU()(L.Dense(4)(joined)))


def widths(*sizes):
    return [lambda size=size: L.Dense(size, "relu") for size in sizes]


BODIES = {
    "dense": (REGRESSION, sequential((8,), *widths(16, 8))),
    "dropout": (BINARY, sequential((8,), *widths(16), lambda: L.Dropout(0.4), *widths(8))),
    "batch normalisation": (
        REGRESSION,
        sequential((8,), *widths(16), L.BatchNormalization, *widths(8)),
    ),
    "graph": (BINARY, residual),
    "series": (
        MULTICLASS,
        sequential(
            (21, 2),
            lambda: L.Conv1D(4, 5, padding="same", strides=2, activation="relu"),
            lambda: L.MaxPooling1D(2),
            lambda: L.Conv1D(3, 2, padding="causal", dilation_rate=2, use_bias=False),
            lambda: L.MaxPooling1D(3, strides=2, padding="same"),
            L.GlobalAveragePooling1D,
        ),
    ),
    "images": (
        MULTICLASS,
        sequential(
            (9, 8, 2),
            lambda: L.Conv2D(4, (3, 2), padding="same", activation="relu"),
            lambda: L.BatchNormalization(scale=False, momentum=0.5),
            lambda: L.MaxPooling2D(2),
            lambda: L.Conv2D(3, 2, strides=(1, 2), activation="tanh"),
            L.Flatten,
            *widths(5),
        ),
    ),
    "dense along an axis": (REGRESSION, sequential((4, 3), *widths(5), lambda: L.Reshape((20,)))),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_seed_gives_what_it_gives_alone(small, name, caplog):
    task, build = BODIES[name]
    split = small(task, build().input_shape[1:])
    settings = {"task": task, "epochs": 3, "batch_size": 16}  # the last batch has two rows
    with caplog.at_level(logging.INFO, "nnloss"):
        together = fit_many(build, split, seeds=(4, 0), per_epoch=True, **settings)
    assert "one after another" not in caplog.text
    agree(together, singly(build, split, (4, 0), **settings))
    assert together["seed"].tolist() == [4, 4, 4, 0, 0, 0]
    assert not together["diverged"].any()


@pytest.mark.parametrize(
    ("task", "loss", "optimizer"),
    [
        (REGRESSION, "mae", "sgd"),
        (BINARY, keras.losses.BinaryCrossentropy(from_logits=True), "adam"),
        (BINARY, keras.losses.BinaryCrossentropy(label_smoothing=0.1), "rmsprop"),
        (MULTICLASS, "sparse_categorical_crossentropy", keras.optimizers.AdamW(0.01)),
    ],
)
def test_losses_and_optimizers_of_a_task(small, task, loss, optimizer):
    build = sequential((8,), *widths(6))
    settings = {"task": task, "loss": loss, "epochs": 2, "optimizer": optimizer}
    together = fit_many(build, small(task, (8,)), seeds=(1, 2), per_epoch=True, **settings)
    agree(together, singly(build, small(task, (8,)), (1, 2), **settings))


def test_boston_after_100_epochs_with_xla(split):
    mean, sd = split.x_train.mean(axis=0), split.x_train.std(axis=0, ddof=1)
    scaled = replace(split, x_train=(split.x_train - mean) / sd, x_test=(split.x_test - mean) / sd)
    build = sequential((13,), *widths(64, 32))
    settings = {"task": REGRESSION, "epochs": 100, "batch_size": 32}
    alone = singly(build, scaled, (0, 1), **settings).query("epoch == 100").drop(columns="epoch")
    agree(compiled(build, scaled, seeds=(0, 1), **settings), alone, tolerance=1e-3)


def test_training_starts_with_the_same_bits(small):
    split = small(REGRESSION, (8,))
    build = sequential((8,), *widths(16), lambda: L.Dropout(0.5))
    set_seed(3)
    model = compile_for_task(build(), REGRESSION)
    weights = model.get_weights()
    shuffle = device_data.shuffle_seed()
    plan = seed_plan.Plan(build, REGRESSION, None, None, "adam", 1, 32, False)
    _, begin = plan.start(3)
    state = begin.variables
    assert begin.shuffle_seed == shuffle
    ours = [array for array in state if array.dtype == np.float32]
    assert all(np.array_equal(a, b) for a, b in zip(ours, weights, strict=True))
    dropout = next(layer for layer in model.layers if isinstance(layer, L.Dropout))
    assert any(np.array_equal(a, dropout.seed_generator.state) for a in state)
    assert split.sizes["train"] == 50


def test_chunks_do_not_change_a_seed(small, monkeypatch):
    build, split = sequential((8,), *widths(6)), small(REGRESSION, (8,))
    whole = fit_many(build, split, seeds=range(5), task=REGRESSION, epochs=2)
    monkeypatch.setattr(stacked_models, "MODELS", 2)
    done = []
    parts = fit_many(
        build, split, seeds=range(5), task=REGRESSION, epochs=2,
        progress=lambda now, total: done.append((now, total)),
    )  # fmt: skip
    pd.testing.assert_frame_equal(whole, parts, rtol=1e-5)
    assert done[-1] == (10, 10)
    assert done == sorted(done)
    monkeypatch.setattr(stacked_models, "MEMORY", 1)
    assert len(fit_many(build, split, seeds=[7], task=REGRESSION, epochs=1)) == 1


def test_test_rows_may_come_in_parts(small, monkeypatch):
    build, split = sequential((8,), *widths(6)), small(BINARY, (8,), rows=300)
    split = replace(
        split,
        x_train=split.x_test,
        y_train=split.y_test,
        x_test=split.x_train,
        y_test=split.y_train,
    )
    settings = {"task": BINARY, "epochs": 1, "batch_size": 8}
    whole = fit_many(build, split, seeds=(0, 1), **settings)
    asked = []
    evaluate = stacked_models.StackedModels._sums
    monkeypatch.setattr(
        stacked_models.StackedModels,
        "_sums",
        lambda *given: asked.append(given[1].shape[1]) or evaluate(*given),
    )
    monkeypatch.setattr(stacked_models, "MEMORY", 10_000)
    parts = fit_many(build, split, seeds=(0, 1), **settings)
    assert len(set(asked)) == 2  # traced for whole parts and for the last one
    assert max(asked) < 300
    pd.testing.assert_frame_equal(whole, parts, rtol=1e-5)


def test_a_seed_that_diverges_is_marked_and_leaves_the_others_alone(small, monkeypatch):
    build, split = sequential((8,), *widths(6)), small(REGRESSION, (8,))
    settings = {"task": REGRESSION, "epochs": 2}
    well = fit_many(build, split, seeds=range(3), **settings)
    starts = many_seeds.starts

    def poisoned(*arguments):
        def start_of(seed):
            start = given(seed)
            ill = [array * np.nan for array in start.variables]
            return replace(start, variables=ill) if seed == 1 else start

        given = starts(*arguments)
        return start_of

    monkeypatch.setattr(many_seeds, "starts", poisoned)
    ill = fit_many(build, split, seeds=range(3), **settings)
    assert ill["diverged"].tolist() == [False, True, False]
    pd.testing.assert_frame_equal(ill.query("seed != 1"), well.query("seed != 1"))


def test_a_value_that_was_not_finite_is_not_forgotten(small):
    """The loss of the first epoch overflows, that of the second does not."""
    split = small(REGRESSION, (8,))
    big = {name: np.abs(getattr(split, name)) * 1e20 for name in ("x_train", "x_test")}
    runs = fit_many(
        sequential((8,), *widths(2)), replace(split, **big), seeds=(1,), task=REGRESSION, epochs=2,
        batch_size=10, optimizer=keras.optimizers.SGD(10.0, clipvalue=1.0),
    )  # fmt: skip
    assert np.isfinite(runs["loss"][0])
    assert runs["diverged"].tolist() == [True]


HEADS = {
    "an Activation": (BINARY, [lambda: L.Dense(1), lambda: L.Activation("sigmoid")]),
    "a Softmax": (MULTICLASS, [lambda: L.Dense(3), L.Softmax]),
    "a Dense": (BINARY, [lambda: L.Dense(1, "sigmoid")]),
}


@pytest.mark.parametrize("name", HEADS)
def test_a_model_may_bring_its_head(small, name):
    """Logits of such size that a clipped probability has another loss."""
    task, head = HEADS[name]
    split = small(task, (8,))
    far = replace(split, x_train=split.x_train * 300, x_test=split.x_test * 300)
    build = sequential((8,), *widths(6), *head)
    settings = {"task": task, "epochs": 2, "batch_size": 16}
    agree(
        fit_many(build, far, seeds=(2,), per_epoch=True, **settings),
        singly(build, far, (2,), **settings),
    )


class Warm(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule that Keras does not know by name, and so cannot copy."""

    def __call__(self, step):
        return 0.001 * keras.ops.cast(step + 1, "float32")


class Warmer(Warm):
    def get_config(self):
        return {}


def excluding():
    optimizer = keras.optimizers.AdamW(0.01, weight_decay=1.0)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


@pytest.mark.parametrize(
    ("optimizer", "found"),
    [
        (keras.optimizers.SGD(Warm()), "found SGD, which has none: .*get_config"),
        (keras.optimizers.SGD(Warmer()), "found SGD, which has none: .*Register its classes"),
        (excluding(), "found exclude_from_weight_decay, which is not in it"),
    ],
)
def test_an_optimizer_that_cannot_be_copied_is_refused(small, optimizer, found):
    with pytest.raises(NnlossError, match=found):
        fit_many(
            sequential((8,), *widths(4)), small(REGRESSION, (8,)), seeds=[0],
            task=REGRESSION, epochs=1, optimizer=optimizer,
        )  # fmt: skip


def test_a_schedule_of_keras_runs_from_its_begin_for_each_chunk(small, monkeypatch):
    monkeypatch.setattr(stacked_models, "MODELS", 1)
    rate = keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
    settings = {"task": REGRESSION, "epochs": 3, "optimizer": keras.optimizers.SGD(rate)}
    build, split = sequential((8,), *widths(4)), small(REGRESSION, (8,))
    agree(
        fit_many(build, split, seeds=(0, 1), per_epoch=True, **settings),
        singly(build, split, (0, 1), **settings),
    )


def test_a_model_that_depends_on_the_seed_is_noticed(small, caplog):
    def build():
        wide = 4 + int(np.random.randint(2)) * 3  # what set_seed has seeded
        return keras.Sequential([keras.Input((8,)), L.Dense(wide, "relu")])

    split = small(REGRESSION, (8,))
    settings = {"task": REGRESSION, "epochs": 1}
    with caplog.at_level(logging.INFO, "nnloss"):
        runs = fit_many(build, split, seeds=range(4), per_epoch=True, **settings)
    assert "a different model for seed" in caplog.text
    agree(runs, singly(build, split, range(4), **settings), tolerance=1e-6)


def own(x):
    """Look at the other rows, and so at other models if it were applied to a stack."""
    return x / (1e-3 + keras.ops.sum(keras.ops.abs(x), axis=1, keepdims=True))


def half_frozen():
    layer = L.Dense(4, "relu")
    model = keras.Sequential([keras.Input((8,)), layer])
    layer.kernel.trainable = False
    return model


UNKNOWN = {
    "PReLU": (sequential((8,), *widths(4), L.PReLU), "adam", "PReLU"),
    "a regularizer": (
        sequential((8,), lambda: L.Dense(4, "relu", kernel_regularizer="l2")),
        "adam",
        "kernel_regularizer",
    ),
    "a norm over all weights": (
        sequential((8,), *widths(4)),
        keras.optimizers.SGD(0.01, global_clipnorm=1.0),
        "global_clipnorm",
    ),
    "an optimizer of whole matrices": (sequential((8,), *widths(4)), "adafactor", "Adafactor"),
    "a nested model": (sequential((8,), residual), "adam", "Functional"),
    "an activation of one's own": (
        sequential((8,), lambda: L.Dense(4, own), *widths(4)),
        "adam",
        "an activation that is not Keras' own",
    ),
    "a frozen kernel": (half_frozen, "adam", "frozen separately from its layer"),
    "an axis of unknown length": (
        sequential((None,), lambda: L.Embedding(9, 4), L.GlobalAveragePooling1D),
        "adam",
        "an axis of unknown length",
    ),
}


FAST = ("PReLU", "a norm over all weights", "a nested model")


@pytest.mark.parametrize(
    "name",
    [*FAST, *(pytest.param(each, marks=pytest.mark.slow) for each in UNKNOWN if each not in FAST)],
)
def test_what_is_not_known_is_trained_one_after_another(small, name, caplog):
    build, optimizer, reason = UNKNOWN[name]
    split = small(REGRESSION, (8,))
    if "unknown length" in reason:
        words = {part: np.abs(getattr(split, part)).astype(int) for part in ("x_train", "x_test")}
        split = replace(split, **words)
    settings = {"task": REGRESSION, "epochs": 2, "optimizer": optimizer}
    done = []
    with caplog.at_level(logging.INFO, "nnloss"):
        runs = fit_many(
            build, split, seeds=(0, 5), per_epoch=True,
            progress=lambda *now: done.append(now), **settings,
        )  # fmt: skip
    assert "Seeds are trained one after another, because of" in caplog.text
    assert reason in caplog.text
    agree(runs, singly(build, split, (0, 5), **settings), tolerance=0)
    assert done == [(2, 4), (4, 4)]


def test_the_last_values_of_seeds_trained_one_after_another(small):
    build, split = sequential((8,), *widths(4), L.PReLU), small(REGRESSION, (8,))
    settings = {"task": REGRESSION, "epochs": 2}
    runs = fit_many(build, split, seeds=(0,), per_epoch=True, **settings)
    last = fit_many(build, split, seeds=(0,), **settings)
    assert "epoch" not in last
    assert last["val_loss"].tolist() == runs.query("epoch == 2")["val_loss"].tolist()


def splits_of(split, seeds):
    """Make a random split for each two seeds, which share the object."""
    made = {number: split.redrawn(number) for number in {seed // 2 for seed in seeds}}
    return [made[seed // 2] for seed in seeds]


def largest(y, p):
    """Return the largest absolute difference, which is no mean over rows."""
    assert y.shape == p.shape
    return float(np.abs(y - p).max())


@pytest.mark.parametrize("layer", [L.ReLU, L.PReLU])  # stacked, and one after another
def test_each_seed_may_have_its_own_split(small, monkeypatch, layer):
    build, split = sequential((8,), *widths(6), layer), small(REGRESSION, (8,))
    seeds, settings = (0, 1, 2, 5), {"task": REGRESSION, "epochs": 2, "batch_size": 16}
    monkeypatch.setattr(stacked_models, "MODELS", 3)  # a chunk has seeds of two splits
    splits = splits_of(split, seeds)
    runs = fit_many(build, splits, seeds=seeds, test_measures={"largest": largest}, **settings)
    for seed, own, (_, row) in zip(seeds, splits, runs.iterrows(), strict=True):
        (alone,) = singly(build, own, [seed], **settings).query("epoch == 2").to_dict("records")
        for name in ("loss", "val_loss", "val_mean_absolute_error"):
            assert row[name] == pytest.approx(alone[name], rel=1e-4)
        set_seed(seed)
        model = compile_for_task(build(), REGRESSION)
        model.fit(own.x_train, own.y_train, batch_size=16, epochs=2, verbose=0)
        outputs = model.predict(own.x_test, verbose=0)[:, 0]
        expected = np.abs(outputs - own.y_test).max()
        assert row["val_largest"] == pytest.approx(expected, rel=1e-4)
    assert runs["val_loss"].nunique() == 4


def test_splits_that_do_not_fit_are_refused(small):
    build, split = sequential((8,), *widths(4)), small(REGRESSION, (8,))
    with pytest.raises(NnlossError, match="found 1 splits and 2 seeds"):
        fit_many(build, [split], seeds=(0, 1), task=REGRESSION, epochs=1)
    with pytest.raises(NnlossError, match=r"found 49 \+ 20 rows and 50 \+ 20 rows"):
        fit_many(build, [split, split.head(49)], seeds=(0, 1), task=REGRESSION, epochs=1)


# What the constructor needs, and the shape of a row, where it is not (8, 6).
ARGUMENTS = {
    L.Dense: (3,), L.Conv1D: (3, 2), L.Conv2D: (3, 2), L.Activation: ("tanh",),
    L.Reshape: ((6, 8),), L.Permute: ((2, 1),), L.Rescaling: (0.5, 1.0), L.Dropout: (0.5,),
    L.AveragePooling1D: (3,), L.AveragePooling2D: (2,),
}  # fmt: skip
JOINS = (L.Add, L.Subtract, L.Multiply, L.Average, L.Maximum, L.Concatenate)


@pytest.mark.parametrize("kind", batched_layers._KNOWN, ids=lambda kind: kind.__name__)
def test_a_stacked_layer_does_what_the_layer_does(kind):
    shape = (8, 8, 6) if kind.__name__.endswith("2D") else (8, 6)
    source = keras.Input(shape)
    layer = kind(*ARGUMENTS.get(kind, ()))
    inputs = [source, L.Activation("tanh")(source)] if kind in JOINS else source
    model = keras.Model(source, layer(inputs))
    rng = np.random.default_rng(1)
    for variable in model.weights:
        variable.assign(rng.uniform(0.5, 2, size=variable.shape))
    many = batched_layers.stack(model, 2)
    for variable, value in zip(variables(many), variables(model), strict=True):
        variable.assign(np.stack([value, value]))
    x = rng.normal(size=(2, 5, *shape)).astype(np.float32)
    for one, of_two in zip(x, many(x), strict=True):
        assert of_two.numpy() == pytest.approx(model(one).numpy(), abs=1e-5)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"seeds": []}, "found none"),
        ({"seeds": range(0)}, "Give, for example, range\\(100\\)"),
        ({"seeds": [1, 2, 1]}, "found 1 more than once"),
        ({"seeds": [-1]}, "found -1"),
        ({"seeds": [2**32]}, "found 4294967296"),
        ({"epochs": 0}, "found epochs=0"),
        ({"batch_size": 51}, "1 to 50 rows.*found batch_size=51. Give 50 or less"),
        ({"batch_size": 0}, "found batch_size=0"),
    ],
)
def test_numbers_that_cannot_be_are_refused(small, change, found):
    arguments = {"seeds": [0], "task": REGRESSION, "epochs": 1} | change
    with pytest.raises(NnlossError, match=found):
        fit_many(sequential((8,), *widths(4)), small(REGRESSION, (8,)), **arguments)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda s: {"y_train": s.y_train[:-1]}, "50 rows in x and 49 in y"),
        (lambda s: {"x_test": s.x_test[:-3]}, "17 rows in x and 20 in y"),
        (lambda s: {"x_train": s.x_train[:0], "y_train": s.y_train[:0]}, "Give arrays with rows"),
        (lambda s: {"x_train": np.where(s.x_train > 2, np.nan, s.x_train)}, "NaN in 7 of 50"),
        (lambda s: {"y_test": s.y_test * np.inf}, "inf"),
    ],
)
def test_data_that_cannot_be_are_refused(small, change, found):
    split = small(REGRESSION, (8,))
    with pytest.raises(TargetError, match=found):
        fit_many(
            sequential((8,), *widths(4)), replace(split, **change(split)), seeds=[0],
            task=REGRESSION, epochs=1,
        )  # fmt: skip


def test_a_wrong_pair_is_refused(small):
    with pytest.raises(PairingError, match="Task 'binary'"):
        fit_many(
            sequential((8,), lambda: L.Dense(2, "softmax")), small(BINARY, (8,)), seeds=[0],
            task=BINARY, epochs=1,
        )  # fmt: skip


@pytest.mark.parametrize("width", ["dense", pytest.param("unknown", marks=pytest.mark.slow)])
def test_values_of_every_so_many_epochs_and_of_the_last(small, width):
    layer = L.Dense(5, activation="tanh") if width == "dense" else L.GRU(3)
    shape = (8,) if width == "dense" else (4, 2)
    build = sequential(shape, lambda: type(layer).from_config(layer.get_config()))
    split, settings = small(REGRESSION, shape), {"task": REGRESSION, "epochs": 5}
    every = fit_many(build, split, seeds=(0, 1), per_epoch=True, **settings)
    some = fit_many(build, split, seeds=(0, 1), per_epoch=2, **settings)
    assert some["epoch"].tolist() == [2, 4, 5] * 2
    expected = every[every["epoch"].isin([2, 4, 5])].reset_index(drop=True)
    pd.testing.assert_frame_equal(some, expected)
    rare = fit_many(build, split, seeds=(0, 1), per_epoch=9, **settings)
    assert rare["epoch"].tolist() == [5, 5]


def test_epochs_are_not_counted_backwards(small):
    build = sequential((8,), lambda: L.Dense(5, activation="tanh"))
    with pytest.raises(NnlossError, match="found per_epoch=-1"):
        fit_many(
            build, small(REGRESSION, (8,)), seeds=(0,), task=REGRESSION, epochs=2, per_epoch=-1
        )
