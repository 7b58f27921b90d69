"""Figures of GLM twins and of pairings of output and loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count, cycle

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter
from numpy.typing import ArrayLike

from nnloss.plots.style import (
    BLACK,
    CROSS_ENTROPY,
    GREEN,
    GREY,
    OTHERS,
    SQUARED,
    STYLE,
    WIDTH,
    dark,
    figure_with_panels,
)

_PAIRINGS = {
    "sigmoid + BCE": (CROSS_ENTROPY, "-"),
    "softmax + CCE": (CROSS_ENTROPY, "--"),
    "sigmoid + MSE": (SQUARED, "-"),
    "softmax + MSE": (SQUARED, "--"),
}


@rc_context(STYLE)
def twins(coefficients: Mapping[str, tuple[ArrayLike, ArrayLike]], names: Sequence[str]) -> Figure:
    """Draw coefficients of GLMs and of the equivalent networks, one panel per pair.

    Parameters
    ----------
    coefficients : mapping of str to (array_like, array_like), shape (features + 1, outputs)
        Coefficients of the GLM and of the network, by name of the pair.
    names : sequence of str
        Names of the intercept and the features.

    Returns
    -------
    Figure
        Outlines mark the GLM, dots the network; each output has its own shape. The titles give the
        largest difference. The slopes limit the axes; an arrow with a number marks an intercept
        beyond them.
    """
    figure, panels = figure_with_panels(len(coefficients), 3.3, across=3, sharey=True)
    places = np.arange(len(names))
    drawn = dict[str, Line2D]()
    for axes, (title, (glm, network)) in zip(panels, coefficients.items(), strict=True):
        ours, theirs = np.asarray(network), np.asarray(glm)
        reach = 1.12 * np.abs(theirs[1:]).max()
        axes.axvline(0, color=GREY, linewidth=0.8)
        for one, other, shape, part in zip(theirs.T, ours.T, cycle("osD"), count(1), strict=False):
            (ring,) = axes.plot(one, places, shape, mfc="none", ms=7.5, color=BLACK)
            (dot,) = axes.plot(other, places, shape, ms=3.5, color=GREEN)
            drawn |= {f"GLM, output {part}": ring, f"network, output {part}": dot}
        axes.set(
            xlim=(-reach, reach),
            title=f"{title}:\ndifference at most {np.abs(ours - theirs).max():.0e}",
        )
        for side, sign in (("left", -1), ("right", 1)):
            beyond = [f"{value:.1f}" for value in theirs[0] if sign * value > reach]
            if beyond:
                edge = sign * 1.5 * reach
                axes.set_xlim(**{side: edge})
                axes.annotate(
                    ", ".join(beyond),
                    (edge, 0),
                    xytext=(-sign * 22, 0),
                    textcoords="offset points",
                    ha=side,
                    va="center",
                    arrowprops={"arrowstyle": "->"},
                )
        axes.grid()
    panels[0].set_yticks(places, names)
    panels[0].set_ylim(len(names) - 0.5, -0.5)
    figure.supxlabel("coefficient of the standardised feature, on the scale of the link")
    figure.legend(list(drawn.values()), list(drawn), loc="outside upper left", ncols=len(drawn))
    return figure


@rc_context(STYLE)
def gradients(table: pd.DataFrame) -> Figure:
    """Draw the gradients of BCE and MSE in the logit for a row of class 1.

    Parameters
    ----------
    table : DataFrame
        Columns ``logit``, ``BCE`` and ``MSE``.

    Returns
    -------
    Figure
        The network is confidently wrong on the left. The title compares the two gradients at the
        least logit.

    Examples
    --------
    >>> import numpy as np
    >>> from nnloss import plots
    >>> from nnloss.theory import pitfalls
    >>> figure = plots.gradients(pitfalls.gradients(np.linspace(-8, 8, 101)))
    >>> print(figure.axes[0].get_title(loc="left"))
    A confident mistake, logit -8: the gradient of BCE is 1,491 times that of MSE
    """
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    axes = figure.subplots()
    worst = table.sort_values("logit").iloc[0]
    axes.axhline(0, color=GREY, linewidth=0.8)
    for name, formula, colour, line, below in (
        ("BCE", "p \N{MINUS SIGN} y", CROSS_ENTROPY, "-", False),
        ("MSE", "2 (p \N{MINUS SIGN} y) p (1 \N{MINUS SIGN} p)", SQUARED, "--", True),
    ):
        axes.plot(table["logit"], table[name], line, color=colour, linewidth=2)
        axes.annotate(
            f"sigmoid + {name}: {formula}",
            (worst["logit"], worst[name]),
            xytext=(4, -6 if below else 6),
            textcoords="offset points",
            va="top" if below else "bottom",
            color=dark(colour),
        )
    axes.set(
        xlabel="logit of a row of class 1 (left: sure and wrong, right: sure and right)",
        ylabel="gradient with respect to the logit",
        title=f"A confident mistake, logit {worst['logit']:g}: the gradient of BCE is "
        f"{worst['BCE'] / worst['MSE']:,.0f} times that of MSE",
    )
    axes.margins(x=0.02)
    axes.grid()
    return figure


@rc_context(STYLE)
def pitfalls(panels: Mapping[str, pd.DataFrame], *, level: float, majority: float) -> Figure:
    """Draw the test error of several pairings, by epoch and at the end, in a row per group.

    Parameters
    ----------
    panels : mapping of str to DataFrame
        Columns ``pairing``, ``seed``, ``epoch`` and ``accuracy``, by title. The first pairing of
        the first group is the right one.
    level : float
        Accuracy to reach.
    majority : float
        Accuracy of always predicting the larger class.

    Returns
    -------
    Figure
        Left, the median over seeds by epoch, with the range of its last values in the title;
        right, a dot for each seed after the last epoch, a bar at the median, and the number of
        seeds that reach the level. The right pairing is in every row: where a group lacks it, that
        of the first group is the reference. All rows share their axes; an error of 0 is drawn at
        their edge.
    """
    first = next(iter(panels.values()))
    right = str(first["pairing"].iloc[0])
    reference = first[first["pairing"] == right]
    shown = {
        title: runs if right in set(runs["pairing"]) else pd.concat([reference, runs])
        for title, runs in panels.items()
    }
    errors = 1 - pd.concat(shown.values())["accuracy"]
    least = 0.8 * float(errors[errors > 0].min())
    figure = Figure(figsize=(WIDTH, 2.3 * len(panels) + 0.2), layout="constrained")
    grid = figure.subplots(len(panels), 2, squeeze=False, sharex="col")
    others = dict[str, tuple[str, str]]()
    unused = cycle(OTHERS)
    for (curves, ends), (title, runs) in zip(grid, shown.items(), strict=True):
        labels, medians = [], []
        for place, (name, group) in enumerate(runs.groupby("pairing", sort=False)):
            if name not in _PAIRINGS and name not in others:
                others[str(name)] = next(unused)
            colour, line = (_PAIRINGS | others)[str(name)]
            error = (1 - group["accuracy"]).clip(lower=least)
            middle = error.groupby(group["epoch"]).median()
            curves.plot(middle.index, middle, line, color=colour, linewidth=1.8, label=str(name))
            last = group["epoch"] == group["epoch"].max()
            final, reached = error[last], np.sum(group["accuracy"][last] >= level)
            ends.plot((final.min(), final.max()), (place, place), line, color=colour)
            ends.plot(final, np.full(len(final), place), "o", color=colour, alpha=0.5, ms=5, mew=0)
            medians.append(100 * final.median())
            ends.plot(final.median(), place, "|", color=dark(colour), ms=13, mew=2.5)
            labels.append((f"{name}\n{reached} of {len(final)} reach {level:g}", colour))
        for accuracy in (level, majority):
            curves.axhline(1 - accuracy, color=GREY, linewidth=0.9, linestyle=(0, (1, 2)))
            ends.axvline(1 - accuracy, color=GREY, linewidth=0.9, linestyle=(0, (1, 2)))
        ends.yaxis.tick_right()
        ends.set_yticks(range(len(labels)), [label for label, _ in labels])
        for tick, (_, colour) in zip(ends.get_yticklabels(), labels, strict=True):
            tick.set_color(dark(colour))
        ends.tick_params("y", length=0)
        ends.spines["left"].set_visible(False)
        ends.set(xscale="log", xlim=(least, 1), ylim=(len(labels) - 0.5, -0.5))
        curves.set_title(
            f"{title}:\nmedian test errors from {min(medians):.2g} to {max(medians):.2g} %"
        )
        curves.set(ylabel="test error, median", yscale="log", ylim=(least, 1))
        curves.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        curves.margins(x=0)
        for axes, axis in ((curves, curves.yaxis), (ends, ends.xaxis)):
            _tenths(axis)
            axes.grid()
    top, lowest = grid[0, 0], grid[-1]
    for accuracy, text in ((level, f"accuracy {level:g}"), (majority, "always the larger class")):
        place = top.get_yaxis_transform()
        top.text(0.99, 1 - accuracy, text, ha="right", va="bottom", transform=place)
    lowest[0].set_xlabel("epoch")
    lowest[1].set_xlabel(
        "test error after the last epoch (log scale);\ndots are seeds, the bar is their median"
    )
    return figure


def _tenths(axis: Axis) -> None:
    """Draw a tick with a plain number for each power of ten, and small ticks between."""
    axis.set_major_locator(LogLocator())
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())
