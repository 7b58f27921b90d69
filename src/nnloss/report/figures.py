"""Figures of a report on one exercise, with captions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nnloss import plots
from nnloss.course.printed_tables import NETWORKS
from nnloss.course.published import Edition
from nnloss.report import captions
from nnloss.report.svg import inline
from nnloss.report.wording import (
    NETWORK_TITLES,
    configurations,
    names,
    printed,
    quantity,
)
from nnloss.reproduction.comparisons import differences
from nnloss.reproduction.prediction import interval
from nnloss.reproduction.printed import Log
from nnloss.reproduction.splits import split_differences
from nnloss.reproduction.units import Configuration

_MSE, _MAE = "mean_squared_error", "mean_absolute_error"
_Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Drawn:
    """Figure on the page; `details` holds its numbers as sentences if they are many."""

    title: str
    svg: Markup
    caption: str
    details: list[str]
    wide: bool = False


def distributions(seeds: pd.DataFrame, verdicts: pd.DataFrame, prefix: str) -> list[Drawn]:
    """Draw the test metrics of one exercise over the seeds; `prefix` begins the ids."""
    runs = configurations(seeds)
    called = names(runs)
    drawn = []
    for metric in _metrics(seeds):
        values = {called[each]: _finite(rows, f"val_{metric}") for each, rows in runs.items()}
        intervals = {name: interval(sample) for name, sample in values.items()}
        marks = {called[each]: _published(verdicts, each, f"val_{metric}") for each in runs}
        draw = partial(
            plots.distributions,
            values,
            label=quantity(f"val_{metric}", _exercise(seeds)),
            published={
                name: {f"{edition}: {printed(value)}": value for edition, value in found.items()}
                for name, found in marks.items()
            },
            intervals={name: (each.low, each.high) for name, each in intervals.items()},
        )
        caption = "Shaded: the 95 % interval of a single run. Triangle: the mean."
        if any(marks.values()):
            caption += " Lines: what the course published."
        words = [
            captions.distribution(name, sample, intervals[name], marks[name])
            for name, sample in values.items()
        ]
        title = _capital(quantity(f"val_{metric}"))
        drawn.append(_drawn(draw, f"{prefix}-distribution-{metric}", title, caption, words))
    return drawn


def training(curves: pd.DataFrame, prefix: str) -> list[list[Drawn]]:
    """Draw the curves of one exercise: a list of figures per metric, with common limits."""
    runs = configurations(curves)
    called = names(runs)
    groups = []
    for metric in _metrics(curves):
        # The column "loss" holds the name of the loss here, but its value in a history.
        tables = {
            each: rows.drop(columns="loss").rename(columns={"train_loss": "loss"})
            for each, rows in runs.items()
        }
        tables = {each: rows for each, rows in tables.items() if _has(rows, f"val_{metric}")}
        ends = [
            plots.bands(rows, name)[["outer_low", "outer_high"]].to_numpy()
            for rows in tables.values()
            for name in (metric, f"val_{metric}")
        ]
        linear = metric == "accuracy"
        limits = _limits(np.concatenate(ends), linear) if ends else None
        drawn = []
        for place, (each, rows) in enumerate(tables.items()):
            draw = partial(
                plots.training_bands,
                rows,
                metric,
                label=quantity(metric, each.exercise),
                linear=linear,
                limits=limits,
            )
            drawn.append(
                _drawn(
                    draw,
                    f"{prefix}-training-{metric}-{place}",
                    _capital(f"{called[each]}: {quantity(metric)}"),
                    captions.curves(rows, metric),
                    [],
                )
            )
        groups.append(drawn)
    return groups


def printed_logs(found: Mapping[tuple[str, Edition], Log], verdicts: pd.DataFrame) -> list[Drawn]:
    """Draw the course's training logs over our envelopes, a figure per network."""
    drawn = []
    for name, rows in verdicts.groupby("network", sort=False):
        network = NETWORKS[str(name)]
        logs = {
            f"{edition}: {row['verdict']}": found[str(name), edition].points
            for edition, row in zip(rows["edition"], rows.to_dict("records"), strict=True)
        }
        draw = partial(
            plots.printed_logs,
            logs,
            loss=quantity(network.loss, network.exercise),
            metric=quantity(network.metric, network.exercise),
            linear=network.metric == "accuracy",
        )
        text = " ".join(captions.printed_log(row) for _, row in rows.iterrows())
        figure = _drawn(draw, f"log-{name}".replace("_", "-"), NETWORK_TITLES[str(name)], text, [])
        drawn.append(replace(figure, wide=True))
    return drawn


