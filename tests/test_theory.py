"""Demonstrations: identities that can fail, pitfalls, landscapes, hidden states, gradients."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

import nnloss
from nnloss import (
    BINARY,
    COUNTS,
    MULTICLASS,
    MULTILABEL,
    MULTIOUTPUT,
    REGRESSION,
    Split,
    check_pairing,
    compile_for_task,
    likelihoods,
    set_seed,
)
from nnloss._tensorflow import keras
from nnloss.theory import (
    backpropagation,
    depth,
    hidden_states,
    identities,
    landscape,
    one_parameter,
    pitfalls,
    problems,
    sizes,
    stages,
)
from nnloss.theory.pairings import PAIRINGS, build, starts
from nnloss.training.on_device import OnDeviceModel

RANDOM = np.random.default_rng(2)
X = RANDOM.normal(size=(120, 3))
PRICES = X @ [2.0, -1.0, 0.5] + 3 + RANDOM.normal(size=120)
LABELS = (PRICES + RANDOM.normal(size=120) * 3 > 3).astype(int)
THIRDS = np.digitize(PRICES + RANDOM.normal(size=120) * 3, [2, 4])

IDENTITIES = {
    "gaussian": lambda: identities.gaussian(X, PRICES),
    "bernoulli": lambda: identities.bernoulli(X, LABELS),
    "multinomial": lambda: identities.multinomial(X, THIRDS),
    "counts": lambda: identities.of_task(COUNTS, X, np.floor(np.exp(PRICES / 4))),
    "multilabel": lambda: identities.of_task(MULTILABEL, X, np.column_stack([LABELS, THIRDS > 1])),
    "multioutput": lambda: identities.of_task(MULTIOUTPUT, X, np.column_stack([PRICES, THIRDS])),
    "laplace": lambda: identities.laplace(X, PRICES),
    "squared errors": lambda: identities.squared_errors(PRICES),
    "softmax": lambda: identities.softmax(X, THIRDS),
    "cross-entropy": lambda: identities.cross_entropy(X, THIRDS),
}


@pytest.mark.parametrize("claims", IDENTITIES.values(), ids=IDENTITIES)
def test_identities_hold_on_other_data(claims):
    assert [claim for claim in claims() if not claim.holds] == []


@pytest.mark.parametrize("rows", [49, 98, 103, 107])  # 1 / N has a rounding error
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_identities_hold_at_any_size(rows, scale):
    y = PRICES[:rows] * scale
    for claims in (
        identities.gaussian(X[:rows], y),
        identities.laplace(X[:rows], y, scale=3 * scale),
    ):
        assert [claim for claim in claims if not claim.holds] == []
    assert all(claim.holds for claim in identities.squared_errors(y))


# What is claimed; what is replaced, by what; and how many claims must notice.
BROKEN = {
    "gaussian": ("keras.losses.MeanSquaredError", keras.losses.MeanAbsoluteError, 4),
    "bernoulli": ("keras.losses.BinaryCrossentropy", keras.losses.BinaryFocalCrossentropy, 3),
    "multinomial": (
        "keras.losses.CategoricalCrossentropy", keras.losses.CategoricalFocalCrossentropy, 3,
    ),
    "counts": ("keras.losses.Poisson", keras.losses.MeanSquaredError, 2),
    "multilabel": ("keras.losses.BinaryCrossentropy", keras.losses.BinaryFocalCrossentropy, 2),
    "multioutput": ("keras.losses.MeanSquaredError", keras.losses.MeanAbsoluteError, 2),
    "laplace": ("keras.losses.MeanAbsoluteError", keras.losses.MeanSquaredError, 3),
    "squared errors": (
        "likelihoods.sum_of_squared_errors", lambda y, mu: np.sum((y - 2 * mu) ** 2), 2,
    ),
    "softmax": ("keras.activations.softmax", lambda z: np.exp(z) / np.exp(z).max(), 2),
    "cross-entropy": (
        "keras.losses.CategoricalCrossentropy", keras.losses.CategoricalFocalCrossentropy, 3,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_identities_fail_where_one_side_is_another(name, monkeypatch):
    path, other, failing = BROKEN[name]
    monkeypatch.setattr(f"nnloss.theory.identities.{path}", other)
    assert sum(not claim.holds for claim in IDENTITIES[name]()) == failing


def test_a_softmax_that_sees_a_constant_is_noticed(monkeypatch):
    cut = "nnloss.theory.identities.keras.activations.softmax"
    monkeypatch.setattr(cut, lambda z: likelihoods.softmax(np.minimum(z, 50)))
    failing = [claim.claim for claim in IDENTITIES["softmax"]() if not claim.holds]
    assert failing == ["softmax(z + 100) = softmax(z)"]


@pytest.mark.parametrize(
    ("name", "method", "shape"),
    [
        ("gaussian", "GLM.score_factor", (len(X),)),
        ("bernoulli", "GLM.score_factor", (len(X),)),
        ("multinomial", "MNLogit.score_obs", (len(X), 8)),
    ],
)
def test_identities_fail_where_statsmodels_says_otherwise(name, method, shape, monkeypatch):
    monkeypatch.setattr(f"statsmodels.api.{method}", lambda *_, **__: np.ones(shape))
    assert sum(not claim.holds for claim in IDENTITIES[name]()) == 1


@pytest.fixture(scope="module")
def two_classes():
    """Two classes around -1 and 1, of which one row in ten is turned round."""
    random = np.random.default_rng(0)
    y = random.integers(0, 2, 400)
    x = random.normal(size=(400, 5)) + 2 * (2 * y[:, np.newaxis] - 1)
    rows = np.arange(400)
    return Split(x[:300], y[:300], x[300:], y[300:], rows[:300], rows[300:], classes=("a", "b"))


def trained(pairing, split, biases=(0.0,), epochs=3):
    return pitfalls.train(pairing, split, range(3), biases, hidden=4, epochs=epochs)


def by_name(name):
    return next(pairing for pairing in PAIRINGS if pairing.name == name)


@pytest.mark.parametrize("pairing", PAIRINGS, ids=lambda pairing: pairing.name)
def test_check_pairing_tells_the_pitfalls_from_the_pairs(pairing):
    model = build(pairing, 3, 4)
    report = check_pairing(model, pairing.loss, pairing.targets(np.array([0, 1, 1])))
    assert report.verdict == ("right" if pairing.right else "wrong")


def test_pairings_start_alike_seed_by_seed():
    begun = [starts(pairing, 5, 4, 1, (0.0,))[0] for pairing in PAIRINGS]
    for start in begun[1:]:
        np.testing.assert_array_equal(start.variables[0], begun[0].variables[0])
    assert len({start.shuffle_seed for start in begun}) == 1


@pytest.mark.parametrize("name", ["sigmoid + BCE", "softmax + CCE"])
def test_a_right_pair_learns_and_a_bias_is_where_it_starts(name, two_classes):
    runs = trained(by_name(name), two_classes, (0.0, 30.0), epochs=80)
    assert list(runs.columns) == ["pairing", "seed", "bias", "epoch", "loss", "accuracy"]
    last = runs[(runs["epoch"] == 80) & (runs["bias"] == 0)]
    assert last["accuracy"].median() > 0.95
    first = runs[runs["epoch"] == 1]  # so sure that all is class 1
    majority = np.mean(two_classes.y_test == 1)
    assert set(np.round(first[first["bias"] == 30]["accuracy"], 6)) == {
        np.float32(majority).round(6)
    }
    assert first[first["bias"] == 30]["loss"].min() > 5


@pytest.mark.parametrize("loss", ["binary_crossentropy", "mean_squared_error"])
def test_it_is_a_training_by_keras(loss, two_classes):
    """One of the seeds, by ``fit`` of a compiled model with the same start and batches."""
    pairing = next(
        each
        for each in PAIRINGS
        if each.activations == ("sigmoid",) and each.loss is getattr(keras.losses, loss)
    )
    runs = trained(pairing, two_classes)
    set_seed(1)
    made = build(pairing, 5, 4)
    single = OnDeviceModel(made.inputs, made.outputs)
    single.compile("adam", loss)
    history = single.fit(
        two_classes.x_train, two_classes.y_train, batch_size=50, epochs=3, verbose=0
    ).history
    found = runs[runs["seed"] == 1]["loss"].to_numpy()
    np.testing.assert_allclose(found, history["loss"], rtol=1e-4)


def test_a_double_softmax_does_not_get_below_its_floor(two_classes):
    runs = trained(by_name("double softmax + CCE"), two_classes, epochs=20)
    floor = pitfalls.double_softmax_floor(2)
    assert runs["loss"].min() > floor
    assert runs["loss"].min() < floor + 0.2
    assert [claim.holds for claim in pitfalls.floor_claims()] == [True, True]


def test_integer_labels_teach_nothing_and_signs_have_no_floor(two_classes):
    spread = trained(by_name("softmax + MSE, integer labels"), two_classes, epochs=20)
    assert spread["loss"].min() > 0.25  # ((y - p)² + (y - 1 + p)²) / 2 is least at p = 1/2
    assert trained(by_name("softmax + MSE"), two_classes, epochs=20)["loss"].min() < 0.2
    signs = trained(by_name("sigmoid + BCE, labels -1 and 1"), two_classes, epochs=20)
    assert signs["loss"].min() < -0.5


def test_the_summary_counts_seeds_and_epochs(two_classes):
    runs = trained(by_name("sigmoid + BCE"), two_classes)
    runs["accuracy"] = [0.5, 0.9, 0.2, 0.95, 0.6, 0.3, 0.1, 0.99, 0.4]  # seeds 0, 1, 2 by epoch
    (row,) = pitfalls.summary(runs, 0.9).to_dict("records")
    assert (row["reached"], row["seeds"], row["epochs"]) == (2, 3, 1.5)
    assert (row["worst"], row["best"]) == (0.1, 0.99)
    (row,) = pitfalls.summary(runs, 1.0).to_dict("records")
    assert row["reached"] == 0
    assert np.isnan(row["epochs"])


def test_gradients_are_those_of_the_formulas():
    table = pitfalls.gradients(np.linspace(-6, 6, 25))
    p = table["probability"]
    np.testing.assert_allclose(table["BCE"], p - 1, atol=1e-12)
    np.testing.assert_allclose(table["MSE"], 2 * (p - 1) * p * (1 - p), atol=1e-12)


def test_keras_refuses_integer_labels_with_cce():
    assert "must have the same rank" in pitfalls.keras_error(LABELS)


def weights_of(units):
    """Weights of a small dense network."""
    sizes = [3, *units, 1]
    return [
        part
        for fan_in, fan_out in pairwise(sizes)
        for part in (RANDOM.normal(size=(fan_in, fan_out)), RANDOM.normal(size=fan_out))
    ]


@pytest.mark.parametrize("units", [(), (4,), (5, 4)])
def test_the_surface_is_the_loss_of_the_network(units):
    layers = [keras.layers.Dense(size, "relu") for size in units] + [keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((3,)), *layers])
    weights = weights_of(units)
    model.set_weights(weights)
    expected = np.mean((np.asarray(model(X))[:, 0] - PRICES) ** 2)
    np.testing.assert_allclose(
        landscape.mean_squared_error(weights, X, PRICES), expected, rtol=1e-5
    )


def test_a_direction_is_as_long_as_each_filter():
    weights = weights_of((4,))
    step = landscape.direction(weights, np.random.default_rng(0))
    for weight, part in zip(weights, step, strict=True):
        if weight.ndim > 1:
            np.testing.assert_allclose(np.linalg.norm(part, axis=0), np.linalg.norm(weight, axis=0))
        else:
            assert not part.any()


def test_least_squares_is_a_bowl_and_a_network_is_none():
    reach = np.linspace(-1, 1, 9)
    misfits = []
    for weights in (weights_of(()), weights_of((5, 4))):
        random = np.random.default_rng(0)
        plane = landscape.direction(weights, random), landscape.direction(weights, random)
        losses = landscape.surface(weights, plane, reach, X, PRICES)
        # The second index goes along the first direction.
        moved = [w + d for w, d in zip(weights, plane[0], strict=True)]
        np.testing.assert_allclose(
            losses[4, 8], landscape.mean_squared_error(moved, X, PRICES), rtol=1e-12
        )
        misfits.append(landscape.quadratic_fit(reach, losses))
    assert misfits[0][0] < 1e-12
    assert misfits[0][1].min() > 0
    assert misfits[1][0] > 1e-4


def test_a_saddle_is_told_from_a_bowl():
    reach = np.linspace(-1, 1, 9)
    a, b = np.meshgrid(reach, reach)
    left, curvatures = landscape.quadratic_fit(reach, 3 + a + 2 * a**2 - 5 * b**2)
    assert left < 1e-12
    np.testing.assert_allclose(curvatures, [-10, 4])


def test_the_curvature_along_a_coefficient_is_that_of_its_feature():
    reach = np.linspace(-2, 2, 21)
    for weights in (weights_of(()), weights_of(())):
        losses = one_parameter.profile(weights, (0, 1, 0), reach, X, PRICES)
        expected = 2 * np.mean(X[:, 1] ** 2)
        np.testing.assert_allclose(one_parameter.curvature(reach, losses), expected, rtol=1e-9)


def test_hidden_states_are_what_a_layer_gives():
    layers = [keras.layers.Dense(4, "relu", name="hidden"), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((3,)), *layers])
    kernel, bias, *_ = model.get_weights()
    expected = np.maximum(X @ kernel + bias, 0)
    np.testing.assert_allclose(hidden_states.states(model, X, "hidden"), expected, atol=1e-5)


@pytest.mark.parametrize(("other", "share"), [(10.0, 0.0), (0.0, 1.0), (6.0, 0.4), (12.0, -0.2)])
def test_the_share_of_the_error_that_is_recovered(other, share):
    assert hidden_states.recovered(10.0, other) == pytest.approx(share)


def test_a_feature_map_is_averaged_by_class():
    values = np.arange(24.0).reshape(4, 3, 2)
    means = hidden_states.by_class(values, np.array([1, 0, 1, 1]))
    np.testing.assert_array_equal(means[0], values[1])
    np.testing.assert_array_equal(means[1], values[[0, 2, 3]].mean(axis=0))


TASKS = {
    "regression": (REGRESSION, None, PRICES[:, np.newaxis]),
    "binary": (BINARY, None, LABELS[:, np.newaxis]),
    "multiclass": (MULTICLASS, 3, np.eye(3)[THIRDS]),
}


@pytest.mark.parametrize(("task", "classes", "y"), TASKS.values(), ids=TASKS)
def test_backpropagation_by_hand(task, classes, y):
    set_seed(0)
    layers = [keras.layers.Dense(units, "relu") for units in (5, 4)]
    model = compile_for_task(keras.Sequential([keras.Input((3,)), *layers]), task, classes=classes)
    weights = model.get_weights()
    ours = backpropagation.by_hand(weights, X, y, task)
    x32, y32 = X.astype(np.float32), y.astype(np.float32)
    for one, other in zip(ours, backpropagation.by_keras(model, x32, y32), strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, atol=1e-6 * max(1, np.abs(one).max()))
    assert any(part.any() for part in ours)


def test_pitfalls_take_what_a_split_has(two_classes):
    fewer = replace(two_classes, x_train=two_classes.x_train[:64], y_train=two_classes.y_train[:64])
    assert len(trained(by_name("linear + BCE"), fewer, epochs=1)) == 3


def test_the_six_problems_derive_from_the_price(split):
    y = problems.targets(split)
    assert y.keys() == nnloss.TASKS.keys()
    assert 0.45 < y["binary"].mean() <= 0.5
    np.testing.assert_allclose(np.bincount(y["multiclass"]) / 404, 1 / 3, atol=0.02)
    np.testing.assert_allclose(y["multilabel"].mean(axis=0), [2 / 3, 1 / 3], atol=0.02)
    assert np.all((y["regression"] - y["counts"] >= 0) & (y["regression"] - y["counts"] < 1))
    np.testing.assert_allclose(np.exp(y["multioutput"][:, 1]), y["multioutput"][:, 0])


def test_a_pair_is_named_by_its_activation_and_loss():
    assert [problems.pair_of(task) for task in (BINARY, COUNTS, MULTILABEL)] == [
        "sigmoid + BCE", "exponential + Poisson loss", "k sigmoid + BCE",
    ]  # fmt: skip


def test_seeds_go_on_after_the_largest():
    assert sizes.QUICK.seeds_from(2**32 - 2) == [2**32 - 2, 2**32 - 1, 0, 1]
    assert sizes.FULL.seeds_from(5) == list(range(5, 25))


@pytest.mark.parametrize(("epochs", "kept"), [(30, [1, 3, 30]), (5, [1, 2, 5]), (1, [1])])
def test_weights_are_kept_at_three_epochs(epochs, kept):
    set_seed(0)
    model = compile_for_task(
        keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, "relu")]), REGRESSION
    )
    keep, found = stages.keep_weights(epochs)
    model.fit(X, PRICES, epochs=epochs, callbacks=[keep], verbose=0)
    assert list(found) == [f"epoch {epoch}" for epoch in kept]
    for last, now in zip(found[f"epoch {epochs}"], model.get_weights(), strict=True):
        np.testing.assert_array_equal(last, now)


def test_each_training_belongs_to_one_question(two_classes):
    runs = pitfalls.train_all(two_classes, [3], epochs=1)
    assert len(runs) == 4 * 2 + 4
    parts = pitfalls.by_question(runs)
    assert [len(part) for part in parts.values()] == [4, 4, 4]
    usual, sure, others = parts.values()
    assert set(usual["pairing"]) == set(sure["pairing"]) == {each.name for each in PAIRINGS[:4]}
    assert set(sure["bias"]) == {pitfalls.SURE}
    assert set(others["pairing"]) == {each.name for each in PAIRINGS[4:]}


def test_a_summary_is_shown_with_the_seeds_that_reached_the_level():
    runs = pd.DataFrame(
        {
            "pairing": ["one"] * 4 + ["other"] * 2,
            "seed": [0, 0, 1, 1, 0, 0],
            "epoch": [1, 2] * 3,
            "loss": 0.012345,
            "accuracy": [0.5, 0.98, 0.97, 0.9, 0.5, 0.6],
        }
    )
    table = pitfalls.summary_table(pitfalls.summary(runs, 0.97))
    assert table.to_numpy().tolist() == [
        ["one", "0.0123", "0.940", "0.900", "2 of 2", "1.5"],
        ["other", "0.0123", "0.600", "0.600", "0 of 1", "-"],
    ]


def test_least_squares_keeps_its_profile_and_a_network_does_not():
    least = landscape.least_squares(X, PRICES)
    random = np.random.default_rng(0)
    networks = {
        name: [random.normal(size=shape) for shape in ((3, 4), (4,), (4, 1), (1,))]
        for name in ("early", "late")
    }
    at_zero, fitted, learned = one_parameter.profiles(least, networks, 1, X, PRICES)
    assert fitted[40] == pytest.approx(landscape.mean_squared_error(least, X, PRICES))
    assert at_zero[40] == pytest.approx(np.mean((PRICES - least[1]) ** 2))
    plane = landscape.surfaces({"least squares": least}, X, PRICES)["least squares"]
    claims = one_parameter.bowl_claims(plane, at_zero, fitted, X[:, 1])
    assert [claim.holds for claim in claims] == [True] * 3
    curvatures = one_parameter.curvatures(at_zero, learned)
    assert list(curvatures) == ["least squares", "early", "late"]
    assert curvatures["least squares"] == pytest.approx(2 * np.mean(X[:, 1] ** 2))
    claims = one_parameter.bowl_claims(plane + plane**2, at_zero, fitted**2, X[:, 0])
    assert [claim.holds for claim in claims] == [False] * 3


def test_networks_are_compared_with_the_linear_regression():
    runs = pd.DataFrame({"mean_squared_error": [1.0, 3.0], "val_mean_squared_error": [4.0, 8.0]})
    table = depth.comparison(runs, {"train": 5.0, "test": 7.0})
    assert table.to_numpy().tolist() == [
        ["linear regression", 5.0, 7.0],
        ["network, mean of 2 seeds", 2.0, 6.0],
    ]


def test_the_loop_has_the_weights_of_fit():
    assert backpropagation.loop_claim(X, PRICES, seed=4).holds
