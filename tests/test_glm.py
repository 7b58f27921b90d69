"""GLM twins: a network without hidden layer has the coefficients of the GLM."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from nnloss import BINARY, MULTICLASS, REGRESSION, TASKS
from nnloss._keras import keras
from nnloss.table import separated
from nnloss.theory import glm
from nnloss.theory.precision import double_precision

RANDOM = np.random.default_rng(1)
X = RANDOM.normal(size=(200, 3))
NOISE = RANDOM.logistic(size=(200, 3))
ETA = np.column_stack([np.zeros(200), X @ [1.0, -0.5, 0.2], X @ [-0.3, 0.8, 0.1] + 0.4])
TARGETS = {
    "regression": X @ [2.0, -1.0, 0.5] + 3 + NOISE[:, 0],
    "binary": (ETA[:, 1] + NOISE[:, 0] > 0).astype(int),
    "multiclass": (ETA + NOISE).argmax(axis=1),
    "counts": RANDOM.poisson(np.exp(ETA[:, 1] / 2)),
    "multilabel": (ETA[:, 1:] + NOISE[:, :2] > 0).astype(int),
    "multioutput": ETA[:, 1:] + NOISE[:, :2],
}


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
@pytest.mark.parametrize("hidden", [None, 4])
def test_a_linear_network_is_the_glm(task, hidden):
    y = TARGETS[task.name]
    classical, network = task.fit_glm(X, y), glm.fit_network(task, X, y, hidden=hidden)
    assert network.coefficients.shape == classical.coefficients.shape
    np.testing.assert_allclose(network.coefficients, classical.coefficients, atol=1e-4)
    np.testing.assert_allclose(network.log_likelihood, classical.log_likelihood, rtol=1e-8)


def test_too_few_steps_are_seen():
    with pytest.raises(ValueError, match="must end where the gradient is zero; after 16 steps"):
        glm.fit_network(REGRESSION, X, TARGETS["regression"], steps=16)


def test_columns_that_are_nearly_the_same_are_seen():
    twice = np.column_stack([X, X[:, 0] + 1e-3 * NOISE[:, 2]])
    with pytest.raises(ValueError, match="look for columns that are nearly the same"):
        glm.fit_network(REGRESSION, twice, TARGETS["regression"])


def test_the_log_likelihood_is_that_of_scipy():
    predictor = ETA[:, 1:2]
    y = TARGETS["regression"]
    sigma = np.sqrt(np.mean((y - predictor[:, 0]) ** 2))
    expected = stats.norm(predictor[:, 0], sigma).logpdf(y).sum()
    np.testing.assert_allclose(REGRESSION.log_likelihood(y, predictor), expected)
    labels = TARGETS["binary"]
    expected = stats.bernoulli(1 / (1 + np.exp(-predictor[:, 0]))).logpmf(labels).sum()
    np.testing.assert_allclose(BINARY.log_likelihood(labels, predictor), expected)
    p = np.exp(ETA) / np.exp(ETA).sum(axis=1, keepdims=True)
    one_hot = np.eye(3)[TARGETS["multiclass"]]
    expected = sum(stats.multinomial(1, row).logpmf(y) for row, y in zip(p, one_hot, strict=True))
    np.testing.assert_allclose(MULTICLASS.log_likelihood(one_hot, ETA), expected)


QUASI = np.array([[-2.0], [-1.0], [0.0], [0.0], [1.0], [2.0]])


@pytest.mark.parametrize(
    ("x", "labels", "answer"),
    [
        (X, X[:, 0] > 0.3, True),
        (X * 1e-9, X[:, 0] > 0.3, True),
        (X, TARGETS["binary"], False),
        (X * 1e9, TARGETS["binary"], False),
        (QUASI, [0, 0, 0, 1, 1, 1], True),  # two rows on the plane, one of each class
        (QUASI, [0, 1, 0, 1, 0, 1], False),
    ],
    ids=["plane", "plane, small", "none", "none, large", "rows on the plane", "mixed"],
)
def test_a_separating_plane_is_found(x, labels, answer):
    assert separated(x, np.asarray(labels, dtype=int)) is answer


def test_without_a_maximum_there_is_no_estimate():
    labels = (X[:, 0] > 0.3).astype(int)
    with pytest.raises(ValueError, match="must have a maximum; the search for it did not converge"):
        BINARY.fit_glm(X, labels)


def test_double_precision_ends_with_an_error_too():
    def fail():
        with double_precision():
            assert keras.layers.Dense(1).dtype == "float64"
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert keras.config.floatx() == "float32"
    assert keras.layers.Dense(1).dtype == "float32"
    keras.config.set_dtype_policy("mixed_float16")
    try:
        with double_precision():
            pass
        assert keras.config.dtype_policy().name == "mixed_float16"
    finally:
        keras.config.set_dtype_policy("float32")
