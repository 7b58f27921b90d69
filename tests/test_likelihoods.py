"""The losses against known values, against each other, Keras and scikit-learn, and at the edges."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from nnloss import TargetError
from nnloss import likelihoods as lk
from nnloss._tensorflow import keras

settings.register_profile("tests", deadline=None, max_examples=60, derandomize=True)
settings.load_profile("tests")

ROWS = st.integers(1, 40)
numbers = st.floats(-1e3, 1e3, width=32)
logits = st.floats(-30, 30, width=32)


@st.composite
def pairs(draw, elements=numbers):
    n = draw(ROWS)
    return draw(npst.arrays(np.float64, n, elements=elements)), draw(
        npst.arrays(np.float64, n, elements=elements)
    )


@st.composite
def labelled(draw, classes=None):
    """One-hot rows and logits, (N, C)."""
    n, c = draw(ROWS), classes or draw(st.integers(2, 6))
    labels = draw(npst.arrays(np.int64, n, elements=st.integers(0, c - 1)))
    return np.eye(c)[labels], draw(npst.arrays(np.float64, (n, c), elements=logits))


@st.composite
def distributions(draw):
    """Two sets of distributions, (N, C)."""
    _, z = draw(labelled())
    other = draw(npst.arrays(np.float64, z.shape, elements=logits))
    return lk.softmax(z), lk.softmax(other)


@pytest.mark.parametrize(
    ("measure", "value"),
    [
        (lk.sum_of_squared_errors, 1 + 4 + 0 + 9),
        (lk.mean_squared_error, 14 / 4),
        (lk.half_mean_squared_error, 14 / 8),
        (lk.root_mean_squared_error, np.sqrt(14 / 4)),
        (lk.mean_absolute_error, 6 / 4),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_errors_by_hand(measure, value):
    assert measure([1, 2, 3, 4], [2, 0, 3, 1]) == pytest.approx(value, abs=1e-15)


def test_cross_entropies_by_hand():
    y, p = [1, 0, 1], [0.5, 0.25, 0.8]
    by_hand = -(np.log(0.5) + np.log(0.75) + np.log(0.8)) / 3
    assert lk.binary_cross_entropy(y, p) == pytest.approx(by_hand, abs=1e-15)
    rows = [[0.2, 0.3, 0.5], [0.1, 0.7, 0.2]]
    by_hand = -(np.log(0.5) + np.log(0.1)) / 2
    assert lk.categorical_cross_entropy([[0, 0, 1], [1, 0, 0]], rows) == pytest.approx(by_hand)
    assert lk.entropy([0.5, 0.25, 0.25]) == pytest.approx(1.5 * np.log(2))
    assert lk.kl_divergence([0.5, 0.5], [0.25, 0.75]) == pytest.approx(
        0.5 * np.log(2) + 0.5 * np.log(2 / 3)
    )


@given(pairs())
def test_errors_agree_with_scikit_learn(data):
    y, mu = data
    assert lk.mean_squared_error(y, mu) == pytest.approx(
        sklearn.metrics.mean_squared_error(y, mu), rel=1e-12
    )
    assert lk.mean_absolute_error(y, mu) == pytest.approx(
        sklearn.metrics.mean_absolute_error(y, mu), rel=1e-12
    )
    assert lk.root_mean_squared_error(y, mu) == pytest.approx(
        sklearn.metrics.root_mean_squared_error(y, mu), rel=1e-12
    )


@given(pairs())
def test_errors_agree_with_keras(data):
    y, mu = (part[:, None].astype("float32") for part in data)
    scale = 1e-5 * max(1.0, float(np.max(np.abs(y - mu))) ** 2)
    assert lk.mean_squared_error(y, mu) == pytest.approx(
        float(keras.losses.MeanSquaredError()(y, mu)), rel=1e-5, abs=scale
    )
    assert lk.mean_absolute_error(y, mu) == pytest.approx(
        float(keras.losses.MeanAbsoluteError()(y, mu)), rel=1e-5, abs=scale
    )


@given(labelled(classes=2))
def test_binary_cross_entropy_agrees_with_keras_and_scikit_learn(data):
    y, z = data[0][:, 1], data[1][:, 0]
    from_logits = lk.binary_cross_entropy_from_logits(y, z)
    keras_loss = keras.losses.BinaryCrossentropy(from_logits=True)(
        y[:, None].astype("float32"), z[:, None].astype("float32")
    )
    assert from_logits == pytest.approx(float(keras_loss), rel=1e-4, abs=1e-6)
    p = lk.sigmoid(z)
    assert lk.binary_cross_entropy(y, p) == pytest.approx(from_logits, rel=1e-3, abs=1e-9)
    assert lk.binary_cross_entropy(y, p) == pytest.approx(
        sklearn.metrics.log_loss(y, p, labels=[0, 1]), rel=1e-3, abs=1e-9
    )


@given(labelled())
def test_categorical_cross_entropy_agrees_with_keras_and_scikit_learn(data):
    y, z = data
    from_logits = lk.categorical_cross_entropy_from_logits(y, z)
    keras_loss = keras.losses.CategoricalCrossentropy(from_logits=True)(
        y.astype("float32"), z.astype("float32")
    )
    assert from_logits == pytest.approx(float(keras_loss), rel=1e-4, abs=1e-5)
    p = lk.softmax(z)
    assert lk.categorical_cross_entropy(y, p) == pytest.approx(from_logits, rel=1e-9, abs=1e-9)
    labels = list(range(y.shape[1]))
    log_loss = sklearn.metrics.log_loss(y.argmax(axis=1), p, labels=labels)
    clipped = lk.categorical_cross_entropy(y, p, epsilon=float(np.finfo(float).eps))
    assert clipped == pytest.approx(log_loss, rel=1e-9, abs=1e-9)


@given(labelled(), st.floats(-1e3, 1e3))
def test_a_constant_added_to_all_logits_changes_nothing(data, constant):
    y, z = data
    assert lk.categorical_cross_entropy_from_logits(y, z + constant) == pytest.approx(
        lk.categorical_cross_entropy_from_logits(y, z), rel=1e-9, abs=1e-9
    )


@given(labelled(classes=2))
def test_two_class_softmax_is_the_sigmoid_of_the_difference(data):
    y, z = data
    assert lk.categorical_cross_entropy_from_logits(y, z) == pytest.approx(
        lk.binary_cross_entropy_from_logits(y[:, 1], z[:, 1] - z[:, 0]), rel=1e-9, abs=1e-9
    )


@given(distributions())
def test_cross_entropy_is_entropy_plus_divergence(data):
    p, q = data
    divergence = lk.kl_divergence(p, q)
    assert divergence >= -1e-12
    assert lk.categorical_cross_entropy(p, q) == pytest.approx(
        lk.entropy(p) + divergence, rel=1e-9, abs=1e-9
    )


@given(pairs())
def test_the_conventions_of_squared_error_are_one_number(data):
    y, mu = data
    mse = lk.mean_squared_error(y, mu)
    assert lk.half_mean_squared_error(y, mu) == mse / 2
    assert lk.root_mean_squared_error(y, mu) == pytest.approx(np.sqrt(mse))
    assert lk.sum_of_squared_errors(y, mu) == pytest.approx(len(y) * mse)


@pytest.mark.filterwarnings("error")
def test_certainty_is_free_where_it_is_right():
    assert lk.binary_cross_entropy([0, 1], [0, 1]) == 0
    assert lk.categorical_cross_entropy([[0, 1], [1, 0]], [[0, 1], [1, 0]]) == 0
    assert lk.entropy([[0, 1, 0]]) == 0
    assert lk.kl_divergence([[0, 1]], [[0, 1]]) == 0


@pytest.mark.filterwarnings("error")
def test_certainty_costs_infinity_where_it_is_wrong():
    assert lk.binary_cross_entropy([1, 0], [0, 0]) == np.inf
    assert lk.binary_cross_entropy([0], [1]) == np.inf
    assert lk.categorical_cross_entropy([[1, 0]], [[0, 1]]) == np.inf
    assert lk.kl_divergence([[0.5, 0.5]], [[0, 1]]) == np.inf


def test_epsilon_clips_as_keras_does():
    y, p = np.array([1.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.3])
    expected = float(keras.losses.BinaryCrossentropy()(y[:, None], p[:, None]))
    assert lk.binary_cross_entropy(y, p, epsilon=1e-7) == pytest.approx(expected, rel=1e-2)
    rows = np.array([[0.0, 1.0]])
    expected = float(keras.losses.CategoricalCrossentropy()(np.array([[1.0, 0.0]]), rows))
    assert lk.categorical_cross_entropy([[1, 0]], rows, epsilon=1e-7) == pytest.approx(
        expected, rel=1e-2
    )


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [1e2, 1e4, 1e300])
def test_logits_of_any_size_do_not_overflow(size):
    assert lk.binary_cross_entropy_from_logits([1, 0], [-size, size]) == pytest.approx(size)
    assert lk.binary_cross_entropy_from_logits([1, 0], [size, -size]) == pytest.approx(0)
    assert lk.categorical_cross_entropy_from_logits([[1, 0]], [[0, size]]) == pytest.approx(size)
    assert lk.softmax([0, size]) == pytest.approx([0, 1], abs=1e-40)
    assert lk.sigmoid([-1e300, 1e300]).tolist() == [0, 1]


@pytest.mark.filterwarnings("error")
def test_equal_logits_are_equal_probabilities_however_large():
    assert lk.softmax([1e16, 1e16]).tolist() == [0.5, 0.5]
    assert lk.categorical_cross_entropy_from_logits([[1, 0]], [[1e16, 1e16]]) == np.log(2)
    assert lk.categorical_cross_entropy_from_logits([[1, 0]], [[1e308, -1e308]]) == 0
    assert lk.categorical_cross_entropy_from_logits([[1, 0]], [[5, -np.inf]]) == 0
    assert lk.binary_cross_entropy_from_logits([1], [np.inf]) == 0
    assert lk.binary_cross_entropy_from_logits([0], [np.inf]) == np.inf


def test_no_loss_is_zero_and_not_minus_zero():
    assert str(lk.binary_cross_entropy([1, 0], [1, 0])) == "0.0"
    assert str(lk.categorical_cross_entropy([[1, 0]], [[1, 0]])) == "0.0"


def test_small_probabilities_keep_their_digits():
    p = 1e-18  # 1 - p is 1 in float64, its logarithm is not 0
    assert lk.binary_cross_entropy([0], [p]) == pytest.approx(1e-18, rel=1e-12)


@pytest.mark.parametrize(
    ("call", "rule", "found"),
    [
        (
            lambda: lk.mean_squared_error([1, 2], [[1], [2]]),
            "A loss needs targets and predictions of one shape",
            "found (2,) and (2, 1)",
        ),
        (
            lambda: lk.mean_absolute_error([], []),
            "A loss needs at least one row",
            "found shape (0,)",
        ),
        (
            lambda: lk.binary_cross_entropy([0, 1], [0.5, 1.5]),
            "A cross-entropy needs p in [0, 1]",
            "found values from 0.5 to 1.5",
        ),
        (
            lambda: lk.binary_cross_entropy([-1, 1], [0.5, 0.5]),
            "A cross-entropy needs y in [0, 1]",
            "found values from -1 to 1",
        ),
        (
            lambda: lk.categorical_cross_entropy([[1, 0]], [[0.5, 0.6]]),
            "A distribution needs rows of p with sum 1",
            "found a row with sum 1.1",
        ),
        (
            lambda: lk.binary_cross_entropy([0], [0.5], epsilon=0.7),
            "A cross-entropy needs epsilon in [0, 0.5)",
            "found epsilon=0.7",
        ),
        (
            lambda: lk.entropy([np.nan, 1]),
            "A cross-entropy needs p in [0, 1]",
            "found values from nan to nan",
        ),
    ],
    ids=["shapes", "empty", "p above 1", "labels -1/1", "row sum", "epsilon", "nan"],
)
def test_wrong_input_is_refused(call, rule, found):
    with pytest.raises(TargetError) as caught:
        call()
    assert (caught.value.rule, caught.value.found) == (rule, found)
    assert caught.value.remedy
