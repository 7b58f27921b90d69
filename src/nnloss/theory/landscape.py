"""Loss surfaces of least squares and of a network around their weights.

Slices in two random directions with filter normalisation: Li et al., *Visualizing the Loss
Landscape of Neural Nets*, NeurIPS 2018.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnloss.table import REGRESSION

Array = NDArray[np.float64]
#: Kernel, bias, kernel, bias, ... of dense layers, as ``model.get_weights()`` returns them.
Weights = Sequence[NDArray[Any]]

#: Steps along random directions, as shares of the size of the weights.
REACH = np.linspace(-1, 1, 25)


def least_squares(x: Array, y: Array) -> list[Array]:
    """Fit a linear regression and return its weights as those of a network without hidden layer."""
    intercept, *slopes = REGRESSION.fit_glm(x, y).coefficients
    return [np.array(slopes), intercept]


def mean_squared_error(weights: Weights, x: Array, y: Array) -> float:
    """Compute the MSE of a dense network with ReLU layers and one linear output.

    Parameters
    ----------
    weights : sequence of ndarray
        Kernel, bias, kernel, bias, ...; a single pair is a linear regression.
    x : ndarray of shape (N, features)
        Inputs.
    y : ndarray of shape (N,)
        Targets.

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
        Kernel, bias, kernel, bias, ...
    random : numpy.random.Generator
        Source of the random numbers.

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
        See `nnloss.theory.landscape.mean_squared_error`.

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


def surfaces(weights: Mapping[str, Weights], x: Array, y: Array) -> dict[str, Array]:
    """Compute the loss on a plane through each of several weights.

    Parameters
    ----------
    weights : mapping of str to sequence of ndarray
        Centres of the planes, by title.
    x, y : ndarray
        See `nnloss.theory.landscape.mean_squared_error`.

    Returns
    -------
    dict of str to ndarray, shape (25, 25)
        Result of `surface` at the steps `REACH`. Weights of the same shapes share the random
        directions, apart from their scale.
    """
    found = {}
    for name, centre in weights.items():
        random = np.random.default_rng(0)
        plane = direction(centre, random), direction(centre, random)
        found[name] = surface(centre, plane, REACH, x, y)
    return found


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


def curvature_table(planes: Mapping[str, Array], along: Mapping[str, float]) -> pd.DataFrame:
    """Return a table to read of the shapes of several surfaces.

    Parameters
    ----------
    planes : mapping of str to ndarray
        Result of `surfaces`.
    along : mapping of str to float
        Curvature along LSTAT, by the same names.

    Returns
    -------
    DataFrame
        Texts: ``slice around``, the share that is ``not quadratic``, the ``smaller`` and the
        ``larger`` curvature of the plane, and the one ``along LSTAT``.
    """
    rows = []
    for name, plane in planes.items():
        left, (smaller, larger) = quadratic_fit(REACH, plane)
        rows.append(
            {
                "slice around": name,
                "not quadratic": f"{left:.1%}",
                "smaller": f"{smaller:.0f}",
                "larger": f"{larger:.0f}",
                "along LSTAT": f"{along[name]:.2f}",
            }
        )
    return pd.DataFrame(rows)
