"""Loss surfaces of least squares and of a network around their weights.

Slices in two random directions with filter normalisation: Li et al., *Visualizing the Loss
Landscape of Neural Nets*, NeurIPS 2018.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
#: Kernel, bias, kernel, bias, ... of dense layers, as ``model.get_weights()`` returns them.
Weights = Sequence[NDArray[Any]]


def mean_squared_error(weights: Weights, x: Array, y: Array) -> float:
    """Compute the MSE of a dense network with ReLU layers and one linear output.

    Parameters
    ----------
    weights : sequence of ndarray
        Kernel, bias, kernel, bias, ...; a single pair is a linear regression.
    x : ndarray, shape (N, features)
    y : ndarray, shape (N,)

    Returns
    -------
    float
        Mean over rows, in float64.
    """
    values = x
    for place in range(0, len(weights), 2):
        values = values @ weights[place] + weights[place + 1]
        if place + 2 < len(weights):
            values = np.maximum(values, 0)
    return float(np.mean((values[:, 0] - y) ** 2))


def direction(weights: Weights, random: np.random.Generator) -> list[Array]:
    """Draw a random direction, scaled filter by filter.

    Parameters
    ----------
    weights : sequence of ndarray
    random : numpy.random.Generator

    Returns
    -------
    list of ndarray
        In the shapes of `weights`. Each column of a kernel, the weights of one unit, has the norm
        of that column in `weights`. Biases are 0, as in the article.
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
        Centre of the plane.
    directions : tuple of two sequences of ndarray
        Vectors that span the plane, see `direction`.
    reach : ndarray, shape (K,)
        Steps in each direction, as multiples of it.
    x, y : ndarray
        See `mean_squared_error`.

    Returns
    -------
    ndarray, shape (K, K)
        Rows are steps in the second direction, columns in the first.
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
    """Compute the loss along one parameter, with all others fixed.

    Parameters
    ----------
    weights : sequence of ndarray
    place : tuple of int
        Index of the array in `weights`, then the index within it.
    reach : ndarray, shape (K,)
        Values to add to the parameter.
    x, y : ndarray
        See `mean_squared_error`.

    Returns
    -------
    ndarray, shape (K,)
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
        Steps in both directions.
    losses : ndarray, shape (K, K)
        Result of `surface`.

    Returns
    -------
    left : float
        Share of the variance of the surface that the polynomial does not explain.
    curvatures : ndarray, shape (2,)
        Second derivatives along its principal axes, the smaller first: both positive for a bowl,
        opposite signs for a saddle, both negative for a hill.
    """
    a, b = (grid.ravel() for grid in np.meshgrid(reach, reach))
    terms = np.column_stack([np.ones(a.size), a, b, a * a, a * b, b * b])
    flat = losses.ravel()
    fitted = np.linalg.lstsq(terms, flat, rcond=None)[0]
    _, _, _, aa, ab, bb = fitted
    rest = np.sum((flat - terms @ fitted) ** 2) / np.sum((flat - flat.mean()) ** 2)
    return float(rest), np.linalg.eigvalsh([[2 * aa, ab], [ab, 2 * bb]])


def curvature(reach: Array, losses: Array) -> float:
    """Compute the second derivative at the centre of a profile by finite differences.

    Parameters
    ----------
    reach : ndarray, shape (K,)
        Equidistant steps, K odd.
    losses : ndarray, shape (K,)
        Result of `profile`.

    Returns
    -------
    float
        Loss per squared unit of the parameter.
    """
    middle, step = len(reach) // 2, reach[1] - reach[0]
    return float((losses[middle - 1] - 2 * losses[middle] + losses[middle + 1]) / step**2)
