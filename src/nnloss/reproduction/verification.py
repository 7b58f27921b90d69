"""Verification of a stored unit of a sweep: checksums, record and tables."""

from __future__ import annotations

import hashlib
import math
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pandas as pd

from nnloss._files import read_file
from nnloss.errors import DataError
from nnloss.reproduction.units import TABLES, Configuration, Outcome, Unit
from nnloss.runs.record import RunRecord

#: File with the checksums of the others.
SUMS = "SHA256SUMS"
#: Columns that a table must have.
_COLUMNS = {
    "seeds": ("seed", "diverged"),
    "splits": ("seed", "diverged", "split"),
    "curves": ("seed", "epoch"),
    "confusion": ("seed", "actual", "predicted", "count"),
}
#: Columns of tables that are no numbers.
_TEXTS = ["actual", "predicted"]
#: Numbers in float32, of which nnloss computes, are smaller.
_LARGEST = 1e100
#: Columns of the configuration, which a sweep adds to the tables of its units.
KEYS = ["exercise", "loss", "augment", "epochs", "batch_size"]


def verified(folder: Path, home: Path) -> tuple[Unit, Outcome]:
    """Return the unit in a folder and its outcome, and check each file and what it says."""
    where = folder.relative_to(home)
    rule = f"The run in '{where}' must be as it was written"
    remedy = "It will be run again"
    try:
        sums = read_file(folder / SUMS).decode("utf-8")
        expected = dict(line.split("  ", 1)[::-1] for line in sums.splitlines())
        found = {path.name: sha256_of(path) for path in folder.iterdir() if path.name != SUMS}
    except (OSError, ValueError) as error:
        raise DataError(rule, f"reading it gave: {error}", remedy) from error
    wrong = [name for name in {**expected, **found} if expected.get(name) != found.get(name)]
    if wrong or "run.json" not in expected:
        name = (wrong or ["run.json"])[0]
        raise DataError(rule, f"the checksum of '{name}' does not agree", remedy)
    record = RunRecord.read(folder / "run.json")
    unit = Unit(Configuration.of(record), tuple(record.seeds))
    if unit.folder != PurePosixPath(where):
        raise DataError(rule, f"it is the run of '{unit.folder}'", remedy)
    try:
        tables = {
            name: pd.read_csv(folder / file_of(name))
            for name in TABLES
            if file_of(name) in expected
        }
    except (OSError, EOFError, ValueError, zlib.error) as error:
        reason = " ".join(str(error).split())
        raise DataError(rule, f"reading its tables gave: {reason}", remedy) from error
    problem = _odd_record(record) or _problem(unit, tables)
    if problem:
        raise DataError(rule, problem, remedy)
    return unit, Outcome(record, tables)


def _odd_record(record: RunRecord) -> str | None:
    """Return what a record has that no finished unit has, if anything."""
    if record.status != "finished":
        return f"found the status {record.status!r:.40}"
    numbers = {f"seconds.{name}": value for name, value in record.seconds.items()}
    for name in ("cores", "peak_memory_MB"):
        if record.machine.get(name) is not None:
            numbers[f"machine.{name}"] = record.machine[name]
    for name, value in numbers.items():
        if not isinstance(value, (int, float)) or not 0 <= value < 1e12:
            return f"found {value!r:.40} as '{name}'"
    return None


def _problem(unit: Unit, tables: Mapping[str, pd.DataFrame]) -> str | None:
    """Return what is wrong with the tables of a unit, if anything."""
    seeds = list(unit.seeds)
    if not seeds:
        return f"it has seeds in its table '{next(iter(tables))}'" if tables else None
    if seeds != list(range(seeds[0], seeds[0] + len(seeds))):
        return f"its seeds are not consecutive: {seeds[:5]}"
    last = "splits" if unit.configuration.seeds_per_split else "seeds"  # a row for each seed
    if last not in tables:
        return f"its table '{last}' is missing"
    for name, table in tables.items():
        missing = [column for column in _COLUMNS[name] if column not in table]
        if missing:
            return f"its table '{name}' has no column '{missing[0]}'"
        foreign = table.columns.intersection([*KEYS, "folder"])
        if len(foreign):
            return f"its table '{name}' has a column '{foreign[0]}'"
        found = table["seed"].tolist()
        if sorted(found if name == last else set(found)) != seeds:
            return f"its table '{name}' does not have the seeds {seeds[0]} to {seeds[-1]}"
        for column in table.columns.difference(_TEXTS):
            where, values = f"column '{column}' of its table '{name}'", table[column]
            if not pd.api.types.is_numeric_dtype(values):
                return f"{where} has a text"
            if column == "diverged" and values.dtype != bool:
                return f"{where} has something else than True and False"
            if values[values.abs() != math.inf].abs().max() > _LARGEST:  # a diverged loss is inf
                return f"{where} has a number above {_LARGEST:g}"
        if name == "curves" and not _epochs_are_right(table, unit.configuration.epochs):
            return "the epochs of its table 'curves' are not those of the training"
    return None


def _epochs_are_right(curves: pd.DataFrame, epochs: int | None) -> bool:
    """Return whether each seed has each of its epochs once; a training may end early."""
    number = curves["epoch"]
    return bool(number.isin(range(1, (epochs or 0) + 1)).all()) and not bool(
        curves.duplicated(["seed", "epoch"]).any()
    )


def file_of(table: str) -> str:
    """Return the name of the file of a table."""
    return "curves.csv.gz" if table == "curves" else f"{table}.csv"


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal."""
    return hashlib.sha256(read_file(path)).hexdigest()
