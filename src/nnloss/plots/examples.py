"""Figures of the data: images and series in labelled rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from nnloss.plots.style import BLUE


def images(rows: Mapping[str, ArrayLike]) -> Figure:
    """Draw images in labelled rows.

    Parameters
    ----------
    rows : mapping of str to array_like, shape (K, height, width, 3)
        uint8 images by row label; K may differ between rows.

    Returns
    -------
    Figure
    """
    across = max(len(np.asarray(row)) for row in rows.values())
    figure = Figure(figsize=(2.6 + 0.85 * across, 0.85 * len(rows) + 0.2), layout="constrained")
    panels = figure.subplots(len(rows), across, squeeze=False)
    for line, (name, row) in zip(panels, rows.items(), strict=True):
        pictures = np.asarray(row)
        for place, axes in enumerate(line):
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
            if place < len(pictures):
                axes.imshow(pictures[place], interpolation="nearest")
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", labelpad=8)
    return figure


def series(rows: Mapping[str, ArrayLike], *, xlabel: str, ylabel: str) -> Figure:
    """Draw series, one row of panels per class.

    Parameters
    ----------
    rows : mapping of str to array_like, shape (K, length)
        Series by row label.
    xlabel, ylabel : str
        Axis labels with units.

    Returns
    -------
    Figure
        All panels share their axes.
    """
    across = max(len(np.asarray(row)) for row in rows.values())
    figure = Figure(figsize=(2.6 * across, 1.9 * len(rows) + 0.6), layout="constrained")
    panels = figure.subplots(len(rows), across, squeeze=False, sharex=True, sharey=True)
    for line, (name, row) in zip(panels, rows.items(), strict=True):
        for axes, values in zip(line, np.asarray(row), strict=False):
            axes.plot(values, color=BLUE, linewidth=1)
            axes.grid(alpha=0.3)
        line[0].set_ylabel(name)
    figure.supxlabel(xlabel)
    figure.supylabel(ylabel)
    return figure
