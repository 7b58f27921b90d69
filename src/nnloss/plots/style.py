"""What the figures share: colours, panels in a row, readable axes.

Colours are distinguishable without colour vision (Okabe & Ito 2008, *Color Universal Design*).
"""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
GREY, LINE = "#666666", "#b0b0b0"


def row_of_panels(figure: Figure, panels: int, *, sharey: bool = False) -> list[Axes]:
    """Put panels side by side into a figure.

    Parameters
    ----------
    figure : Figure
        An empty one.
    panels : int
        How many.
    sharey : bool, default False
        Whether they share their vertical axis.

    Returns
    -------
    list of Axes
        From left to right.
    """
    return list(figure.subplots(1, panels, squeeze=False, sharey=sharey)[0])


def plain_log_axis(axis: Axis) -> None:
    """Few ticks, written as numbers, on a logarithmic axis that spans a decade or two.

    Parameters
    ----------
    axis : Axis
        Already logarithmic.
    """
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_locator(NullLocator())
