"""The loss along one parameter of least squares and of a network that learns the others."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnloss.theory.claims import Claim, same
from nnloss.theory.landscape import REACH, Array, Weights, mean_squared_error, quadratic_fit

#: Values added to a coefficient of least squares, and to a weight of a network.
WIDE, ALONG = np.linspace(-16, 16, 81), np.linspace(-2, 2, 81)
#: Axis labels of `panels`.
LABELS = {
    "xlabel": "added to a parameter of LSTAT",
    "ylabel": "MSE minus its minimum, (1000 USD)²",
}


def profile(weights: Weights, place: tuple[int, ...], reach: Array, x: Array, y: Array) -> Array:
    """Compute the loss along one parameter, with all others fixed.

    Parameters
    ----------
    weights : sequence of ndarray
        Kernel, bias, kernel, bias, ...
    place : tuple of int
        Index of the array in `weights`, then the index within it.
    reach : ndarray, shape (K,)
        Values to add to the parameter.
    x, y : ndarray
        See `nnloss.theory.landscape.mean_squared_error`.

    Returns
    -------
    ndarray of shape (K,)
        Losses.
    """
    losses = []
    for step in reach:
        moved = [np.array(weight, dtype=np.float64) for weight in weights]
        moved[place[0]][place[1:]] += step
        losses.append(mean_squared_error(moved, x, y))
    return np.array(losses)


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


def influential_unit(weights: Weights, feature: int) -> int:
    """Return the unit of the first hidden layer through which a feature has most influence.

    The influence is the size of the feature's weight times the sum of the sizes of the weights that
    leave the unit.
    """
    first, _, second, *_ = weights
    return int(np.argmax(np.abs(first[feature]) * np.abs(second).sum(axis=1)))


def profiles(
    least: Weights, stages: Mapping[str, Weights], feature: int, x: Array, y: Array
) -> tuple[Array, Array, dict[str, Array]]:
    """Compute the loss along one parameter of a feature in least squares and in a network.

    Parameters
    ----------
    least : sequence of ndarray
        Weights of least squares.
    stages : mapping of str to sequence of ndarray
        Weights of a network at several epochs, in order.
    feature : int
        Column of `x`.
    x, y : ndarray
        See `nnloss.theory.landscape.mean_squared_error`.

    Returns
    -------
    at_zero, fitted : ndarray, shape (81,)
        Least squares at the values `WIDE`, where the other coefficients are 0 and where they are
        fitted.
    learned : dict of str to ndarray, shape (81,)
        The network of each stage at the values `ALONG`, in the unit that is the
        `influential_unit` at the end.
    """
    others = [np.zeros_like(least[0]), least[1]], least
    at_zero, fitted = (profile(each, (0, feature, 0), WIDE, x, y) for each in others)
    unit = influential_unit(list(stages.values())[-1], feature)
    learned = {
        name: profile(weights, (0, feature, unit), ALONG, x, y) for name, weights in stages.items()
    }
    return at_zero, fitted, learned


def curvatures(at_zero: Array, learned: Mapping[str, Array]) -> dict[str, float]:
    """Compute the curvature of each of the `profiles`; that of least squares is the first."""
    return {"least squares": curvature(WIDE, at_zero)} | {
        name: curvature(ALONG, losses) for name, losses in learned.items()
    }


def bowl_claims(plane: Array, at_zero: Array, fitted: Array, column: Array) -> list[Claim]:
    """Compare the loss of least squares with a quadratic bowl.

    Parameters
    ----------
    plane : ndarray, shape (25, 25)
        Surface around least squares, see `surfaces`.
    at_zero, fitted : ndarray, shape (81,)
        Profiles of least squares along LSTAT, see `profiles`.
    column : ndarray, shape (N,)
        The feature LSTAT.

    Returns
    -------
    list of Claim
        Its shape, and its curvature in two ways.
    """
    topic, square = "landscape of least squares", 2 * np.mean(column**2)
    left, _ = quadratic_fit(REACH, plane)
    one, other = curvature(WIDE, at_zero), curvature(WIDE, fitted)
    return [
        same(topic, "share not explained by a quadratic", left, 0, 1e-12),
        same(topic, "curvature, others 0 = others fitted", one, other, 1e-8, relative=True),
        same(topic, "curvature = 2 mean(LSTAT²)", one, square, 1e-8, relative=True),
    ]


def panels(
    at_zero: Array, fitted: Array, learned: Mapping[str, Array]
) -> dict[str, tuple[Array, dict[str, Array]]]:
    """Return `profiles` as the panels of the figure `nnloss.plots.profiles`.

    Parameters
    ----------
    at_zero, fitted, learned
        See `profiles`.

    Returns
    -------
    dict of str to (ndarray, dict of str to ndarray)
        Values added and losses by name, by title.
    """
    return {
        "least squares: one bowl, moved": (WIDE, {"at 0": at_zero, "fitted": fitted}),
        "network: another curve at each epoch": (ALONG, dict(learned)),
    }
