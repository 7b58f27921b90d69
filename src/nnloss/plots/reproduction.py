"""Figures of trainings repeated with many seeds: bands, distributions, paired differences."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator
from numpy.typing import ArrayLike, NDArray

from nnloss.plots.style import BLUE, GREY, ORANGE, plain_log_axis, row_of_panels

#: From this number of seeds on, histograms replace dots, and bands are quantiles.
MANY = 40
_WIDTH = 4.4
_LINES = ("-", "--", ":", "-.")
_Array = NDArray[np.floating[Any]]


def distributions(
    values: Mapping[str, ArrayLike],
    *,
    label: str,
    published: Mapping[str, Mapping[str, float]] | None = None,
    intervals: Mapping[str, tuple[float, float]] | None = None,
) -> Figure:
    """Draw distributions over seeds, one panel per configuration.

    Parameters
    ----------
    values : mapping of str to array_like
        One value per seed, by configuration; values that are not finite are left out.
    label : str
        Label of the shared horizontal axis.
    published : mapping of str to mapping of str to float, optional
        Values to mark, by configuration and label.
    intervals : mapping of str to (float, float), optional
        Intervals to shade, by configuration.

    Returns
    -------
    Figure
        A histogram from 40 seeds on, otherwise one dot per seed; the triangle is the mean. The axis
        excludes values more than two widths of the central 95 % away from it; a note counts them.

    Examples
    --------
    >>> from nnloss import plots
    >>> figure = plots.distributions(
    ...     {"Boston, test MSE": [20.1, 21.3, 20.8]},
    ...     label="(1000 USD)²",
    ...     published={"Boston, test MSE": {"2023": 21.91999}},
    ... )
    >>> figure.axes[0].get_xlabel()
    '(1000 USD)²'
    """
    published, intervals = published or {}, intervals or {}
    finite = {name: _finite(part) for name, part in values.items()}
    marked = any(published.get(name) for name in values)
    height = (1.0 if marked else 0.8) * len(values) + 0.5
    figure = Figure(figsize=(_WIDTH, height), layout=ConstrainedLayoutEngine(h_pad=0.06))
    panels = figure.subplots(len(values), 1, squeeze=False, sharex=True)
    marks = [value for name in values for value in published.get(name, {}).values()]
    limits = _limits(list(finite.values()), marks, list(intervals.values()))
    for axes, (name, sample) in zip(panels[:, 0], finite.items(), strict=True):
        if name in intervals and np.isfinite(intervals[name]).all():
            axes.axvspan(*intervals[name], color=GREY, alpha=0.16, linewidth=0)
        _draw(axes, sample, limits)
        outside = int(np.sum((sample < limits[0]) | (sample > limits[1])))
        note = f"  (outside the axes: {outside})" if outside else ""
        axes.set_title(f"{name}{note}", loc="left", fontsize="medium", pad=15 if marked else 4)
        _mark(axes, published.get(name, {}), limits)
        axes.set_xlim(*limits)
        axes.spines[["left", "top", "right"]].set_visible(False)
        axes.yaxis.set_major_locator(NullLocator())
        axes.tick_params(axis="x", length=3)
    panels[0, 0].xaxis.set_major_locator(MaxNLocator(6, steps=(1, 2, 5, 10)))
    panels[-1, 0].set_xlabel(label)
    return figure


def bands(curves: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Compute quantiles of a metric over seeds, epoch by epoch.

    Parameters
    ----------
    curves : DataFrame
        Columns ``seed``, ``epoch`` and the metric; values that are not finite are left out.
    metric : str
        Name of the metric.

    Returns
    -------
    DataFrame
        By epoch: ``median``, ``outer_low`` and ``outer_high`` (the central 95 %, or the range with
        fewer than 40 seeds), ``inner_low`` and ``inner_high`` (the central 50 %).

    Examples
    --------
    >>> import pandas as pd
    >>> from nnloss import plots
    >>> curves = pd.DataFrame({"seed": [0, 1, 2], "epoch": 1, "loss": [1.0, 2.0, 6.0]})
    >>> plots.bands(curves, "loss")[["outer_low", "median", "outer_high"]]
           outer_low  median  outer_high
    epoch
    1            1.0     2.0         6.0
    """
    many = curves["seed"].nunique() >= MANY
    outer = (0.025, 0.975) if many else (0.0, 1.0)
    finite = curves[metric].where(np.isfinite(curves[metric].astype(float))).astype(float)
    found = finite.groupby(curves["epoch"]).quantile(np.array([*outer, 0.25, 0.5, 0.75])).unstack()
    names = {
        outer[0]: "outer_low",
        0.25: "inner_low",
        0.5: "median",
        0.75: "inner_high",
        outer[1]: "outer_high",
    }
    return found.rename(columns=names)


