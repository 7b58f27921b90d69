"""Verdicts on the course's training logs and confusion matrices, as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnloss.course import printed_tables
from nnloss.course.printed_tables import NETWORKS, SERIES, Network
from nnloss.course.published import EDITIONS, Edition
from nnloss.reproduction import exchangeability
from nnloss.reproduction.exchangeability import LEAST_SEEDS
from nnloss.reproduction.seed_table import of_configuration
from nnloss.reproduction.verdicts import TYPICAL, UNDECIDED, UNUSUAL

Array = NDArray[np.float64]

LOG_COLUMNS = "exercise network edition n points p level verdict outside".split()
MATRIX_COLUMNS = "exercise network edition n rank p level verdict cells".split()

#: Names of the series of a log, for texts.
NAMES = {
    "loss": "training loss", "metric": "training metric", "val_loss": "test loss",
    "val_metric": "test metric",
}  # fmt: skip

#: Explanation of both verdicts, for reports; empty lines separate paragraphs.
RULE = f"""
A run of the course is held against our seeds of the same settings as a whole. If it is a run like
ours, it is as likely as each of them to be the most extreme of all. p is the share of these runs,
the course's included, that are at least as extreme as the course's; the run is unusual if p is at
most the level, which is 5 % or the next smaller share that so many runs allow. That takes
{LEAST_SEEDS} seeds, and no assumption on the distribution. Each verdict is one test, without
correction for their number.

A training log has four series: loss and metric on training and on test rows. It is compared at all
points of all series at once, by a global rank envelope (extreme rank lengths; Myllymäki et al.,
J. R. Statist. Soc. B 79, 2017). The band of a figure is that envelope: a log leaves it somewhere
exactly if it is unusual.

A confusion matrix is as extreme as its distance from the mean of the other matrices, with each cell
in units of its standard deviation.
""".strip()


@dataclass(frozen=True)
class Log:
    """Printed log of a network beside our curves.

    Parameters
    ----------
    n : int
        Number of our seeds, without those that diverged.
    p : float
        Share of all runs that are at least as extreme as the course's.
    points : DataFrame
        One row per ``series`` and ``epoch`` that both have: the course's ``value``, our ``median``,
        the envelope from ``low`` to ``high`` and whether the value is ``outside`` of it. Values are
        rounded as printed.
    """

    n: int
    p: float
    points: pd.DataFrame


def logs(
    curves: pd.DataFrame, editions: Iterable[Edition] = EDITIONS
) -> dict[tuple[str, Edition], Log]:
    """Return the printed logs of the networks in `curves`, by network and edition.

    `curves` is a table with a row per configuration, seed and epoch.
    """
    found = {}
    for (name, edition), log in printed_tables.training_logs().items():
        if edition not in editions:
            continue
        rows = _rows(curves, NETWORKS[name], edition)
        if rows.empty:
            continue
        columns = {
            series: column.format(NETWORKS[name].metric) for series, column in SERIES.items()
        }
        wide = rows.pivot(index="seed", columns="epoch", values=list(columns.values()))
        finite = np.isfinite(wide.to_numpy(dtype=float)).all(axis=1)
        epochs = sorted(set(rows["epoch"]) & set(log.index))
        course = log.loc[epochs].melt(ignore_index=False, var_name="series").reset_index()
        course["value"] = _as_printed(course["value"].to_numpy())
        places = [
            (columns[series], epoch)
            for series, epoch in course[["series", "epoch"]].itertuples(index=False)
        ]
        ours = _as_printed(wide.loc[finite, places].to_numpy(dtype=float))
        band = exchangeability.global_envelope(ours, course["value"].to_numpy())
        points = course.assign(
            median=pd.DataFrame(ours).median().to_numpy(),
            low=band.low,
            high=band.high,
            outside=band.outside,
        )
        found[name, edition] = Log(len(ours), band.p, points)
    return found


def log_verdicts(found: Mapping[tuple[str, Edition], Log]) -> pd.DataFrame:
    """Judge printed training logs, the result of `logs`, by `RULE`.

    One row per log. ``points`` counts series times epochs; ``outside`` names where the log leaves
    the band.
    """
    rows = []
    for (name, edition), log in found.items():
        left = log.points[log.points["outside"]].groupby("series", sort=False)["epoch"]
        where = [f"{NAMES[str(series)]} in {len(epochs)} epochs" for series, epochs in left]
        rows.append(
            _known(name, edition, log.n, log.p)
            | {"points": len(log.points), "outside": ", ".join(where)}
        )
    return pd.DataFrame(rows, columns=LOG_COLUMNS)


def matrix_verdicts(
    confusion: pd.DataFrame, editions: Iterable[Edition] = EDITIONS, *, cells: int = 3
) -> pd.DataFrame:
    """Judge the printed confusion matrices by `RULE`.

    One row per matrix whose network is in `confusion`, a table with ``count`` by configuration,
    seed, ``actual`` and ``predicted`` class. ``rank`` is the place of the course's distance among
    all, 1 for the largest; ``cells`` names those that differ most, in standard deviations.
    """
    rows = []
    for (name, edition), course in printed_tables.confusion_matrices().items():
        part = _rows(confusion, NETWORKS[name], edition)
        if edition not in editions or part.empty:
            continue
        classes = list(dict.fromkeys(part["actual"]))
        ours = np.stack(
            [
                each.pivot(index="actual", columns="predicted", values="count")
                .loc[classes, classes]
                .to_numpy(dtype=float)
                for _, each in part.groupby("seed")
            ]
        )
        away = exchangeability.distances(np.concatenate([ours, [course.to_numpy(dtype=float)]]))
        p = exchangeability.p_value(away)
        rows.append(
            _known(name, edition, len(ours), p)
            | {
                "rank": int((away >= away[-1]).sum()),
                "cells": _largest(ours, course.to_numpy(dtype=float), classes, cells),
            }
        )
    return pd.DataFrame(rows, columns=MATRIX_COLUMNS)


def _known(name: str, edition: Edition, n: int, p: float) -> dict[str, Any]:
    level = exchangeability.level(n)
    verdict = UNDECIDED if not level else UNUSUAL if p <= level else TYPICAL
    return {
        "exercise": NETWORKS[name].exercise, "network": name, "edition": edition, "n": n, "p": p,
        "level": level, "verdict": verdict,
    }  # fmt: skip


def _rows(table: pd.DataFrame, network: Network, edition: Edition) -> pd.DataFrame:
    settings = network.settings(edition)
    return of_configuration(table, network.exercise, network.loss, network.augment, settings)


def _as_printed(values: Array) -> Array:
    """Round as Keras prints, four decimals, but to the four digits of our curves at most."""
    digits = np.array([float(f"{value:.4g}") for value in values.ravel()]).reshape(values.shape)
    return np.where(np.abs(digits) > 1e-3, np.round(digits, 4), digits)


def _largest(ours: Array, course: Array, classes: list[Any], count: int) -> str:
    """Return the cells where the course differs most from our mean, in words."""
    spread = ours.std(axis=0, ddof=1) if len(ours) > 1 else np.zeros(course.shape)
    mean = ours.mean(axis=0)
    away = np.divide(course - mean, spread, out=np.zeros(course.shape), where=spread > 0)
    places = np.argsort(-np.abs(away), axis=None)[:count]
    return "; ".join(
        f"{classes[row]} as {classes[column]} {course[row, column]:.0f}, ours "
        f"{mean[row, column]:.0f} ({away[row, column]:+.1f} sd)"
        for row, column in (np.unravel_index(place, course.shape) for place in places)
    )
