"""One run beside many: where a single new run lies, and how far out one is that was seen.

A sample of n runs is taken to be independent draws, and the one run another draw: what is asked is
whether that can be. Limits belong to the interval, so a run on the edge is inside.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Values = NDArray[np.floating[Any]]

ORDER = "order statistics"
STUDENT = "Student t"


@dataclass(frozen=True)
class Interval:
    """Where a single new run lies with a given probability.

    Parameters
    ----------
    low, high : float
        Its limits; NaN where the sample is too small or has no spread to judge by.
    method : {"order statistics", "Student t"}
        Which of the two it is.
    """

    low: float
    high: float
    method: str

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


def interval(values: Values, one_in: int = 20) -> Interval:
    """Find the central interval that one in so many new runs misses.

    Parameters
    ----------
    values : ndarray
        The sample, finite.
    one_in : int, default 20
        20 for the 95 % interval, 1000 for the 99.9 % one.

    Returns
    -------
    Interval
        From the r-th smallest to the r-th largest value, which covers a new one with probability
        (n + 1 - 2r)/(n + 1) or more, whatever the distribution. Where even the smallest and the
        largest cover too little (n < 39 for 95 %), Student's prediction interval.
    """
    n, r = len(values), _rank(len(values), one_in)
    if r:
        ordered = np.sort(values)
        return Interval(float(ordered[r - 1]), float(ordered[n - r]), ORDER)
    mean, error = _prediction(values)
    half = float(stats.t.isf(1 / (2 * one_in), n - 1)) * error if n > 1 else math.nan
    return Interval(mean - half, mean + half, STUDENT)


def p_value(values: Values, value: float) -> float:
    """Two-sided probability that a new run is at least as far out as the one that was seen.

    Parameters
    ----------
    values : ndarray
        The sample, finite.
    value : float
        The one run.

    Returns
    -------
    float
        By the method of the 95 % interval, so that p <= 0.05 outside of it and nowhere else. By
        ranks it is 2/(n + 1) or more. NaN where there is no interval.
    """
    n = len(values)
    if _rank(n, 20):
        nearer = min(np.count_nonzero(values <= value), np.count_nonzero(values >= value))
        return min(1.0, 2 * (1 + int(nearer)) / (n + 1))
    mean, error = _prediction(values)
    if math.isnan(error):
        return math.nan
    return float(2 * stats.t.sf(abs(value - mean) / error, n - 1))


@dataclass(frozen=True)
class Percentile:
    """Share of all runs that lie below one, in percent.

    Parameters
    ----------
    value : float
        In the sample; runs that agree with the one count half.
    low, high : float
        95 % limits by Clopper and Pearson: the lower one for the share below, the upper one for
        the share below or equal. NaN, like the value, without a sample.
    """

    value: float
    low: float
    high: float

    @property
    def inside(self) -> bool:
        """Whether all that the limits allow is in the central 95 %."""
        return self.low >= 2.5 and self.high <= 97.5

    @property
    def outside(self) -> bool:
        """Whether all that the limits allow is in one of the tails."""
        return self.high < 2.5 or self.low > 97.5


def percentile(values: Values, value: float) -> Percentile:
    """Find the percentile of one run in the distribution of which there is a sample.

    Parameters
    ----------
    values : ndarray
        The sample, finite.
    value : float
        The one run.

    Returns
    -------
    Percentile
        With what a sample of this size leaves open.
    """
    n = len(values)
    if not n:
        return Percentile(math.nan, math.nan, math.nan)
    below, up_to = int(np.count_nonzero(values < value)), int(np.count_nonzero(values <= value))
    low = stats.binomtest(below, n).proportion_ci(0.95, "exact").low
    high = stats.binomtest(up_to, n).proportion_ci(0.95, "exact").high
    return Percentile(*(100 * float(share) for share in ((below + up_to) / 2 / n, low, high)))


def _rank(n: int, one_in: int) -> int:
    """Find the largest r with 2r/(n + 1) <= 1/one_in; 0 where there is none."""
    return (n + 1) // (2 * one_in)


def _prediction(values: Values) -> tuple[float, float]:
    """Mean and the standard error of a new run around it; NaN without spread."""
    if len(values) < 2 or np.ptp(values) == 0:
        return math.nan, math.nan
    return float(np.mean(values)), float(np.std(values, ddof=1)) * math.sqrt(1 + 1 / len(values))
