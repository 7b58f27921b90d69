"""A claim that two numbers are one, with both numbers and how far they may differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Claim:
    """That two quantities are the same.

    Parameters
    ----------
    topic : str
        What it is about.
    claim : str
        In words or as a formula.
    left, right : float
        Both sides; of arrays the two numbers where the left one is largest.
    difference : float
        The largest of any element; a share of the larger side if `relative`.
    tolerance : float
        The largest difference at which the claim holds.
    relative : bool
        How the difference is counted.
    """

    topic: str
    claim: str
    left: float
    right: float
    difference: float
    tolerance: float
    relative: bool

    @property
    def holds(self) -> bool:
        """Whether both sides agree; a side that is not a number agrees with nothing."""
        return self.difference <= self.tolerance


def same(
    topic: str,
    claim: str,
    left: ArrayLike,
    right: ArrayLike,
    tolerance: float,
    *,
    relative: bool = False,
) -> Claim:
    """Compare two quantities.

    Parameters
    ----------
    topic, claim : str
        See `Claim`.
    left, right : array_like
        Numbers, of one shape.
    tolerance : float
        The largest difference at which the claim holds.
    relative : bool, default False
        Whether differences are shares of the largest number on either side.

    Returns
    -------
    Claim
        With the largest number on the left, that on its right, and the largest difference.

    Raises
    ------
    ValueError
        If the shapes differ: numbers must not be compared by broadcasting.
    """
    one, other = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if one.shape != other.shape or not one.size:
        raise ValueError(
            f"A claim needs two sides of one shape; found {one.shape} and {other.shape}. "
            "Give numbers that belong to each other."
        )
    difference = float(np.max(np.abs(one - other)))
    if relative:
        difference /= float(max(np.max(np.abs(one)), np.max(np.abs(other)), 1e-300))
    largest = int(np.argmax(np.abs(one)))
    sides = float(one.flat[largest]), float(other.flat[largest])
    return Claim(topic, claim, *sides, difference, tolerance, relative)
