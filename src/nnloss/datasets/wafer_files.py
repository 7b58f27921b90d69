"""Reading and checking of the two Wafer files in any of their formats."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnloss._files import digest
from nnloss.datasets.parse import (
    finite_numbers,
    first_line,
    read,
    require_checksum,
    require_rows,
)
from nnloss.errors import DataError

Array = NDArray[np.float64]

NAMES = {"train": "Wafer_TRAIN", "test": "Wafer_TEST"}
#: The archive's labels, ordered by class number.
CLASSES = {-1: "abnormal", 1: "normal"}

_ROWS = {"train": 1000, "test": 6164}
_LENGTH = 152
# Checksums of the series (float32) and of the labels (int64).
_SHA256 = {
    "train": (
        "ab28a84dccb5dec1e75df28996fc245ada6668797798a6a143fcf7c8985458a8",
        "3e5ada1070e2d4ad0864df7d0e7df8526942fe8db5204b8aa3dca0d9c0bd4c45",
    ),
    "test": (
        "b5416df58ff23f12066af27230cb3b496b41ecb9b3b4b78f2f792b0b3a0ec002",
        "a61aa4d934f81e40266744dfbd082cac5fb2596daafb891c17554893a03f73f2",
    ),
}


@dataclass(frozen=True)
class Part:
    """Training or test file: series of shape (N, 152), labels -1 or 1, and the file's bytes."""

    series: Array
    labels: NDArray[np.int64]
    content: bytes

    @property
    def checked(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Series and labels for the checksum, in float32 because copies differ in later digits."""
        return self.series.astype(np.float32), self.labels


def files_in(folder: Path) -> dict[str, Path]:
    """Return the files that exist in a folder, by "train" and "test", in any format."""
    return {
        rows: path
        for rows, name in NAMES.items()
        for ending in reversed(READERS)
        if (path := folder / f"{name}{ending}").exists()
    }


def read_both(files: Mapping[str, Path], remedy: str) -> dict[str, Part]:
    """Read both files; raise `DataError` if one is unreadable or not the data set."""
    parts = {}
    for rows, path in files.items():
        content = read(path, "file of series", remedy)
        table = READERS[path.suffix](path, content, remedy)
        _require_series(table, path, remedy)
        require_rows(table, _ROWS[rows], path, remedy)
        parts[rows] = Part(table[:, 1:].copy(), table[:, 0].astype(np.int64), content)
        for array, expected in zip(parts[rows].checked, _SHA256[rows], strict=True):
            require_checksum(digest(array), expected, f"'{path}'", remedy)
    return parts


def _require_series(table: Array, path: Path, remedy: str) -> None:
    if table.shape[1] != 1 + _LENGTH:
        raise DataError(
            f"'{path}' must have {1 + _LENGTH} columns, a label and {_LENGTH} values",
            f"found {table.shape[1]}",
            remedy,
        )
    bad = np.flatnonzero(~np.isin(table[:, 0], list(CLASSES)))
    if len(bad):
        raise DataError(
            f"'{path}' must have the labels -1 and 1",
            f"found {table[bad[0], 0]:g} in row {bad[0] + 1} ({len(bad)} such rows)",
            remedy,
        )


def _read_tsv(path: Path, content: bytes, remedy: str) -> Array:
    return _numbers(path, content, "\t", 1, remedy)


def _read_txt(path: Path, content: bytes, remedy: str) -> Array:
    return _numbers(path, content, r"\s+", 1, remedy)


def _read_ts(path: Path, content: bytes, remedy: str) -> Array:
    """Read a file with a header of ``@`` lines; each series ends in a colon and its label."""
    start = re.search(rb"(?mi)^@data[ \t]*\r?\n", content)
    if not start:
        raise DataError(
            f"'{path}' must have a header that ends in @data", "found no such line", remedy
        )
    rows = re.sub(rb"(?m)^(.*):([^:\r\n]*)\r?$", rb"\2,\1", content[start.end() :])
    return _numbers(path, rows, ",", content[: start.end()].count(b"\n") + 1, remedy)


READERS: dict[str, Callable[[Path, bytes, str], Array]] = {
    ".tsv": _read_tsv,
    ".ts": _read_ts,
    ".txt": _read_txt,
}


def _numbers(path: Path, content: bytes, separator: str, line: int, remedy: str) -> Array:
    """Read rows of numbers; in case of an error, a slower second pass locates it."""
    try:
        table = pd.read_csv(BytesIO(content), sep=separator, header=None, dtype=np.float64)
        numbers = table.to_numpy()
        if np.isfinite(numbers).all():
            return numbers
    except ValueError:
        pass  # the second pass raises a better error
    try:
        cells = pd.read_csv(
            BytesIO(content), sep=separator, header=None, dtype=str, keep_default_na=False
        )
    except ValueError as error:  # empty, not text, or a row that is too long
        raise DataError(
            f"'{path}' must have {1 + _LENGTH} columns, a label and {_LENGTH} values",
            f"reading it gave: {first_line(error)}",
            remedy,
        ) from error
    if cells.shape[1] != 1 + _LENGTH:
        return np.empty(cells.shape)  # the caller raises
    cells.columns = pd.RangeIndex(1, 2 + _LENGTH)
    return finite_numbers(cells, path, remedy, first_line=line)
