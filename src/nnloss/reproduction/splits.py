"""MAE against MSE as training loss on many random splits of Boston Housing."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from nnloss.course.published import EDITIONS, Edition, settings_of
from nnloss.reproduction.comparisons import Metric
from nnloss.reproduction.seed_table import of_configuration

MSE, MAE = "mean_squared_error", "mean_absolute_error"
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
    shared: dict[int, list[Edition]] = {}
    for edition in editions:
        shared.setdefault(settings_of("boston", edition).batch_size, []).append(edition)
    rows = []
    for batch_size, found in shared.items():
        names = ", ".join(map(str, found))
        for metric in METRICS:
            pairs = _pairs(splits, found[0], metric)
            if pairs.empty:
                continue
            each = pairs.groupby("split").mean()
            steps = each["difference"]
            course = _pairs(seeds, found[0], metric)["difference"].mean()
            rows.append(
                {
                    "edition": names,
                    "batch_size": batch_size,
                    "metric": metric.column,
                    "title": metric.title,
                    "splits": len(each),
                    "seeds": round(len(pairs) / len(each)),
                    "mse": each["mse"].mean(),
                    "mae": each["mae"].mean(),
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
    edition = next(each for each in EDITIONS if str(each) in row["edition"].split(", "))
    metric = next(each for each in METRICS if each.column == row["metric"])
    return _pairs(splits, edition, metric).groupby("split")["difference"].mean()


def _pairs(table: pd.DataFrame, edition: Edition, metric: Metric) -> pd.DataFrame:
    """Return the metric of both networks and its difference, by seed."""
    settings = settings_of("boston", edition)
    arms = {}
    for name, loss in (("mse", MSE), ("mae", MAE)):
        rows = of_configuration(table, "boston", loss, None, settings)
        if f"val_{MSE}" in rows:
            root = np.sqrt(rows[f"val_{MSE}"].astype(float))
            rows = rows.assign(val_root_mean_squared_error=root)
        if metric.column not in rows:
            return pd.DataFrame(columns=["split", "mse", "mae", "difference"])
        rows = rows[~rows["diverged"].astype(bool)].set_index("seed")
        arms[name] = rows[metric.column].astype(float)
        split = rows["split"] if "split" in rows else 0
    pairs = pd.DataFrame(arms).dropna()
    pairs.insert(0, "split", split)
    return pairs.assign(difference=pairs["mae"] - pairs["mse"])


def _corrected(steps: np.ndarray[Any, Any], test_share: float) -> dict[str, float]:
    """Return mean and SD of the differences, and Nadeau and Bengio's interval and p-value."""
    n, mean = len(steps), float(steps.mean())
    if n < 2 or np.ptp(steps) == 0:
        nothing = dict.fromkeys(("sd", "low", "high", "p"), math.nan)
        return {"difference": mean, **nothing}
    sd = float(steps.std(ddof=1))
    error = sd * math.sqrt(1 / n + test_share)
    half = float(stats.t.isf(0.025, n - 1)) * error
    p = float(2 * stats.t.sf(abs(mean) / error, n - 1))
    return {"difference": mean, "sd": sd, "low": mean - half, "high": mean + half, "p": p}
