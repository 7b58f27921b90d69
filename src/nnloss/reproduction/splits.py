"""MAE against MSE as training loss on many random splits of Boston Housing."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import scipy  # its parts load when they are used

from nnloss.course.published import EDITIONS, Edition, Settings
from nnloss.reproduction.comparisons import (
    QUESTIONS,
    Metric,
    arms,
    finite_pairs,
    settings_of_row,
    shared_settings,
)

(QUESTION,) = (each for each in QUESTIONS if each.exercise == "boston")
MSE, MAE = QUESTION.first.loss, QUESTION.second.loss
COLUMNS = """
    edition batch_size metric title splits seeds mse mae difference sd low high p mae_better
    course_difference course_rank
""".split()

METRICS = (
    Metric(f"val_{MSE}", "test MSE"),
    Metric("val_root_mean_squared_error", "test RMSE"),
    Metric(f"val_{MAE}", "test MAE"),
    Metric("val_median_absolute_error", "test median absolute error"),
)

#: Explanation of the study, for reports; empty lines separate paragraphs.
RULE = """
The 506 rows are split at random, as often as stated, into 404 for training and 102 for testing. On
each split both networks are trained from the same seeds; the difference, MAE minus MSE, is averaged
over the seeds, so that each split gives one difference.

The training sets of two splits share most of their rows, so that the differences are not
independent and the usual standard error is too small. The interval is the corrected one of Nadeau
and Bengio (Machine Learning 52, 2003): the variance of the mean of J differences is taken as
(1/J + 102/404) times their variance, with J - 1 degrees of freedom. It is an approximate 95 %
interval for the mean difference over training sets of this size from the same districts. A single
split may lie far outside of it.
""".strip()


def compare_splits(
    splits: pd.DataFrame,
    seeds: pd.DataFrame,
    *,
    editions: Iterable[Edition] = EDITIONS,
    test_share: float = 102 / 404,
) -> pd.DataFrame:
    """Compare training on MAE with training on MSE over random splits, by `RULE`.

    Parameters
    ----------
    splits : DataFrame
        One row per configuration and seed: ``loss``, ``epochs``, ``batch_size``, ``seed``,
        ``split``, ``diverged`` and the test metrics. May be empty.
    seeds : DataFrame
        The same on the course's split, without ``split``. May be empty.
    editions : iterable of int or str, default `EDITIONS`
        Editions of the course whose settings are used.
    test_share : float, default 102 / 404
        Test rows divided by training rows.

    Returns
    -------
    DataFrame
        One row per setting and metric: ``mse`` and ``mae`` are the means of the networks trained
        on these losses, ``sd`` is the standard deviation of the differences over splits,
        ``mae_better`` the number of splits in which MAE gave the smaller value.
        ``course_difference`` is the mean on the course's split, and ``course_rank`` the number of
        random splits with a smaller difference; missing where `seeds` has no such metric. Seeds
        that diverged are left out.
    """
    splits, seeds = _with_rmse(splits), _with_rmse(seeds)
    rows = []
    for settings, edition in shared_settings(QUESTION, editions).items():
        for metric in METRICS:
            pairs = _pairs(splits, settings, metric.column)
            if pairs.empty:
                continue
            by_split = pairs.groupby("split").mean()
            steps = by_split["difference"]
            course = _pairs(seeds, settings, metric.column)["difference"].mean()
            rows.append(
                {
                    "edition": edition,
                    "batch_size": settings[0].batch_size,
                    "metric": metric.column,
                    "title": metric.title,
                    "splits": len(by_split),
                    "seeds": round(len(pairs) / len(by_split)),
                    "mse": by_split["first"].mean(),
                    "mae": by_split["second"].mean(),
                    **_corrected(steps.to_numpy(), test_share),
                    "mae_better": int((steps < 0).sum()),
                    "course_difference": course,
                    "course_rank": math.nan if math.isnan(course) else int((steps < course).sum()),
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def conclusion(table: pd.DataFrame) -> str:
    """Return a paragraph on the result of `compare_splits`."""
    texts = [
        "MSE is smallest for predictions of the mean, MAE for predictions of the median, so each "
        "loss should win on its own metric; on the other one it wins where it estimates with less "
        "noise."
    ]
    for batch_size, rows in table.groupby("batch_size"):
        parts = []
        for _, row in rows[rows["metric"].isin([f"val_{MSE}", f"val_{MAE}"])].iterrows():
            text = (
                f"the {row['title']} by {row['difference']:+.2f} (95 % interval {row['low']:+.2f} "
                f"to {row['high']:+.2f}; lower on {row['mae_better']} of {row['splits']} splits"
            )
            if not pd.isna(row["course_difference"]):
                text += f"; on the course's split {row['course_difference']:+.2f}"
            parts.append(f"{text})")
        texts.append(
            f"In batches of {batch_size}, training on MAE instead of MSE changed "
            f"{' and '.join(parts)}."
        )
    return " ".join(texts)


def split_differences(splits: pd.DataFrame, row: pd.Series[Any]) -> pd.Series[float]:
    """Return the differences behind a row of `compare_splits`, MAE minus MSE, by split."""
    settings = settings_of_row(QUESTION, row)
    pairs = _pairs(_with_rmse(splits), settings, row["metric"])
    return pairs.groupby("split")["difference"].mean()


def _with_rmse(table: pd.DataFrame) -> pd.DataFrame:
    if f"val_{MSE}" not in table:
        return table
    root = np.sqrt(table[f"val_{MSE}"].astype(float))
    return table.assign(val_root_mean_squared_error=root)


def _pairs(table: pd.DataFrame, settings: tuple[Settings, Settings], column: str) -> pd.DataFrame:
    """Return a metric of both networks and its difference, MAE minus MSE, by seed."""
    first, second = arms(table, QUESTION, settings)
    if column not in first:
        return pd.DataFrame(columns=["first", "second", "difference", "split"])
    pairs = finite_pairs(first, second, column)
    # On the course's split there is no column of splits.
    return pairs.assign(difference=pairs["second"] - pairs["first"], split=first.get("split"))


def _corrected(steps: np.ndarray[Any, Any], test_share: float) -> dict[str, float]:
    """Return mean and SD of the differences, and Nadeau and Bengio's interval and p-value."""
    n, mean = len(steps), float(steps.mean())
    if n < 2 or np.ptp(steps) == 0:
        nothing = dict.fromkeys(("sd", "low", "high", "p"), math.nan)
        return {"difference": mean, **nothing}
    sd = float(steps.std(ddof=1))
    error = sd * math.sqrt(1 / n + test_share)
    half = float(scipy.stats.t.isf(0.025, n - 1)) * error
    p = float(2 * scipy.stats.t.sf(abs(mean) / error, n - 1))
    return {"difference": mean, "sd": sd, "low": mean - half, "high": mean + half, "p": p}
