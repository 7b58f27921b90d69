"""Boston Housing: standardised features, linear regression, network, error measures."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnloss import likelihoods
from nnloss.datasets import Split

Array = np.ndarray[Any, np.dtype[Any]]
Predictions = dict[str, Array]  # keys "train" and "test"

UNIT = "1000 USD"
QUICK_EPOCHS = 5
MEASURES = {
    "mean_squared_error": "MSE",
    "root_mean_squared_error": "RMSE",
    "sum_of_squared_errors": "SSE",
    "mean_absolute_error": "MAE",
}


def standardised(split: Split) -> Predictions:
    """Return the features centred and scaled by mean and SD (n - 1) of the training rows."""
    mean, sd = split.x_train.mean(axis=0), split.x_train.std(axis=0, ddof=1)
    return {"train": (split.x_train - mean) / sd, "test": (split.x_test - mean) / sd}


def linear_regression(split: Split) -> Predictions:
    """Fit a linear regression on all 13 features and return its predictions."""
    from sklearn.linear_model import LinearRegression

    x = standardised(split)
    model = LinearRegression().fit(x["train"], split.y_train)
    return {rows: model.predict(x[rows]) for rows in x}


def network() -> Any:
    """Return the hidden layers of the course's network (3,009 parameters with the output)."""
    import keras

    return keras.Sequential(
        [
            keras.Input((13,)),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(32, activation="relu"),
        ],
        name="boston",
    )


def error_measures(split: Split, predictions: Predictions) -> dict[str, dict[str, float]]:
    """Return MSE, RMSE, SSE and MAE on the training and test rows."""
    targets = {"train": split.y_train, "test": split.y_test}
    return {
        rows: {name: getattr(likelihoods, name)(y, predictions[rows]) for name in MEASURES}
        for rows, y in targets.items()
    }
