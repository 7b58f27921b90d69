"""Names of configurations and quantities, and formats of numbers, in a report."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import pandas as pd

from nnloss.course.published import PUBLISHED, decimals
from nnloss.reproduction.units import Configuration
from nnloss.table import LOSSES

#: Titles of the exercises: number and data set.
EXERCISES = {
    "boston": "11.3 Boston Housing",
    "cifar10": "11.4 CIFAR-10",
    "wafer": "11.5 Wafer",
}
#: Networks of the printed logs and matrices.
NETWORK_TITLES = {
    "boston": "Boston Housing",
    "cifar10": "CIFAR-10",
    "cifar10_augmented": "CIFAR-10, augmented images",
    "wafer": "Wafer",
}
MISSING = "–"
_FIELDS = ["exercise", "loss", "augment", "epochs", "batch_size"]
_COURSE = {(number.exercise, number.loss) for number in PUBLISHED}
_METRICS = {"mean_squared_error": "MSE", "mean_absolute_error": "MAE"}
_UNITS = {
    ("boston", "mean_squared_error"): "(1000 USD)²",
    ("boston", "mean_absolute_error"): "1000 USD",
}


def configurations(table: pd.DataFrame) -> dict[Configuration, pd.DataFrame]:
    """Split a table by configuration, the course's loss and plain images first."""
    if table.empty:
        return {}
    found = {_configuration(key): rows for key, rows in table.groupby(_FIELDS, dropna=False)}
    return dict(sorted(found.items(), key=lambda each: _order(each[0])))


def names(found: Iterable[Configuration]) -> dict[Configuration, str]:
    """Return names for the configurations of an exercise by their differences: "MSE, batch 32"."""
    found = list(found)
    differ = {field: len({getattr(each, field) for each in found}) > 1 for field in _FIELDS}
    differ["loss"] |= not any(differ.values())
    return {
        each: ", ".join(part for field, part in _parts(each).items() if differ[field])
        for each in found
    }


def quantity(metric: str, exercise: str = "") -> str:
    """Return the name of a metric, with its unit in an exercise: "test MSE, (1000 USD)²"."""
    bare = metric.removeprefix("val_")
    title = _METRICS.get(bare, bare.replace("_", " "))
    unit = _UNITS.get((exercise, bare))
    return ("test " if metric.startswith("val_") else "") + title + (f", {unit}" if unit else "")


def number(value: float, spread: float = math.nan) -> str:
    """Return a number with two significant digits of `spread`; without one, four of the value.

    It has thousands separators and a minus sign instead of a hyphen; a dash if it is not finite.
    """
    if pd.isna(value) or not math.isfinite(value):
        return MISSING
    if 0 < abs(value) < 1e-4:
        return f"{value:.1e}".replace("-", "−")
    known = not pd.isna(spread) and math.isfinite(spread) and spread != 0
    size, digits = (spread, 2) if known else (value, 4)
    places = digits - 1 - math.floor(math.log10(abs(size))) if size else 0
    # Adding 0.0 turns minus zero into zero.
    text = f"{round(value, min(max(places, 0), 10)) + 0.0:,.{min(max(places, 0), 10)}f}"
    return text.replace("-", "−")


def between(low: float, high: float, spread: float = math.nan) -> str:
    """Return an interval as "19.2 to 24.6"; without a spread, its width determines the digits."""
    known = spread if not pd.isna(spread) else high - low
    texts = [number(limit, known) for limit in (low, high)]
    return MISSING if MISSING in texts else " to ".join(texts)


def printed(value: float) -> str:
    """Return a published number as it was printed, without an exponent."""
    return f"{value:.{decimals(value)}f}".replace("-", "−")


def probability(p: float) -> str:
    """Return a p-value with two digits."""
    if pd.isna(p):
        return MISSING
    return "< 0.0001" if p < 0.0001 else f"{p:#.2g}" if p < 0.1 else f"{p:.2f}"


def count(n: int, noun: str) -> str:
    """Return a count such as "1,000 seeds"; `noun` is singular."""
    return f"{n:,} {noun}{'s' * (n != 1)}"


def _configuration(key: Any) -> Configuration:
    exercise, loss, augment, epochs, batch_size = key
    augmented = None if pd.isna(augment) else bool(augment)
    return Configuration(str(exercise), str(loss), augmented, int(epochs), int(batch_size))


def _order(each: Configuration) -> tuple[Any, ...]:
    others = (each.exercise, each.loss) not in _COURSE
    return each.exercise, others, bool(each.augment), each.loss, each.epochs, each.batch_size


def _parts(each: Configuration) -> dict[str, str]:
    loss = LOSSES.get(str(each.loss))
    return {
        "exercise": EXERCISES.get(each.exercise, each.exercise),
        "loss": loss.aliases[0].upper() if loss else str(each.loss),
        "augment": "augmented" if each.augment else "plain",
        "epochs": count(each.epochs or 0, "epoch"),
        "batch_size": f"batch {each.batch_size}",
    }