def training_bands(
    curves: pd.DataFrame,
    metric: str,
    *,
    label: str,
    linear: bool = False,
    limits: tuple[float, float] | None = None,
) -> Figure:
    """Draw training and test curves of one configuration over all seeds.

    Parameters
    ----------
    curves : DataFrame
        Columns ``seed``, ``epoch``, the metric, and the metric with prefix ``val_`` for the test
        rows.
    metric : str
        Name of the metric.
    label : str
        Label of the vertical axis.
    linear : bool, default False
        Whether the vertical axis is linear instead of logarithmic.
    limits : (float, float), optional
        Limits of the vertical axis, to make figures comparable.

    Returns
    -------
    Figure
        Lines are medians, bands are from `bands`; the inner band is drawn from 40 seeds on.
    """
    figure = Figure(figsize=(_WIDTH, 2.9), layout="constrained")
    (axes,) = row_of_panels(figure, 1)
    many = curves["seed"].nunique() >= MANY
    for name, colour, line, rows in (
        (metric, BLUE, "-", "training rows"),
        (f"val_{metric}", ORANGE, "--", "test rows"),
    ):
        band = bands(curves, name)
        for part in ("outer", "inner") if many else ("outer",):
            low, high = band[f"{part}_low"], band[f"{part}_high"]
            axes.fill_between(band.index, low, high, color=colour, alpha=0.2, linewidth=0)
        marker = "o" if len(band) <= 10 else None  # a line needs two epochs
        axes.plot(band.index, band["median"], line, color=colour, label=rows, marker=marker)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=(1, 2, 5, 10)))
    axes.set(xlabel="epoch", ylabel=label)
    if limits:
        axes.set_ylim(*limits)
    if not linear:
        axes.set(ylabel=f"{label} (log scale)", yscale="log")
        _log_ticks(axes)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    # Above the axes, clear of the curves.
    axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.1)
    return figure


