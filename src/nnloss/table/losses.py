r"""Losses with their formula, gradient, link and targets.

All formulas use the linear predictor :math:`\eta`, the input of the output activation, so nothing
is clipped and nothing overflows. As in Keras, `Loss.value` and `Loss.gradient` are means over the
nodes of an output, but sums over the classes for the cross-entropies of classes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, xlogy

from nnloss.errors import TargetError
from nnloss.table.domains import COUNT, INTEGER, ONE_HOT, REAL, ZERO_ONE, Domain
from nnloss.table.links import IDENTITY, LOG, LOGIT, SOFTMAX, Link, log_softmax

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Metric:
    """A Keras metric class and its name in logs and records.

    Parameters
    ----------
    keras_class : str
        Name in `keras.metrics`.
    name : str
        Key in the history and in the record.
    from_logits : tuple of (str, float), default ()
        Constructor arguments, as pairs, for a model that returns logits.

    Examples
    --------
    A probability above one half is a logit above zero:

    >>> from nnloss import BINARY
    >>> BINARY.metrics[0].keras_class, BINARY.metrics[0].from_logits
    ('BinaryAccuracy', (('threshold', 0.0),))
    """

    keras_class: str
    name: str
    from_logits: tuple[tuple[str, float], ...] = ()

    @property
    def function(self) -> str:
        """Name of the function in `keras.metrics` that computes the metric of each row."""
        return re.sub("(?<=[a-z])(?=[A-Z])", "_", self.keras_class).lower()


@dataclass(frozen=True)
class Loss:
    """A loss with its link, the domain of its targets and its metrics.

    Parameters
    ----------
    name : str
        Name of the function in `keras.losses`.
    title : str
        Name in words.
    keras_class : str or type
        Name of the class in `keras.losses`, or a custom class.
    aliases : tuple of str
        Short names, in lower case.
    domain : Domain
        Values and shapes that targets may have.
    link : Link
        Its inverse is the output activation that the loss needs.
    terms, slopes : callable
        Functions of targets and linear predictor, both float64 of shape (N, nodes). They return the
        terms of the loss and the derivative of a row's sum of terms in the linear predictor, in the
        same shape.
    metrics : tuple of Metric
        Metrics reported with the loss.
    likelihood : str, optional
        Distribution whose negative log-likelihood is the loss, up to a factor and a term in the
        target. None for a loss that belongs to no GLM and to no other distribution in wide use.
    takes_logits : bool, default False
        Whether the Keras class has the option ``from_logits``.
    curvature : float, optional
        Largest second derivative of a row's terms in the linear predictor, if known.

    Examples
    --------
    >>> from nnloss.table import BCE, LOSSES
    >>> BCE.value([1, 0], [2.0, 2.0])
    array([0.12692801, 2.12692801])
    >>> LOSSES["mean_absolute_error"].likelihood
    'Laplace'
    """

    name: str
    title: str
    keras_class: str | type
    aliases: tuple[str, ...]
    domain: Domain
    link: Link
    terms: Callable[[Any, Any], Any]
    slopes: Callable[[Any, Any], Any]
    metrics: tuple[Metric, ...] = ()
    likelihood: str | None = None
    takes_logits: bool = False
    curvature: float | None = None

    def value(self, y: ArrayLike, eta: ArrayLike) -> Array:
        """Compute the loss of each row.

        Parameters
        ----------
        y : array_like of shape (N,) or (N, nodes)
            Targets in `domain`; integer labels have the shape (N,).
        eta : array_like of shape (N,) or (N, nodes)
            Linear predictor.

        Returns
        -------
        ndarray of float64 of shape (N,)
            Mean over the nodes; sum over classes.

        Raises
        ------
        TargetError
            If the shapes differ or there are no rows.

        Examples
        --------
        >>> from nnloss.table import SPARSE_CCE
        >>> SPARSE_CCE.value([2], [[0.0, 0.0, 0.0]])  # log 3
        array([1.09861229])
        """
        terms = np.asarray(self.terms(*self._columns(y, eta)), dtype=np.float64)
        return np.asarray(terms.mean(axis=-1) if self.domain.by_node else terms.sum(axis=-1))

    def gradient(self, y: ArrayLike, eta: ArrayLike) -> Array:
        """Compute the derivative of `Loss.value` with respect to the linear predictor.

        Parameters
        ----------
        y, eta : array_like
            As for `Loss.value`.

        Returns
        -------
        ndarray of float64 with the shape of `eta`
            With one node and a canonical link the residual, mean minus target; for MSE, which lacks
            the factor one half, twice the residual.

        Raises
        ------
        TargetError
            If the shapes differ or there are no rows.

        Examples
        --------
        >>> from nnloss.table import BCE, LOGIT
        >>> BCE.gradient([1, 0], [2.0, 2.0])
        array([-0.11920292,  0.88079708])
        >>> LOGIT.inverse([2.0, 2.0]) - [1, 0]
        array([-0.11920292,  0.88079708])
        """
        columns = self._columns(y, eta)
        slopes = np.asarray(self.slopes(*columns), dtype=np.float64)
        slopes = slopes / slopes.shape[-1] if self.domain.by_node else slopes
        return slopes.reshape(np.shape(eta))

    def _columns(self, y: ArrayLike, eta: ArrayLike) -> tuple[Array, Array]:
        predictor = np.asarray(eta, dtype=np.float64)
        predictor = predictor[:, np.newaxis] if predictor.ndim == 1 else predictor
        targets = np.asarray(y)
        if self.domain is INTEGER:
            targets = ONE_HOT.encode(targets.ravel().astype(np.int64), predictor.shape[-1])
        targets = targets.astype(np.float64)
        targets = targets[:, np.newaxis] if targets.ndim == 1 else targets
        if targets.shape != predictor.shape or not targets.size:
            # (N,) and (N, 1) would broadcast to (N, N), and the result would be meaningless.
            raise TargetError(
                "A loss needs targets and predictions of one shape, with at least one row",
                f"found {np.shape(y)} and {np.shape(eta)}",
                "Bring both to one shape, for example with numpy.ravel",
            )
        return targets, predictor


def _weighted(weight: Array, term: Array) -> Array:
    """Return `weight` times `term`, and 0 where `weight` is 0 even if `term` is infinite."""
    return np.asarray(weight * np.where(weight > 0, term, 0.0), dtype=np.float64)


def _bce(y: Array, eta: Array) -> Array:
    # log(1 + e^eta) - y eta, without a difference of large numbers: log(1 + e^-eta) for class 1
    # and log(1 + e^eta) for class 0.
    return _weighted(y, np.logaddexp(0, -eta)) + _weighted(1 - y, np.logaddexp(0, eta))


def _cce(y: Array, eta: Array) -> Array:
    return _weighted(y, -log_softmax(eta))


def _cce_slopes(y: Array, eta: Array) -> Array:
    return np.asarray(SOFTMAX.inverse(eta) * y.sum(axis=-1, keepdims=True) - y)


def _huber(y: Array, eta: Array) -> Array:
    error = np.abs(eta - y)
    return np.where(error <= 1, error**2 / 2, error - 0.5)


def _log_cosh(y: Array, eta: Array) -> Array:
    error = np.abs(eta - y)
    return np.asarray(error + np.log1p(np.exp(-2 * error)) - np.log(2))


def _relative(y: Array) -> Array:
    return np.maximum(np.abs(y), 1e-7)  # avoids division by 0, as in Keras


def _missed(y: Array, eta: Array) -> Array:
    """Compute the predicted probability of the wrong label."""
    p = expit(eta)
    return np.asarray(y * (1 - p) + (1 - y) * p)


def _focal_slopes(y: Array, eta: Array) -> Array:
    p, missed = expit(eta), _missed(y, eta)
    return np.asarray(missed**2 * (p - y) - _bce(y, eta) * 2 * missed * (2 * y - 1) * p * (1 - p))


_ALPHA = 0.25  # alpha of Keras' categorical focal loss; its gamma is 2


def _categorical_focal(y: Array, eta: Array) -> Array:
    return _ALPHA * (1 - SOFTMAX.inverse(eta)) ** 2 * _cce(y, eta)


def _categorical_focal_slopes(y: Array, eta: Array) -> Array:
    p = SOFTMAX.inverse(eta)
    # p times the derivative in p, as the gradient of the softmax needs it.
    inner = -_ALPHA * y * ((1 - p) ** 2 - 2 * (1 - p) * xlogy(p, p))
    return np.asarray(inner - p * inner.sum(axis=-1, keepdims=True))


_ERRORS = (
    Metric("MeanSquaredError", "mean_squared_error"),
    Metric("MeanAbsoluteError", "mean_absolute_error"),
)
# A probability above one half is a logit above zero.
_HITS = (Metric("BinaryAccuracy", "accuracy", from_logits=(("threshold", 0.0),)),)
_CLASSES = (Metric("CategoricalAccuracy", "accuracy"),)
_LABELS = (Metric("SparseCategoricalAccuracy", "accuracy"),)

MSE = Loss(
    "mean_squared_error", "mean squared error", "MeanSquaredError", ("mse",),
    REAL, IDENTITY, lambda y, eta: (eta - y) ** 2, lambda y, eta: 2 * (eta - y),
    _ERRORS, likelihood="Gaussian", curvature=2.0,
)  # fmt: skip
MAE = Loss(
    "mean_absolute_error", "mean absolute error", "MeanAbsoluteError", ("mae",),
    REAL, IDENTITY, lambda y, eta: np.abs(eta - y), lambda y, eta: np.sign(eta - y),
    _ERRORS, likelihood="Laplace",
)  # fmt: skip
BCE = Loss(
    "binary_crossentropy", "binary cross-entropy", "BinaryCrossentropy", ("bce",),
    ZERO_ONE, LOGIT, _bce, lambda y, eta: expit(eta) - y,
    _HITS, likelihood="Bernoulli", takes_logits=True, curvature=0.25,
)  # fmt: skip
CCE = Loss(
    "categorical_crossentropy", "categorical cross-entropy", "CategoricalCrossentropy", ("cce",),
    ONE_HOT, SOFTMAX, _cce, _cce_slopes,
    _CLASSES, likelihood="multinomial", takes_logits=True, curvature=0.5,
)  # fmt: skip
SPARSE_CCE = Loss(
    "sparse_categorical_crossentropy", "sparse categorical cross-entropy",
    "SparseCategoricalCrossentropy", ("scce",),
    INTEGER, SOFTMAX, _cce, _cce_slopes,
    _LABELS, likelihood="multinomial", takes_logits=True, curvature=0.5,
)  # fmt: skip
POISSON = Loss(
    "poisson", "Poisson loss", "Poisson", (),
    COUNT, LOG, lambda y, eta: np.exp(eta) - y * eta, lambda y, eta: np.exp(eta) - y,
    _ERRORS, likelihood="Poisson",
)  # fmt: skip

# Other losses for the same outputs, with Keras' default options. Those without a likelihood belong
# to no GLM.
HUBER = Loss(
    "huber", "Huber loss", "Huber", (),
    REAL, IDENTITY, _huber, lambda y, eta: np.clip(eta - y, -1, 1), _ERRORS,
)  # fmt: skip
LOG_COSH = Loss(
    "log_cosh", "log-cosh loss", "LogCosh", ("logcosh",),
    REAL, IDENTITY, _log_cosh, lambda y, eta: np.tanh(eta - y), _ERRORS,
)  # fmt: skip
MAPE = Loss(
    "mean_absolute_percentage_error", "mean absolute percentage error",
    "MeanAbsolutePercentageError", ("mape",),
    REAL, IDENTITY,
    lambda y, eta: 100 * np.abs(eta - y) / _relative(y),
    lambda y, eta: 100 * np.sign(eta - y) / _relative(y), _ERRORS,
)  # fmt: skip
BINARY_FOCAL = Loss(
    "binary_focal_crossentropy", "binary focal cross-entropy", "BinaryFocalCrossentropy", (),
    ZERO_ONE, LOGIT, lambda y, eta: _missed(y, eta) ** 2 * _bce(y, eta), _focal_slopes,
    _HITS, takes_logits=True,
)  # fmt: skip
CATEGORICAL_FOCAL = Loss(
    "categorical_focal_crossentropy", "categorical focal cross-entropy",
    "CategoricalFocalCrossentropy", (),
    ONE_HOT, SOFTMAX, _categorical_focal, _categorical_focal_slopes,
    _CLASSES, takes_logits=True,
)  # fmt: skip
KL = Loss(
    "kl_divergence", "Kullback-Leibler divergence", "KLDivergence", ("kld",),
    ONE_HOT, SOFTMAX, lambda y, eta: xlogy(y, y) + _cce(y, eta), _cce_slopes,
    _CLASSES, likelihood="multinomial",
)  # fmt: skip

LOSSES: dict[str, Loss] = {
    loss.name: loss
    for loss in (
        MSE, MAE, BCE, CCE, SPARSE_CCE, POISSON,
        HUBER, LOG_COSH, MAPE, BINARY_FOCAL, CATEGORICAL_FOCAL, KL,
    )
}  # fmt: skip
