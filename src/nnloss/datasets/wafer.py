"""Wafer: time series from semiconductor manufacturing."""

from __future__ import annotations

import hashlib
import logging
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from filelock import FileLock

from nnloss._files import digest
from nnloss.datasets.download import fetch, zip_members
from nnloss.datasets.locate import DataDir, cache_folder, missing_file, named_folder, readable
from nnloss.datasets.split import Split
from nnloss.datasets.wafer_files import CLASSES, NAMES, READERS, files_in, read_both
from nnloss.errors import DataError
from nnloss.table.encoding import class_numbers

logger = logging.getLogger("nnloss")

#: Sources of the data: first the archive's zip, then the course's two files.
ARCHIVE = "https://www.timeseriesclassification.com/aeon-toolkit/Wafer.zip"
COURSE = (
    "https://raw.githubusercontent.com/stefaniemuff/statlearning2/main/Exercise11/dataset/Wafer/"
)

_LIMIT = 64 * 2**20  # bytes per file; the larger of the two has 10 million
_NAMED_PLACE = "wafer/Wafer_TRAIN and wafer/Wafer_TEST, as .tsv, .ts or .txt"
_ELSEWHERE = "Take it from another place"


def load_wafer(data_dir: DataDir = None) -> Split:
    """Load Wafer: 7,164 series of one sensor in a chip factory, normal or abnormal.

    The split is that of the UCR archive, 1,000 series for training and 6,164 for test. The
    archive's labels -1 (abnormal) and 1 (normal) become 0 and 1; this is logged.

    Parameters
    ----------
    data_dir : path, optional
        Folder with ``wafer/Wafer_TRAIN`` and ``wafer/Wafer_TEST``, as ``.tsv`` (UCR archive of
        2018), ``.ts`` or ``.txt`` (timeseriesclassification.com). Default: the environment variable
        ``NNLOSS_DATA``, else the user's cache, into which missing files are downloaded.

    Returns
    -------
    Split
        Inputs are float64, of shape (1000, 152) and (6164, 152), each series standardised by the
        archive; y is int64, 0 or 1. Type float32 would cut off digits that matter in an unpenalised
        logistic regression of these data.

    Raises
    ------
    DataError
        If the files are missing and cannot be downloaded, or are not the data set (columns, cells,
        labels, number of rows or checksum are wrong). Nothing is then added to the cache.

    References
    ----------
    Olszewski (2001), *Generalized feature extraction for structural pattern recognition in
    time-series data*, Carnegie Mellon University. Dau et al. (2019), "The UCR time series archive",
    *IEEE/CAA Journal of Automatica Sinica* 6, 1293-1305.

    Examples
    --------
    >>> from nnloss import load_wafer
    >>> split = load_wafer()  # doctest: +SKIP
    >>> split.class_counts  # doctest: +SKIP
          class  train  test
    0  abnormal     97   665
    1    normal    903  5499
    """
    named = named_folder(data_dir)
    if named is not None:
        folder, origin = named
        with readable(folder, origin):
            files = files_in(folder / "wafer")
        if len(files) < len(NAMES):
            missing = [name for rows, name in NAMES.items() if rows not in files]
            there = [path.name for path in files.values()]
            found = f"found {there[0]}, but no {missing[0]}" if there else ""
            raise missing_file(
                folder, origin, _NAMED_PLACE, "to fetch the data from the web", found
            )
        remedy = "Replace it by the original, which the README of nnloss says how to get"
        return _split(files, f"wafer in the folder given by {origin}", remedy)
    cache = cache_folder() / "wafer"
    return _split(
        _cached(cache), "wafer in the cache", f"Delete '{cache}' to have it fetched again"
    )


def _split(files: Mapping[str, Path], source: str, remedy: str) -> Split:
    parts = read_both(files, remedy)
    train, test = parts["train"], parts["test"]
    order = list(CLASSES)
    classes = [
        f"label {label} ({name}) is class {place}"
        for place, (label, name) in enumerate(CLASSES.items())
    ]
    logger.info("Wafer: %s", ", ".join(classes))
    return Split(
        x_train=train.series,
        y_train=class_numbers(train.labels, order),
        x_test=test.series,
        y_test=class_numbers(test.labels, order),
        rows_train=np.arange(len(train.labels)),
        rows_test=np.arange(len(test.labels)),
        classes=tuple(CLASSES.values()),
        source=source,
        sha256=hashlib.sha256(train.content + test.content).hexdigest(),
        arrays_sha256=digest(*train.checked, *test.checked),
    )


def _cached(cache: Path) -> dict[str, Path]:
    """Return the files in the cache; if missing, download and check both, or add neither."""
    try:
        files = files_in(cache)
        if len(files) == len(NAMES):
            return files
        cache.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(cache.with_name("wafer.lock")):
            files = files_in(cache)  # another process may have been faster
            return files if len(files) == len(NAMES) else _fetch_into(cache)
    except OSError as error:
        raise DataError(
            f"The data must be kept in the cache '{cache.parent}'",
            f"the system reports: {error.strerror or error}",
            "Make room there and make it writable, or set XDG_CACHE_HOME to another folder",
        ) from error


def _fetch_into(cache: Path) -> dict[str, Path]:
    for left in cache.parent.glob(".wafer-*"):  # left by a killed process
        shutil.rmtree(left, ignore_errors=True)
    failed = []
    for source in (_from_archive, _from_course):
        with tempfile.TemporaryDirectory(dir=cache.parent, prefix=".wafer-") as name:
            try:
                files = source(Path(name))
            except DataError as error:
                failed.append(f"{error.rule}; {error.found}".replace(f"{name}/", ""))
                continue
            for reason in failed:
                logger.warning("Wafer: taken from another place, since %s", reason)
            if cache.exists():
                shutil.rmtree(cache)  # it is incomplete
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
    """Load the archive's zip and extract the two files in the first valid format."""
    archive = folder / "Wafer.zip"
    fetch(ARCHIVE, archive, limit=_LIMIT)
    wrong: DataError | None = None
    for ending in READERS:
        names = tuple(f"{name}{ending}" for name in NAMES.values())
        members = zip_members(archive, names, limit=_LIMIT)
        if len(members) < len(names):
            continue
        for name, content in members.items():
            (folder / name).write_bytes(content)
        files = {rows: folder / f"{name}{ending}" for rows, name in NAMES.items()}
        try:
            read_both(files, _ELSEWHERE)
        except DataError as error:  # another format may have more digits
            wrong = error
            continue
        return files
    raise wrong or DataError(
        "Wafer.zip must contain Wafer_TRAIN and Wafer_TEST, as .tsv, .ts or .txt",
        "found no such pair",
        _ELSEWHERE,
    )


def _from_course(folder: Path) -> dict[str, Path]:
    files = {rows: folder / f"{name}.tsv" for rows, name in NAMES.items()}
    for path in files.values():
        fetch(COURSE + path.name, path, limit=_LIMIT)
    read_both(files, _ELSEWHERE)
    return files
