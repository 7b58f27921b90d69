"""Shared style of the figures: colours, rows of panels, log axes.

The colours suit colour-blind readers (Okabe & Ito 2008, *Color Universal Design*).
"""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
GREY, LINE = "#666666", "#b0b0b0"


def row_of_panels(figure: Figure, panels: int, *, sharey: bool = False) -> list[Axes]:
    """Return panels side by side in an empty figure, from left to right."""
    return list(figure.subplots(1, panels, squeeze=False, sharey=sharey)[0])


def plain_log_axis(axis: Axis) -> None:
    """Draw few ticks with plain numbers on a log axis that spans one or two decades."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_locator(NullLocator())
