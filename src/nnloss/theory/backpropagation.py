"""Backpropagation in NumPy and by automatic differentiation in Keras."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnloss._tensorflow import keras, tf
from nnloss.table import REGRESSION, TASKS, Task
from nnloss.table.encoding import as_targets
from nnloss.theory.claims import Claim, same
from nnloss.theory.precision import double_precision
from nnloss.theory.problems import pair_of
from nnloss.training.models import compile_for_task
from nnloss.training.seeds import set_seed

Array = NDArray[np.float64]


def by_hand(
    weights: Sequence[NDArray[Any]], x: NDArray[Any], y: NDArray[Any], task: Task
) -> list[Array]:
    """Compute the gradient of a task's mean loss in the weights of a dense ReLU network.

    Parameters
    ----------
    weights : sequence of ndarray
        Kernel, bias, kernel, bias, ...
    x : ndarray of shape (N, features)
        Inputs.
    y : ndarray of shape (N, nodes)
        Targets.
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

    Examples
    --------
    A linear regression with weight 2 and bias 1, at a row where it predicts 7 instead of 10:

    >>> import numpy as np
    >>> from nnloss import REGRESSION
    >>> from nnloss.theory import backpropagation
    >>> weights = [np.array([[2.0]]), np.array([1.0])]
    >>> x, y = np.array([[3.0]]), np.array([[10.0]])
    >>> backpropagation.by_hand(weights, x, y, REGRESSION)
    [array([[-18.]]), array([-6.])]
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
    x : ndarray of shape (N, features)
        Inputs.
    y : ndarray of shape (N, nodes)
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


def training_loop(model: Any, x: Any, y: Any, loss: Any, batch_size: int) -> None:
    """Train for one epoch, as ``fit`` does."""
    weights = [variable.value for variable in model.trainable_variables]
    for start in range(0, len(x), batch_size):
        batch_x, batch_y = x[start : start + batch_size], y[start : start + batch_size]
        with tf.GradientTape() as tape:
            value = loss(batch_y, model(batch_x, training=True))
        gradients = tape.gradient(value, weights)
        model.optimizer.apply(gradients, model.trainable_variables)


def small_network(task: Task, features: int, classes: int | None, seed: int) -> Any:
    """Return a compiled network with hidden ReLU layers of 6 and 4 units."""
    set_seed(seed)
    layers = [keras.layers.Dense(units, "relu") for units in (6, 4)]
    body = keras.Sequential([keras.Input((features,)), *layers])
    return compile_for_task(body, task, classes=classes)


def gradient_claims(x: Array, y: Mapping[str, NDArray[Any]], seed: int) -> list[Claim]:
    """Compare gradients by hand and by Keras, in float64, for each task of the table.

    Parameters
    ----------
    x : ndarray of shape (N, features)
        Inputs.
    y : mapping of str to ndarray
        Targets by name of the task, see `nnloss.theory.problems.targets`.
    seed : int
        Seed of the weights.

    Returns
    -------
    list of Claim
        One for each task.
    """
    claims = []
    with double_precision():
        for task in TASKS.values():
            nodes = np.shape(y[task.name])[1:]
            classes = None if task.nodes else (nodes[0] if nodes else 3)
            labels = as_targets(y[task.name], task.loss, 3).astype(np.float64)
            model = small_network(task, x.shape[1], classes, seed)
            ours, theirs = by_hand(model.get_weights(), x, labels, task), by_keras(model, x, labels)
            claim = f"{pair_of(task)}: by hand = by Keras"
            claims.append(
                same("backpropagation", claim, _flat(ours), _flat(theirs), 1e-6, relative=True)
            )
    return claims


def loop_claim(x: Array, y: Array, seed: int) -> Claim:
    """Compare the weights after an epoch of `training_loop` with those after ``fit``.

    Parameters
    ----------
    x : ndarray of shape (N, features)
        Inputs.
    y : ndarray of shape (N,)
        Targets of a regression.
    seed : int
        Seed of the weights.

    Returns
    -------
    Claim
        Compares all weights.
    """
    x32, y32 = x.astype(np.float32), y[:, np.newaxis].astype(np.float32)
    looped, fitted = (small_network(REGRESSION, x.shape[1], None, seed) for _ in range(2))
    training_loop(looped, x32, y32, keras.losses.MeanSquaredError(), 32)
    fitted.fit(x32, y32, epochs=1, batch_size=32, shuffle=False, verbose=0)
    weights = _flat(looped.get_weights()), _flat(fitted.get_weights())
    return same("backpropagation", "weights after an epoch: the loop = fit", *weights, 1e-6)


def _flat(arrays: Sequence[NDArray[Any]]) -> Array:
    return np.concatenate([np.ravel(array) for array in arrays])
