"""Activations of hidden layers, which no target supervises directly."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnloss._keras import keras

Array = NDArray[np.float64]


def states(model: Any, x: NDArray[Any], layer: str) -> Array:
    """Compute the output of a layer of a model, named `layer`, in float64."""
    part = keras.Model(model.inputs[0], model.get_layer(layer).output)
    values: Array = np.asarray(keras.ops.convert_to_numpy(part(x)), dtype=np.float64)
    return values


def recovered(linear: float, other: float) -> float:
    """Compute the share of a linear model's test error that another model removes.

    It is 0 for no improvement, 1 for no error left, and negative if `other` is worse.
    """
    return 1 - other / linear


def by_class(values: Array, y: NDArray[Any]) -> Array:
    """Compute the mean feature map of each class from maps of shape (N, steps, filters)."""
    return np.stack([values[y == number].mean(axis=0) for number in np.unique(y)])
