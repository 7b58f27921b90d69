"""The surface of the loss: a bowl for least squares, and what a network makes of it.

Slices in two random directions, normalised filter by filter: Li et al., *Visualizing the Loss
Landscape of Neural Nets*, NeurIPS 2018.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
#: Kernel, bias, kernel, bias, ... of dense layers, as ``model.get_weights()`` gives them.
Weights = Sequence[NDArray[Any]]


def mean_squared_error(weights: Weights, x: Array, y: Array) -> float:
    """Compute the loss of a dense network: ReLU layers and a linear output.

    Parameters
    ----------
    weights : sequence of ndarray
        One kernel and one bias: the linear regression.
    x : ndarray, shape (N, features)
        Features.
    y : ndarray, shape (N,)
        Targets.

    Returns
    -------
    float
        Mean over rows, in double precision.
    """
    values = x
    for place in range(0, len(weights), 2):
        values = values @ weights[place] + weights[place + 1]
        if place + 2 < len(weights):
            values = np.maximum(values, 0)
    return float(np.mean((values[:, 0] - y) ** 2))


def direction(weights: Weights, random: np.random.Generator) -> list[Array]:
    """Draw a direction in which every filter moves in proportion to its size.

    Parameters
    ----------
    weights : sequence of ndarray
        Where one is.
    random : numpy.random.Generator
        What is drawn from.

    Returns
    -------
    list of ndarray
        Of the shapes of `weights`. Each column of a kernel, the weights of one unit, has the norm
        that it has in `weights`. Biases stay, as in the article.
    """
    drawn = []
    for weight in weights:
        step = random.normal(size=weight.shape)
        norms = np.linalg.norm(weight, axis=0) / np.linalg.norm(step, axis=0)
        drawn.append(step * norms if weight.ndim > 1 else np.zeros(weight.shape))
    return drawn


def surface(
    weights: Weights,
    directions: tuple[Weights, Weights],
    reach: Array,
    x: Array,
    y: Array,
) -> Array:
    """Compute the loss on a plane through the weights.

    Parameters
    ----------
    weights : sequence of ndarray
        The middle.
    directions : tuple of two sequences of ndarray
        That span the plane, as `direction` draws them.
    reach : ndarray, shape (K,)
        How far to go in each direction, in units of the filters' sizes.
    x, y : ndarray
        As for `mean_squared_error`.

    Returns
    -------
    ndarray, shape (K, K)
        Rows: steps in the second direction; columns: in the first.
    """
    first, second = directions
    return np.array(
        [
            [
                mean_squared_error(
                    [w + a * d + b * e for w, d, e in zip(weights, first, second, strict=True)],
                    x,
                    y,
                )
                for a in reach
            ]
            for b in reach
        ]
    )


def profile(weights: Weights, place: tuple[int, ...], reach: Array, x: Array, y: Array) -> Array:
    """Compute the loss along one parameter, all others where they are.

    Parameters
    ----------
    weights : sequence of ndarray
        Where one is.
    place : tuple of int
        Which parameter: the number of the array, and the place in it.
    reach : ndarray, shape (K,)
        What is added to the parameter.
    x, y : ndarray
        As for `mean_squared_error`.

    Returns
    -------
    ndarray, shape (K,)
        The loss.
    """
    losses = []
    for step in reach:
        moved = [np.array(weight, dtype=np.float64) for weight in weights]
        moved[place[0]][place[1:]] += step
        losses.append(mean_squared_error(moved, x, y))
    return np.array(losses)


def quadratic_fit(reach: Array, losses: Array) -> tuple[float, Array]:
    """Fit a quadratic polynomial to a surface.

    Parameters
    ----------
    reach : ndarray, shape (K,)
        The steps in both directions.
    losses : ndarray, shape (K, K)
        As `surface` gives them.

    Returns
    -------
    left : float
        Share of the variance of the surface that the polynomial leaves.
    curvatures : ndarray, shape (2,)
        Its second derivatives along its axes, the smaller first: two positive ones are a bowl, one
        a saddle, none a hill.
    """
    a, b = (grid.ravel() for grid in np.meshgrid(reach, reach))
    terms = np.column_stack([np.ones(a.size), a, b, a * a, a * b, b * b])
    flat = losses.ravel()
    fitted = np.linalg.lstsq(terms, flat, rcond=None)[0]
    _, _, _, aa, ab, bb = fitted
    rest = np.sum((flat - terms @ fitted) ** 2) / np.sum((flat - flat.mean()) ** 2)
    return float(rest), np.linalg.eigvalsh([[2 * aa, ab], [ab, 2 * bb]])


def curvature(reach: Array, losses: Array) -> float:
    """Second derivative in the middle of a profile, by differences.

    Parameters
    ----------
    reach : ndarray, shape (K,)
        Equal steps, K odd.
    losses : ndarray, shape (K,)
        As `profile` gives them.

    Returns
    -------
    float
        Loss per squared unit of the parameter.
    """
    middle, step = len(reach) // 2, reach[1] - reach[0]
    return float((losses[middle - 1] - 2 * losses[middle] + losses[middle + 1]) / step**2)
