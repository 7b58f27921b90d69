"""Figures of a regression: predictions against targets, and shares of the total error."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from nnloss.plots.style import BLUE, GREY, ORANGE, plain_log_axis, row_of_panels


def predicted_vs_actual(
    actual: ArrayLike,
    predictions: Mapping[str, ArrayLike],
    *,
    limits: tuple[float, float],
    unit: str,
) -> Figure:
    """Draw predictions against targets, one panel per model.

    Parameters
    ----------
    actual : array_like, shape (N,)
        Targets.
    predictions : mapping of str to array_like, shape (N,)
        Predictions by model name.
    limits : (float, float)
        Limits of both axes.
    unit : str
        Unit of the target.

    Returns
    -------
    Figure
        The dashed diagonal marks perfect predictions. A note counts points outside the limits.
    """
    y = np.asarray(actual)
    figure = Figure(figsize=(5 * len(predictions), 5), layout="constrained")
    for axes, (name, values) in zip(
        row_of_panels(figure, len(predictions)), predictions.items(), strict=True
    ):
        p = np.asarray(values)
        axes.plot(limits, limits, color=GREY, linestyle="--", linewidth=1)
        axes.scatter(y, p, s=22, color=BLUE, alpha=0.7, edgecolors="none")
        axes.set(
            xlim=limits,
            ylim=limits,
            aspect="equal",
            xlabel=f"actual, {unit}",
            ylabel=f"predicted, {unit}",
            title=f"{name}\ntest MSE {np.mean((y - p) ** 2):.2f}, MAE {np.mean(abs(y - p)):.2f}",
        )
        outside = int(np.sum((p < limits[0]) | (p > limits[1])))
        if outside:
            axes.text(0.03, 0.95, f"outside the axes: {outside}", transform=axes.transAxes)
        axes.grid(alpha=0.3)
    return figure


def squared_against_absolute(
    names: ArrayLike,
    actual: ArrayLike,
    predictions: Mapping[str, ArrayLike],
    *,
    kind: str = "row",
    worst: int = 5,
) -> Figure:
    """Draw each row's share of the squared and of the absolute error, one panel per model.

    Parameters
    ----------
    names : array_like, shape (N,)
        Row labels.
    actual : array_like, shape (N,)
        Targets.
    predictions : mapping of str to array_like, shape (N,)
        Predictions by model name.
    kind : str, default "row"
        Description of `names` in the axis label.
    worst : int, default 5
        Number of rows to label and to sum up in the title.

    Returns
    -------
    Figure
        Rows in descending order of error; the shares of each kind of error sum to 100 %.
    """
    y, rows = np.asarray(actual), np.asarray(names)
    figure = Figure(figsize=(6.2 * len(predictions), 4.6), layout="constrained")
    panels = row_of_panels(figure, len(predictions), sharey=True)
    for axes, (model, values) in zip(panels, predictions.items(), strict=True):
        size = np.abs(y - np.asarray(values))
        order = np.argsort(-size)
        squared = 100 * size[order] ** 2 / np.sum(size**2)
        absolute = 100 * size[order] / np.sum(size)
        rank = np.arange(1, len(y) + 1)
        axes.vlines(rank, absolute, squared, color=GREY, linewidth=0.6, alpha=0.6)
        axes.scatter(rank, squared, s=18, color=ORANGE, label="of the squared error")
        axes.scatter(rank, absolute, s=14, color=BLUE, marker="s", label="of the absolute error")
        for place in range(worst):
            axes.annotate(
                str(rows[order[place]]),
                (rank[place], squared[place]),
                xytext=(4, 4),
                textcoords="offset points",
                rotation=35,
                fontsize=8,
            )
        axes.set(
            xscale="log",
            xlabel=f"rank of the test row by size of its error; labels: {kind}",
            ylabel="share of the row in the total, %",
            title=f"{model}: the {worst} worst of {len(y)} test rows make\n"
            f"{squared[:worst].sum():.0f} % of the squared and "
            f"{absolute[:worst].sum():.0f} % of the absolute error",
        )
        plain_log_axis(axes.xaxis)
        axes.margins(x=0.06, y=0.1)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False, title="share")
    return figure
