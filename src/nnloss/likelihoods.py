r"""Losses of the course in float64 NumPy, with their formulas.

Each loss returns one number for targets and predictions of N rows: the *mean* over rows, as in
Keras, unless its name says otherwise.

The cross-entropies are exact at the boundaries. A term with weight zero is zero, because
:math:`t \log t \to 0` (``scipy.special.xlogy``); :math:`\log(1 - p)` is computed as ``log1p(-p)``,
which is accurate for small p. A row whose observed class has probability 0 has infinite loss, its
true negative log-likelihood. Keras' loss functions clip probabilities at 1e-7; ``epsilon=1e-7``
does the same here. (On TensorFlow, Keras models compute from the logits before a sigmoid or softmax
output, and do not clip.) Functions of logits neither clip nor overflow.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlog1py, xlogy

from nnloss.errors import TargetError
from nnloss.table import BCE, CCE, LOGIT, MAE, MSE, SOFTMAX

Array = NDArray[np.float64]

_ROW_SUM_TOLERANCE = 1e-5  # allows for float32 softmax over a thousand classes


def sum_of_squared_errors(y: ArrayLike, mu: ArrayLike) -> float:
    r"""Compute the sum of squared errors, :math:`\sum_i (y_i - \mu_i)^2`.

    Parameters
    ----------
    y, mu : array_like of equal shapes
        Targets and predictions, in the unit of the target.

    Returns
    -------
    float
        Sum over rows, in the unit squared.

    Raises
    ------
    TargetError
        If the shapes differ or there are no rows.

    Examples
    --------
    >>> from nnloss import likelihoods
    >>> likelihoods.sum_of_squared_errors([20.0, 30.0], [21.0, 28.0])
    5.0
    """
    return float(np.sum(MSE.terms(*_pair(y, mu))))


def mean_squared_error(y: ArrayLike, mu: ArrayLike) -> float:
    r"""Compute the mean squared error, :math:`\frac{1}{N} \sum_i (y_i - \mu_i)^2`.

    Up to the factor :math:`N / 2\sigma^2` and a constant, it is the negative log-likelihood of
    :math:`y_i \sim \mathcal{N}(\mu_i, \sigma^2)`. Its minimiser is the conditional mean (James et
    al., *An Introduction to Statistical Learning*, sections 2.2 and 3.1).

    Parameters
    ----------
    y, mu : array_like of equal shapes
        Targets and predictions, in the unit of the target.

    Returns
    -------
    float
        In the unit squared.

    Raises
    ------
    TargetError
        If the shapes differ or there are no rows.

    See Also
    --------
    sklearn.metrics.mean_squared_error : The same in scikit-learn.

    Examples
    --------
    >>> from nnloss import likelihoods
    >>> likelihoods.mean_squared_error([20.0, 30.0], [21.0, 28.0])
    2.5

    The mean is the best constant:

    >>> [likelihoods.mean_squared_error([1, 2, 9], [c] * 3) for c in (2, 4, 5)]
    [16.67, 12.67, 13.67]
    """
    return _mean(MSE.terms(*_pair(y, mu)))


def half_mean_squared_error(y: ArrayLike, mu: ArrayLike) -> float:
    r"""Compute half the mean squared error, :math:`\frac{1}{2N} \sum_i (y_i - \mu_i)^2`.

    Many textbooks and scikit-learn's ``HalfSquaredError`` use it: its derivative with respect to
    :math:`\mu_i` is the residual :math:`(\mu_i - y_i) / N`. It has the same minimiser as
    `mean_squared_error`.

    Parameters
    ----------
    y, mu : array_like of equal shapes
        Targets and predictions, in the unit of the target.

    Returns
    -------
    float
        In the unit squared.

    Raises
    ------
    TargetError
        If the shapes differ or there are no rows.

    Examples
    --------
    >>> from nnloss import likelihoods
    >>> likelihoods.half_mean_squared_error([20.0, 30.0], [21.0, 28.0])
    1.25
    """
    return mean_squared_error(y, mu) / 2


def root_mean_squared_error(y: ArrayLike, mu: ArrayLike) -> float:
    r"""Compute the root mean squared error, :math:`\sqrt{\frac{1}{N} \sum_i (y_i - \mu_i)^2}`.

    Parameters
    ----------
    y, mu : array_like of equal shapes
        Targets and predictions, in the unit of the target.

    Returns
    -------
    float
        In the unit of the target.

    Raises
    ------
    TargetError
        If the shapes differ or there are no rows.

    See Also
    --------
    sklearn.metrics.root_mean_squared_error : The same in scikit-learn.

    Examples
    --------
    >>> from nnloss import likelihoods
    >>> likelihoods.root_mean_squared_error([20.0, 30.0], [21.0, 28.0])
    1.58
    """
    return float(np.sqrt(mean_squared_error(y, mu)))


def mean_absolute_error(y: ArrayLike, mu: ArrayLike) -> float:
    r"""Compute the mean absolute error, :math:`\frac{1}{N} \sum_i |y_i - \mu_i|`.

    Up to scale and a constant, it is the negative log-likelihood of a Laplace distribution around
    :math:`\mu_i`. Its minimiser is the conditional median (Koenker & Bassett 1978, *Econometrica*
    46). No GLM has this loss, because the Laplace distribution is not an exponential family in its
    location.

    Parameters
    ----------
    y, mu : array_like of equal shapes
        Targets and predictions, in the unit of the target.

    Returns
    -------
    float
        In the unit of the target.

    Raises
    ------
    TargetError
        If the shapes differ or there are no rows.

    See Also
    --------
    sklearn.metrics.mean_absolute_error : The same in scikit-learn.

    Examples
    --------
    >>> from nnloss import likelihoods
    >>> likelihoods.mean_absolute_error([20.0, 30.0], [21.0, 28.0])
    1.5

    The median is the best constant:

    >>> [likelihoods.mean_absolute_error([1, 2, 9], [c] * 3) for c in (2, 4, 5)]
    [2.67, 3.33, 3.67]
    """
    return _mean(MAE.terms(*_pair(y, mu)))


def binary_cross_entropy(y: ArrayLike, p: ArrayLike, *, epsilon: float = 0.0) -> float:
    r"""Compute the binary cross-entropy of probabilities.

    :math:`-\frac{1}{N} \sum_i y_i \log p_i + (1 - y_i) \log(1 - p_i)` is the mean negative
    log-likelihood of :math:`y_i \sim \mathrm{Bernoulli}(p_i)` (McCullagh & Nelder, *Generalized
    Linear Models*, section 4.4).

    Parameters
    ----------
    y : array_like
        Targets in [0, 1]: labels, or the probability of label 1.
    p : array_like with the shape of `y`
        Predicted probability of label 1.
    epsilon : float, default 0
        Clip `p` to [epsilon, 1 - epsilon] first, as Keras does with 1e-7. Less than 0.5.

    Returns
    -------
    float
        Mean over rows, in nats; infinite if an observed label has probability 0.

    Raises
    ------
    TargetError
        If the shapes differ, there are no rows, a value lies outside [0, 1], or `epsilon` is not in
        [0, 0.5).

    See Also
    --------
    binary_cross_entropy_from_logits : The same from logits, which neither clips nor overflows.
    categorical_cross_entropy : For more than two classes.

    Examples
    --------
    >>> from nnloss import likelihoods
    >>> likelihoods.binary_cross_entropy([1, 0], [0.9, 0.2])
    0.1643

    A label that was held to be impossible has infinite loss; Keras clips the probability:

    >>> likelihoods.binary_cross_entropy([1], [0.0])
    inf
    >>> likelihoods.binary_cross_entropy([1], [0.0], epsilon=1e-7)
    16.118
    """
    y, p = _pair(y, p)
    _require_probabilities(y, "y")
    _require_probabilities(p, "p")
    p = _clipped(p, epsilon)
    return _mean(-xlogy(y, p) - xlog1py(1 - y, -p))


def binary_cross_entropy_from_logits(y: ArrayLike, z: ArrayLike) -> float:
    r"""Compute the binary cross-entropy of logits.

    :math:`\frac{1}{N} \sum_i \log(1 + e^{z_i}) - y_i z_i` equals `binary_cross_entropy` at
    :math:`p_i = 1 / (1 + e^{-z_i})`, for logits of any size. Its derivative with respect to
    :math:`z_i` is the residual :math:`(p_i - y_i) / N`.

    Parameters
    ----------
    y : array_like
        Targets in [0, 1].
    z : array_like with the shape of `y`
        Logits: log-odds of label 1, any real number.

    Returns
    -------
    float
        Mean over rows, in nats.

    Raises
    ------
    TargetError
        If the shapes differ, there are no rows, or `y` lies outside [0, 1].

    See Also
    --------
    binary_cross_entropy : The same from probabilities.

    Examples
    --------
    >>> from nnloss import likelihoods
    >>> likelihoods.binary_cross_entropy_from_logits([1, 0], [2.0, -1.5])
    0.1641

    A logit of -1000 for a row of class 1 costs 1000 nats:

    >>> likelihoods.binary_cross_entropy_from_logits([1], [-1000.0])
    1000.0
    """
    y, z = _pair(y, z)
    _require_probabilities(y, "y")
    return _mean(BCE.terms(y, z))


def categorical_cross_entropy(y: ArrayLike, p: ArrayLike, *, epsilon: float = 0.0) -> float:
    r"""Compute the categorical cross-entropy of probabilities.

    :math:`-\frac{1}{N} \sum_i \sum_c y_{ic} \log p_{ic}` is the mean negative log-likelihood of one
    multinomial draw per row with probabilities :math:`p_i`. For a distribution :math:`y_i`, it is
    :math:`H(y_i, p_i) = H(y_i) + \mathrm{KL}(y_i \| p_i)` (Cover & Thomas, *Elements of Information
    Theory*, chapter 2).

    Parameters
    ----------
    y : array_like of shape (N, C)
        One-hot rows, or distributions.
    p : array_like of shape (N, C)
        Predicted probabilities; each row sums to 1.
    epsilon : float, default 0
        Clip `p` to [epsilon, 1 - epsilon] first, as Keras does with 1e-7. Less than 0.5.

    Returns
    -------
    float
        Mean over rows, in nats; infinite if an observed class has probability 0.

    Raises
    ------
    TargetError
        If the shapes differ, there are no rows, a row is not a distribution, or `epsilon` is not in
        [0, 0.5).

    See Also
    --------
    categorical_cross_entropy_from_logits : The same from logits, which neither clips nor overflows.
    entropy : Its minimum, for targets that are distributions.
    sklearn.metrics.log_loss : The same of labels in scikit-learn, which clips probabilities.

    Examples
    --------
    >>> from nnloss import likelihoods
    >>> likelihoods.categorical_cross_entropy([[0, 1, 0]], [[0.2, 0.7, 0.1]])
    0.3567
    """
    y, p = _pair(y, p)
    _require_distributions(y, "y")
    _require_distributions(p, "p")
    p = _clipped(p, epsilon)
    return _mean(np.sum(-xlogy(y, p), axis=-1))


def categorical_cross_entropy_from_logits(y: ArrayLike, z: ArrayLike) -> float:
    r"""Compute the categorical cross-entropy of logits.

    :math:`\frac{1}{N} \sum_i \left( \log \sum_c e^{z_{ic}} - \sum_c y_{ic} z_{ic} \right)` equals
    `categorical_cross_entropy` at the softmax of z, for logits of any size. Adding a constant to a
    row of logits does not change it.

    Parameters
    ----------
    y : array_like of shape (N, C)
        One-hot rows, or distributions.
    z : array_like of shape (N, C)
        Logits, any real numbers.

    Returns
    -------
    float
        Mean over rows, in nats.

    Raises
    ------
    TargetError
        If the shapes differ, there are no rows, or a row of `y` is not a distribution.

    See Also
    --------
    categorical_cross_entropy : The same from probabilities.

    Examples
    --------
    >>> from nnloss import likelihoods
    >>> likelihoods.categorical_cross_entropy_from_logits([[0, 1, 0]], [[1, 2, 0]])
    0.4076
    >>> likelihoods.categorical_cross_entropy_from_logits([[0, 1, 0]], [[101, 102, 100]])
    0.4076
    """
    y, z = _pair(y, z)
    _require_distributions(y, "y")
    return _mean(np.sum(CCE.terms(y, z), axis=-1))


def entropy(p: ArrayLike) -> float:
    r"""Compute the entropy, :math:`-\frac{1}{N} \sum_i \sum_c p_{ic} \log p_{ic}`.

    The mean over rows of :math:`H(p_i)` is the minimum of the cross-entropy. For one-hot rows it is
    zero, so cross-entropy and KL divergence agree on labels.

    Parameters
    ----------
    p : array_like of shape (C,) or (N, C)
        Distributions.

    Returns
    -------
    float
        Mean over rows, in nats.

    Raises
    ------
    TargetError
        If there are no rows, or a row is not a distribution.

    Examples
    --------
    Of a fair coin, in nats:

    >>> from nnloss import likelihoods
    >>> likelihoods.entropy([0.5, 0.5])
    0.6931
    """
    p = _array(p)
    _require_distributions(p, "p")
    return _mean(np.sum(-xlogy(p, p), axis=-1))


def kl_divergence(p: ArrayLike, q: ArrayLike) -> float:
    r"""Compute the KL divergence, :math:`\frac{1}{N} \sum_i \sum_c p_{ic} \log(p_{ic}/q_{ic})`.

    Parameters
    ----------
    p, q : array_like of shape (C,) or (N, C)
        True distribution p and the model's distribution q.

    Returns
    -------
    float
        Mean over rows, in nats, at least 0 up to rounding; infinite if q is 0 where p is not.

    Raises
    ------
    TargetError
        If the shapes differ, there are no rows, or a row is not a distribution.

    Notes
    -----
    It is the cross-entropy minus the entropy: :math:`\mathrm{KL}(p \| q) = H(p, q) - H(p)` (Cover &
    Thomas, *Elements of Information Theory*, chapter 2).

    Examples
    --------
    >>> from nnloss import likelihoods
    >>> p, q = [[0.5, 0.5]], [[0.9, 0.1]]
    >>> likelihoods.kl_divergence(p, q)
    0.5108
    >>> likelihoods.categorical_cross_entropy(p, q) - likelihoods.entropy(p)
    0.5108
    """
    p, q = _pair(p, q)
    _require_distributions(p, "p")
    _require_distributions(q, "q")
    return float(np.mean(np.sum(xlogy(p, p) - xlogy(p, q), axis=-1)))


def sigmoid(z: ArrayLike) -> Array:
    """Compute the sigmoid, the inverse of the logit link, :math:`1 / (1 + e^{-z})`.

    Parameters
    ----------
    z : array_like
        Logits.

    Returns
    -------
    ndarray of float64 with the shape of `z`
        Probabilities.

    Raises
    ------
    TargetError
        If there are no rows.

    Examples
    --------
    >>> from nnloss import likelihoods
    >>> likelihoods.sigmoid([-2.0, 0.0, 2.0])
    array([0.11920292, 0.5       , 0.88079708])
    """
    return LOGIT.inverse(_array(z))


def softmax(z: ArrayLike) -> Array:
    r"""Compute the softmax, :math:`e^{z_c} / \sum_k e^{z_k}` over the last axis.

    Parameters
    ----------
    z : array_like of shape (..., C)
        Logits.

    Returns
    -------
    ndarray of float64 with the shape of `z`
        Probabilities; rows sum to 1.

    Raises
    ------
    TargetError
        If there are no rows.

    Examples
    --------
    >>> from nnloss import likelihoods
    >>> likelihoods.softmax([[1.0, 2.0, 0.0]])
    array([[0.24472847, 0.66524096, 0.09003057]])

    With two classes it is the sigmoid of the difference of the logits:

    >>> likelihoods.softmax([1.0, 3.0]), likelihoods.sigmoid([-2.0, 2.0])
    (array([0.11920292, 0.88079708]), array([0.11920292, 0.88079708]))
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
        # (N,) and (N, 1) would broadcast to (N, N), and the result would be meaningless.
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
