"""Many seeds on the user's own arrays: weights, early stopping, weighted rows, predictions."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from test_many_seeds import BODIES, fit_many, sequential, small, widths  # noqa: F401

from nnloss import (
    BINARY,
    COUNTS,
    MULTICLASS,
    REGRESSION,
    NnlossError,
    PairingError,
    TargetError,
    compile_for_task,
    encode,
    predict_many,
    set_seed,
)
from nnloss._tensorflow import keras
from nnloss.training import many_predictions, seed_plan, stacked_models

L = keras.layers
STACKED = sequential((8,), *widths(6))
ALONE = sequential((8,), *widths(6), L.PReLU)
BUILDS = {"stacked": STACKED, "one after another": ALONE}


def arrays(split):
    """Return x, y and validation_data of a split."""
    return split.x_train, split.y_train, (split.x_test, split.y_test)


def trained(build, seed, task, x, y, **settings):
    """Train one seed with `TaskModel.fit`."""
    set_seed(seed)
    classes = y.shape[-1] if task is MULTICLASS else None
    model = compile_for_task(build(), task, classes=classes)
    return model, model.fit(x, y, verbose=0, **settings).history


@pytest.mark.parametrize("task", [REGRESSION, BINARY, MULTICLASS], ids=lambda task: task.name)
def test_arrays_give_what_a_split_of_them_gives(small, task):  # noqa: F811
    split = small(task, (8,))
    x, y, validation = arrays(split)
    classes = 3 if task is MULTICLASS else None
    settings = {"seeds": (0, 4), "task": task, "epochs": 2}
    expected = fit_many(STACKED, split, **settings)
    as_given = fit_many(STACKED, x, y, validation_data=validation, classes=classes, **settings)
    pd.testing.assert_frame_equal(as_given, expected)
    if task is MULTICLASS:
        y = encode(y, task, 3)
    frames = pd.DataFrame(x), pd.DataFrame(y)
    as_frames = fit_many(STACKED, *frames, validation_data=validation, classes=classes, **settings)
    pd.testing.assert_frame_equal(as_frames, expected)


@pytest.mark.parametrize("build", BUILDS.values(), ids=BUILDS)
def test_without_validation_rows_there_are_no_values_of_them(small, build):  # noqa: F811
    x, y, validation = arrays(small(REGRESSION, (8,)))
    settings = {"seeds": (0, 4), "task": REGRESSION, "epochs": 2}
    runs = fit_many(build, x, y, **settings)
    known = fit_many(build, x, y, validation_data=validation, **settings)
    assert not any(name.startswith("val_") for name in runs)
    pd.testing.assert_frame_equal(runs, known[list(runs)])


@pytest.mark.parametrize(
    "name", ["dense", "dropout", "batch normalisation", "graph", "images", "one after another"]
)
def test_weights_and_outputs_are_those_of_single_trainings(small, name, monkeypatch):  # noqa: F811
    task, build = (REGRESSION, ALONE) if name in BUILDS else BODIES[name]
    x, y, validation = arrays(small(task, build().input_shape[1:]))
    classes = 3 if task is MULTICLASS else None
    if classes:
        y = encode(y, task, classes)
    settings = {"epochs": 2, "batch_size": 16}
    monkeypatch.setattr(stacked_models, "MODELS", 2)  # the last of two chunks is padded
    _, weights = fit_many(
        build, x, y, seeds=(4, 0, 9), task=task, classes=classes, return_weights=True, **settings
    )
    assert list(weights) == [4, 0, 9]
    body = compile_for_task(build(), task, classes=classes)
    own = body.get_weights()
    monkeypatch.setattr(many_predictions, "MODELS", 2)
    monkeypatch.setattr(many_predictions, "rows_at_once", lambda template, models: 7)
    outputs = predict_many(body, weights, validation[0])
    assert outputs.shape == (3, 20, body.nodes)
    assert outputs.dtype == np.float32
    assert all(map(np.array_equal, body.get_weights(), own))
    for seed, predicted in zip(weights, outputs, strict=True):
        model, _ = trained(build, seed, task, x, y, **settings)
        for ours, theirs in zip(weights[seed], model.get_weights(), strict=True):
            assert ours == pytest.approx(theirs, abs=1e-4)
        assert predicted == pytest.approx(model.predict(validation[0], verbose=0), abs=1e-4)
        model.set_weights(weights[seed])
        assert predicted == pytest.approx(model.predict(validation[0], verbose=0), abs=1e-6)


@pytest.mark.parametrize("restore", [False, True])
@pytest.mark.parametrize("build", BUILDS.values(), ids=BUILDS)
def test_each_seed_stops_early_as_in_keras(small, build, restore):  # noqa: F811
    x, y, validation = arrays(small(REGRESSION, (8,)))
    noisy = np.random.default_rng(1).normal(size=y.shape)  # nothing to learn
    settings = {"validation_data": validation, "epochs": 40, "batch_size": 5}
    seeds = (0, 1, 2)
    given = {"seeds": seeds, "task": REGRESSION, "patience": 2, "restore_best_weights": restore}
    done = []
    runs, weights = fit_many(
        build, x, noisy, return_weights=True, progress=lambda *now: done.append(now),
        **given, **settings,
    )  # fmt: skip
    curves = fit_many(build, x, noisy, per_epoch=True, **given, **settings)
    some = fit_many(build, x, noisy, per_epoch=3, **given, **settings)
    assert done[-1] == (120, 120)
    ends = []
    for seed, (_, row) in zip(seeds, runs.iterrows(), strict=True):
        stopping = keras.callbacks.EarlyStopping(patience=2, restore_best_weights=restore)
        model, history = trained(
            build, seed, REGRESSION, x, noisy, callbacks=[stopping], **settings
        )
        last = len(history["loss"])
        chosen = stopping.best_epoch + 1 if restore else last
        ends.append(chosen)
        assert row["epoch"] == chosen
        assert row["val_loss"] == pytest.approx(history["val_loss"][chosen - 1], rel=1e-3)
        own = curves[curves["seed"] == seed]
        assert own["epoch"].tolist() == list(range(1, last + 1))
        assert own["val_loss"].tolist() == pytest.approx(history["val_loss"], rel=1e-3)
        thirds = {*range(3, last, 3), chosen, last}
        assert some[some["seed"] == seed]["epoch"].tolist() == sorted(thirds)
        for ours, theirs in zip(weights[seed], model.get_weights(), strict=True):
            assert ours == pytest.approx(theirs, abs=1e-3)
    assert min(ends) < max(ends)  # not all stop at once


def test_an_equal_loss_is_no_improvement(small):  # noqa: F811
    x, y, validation = arrays(small(REGRESSION, (8,)))
    runs = fit_many(
        BUILDS["stacked"], x, y, validation_data=validation, seeds=(0, 1), task=REGRESSION,
        epochs=9, batch_size=5, patience=2, optimizer=keras.optimizers.SGD(0.0),
    )  # fmt: skip
    assert runs["epoch"].tolist() == [3, 3]


def test_a_seed_of_nan_stops_and_is_marked(small, monkeypatch):  # noqa: F811
    x, y, validation = arrays(small(REGRESSION, (8,)))
    starts = seed_plan.Plan.start

    def ill(plan, seed):
        made, start = starts(plan, seed)
        poisoned = [each * np.nan for each in start.variables] if seed == 1 else start.variables
        return made, replace(start, variables=poisoned)

    monkeypatch.setattr(seed_plan.Plan, "start", ill)
    runs, weights = fit_many(
        STACKED, x, y, validation_data=validation, seeds=(0, 1), task=REGRESSION, epochs=6,
        patience=2, return_weights=True,
    )  # fmt: skip
    assert runs["diverged"].tolist() == [False, True]
    assert runs["epoch"].tolist() == [6, 3]
    assert np.isnan(weights[1][0]).all()
    assert np.isfinite(weights[0][0]).all()


@pytest.mark.parametrize("build", BUILDS.values(), ids=BUILDS)
def test_rows_are_weighted_as_in_keras(small, build):  # noqa: F811
    split = small(BINARY, (8,))
    x, y, (x_test, y_test) = arrays(split)
    rng = np.random.default_rng(3)
    weight, of_test = rng.uniform(0, 3, len(y)), rng.uniform(0, 3, len(y_test))
    settings = {"epochs": 2, "batch_size": 16, "validation_data": (x_test, y_test, of_test)}
    for weights in ({"sample_weight": weight}, {"class_weight": {0: 5.0, 1: 0.5}}):
        runs = fit_many(build, x, y, seeds=(0, 1), task=BINARY, **weights, **settings)
        for seed, (_, row) in enumerate(runs.iterrows()):
            _, history = trained(build, seed, BINARY, x, y, **weights, **settings)
            for name, values in history.items():
                assert row[name] == pytest.approx(values[-1], rel=1e-4), name
    plain = fit_many(build, x, y, seeds=(0, 1), task=BINARY, **settings)
    assert not np.allclose(plain["loss"], runs["loss"], rtol=0.1)


def pinball(y, p):
    """Return the loss of the 90 % quantile, which nnloss does not know."""
    return keras.ops.mean(keras.ops.maximum(0.9 * (y - p), 0.1 * (p - y)), axis=-1)


def test_a_loss_of_ones_own_is_trained_one_seed_after_another(small, caplog):  # noqa: F811
    x, y, validation = arrays(small(REGRESSION, (8,)))
    settings = {"validation_data": validation, "task": REGRESSION, "epochs": 2, "loss": pinball}
    with pytest.raises(PairingError, match="strict=False"):
        fit_many(STACKED, x, y, seeds=(0, 1), **settings)
    with caplog.at_level(logging.INFO, "nnloss"):
        runs = fit_many(STACKED, x, y, seeds=(0, 1), strict=False, **settings)
    assert "because of the loss pinball, which is not Keras' own" in caplog.text
    set_seed(1)
    model = compile_for_task(STACKED(), REGRESSION, loss=pinball, strict=False)
    history = model.fit(x, y, validation_data=validation, epochs=2, verbose=0).history
    assert runs["val_loss"][1] == history["val_loss"][-1]


def test_an_output_that_cannot_be_judged_is_stacked_with_a_warning(small, caplog):  # noqa: F811
    x, y, _ = arrays(small(COUNTS, (8,)))

    def build():
        return keras.Sequential([keras.Input((8,)), L.Dense(1, "softplus")])

    with caplog.at_level(logging.WARNING, "nnloss"):
        fit_many(build, x, y, seeds=(0, 1), task=COUNTS, epochs=1, strict=False)
    (warning,) = (each.getMessage() for each in caplog.records if each.name == "nnloss")
    assert warning.startswith("Not checked: Task 'counts' needs Dense(1, activation='exponential')")


def two_inputs():
    one, other = keras.Input((8,), name="one"), keras.Input((8,), name="other")
    return keras.Model({"one": one, "other": other}, L.Dense(3, "relu")(one + other))


def test_several_inputs_are_trained_one_seed_after_another(small, caplog):  # noqa: F811
    x, y, (x_test, y_test) = arrays(small(REGRESSION, (8,)))
    named = {"one": x, "other": x}, y
    test = {"one": x_test, "other": x_test}
    with caplog.at_level(logging.INFO, "nnloss"):
        runs, weights = fit_many(
            two_inputs, *named, validation_data=(test, y_test), seeds=(0, 1), task=REGRESSION,
            epochs=1, return_weights=True,
        )  # fmt: skip
        outputs = predict_many(compile_for_task(two_inputs(), REGRESSION), weights, test)
    assert "Seeds are trained one after another, because of" in caplog.text
    assert "Seeds predict one after another, because of" in caplog.text
    assert outputs.shape == (2, 20, 1)
    squared = ((outputs[..., 0] - y_test) ** 2).mean(axis=1)
    assert runs["val_loss"].to_numpy() == pytest.approx(squared, rel=1e-4)


def test_weights_of_models_that_differ(small):  # noqa: F811
    def build():
        wide = 4 + int(np.random.randint(2)) * 3
        return keras.Sequential([keras.Input((8,)), L.Dense(wide, "relu")])

    x, y, _ = arrays(small(REGRESSION, (8,)))
    _, weights = fit_many(
        build, x, y, seeds=range(4), task=REGRESSION, epochs=1, return_weights=True
    )
    shapes = {own[0].shape for own in weights.values()}
    assert shapes == {(8, 4), (8, 7)}
    model = compile_for_task(sequential((8,), *widths(4))(), REGRESSION)
    with pytest.raises(NnlossError, match=r"found shapes .*\(8, 7\).* the model has .*\(8, 4\)"):
        predict_many(model, weights, x)


def test_seeds_may_still_follow_a_split(small):  # noqa: F811
    split, settings = small(REGRESSION, (8,)), {"task": REGRESSION, "epochs": 1}
    with pytest.warns(DeprecationWarning, match="takes the seeds by name"):
        runs = fit_many(STACKED, split, range(2), **settings)
    pd.testing.assert_frame_equal(runs, fit_many(STACKED, split, seeds=range(2), **settings))


def batches():
    yield np.zeros((1, 8)), np.zeros(1)


@pytest.mark.parametrize(
    ("change", "error", "found"),
    [
        ({"seeds": ()}, NnlossError, "found none. Give, for example"),
        ({"seeds": (3, 3)}, NnlossError, "found 3 more than once"),
        ({"y": np.zeros(49)}, TargetError, "50 rows in x and 49 in y"),
        ({"y": None}, TargetError, "inputs without targets"),
        ({"x": np.zeros((0, 8)), "y": np.zeros(0)}, TargetError, "Give arrays with rows"),
        ({"x": [[0.0] * 8] * 50}, NnlossError, "found float in x. Convert it with numpy.asarray"),
        ({"x": batches()}, NnlossError, "found generator in x"),
        ({"sample_weight": np.ones(49)}, TargetError, "49 rows in sample_weight and 50 in y"),
        ({"sample_weight": np.full(50, np.nan)}, TargetError, "NaN in 50 of 50"),
        ({"sample_weight": np.ones((50, 1))}, NnlossError, r"sample_weight of shape \(50, 1\)"),
        (
            {"sample_weight": np.ones(50), "class_weight": {0: 1.0}},
            NnlossError,
            "class_weight or sample_weight, not both",
        ),
        ({"class_weight": [1.0, 2.0]}, NnlossError, "found class_weight of type list"),
        ({"validation_data": np.zeros((4, 8))}, NnlossError, "found ndarray as validation_data"),
        ({"validation_data": (np.zeros((4, 8)),)}, NnlossError, "found tuple as validation_data"),
        ({"validation_data": (np.zeros((4, 8)), np.zeros(3))}, TargetError, "4 rows in x and 3"),
        ({"validation_data": (np.zeros((4, 8)), [0.0] * 4)}, NnlossError, "in validation_data"),
        ({"patience": 0}, NnlossError, "found patience=0"),
        ({"patience": 1, "validation_data": None}, NnlossError, "found no validation_data"),
        ({"restore_best_weights": True}, NnlossError, "found patience=None"),
    ],
)
def test_arrays_and_options_that_cannot_be_are_refused(small, monkeypatch, change, error, found):  # noqa: F811
    x, y, validation = arrays(small(REGRESSION, (8,)))
    monkeypatch.setattr(seed_plan.Plan, "train", None)  # nothing is trained before the error
    given = {"x": x, "y": y, "validation_data": validation, "seeds": (0, 1)} | change
    with pytest.raises(error, match=found):
        fit_many(STACKED, task=REGRESSION, epochs=1, **given)


@pytest.mark.parametrize("name", ["y", "validation_data", "sample_weight"])
def test_a_split_brings_its_own_rows(small, name):  # noqa: F811
    given = {name: (np.zeros((4, 8)), np.zeros(4)), "seeds": (0,)}
    with pytest.raises(NnlossError, match=f"a Split or {name}, not both"):
        fit_many(STACKED, small(REGRESSION, (8,)), task=REGRESSION, epochs=1, **given)


@pytest.mark.parametrize(
    ("weights", "x", "found"),
    [
        ({}, np.zeros((2, 8)), "found none"),
        ({0: [np.zeros((8, 6))]}, np.zeros((2, 8)), r"found shapes \[\(8, 6\)\] for seed 0"),
        (None, np.zeros((0, 8)), "needs arrays with rows. Found none|found none"),
        (None, [[0.0] * 8], "found list"),
    ],
)
def test_predictions_that_cannot_be_are_refused(weights, x, found):
    model = compile_for_task(STACKED(), REGRESSION)
    given = {0: model.get_weights()} if weights is None else weights
    with pytest.raises(NnlossError, match=found):
        predict_many(model, given, x)
