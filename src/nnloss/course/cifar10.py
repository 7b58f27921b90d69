"""CIFAR-10: softmax regression, and network with optional augmentation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from nnloss.datasets import Split

Array = np.ndarray[Any, np.dtype[Any]]

QUICK_EPOCHS, QUICK_ROWS = 3, 10_000
#: The course's augmentation: degrees, share of the width and height, and whether to mirror.
AUGMENTATION: dict[str, Any] = {"rotation": 10.0, "shift": 0.1, "flip": True}


def softmax_regression(split: Split) -> tuple[Array, str]:
    """Fit a softmax regression on the pixels, with a weak ridge penalty.

    Parameters
    ----------
    split : Split
        CIFAR-10.

    Returns
    -------
    classes : ndarray of int of shape (N,)
        Predicted classes of the test images.
    description : str
        Likelihood, penalty and steps of the fit.

    See Also
    --------
    sklearn.linear_model.LogisticRegression : The model.
    """
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
    """Return the hidden layers of the course's network.

    Parameters
    ----------
    augment : bool
        Whether training images are augmented.

    Returns
    -------
    keras.Sequential
        Convolutions, pooling and 64 ReLU units for images of type uint8.

    Examples
    --------
    >>> from nnloss import MULTICLASS, compile_for_task
    >>> from nnloss.course import cifar10
    >>> body = cifar10.network(augment=False)
    >>> compile_for_task(body, MULTICLASS, classes=10).count_params()
    167562
    """
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


def result_table(judged: dict[str, dict[str, float]], losses: dict[str, float]) -> pd.DataFrame:
    """Return a table of accuracy, error and, where it is known, loss on the test images."""
    return pd.DataFrame(
        {
            "model": name,
            "test accuracy": f"{values['accuracy']:.4f}",
            "misclassification error": f"{values['misclassification_error']:.4f}",
            "test loss, nats": f"{losses[name]:.4f}" if name in losses else "",
        }
        for name, values in judged.items()
    )


def table_by_class(matrices: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return a table of the accuracy within each class, one column per model."""
    shares = {
        name: np.diag(counts) / counts.sum(axis=1).to_numpy() for name, counts in matrices.items()
    }
    classes = next(iter(matrices.values())).index
    return pd.DataFrame(
        {"class": classes} | {name: [f"{s:.3f}" for s in share] for name, share in shares.items()}
    )


def prediction_table(split: Split, probabilities: Array) -> pd.DataFrame:
    """Return class, prediction and its probability of each test image, in the file's order."""
    classes = np.array(split.classes)
    return pd.DataFrame(
        {
            "row": split.rows_test,
            "actual": classes[split.y_test],
            "predicted": classes[probabilities.argmax(axis=1)],
            "probability": probabilities.max(axis=1),
        }
    ).sort_values("row")


def most_confused(
    split: Split, probabilities: Array, counts: pd.DataFrame, pairs: int = 6, each: int = 8
) -> dict[str, Array]:
    """Return images of the most frequent mistakes, most confident predictions first."""
    wrong = counts.to_numpy().copy()
    np.fill_diagonal(wrong, 0)
    predicted = probabilities.argmax(axis=1)
    found = {}
    for place in np.argsort(-wrong, axis=None, kind="stable")[: min(pairs, np.sum(wrong > 0))]:
        actual, taken = divmod(int(place), len(split.classes))
        rows = np.flatnonzero((split.y_test == actual) & (predicted == taken))
        surest = rows[np.argsort(-probabilities[rows, taken], kind="stable")][:each]
        name = f"{split.classes[actual]}, taken for\n{split.classes[taken]}: {len(rows)}"
        found[name] = split.x_test[surest]
    return found


def gap_table(measured: dict[str, dict[str, dict[str, float]]]) -> pd.DataFrame:
    """Return a table of accuracy and loss on training and test images, and the gaps between."""
    return pd.DataFrame(
        {
            "model": title,
            "measure": "loss, nats" if name == "loss" else name,
            "training": f"{values['train'][name]:.4f}",
            "test": f"{values['test'][name]:.4f}",
            "gap": f"{abs(values['train'][name] - values['test'][name]):.4f}",
        }
        for name in ("accuracy", "loss")
        for title, values in measured.items()
    )
