"""What a hidden layer adds to a linear model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnloss.table import REGRESSION
from nnloss.theory.claims import Claim
from nnloss.theory.glm import alike, fit_network

Array = NDArray[np.float64]


def linear_layer_claims(x: Array, y: NDArray[Any]) -> list[Claim]:
    """Compare a linear regression with a network that has a hidden layer of 8 linear units."""
    fits = REGRESSION.fit_glm(x, y), fit_network(REGRESSION, x, y, hidden=8)
    return alike("linear hidden layer", "8 units, multiplied out", *fits)


def comparison(runs: pd.DataFrame, linear: dict[str, float]) -> pd.DataFrame:
    """Compare networks with a linear regression.

    Parameters
    ----------
    runs : DataFrame
        Result of `nnloss.fit_many` with validation rows, a row per seed.
    linear : dict of str to float
        MSE of the linear regression on the ``train`` and on the ``test`` rows.

    Returns
    -------
    DataFrame
        ``model``, ``training MSE`` and ``test MSE``; for the networks the mean of the seeds.
    """
    rows = [
        ("linear regression", linear["train"], linear["test"]),
        (
            f"network, mean of {len(runs)} seeds",
            runs["mean_squared_error"].mean(),
            runs["val_mean_squared_error"].mean(),
        ),
    ]
    return pd.DataFrame(rows, columns=["model", "training MSE", "test MSE"])
