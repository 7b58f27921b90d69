"""Comparisons of two networks seed by seed: losses, and augmented images."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy  # its parts load when they are used

from nnloss.course.published import EDITIONS, Edition, Settings, parse_edition, settings_of
from nnloss.reproduction.seed_table import rows_of

COLUMNS = """
    exercise edition question first second metric title n diverged unpaired first_mean second_mean
    difference low high share wilcoxon_p smallest_p better note
""".split()

#: Explanation of the comparisons, for reports.
RULE = """
Both networks are trained from the same seeds, and each seed gives a difference, second minus first.
The interval is Student's 95 % interval of the mean difference; where it excludes 0, the better one
is named. The share is that of the seeds in which the second is better, equal ones counted half. p
is two-sided, by Wilcoxon's signed ranks, and with n pairs never less than 2/2^n; below 6 pairs it
cannot fall below 0.05. Intervals and p are those of the single comparison, not corrected for their
number. A seed that diverged in either network is left out and counted.
""".strip()


@dataclass(frozen=True)
class Metric:
    """Metric of both networks: its column in the table of seeds, and whether higher is better."""

    column: str
    title: str
    higher_is_better: bool = False


@dataclass(frozen=True)
class Arm:
    """One of two compared networks; `augment` is None where there are no images."""

    label: str
    loss: str
    augment: bool | None = None


@dataclass(frozen=True)
class Question:
    """Comparison of two networks, the course's own first; each question has a unique text."""

    exercise: str
    text: str
    first: Arm
    second: Arm
    metrics: tuple[Metric, ...]

    def settings(self, edition: Edition) -> tuple[Settings, Settings]:
        """Return the settings of the first and the second network in an edition."""
        first, second = (
            settings_of(self.exercise, edition, augment=bool(arm.augment))
            for arm in (self.first, self.second)
        )
        return first, second


_CCE = "categorical_crossentropy"
_TEST_LOSS = Metric("val_loss", "test loss")
_ACCURACY = Metric("val_accuracy", "test accuracy", higher_is_better=True)

#: The test losses on Boston are not comparable: MSE and MAE have different units. On Wafer, CCE and
#: BCE are the same negative log-likelihood of a series.
QUESTIONS = (
    Question(
        "boston",
        "MAE instead of MSE as training loss",
        Arm("MSE", "mean_squared_error"),
        Arm("MAE", "mean_absolute_error"),
        (
            Metric("val_mean_squared_error", "test MSE"),
            Metric("val_mean_absolute_error", "test MAE"),
        ),
    ),
    Question(
        "cifar10",
        "augmented training images instead of plain ones",
        Arm("plain", _CCE, augment=False),
        Arm("augmented", _CCE, augment=True),
        (_TEST_LOSS, _ACCURACY),
    ),
    Question(
        "wafer",
        "BCE and one output instead of CCE and two",
        Arm("CCE", _CCE),
        Arm("BCE", "binary_crossentropy"),
        (_TEST_LOSS, _ACCURACY),
    ),
)
_BY_TEXT = {question.text: question for question in QUESTIONS}


def compare(seeds: pd.DataFrame, *, editions: Iterable[Edition] = EDITIONS) -> pd.DataFrame:
    """Compare two networks by the rule in `RULE`, for each question that the table can answer.

    Parameters
    ----------
    seeds : DataFrame
        One row per configuration and seed: ``exercise``, ``loss``, ``augment``, ``epochs``,
        ``batch_size``, ``seed``, ``diverged`` and the metrics of the last epoch. May be empty.
    editions : iterable of int or str, optional
        Editions of the course whose settings are used; all by default.

    Returns
    -------
    DataFrame
        One row per question, metric and pair of trained configurations; ``edition`` names all
        editions with this pair. ``n`` counts the pairs, ``diverged`` the seeds for which a network
        diverged, ``unpaired`` the seeds that only one network has. ``better`` is "first", "second"
        or "neither"; ``note`` lists other settings that differ. Statistics that need more pairs
        are NaN.

    Raises
    ------
    DataError
        If a configuration has a seed twice.
    """
    rows = []
    for question in QUESTIONS:
        for settings, edition in shared_settings(question, editions).items():
            rows += _compared(seeds, question, settings, edition)
    return pd.DataFrame(rows, columns=COLUMNS)


