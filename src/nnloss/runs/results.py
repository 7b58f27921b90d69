"""Table of all runs, ``results.csv``, with one row per run."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

from nnloss._files import read_file, replacing
from nnloss.errors import FolderError

_TOO_MANY = "cells without a column"


def add_row(table: Path, row: Mapping[str, Any]) -> None:
    """Add a row to a CSV table, or replace the row with the same ``id``.

    Creates the table if necessary; new columns go to the end, and None becomes an empty cell. A
    file lock makes this safe for several processes.
    """
    with FileLock(table.with_name(table.name + ".lock")):
        columns, rows = read_rows(table)
        text = {name: "" if value is None else str(value) for name, value in row.items()}
        places = {old["id"]: place for place, old in enumerate(rows)}
        if text["id"] in places:
            rows[places[text["id"]]] = text
        else:
            rows.append(text)
        columns = list(dict.fromkeys([*columns, *text]))
        with (
            replacing(table) as path,
            path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file,
        ):
            writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


def read_rows(table: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Return the columns and rows of a table, or none if there is no such file.

    Raise `FolderError` if it is not a CSV table with a column ``id``.
    """
    if not table.exists():
        return [], []
    rule = f"'{table}' must be a table of runs, as nnloss wrote it"
    remedy = "Move it away or choose another folder"
    try:
        # Some spreadsheet programs add a byte order mark.
        text = read_file(table).decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""), restkey=_TOO_MANY)
        columns = list(reader.fieldnames or ["id"])
        rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FolderError(rule, f"reading it gave: {error}", remedy) from error
    if "id" not in columns:
        raise FolderError(rule, f"found no column 'id' but {', '.join(columns)}", remedy)
    if any(_TOO_MANY in row for row in rows):
        raise FolderError(rule, "found a row with more cells than columns", remedy)
    return columns, rows
