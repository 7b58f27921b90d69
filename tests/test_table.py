"""The table computes: every loss against Keras, numeric derivatives, its link and its GLM."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from nnloss import TASKS, TargetError
from nnloss._tensorflow import keras
from nnloss.table import LOSSES, MSE, SPARSE_CCE, Domain

RANDOM = np.random.default_rng(3)
ETA = RANDOM.normal(size=(30, 4)) * 3
LABELS = RANDOM.integers(0, 4, 30)
TARGETS = {
    Domain.REAL: RANDOM.normal(size=(30, 4)),
    Domain.ZERO_ONE: RANDOM.integers(0, 2, (30, 4)),
    Domain.ONE_HOT: np.eye(4)[LABELS],
    Domain.INTEGER: LABELS,
}
every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)


@every_loss
def test_the_value_is_that_of_keras(loss):
    y = TARGETS[loss.domain]
    options = {} if loss.link.name == "identity" else {"from_logits": True}
    theirs = getattr(keras.losses, loss.keras_class)(reduction="none", dtype="float64", **options)
    np.testing.assert_allclose(loss.value(y, ETA), theirs(y, ETA), rtol=1e-12)


@every_loss
def test_the_value_at_the_mean_is_that_of_keras_on_probabilities(loss):
    y, mean = TARGETS[loss.domain], loss.link.inverse(ETA / 3)
    theirs = getattr(keras.losses, loss.keras_class)(reduction="none", dtype="float64")
    np.testing.assert_allclose(loss.value(y, ETA / 3), theirs(y, mean), rtol=1e-5)


@every_loss
def test_the_gradient_is_the_numeric_one(loss):
    y, step = TARGETS[loss.domain], 1e-6
    numeric = np.empty_like(ETA)
    for node, shift in enumerate(np.eye(4) * step):
        numeric[:, node] = (loss.value(y, ETA + shift) - loss.value(y, ETA - shift)) / (2 * step)
    np.testing.assert_allclose(loss.gradient(y, ETA), numeric, atol=1e-7)


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
    [loss for loss in LOSSES.values() if loss.link.name != "identity"],
    ids=lambda loss: loss.name,
)
@pytest.mark.parametrize("size", [1e3, 1e300])
def test_nothing_overflows_where_the_answer_is_right(loss, size):
    y = TARGETS[loss.domain]
    certain = {
        Domain.ZERO_ONE: lambda: (2 * y - 1) * size,
        Domain.ONE_HOT: lambda: y * size,
        Domain.INTEGER: lambda: np.eye(4)[y] * size,
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
    y, eta = TARGETS[Domain.REAL][:, 0], ETA[:, 0]
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
