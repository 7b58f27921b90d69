"""Figures of hidden states."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from nnloss.plots.style import CLASSES, GREEN, GREY, STYLE, WIDTH


@rc_context(STYLE)
def states_by_target(values: ArrayLike, target: ArrayLike, *, label: str) -> Figure:
    """Draw the activations of a hidden layer, with rows sorted by target.

    Parameters
    ----------
    values : array_like, shape (N, units)
        Activations.
    target : array_like, shape (N,)
        Targets.
    label : str
        Label of the target: its name and, after a comma, its unit.

    Returns
    -------
    Figure
        Above, the sorted targets; below, a line for each unit that is ever active, sorted by
        correlation with the target, as a share of its largest activation; right, the correlations.
        The title counts units with a correlation of at least 0.5 in size.
    """
    states, y = np.asarray(values), np.asarray(target)
    used = states[:, states.std(axis=0) > 0]
    correlation = np.array([np.corrcoef(unit, y)[0, 1] for unit in used.T])
    order, rows = np.argsort(correlation), np.argsort(y, kind="stable")
    shares = used[rows][:, order] / used.max(axis=0)[order]
    units, silent = used.shape[1], states.shape[1] - used.shape[1]
    name = label.split(",")[0]

    figure = Figure(figsize=(WIDTH, 5), layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=(1, 2.9), width_ratios=(4.2, 1))
    above = figure.add_subplot(grid[0, 0])
    below = figure.add_subplot(grid[1, 0], sharex=above)
    beside = figure.add_subplot(grid[1, 1], sharey=below)
    above.plot(np.arange(len(y)), y[rows], color=GREY, linewidth=2)
    above.set(ylabel=label.replace(", ", ",\n"))
    above.set_title(
        f"{np.sum(np.abs(correlation) >= 0.5)} of {states.shape[1]} hidden units follow the {name},"
        "\nthough no unit has a target (correlation at least 0.5 in size)"
    )
    above.tick_params(labelbottom=False)
    drawn = below.imshow(shares.T, aspect="auto", cmap="Greens", interpolation="nearest")
    below.set(
        xlabel=f"test rows, from the lowest to the highest {name}",
        ylabel=f"{units} hidden units" + (f" ({silent} never active)" if silent else ""),
        yticks=[],
    )
    beside.barh(np.arange(units), correlation[order], color=GREEN)
    beside.axvline(0, color=GREY, linewidth=0.8)
    beside.set(xlim=(-1.05, 1.05), xlabel=f"correlation\nwith the {name}", ylim=(units - 0.5, -0.5))
    for axes in (above, beside):
        axes.grid()
    figure.colorbar(
        drawn,
        ax=below,
        location="bottom",
        label="activation, as a share of the largest one of the unit",
        aspect=45,
    )
    return figure


@rc_context(STYLE)
def map_by_class(means: ArrayLike, classes: Sequence[str]) -> Figure:
    """Draw the mean feature maps of two classes and their difference.

    Parameters
    ----------
    means : array_like, shape (2, steps, filters)
        Mean activations by class.
    classes : sequence of str
        Class names.

    Returns
    -------
    Figure
        Three maps with a line for each filter that is active for a class, sorted by the difference
        of its means: those of the classes on one scale, and their difference, in which a colour
        means that the class of this colour activates the filter more. Below each map, its mean over
        the filters. The title names the step at which this mean differs most.
    """
    values = np.asarray(means)
    active = np.any(values, axis=(0, 1))
    difference = values[1] - values[0]
    parts = np.stack([*values, difference])[:, :, active]
    order = np.argsort(parts[2].mean(axis=0))
    over_filters = parts.mean(axis=2)
    most = int(np.argmax(np.abs(over_filters[2])))
    colours = [colour for colour, _ in CLASSES[:2]]
    contrast = LinearSegmentedColormap.from_list("contrast", [colours[0], "white", colours[1]])
    bound = float(np.abs(difference).max())

    figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
    figure.suptitle(
        f"The classes activate the filters at different places, most at step {most}: "
        + ", ".join(
            f"{name} {part[most]:.2f}" for name, part in zip(classes, over_filters, strict=False)
        ),
        x=0,
        ha="left",
    )
    maps, curves = figure.subplots(2, 3, sharex=True, height_ratios=(3, 1))
    titles = [*classes, f"{classes[1]} less {classes[0]}"]
    for column, (title, part) in enumerate(zip(titles, parts, strict=True)):
        above, below, last = maps[column], curves[column], column == 2
        drawn = above.imshow(
            part[:, order].T,
            aspect="auto",
            interpolation="nearest",
            cmap=contrast if last else "Greys",
            vmin=-bound if last else 0,
            vmax=bound if last else values.max(),
        )
        above.set(title=title, yticks=[])
        below.plot(over_filters[column], color="black" if last else colours[column])
        below.axvline(most, color=GREY, linewidth=1, linestyle=(0, (1, 2)))
        below.axhline(0, color=GREY, linewidth=0.8)
        below.grid()
        if column:
            figure.colorbar(
                drawn,
                ax=maps[2] if last else list(maps[:2]),
                location="bottom",
                label="difference of the means" if last else "mean activation over the test rows",
                aspect=15 if last else 30,
            )
    for below in curves[:2]:
        below.set_ylim(0, 1.06 * over_filters[:2].max())
    maps[0].set_ylabel(f"{active.sum()} of {active.size} filters\n(the others are never active)")
    curves[0].set_ylabel("mean over\nthe filters")
    figure.supxlabel("step of the feature map, from the start of the series to its end")
    return figure
