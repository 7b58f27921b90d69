"""Load the data of the exercises, checked, in the course's split."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnloss.errors import DataError
from nnloss.files import digest

Array = NDArray[np.float64]

_BOSTON_FILE = Path("boston", "boston_housing.csv")
_BOSTON_COLUMNS = (
    "CRIM", "ZN", "INDUS", "CHAS", "NOX", "RM", "AGE",
    "DIS", "RAD", "TAX", "PTRATIO", "B", "LSTAT", "MEDV",
)  # fmt: skip
_BOSTON_ROWS = 506
_BOSTON_SHA256 = "832e894115c56dd24ec63848d4a3d9bd921d268d0be1bee2a8f4ee5ea318f5f7"
# keras.datasets.boston_housing: shuffled with this seed, the first four fifths for training.
_BOSTON_SEED = 113
_BOSTON_TRAIN = 404


@dataclass(frozen=True)
class Split:
    """A data set in its fixed split into training and test rows.

    Parameters
    ----------
    x_train, x_test : ndarray, shape (N, ...)
        Inputs, not standardised.
    y_train, y_test : ndarray, shape (N,)
        Targets.
    rows_train, rows_test : ndarray of int64, shape (N,)
        Number of each row in the file, from 0.
    features : tuple of str
        Names of the columns of x, if they have names.
    classes : tuple of str
        Names of the classes; empty for a quantity.
    source : str
        Where the data were found, without the path of a machine.
    sha256 : str
        Of the file, byte for byte.
    arrays_sha256 : str
        Of the numbers in it, however they are written; this one is checked.
    """

    x_train: NDArray[Any]
    y_train: NDArray[Any]
    x_test: NDArray[Any]
    y_test: NDArray[Any]
    rows_train: NDArray[np.int64]
    rows_test: NDArray[np.int64]
    features: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    source: str = ""
    sha256: str = ""
    arrays_sha256: str = ""

    @property
    def origin(self) -> dict[str, str]:
        """Source and checksums, for a run record."""
        return {
            "source": self.source,
            "sha256": self.sha256,
            "arrays_sha256": self.arrays_sha256,
        }

    @property
    def sizes(self) -> dict[str, int]:
        """Rows for training and for test, for a run record."""
        return {"train": len(self.x_train), "test": len(self.x_test)}


def load_boston(data_dir: str | os.PathLike[str] | None = None) -> Split:
    """Boston Housing: 506 districts, 13 features, median home value in 1000 USD.

    The split is that of ``keras.datasets.boston_housing``: rows shuffled by
    ``numpy.random.RandomState(113)``, the first 404 for training, the last 102 for test.

    Parameters
    ----------
    data_dir : path, optional
        A folder with ``boston/boston_housing.csv``. Default: the folder that the environment
        variable ``NNLOSS_DATA`` names, else the file that comes with the package.

    Returns
    -------
    Split
        float64; x of shape (404, 13) and (102, 13).

    Raises
    ------
    DataError
        If the named folder lacks the file, or the file is not the data set: a column missing, a
        word for a number, an empty cell, another number of rows, another checksum.

    References
    ----------
    Harrison & Rubinfeld (1978), *Journal of Environmental Economics and Management* 5, 81-102.
    """
    path, source = _find(data_dir, _BOSTON_FILE)
    content = _read(path)
    table = _parse(path, content, _BOSTON_COLUMNS)
    if len(table) != _BOSTON_ROWS:
        raise DataError(
            f"'{path}' must have {_BOSTON_ROWS} rows", f"found {len(table)}", _replace(path)
        )
    checksum = digest(table)
    if checksum != _BOSTON_SHA256:
        raise DataError(
            f"'{path}' must hold the numbers with sha256 {_BOSTON_SHA256[:12]}...",
            f"found {checksum[:12]}..., so a value has changed or rows are in another order",
            _replace(path),
        )
    order = np.arange(_BOSTON_ROWS)
    np.random.RandomState(_BOSTON_SEED).shuffle(order)
    train, test = order[:_BOSTON_TRAIN], order[_BOSTON_TRAIN:]
    return Split(
        x_train=table[train, :-1],
        y_train=table[train, -1],
        x_test=table[test, :-1],
        y_test=table[test, -1],
        rows_train=train,
        rows_test=test,
        features=_BOSTON_COLUMNS[:-1],
        source=source,
        sha256=hashlib.sha256(content).hexdigest(),
        arrays_sha256=checksum,
    )


def _find(data_dir: str | os.PathLike[str] | None, name: Path) -> tuple[Path, str]:
    """Find the file, and say where; a folder that was named is the only place looked at."""
    named = {"--data-dir": data_dir, "NNLOSS_DATA": os.environ.get("NNLOSS_DATA") or None}
    for origin, folder in named.items():
        if folder is None:
            continue
        path = Path(folder) / name
        if not path.exists():
            kind = "file" if Path(folder).is_dir() else "folder"
            raise DataError(
                f"The data folder '{folder}' ({origin}) must contain {name.as_posix()}",
                "found a file in its place" if Path(folder).is_file() else f"found no such {kind}",
                f"Put the file there, or do without {origin} to use the packaged data",
            )
        return path, f"{name.as_posix()} in the folder given by {origin}"
    return _packaged(name.name), f"{name.name}, packaged with nnloss"


def _packaged(name: str) -> Path:
    """Find a packaged file: inside the wheel, or in the data folder of the checkout."""
    here = Path(__file__).resolve().parent
    for folder in (here / "data", here.parents[1] / "data"):
        if (folder / name).exists():
            return folder / name
    raise DataError(
        f"The package must contain its file {name}", "found none", "Install nnloss again"
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        found = "a directory" if path.is_dir() else str(error.strerror)
        raise DataError(
            f"'{path}' must be a CSV file that can be read", f"found {found}", _replace(path)
        ) from error


def _parse(path: Path, content: bytes, columns: tuple[str, ...]) -> Array:
    rule = f"'{path}' must be a CSV file with the columns {', '.join(columns)}"
    try:
        table = pd.read_csv(BytesIO(content), dtype=str, keep_default_na=False)
    except ValueError as error:  # empty, not text, or rows of different lengths
        raise DataError(rule, f"reading it gave: {_first_line(error)}", _replace(path)) from error
    missing = [name for name in columns if name not in table.columns]
    extra = [str(name) for name in table.columns if name not in columns]
    if missing or extra:
        found = [f"no column {name}" for name in missing] + [f"a column {name}" for name in extra]
        raise DataError(rule, f"found {', '.join(found)}", _replace(path))
    numeric = table[list(columns)].apply(pd.to_numeric, errors="coerce")
    numbers: Array = numeric.to_numpy(np.float64)
    bad = np.argwhere(~np.isfinite(numbers))
    if len(bad):
        row, column = bad[0]
        cell = table[columns[column]].iloc[row]
        raise DataError(
            f"'{path}' must have a finite number in every cell",
            f"found {cell!r} in column {columns[column]}, line {row + 2} "
            f"({len(bad)} such {'cell' if len(bad) == 1 else 'cells'})",
            _replace(path),
        )
    return numbers


def _replace(path: Path) -> str:
    return f"Replace {path.name} by the original, whose origin and checksum data/README.md gives"


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
