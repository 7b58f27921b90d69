"""Figures of the data: images and series in labelled rows."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from nnloss.plots.style import CLASSES, GREY, STYLE, WIDTH, dark, label_ends


@rc_context(STYLE)
def images(rows: Mapping[str, ArrayLike], *, title: str = "") -> Figure:
    """Draw images in labelled rows.

    Parameters
    ----------
    rows : mapping of str to array_like, shape (K, height, width, 3)
        Images of type uint8 by row label; K may differ between rows.
    title : str, optional
        Title of the figure.

    Returns
    -------
    Figure
        A row of panels for each label.

    Examples
    --------
    >>> import numpy as np
    >>> from nnloss import plots
    >>> figure = plots.images({"black": np.zeros((4, 32, 32, 3), dtype=np.uint8)})
    >>> len(figure.axes)
    4
    """
    across = max(len(np.asarray(row)) for row in rows.values())
    height = 5.8 / across * len(rows) + (0.3 if title else 0)
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    figure.suptitle(title, x=0, ha="left")
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


@rc_context(STYLE)
def series(rows: Mapping[str, ArrayLike], *, xlabel: str, ylabel: str, examples: int = 3) -> Figure:
    """Draw the mean series of each class, the spread around it, and some examples.

    Parameters
    ----------
    rows : mapping of str to array_like, shape (K, length)
        All series by class; K may differ between classes.
    xlabel, ylabel : str
        Axis labels with units.
    examples : int, default 3
        Number of examples of each class; the first ones are drawn.

    Returns
    -------
    Figure
        Above, the mean of each class; the vertical line marks where the means are furthest apart.
        Below, in a row for each class, the mean with a band from the 10th to the 90th percentile,
        and the examples. All panels share their axes. They are limited by the 0.5th and the 99.5th
        percentile of all values; a triangle with a number is the largest value of an example that
        exceeds them.
    """
    classes = {name: np.asarray(row) for name, row in rows.items()}
    styles = dict(zip(classes, cycle(CLASSES), strict=False))
    means = {name: row.mean(axis=0) for name, row in classes.items()}
    values = np.concatenate([row.ravel() for row in classes.values()])
    low, high = np.percentile(values, (0.5, 99.5))
    margin = 0.15 * (high - low)
    limits = low - margin, high + margin

    down = len(classes)
    figure = Figure(figsize=(WIDTH, 2.1 + 1.35 * down), layout="constrained")
    grid = figure.add_gridspec(
        down + 1,
        examples + 1,
        height_ratios=[1.5] + down * [1],
        width_ratios=[1.5] + examples * [1],
    )
    above = figure.add_subplot(grid[0, :])
    steps = np.arange(values.size // sum(map(len, classes.values())))
    for number, (name, row) in enumerate(classes.items(), 1):
        colour, line = styles[name]
        above.plot(steps, means[name], line, color=colour, linewidth=2)
        panels = [
            figure.add_subplot(grid[number, column], sharex=above, sharey=above)
            for column in range(examples + 1)
        ]
        band = np.percentile(row, (10, 90), axis=0)
        panels[0].fill_between(steps, *band, color=colour, alpha=0.25, linewidth=0)
        panels[0].plot(steps, means[name], line, color=colour, linewidth=2)
        panels[0].set_ylabel(name, color=dark(colour))
        for axes, one in zip(panels[1:], row, strict=False):
            axes.plot(steps, one, color=colour, linewidth=1.2)
            far = int(np.argmax(np.abs(one)))
            if not limits[0] < one[far] < limits[1]:
                up = one[far] > 0
                edge = limits[1] if up else limits[0]
                axes.plot(far, edge, "^" if up else "v", color=colour, clip_on=False)
                axes.annotate(
                    f"{one[far]:.1f}",
                    (far, edge),
                    xytext=(7, 0),
                    textcoords="offset points",
                    va="top" if up else "bottom",
                )
        for axes in panels:
            axes.tick_params(labelleft=axes is panels[0], labelbottom=number == down)
            axes.grid()
        if number == 1:
            panels[0].set_title("mean, central 80 %")
            panels[1].set_title("examples")
    above.set(xlim=(0, steps[-1]), ylim=limits)
    above.xaxis.set_major_locator(MaxNLocator(3, integer=True))
    step = int(np.argmax(np.ptp(list(means.values()), axis=0)))
    above.axvline(step, color=GREY, linewidth=1, linestyle=(0, (1, 2)))
    above.set_title(
        f"The class means are furthest apart at {xlabel} {step}: "
        + ", ".join(f"{name} {mean[step]:z.1f}" for name, mean in means.items())
    )
    above.grid()
    ends = {
        f"{name}:\n{len(row):,} series": (steps[-1], means[name][-1], styles[name][0])
        for name, row in classes.items()
    }
    label_ends(above, ends, gap=0.3)
    figure.supxlabel(xlabel)
    figure.supylabel(ylabel)
    return figure