def split_study(table: pd.DataFrame, rows: pd.DataFrame) -> Figure:
    """Draw the differences between MAE and MSE over random splits, for one batch size."""
    titled = {str(row["title"]): row for _, row in rows.iterrows()}
    return plots.split_differences(
        {title: split_differences(table, row) for title, row in titled.items()},
        label="trained on MAE, minus trained on MSE",
        intervals={title: (row["low"], row["high"]) for title, row in titled.items()},
        course={title: row["course_difference"] for title, row in titled.items()},
    )


def splits(table: pd.DataFrame, rows: pd.DataFrame) -> list[Drawn]:
    """Draw the differences between MAE and MSE over random splits, a figure per batch size."""
    drawn = []
    for batch_size, part in rows.groupby("batch_size", sort=False):
        draw = partial(split_study, table, part)
        title = f"Batch {batch_size}, {part['splits'].iloc[0]:,} splits"
        drawn.append(_drawn(draw, f"splits-{batch_size}", title, captions.SPLITS, []))
    return drawn


def comparisons(seeds: pd.DataFrame, rows: pd.DataFrame, prefix: str) -> list[Drawn]:
    """Draw the differences behind each comparison with at least one pair of seeds."""
    drawn = []
    for place, (_, row) in enumerate(rows.iterrows()):
        sample = differences(seeds, row)
        if sample.empty:
            continue
        draw = partial(
            plots.paired_differences,
            sample,
            label=f"{row['title']}: {row['second']} minus {row['first']}",
            mean=row["difference"],
            interval=(row["low"], row["high"]),
        )
        title = f"{_capital(row['title'])}, settings of {row['edition']}"
        drawn.append(
            _drawn(
                draw, f"{prefix}-comparison-{place}", title, captions.difference(sample, row), []
            )
        )
    return drawn


def confusions(table: pd.DataFrame, prefix: str) -> list[Drawn]:
    """Draw the mean confusion matrix of each configuration of an exercise."""
    runs = configurations(table)
    called = names(runs)
    drawn = []
    for place, (each, rows) in enumerate(runs.items()):
        draw = partial(plots.mean_confusion, rows)
        title = _capital(called[each])
        figure = _drawn(draw, f"{prefix}-confusion-{place}", title, captions.confusion(rows), [])
        drawn.append(replace(figure, wide=rows["actual"].nunique() > 4))
    return drawn


def _drawn(
    draw: Callable[[], Figure], name: str, title: str, caption: str, details: list[str]
) -> Drawn:
    return Drawn(title, inline(draw, name, f"{title}. {caption}"), caption, details)


def _metrics(table: pd.DataFrame) -> list[str]:
    """Return the metrics that all configurations share: the loss only where there is no MSE."""
    chosen = (_MSE, _MAE) if _has(table, f"val_{_MSE}") else ("loss", "accuracy")
    return [metric for metric in chosen if _has(table, f"val_{metric}")]


def _has(table: pd.DataFrame, column: str) -> bool:
    return column in table and bool(np.isfinite(table[column].astype(float)).any())


def _finite(rows: pd.DataFrame, column: str) -> _Array:
    values: _Array = rows.loc[~rows["diverged"].astype(bool), column].to_numpy(dtype=float)
    return np.extract(np.isfinite(values), values)


def _exercise(table: pd.DataFrame) -> str:
    return str(table["exercise"].iloc[0])


def _published(verdicts: pd.DataFrame, of: Configuration, metric: str) -> dict[str, float]:
    """Return the published numbers of a configuration by edition."""
    if verdicts.empty:
        return {}
    rows = configurations(verdicts[verdicts["metric"].eq(metric)])
    return {
        str(row["edition"]): float(row["published"])
        for each, part in rows.items()
        if each == of
        for row in part.to_dict("records")
    }


def _limits(values: _Array, linear: bool) -> tuple[float, float] | None:
    """Return common limits, with a margin like matplotlib's."""
    found = values[np.isfinite(values) & (linear | (values > 0))]
    if not len(found) or found.min() == found.max():
        return None
    low, high = float(found.min()), float(found.max())
    if linear:
        margin = 0.05 * (high - low)
        return low - margin, high + margin
    factor = (high / low) ** 0.05
    return low / factor, high * factor


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
