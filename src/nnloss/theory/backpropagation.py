"""Backpropagation in NumPy and by automatic differentiation in Keras."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnloss._tensorflow import keras, tf
from nnloss.table import Task

Array = NDArray[np.float64]


def by_hand(
    weights: Sequence[NDArray[Any]], x: NDArray[Any], y: NDArray[Any], task: Task
) -> list[Array]:
    """Compute the gradient of a task's mean loss in the weights of a dense ReLU network.

    Parameters
    ----------
    weights : sequence of ndarray
        Kernel, bias, kernel, bias, ...
    x : ndarray, shape (N, features)
    y : ndarray, shape (N, nodes)
    task : Task
        Defines the output activation and its canonical loss.

    Returns
    -------
    list of ndarray
        In the order and shapes of `weights`.

    Notes
    -----
    The gradient in the linear predictor of the output is the residual mu - y for a canonical link
    (twice that for MSE, which lacks the factor one half). Each layer passes it back through its
    kernel where its ReLU was active.
    """
    kernels, biases = weights[::2], weights[1::2]
    layers = [np.asarray(x, dtype=np.float64)]
    for kernel, bias in zip(kernels[:-1], biases[:-1], strict=True):
        layers.append(np.maximum(layers[-1] @ kernel + bias, 0))
    error = task.loss.gradient(y, layers[-1] @ kernels[-1] + biases[-1]) / len(x)
    gradients: list[Array] = []
    for layer, kernel in zip(reversed(layers), reversed(kernels), strict=True):
        gradients = [layer.T @ error, error.sum(axis=0), *gradients]
        error = (error @ kernel.T) * (layer > 0)
    return gradients


def by_keras(model: Any, x: NDArray[Any], y: NDArray[Any]) -> list[Array]:
    """Compute the same gradient by automatic differentiation.

    Parameters
    ----------
    model : keras.Model
        A compiled model.
    x : ndarray, shape (N, features)
    y : ndarray, shape (N, nodes)

    Returns
    -------
    list of ndarray
        In the order of ``model.get_weights()``.
    """
    variables = [variable.value for variable in model.trainable_variables]
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x, keras.ops.convert_to_tensor(y), model(x, training=True))
    return [np.asarray(part, dtype=np.float64) for part in tape.gradient(loss, variables)]
