"""Captions for the figures of a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnloss import plots
from nnloss.report.wording import between, count, number, printed, probability
from nnloss.reproduction.prediction import Interval

_Array = NDArray[np.floating[Any]]


def distribution(name: str, sample: _Array, found: Interval, published: Mapping[str, float]) -> str:
    """Return a sentence on one configuration, whose `sample` has one finite value per seed."""
    if not len(sample):
        return f"{name}: no seed gave a finite number."
    if len(sample) == 1:
        text = f"{name}: one seed, {number(sample[0])}"
    else:
        sd = float(np.std(sample, ddof=1))
        text = (
            f"{name}: {count(len(sample), 'seed')}, mean {number(float(np.mean(sample)), sd)}, "
            f"sd {number(sd, sd)}, range {between(sample.min(), sample.max(), sd)}"
        )
        if np.isfinite(found.low):
            text += f", 95 % of single runs {between(found.low, found.high, sd)}"
    course = ", ".join(f"{printed(value)} ({edition})" for edition, value in published.items())
    return f"{text}; published {course}." if course else f"{text}."


def curves(rows: pd.DataFrame, metric: str) -> str:
    """Return a text on the bands of one configuration and their values after the last epoch."""
    n = rows["seed"].nunique()
    parts = []
    for name, called in ((metric, "training"), (f"val_{metric}", "test")):
        last = plots.bands(rows, name).iloc[-1]
        low, high = last["outer_low"], last["outer_high"]
        text = f"{called} {number(last['median'], high - low)}"
        parts.append(f"{text} ({between(low, high)})" if n > 1 else text)
    ends = f"{', '.join(parts)}."
    after = f"After epoch {rows['epoch'].max()}"
    if n == 1:
        return f"{after}, one seed: {ends}"
    if n < plots.MANY:
        return f"Band: all seeds. {after}, median and range of {n} seeds: {ends}"
    return (
        f"Bands: central 50 % and 95 % of the seeds. {after}, median and central 95 % of {n:,} "
        f"seeds: {ends}"
    )


SPLITS = (
    "Each value is a split, averaged over its seeds. Bar and dot: the mean and its corrected 95 % "
    "interval. Dashed: the course's split. Left of 0 MAE is better."
)


def printed_log(row: pd.Series[Any]) -> str:
    """Return a sentence on the verdict on one training log."""
    p = probability(row["p"])
    text = f"{row['edition']}: {row['verdict']}, p = {p} with {count(row['n'], 'seed')}"
    return f"{text}; outside the band are {row['outside']}." if row["outside"] else f"{text}."


def difference(sample: pd.Series[float], row: pd.Series[Any]) -> str:
    """Return a sentence on the differences, one per seed, behind one comparison."""
    low, high = row["low"], row["high"]
    text = f"{count(len(sample), 'seed')}, mean {number(row['difference'], high - low)}"
    if not pd.isna(high - low):
        text += f", 95 % interval of the mean {between(low, high)}"
    if len(sample) > 1:
        ends = between(sample.min(), sample.max(), float(sample.std()))
        text += f"; the differences go from {ends}"
    return f"{text}."


def confusion(rows: pd.DataFrame) -> str:
    """Return the accuracy and the most frequent mistake of one configuration, in words."""
    n = rows["seed"].nunique()
    cells = (rows.groupby(["actual", "predicted"], sort=False)["count"].sum() / n).reset_index()
    totals = cells.groupby("actual")["count"].sum()
    wrong = cells[cells["actual"].ne(cells["predicted"])]
    share = 1 - wrong["count"].sum() / cells["count"].sum()
    text = (
        f"Mean over {count(n, 'seed')}{', ± standard deviation' if n > 1 else ''}; shade: share of "
        f"the actual class. {share:.2%} of {number(totals.sum())} test rows are right."
    )
    if not wrong["count"].sum():
        return text
    most = wrong.iloc[int(wrong["count"].argmax())]
    return (
        f"{text} Most often wrong: {most['actual']} taken for {most['predicted']}, "
        f"{number(most['count'])} of {number(totals[most['actual']])}."
    )
