"""Committed records, and rows of Markdown tables."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from nnloss import RunRecord

ROOT = Path(__file__).resolve().parents[2]
TITLES = {"boston": "Boston", "wafer": "Wafer", "cifar10": "CIFAR-10"}


def runs(exercise: str) -> list[tuple[RunRecord, Path]]:
    """Return the committed runs of an exercise, with their folders relative to the README."""
    paths = sorted((ROOT / "results" / exercise).glob("*/run.json"))
    return [(RunRecord.read(path), path.parent.relative_to(ROOT)) for path in paths]


def published(record: RunRecord, key: str) -> str:
    """Return the course's number for one of ours, as printed; empty if there is none."""
    return next((str(each["published"]) for each in record.published if each["key"] == key), "")


def row(*cells: object) -> str:
    """Return a row of a Markdown table."""
    return f"| {' | '.join(map(str, cells))} |\n"


def head(*names: str) -> str:
    """Return the head of a Markdown table."""
    return row(*names) + "|---" * len(names) + "|\n"


def swept(name: str) -> pd.DataFrame:
    """Return a table of the committed sweep."""
    return pd.read_csv(ROOT / "results" / "sweep" / f"{name}.csv")


def measured(name: str) -> pd.DataFrame:
    """Return a table of the committed benchmark."""
    return pd.read_csv(ROOT / "benchmarks" / "results" / f"{name}.csv")
