"""What hidden layers infer: no target was ever given for them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnloss._keras import keras

Array = NDArray[np.float64]


def states(model: Any, x: NDArray[Any], layer: str) -> Array:
    """Compute what a hidden layer gives.

    Parameters
    ----------
    model : keras.Model
        Functional or sequential.
    x : ndarray, shape (N, ...)
        Inputs of the model.
    layer : str
        Name of the layer.

    Returns
    -------
    ndarray, shape (N, ...)
        Its output.
    """
    part = keras.Model(model.inputs[0], model.get_layer(layer).output)
    values: Array = np.asarray(keras.ops.convert_to_numpy(part(x)), dtype=np.float64)
    return values


def recovered(linear: float, other: float) -> float:
    """Tell which share of a linear model's test error another model does not make.

    Parameters
    ----------
    linear : float
        Test error of the linear model on the features.
    other : float
        Of another model on the same rows.

    Returns
    -------
    float
        0 where it is no better, 1 where it makes no error; negative where it is worse.
    """
    return 1 - other / linear


def by_class(values: Array, y: NDArray[Any]) -> Array:
    """Average a feature map over the rows of each class.

    Parameters
    ----------
    values : ndarray, shape (N, steps, filters)
        A feature map.
    y : ndarray, shape (N,)
        Numbers of classes.

    Returns
    -------
    ndarray, shape (classes, steps, filters)
        Means.
    """
    return np.stack([values[y == number].mean(axis=0) for number in np.unique(y)])
