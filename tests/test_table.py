"""The table computes: every loss against Keras, numeric derivatives, its link and its GLM."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from nnloss import TASKS, TargetError
from nnloss._tensorflow import keras
from nnloss.table import COUNT, INTEGER, LOSSES, MSE, ONE_HOT, REAL, SPARSE_CCE, ZERO_ONE
from nnloss.table.activations import activation

RANDOM = np.random.default_rng(3)
ETA = RANDOM.normal(size=(30, 4)) * 3
LABELS = RANDOM.integers(0, 4, 30)
TARGETS = {
    REAL: RANDOM.normal(size=(30, 4)),
    ZERO_ONE: RANDOM.integers(0, 2, (30, 4)),
    ONE_HOT: np.eye(4)[LABELS],
    INTEGER: LABELS,
    COUNT: RANDOM.poisson(2, (30, 4)),
}
every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)


@every_loss
def test_the_value_is_that_of_keras(loss):
    y = TARGETS[loss.domain]
    options = {"from_logits": True} if loss.takes_logits else {}
    theirs = getattr(keras.losses, loss.keras_class)(reduction="none", dtype="float64", **options)
    given = ETA if loss.takes_logits else loss.link.inverse(ETA / 3)
    # Keras clips probabilities at 1e-7, and adds as much to the mean of counts.
    tolerance = 1e-7 if loss.takes_logits or loss.domain is REAL else 2e-5
    ours = loss.value(y, ETA if loss.takes_logits else ETA / 3)
    np.testing.assert_allclose(ours, theirs(y, given), rtol=tolerance)


@every_loss
def test_the_value_at_the_mean_is_that_of_keras_on_probabilities(loss):
    y, mean = TARGETS[loss.domain], loss.link.inverse(ETA / 3)
    theirs = getattr(keras.losses, loss.keras_class)(reduction="none", dtype="float64")
    np.testing.assert_allclose(loss.value(y, ETA / 3), theirs(y, mean), rtol=1e-5, atol=1e-5)


@every_loss
def test_the_gradient_is_the_numeric_one(loss):
    y, step = TARGETS[loss.domain], 1e-6
    numeric = np.empty_like(ETA)
    for node, shift in enumerate(np.eye(4) * step):
        numeric[:, node] = (loss.value(y, ETA + shift) - loss.value(y, ETA - shift)) / (2 * step)
    np.testing.assert_allclose(loss.gradient(y, ETA), numeric, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "loss", [loss for loss in LOSSES.values() if loss.curvature], ids=lambda loss: loss.name
)
def test_no_second_derivative_exceeds_the_curvature(loss):
    # At 0 a bound that is reached is reached; elsewhere it holds.
    y, step = TARGETS[loss.domain], 1e-4
    for eta in (ETA, np.zeros_like(ETA)):
        slopes = [loss.gradient(y, eta + sign * step * np.eye(4)[0])[:, 0] for sign in (1, -1)]
        scale = 4 if loss.domain.by_node else 1
        second = (slopes[0] - slopes[1]) / (2 * step) * scale
        assert second.max() <= loss.curvature * (1 + 1e-6)


@pytest.mark.parametrize(
    "loss",
    [loss for loss in LOSSES.values() if loss.link.name in ("logit", "softmax")],
    ids=lambda loss: loss.name,
)
@pytest.mark.parametrize("size", [1e3, 1e300])
def test_nothing_overflows_where_the_answer_is_right(loss, size):
    y = TARGETS[loss.domain]
    certain = {
        ZERO_ONE: lambda: (2 * y - 1) * size,
        ONE_HOT: lambda: y * size,
        INTEGER: lambda: np.eye(4)[y] * size,
    }[loss.domain]()
    assert np.abs(loss.value(y, certain)).max() == 0
    assert np.abs(loss.gradient(y, certain)).max() == 0


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_the_link_is_the_inverse_of_the_activation(task):
    theirs = getattr(keras.activations, task.activation)(np.asarray(ETA))
    np.testing.assert_allclose(task.link.inverse(ETA), theirs, rtol=1e-12)


def test_the_inverse_of_the_logit_is_scipys():
    np.testing.assert_allclose(special.logit(TASKS["binary"].link.inverse(ETA)), ETA, rtol=1e-10)


def test_one_column_may_be_a_vector():
    y, eta = TARGETS[REAL][:, 0], ETA[:, 0]
    np.testing.assert_array_equal(MSE.value(y, eta), MSE.value(y[:, None], eta[:, None]))
    assert MSE.gradient(y, eta).shape == eta.shape
    column = LABELS[:, None]
    np.testing.assert_array_equal(SPARSE_CCE.value(column, ETA), SPARSE_CCE.value(LABELS, ETA))


@pytest.mark.parametrize(
    ("y", "eta"), [(np.zeros(3), np.zeros((3, 2))), (np.zeros((0, 1)), np.zeros((0, 1)))]
)
def test_shapes_that_would_broadcast_are_refused(y, eta):
    with pytest.raises(TargetError) as caught:
        MSE.value(y, eta)
    assert caught.value.rule == (
        "A loss needs targets and predictions of one shape, with at least one row"
    )
    assert caught.value.found == f"found {y.shape} and {eta.shape}"
    assert caught.value.remedy == "Bring both to one shape, for example with numpy.ravel"


REALS = np.concatenate([np.linspace(-20, 20, 20_001), [-1e4, 1e4]])
SCALAR = [
    name
    for name in dir(keras.activations)
    if not name.startswith("_")
    and name
    not in {"get", "serialize", "deserialize", "softmax", "log_softmax", "sparsemax", "glu"}
]


@pytest.mark.parametrize("name", SCALAR)
def test_the_bounds_of_an_activation_are_its_range(name):
    known, function = activation(name), getattr(keras.activations, name)
    assert known is not None
    options = {"threshold": 1.0, "default_value": 0.0} if name == "threshold" else {}
    values = np.asarray(function(REALS, **options))
    for bound, reached in ((known.lower, values.min()), (known.upper, values.max())):
        if np.isfinite(bound):
            np.testing.assert_allclose(reached, bound, atol=1e-4)
        elif name not in ("threshold", "log_sigmoid"):
            assert abs(reached) > 19


@pytest.mark.parametrize("loss", [REAL, ZERO_ONE, COUNT], ids=["real", "bits", "counts"])
def test_a_domain_accepts_its_own_targets(loss):
    assert loss.misfit(TARGETS[loss], (None, 4)) is None
