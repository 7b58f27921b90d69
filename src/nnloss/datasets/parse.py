"""Read files of numbers, and check them; each error names the place in the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnloss.errors import DataError


def read(path: Path, kind: str, remedy: str) -> bytes:
    """Read a file.

    Parameters
    ----------
    path : Path
        The file.
    kind : str
        What it must be, for the message.
    remedy : str
        What to do if it is not.

    Returns
    -------
    bytes
        All of it.

    Raises
    ------
    DataError
        If the system refuses.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        found = "a directory" if path.is_dir() else str(error.strerror)
        raise DataError(
            f"'{path}' must be a {kind} that can be read", f"found {found}", remedy
        ) from error


def finite_numbers(
    table: pd.DataFrame, path: Path, remedy: str, *, first_line: int
) -> NDArray[np.float64]:
    """Turn a table of text into numbers.

    Parameters
    ----------
    table : DataFrame of str
        The cells.
    path : Path
        The file, for the message.
    remedy : str
        What to do about a bad cell.
    first_line : int
        Line in the file of the first row of the table.

    Returns
    -------
    ndarray of float64
        In the table's shape.

    Raises
    ------
    DataError
        If a cell is empty, a word, NaN or infinite; the first one is named.
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
    """Refuse a table with another number of rows.

    Parameters
    ----------
    numbers : ndarray
        The table.
    rows : int
        Rows that it must have.
    path : Path
        The file, for the message.
    remedy : str
        What to do about it.

    Raises
    ------
    DataError
        If there are more or fewer.
    """
    if len(numbers) != rows:
        raise DataError(f"'{path}' must have {rows} rows", f"found {len(numbers)}", remedy)


def require_checksum(found: str, expected: str, what: str, remedy: str) -> None:
    """Refuse numbers that are not those of the data set.

    Parameters
    ----------
    found, expected : str
        sha256 of the numbers.
    what : str
        What holds them, for the message.
    remedy : str
        What to do about it.

    Raises
    ------
    DataError
        If they differ.
    """
    if found != expected:
        raise DataError(
            f"{what} must hold the numbers with sha256 {expected[:12]}...",
            f"found {found[:12]}..., so a value has changed or rows are in another order",
            remedy,
        )


def first_line(error: Exception) -> str:
    """Shorten a library's message to its first line.

    Parameters
    ----------
    error : Exception
        The library's.

    Returns
    -------
    str
        Without the spaces around it; the name of its class if it says nothing.
    """
    return str(error).strip().partition("\n")[0] or type(error).__name__