def shared_settings(
    question: Question, editions: Iterable[Edition]
) -> dict[tuple[Settings, Settings], str]:
    """Return the different settings of both networks, with the names of their editions."""
    shared: dict[tuple[Settings, Settings], list[str]] = {}
    for edition in editions:
        shared.setdefault(question.settings(edition), []).append(str(edition))
    return {settings: ", ".join(sorted(names)) for settings, names in shared.items()}


def differences(seeds: pd.DataFrame, row: pd.Series[Any]) -> pd.Series[float]:
    """Return the differences behind a row of `compare`, second minus first.

    They are indexed by seed, without seeds that diverged.
    """
    question = _BY_TEXT[row["question"]]
    pairs = finite_pairs(*arms(seeds, question, settings_of_row(question, row)), row["metric"])
    return (pairs["second"] - pairs["first"]).rename("difference")


def settings_of_row(question: Question, row: pd.Series[Any]) -> tuple[Settings, Settings]:
    """Return the settings of both networks in the editions that a row names."""
    return question.settings(parse_edition(row["edition"].split(", ")[0]))


def _compared(
    seeds: pd.DataFrame, question: Question, settings: tuple[Settings, Settings], edition: str
) -> list[dict[str, Any]]:
    first, second = arms(seeds, question, settings)
    if first.empty or second.empty:
        return []
    known = {
        "exercise": question.exercise,
        "edition": edition,
        "question": question.text,
        "first": question.first.label,
        "second": question.second.label,
        "unpaired": len(first.index.symmetric_difference(second.index)),
        "note": _note(*settings),
    }
    both = len(first.index.intersection(second.index))
    rows = []
    for metric in question.metrics:
        pairs = finite_pairs(first, second, metric.column)
        rows.append(
            known
            | {"metric": metric.column, "title": metric.title, "diverged": both - len(pairs)}
            | _statistics(pairs, metric)
        )
    return rows


def _statistics(pairs: pd.DataFrame, metric: Metric) -> dict[str, Any]:
    n = len(pairs)
    steps = (pairs["second"] - pairs["first"]).to_numpy()
    gains = steps if metric.higher_is_better else -steps
    low, high = _mean_interval(steps)
    better = "neither"
    if low > 0 or high < 0:
        better = "second" if (low > 0) == metric.higher_is_better else "first"
    return {
        "n": n,
        "first_mean": pairs["first"].mean(),
        "second_mean": pairs["second"].mean(),
        "difference": steps.mean() if n else math.nan,
        "low": low,
        "high": high,
        "share": np.mean((np.sign(gains) + 1) / 2) if n else math.nan,
        "wilcoxon_p": _wilcoxon(steps),
        "smallest_p": 2.0 ** (1 - n) if n > 1 else math.nan,
        "better": better,
    }


def _mean_interval(steps: np.ndarray[Any, Any]) -> tuple[float, float]:
    """Return the 95 % interval of the mean; NaN without spread, which leaves its error unknown."""
    if len(steps) < 2 or np.ptp(steps) == 0:
        return math.nan, math.nan
    half = scipy.stats.t.isf(0.025, len(steps) - 1) * scipy.stats.sem(steps)
    return float(steps.mean() - half), float(steps.mean() + half)


def _wilcoxon(steps: np.ndarray[Any, Any]) -> float:
    if len(steps) < 2:
        return math.nan
    # Without any difference there are no ranks to sum.
    return float(scipy.stats.wilcoxon(steps).pvalue) if steps.any() else 1.0


def arms(
    seeds: pd.DataFrame, question: Question, settings: tuple[Settings, Settings]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of both networks, indexed by seed."""
    first, second = (
        rows_of(seeds, question.exercise, arm.loss, arm.augment, each)
        for arm, each in zip((question.first, question.second), settings, strict=True)
    )
    return first, second


def finite_pairs(first: pd.DataFrame, second: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the values of both networks by seed, without seeds for which one diverged."""
    sound = [
        arm[column][~arm["diverged"].astype(bool) & np.isfinite(arm[column])]
        for arm in (first, second)
    ]
    pairs: pd.DataFrame = pd.concat(sound, axis=1, keys=["first", "second"], join="inner")
    return pairs.astype(float)


def _note(first: Settings, second: Settings) -> str:
    others = asdict(second)
    return "; ".join(
        f"the {name.replace('_', ' ')} differs too: {value} and {others[name]}"
        for name, value in asdict(first).items()
        if value != others[name]
    )
