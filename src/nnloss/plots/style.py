"""Shared style of the figures: width, fonts, colours and their meaning, labels at line ends.

A page shows a figure about 7 in wide; text is therefore drawn at the size at which it is read. The
colours suit colour-blind readers (Okabe & Ito 2008, *Color Universal Design*, and Tol's wine).
Line styles and markers differ too, so that figures can be printed in grey.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
AMBER, SKY, WINE, BLACK = "#E69F00", "#56B4E9", "#882255", "#222222"
GREY, LINE = "#666666", "#b0b0b0"

#: Rows that a model was trained on, and rows that it has not seen.
TRAINING, TEST = BLUE, ORANGE
#: What a loss is: the likelihood of labels, a squared or an absolute error.
CROSS_ENTROPY, SQUARED, ABSOLUTE = GREEN, PURPLE, SKY
#: Classes of the data.
CLASSES = ((WINE, "-"), (SKY, "--"), (BLACK, "-."), (AMBER, ":"))
#: Colours and line styles without a meaning of their own.
OTHERS = ((AMBER, "-."), (SKY, "--"), (WINE, ":"), (GREY, "-"))

_CLASSICAL = ((BLACK, "-"), (GREY, "--"))
_NETWORKS = ((GREEN, "-"), (AMBER, "--"), (PURPLE, "-."), (SKY, ":"))

#: Width of a figure on a page, in inches.
WIDTH = 7.2
#: Matplotlib settings for a figure of that width.
STYLE: Any = {
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "figure.titlesize": 10,
    "figure.labelsize": 9,
    "grid.alpha": 0.3,
}


def model_styles(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return a colour and a line style for each model.

    Parameters
    ----------
    names : iterable of str
        Model names.

    Returns
    -------
    dict of str to (str, str)
        Regressions are black, then grey; networks are green, then amber, purple and sky blue.
    """
    classical, networks = cycle(_CLASSICAL), cycle(_NETWORKS)
    return {name: next(classical if "regression" in name else networks) for name in names}


def figure_with_panels(
    panels: int, height: float, *, across: int | None = None, sharey: bool = False
) -> tuple[Figure, list[Axes]]:
    """Return a figure with panels, from left to right and from top to bottom.

    Parameters
    ----------
    panels : int
        Number of panels.
    height : float
        Height of each row of panels in inches.
    across : int, optional
        Panels in each row; by default all are in one.
    sharey : bool, default False
        Whether all panels have the same vertical axis.

    Returns
    -------
    (Figure, list of Axes)
        A single panel has half the width of a page.
    """
    columns = min(panels, across or panels)
    rows = -(-panels // columns)
    width = WIDTH if columns > 1 else WIDTH / 2
    figure = Figure(figsize=(width, height * rows), layout="constrained")
    grid = figure.add_gridspec(rows, columns)
    drawn: list[Axes] = []
    for place in range(panels):
        first = drawn[0] if sharey and drawn else None
        axes = figure.add_subplot(grid[divmod(place, columns)], sharey=first)
        axes.tick_params(labelleft=first is None or place % columns == 0)
        drawn.append(axes)
    return figure, drawn


def row_of_panels(figure: Figure, panels: int, *, sharey: bool = False) -> list[Axes]:
    """Return panels side by side in an empty figure, from left to right."""
    return list(figure.subplots(1, panels, squeeze=False, sharey=sharey)[0])


def plain_log_axis(axis: Axis) -> None:
    """Draw few ticks with plain numbers on a log axis that spans one or two decades."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_locator(NullLocator())


def dark(colour: str) -> tuple[float, float, float]:
    """Return a darker colour, in which text is legible on white."""
    red, green, blue = to_rgb(colour)
    return 0.65 * red, 0.65 * green, 0.65 * blue


def label_ends(
    axes: Axes, ends: Mapping[str, tuple[float, float, str]], *, gap: float = 0.08
) -> None:
    """Write labels to the right of the axes, at the height of the line ends.

    Parameters
    ----------
    axes : Axes
        Axes with their final limits.
    ends : mapping of str to (float, float, str)
        Last point and colour of a line, by label.
    gap : float, default 0.08
        Least distance between two labels, as a share of the height of the axes.
    """
    from scipy.optimize import isotonic_regression

    axes.get_ylim()  # applies a pending autoscale
    transform = axes.transData + axes.transAxes.inverted()
    heights = {
        # A diverged line has no end; its label is at the bottom.
        label: float(np.nan_to_num(np.clip(transform.transform((x, y))[1], 0, 1)))
        for label, (x, y, _) in ends.items()
    }
    ordered = sorted(heights, key=heights.__getitem__)
    steps = gap * np.arange(len(ordered))
    # The nearest heights that are at least a gap apart.
    places = isotonic_regression([heights[label] for label in ordered] - steps).x + steps
    for label, height in zip(ordered, places, strict=True):
        axes.annotate(
            label,
            (1, height),
            xytext=(4, 0),
            xycoords="axes fraction",
            textcoords="offset points",
            va="center",
            color=dark(ends[label][2]),
            annotation_clip=False,
        )
