"""The table of all runs, ``results.csv``: a row a run, safe against other processes."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

from nnloss.errors import OutputError
from nnloss.files import replacing


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


def _read(table: Path) -> tuple[list[str], list[dict[str, str]]]:
    if not table.exists():
        return [], []
    with table.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        columns = list(reader.fieldnames or ["id"])
        if "id" not in columns:
            raise OutputError(
                f"'{table}' must be a table of runs with a column 'id'",
                f"found the columns {', '.join(columns)}",
                "Move it away or choose another folder",
            )
        return columns, list(reader)
