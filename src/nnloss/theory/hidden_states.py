"""Activations of hidden layers, which no target supervises directly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnloss._keras import keras
from nnloss.datasets import Split

Array = NDArray[np.float64]
Rows = Mapping[str, NDArray[Any]]  # keys "train" and "test"


def states(model: Any, x: NDArray[Any], layer: str) -> Array:
    """Compute the output of a layer of a model, named `layer`, in float64."""
    part = keras.Model(model.inputs[0], model.get_layer(layer).output)
    values: Array = np.asarray(keras.ops.convert_to_numpy(part(x)), dtype=np.float64)
    return values


def recovered(linear: float, other: float) -> float:
    """Compute the share of a linear model's test error that another model removes.

    It is 0 for no improvement, 1 for no error left, and negative if `other` is worse.
    """
    return 1 - other / linear


def by_class(values: Array, y: NDArray[Any]) -> Array:
    """Compute the mean feature map of each class from maps of shape (N, steps, filters)."""
    return np.stack([values[y == number].mean(axis=0) for number in np.unique(y)])


@dataclass(frozen=True)
class Errors:
    """Test errors of two linear models and of a network.

    Parameters
    ----------
    features : float
        Of a linear model on the features.
    states : float
        Of a linear model on the hidden states of the network.
    network : float
        Of the network.
    """

    features: float
    states: float
    network: float


def of_prices(model: Any, x: Rows, split: Split) -> tuple[Array, Errors]:
    """Compute the states of the last hidden layer, and test MSEs, for a network of prices.

    Parameters
    ----------
    model : keras.Model
        Trained; its last layer is the output, the one before it is hidden.
    x : mapping of str to ndarray
        Features as the model takes them, with keys ``train`` and ``test``.
    split : Split
        The targets.

    Returns
    -------
    states : ndarray, shape (N, units)
        Those of the test rows.
    errors : Errors
        MSEs; the linear models are fitted by least squares.
    """
    inner = {rows: states(model, x[rows], model.layers[-2].name) for rows in x}
    predicted = states(model, x["test"], model.layers[-1].name)[:, 0]
    own = float(np.mean((predicted - split.y_test) ** 2))
    return inner["test"], Errors(_mean_squared(x, split), _mean_squared(inner, split), own)


def of_series(model: Any, split: Split) -> tuple[Array, Errors]:
    """Compute the mean map of the last convolution by class, and test errors, for series.

    Parameters
    ----------
    model : keras.Model
        Trained on series of shape (N, steps, 1), with a softmax output.
    split : Split
        Series of shape (N, steps) and class numbers.

    Returns
    -------
    means : ndarray, shape (2, steps, filters)
        Those of the test rows.
    errors : Errors
        Shares of wrong test rows; the linear models are ridge logistic regressions.
    """
    raw = {"train": split.x_train, "test": split.x_test}
    given = {rows: values[..., np.newaxis] for rows, values in raw.items()}
    last = [layer.name for layer in model.layers if "conv" in layer.name][-1]
    maps = {rows: states(model, given[rows], last) for rows in given}
    flat = {rows: values.reshape(len(values), -1) for rows, values in maps.items()}
    p = states(model, given["test"], model.layers[-1].name)
    own = float(np.mean(p.argmax(axis=1) != split.y_test))
    means = by_class(maps["test"], split.y_test)
    return means, Errors(_share_wrong(raw, split), _share_wrong(flat, split), own)


def error_table(errors: Mapping[str, Errors]) -> pd.DataFrame:
    """Return errors by title as a table to read.

    Parameters
    ----------
    errors : mapping of str to Errors
        A row for each.

    Returns
    -------
    DataFrame
        ``test error``, the title; errors of the linear model on the ``features``, of the one on the
        ``states``, and of the ``network``; ``gain of states`` and ``gain of network``, the shares
        of the first error that the other two remove.
    """
    return pd.DataFrame(
        {
            "test error": title,
            "features": f"{each.features:.4g}",
            "states": f"{each.states:.4g}",
            "network": f"{each.network:.4g}",
            "gain of states": f"{recovered(each.features, each.states):.0%}",
            "gain of network": f"{recovered(each.features, each.network):.0%}",
        }
        for title, each in errors.items()
    )


def _mean_squared(features: Rows, split: Split) -> float:
    """Return the test MSE of a linear regression."""
    from sklearn.linear_model import LinearRegression

    fitted = LinearRegression().fit(features["train"], split.y_train)
    return float(np.mean((fitted.predict(features["test"]) - split.y_test) ** 2))


def _share_wrong(features: Rows, split: Split) -> float:
    """Return the share of test rows that a ridge logistic regression gets wrong."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    model.fit(features["train"], split.y_train)
    return float(np.mean(model.predict(features["test"]) != split.y_test))
