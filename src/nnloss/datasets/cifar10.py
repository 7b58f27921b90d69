"""CIFAR-10 from TensorFlow Datasets."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from nnloss._files import digest
from nnloss.datasets.download import require_reachable
from nnloss.datasets.locate import DataDir, missing_file, named_folder, readable
from nnloss.datasets.parse import first_line, require_checksum
from nnloss.datasets.split import Split
from nnloss.errors import DataError

logger = logging.getLogger("nnloss")

_NAME = "cifar10"
_ROWS = {"train": 50_000, "test": 10_000}
_IMAGE = (32, 32, 3)
_CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
# Checksums of images (uint8) and labels (int64), in the order of `load_cifar10`.
_SHA256 = {
    "train": "33587152deae5e711fd800bc0ea97a07f4d660b9bbb1546913be2200754bc6d4",
    "test": "4b83af5e1fb710689a8e3be45e5d5d7e8598f4c3f8fbbab26d7e1874d4b7ca2f",
}
_WITHOUT = "to have TensorFlow Datasets download the data"


def load_cifar10(data_dir: DataDir = None) -> Split:
    """Load CIFAR-10: 60,000 colour images of 32 x 32 pixels in ten classes.

    The order of images in TensorFlow Datasets may differ between copies. Here they are sorted by
    the sha256 of their pixels, so that a seed gives the same run with any copy, and the first N
    images are a random sample.

    Parameters
    ----------
    data_dir : path, optional
        Folder with ``tensorflow_datasets/cifar10``, or a folder of TensorFlow Datasets with
        ``cifar10``. Default: the environment variable ``NNLOSS_DATA``, else the folder of
        TensorFlow Datasets (``TFDS_DATA_DIR`` or ``~/tensorflow_datasets``). Only into the latter
        are missing data downloaded (162 MiB).

    Returns
    -------
    Split
        Inputs are uint8, 0 to 255, of shape (50000, 32, 32, 3) and (10000, 32, 32, 3); y is int64,
        0 to 9. Row numbers come from the ``id`` in TensorFlow Datasets.

    Raises
    ------
    DataError
        If the data are missing and cannot be downloaded, or are damaged.

    References
    ----------
    Krizhevsky (2009), *Learning multiple layers of features from tiny images*, University of
    Toronto.

    Examples
    --------
    >>> from nnloss import load_cifar10
    >>> split = load_cifar10()  # doctest: +SKIP
    >>> split.x_train.shape, split.classes[split.y_train[0]]  # doctest: +SKIP
    ((50000, 32, 32, 3), 'truck')
    """
    named = named_folder(data_dir)
    builder = _prepared() if named is None else _stored(*named)
    source = "TensorFlow Datasets" if named is None else f"the folder given by {named[1]}"
    remedy = f"Delete '{builder.data_dir}' and prepare the data again"
    logger.info("CIFAR-10: reading %s images", f"{sum(_ROWS.values()):,}")
    parts = {rows: _read(builder, rows, remedy) for rows in _ROWS}
    for rows, (images, labels, _) in parts.items():
        what = f"The {rows} images in '{builder.data_dir}'"
        require_checksum(digest(images, labels), _SHA256[rows], what, remedy)
    (x_train, y_train, rows_train), (x_test, y_test, rows_test) = parts.values()
    return Split(
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        rows_train=rows_train,
        rows_test=rows_test,
        classes=_CLASSES,
        source=f"{builder.info.full_name} in {source}",
        sha256=_files_sha256(Path(builder.data_dir)),
        arrays_sha256=digest(x_train, y_train, x_test, y_test),
    )


def _stored(folder: Path, origin: str) -> Any:
    """Return the builder of the data in a given folder; never download."""
    for place in (folder / "tensorflow_datasets", folder):
        with readable(folder, origin):
            # glob would silently skip an unreadable folder.
            versions = os.listdir(place / _NAME) if (place / _NAME).is_dir() else []
            there = any((place / _NAME / each / "dataset_info.json").exists() for each in versions)
        if there:
            try:
                return _tensorflow_datasets().builder(_NAME, data_dir=str(place))
            except Exception as error:  # any error from a damaged description
                raise _unreadable(place / _NAME, error) from error
    raise missing_file(folder, origin, f"tensorflow_datasets/{_NAME}", _WITHOUT)


def _prepared() -> Any:
    """Return the builder in TensorFlow Datasets' own folder; download the data if missing."""
    builder = _tensorflow_datasets().builder(_NAME)
    if Path(builder.data_dir).exists():
        return builder
    place = Path(builder.data_dir).parent
    try:
        for url in builder.url_infos:
            require_reachable(url)  # TensorFlow Datasets would retry for minutes
        place.mkdir(parents=True, exist_ok=True)
        with FileLock(place / ".download.lock"):
            if not Path(builder.data_dir).exists():  # another process may have been faster
                _download(builder, place)
    except DataError as error:
        raise _missing(builder, f"{error.rule}; {error.found}") from error
    except Exception as error:  # partial download, wrong checksum, full disk, ...
        raise _missing(builder, f"{type(error).__name__}: {first_line(error)}") from error
    return _tensorflow_datasets().builder(_NAME)


