"""Figures of loss landscapes."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
from matplotlib import rc_context
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from nnloss.plots.style import GREY, ORANGE, STYLE, figure_with_panels, label_ends, plain_log_axis

_LINES = ("-", "--", "-.", ":")


@rc_context(STYLE)
def landscapes(
    reach: ArrayLike, surfaces: Mapping[str, ArrayLike], *, label: str = "training MSE"
) -> Figure:
    """Draw contours of loss surfaces around weights, one panel per surface.

    Parameters
    ----------
    reach : array_like, shape (K,)
        Steps in both directions.
    surfaces : mapping of str to array_like, shape (K, K)
        Losses by title.
    label : str, default "training MSE"
        Label of the colour bar, with its unit.

    Returns
    -------
    Figure
        Two panels a row, with one logarithmic colour scale. The cross marks the weights, whose loss
        is in the title. Black lines are at equal steps of the log loss within a panel.
    """
    steps = np.asarray(reach)
    values = {title: np.asarray(losses) for title, losses in surfaces.items()}
    least, most = (end([each for each in values.values()]) for end in (np.min, np.max))
    figure, panels = figure_with_panels(len(values), 3.3, across=2, sharey=True)
    levels = np.geomspace(least, most, 25)
    for axes, (title, losses) in zip(panels, values.items(), strict=True):
        drawn = axes.contourf(steps, steps, losses, levels=levels, cmap="Blues_r", norm="log")
        own = np.geomspace(losses.min(), losses.max(), 8)[1:-1]
        lines = axes.contour(steps, steps, losses, levels=own, colors="black", linewidths=0.7)
        axes.clabel(lines, fmt="%.0f", fontsize=8)
        axes.plot(0, 0, "P", color=ORANGE, mec="white", markersize=11)
        middle = len(steps) // 2
        axes.set(title=f"{title}: {losses[middle, middle]:.3g} at the cross", aspect="equal")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(4))
    bar = figure.colorbar(drawn, ax=panels, label=f"{label} (log scale)", aspect=35)
    plain_log_axis(bar.ax.yaxis)
    figure.supxlabel("step in the first random direction, as a share of the size of the weights")
    figure.supylabel("step in the second random direction")
    return figure


@rc_context(STYLE)
def profiles(
    panels: Mapping[str, tuple[ArrayLike, Mapping[str, ArrayLike]]], *, xlabel: str, ylabel: str
) -> Figure:
    """Draw the loss along one parameter at several stages of training, one panel per model.

    Parameters
    ----------
    panels : mapping of str to (array_like, mapping of str to array_like), all of shape (K,)
        By title: the values added to the parameter, and the losses for each state of the other
        parameters, in the order of training.
    xlabel, ylabel : str
        Axis labels.

    Returns
    -------
    Figure
        Each curve minus its minimum; a ring marks a minimum inside the panel. Later stages are
        darker, and labelled at the end of their curve.
    """
    figure, drawn = figure_with_panels(len(panels), 3.6)
    for axes, (title, (reach, curves)) in zip(drawn, panels.items(), strict=True):
        steps = np.asarray(reach)
        shades = mpl.colormaps["viridis_r"](np.linspace(0.3, 1, len(curves)))
        ends = {}
        for number, (name, losses) in enumerate(curves.items()):
            colour, line = to_hex(shades[number]), _LINES[(len(curves) - 1 - number) % len(_LINES)]
            values = np.asarray(losses) - np.min(losses)
            least = int(np.argmin(values))
            axes.plot(steps, values, line, color=colour, linewidth=2, label=name)
            if 0 < least < len(steps) - 1:  # no minimum at the edge
                axes.plot(steps[least], values[least], "o", ms=8, mfc="none", color=colour)
            ends[name] = (steps[-1], values[-1], colour)
        axes.axvline(0, color=GREY, linewidth=0.8)
        axes.set(title=title, xlabel=xlabel)
        axes.margins(x=0)
        axes.grid()
        label_ends(axes, ends)
    drawn[0].set_ylabel(ylabel)
    return figure
