"""Figure of the benchmark results."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

from nnloss.plots.style import BLUE, GREY, ORANGE, row_of_panels

COLOURS = {"nnloss": BLUE, "plain Keras": ORANGE, "PyTorch": GREY}
TITLES = {"boston": "Boston", "wafer": "Wafer", "cifar10": "CIFAR-10"}


def drawn(folder: Path) -> Figure | None:
    """Draw the results in a folder, one panel per existing file; return None without any.

    The files are ``training.csv``, ``rows.csv`` and ``seeds.csv``.
    """
    panels = {"training": _training, "rows": _rows, "seeds": _seeds}
    there = [name for name in panels if (folder / f"{name}.csv").exists()]
    if not there:
        return None
    figure = Figure(figsize=(4.6 * len(there), 3.8), layout="constrained")
    for axes, name in zip(row_of_panels(figure, len(there)), there, strict=True):
        panels[name](axes, pd.read_csv(folder / f"{name}.csv"))
        axes.set_ylabel("training, s")
        axes.grid(alpha=0.3)
    return figure


def _training(axes: Axes, measured: pd.DataFrame) -> None:
    wide = measured.groupby(["exercise", "contender"], sort=False)["training"]
    median, low, high = (wide.agg(how).unstack() for how in ("median", "min", "max"))
    shown = [name for name in COLOURS if name in median]
    median, low, high = (part[shown] for part in (median, low, high))
    labels = [
        f"{TITLES[str(name)]},\n{epochs} epoch{'s' if epochs > 1 else ''}"
        for name, epochs in measured.groupby("exercise", sort=False)["epochs"].first().items()
    ]
    width = 0.8 / len(shown)
    for place, name in enumerate(shown):
        where = [number + (place - (len(shown) - 1) / 2) * width for number in range(len(median))]
        errors = [median[name] - low[name], high[name] - median[name]]
        axes.bar(where, median[name], width, yerr=errors, color=COLOURS[name], label=name)
        for x, value, top in zip(where, median[name], high[name], strict=True):
            axes.annotate(f"{value:.1f}", (x, top), (0, 2), textcoords="offset points",
                          ha="center", fontsize=8)  # fmt: skip
    axes.set_xticks(range(len(median)), labels)
    axes.set_title("One training: median, and range of the rounds", fontsize=10)
    axes.legend(fontsize=8)


def _rows(axes: Axes, measured: pd.DataFrame) -> None:
    for name, colour in COLOURS.items():
        part = measured[measured["contender"] == name].groupby("number")["training"]
        if len(part):
            axes.plot(part.median().index, part.median(), "o-", color=colour, label=name)
            axes.fill_between(part.min().index, part.min(), part.max(), color=colour, alpha=0.15)
    axes.set(xlabel="training rows", ylim=(0, None))
    axes.set_title(f"Wafer, {measured['epochs'].iloc[0]} epochs: cost of a row", fontsize=10)
    axes.legend(fontsize=8)


def _seeds(axes: Axes, measured: pd.DataFrame) -> None:
    boston = measured[measured["exercise"] == "boston"]
    if boston.empty:
        return
    many = boston[boston["contender"] == "fit_many"].groupby("number")["training"].median()
    plain = boston[boston["contender"] == "plain Keras"]["training"].median()
    axes.plot(many.index, many, "o-", color=COLOURS["nnloss"], label="fit_many, all at once")
    axes.plot(
        many.index, many.index * plain, "--", color=COLOURS["plain Keras"],
        label="plain Keras, its median run times seeds",
    )  # fmt: skip
    axes.set(xscale="log", yscale="log", xlabel="seeds")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(ScalarFormatter())
    axes.set_title("Boston, 100 epochs: cost of a seed", fontsize=10)
    axes.legend(fontsize=8)
