"""Exact tests of whether one run of the course is like ours: of its curves, and of its matrix.

If the course's run is a draw from the same distribution as our n seeds, all n + 1 runs are
exchangeable: each has the same chance to be the most extreme one. So p is the share of the n + 1
runs that are at least as extreme as the course's, and is at most k/(n + 1) with probability
k/(n + 1) or less, whatever the distribution. A level of 5 % takes 19 seeds; with n of them the
exact level is the largest multiple of 1/(n + 1) up to 5 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy  # its parts load when they are used
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

#: Nominal level, and the number of seeds that it takes.
LEVEL, LEAST_SEEDS = 0.05, 19


@dataclass(frozen=True)
class Envelope:
    """Result of `global_envelope`.

    Parameters
    ----------
    p : float
        Share of the runs, the course's included, that are at least as extreme as the course's.
    low, high : ndarray of shape (K,)
        Global envelope; NaN with too few seeds.
    outside : ndarray of bool of shape (K,)
        Where the course's run leaves the envelope.
    """

    p: float
    low: Array
    high: Array
    outside: NDArray[np.bool_]


def level(n: int) -> float:
    """Return the exact level of a test with n seeds; 0 if they are too few."""
    return math.floor(LEVEL * (n + 1) + 1e-9) / (n + 1)


def p_value(extremeness: ArrayLike) -> float:
    """Return the share of all runs that are at least as extreme as the last one, the course's."""
    values = np.asarray(extremeness)
    return float(np.mean(values >= values[-1]))


def global_envelope(ours: Array, course: Array) -> Envelope:
    """Compare a run of K values with n of ours by a global rank envelope.

    At each of the K points the n + 1 runs are ranked from both ends; a run is as extreme as its
    smallest ranks, compared one after another (extreme rank lengths). The envelope contains the
    runs that remain when the most extreme ones, as many as `level` allows, are left out. The
    course's run leaves it somewhere exactly if p is at most the level, ties aside.

    Source: Myllymäki, Mrkvička, Grabarnik, Seijo and Hahn, "Global envelope tests for spatial
    processes", *J. R. Statist. Soc. B* 79 (2017), 381-404.

    Parameters
    ----------
    ours : ndarray of shape (n, K)
    course : ndarray of shape (K,)

    Returns
    -------
    Envelope
    """
    runs = np.vstack([ours, course])
    upward = scipy.stats.rankdata(runs, axis=0)
    ranks = np.sort(np.minimum(upward, len(runs) + 1 - upward), axis=1)
    # Equal rows of ranks are equally extreme.
    _, order = np.unique(ranks, axis=0, return_inverse=True)
    extremeness = -order.reshape(-1).astype(float)
    p = p_value(extremeness)
    left_out = round(level(len(ours)) * len(runs))
    if not left_out:
        nothing = np.full(runs.shape[1], np.nan)
        return Envelope(p, nothing, nothing, np.zeros(runs.shape[1], dtype=bool))
    # Of equally extreme runs all stay, or the level would be exceeded.
    limit = np.sort(extremeness)[::-1][left_out]
    inside = runs[extremeness <= limit]
    low, high = inside.min(axis=0), inside.max(axis=0)
    return Envelope(p, low, high, (course < low) | (course > high))


def distances(matrices: Array) -> Array:
    """Return the Euclidean distance of each matrix from the mean of the others.

    Each cell counts in units of its standard deviation over all matrices, and a cell that never
    varies does not count. All matrices are treated alike, so that the distances are exchangeable.

    Parameters
    ----------
    matrices : ndarray of shape (n + 1, classes, classes)

    Returns
    -------
    ndarray of shape (n + 1,)
    """
    n = len(matrices)
    spread = matrices.std(axis=0, ddof=1)
    varies = spread > 0
    # A matrix minus the mean of the others is n / (n - 1) times the matrix minus the mean of all.
    away = (matrices - matrices.mean(axis=0))[:, varies] * n / (n - 1) / spread[varies]
    return np.asarray(np.linalg.norm(away, axis=1))
