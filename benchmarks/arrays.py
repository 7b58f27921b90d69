"""Arrays of an exercise in one file, so that all contenders train on the same data."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import nnloss
from nnloss.course.boston import standardised
from nnloss.course.published import SETTINGS
from nnloss.datasets.locate import DataDir, named_folder
from nnloss.errors import DataError


def required_folder(data_dir: DataDir, names: str) -> Path:
    """Return the named folder of a comparison's data sets; raise DataError if none is named."""
    named = named_folder(data_dir)
    if named is None:
        raise DataError(
            f"The comparison needs a folder with {names}",
            "found none named",
            "Name it by --data-dir or NNLOSS_DATA",
        )
    return named[0].resolve()


def save(exercise: str, data: Path | None, path: Path) -> int:
    """Write the network's arrays and the batch size of the 2023 edition to an ``.npz`` file.

    Returns the number of training rows. `data` is None for the packaged Boston file.
    """
    split = getattr(nnloss, f"load_{exercise}")(data)
    x_train, x_test = split.x_train, split.x_test
    y_train, y_test = split.y_train, split.y_test
    if exercise == "boston":
        x_train, x_test = standardised(split).values()
    else:
        classes = len(split.classes)
        y_train, y_test = (nnloss.encode(y, nnloss.MULTICLASS, classes) for y in (y_train, y_test))
    if exercise == "wafer":
        x_train, x_test = x_train[..., np.newaxis], x_test[..., np.newaxis]
    kind = np.uint8 if exercise == "cifar10" else np.float32
    np.savez(
        path,
        x_train=x_train.astype(kind),
        y_train=y_train.astype(np.float32),
        x_test=x_test.astype(kind),
        y_test=y_test.astype(np.float32),
        batch_size=SETTINGS[exercise, 2023].batch_size,
    )
    return len(x_train)
