"""Prediction interval of a single run, and p-value and percentile of an observed one.

The sample of n runs and the one run are assumed to be independent draws from one distribution.
Limits belong to the interval, so a run on the edge is inside.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy  # its parts load when they are used
from numpy.typing import NDArray

Values = NDArray[np.floating[Any]]

ORDER = "order statistics"
STUDENT = "Student t"


@dataclass(frozen=True)
class Interval:
    """Prediction interval of a single new run, by order statistics or by Student's t.

    The limits are NaN where the sample is too small or has no spread.
    """

    low: float
    high: float
    method: str

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


def interval(values: Values, one_in: int = 20) -> Interval:
    """Return the central interval that one in `one_in` new runs misses (20: 95 %; 1000: 99.9 %).

    From the r-th smallest to the r-th largest value, it covers a new one with probability
    (n + 1 - 2r)/(n + 1) or more, whatever the distribution. Where even r = 1 covers too little
    (n < 39 for 95 %), it is Student's prediction interval.
    """
    n, r = len(values), _rank(len(values), one_in)
    if r:
        ordered = np.sort(values)
        return Interval(float(ordered[r - 1]), float(ordered[n - r]), ORDER)
    mean, error = _prediction(values)
    half = float(scipy.stats.t.isf(1 / (2 * one_in), n - 1)) * error if n > 1 else math.nan
    return Interval(mean - half, mean + half, STUDENT)


def p_value(values: Values, value: float) -> float:
    """Return the two-sided probability of a new run at least as extreme as the observed one.

    The method is that of the 95 % interval, so that p <= 0.05 if and only if `value` is outside.
    By ranks p is 2/(n + 1) or more. NaN where there is no interval.
    """
    n = len(values)
    if _rank(n, 20):
        nearer = min(np.count_nonzero(values <= value), np.count_nonzero(values >= value))
        return min(1.0, 2 * (1 + int(nearer)) / (n + 1))
    mean, error = _prediction(values)
    if math.isnan(error):
        return math.nan
    return float(2 * scipy.stats.t.sf(abs(value - mean) / error, n - 1))


@dataclass(frozen=True)
class Percentile:
    """Percentage of all runs below one run, with equal runs counted half.

    The 95 % limits are by Clopper and Pearson: `low` for the share below, `high` for the share
    below or equal. All are NaN without a sample.
    """

    value: float
    low: float
    high: float

    @property
    def inside(self) -> bool:
        """True if both limits are in the central 95 %."""
        return self.low >= 2.5 and self.high <= 97.5

    @property
    def outside(self) -> bool:
        """True if both limits are in the same tail."""
        return self.high < 2.5 or self.low > 97.5


def percentile(values: Values, value: float) -> Percentile:
    """Return the percentile of one run in the distribution of the sample."""
    n = len(values)
    if not n:
        return Percentile(math.nan, math.nan, math.nan)
    below, up_to = int(np.count_nonzero(values < value)), int(np.count_nonzero(values <= value))
    low = scipy.stats.binomtest(below, n).proportion_ci(0.95, "exact").low
    high = scipy.stats.binomtest(up_to, n).proportion_ci(0.95, "exact").high
    return Percentile(*(100 * float(share) for share in ((below + up_to) / 2 / n, low, high)))


def _rank(n: int, one_in: int) -> int:
    """Return the largest r with 2r/(n + 1) <= 1/one_in, or 0."""
    return (n + 1) // (2 * one_in)


def _prediction(values: Values) -> tuple[float, float]:
    """Return the mean and the standard error of a new run around it; NaN without spread."""
    if len(values) < 2 or np.ptp(values) == 0:
        return math.nan, math.nan
    return float(np.mean(values)), float(np.std(values, ddof=1)) * math.sqrt(1 + 1 / len(values))
