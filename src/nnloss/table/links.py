"""Links: how a linear predictor becomes a mean.

A GLM's link maps the mean to the linear predictor eta. An output activation is its inverse.
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
    r"""Compute :math:`\eta_c - \log \sum_k e^{\eta_k}` over the last axis, without overflow.

    Parameters
    ----------
    eta : ndarray, shape (..., C)
        Any real numbers.

    Returns
    -------
    ndarray of float64, shape of `eta`
        Logarithms of probabilities.
    """
    with np.errstate(over="ignore"):  # two logits too far apart: the lower has probability 0
        shifted = eta - np.max(eta, axis=-1, keepdims=True)
    return np.asarray(shifted - logsumexp(shifted, axis=-1, keepdims=True), dtype=np.float64)


@dataclass(frozen=True)
class Link:
    """A link function, by its inverse.

    Parameters
    ----------
    name : str
        The statistician's name; capitalised, that of the class in ``statsmodels``.
    activation : str
        Keras' name of the inverse.
    mean : callable
        The inverse itself, from float64 arrays to float64 arrays.
    """

    name: str
    activation: str
    mean: Callable[[Any], Any]

    def inverse(self, eta: ArrayLike) -> Array:
        """Compute the mean from the linear predictor.

        Parameters
        ----------
        eta : array_like, shape (..., nodes)
            Linear predictor.

        Returns
        -------
        ndarray of float64, shape of `eta`
            Mean, or probabilities.
        """
        return np.asarray(self.mean(np.asarray(eta, dtype=np.float64)), dtype=np.float64)

    @property
    def kind(self) -> Kind:
        """What numbers the inverse gives."""
        known = activation(self.activation)
        return known.kind if known else Kind.OTHER


IDENTITY = Link("identity", "linear", lambda eta: eta)
LOG = Link("log", "exponential", np.exp)
LOGIT = Link("logit", "sigmoid", expit)
SOFTMAX = Link("softmax", "softmax", lambda eta: np.exp(log_softmax(eta)))
