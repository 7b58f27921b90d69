r"""The losses as the course writes them: float64 NumPy, with their formulas.

Each function takes targets and predictions of N rows and returns one number. A loss here is the
*mean* over rows unless its name says otherwise, so that it compares with what Keras prints.

The cross-entropies are exact at the edges. A term with weight zero is zero, because
:math:`t \log t \to 0`, and is computed so (``scipy.special.xlogy``); :math:`\log(1 - p)` is
computed as ``log1p(-p)``, which keeps its digits for small p. A prediction that excludes what
happened (p = 0 for a row of class 1) costs infinity, which is its true log-likelihood. Keras' loss
functions, given probabilities, clip them at 1e-7; ``epsilon=1e-7`` does the same here. (Keras'
models on TensorFlow go back to the logits before a sigmoid or softmax output, and do not clip.)
From logits nothing is clipped and nothing overflows: the largest logit is subtracted first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlog1py, xlogy

from nnloss.errors import TargetError
from nnloss.table import BCE, CCE, LOGIT, MAE, MSE, SOFTMAX

Array = NDArray[np.float64]

_ROW_SUM_TOLERANCE = 1e-5  # softmax in float32 over a thousand classes


def sum_of_squared_errors(y: ArrayLike, mu: ArrayLike) -> float:
    r"""Sum of squared errors, :math:`\sum_i (y_i - \mu_i)^2`.

    Parameters
    ----------
    y, mu : array_like, equal shapes
        Targets and predictions, in the unit of the target.

    Returns
    -------
    float
        In the unit squared. A sum: it grows with the number of rows.

    Raises
    ------
    TargetError
        If the shapes differ or there is no row.
    """
    return float(np.sum(MSE.terms(*_pair(y, mu))))


def mean_squared_error(y: ArrayLike, mu: ArrayLike) -> float:
    r"""Mean squared error, :math:`\frac{1}{N} \sum_i (y_i - \mu_i)^2`.

    Up to the factor :math:`N / 2\sigma^2` and a constant, it is the negative log-likelihood of
    :math:`y_i \sim \mathcal{N}(\mu_i, \sigma^2)`; its minimiser is the conditional mean
    (James et al., *An Introduction to Statistical Learning*, sections 2.2 and 3.1).

    Parameters
    ----------
    y, mu : array_like, equal shapes
        Targets and predictions, in the unit of the target.

    Returns
    -------
    float
        In the unit squared.

    Raises
    ------
    TargetError
        If the shapes differ or there is no row.
    """
    return _mean(MSE.terms(*_pair(y, mu)))


def half_mean_squared_error(y: ArrayLike, mu: ArrayLike) -> float:
    r"""Half of the mean squared error, :math:`\frac{1}{2N} \sum_i (y_i - \mu_i)^2`.

    The convention of many textbooks and of scikit-learn's ``HalfSquaredError``: its derivative
    with respect to :math:`\mu_i` is the bare residual, :math:`(\mu_i - y_i) / N`. The minimiser
    is that of `mean_squared_error`, the number is half of it.

    Parameters
    ----------
    y, mu : array_like, equal shapes
        Targets and predictions, in the unit of the target.

    Returns
    -------
    float
        In the unit squared.

    Raises
    ------
    TargetError
        If the shapes differ or there is no row.
    """
    return mean_squared_error(y, mu) / 2


def root_mean_squared_error(y: ArrayLike, mu: ArrayLike) -> float:
    r"""Root mean squared error, :math:`\sqrt{\frac{1}{N} \sum_i (y_i - \mu_i)^2}`.

    Parameters
    ----------
    y, mu : array_like, equal shapes
        Targets and predictions, in the unit of the target.

    Returns
    -------
    float
        In the unit of the target.

    Raises
    ------
    TargetError
        If the shapes differ or there is no row.
    """
    return float(np.sqrt(mean_squared_error(y, mu)))


def mean_absolute_error(y: ArrayLike, mu: ArrayLike) -> float:
    r"""Mean absolute error, :math:`\frac{1}{N} \sum_i |y_i - \mu_i|`.

    Up to scale and a constant, the negative log-likelihood of a Laplace distribution around
    :math:`\mu_i`; its minimiser is the conditional median (Koenker & Bassett 1978,
    *Econometrica* 46). The Laplace distribution is no exponential family in its location, so
    there is no GLM with this loss.

    Parameters
    ----------
    y, mu : array_like, equal shapes
        Targets and predictions, in the unit of the target.

    Returns
    -------
    float
        In the unit of the target.

    Raises
    ------
    TargetError
        If the shapes differ or there is no row.
    """
    return _mean(MAE.terms(*_pair(y, mu)))


def binary_cross_entropy(y: ArrayLike, p: ArrayLike, *, epsilon: float = 0.0) -> float:
    r"""Binary cross-entropy, :math:`-\frac{1}{N} \sum_i y_i \log p_i + (1 - y_i) \log(1 - p_i)`.

    The mean negative log-likelihood of :math:`y_i \sim \mathrm{Bernoulli}(p_i)` (McCullagh &
    Nelder, *Generalized Linear Models*, section 4.4).

    Parameters
    ----------
    y : array_like
        Targets in [0, 1]: labels, or the probability of label 1.
    p : array_like, shape of `y`
        Predicted probability of label 1.
    epsilon : float, default 0
        Clip `p` to [epsilon, 1 - epsilon] first, as Keras does with 1e-7.

    Returns
    -------
    float
        In nats, a mean over rows; infinite where a row of probability zero happened.

    Raises
    ------
    TargetError
        If the shapes differ, there is no row, or a value lies outside [0, 1].
    """
    y, p = _pair(y, p)
    _require_probabilities(y, "y")
    _require_probabilities(p, "p")
    p = _clipped(p, epsilon)
    return _mean(-xlogy(y, p) - xlog1py(1 - y, -p))


def binary_cross_entropy_from_logits(y: ArrayLike, z: ArrayLike) -> float:
    r"""Binary cross-entropy of logits, :math:`\frac{1}{N} \sum_i \log(1 + e^{z_i}) - y_i z_i`.

    The same number as `binary_cross_entropy` at :math:`p_i = 1 / (1 + e^{-z_i})`, for logits of
    any size. Its derivative with respect to :math:`z_i` is the residual :math:`(p_i - y_i) / N`.

    Parameters
    ----------
    y : array_like
        Targets in [0, 1].
    z : array_like, shape of `y`
        Logits: log-odds of label 1, any real number.

    Returns
    -------
    float
        In nats, a mean over rows.

    Raises
    ------
    TargetError
        If the shapes differ, there is no row, or `y` lies outside [0, 1].
    """
    y, z = _pair(y, z)
    _require_probabilities(y, "y")
    return _mean(BCE.terms(y, z))


def categorical_cross_entropy(y: ArrayLike, p: ArrayLike, *, epsilon: float = 0.0) -> float:
    r"""Categorical cross-entropy, :math:`-\frac{1}{N} \sum_i \sum_c y_{ic} \log p_{ic}`.

    The mean negative log-likelihood of one draw a row from a multinomial with probabilities
    :math:`p_i`. With :math:`y_i` a distribution, it is :math:`H(y_i, p_i) = H(y_i) +
    \mathrm{KL}(y_i \| p_i)` (Cover & Thomas, *Elements of Information Theory*, chapter 2).

    Parameters
    ----------
    y : array_like, shape (N, C)
        One-hot rows, or distributions.
    p : array_like, shape (N, C)
        Predicted probabilities, each row with sum 1.
    epsilon : float, default 0
        Clip `p` to [epsilon, 1 - epsilon] first, as Keras does with 1e-7.

    Returns
    -------
    float
        In nats, a mean over rows; infinite where a row of probability zero happened.

    Raises
    ------
    TargetError
        If the shapes differ, there is no row, or a row is not a distribution.
    """
    y, p = _pair(y, p)
    _require_distributions(y, "y")
    _require_distributions(p, "p")
    p = _clipped(p, epsilon)
    return _mean(np.sum(-xlogy(y, p), axis=-1))


def categorical_cross_entropy_from_logits(y: ArrayLike, z: ArrayLike) -> float:
    r"""Categorical cross-entropy of logits.

    :math:`\frac{1}{N} \sum_i \left( \log \sum_c e^{z_{ic}} - \sum_c y_{ic} z_{ic} \right)`, the
    same number as `categorical_cross_entropy` at the softmax of z, for logits of any size.
    Adding a constant to a row of logits changes nothing.

    Parameters
    ----------
    y : array_like, shape (N, C)
        One-hot rows, or distributions.
    z : array_like, shape (N, C)
        Logits, any real numbers.

    Returns
    -------
    float
        In nats, a mean over rows.

    Raises
    ------
    TargetError
        If the shapes differ, there is no row, or a row of `y` is not a distribution.
    """
    y, z = _pair(y, z)
    _require_distributions(y, "y")
    return _mean(np.sum(CCE.terms(y, z), axis=-1))


def entropy(p: ArrayLike) -> float:
    r"""Entropy, :math:`-\frac{1}{N} \sum_i \sum_c p_{ic} \log p_{ic}`.

    What cross-entropy is at best: a mean over rows of :math:`H(p_i)`. It is zero for one-hot
    rows, which is why cross-entropy and KL divergence agree on labels.

    Parameters
    ----------
    p : array_like, shape (C,) or (N, C)
        One distribution, or one a row.

    Returns
    -------
    float
        In nats, a mean over rows.

    Raises
    ------
    TargetError
        If there is no row, or a row is not a distribution.
    """
    p = _array(p)
    _require_distributions(p, "p")
    return _mean(np.sum(-xlogy(p, p), axis=-1))


def kl_divergence(p: ArrayLike, q: ArrayLike) -> float:
    r"""Kullback-Leibler divergence, :math:`\frac{1}{N} \sum_i \sum_c p_{ic} \log(p_{ic}/q_{ic})`.

    Parameters
    ----------
    p, q : array_like, shape (C,) or (N, C)
        Distributions: p the true one, q the model's.

    Returns
    -------
    float
        In nats, a mean over rows; infinite where q excludes what p allows, and not negative but
        for rounding.

    Raises
    ------
    TargetError
        If the shapes differ, there is no row, or a row is not a distribution.
    """
    p, q = _pair(p, q)
    _require_distributions(p, "p")
    _require_distributions(q, "q")
    return float(np.mean(np.sum(xlogy(p, p) - xlogy(p, q), axis=-1)))


def sigmoid(z: ArrayLike) -> Array:
    r"""Inverse of the logit link, :math:`1 / (1 + e^{-z})`.

    Parameters
    ----------
    z : array_like
        Logits.

    Returns
    -------
    ndarray of float64, shape of `z`
        Probabilities.
    """
    return LOGIT.inverse(_array(z))


def softmax(z: ArrayLike) -> Array:
    r"""Inverse of the softmax link, :math:`e^{z_c} / \sum_k e^{z_k}` over the last axis.

    Parameters
    ----------
    z : array_like, shape (..., C)
        Logits.

    Returns
    -------
    ndarray of float64, shape of `z`
        Probabilities; rows sum to 1.
    """
    return SOFTMAX.inverse(_array(z))


def _array(values: ArrayLike) -> Array:
    array = np.asarray(values, dtype=np.float64)
    if array.size == 0:
        raise TargetError(
            "A loss needs at least one row", f"found shape {array.shape}", "Give targets with rows"
        )
    return array


def _pair(first: ArrayLike, second: ArrayLike) -> tuple[Array, Array]:
    a, b = _array(first), _array(second)
    if a.shape != b.shape:
        # (N,) against (N, 1) would broadcast to N x N and give a number that means nothing.
        raise TargetError(
            "A loss needs targets and predictions of one shape",
            f"found {a.shape} and {b.shape}",
            "Bring both to one shape, for example with numpy.ravel",
        )
    return a, b


def _mean(terms: NDArray[np.floating[Any]]) -> float:
    return float(np.mean(terms)) + 0.0  # never -0.0


def _clipped(p: Array, epsilon: float) -> Array:
    if not 0 <= epsilon < 0.5:
        raise TargetError(
            "A cross-entropy needs epsilon in [0, 0.5)",
            f"found epsilon={epsilon:g}",
            "Use 0, or 1e-7 as Keras does",
        )
    return np.clip(p, epsilon, 1 - epsilon)


def _require_probabilities(p: Array, name: str) -> None:
    if not (p.min() >= 0 and p.max() <= 1):
        raise TargetError(
            f"A cross-entropy needs {name} in [0, 1]",
            f"found values from {p.min():g} to {p.max():g}",
            "Give probabilities, or use the function that ends in from_logits",
        )


def _require_distributions(p: Array, name: str) -> None:
    _require_probabilities(p, name)
    sums = p.sum(axis=-1)
    worst = float(np.max(np.abs(sums - 1)))
    if worst > _ROW_SUM_TOLERANCE:
        raise TargetError(
            f"A distribution needs rows of {name} with sum 1",
            f"found a row with sum {np.ravel(sums)[np.argmax(np.abs(sums - 1))]:g}",
            "Give one-hot rows or softmax probabilities",
        )
