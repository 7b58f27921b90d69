"""Figures of GLM twins, pitfalls, loss landscapes and hidden states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from nnloss.plots.style import BLUE, GREEN, GREY, ORANGE, PURPLE, plain_log_axis, row_of_panels

_STYLES = ((BLUE, "-"), (ORANGE, "--"), (GREEN, "-."), (PURPLE, ":"))


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
        Rings mark the GLM, dots the network.
    """
    columns = min(3, len(coefficients))
    rows = -(-len(coefficients) // columns)
    figure = Figure(figsize=(4.2 * columns, 4.6 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    panels = list(grid.flat)[: len(coefficients)]
    places = np.arange(len(names))
    for axes, (title, (glm, network)) in zip(panels, coefficients.items(), strict=True):
        pairs = zip(np.asarray(glm).T, np.asarray(network).T, strict=True)
        for number, (one, other) in enumerate(pairs):
            colour = (BLUE, ORANGE)[number % 2]
            part = f", output {number + 1}" if np.asarray(glm).shape[1] > 1 else ""
            axes.plot(one, places, "o", mfc="none", ms=10, color=colour, label=f"GLM{part}")
            axes.plot(other, places, ".", ms=7, color=colour, label=f"network{part}")
        axes.axvline(0, color=GREY, linewidth=0.8)
        axes.set(title=title, xlabel="coefficient, features standardised")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    panels[0].set_yticks(places, names)
    panels[0].invert_yaxis()
    return figure


def gradients(table: pd.DataFrame) -> Figure:
    """Draw the gradients of BCE and MSE in the logit for a row of class 1.

    Parameters
    ----------
    table : DataFrame
        Columns ``logit``, ``BCE`` and ``MSE``.

    Returns
    -------
    Figure
        The network is confidently wrong on the left.
    """
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    (axes,) = row_of_panels(figure, 1)
    for (name, formula), (colour, line) in zip(
        (("BCE", "p - y"), ("MSE", "2 (p - y) p (1 - p)")), _STYLES, strict=False
    ):
        axes.plot(
            table["logit"], table[name], line, color=colour, label=f"sigmoid + {name}: {formula}"
        )
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.set(
        xlabel="logit of a row of class 1 (left: sure and wrong)",
        ylabel="gradient of the loss in the logit",
        title="A confident mistake: BCE pulls, MSE does not",
    )
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


def pitfalls(panels: Mapping[str, pd.DataFrame], *, level: float, majority: float) -> Figure:
    """Draw the test error of several pairings by epoch, one panel per group.

    Parameters
    ----------
    panels : mapping of str to DataFrame
        Columns ``pairing``, ``seed``, ``epoch`` and ``accuracy``, by title. Line styles repeat
        after four pairings.
    level : float
        Accuracy to reach.
    majority : float
        Accuracy of always predicting the larger class.

    Returns
    -------
    Figure
        Lines are medians over seeds; bands span the worst to the best seed.
    """
    figure = Figure(figsize=(5.2 * len(panels), 4.8), layout="constrained")
    drawn = row_of_panels(figure, len(panels), sharey=True)
    for axes, (title, runs) in zip(drawn, panels.items(), strict=True):
        for (name, group), (colour, line) in zip(
            runs.groupby("pairing", sort=False), cycle(_STYLES), strict=False
        ):
            error = (1 - group["accuracy"]).groupby(group["epoch"])
            middle = error.median()
            axes.fill_between(
                middle.index, error.min(), error.max(), color=colour, alpha=0.15, linewidth=0
            )
            axes.plot(middle.index, middle, line, color=colour, label=str(name))
        for accuracy, text in ((level, f"accuracy {level:g}"), (majority, "always normal")):
            axes.axhline(1 - accuracy, color=GREY, linewidth=0.8, linestyle=(0, (1, 2)))
            end = runs["epoch"].max()
            axes.text(end, 1 - accuracy, f"{text} ", ha="right", va="bottom", fontsize=8)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set(title=title, xlabel="epoch", yscale="log")
        axes.margins(x=0)
        axes.grid(alpha=0.3)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2, fontsize=9)
        axes.set_ylim(top=1)
        plain_log_axis(axes.yaxis)
    drawn[0].set_ylabel("test error (log scale): median, worst and best seed")
    return figure


def landscapes(reach: ArrayLike, surfaces: Mapping[str, ArrayLike]) -> Figure:
    """Draw contours of loss surfaces around weights, one panel per surface.

    Parameters
    ----------
    reach : array_like, shape (K,)
        Steps in both directions.
    surfaces : mapping of str to array_like, shape (K, K)
        Losses by title.

    Returns
    -------
    Figure
        Contours at equal steps of the log loss, from the minimum to the maximum of the panel; the
        cross marks the weights.
    """
    figure = Figure(figsize=(3.6 * len(surfaces), 3.9), layout="constrained")
    steps = np.asarray(reach)
    for axes, (title, losses) in zip(
        row_of_panels(figure, len(surfaces)), surfaces.items(), strict=True
    ):
        values = np.asarray(losses)
        levels = np.geomspace(values.min(), values.max(), 16)
        axes.contourf(steps, steps, values, levels=levels, cmap="Blues_r", norm="log")
        lines = axes.contour(
            steps, steps, values, levels=levels[1::3], colors="black", linewidths=0.6
        )
        axes.clabel(lines, fmt="%.0f", fontsize=7)
        axes.plot(0, 0, "+", color=ORANGE, markersize=11, markeredgewidth=2)
        axes.set(title=title, xlabel="first direction", aspect="equal")
    figure.axes[0].set_ylabel("second direction")
    figure.suptitle("Training MSE on a plane through the weights; steps are shares of their size")
    return figure


def profiles(
    panels: Mapping[str, tuple[ArrayLike, Mapping[str, ArrayLike]]], *, xlabel: str, ylabel: str
) -> Figure:
    """Draw the loss along one parameter at several stages of training, one panel per model.

    Parameters
    ----------
    panels : mapping of str to (array_like, mapping of str to array_like), all of shape (K,)
        By title: the values added to the parameter, and the losses for each state of the other
        parameters.
    xlabel, ylabel : str
        Axis labels.

    Returns
    -------
    Figure
        Each curve minus its minimum; a ring marks a minimum inside the panel.
    """
    figure = Figure(figsize=(5.4 * len(panels), 4.2), layout="constrained")
    for axes, (title, (reach, curves)) in zip(
        row_of_panels(figure, len(panels)), panels.items(), strict=True
    ):
        steps = np.asarray(reach)
        for (name, losses), (colour, line) in zip(curves.items(), cycle(_STYLES), strict=False):
            values = np.asarray(losses) - np.min(losses)
            least = int(np.argmin(values))
            axes.plot(steps, values, line, color=colour, label=name)
            if 0 < least < len(steps) - 1:  # no minimum at the edge
                axes.plot(steps[least], values[least], "o", mfc="none", color=colour)
        axes.axvline(0, color=GREY, linewidth=0.8)
        axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
        axes.grid(alpha=0.3)
        axes.legend(title="the others", fontsize=8)
    return figure


def states_by_target(values: ArrayLike, target: ArrayLike, *, label: str) -> Figure:
    """Draw the activations of a hidden layer, with rows sorted by target.

    Parameters
    ----------
    values : array_like, shape (N, units)
        Activations.
    target : array_like, shape (N,)
        Targets.
    label : str
        Label of the target, with its unit.

    Returns
    -------
    Figure
        Units sorted by their correlation with the target, each as a share of its maximum.
    """
    states, y = np.asarray(values), np.asarray(target)
    used = states[:, states.std(axis=0) > 0]
    correlation = np.array([np.corrcoef(unit, y)[0, 1] for unit in used.T])
    order, rows = np.argsort(correlation), np.argsort(y, kind="stable")
    shares = used[rows][:, order] / used.max(axis=0)[order]
    figure = Figure(figsize=(9, 5.2), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(1, 3))
    above.plot(y[rows], color=GREY)
    above.set(ylabel=label)
    above.grid(alpha=0.3)
    drawn = below.imshow(shares.T, aspect="auto", cmap="Blues", interpolation="nearest")
    silent = states.shape[1] - used.shape[1]
    below.set(
        xlabel="test rows in order of their price",
        ylabel="unit, by correlation with it",
        title=f"{used.shape[1]} units, correlations {correlation.min():.2f} to "
        f"{correlation.max():.2f}" + (f"; {silent} never active" if silent else ""),
    )
    figure.colorbar(drawn, ax=below, label="share of the unit's largest")
    return figure


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
        Filters sorted by mean difference.
    """
    values = np.asarray(means)
    difference = values[1] - values[0]
    order = np.argsort(difference.mean(axis=0))
    figure = Figure(figsize=(12, 4.6), layout="constrained")
    panels = row_of_panels(figure, 3, sharey=True)
    top = values.max()
    for axes, title, part in zip(panels[:2], classes, values, strict=True):
        drawn = axes.imshow(
            part[:, order].T, aspect="auto", cmap="Blues", vmin=0, vmax=top, interpolation="nearest"
        )
        axes.set(title=f"{title}: mean activation", xlabel="place in the shortened series")
    figure.colorbar(drawn, ax=panels[:2])
    bound = float(np.abs(difference).max())
    drawn = panels[2].imshow(
        difference[:, order].T,
        aspect="auto",
        cmap="PuOr",
        vmin=-bound,
        vmax=bound,
        interpolation="nearest",
    )
    panels[2].set(title=f"{classes[1]} less {classes[0]}", xlabel="place in the shortened series")
    figure.colorbar(drawn, ax=panels[2])
    panels[0].set_ylabel("filter, by mean difference")
    return figure
