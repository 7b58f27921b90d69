r"""Losses: formula, gradient, link and targets of each, in one object.

Every formula is a function of the linear predictor :math:`\eta`, before the output activation, so
that nothing is clipped and nothing overflows. Keras averages a loss over the nodes of an output,
except for the cross-entropies of classes, which are sums over the classes; so do `Loss.value` and
`Loss.gradient`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from nnloss.errors import TargetError
from nnloss.table.domains import Domain
from nnloss.table.links import IDENTITY, LOGIT, SOFTMAX, Link, log_softmax

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Metric:
    """A Keras metric class, with the name it has in logs and records.

    Parameters
    ----------
    keras_class : str
        Name in ``keras.metrics``.
    name : str
        Key in the history and in the record.
    from_logits : tuple of (str, float)
        Constructor arguments, as pairs, when the model gives logits instead of probabilities.
    """

    keras_class: str
    name: str
    from_logits: tuple[tuple[str, float], ...] = ()

    @property
    def function(self) -> str:
        """Name of the function in ``keras.metrics`` that gives the metric of each row."""
        return re.sub("(?<=[a-z])(?=[A-Z])", "_", self.keras_class).lower()


@dataclass(frozen=True)
class Loss:
    r"""A loss together with its link, the targets it is defined on, and its metrics.

    Parameters
    ----------
    name : str
        Name of the function in ``keras.losses``.
    title : str
        The name in words.
    keras_class : str
        Name of the class in ``keras.losses``.
    aliases : tuple of str
        Short names, in lower case.
    domain : Domain
        What a target may be.
    link : Link
        Its inverse is the output activation that the loss needs.
    terms : callable
        From targets and linear predictor, both float64 of shape (N, nodes), to the terms of the
        loss, of the same shape.
    slopes : callable
        Likewise, to the derivative of a row's sum of terms with respect to the linear predictor.
    metrics : tuple of Metric
        What is reported beside the loss.
    curvature : float, optional
        The largest second derivative of a row's terms in the linear predictor, if there is one.
    """

    name: str
    title: str
    keras_class: str
    aliases: tuple[str, ...]
    domain: Domain
    link: Link
    terms: Callable[[Any, Any], Any]
    slopes: Callable[[Any, Any], Any]
    metrics: tuple[Metric, ...] = ()
    curvature: float | None = None

    def value(self, y: ArrayLike, eta: ArrayLike) -> Array:
        """Compute the loss of each row.

        Parameters
        ----------
        y : array_like, shape (N,) or (N, nodes)
            Targets in `domain`; integer labels have the shape (N,).
        eta : array_like, shape (N,) or (N, nodes)
            Linear predictor.

        Returns
        -------
        ndarray of float64, shape (N,)
            Mean over the nodes; for classes, the sum over them.

        Raises
        ------
        TargetError
            If the shapes differ or there is no row.
        """
        terms = np.asarray(self.terms(*self._columns(y, eta)), dtype=np.float64)
        return np.asarray(terms.mean(axis=-1) if self.domain.by_node else terms.sum(axis=-1))

    def gradient(self, y: ArrayLike, eta: ArrayLike) -> Array:
        """Compute the derivative of `value` with respect to the linear predictor.

        Parameters
        ----------
        y, eta
            As for `value`.

        Returns
        -------
        ndarray of float64, shape of `eta`
            Of each row.

        Raises
        ------
        TargetError
            If the shapes differ or there is no row.
        """
        columns = self._columns(y, eta)
        slopes = np.asarray(self.slopes(*columns), dtype=np.float64)
        slopes = slopes / slopes.shape[-1] if self.domain.by_node else slopes
        return slopes.reshape(np.shape(eta))

    def _columns(self, y: ArrayLike, eta: ArrayLike) -> tuple[Array, Array]:
        predictor = np.asarray(eta, dtype=np.float64)
        predictor = predictor[:, np.newaxis] if predictor.ndim == 1 else predictor
        targets = np.asarray(y)
        if self.domain is Domain.INTEGER:
            targets = np.eye(predictor.shape[-1])[targets.reshape(-1).astype(np.int64)]
        targets = targets.astype(np.float64)
        targets = targets[:, np.newaxis] if targets.ndim == 1 else targets
        if targets.shape != predictor.shape or not targets.size:
            # (N,) against (N, 1) would broadcast to N x N and give a number that means nothing.
            raise TargetError(
                "A loss needs targets and predictions of one shape, with at least one row",
                f"found {np.shape(y)} and {np.shape(eta)}",
                "Bring both to one shape, for example with numpy.ravel",
            )
        return targets, predictor


def _weighted(weight: Array, term: Array) -> Array:
    """Multiply, where nothing of an infinite term is nothing."""
    return np.asarray(weight * np.where(weight > 0, term, 0.0), dtype=np.float64)


def _bce(y: Array, eta: Array) -> Array:
    # log(1 + e^eta) - y eta, split so that no two large numbers are subtracted: where the row is
    # of class 1 the term is log(1 + e^-eta), where it is of class 0 it is log(1 + e^eta).
    return _weighted(y, np.logaddexp(0, -eta)) + _weighted(1 - y, np.logaddexp(0, eta))


def _cce(y: Array, eta: Array) -> Array:
    return _weighted(y, -log_softmax(eta))


def _cce_slopes(y: Array, eta: Array) -> Array:
    return np.asarray(SOFTMAX.inverse(eta) * y.sum(axis=-1, keepdims=True) - y)


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
    Domain.REAL, IDENTITY, lambda y, eta: (eta - y) ** 2, lambda y, eta: 2 * (eta - y),
    _ERRORS, curvature=2.0,
)  # fmt: skip
MAE = Loss(
    "mean_absolute_error", "mean absolute error", "MeanAbsoluteError", ("mae",),
    Domain.REAL, IDENTITY, lambda y, eta: np.abs(eta - y), lambda y, eta: np.sign(eta - y),
    _ERRORS,
)  # fmt: skip
BCE = Loss(
    "binary_crossentropy", "binary cross-entropy", "BinaryCrossentropy", ("bce",),
    Domain.ZERO_ONE, LOGIT, _bce, lambda y, eta: expit(eta) - y,
    _HITS, curvature=0.25,
)  # fmt: skip
CCE = Loss(
    "categorical_crossentropy", "categorical cross-entropy", "CategoricalCrossentropy", ("cce",),
    Domain.ONE_HOT, SOFTMAX, _cce, _cce_slopes,
    _CLASSES, curvature=0.5,
)  # fmt: skip
SPARSE_CCE = Loss(
    "sparse_categorical_crossentropy", "sparse categorical cross-entropy",
    "SparseCategoricalCrossentropy", ("scce",),
    Domain.INTEGER, SOFTMAX, _cce, _cce_slopes,
    _LABELS, curvature=0.5,
)  # fmt: skip

LOSSES: dict[str, Loss] = {loss.name: loss for loss in (MSE, MAE, BCE, CCE, SPARSE_CCE)}
