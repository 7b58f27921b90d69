"""Wafer: series from semiconductor manufacturing, from a folder, the cache or the web."""

from __future__ import annotations

import hashlib
import logging
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock
from numpy.typing import NDArray

from nnloss.datasets.download import fetch, zip_members
from nnloss.datasets.places import DataDir, cache_folder, lacks, named_folder
from nnloss.datasets.reading import (
    finite_numbers,
    first_line,
    read,
    require_checksum,
    require_rows,
)
from nnloss.datasets.split import Split
from nnloss.encoding import class_numbers
from nnloss.errors import DataError
from nnloss.files import digest

logger = logging.getLogger("nnloss")

Array = NDArray[np.float64]

#: Where the data come from, in this order: the archive's zip, and the course's two files.
ARCHIVE = "https://www.timeseriesclassification.com/aeon-toolkit/Wafer.zip"
COURSE = (
    "https://raw.githubusercontent.com/stefaniemuff/statlearning2/main/Exercise11/dataset/Wafer/"
)

_NAMES = {"train": "Wafer_TRAIN", "test": "Wafer_TEST"}
_ROWS = {"train": 1000, "test": 6164}
_LENGTH = 152
_CLASSES = {-1: "abnormal", 1: "normal"}
# Of the series in float32 and of the labels in int64.
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
_LIMIT = 64 * 2**20  # bytes in a file; the larger of the two has 10 million
_NAMED_PLACE = "wafer/Wafer_TRAIN and wafer/Wafer_TEST, as .tsv, .ts or .txt"


def load_wafer(data_dir: DataDir = None) -> Split:
    """Wafer: 7,164 series of one sensor in a chip factory, normal or abnormal.

    The split is that of the UCR archive, 1,000 series for training and 6,164 for test. The
    archive's labels -1 (abnormal) and 1 (normal) become 0 and 1; that is logged.

    Parameters
    ----------
    data_dir : path, optional
        A folder with ``wafer/Wafer_TRAIN`` and ``wafer/Wafer_TEST``, as ``.tsv`` (UCR archive of
        2018), ``.ts`` or ``.txt`` (timeseriesclassification.com). Default: the folder that the
        environment variable ``NNLOSS_DATA`` names, else the user's cache, into which the files
        are fetched from the web when they are first asked for.

    Returns
    -------
    Split
        x float64 of shape (1000, 152) and (6164, 152), each series standardised by the archive;
        y int64, 0 or 1. (An unpenalised logistic regression of these data depends on digits that
        float32 would cut off.)

    Raises
    ------
    DataError
        If the files are not there and cannot be fetched, or are not the data set: a column
        missing, a word for a number, another label, another number of rows, another checksum.
        Nothing is kept in the cache then.

    References
    ----------
    Olszewski (2001), *Generalized feature extraction for structural pattern recognition in
    time-series data*, Carnegie Mellon University. Dau et al. (2019), "The UCR time series
    archive", *IEEE/CAA Journal of Automatica Sinica* 6, 1293-1305.
    """
    named = named_folder(data_dir)
    if named is not None:
        folder, origin = named
        files = _files_in(folder / "wafer")
        if files is None:
            raise lacks(folder, origin, _NAMED_PLACE, "to fetch the data from the web")
        remedy = "Replace it by the original, which the README of nnloss says how to get"
        return _split(files, f"wafer in the folder given by {origin}", remedy)
    cache = cache_folder() / "wafer"
    files = _files_in(cache) or _fetched(cache)
    return _split(files, "wafer in the cache", f"Delete '{cache}' to have it fetched again")


def _files_in(folder: Path) -> dict[str, Path] | None:
    """Find both files, each in whatever form; None if one is missing."""
    files = {
        rows: path
        for rows, name in _NAMES.items()
        for ending in reversed(_READERS)
        if (path := folder / f"{name}{ending}").exists()
    }
    return files if len(files) == len(_NAMES) else None


def _split(files: Mapping[str, Path], source: str, remedy: str) -> Split:
    """Read both files and check that they are the data set."""
    content = {rows: read(files[rows], "file of series", remedy) for rows in _NAMES}
    x: dict[str, Array] = {}
    labels: dict[str, NDArray[np.int64]] = {}
    checked: list[NDArray[Any]] = []
    for rows in _NAMES:
        path = files[rows]
        table = _READERS[path.suffix](path, content[rows], remedy)
        _require_series(table, path, remedy)
        require_rows(table, _ROWS[rows], path, remedy)
        labels[rows] = table[:, 0].astype(np.int64)
        x[rows] = np.ascontiguousarray(table[:, 1:])
        # Copies of the file differ in the digits that float32 does not keep.
        arrays: list[NDArray[Any]] = [x[rows].astype(np.float32), labels[rows]]
        for array, expected in zip(arrays, _SHA256[rows], strict=True):
            require_checksum(digest(array), expected, f"'{path}'", remedy)
        checked += arrays
    order = list(_CLASSES)
    y = {rows: class_numbers(labels[rows], order) for rows in _NAMES}
    logger.info(
        "Wafer: %s",
        ", ".join(f"label {label} ({name}) is class {order.index(label)}"
                  for label, name in _CLASSES.items()),
    )  # fmt: skip
    return Split(
        x_train=x["train"],
        y_train=y["train"],
        x_test=x["test"],
        y_test=y["test"],
        rows_train=np.arange(_ROWS["train"]),
        rows_test=np.arange(_ROWS["test"]),
        classes=tuple(_CLASSES.values()),
        source=source,
        sha256=hashlib.sha256(content["train"] + content["test"]).hexdigest(),
        arrays_sha256=digest(*checked),
    )


