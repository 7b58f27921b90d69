"""Links: functions that map the mean of a GLM to its linear predictor eta.

An output activation is the inverse of a link.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logsumexp

from nnloss.table.activations import Kind, activation

Array = NDArray[np.float64]


def log_softmax(eta: Array) -> Array:
    r"""Compute :math:`\eta_c - \log \sum_k e^{\eta_k}` over the last axis, without overflow."""
    with np.errstate(over="ignore"):  # logits far apart: the smaller one gets probability 0
        shifted = eta - np.max(eta, axis=-1, keepdims=True)
    return np.asarray(shifted - logsumexp(shifted, axis=-1, keepdims=True), dtype=np.float64)


@dataclass(frozen=True)
class Link:
    """A link function, given by its inverse.

    Parameters
    ----------
    name : str
        Name in statistics.
    activation : str
        Keras name of the inverse.
    mean : callable
        The inverse, from float64 arrays to float64 arrays.

    Examples
    --------
    >>> from nnloss.table import LOG, LOGIT
    >>> LOGIT.inverse([-2.0, 0.0, 2.0])
    array([0.11920292, 0.5       , 0.88079708])
    >>> LOG.activation, LOG.kind
    ('exponential', <Kind.POSITIVE: 'above 0'>)
    """

    name: str
    activation: str
    mean: Callable[[Any], Any]

    def inverse(self, eta: ArrayLike) -> Array:
        """Compute means or probabilities from the linear predictor.

        Parameters
        ----------
        eta : array_like of shape (..., nodes)
            Linear predictor; the softmax is over the last axis.

        Returns
        -------
        ndarray of float64 with the shape of `eta`
            Values of the output activation.
        """
        return np.asarray(self.mean(np.asarray(eta, dtype=np.float64)), dtype=np.float64)

    @property
    def kind(self) -> Kind:
        """Kind of values of the inverse."""
        known = activation(self.activation)
        return known.kind if known else Kind.OTHER


IDENTITY = Link("identity", "linear", lambda eta: eta)
LOG = Link("log", "exponential", np.exp)
LOGIT = Link("logit", "sigmoid", expit)
SOFTMAX = Link("softmax", "softmax", lambda eta: np.exp(log_softmax(eta)))
