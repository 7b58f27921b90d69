"""Linear networks trained until they reach the maximum of a GLM's likelihood.

`Task.fit_glm` maximises the same likelihood with statsmodels, so the coefficients
agree if the maximum exists.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnloss._keras import keras
from nnloss.table import TASKS, Fit, Task
from nnloss.table.encoding import as_targets
from nnloss.table.families import with_intercept
from nnloss.theory.backpropagation import by_hand
from nnloss.theory.claims import Claim, same
from nnloss.theory.precision import double_precision
from nnloss.theory.problems import pair_of
from nnloss.training.models import compile_for_task
from nnloss.training.seeds import set_seed

Array = NDArray[np.float64]

_STEPS_AN_EPOCH = 16
# Relative to the gradient at zero weights. Keras' Poisson loss adds 1e-7 to the mean, which
# limits the accuracy.
_CONVERGED = 1e-6


def fit_network(
    task: Task, x: Array, y: NDArray[Any], *, hidden: int | None = None, steps: int = 800
) -> Fit:
    """Train a network that is linear up to its output activation until its gradient vanishes.

    Parameters
    ----------
    task : Task
        Defines the output activation and its canonical loss.
    x : ndarray, shape (N, features)
        Standardised, so that the curvature is similar in all directions.
    y : ndarray, shape (N,) or (N, nodes)
        Targets or class numbers.
    hidden : int, optional
        Units of a hidden layer with linear activation.
    steps : int, default 800
        Full-batch training steps, rounded up to a multiple of 16.

    Returns
    -------
    Fit
        Coefficients coded as in the GLM; the kernels of a hidden layer are multiplied.

    Raises
    ------
    ValueError
        If the gradient does not vanish within `steps`.

    Notes
    -----
    Trains in float64 by gradient descent with Nesterov momentum; the learning rate is the inverse
    of an upper bound on the curvature of the loss. Without a known bound, as with a hidden layer
    or for counts, it uses Adam with a cosine decay. Seeds the process with 0, as `set_seed` does.
    """
    nodes = task.nodes or (y.shape[1] if y.ndim > 1 else int(np.max(y)) + 1)
    classes = None if task.nodes else nodes
    encoded = as_targets(y, task.loss, nodes)
    design = with_intercept(x)
    with double_precision():
        set_seed(0)
        features = keras.Input((x.shape[1],))
        if hidden is None and task.loss.curvature:
            share = task.loss.curvature / (nodes if task.domain.by_node else 1)
            curvature = share * np.linalg.eigvalsh(design.T @ design)[-1] / len(x)
            optimizer = keras.optimizers.SGD(1 / curvature, momentum=0.95, nesterov=True)
        else:
            fading = keras.optimizers.schedules.CosineDecay(0.1, steps)
            optimizer = keras.optimizers.Adam(fading)
        # Without a hidden layer the model is its linear predictor.
        end = features if hidden is None else keras.layers.Dense(hidden)(features)
        model = compile_for_task(
            keras.Model(features, end), task, classes=classes, optimizer=optimizer, head="add"
        )
        # Full-batch steps. An epoch has overhead, so each contains many steps.
        model.fit(
            np.concatenate([x] * _STEPS_AN_EPOCH),
            np.concatenate([encoded] * _STEPS_AN_EPOCH),
            epochs=-(-steps // _STEPS_AN_EPOCH),
            batch_size=len(x),
            shuffle=False,
            verbose=0,
        )
        weights = _multiplied_out(model.get_weights())
    _require_converged(task, x, encoded, weights, steps)
    value = task.log_likelihood(encoded, design @ weights)
    # Softmax ignores a constant added to all logits, so class 0 is the reference.
    coded = weights if task.domain.by_node else weights[:, 1:] - weights[:, :1]
    return Fit(coded, value)


def twins(x: Array, y: Mapping[str, NDArray[Any]]) -> dict[str, tuple[Fit, Fit]]:
    """Fit each pair of the table as a GLM, by statsmodels, and as a network.

    Parameters
    ----------
    x : ndarray, shape (N, features)
        Standardised.
    y : mapping of str to ndarray
        Targets by name of the task, see `nnloss.theory.problems.targets`.

    Returns
    -------
    dict of str to (Fit, Fit)
        The GLM and the network, by pair, such as ``"sigmoid + BCE"``.
    """
    return {
        pair_of(task): (task.fit_glm(x, y[task.name]), fit_network(task, x, y[task.name]))
        for task in TASKS.values()
    }


def twin_claims(fits: Mapping[str, tuple[Fit, Fit]]) -> list[Claim]:
    """Compare the GLMs with the networks of `twins`."""
    return [claim for name, pair in fits.items() for claim in alike("GLM twins", name, *pair)]


def alike(topic: str, name: str, one: Fit, other: Fit) -> list[Claim]:
    """Return the claims that two fits have equal coefficients and log-likelihoods."""
    return [
        same(topic, f"{name}: coefficients", one.coefficients, other.coefficients, 1e-4),
        same(
            topic,
            f"{name}: log-likelihood",
            one.log_likelihood,
            other.log_likelihood,
            1e-8,
            relative=True,
        ),
    ]


def _require_converged(task: Task, x: Array, y: NDArray[Any], weights: Array, steps: int) -> None:
    """Raise unless the gradient has vanished, relative to that at zero weights."""
    columns = y.reshape(len(x), -1)
    size = [
        max(np.abs(part).max() for part in by_hand([at[1:], at[0]], x, columns, task))
        for at in (weights, np.zeros_like(weights))
    ]
    if not size[0] <= _CONVERGED * size[1]:
        raise ValueError(
            f"The training of '{task.name}' must end where the gradient is zero; after {steps} "
            f"steps it is {size[0]:.1e}, from {size[1]:.1e} at the start. Give more steps, "
            "standardise x, and look for columns that are nearly the same."
        )


def _multiplied_out(weights: list[Array]) -> Array:
    """Return the product of several linear layers, the bias above the kernel."""
    kernel, bias = weights[:2]
    for place in range(2, len(weights), 2):
        kernel, bias = kernel @ weights[place], bias @ weights[place] + weights[place + 1]
    return np.vstack([bias, kernel])
