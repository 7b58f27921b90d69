"""CIFAR-10: softmax regression, and network with optional augmentation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from nnloss.datasets import Split

Array = np.ndarray[Any, np.dtype[Any]]

QUICK_EPOCHS, QUICK_ROWS = 3, 10_000
#: The course's augmentation, as arguments of `RandomAffine`.
AUGMENTATION: dict[str, Any] = {"rotation": 10.0, "shift": 0.1, "flip": True}


def softmax_regression(split: Split) -> tuple[Array, str]:
    """Fit the regression; return the predicted test classes and a description of the fit."""
    from sklearn.linear_model import LogisticRegression

    x = {
        rows: images.reshape(len(images), -1).astype(np.float32) / 255
        for rows, images in (("train", split.x_train), ("test", split.x_test))
    }
    centre = x["train"].mean(axis=0)
    for pixels in x.values():
        pixels -= centre
    penalty = 1000 * len(x["train"]) / 50_000  # same penalty per image in a quick run
    model = LogisticRegression(C=1 / penalty, max_iter=200).fit(x["train"], split.y_train)
    return model.predict(x["test"]), (
        f"multinomial likelihood, ridge penalty of {penalty / 2:g} times the sum of the squared "
        f"coefficients, {model.n_iter_[0]} steps of the quasi-Newton method L-BFGS"
    )


def network(augment: bool) -> Any:
    """Return the hidden layers of the course's network (167,562 parameters with the output)."""
    import keras

    from nnloss.course.augmentation import RandomAffine

    return keras.Sequential(
        [
            keras.Input((32, 32, 3), dtype="uint8"),
            keras.layers.Rescaling(1 / 255),
            *([RandomAffine(**AUGMENTATION)] if augment else []),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Conv2D(64, 3, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Flatten(),
            keras.layers.Dense(64, activation="relu"),
        ],
        name="cifar10",
    )


def steps_per_epoch(rows: int, batch_size: int, augment: bool) -> int | None:
    """Return the course's steps per epoch, or None for all batches.

    With augmentation it left out the last batch, which is smaller than the others and holds
    different rows in each epoch.
    """
    return max(rows // batch_size, 1) if augment else None


def accuracy_and_error(counts: pd.DataFrame) -> dict[str, float]:
    """Compute accuracy and misclassification error from a confusion matrix."""
    right, rows = int(np.trace(counts.to_numpy())), int(counts.to_numpy().sum())
    return {"accuracy": right / rows, "misclassification_error": (rows - right) / rows}
