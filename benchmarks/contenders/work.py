"""Work of a contender, from its arguments: exercise, file of arrays, epochs, rows or seeds.

Imports NumPy only, since the peers run where nnloss and TensorFlow are not installed.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
#: Rows evaluated at once where a contender chooses: as many as ours.
EVALUATION_BATCH = 1024

#: Shapes of the kernels of each network: (inputs, outputs), or (..., channels, filters).
KERNELS: dict[str, tuple[tuple[int, ...], ...]] = {
    "boston": ((13, 64), (64, 32), (32, 1)),
    "wafer": ((8, 1, 16), (5, 16, 32), (3, 32, 64), (1024, 2)),
    "cifar10": ((3, 3, 3, 32), (3, 3, 32, 64), (2304, 64), (64, 10)),
}


def as_floats(exercise: str, images: Array) -> Array:
    """Return images as floats from 0 to 1; series and quantities as they are."""
    return images.astype("float32") / 255 if exercise == "cifar10" else images


@dataclass(frozen=True)
class Work:
    """Rows to train and to evaluate on, and how often; `options` are the arguments that follow."""

    exercise: str
    epochs: int
    batch_size: int
    seeds: int
    x: Array
    y: Array
    x_test: Array
    y_test: Array
    options: tuple[str, ...] = ()

    @property
    def floats(self) -> tuple[Array, Array]:
        """Inputs of the training and of the test rows, as `as_floats` gives them."""
        return as_floats(self.exercise, self.x), as_floats(self.exercise, self.x_test)


def asked(arguments: list[str] | None = None) -> Work:
    """Load the work that the arguments of a script ask for; by default those of the command line.

    Without the option ``seeds`` the fourth argument is the number of training rows; more than there
    are begin again with the first. With it, it is the number of seeds, each on all rows.
    """
    exercise, path, epochs, number, *options = sys.argv[1:] if arguments is None else arguments
    arrays = np.load(Path(path))
    many = "seeds" in options
    rows = len(arrays["x_train"]) if many else int(number)
    x, y = (
        np.resize(arrays[name], (rows, *arrays[name].shape[1:])) for name in ("x_train", "y_train")
    )
    return Work(
        exercise,
        int(epochs),
        int(arrays["batch_size"]),
        int(number) if many else 1,
        x,
        y,
        arrays["x_test"],
        arrays["y_test"],
        tuple(options),
    )


def report(seconds: float, **values: Any) -> None:
    """Print the seconds of the training, and losses, as the line that `measure` reads."""
    print(json.dumps({"training": seconds} | {name: float(each) for name, each in values.items()}))
