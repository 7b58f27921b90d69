"""Boston Housing: standardised features, linear regression, network, error measures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

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
    """Return the features centred and scaled by mean and SD (n - 1) of the training rows.

    Parameters
    ----------
    split : Split
        Boston Housing.

    Returns
    -------
    dict of str to ndarray
        Features of the ``train`` and of the ``test`` rows.

    Examples
    --------
    >>> from nnloss import load_boston
    >>> from nnloss.course import boston
    >>> x = boston.standardised(load_boston())
    >>> x["train"].shape, x["test"].shape
    ((404, 13), (102, 13))
    """
    mean, sd = split.x_train.mean(axis=0), split.x_train.std(axis=0, ddof=1)
    return {"train": (split.x_train - mean) / sd, "test": (split.x_test - mean) / sd}


def linear_regression(split: Split) -> Predictions:
    """Fit a linear regression on all 13 features and return its predictions.

    Parameters
    ----------
    split : Split
        Boston Housing.

    Returns
    -------
    dict of str to ndarray
        Prices of the ``train`` and of the ``test`` rows, in 1000 USD.

    See Also
    --------
    sklearn.linear_model.LinearRegression : The model.

    Examples
    --------
    >>> from nnloss import load_boston
    >>> from nnloss.course import boston
    >>> split = load_boston()
    >>> predicted = boston.linear_regression(split)
    >>> boston.error_measures(split, predicted)["test"]["mean_squared_error"]
    23.1956
    """
    from sklearn.linear_model import LinearRegression

    x = standardised(split)
    model = LinearRegression().fit(x["train"], split.y_train)
    return {rows: model.predict(x[rows]) for rows in x}


def network() -> Any:
    """Return the hidden layers of the course's network.

    Returns
    -------
    keras.Sequential
        Layers of 64 and 32 ReLU units for 13 features.

    Examples
    --------
    >>> from nnloss import REGRESSION, compile_for_task
    >>> from nnloss.course import boston
    >>> compile_for_task(boston.network(), REGRESSION).count_params()
    3009
    """
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


def error_table(judged: dict[str, dict[str, dict[str, float]]]) -> pd.DataFrame:
    """Return the results of `error_measures` by model as a table, a row per model and rows."""
    return pd.DataFrame(
        {"model": model, "rows": rows} | {MEASURES[name]: v for name, v in values.items()}
        for model, parts in judged.items()
        for rows, values in parts.items()
    )


def prediction_table(split: Split, **predictions: Predictions) -> pd.DataFrame:
    """Return actual and predicted prices by line of the CSV file, whose first line is the header.

    Predictions are named by the model, in the columns' names too.
    """
    parts = {"train": (split.rows_train, split.y_train), "test": (split.rows_test, split.y_test)}
    return pd.concat(
        pd.DataFrame(
            {"rows": rows, "line": numbers + 2, "actual": y}
            | {name: each[rows] for name, each in predictions.items()}
        )
        for rows, (numbers, y) in parts.items()
    )


def mean_or_median(
    split: Split, predictions: dict[str, Predictions], worst: int = 5
) -> pd.DataFrame:
    """Return a table on the test rows of what training on MSE and on MAE changes.

    The mean of the predicted prices, the share of districts predicted too high, and the shares of
    the `worst` rows in the absolute and in the squared error, all shares in percent.
    """
    rows = []
    for name, each in predictions.items():
        residuals = each["test"] - split.y_test
        size = np.sort(np.abs(residuals))[::-1]
        rows.append(
            {
                "model": name,
                "mean prediction": f"{each['test'].mean():.2f}",
                "too high": f"{np.mean(residuals > 0):.0%}",
                f"{worst} worst, absolute": f"{size[:worst].sum() / size.sum():.0%}",
                f"{worst} worst, squared": f"{np.sum(size[:worst] ** 2) / np.sum(size**2):.0%}",
            }
        )
    return pd.DataFrame(rows)


def paired_difference(
    split: Split, predictions: dict[str, Predictions], first: str, second: str
) -> tuple[float, float]:
    """Return the test MSE of one model minus another's, and the standard error over the rows."""
    one, other = ((predictions[name]["test"] - split.y_test) ** 2 for name in (first, second))
    difference = one - other
    return float(difference.mean()), float(difference.std(ddof=1) / np.sqrt(len(difference)))