def printed_logs(
    logs: Mapping[str, pd.DataFrame], *, loss: str, metric: str, linear: bool = False
) -> Figure:
    """Draw the course's training logs of one network over the envelopes of ours.

    Parameters
    ----------
    logs : mapping of str to DataFrame
        By title: a row per ``series`` ("loss", "val_loss", "metric", "val_metric") and ``epoch``,
        with the course's ``value``, our ``median``, ``low``, ``high``, and ``outside``.
    loss, metric : str
        Labels of the vertical axes.
    linear : bool, default False
        Whether the axis of the metric is linear; the others are logarithmic.

    Returns
    -------
    Figure
        A column per log: the loss above, the metric below. Shaded: our envelope; thin line: our
        median; thick line: the course, with dots where it leaves the envelope.
    """
    figure = Figure(figsize=(2 * _WIDTH, 5.0), layout="constrained")
    panels = figure.subplots(2, max(len(logs), 2), squeeze=False, sharex=True, sharey="row")
    for column, (title, points) in enumerate(logs.items()):
        for row, name in enumerate(("loss", "metric")):
            axes = panels[row, column]
            for series, colour, rows in (
                (name, BLUE, "training rows"),
                (f"val_{name}", ORANGE, "test rows"),
            ):
                part = points[points["series"].eq(series)].sort_values("epoch")
                epoch = part["epoch"]
                axes.fill_between(
                    epoch, part["low"], part["high"], color=colour, alpha=0.25, linewidth=0
                )
                axes.plot(epoch, part["median"], color=colour, linewidth=0.8, alpha=0.7)
                axes.plot(epoch, part["value"], color=colour, linewidth=1.8, label=rows)
                left = part[part["outside"].astype(bool)]
                axes.plot(left["epoch"], left["value"], "o", color=colour, markersize=4)
            if not (linear and name == "metric"):
                axes.set_yscale("log")
                _log_ticks(axes)
            axes.spines[["top", "right"]].set_visible(False)
            axes.grid(alpha=0.3)
        panels[0, column].set_title(title, loc="left", fontsize="medium")
        panels[1, column].set_xlabel("epoch")
        panels[1, column].xaxis.set_major_locator(MaxNLocator(integer=True, steps=(1, 2, 5, 10)))
    for row, label in enumerate((loss, metric)):
        panels[row, 0].set_ylabel(label)
    figure.legend(
        *panels[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=2, frameon=False
    )
    for axes in panels[:, len(logs) :].flat:
        axes.set_visible(False)
    return figure


def split_differences(
    differences: Mapping[str, ArrayLike],
    *,
    label: str,
    intervals: Mapping[str, tuple[float, float]],
    course: Mapping[str, float],
) -> Figure:
    """Draw differences between two networks over random splits, one panel per metric.

    Parameters
    ----------
    differences : mapping of str to array_like
        One per split, by metric.
    label : str
        Label of the horizontal axes.
    intervals : mapping of str to (float, float)
        Confidence intervals of the mean difference, by metric.
    course : mapping of str to float
        Differences on the course's split, by metric, if known.

    Returns
    -------
    Figure
        A histogram per metric, or dots for few splits. The black line marks zero, the bar the mean
        with its interval, the dashed line the course's split.
    """
    figure = Figure(figsize=(_WIDTH, 1.35 * len(differences) + 0.3), layout="constrained")
    panels = figure.subplots(len(differences), 1, squeeze=False)[:, 0]
    for axes, (name, given) in zip(panels, differences.items(), strict=True):
        sample, interval, mark = _finite(given), intervals[name], course.get(name, float("nan"))
        limits = _limits([sample], [0.0, mark], [interval])
        _draw_differences(axes, sample, limits, float(np.mean(sample)), interval, "black")
        if np.isfinite(mark):
            axes.axvline(mark, color=ORANGE, linewidth=1.6, linestyle="--")
        axes.set_title(name, loc="left", fontsize="medium")
    panels[-1].set_xlabel(label)
    return figure


def paired_differences(
    differences: ArrayLike, *, label: str, mean: float, interval: tuple[float, float]
) -> Figure:
    """Draw the distribution of paired differences between two configurations.

    Parameters
    ----------
    differences : array_like
        One per seed; values that are not finite are left out.
    label : str
        Label of the horizontal axis.
    mean : float
        Mean difference.
    interval : (float, float)
        Confidence interval of the mean.

    Returns
    -------
    Figure
        Drawn as in `distributions`. The vertical line marks zero; the dot with the bar is the mean
        with its interval.
    """
    sample = _finite(differences)
    figure = Figure(figsize=(_WIDTH, 1.75), layout="constrained")
    (axes,) = row_of_panels(figure, 1)
    limits = _limits([sample], [0.0, mean], [interval])
    _draw_differences(axes, sample, limits, mean, interval, ORANGE)
    axes.set_xlabel(label)
    return figure


def _log_ticks(axes: Axes) -> None:
    """Draw few ticks with plain numbers on the vertical log axis."""
    plain_log_axis(axes.yaxis)
    bottom, top = axes.get_ylim()
    if top > 300 * bottom:
        axes.yaxis.set_major_locator(LogLocator())


def _finite(values: ArrayLike) -> _Array:
    array: _Array = np.asarray(values, dtype=float)
    return np.extract(np.isfinite(array), array)


def _limits(
    samples: list[_Array], marks: list[float], intervals: list[tuple[float, float]]
) -> tuple[float, float]:
    """Return limits that include all marks and all values except distant outliers.

    Intervals extend the limits by at most half a width on each side.
    """
    ends = [value for value in marks if np.isfinite(value)]
    for sample in samples:
        if len(sample):
            low, high = np.quantile(sample, (0.025, 0.975))
            far = 2 * (high - low)
            ends += [max(sample.min(), low - far), min(sample.max(), high + far)]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    width = high - low
    for limit in (limit for interval in intervals for limit in interval if np.isfinite(limit)):
        ends.append(min(max(limit, low - width / 2), high + width / 2))
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    margin = 0.04 * (high - low) or 0.05 * abs(high) or 0.5
    return float(low - margin), float(high + margin)


def _draw(axes: Axes, sample: _Array, limits: tuple[float, float], *, mean: bool = True) -> None:
    """Draw a histogram, or dots for few values."""
    if len(sample) >= MANY:
        edges = list(np.linspace(*limits, 49))
        # One outline: separate translucent bars would show seams.
        counts, _, _ = axes.hist(sample, bins=edges, histtype="stepfilled", color=BLUE, alpha=0.75)
        top = max(float(np.max(counts)), 1.0)
    else:
        # Stack the dots in 48 columns.
        column = np.digitize(sample, np.linspace(*limits, 49))
        height = np.array([np.sum(column[:place] == column[place]) for place in range(len(sample))])
        top = max(float(np.max(height, initial=0)) + 1, 4.0)
        axes.plot(sample, height + 0.5, "o", color=BLUE, markersize=5, alpha=0.75, mew=0)
    axes.set_ylim(0, 1.04 * top)
    if mean and len(sample):
        axes.plot(np.mean(sample), 0, "^", color="black", markersize=6, clip_on=False, zorder=5)


def _draw_differences(
    axes: Axes,
    sample: _Array,
    limits: tuple[float, float],
    mean: float,
    interval: tuple[float, float],
    colour: str,
) -> None:
    """Draw differences with a line at zero, and above them their mean with its interval."""
    _draw(axes, sample, limits, mean=False)
    axes.axvline(0, color="black", linewidth=1)
    top = axes.get_ylim()[1]
    if np.isfinite(interval).all():
        axes.plot(interval, (1.14 * top, 1.14 * top), color=colour, linewidth=2.5)
    axes.plot(mean, 1.14 * top, "o", color=colour, markersize=5.5)
    axes.set(xlim=limits, ylim=(0, 1.32 * top))
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=(1, 2, 5, 10)))
    axes.spines[["left", "top", "right"]].set_visible(False)
    axes.yaxis.set_major_locator(NullLocator())


def _mark(axes: Axes, marks: Mapping[str, float], limits: tuple[float, float]) -> None:
    """Draw marked values with their names above, in one text if they are close together."""
    ordered = sorted(marks.items(), key=lambda mark: mark[1])
    places = [(value - limits[0]) / (limits[1] - limits[0]) for _, value in ordered]
    for (_, value), line in zip(ordered, _LINES * len(ordered), strict=False):
        axes.axvline(value, color=ORANGE, linewidth=1.6, linestyle=line)
    close = any(after - before < 0.45 for before, after in pairwise(places))
    texts = [", ".join(name for name, _ in ordered)] if close else [name for name, _ in ordered]
    at = [sum(places) / len(places)] if close else places
    for text, place in zip(texts, at, strict=True):
        # Aligned towards the middle, to stay inside the figure.
        side = "left" if place < 0.3 else "right" if place > 0.7 else "center"
        edge = place
        if close and side != "center":
            edge = places[0] if side == "left" else places[-1]
        label = axes.annotate(
            text,
            (edge, 1),
            xycoords="axes fraction",
            xytext=(0, 3),
            textcoords="offset points",
            ha=side,
            fontsize="small",
            color=ORANGE,
        )
        label.set_in_layout(False)
