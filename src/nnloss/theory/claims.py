"""Claims that two numbers are equal within a tolerance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from nnloss.runs import Run


@dataclass(frozen=True)
class Claim:
    """Claim that two quantities are equal.

    Parameters
    ----------
    topic, claim : str
        The topic, and the claim in words or as a formula.
    left, right : float
        Both sides; for arrays, the elements where the left side is largest in absolute value.
    difference : float
        Largest absolute difference of any element; if `relative`, divided by the largest absolute
        value on either side.
    tolerance : float
        Largest difference at which the claim holds.
    relative : bool
        Whether `difference` is relative.

    See Also
    --------
    same : Compare two quantities.
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
        """Whether both sides agree; False if a side is NaN."""
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
    """Compare two quantities element by element.

    Parameters
    ----------
    topic, claim : str
        See `Claim`.
    left, right : array_like
        Numbers of the same shape.
    tolerance : float
        Largest difference at which the claim holds.
    relative : bool, default False
        Whether to divide differences by the largest absolute value on either side.

    Returns
    -------
    Claim
        With the elements of both sides where the left one is largest.

    Raises
    ------
    ValueError
        If the shapes differ or there are no elements; nothing is broadcast.

    Examples
    --------
    >>> from nnloss import likelihoods
    >>> from nnloss.theory import same
    >>> claim = same(
    ...     "softmax",
    ...     "softmax(z)[1] = sigmoid(z1 - z0)",
    ...     likelihoods.softmax([0.5, 2.0])[1],
    ...     likelihoods.sigmoid(1.5),
    ...     tolerance=1e-10,
    ... )
    >>> claim.left, claim.holds
    (0.8176, True)
    """
    one, other = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if one.shape != other.shape or not one.size:
        raise ValueError(
            f"The two sides of a claim need the same shape; found {one.shape} and {other.shape}. "
            "Give matching arrays."
        )
    difference = float(np.max(np.abs(one - other)))
    if relative:
        difference /= float(max(np.max(np.abs(one)), np.max(np.abs(other)), 1e-300))
    largest = int(np.argmax(np.abs(one)))
    sides = float(one.flat[largest]), float(other.flat[largest])
    return Claim(topic, claim, *sides, difference, tolerance, relative)


def records(claims: Sequence[Claim]) -> list[dict[str, Any]]:
    """Return claims as dictionaries for a record, with what each of them ``holds``."""
    return [asdict(each) | {"holds": each.holds} for each in claims]


def save(claims: Sequence[Claim], run: Run) -> None:
    """Write claims as ``claims.csv`` of a run, and into its record."""
    rows = records(claims)
    run.save_table("claims", pd.DataFrame(rows))
    run.update(claims=rows)


def claim_table(claims: Sequence[Claim]) -> pd.DataFrame:
    """Return claims as a table to read: both numbers, their difference, and its limit.

    Parameters
    ----------
    claims : sequence of Claim
        A row for each.

    Returns
    -------
    DataFrame
        Texts: ``claim``, ``left`` and ``right`` with five digits, ``differ`` (the difference),
        ``limit`` (the tolerance) and ``holds``.
    """
    return pd.DataFrame(
        {
            "claim": each.claim,
            "left": f"{each.left:.5g}",
            "right": f"{each.right:.5g}",
            "differ": f"{each.difference:.1g}",
            "limit": f"{each.tolerance:.0e}",
            "holds": "yes" if each.holds else "NO",
        }
        for each in claims
    )


def verdict(claims: Sequence[Claim]) -> str:
    """Return how many claims hold, with the difference that is largest for its tolerance."""
    holding = sum(each.holds for each in claims)
    largest = max(claims, key=lambda each: (not each.holds, each.difference / each.tolerance))
    return (
        f"{holding} of {len(claims)} claims hold (difference {largest.difference:.1g}, allowed "
        f"{largest.tolerance:.0e})"
    )
