"""The table of all runs, ``results.csv``: a row a run, safe against other processes."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

from nnloss.errors import FolderError
from nnloss._files import replacing

_TOO_MANY = "cells without a column"


def add_row(table: Path, row: Mapping[str, Any]) -> None:
    """Add a row to a CSV table, or replace the one with the same ``id``.

    Safe against other processes that do the same: the table is read and replaced under a lock. A
    new column is added at the end.

    Parameters
    ----------
    table : Path
        The file; created if it is not there.
    row : mapping of str to scalar
        With a key ``id``. None is written as an empty cell.
    """
    with FileLock(table.with_name(table.name + ".lock")):
        columns, rows = _read(table)
        text = {name: "" if value is None else str(value) for name, value in row.items()}
        places = {old["id"]: place for place, old in enumerate(rows)}
        if text["id"] in places:
            rows[places[text["id"]]] = text
        else:
            rows.append(text)
        columns = list(dict.fromkeys([*columns, *text]))
        with replacing(table) as path, path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


def require_table(table: Path) -> None:
    """Refuse a file in the place of the table that is not one; a missing one is none.

    Parameters
    ----------
    table : Path
        The file.

    Raises
    ------
    FolderError
        If it is not a CSV table with a column ``id``.
    """
    _read(table)


def _read(table: Path) -> tuple[list[str], list[dict[str, str]]]:
    if not table.exists():
        return [], []
    rule = f"'{table}' must be a table of runs, as it was written"
    remedy = "Move it away or choose another folder"
    try:
        # Some spreadsheet programs put a byte order mark in front.
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restkey=_TOO_MANY)
            columns = list(reader.fieldnames or ["id"])
            rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise FolderError(rule, f"reading it gave: {error}", remedy) from error
    if "id" not in columns:
        raise FolderError(rule, f"found no column 'id' but {', '.join(columns)}", remedy)
    if any(_TOO_MANY in row for row in rows):
        raise FolderError(rule, "found a row with more cells than columns", remedy)
    return columns, rows
