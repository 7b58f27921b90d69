"""Activations of hidden layers, which no target supervises directly."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnloss._keras import keras

Array = NDArray[np.float64]


def states(model: Any, x: NDArray[Any], layer: str) -> Array:
    """Compute the activations of a hidden layer.

    Parameters
    ----------
    model : keras.Model
        A functional or sequential model.
    x : ndarray, shape (N, ...)
    layer : str
        Name of the layer.

    Returns
    -------
    ndarray, shape (N, ...)
        Output of the layer in float64.
    """
    part = keras.Model(model.inputs[0], model.get_layer(layer).output)
    values: Array = np.asarray(keras.ops.convert_to_numpy(part(x)), dtype=np.float64)
    return values


def recovered(linear: float, other: float) -> float:
    """Compute the share of a linear model's test error that another model removes.

    Parameters
    ----------
    linear, other : float
        Test errors of the linear model on the features and of the other model, on the same rows.

    Returns
    -------
    float
        1 - other / linear: 0 for no improvement, 1 for no error left, negative if `other` is worse.
    """
    return 1 - other / linear


def by_class(values: Array, y: NDArray[Any]) -> Array:
    """Compute the mean feature map of each class.

    Parameters
    ----------
    values : ndarray, shape (N, steps, filters)
        Feature maps.
    y : ndarray of int, shape (N,)
        Class numbers.

    Returns
    -------
    ndarray, shape (classes, steps, filters)
    """
    return np.stack([values[y == number].mean(axis=0) for number in np.unique(y)])
