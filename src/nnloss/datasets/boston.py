"""Boston Housing, packaged with nnloss, in the split of Keras."""

from __future__ import annotations

import hashlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnloss._files import digest
from nnloss.datasets.locate import DataDir, missing_file, named_folder, readable
from nnloss.datasets.parse import (
    finite_numbers,
    first_line,
    read,
    require_checksum,
    require_rows,
)
from nnloss.datasets.split import Split
from nnloss.errors import DataError

_FILE = Path("boston", "boston_housing.csv")
_COLUMNS = (
    "CRIM", "ZN", "INDUS", "CHAS", "NOX", "RM", "AGE",
    "DIS", "RAD", "TAX", "PTRATIO", "B", "LSTAT", "MEDV",
)  # fmt: skip
_ROWS = 506
_SHA256 = "832e894115c56dd24ec63848d4a3d9bd921d268d0be1bee2a8f4ee5ea318f5f7"
# keras.datasets.boston_housing: shuffled with this seed, the first four fifths for training.
_SEED = 113
_TRAIN = 404


def load_boston(data_dir: DataDir = None) -> Split:
    """Load Boston Housing: 506 districts, 13 features, median home value in 1000 USD.

    The split is that of ``keras.datasets.boston_housing``: rows shuffled by a
    `numpy.random.RandomState` with seed 113, the first 404 for training, the last 102 for test.

    Parameters
    ----------
    data_dir : path, optional
        Folder with ``boston/boston_housing.csv``. Default: the environment variable
        ``NNLOSS_DATA``, else the packaged file.

    Returns
    -------
    Split
        Numbers are float64; x has the shape (404, 13) and (102, 13), y (404,) and (102,).

    Raises
    ------
    DataError
        If the given folder lacks the file, or the file is not the data set (columns, cells, number
        of rows or checksum are wrong).

    References
    ----------
    Harrison & Rubinfeld (1978), *Journal of Environmental Economics and Management* 5, 81-102.

    Examples
    --------
    >>> from nnloss import load_boston
    >>> split = load_boston()
    >>> split.x_train.shape, split.y_train.mean()
    ((404, 13), np.float64(22.395))
    """
    path, source = _find(data_dir)
    remedy = f"Replace {path.name} by the original, whose origin and checksum data/README.md gives"
    content = read(path, "CSV file", remedy)
    table = _parse(path, content, remedy)
    require_rows(table, _ROWS, path, remedy)
    checksum = digest(table)
    require_checksum(checksum, _SHA256, f"'{path}'", remedy)
    order = np.arange(_ROWS)
    np.random.RandomState(_SEED).shuffle(order)
    train, test = order[:_TRAIN], order[_TRAIN:]
    return Split(
        x_train=table[train, :-1],
        y_train=table[train, -1],
        x_test=table[test, :-1],
        y_test=table[test, -1],
        rows_train=train,
        rows_test=test,
        features=_COLUMNS[:-1],
        source=source,
        sha256=hashlib.sha256(content).hexdigest(),
        arrays_sha256=checksum,
    )


def _find(data_dir: DataDir) -> tuple[Path, str]:
    named = named_folder(data_dir)
    if named is None:
        return _packaged(_FILE.name), f"{_FILE.name}, packaged with nnloss"
    folder, origin = named
    with readable(folder, origin):
        there = (folder / _FILE).exists()
    if not there:
        raise missing_file(folder, origin, _FILE.as_posix(), "to use the packaged data")
    return folder / _FILE, f"{_FILE.as_posix()} in the folder given by {origin}"


def _packaged(name: str) -> Path:
    """Return the path of a packaged file, in the wheel or in the checkout's data folder."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "data", package.parents[1] / "data"):
        if (folder / name).exists():
            return folder / name
    raise DataError(
        f"The package must contain its file {name}", "found none", "Install nnloss again"
    )


def _parse(path: Path, content: bytes, remedy: str) -> NDArray[np.float64]:
    rule = f"'{path}' must be a CSV file with the columns {', '.join(_COLUMNS)}"
    try:
        table = pd.read_csv(BytesIO(content), dtype=str, keep_default_na=False)
    except ValueError as error:  # empty, not text, or rows of different lengths
        raise DataError(rule, f"reading it gave: {first_line(error)}", remedy) from error
    missing = [name for name in _COLUMNS if name not in table.columns]
    extra = [str(name) for name in table.columns if name not in _COLUMNS]
    if missing or extra:
        found = [f"no column {name}" for name in missing] + [f"a column {name}" for name in extra]
        raise DataError(rule, f"found {', '.join(found)}", remedy)
    return finite_numbers(table[list(_COLUMNS)], path, remedy, first_line=2)
