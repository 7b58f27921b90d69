"""Figure of the benchmark results."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, log10
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from nnloss.plots.style import BLUE, GREEN, GREY, ORANGE, PURPLE

#: A colour for each library, and dashes for its second way to train.
STYLES = {
    "nnloss": (BLUE, "o-"),
    "fit_many": (BLUE, "o-"),
    "fit_many, each epoch": (BLUE, "s--"),
    "plain Keras": (ORANGE, "o-"),
    "Keras, best options": (ORANGE, "s--"),
    "PyTorch": (GREEN, "o-"),
    "torch.compile": (GREEN, "s--"),
    "torch.func": (GREEN, "o-"),
    "JAX": (PURPLE, "o-"),
    "scikit-learn": ("black", "o-"),
    "arithmetic limit": (GREY, ".:"),
}
TITLES = {"boston": "Boston", "wafer": "Wafer", "cifar10": "CIFAR-10"}
SIZE = 9


def drawn(folder: Path) -> Figure | None:
    """Draw the results in a folder; return None without any.

    ``training.csv`` and ``seeds.csv`` are a panel each, ``rows.csv`` one per exercise.
    """
    tables = {
        name: pd.read_csv(folder / f"{name}.csv")
        for name in ("training", "rows", "seeds")
        if (folder / f"{name}.csv").exists()
    }
    panels = [
        (name, part)
        for name, table in tables.items()
        for exercise, part in table.groupby("exercise", sort=False)
        if name == "rows" or (name == "seeds" and exercise == "boston")
    ]
    if "training" in tables:
        panels.insert(0, ("training", tables["training"]))
    if not panels:
        return None
    columns = min(len(panels), 2)
    lines = ceil(len(panels) / columns)
    figure = Figure(figsize=(6.2 * columns, 4.8 * lines), layout="constrained")
    for axes, (name, part) in zip(
        figure.subplots(lines, columns, squeeze=False).flat, panels, strict=False
    ):
        {"training": _training, "rows": _rows, "seeds": _seeds}[name](axes, part)
        axes.grid(alpha=0.3)
    for axes in figure.axes[len(panels) :]:
        axes.remove()
    return figure


def _training(axes: Axes, measured: pd.DataFrame) -> None:
    wide = measured.pivot(index=["exercise", "round"], columns="contender", values="training")
    others = [name for name in STYLES if name in wide and name != "nnloss"]
    exercises = measured["exercise"].unique()
    top = 0.0
    for place, name in enumerate(others):
        colour, line = STYLES[name]
        for number, exercise in enumerate(exercises):
            both = wide.loc[exercise][[name, "nnloss"]].dropna()
            if both.empty:
                continue
            each = both[name] / both["nnloss"]
            ratio = both[name].median() / both["nnloss"].median()
            y = place + 0.27 * (number - (len(exercises) - 1) / 2)
            axes.plot([each.min(), each.max()], [y, y], color=colour)
            axes.plot([ratio], [y], line[0], color=colour)
            axes.annotate(f"{TITLES[str(exercise)]} {ratio:.2g}", (max(each.max(), ratio), y),
                          (5, 0), textcoords="offset points", va="center",
                          fontsize=SIZE - 1)  # fmt: skip
            top = max(top, each.max())
    axes.axvline(1, color=BLUE)
    axes.set(xscale="log", ylim=(len(others) - 0.5, -0.5))
    axes.set_xlim(right=12 * max(top, 1))  # room for the last label
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_yticks(range(len(others)), others)
    epochs = measured.groupby("exercise", sort=False)["epochs"].first()
    after = ", ".join(f"{TITLES[str(exercise)]} {number}" for exercise, number in epochs.items())
    axes.set_xlabel(f"seconds / seconds of nnloss\nepochs: {after}")
    axes.set_title("One training: ratio of medians, range of the rounds", fontsize=SIZE + 1)


class _Curve(NamedTuple):
    label: str
    colour: str
    line: str
    seconds: pd.DataFrame


def _rows(axes: Axes, measured: pd.DataFrame) -> None:
    _against(axes, _curves(measured), "training rows")
    title, epochs = TITLES[measured["exercise"].iloc[0]], measured["epochs"].iloc[0]
    axes.set_title(f"{title}, {epochs} epochs: cost of rows", fontsize=SIZE + 1)


def _seeds(axes: Axes, measured: pd.DataFrame) -> None:
    many = measured[measured["contender"] != "plain Keras"]
    plain = measured[measured["contender"] == "plain Keras"]["training"].median()
    seeds = sorted(many["number"].unique())
    median = [plain * number for number in seeds]
    runs = pd.DataFrame({"median": median, "min": median, "max": median}, index=seeds)
    label = "plain Keras,\none by one"
    _against(axes, [*_curves(many), _Curve(label, ORANGE, "--", runs)], "seeds")
    axes.set_title(f"Boston, {measured['epochs'].iloc[0]} epochs: cost of seeds", fontsize=SIZE + 1)


def _curves(measured: pd.DataFrame) -> list[_Curve]:
    parts = {name: measured[measured["contender"] == name] for name in STYLES}
    return [
        _Curve(
            name, *STYLES[name], part.groupby("number")["training"].agg(["median", "min", "max"])
        )
        for name, part in parts.items()
        if len(part)
    ]


def _against(axes: Axes, curves: Iterable[_Curve], label: str) -> None:
    """Draw seconds on log axes, with the range over rounds and a name at the end of each curve."""
    axes.set(xscale="log", yscale="log", xlabel=label, ylabel="training, s")
    ends = []
    for name, colour, line, seconds in curves:
        axes.plot(seconds.index, seconds["median"], line, color=colour, markersize=4)
        axes.fill_between(seconds.index, seconds["min"], seconds["max"], color=colour, alpha=0.15)
        ends.append((seconds["median"].iloc[-1], name, colour))
    axes.xaxis.set_major_formatter("{x:,g}")
    axes.yaxis.set_major_formatter("{x:,g}")
    axes.yaxis.set_major_locator(LogLocator(numticks=12))
    axes.yaxis.set_minor_formatter(NullFormatter())
    low, high = map(log10, axes.get_ylim())
    place = -1.0
    for end, name, colour in sorted(ends):
        # Names of curves that end close together are moved apart.
        place = max((log10(end) - low) / (high - low), place + 0.055 * (1 + name.count("\n")))
        axes.text(1.02, place, name, color=colour, transform=axes.transAxes, va="center",
                  fontsize=SIZE)  # fmt: skip