def _download(builder: Any, place: Path) -> None:
    for left in place.glob(".download-*"):  # left by a killed process
        shutil.rmtree(left, ignore_errors=True)
    # The archive is not needed once its images are stored, and a partial one is useless.
    with (
        tempfile.TemporaryDirectory(dir=place, prefix=".download-") as archives,
        redirect_stdout(sys.stderr),  # like its progress bars
    ):
        builder.download_and_prepare(download_dir=archives)


def _missing(builder: Any, reason: str) -> DataError:
    return DataError(
        f"CIFAR-10 must be in '{builder.data_dir}' or on the web",
        f"found neither: {reason}",
        "Connect to the internet and run it again, or put data prepared by TensorFlow Datasets "
        f"into FOLDER/tensorflow_datasets/{_NAME} and name it by --data-dir FOLDER or "
        "NNLOSS_DATA=FOLDER",
    )


def _read(
    builder: Any, rows: str, remedy: str
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """Return images, labels and row numbers of a part, sorted by the images' sha256."""
    tfds = _tensorflow_datasets()
    images = np.empty((_ROWS[rows], *_IMAGE), np.uint8)
    labels = np.empty(_ROWS[rows], np.int64)
    numbers = np.empty(_ROWS[rows], np.int64)
    place = Path(builder.data_dir)
    rule = f"'{place}' must hold {_ROWS[rows]:,} {rows} images of {' x '.join(map(str, _IMAGE))}"
    count = 0
    try:
        for batch in tfds.as_numpy(builder.as_dataset(split=rows).batch(1000)):
            here = slice(count, count + len(batch["label"]))
            if here.stop > _ROWS[rows]:
                raise DataError(rule, "found more", remedy)
            images[here], labels[here] = batch["image"], batch["label"]
            numbers[here] = [int(name.rpartition(b"_")[2]) for name in batch["id"]]
            count = here.stop
    except DataError:
        raise
    except Exception as error:  # TensorFlow raises many kinds for a damaged file
        raise _unreadable(place, error) from error
    if count != _ROWS[rows]:
        raise DataError(rule, f"found {count:,}", remedy)
    keys = np.array([hashlib.sha256(image.tobytes()).digest() for image in images])
    order = np.argsort(keys, kind="stable")
    return images[order], labels[order], numbers[order]


def _unreadable(place: Path, error: Exception) -> DataError:
    return DataError(
        f"'{place}' must hold CIFAR-10 as TensorFlow Datasets prepares it",
        f"reading it gave: {type(error).__name__}: {first_line(error)}",
        f"Delete '{place}' and prepare the data again",
    )


def _files_sha256(folder: Path) -> str:
    sha = hashlib.sha256()
    for rows in _ROWS:
        for path in sorted(folder.glob(f"{_NAME}-{rows}.*")):
            sha.update(path.read_bytes())
    return sha.hexdigest()


def _tensorflow_datasets() -> Any:
    import tensorflow_datasets

    from nnloss import _tensorflow  # noqa: F401  silences TensorFlow first

    return tensorflow_datasets
