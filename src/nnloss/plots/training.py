"""Figures of a training: curves by epoch, and the gap between training and test rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nnloss.plots.style import BLUE, GREY, ORANGE, plain_log_axis, row_of_panels


def history(
    table: pd.DataFrame, panels: Mapping[str, str], *, linear: Collection[str] = ()
) -> Figure:
    """Training and test curves by epoch.

    Parameters
    ----------
    table : DataFrame
        ``history.csv``: a column ``epoch`` and, for each metric, its values in training and,
        under ``val_`` and its name, on the test rows.
    panels : mapping of str to str
        Metrics to draw, each with the label of its axis.
    linear : collection of str, optional
        Those of them to draw on a linear axis; the others, which fall by orders of magnitude, get
        a logarithmic one.

    Returns
    -------
    Figure
        A panel for each metric.
    """
    figure = Figure(figsize=(5.2 * len(panels), 4), layout="constrained")
    for axes, (metric, label) in zip(
        row_of_panels(figure, len(panels)), panels.items(), strict=True
    ):
        marker = "o" if len(table) <= 10 else None  # a line needs two epochs
        for name, colour, rows in (
            (metric, BLUE, "training rows"),
            (f"val_{metric}", ORANGE, "test rows"),
        ):
            axes.plot(table["epoch"], table[name], color=colour, label=rows, marker=marker)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set(xlabel="epoch", ylabel=label, title=metric.replace("_", " "))
        if metric not in linear:
            axes.set(ylabel=f"{label} (log scale)", yscale="log")
            plain_log_axis(axes.yaxis)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    return figure


def train_test_gap(
    tables: Mapping[str, pd.DataFrame],
    metric: str,
    ends: Mapping[str, tuple[float, float]],
    *,
    label: str,
) -> Figure:
    """Training and test curves of several trainings, a panel for each, on the same axes.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        ``history.csv`` of each training, as for `history`, by its name.
    metric : str
        The metric to draw.
    ends : mapping of str to (float, float)
        Its values after the training, on the training and on the test rows as they are. The
        curve of the training rows is measured while the network learns, on rows that may be
        augmented; these are not.
    label : str
        Of the vertical axis.

    Returns
    -------
    Figure
        The gap in the titles is that of `ends`.
    """
    figure = Figure(figsize=(5.4 * len(tables), 4.4), layout="constrained")
    panels = row_of_panels(figure, len(tables), sharey=True)
    for axes, (name, table) in zip(panels, tables.items(), strict=True):
        marker = "o" if len(table) <= 10 else None
        for key, colour, rows in (
            (metric, BLUE, "training rows as trained on"),
            (f"val_{metric}", ORANGE, "test rows"),
        ):
            axes.plot(table["epoch"], table[key], color=colour, label=rows, marker=marker)
        train, test = ends[name]
        last = table["epoch"].iloc[-1]
        axes.plot([last, last], [test, train], color=GREY, linewidth=1)
        axes.plot(last, train, "*", color=BLUE, markersize=11, label="training rows as they are")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set(xlabel="epoch", ylabel=label)
        axes.set_title(f"{name}\ntraining {train:.4f}, test {test:.4f}, gap {train - test:.4f}")
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    return figure
