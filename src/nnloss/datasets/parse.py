"""Reading and checking of files of numbers; errors state the line and column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnloss._files import read_file
from nnloss.errors import DataError


def read(path: Path, kind: str, remedy: str) -> bytes:
    """Read a file, or raise `DataError`; `kind` and `remedy` are for the message."""
    try:
        return read_file(path)
    except OSError as error:
        found = "a directory" if path.is_dir() else str(error.strerror)
        raise DataError(
            f"'{path}' must be a {kind} that can be read", f"found {found}", remedy
        ) from error


def finite_numbers(
    table: pd.DataFrame, path: Path, remedy: str, *, first_line: int
) -> NDArray[np.float64]:
    """Return a table of text as numbers.

    Raises `DataError` for the first cell that is empty, a word, NaN or infinite. `first_line` is
    the line number of the table's first row in the file.
    """
    numbers: NDArray[np.float64] = table.apply(pd.to_numeric, errors="coerce").to_numpy(np.float64)
    bad = np.argwhere(~np.isfinite(numbers))
    if len(bad):
        row, column = bad[0]
        cell = table.astype(object).iat[row, column]
        raise DataError(
            f"'{path}' must have a finite number in every cell",
            f"found {cell!r} in column {table.columns[column]}, "
            f"line {row + first_line} ({len(bad)} such {'cell' if len(bad) == 1 else 'cells'})",
            remedy,
        )
    return numbers


def require_rows(numbers: NDArray[np.float64], rows: int, path: Path, remedy: str) -> None:
    """Raise `DataError` if a table does not have the expected number of rows."""
    if len(numbers) != rows:
        raise DataError(f"'{path}' must have {rows} rows", f"found {len(numbers)}", remedy)


def require_checksum(found: str, expected: str, what: str, remedy: str) -> None:
    """Raise `DataError` if two sha256 differ; `what` names the data in the message."""
    if found != expected:
        raise DataError(
            f"{what} must hold the numbers with sha256 {expected[:12]}...",
            f"found {found[:12]}..., so a value has changed or rows are in another order",
            remedy,
        )


def first_line(error: Exception) -> str:
    """Return the first line of a library's message, or the error's class if it is empty."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
