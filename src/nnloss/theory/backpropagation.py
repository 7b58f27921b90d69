"""Backpropagation by hand: the chain rule in NumPy, and Keras' gradients beside it."""

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
    """Compute the gradient of a task's loss in all weights of a dense network with ReLU.

    Forward, each layer is kept. Backward, the error of the last one is the gradient of the loss in
    the linear predictor, which is the residual, mu - y, for a canonical link (twice that for MSE,
    without its one half); each layer hands it on through its kernel where its ReLU was open.

    Parameters
    ----------
    weights : sequence of ndarray
        Kernel, bias, kernel, bias, ...
    x : ndarray, shape (N, features)
        Inputs.
    y : ndarray, shape (N, nodes)
        Targets.
    task : Task
        Its output activation with its canonical loss.

    Returns
    -------
    list of ndarray
        In the order and shapes of `weights`, of the mean loss.
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
        Compiled.
    x : ndarray, shape (N, features)
        Inputs.
    y : ndarray, shape (N, nodes)
        Targets.

    Returns
    -------
    list of ndarray
        In the order of ``model.get_weights()``.
    """
    variables = [variable.value for variable in model.trainable_variables]
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x, keras.ops.convert_to_tensor(y), model(x, training=True))
    return [np.asarray(part, dtype=np.float64) for part in tape.gradient(loss, variables)]
