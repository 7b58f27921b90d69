"""Figures of a training: curves by epoch, and the gap between training and test rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nnloss.plots.style import (
    GREY,
    STYLE,
    TEST,
    TRAINING,
    figure_with_panels,
    label_ends,
    plain_log_axis,
)


@rc_context(STYLE)
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
        The titles give the values after the last epoch. Where the first twentieth of the epochs
        would take more than half of an axis, the axis leaves them out and a note gives the values
        of the first epoch.

    Examples
    --------
    >>> import pandas as pd
    >>> from nnloss import plots
    >>> losses = {"loss": [4.0, 2.0], "val_loss": [5.0, 3.0]}
    >>> table = pd.DataFrame({"epoch": [1, 2]} | losses)
    >>> figure = plots.history(table, {"loss": "MSE"})
    >>> print(figure.axes[0].get_title(loc="left"))
    Loss after epoch 2:
    training 2.00, test 3.00
    """
    figure, drawn = figure_with_panels(len(panels), 3.1)
    for axes, (metric, label) in zip(drawn, panels.items(), strict=True):
        log = metric not in linear
        if log:
            axes.set_yscale("log")
        _curves(axes, table, metric)
        _leave_out_the_start(axes, table, metric)
        if log:
            plain_log_axis(axes.yaxis)
        last = table.iloc[-1]
        axes.set(
            xlabel="epoch",
            ylabel=f"{label} (log scale)" if log else label,
            title=f"{metric.replace('_', ' ').capitalize()} after epoch {last['epoch']:g}:\n"
            + _told(last[metric], last[f"val_{metric}"]),
        )
        label_ends(axes, _ends(table, metric))
    return figure


@rc_context(STYLE)
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
        A star marks the training rows as they are, a black bar the gap to the test rows, whose
        size is in the title.

    Examples
    --------
    >>> import pandas as pd
    >>> from nnloss import plots
    >>> accuracies = {"accuracy": [0.5, 0.7], "val_accuracy": [0.5, 0.6]}
    >>> tables = {"network": pd.DataFrame({"epoch": [1, 2]} | accuracies)}
    >>> ends = {"network": (0.75, 0.6)}
    >>> figure = plots.train_test_gap(tables, "accuracy", ends, label="accuracy")
    >>> print(figure.axes[0].get_title(loc="left"))
    network: gap 0.1500
    (training 0.7500, test 0.6000)
    """
    figure, panels = figure_with_panels(len(tables), 3.4, sharey=True)
    for axes, (name, table) in zip(panels, tables.items(), strict=True):
        _curves(axes, table, metric)
        train, test = ends[name]
        last = table["epoch"].iloc[-1]
        axes.plot([last, last], [test, train], color="black", linewidth=1.2)
        axes.plot(
            last, train, "*", color=TRAINING, markersize=11, label="training rows as they are"
        )
        axes.set(
            xlabel="epoch",
            title=f"{name}: gap {train - test:.4f}\n(training {train:.4f}, test {test:.4f})",
        )
    panels[0].set_ylabel(label)
    # Shared limits are known only now.
    for axes, (name, table) in zip(panels, tables.items(), strict=True):
        train, _ = ends[name]
        last = table["epoch"].iloc[-1]
        star = {"training,\nas it is": (last, train, TRAINING)}
        label_ends(axes, star | _ends(table, metric, "training,\neach epoch"), gap=0.13)
    return figure


def _curves(axes: Axes, table: pd.DataFrame, metric: str) -> None:
    """Draw a metric on the training rows and on the test rows by epoch."""
    marker = "o" if len(table) <= 10 else None  # a line needs two epochs
    for name, colour, line, rows in (
        (metric, TRAINING, "-", "training rows"),
        (f"val_{metric}", TEST, "--", "test rows"),
    ):
        axes.plot(table["epoch"], table[name], line, color=colour, label=rows, marker=marker)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    axes.grid()


def _ends(
    table: pd.DataFrame, metric: str, training: str = "training"
) -> dict[str, tuple[float, float, str]]:
    """Return the last point and the colour of both curves, by label."""
    last = table.iloc[-1]
    return {
        training: (last["epoch"], last[metric], TRAINING),
        "test": (last["epoch"], last[f"val_{metric}"], TEST),
    }


def _told(training: float, test: float) -> str:
    """Return both values with three digits."""
    shown = (f"{value:#.3g}".rstrip(".") for value in (training, test))
    return "training {}, test {}".format(*shown)


def _leave_out_the_start(axes: Axes, table: pd.DataFrame, metric: str) -> None:
    """Limit the vertical axis to later epochs if the first ones take more than half of it."""
    curves = table[[metric, f"val_{metric}"]].to_numpy(dtype=float)
    transform = axes.transScale
    heights = transform.transform(np.column_stack([np.ones(curves.size), curves.ravel()]))[:, 1]
    heights = heights.reshape(curves.shape)
    later = heights[len(table) // 20 :]
    if not np.isfinite(heights).all() or 2 * np.ptp(later) >= np.ptp(heights) or not np.ptp(later):
        return
    margin = 0.06 * np.ptp(later)
    limits = [[1, later.min() - margin], [1, later.max() + margin]]
    axes.set_ylim(*transform.inverted().transform(limits)[:, 1])
    first = curves[0]
    above = first.mean() > axes.get_ylim()[1]
    axes.annotate(
        f"in epoch {table['epoch'].iloc[0]:g}:\n{_told(*first)}",
        (0.98, 0.97 if above else 0.03),
        xycoords="axes fraction",
        ha="right",
        va="top" if above else "bottom",
        color=GREY,
    )