def _require_series(table: Array, path: Path, remedy: str) -> None:
    if table.shape[1] != 1 + _LENGTH:
        raise DataError(
            f"'{path}' must have {1 + _LENGTH} columns, a label and {_LENGTH} values",
            f"found {table.shape[1]}",
            remedy,
        )
    bad = np.flatnonzero(~np.isin(table[:, 0], list(_CLASSES)))
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


_READERS: dict[str, Callable[[Path, bytes, str], Array]] = {
    ".tsv": _read_tsv,
    ".ts": _read_ts,
    ".txt": _read_txt,
}


def _numbers(path: Path, content: bytes, separator: str, line: int, remedy: str) -> Array:
    """Read rows of numbers; a slower second reading says where one is not."""
    try:
        table = pd.read_csv(BytesIO(content), sep=separator, header=None, dtype=np.float64)
        numbers = table.to_numpy()
        if np.isfinite(numbers).all():
            return numbers
    except ValueError:
        pass  # the second reading tells more
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
        return np.empty(cells.shape)  # the caller says so
    cells.columns = pd.RangeIndex(1, 2 + _LENGTH)
    return finite_numbers(cells, path, remedy, first_line=line)


def _fetched(cache: Path) -> dict[str, Path]:
    """Fetch the files into the cache; they appear there checked, both or none."""
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(cache.with_name("wafer.lock")):
            files = _files_in(cache)  # another process may have been quicker
            return files or _fetch_into(cache)
    except OSError as error:
        raise DataError(
            f"The data must be fetched into the cache '{cache.parent}'",
            f"the system says: {error.strerror or error}",
            "Make room there, or set XDG_CACHE_HOME to another folder",
        ) from error


def _fetch_into(cache: Path) -> dict[str, Path]:
    for left in cache.parent.glob(".wafer-*"):  # by a process that was killed
        shutil.rmtree(left, ignore_errors=True)
    failed = []
    for source in (_from_archive, _from_course):
        with tempfile.TemporaryDirectory(dir=cache.parent, prefix=".wafer-") as name:
            try:
                files = source(Path(name))
                _split(files, "", "Take it from another place")
            except DataError as error:
                failed.append(f"{error.rule}; {error.found}".replace(f"{name}/", ""))
                continue
            for reason in failed:
                logger.warning("Wafer: taken from another place, since %s", reason)
            if cache.exists():
                shutil.rmtree(cache)  # incomplete, or it would have been used
            cache.mkdir()
            for path in files.values():
                path.replace(cache / path.name)
            return {rows: cache / path.name for rows, path in files.items()}
    raise DataError(
        f"The Wafer files Wafer_TRAIN and Wafer_TEST must be in '{cache}' or on the web",
        "found neither: " + ", and ".join(failed),
        "Connect to the internet and run it again, or put both files, as .tsv, .ts or .txt, into "
        "FOLDER/wafer and name it by --data-dir FOLDER or NNLOSS_DATA=FOLDER",
    )


def _from_archive(folder: Path) -> dict[str, Path]:
    """Fetch the archive's zip, and take out of it the two files in a form that is right."""
    archive = folder / "Wafer.zip"
    fetch(ARCHIVE, archive, limit=_LIMIT)
    wrong: DataError | None = None
    for ending in _READERS:
        names = tuple(f"{name}{ending}" for name in _NAMES.values())
        members = zip_members(archive, names, limit=_LIMIT)
        if len(members) < len(names):
            continue
        for name, content in members.items():
            (folder / name).write_bytes(content)
        files = {rows: folder / f"{name}{ending}" for rows, name in _NAMES.items()}
        try:
            _split(files, "", "Take it from another place")
        except DataError as error:  # another form may keep more digits
            wrong = error
            continue
        return files
    raise wrong or DataError(
        "Wafer.zip must contain Wafer_TRAIN and Wafer_TEST, as .tsv, .ts or .txt",
        "found no such pair",
        "Take it from another place",
    )


def _from_course(folder: Path) -> dict[str, Path]:
    files = {rows: folder / f"{name}.tsv" for rows, name in _NAMES.items()}
    for path in files.values():
        fetch(COURSE + path.name, path, limit=_LIMIT)
    return files
