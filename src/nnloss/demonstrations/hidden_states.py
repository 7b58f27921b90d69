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


def recovered(linear: float, on_states: float, network: float) -> float:
    """Tell how much of the network's gain a linear model on its hidden states has.

    Parameters
    ----------
    linear, on_states, network : float
        Test errors of the linear model on the features, of the linear model on the hidden states,
        and of the network.

    Returns
    -------
    float
        0 where the states are no better than the features, 1 where they hold all that the network
        gained, more where the new linear model is better than the network's own; NaN where the
        network gained less than a twentieth of the linear model's error, and the share means
        nothing.
    """
    gain = linear - network
    return (linear - on_states) / gain if gain > linear / 20 else float("nan")


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
