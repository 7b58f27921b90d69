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
    """Draw training and test curves by epoch, one panel per metric.

    Parameters
    ----------
    table : DataFrame
        The run's ``history.csv``: ``epoch``, each metric, and each metric with prefix ``val_`` for
        the test rows.
    panels : mapping of str to str
        Axis labels by metric.
    linear : collection of str, optional
        Metrics to draw on a linear axis; the default is logarithmic.

    Returns
    -------
    Figure
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
    """Draw training and test curves of several trainings, one panel each, on shared axes.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Histories as for `history`, by title.
    metric : str
        Metric to draw.
    ends : mapping of str to (float, float)
        Its values after training, on the training rows without augmentation and on the test rows.
        The training curve instead averages over each epoch, possibly on augmented rows.
    label : str
        Label of the vertical axis.

    Returns
    -------
    Figure
        The titles show the gap in `ends`.
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
