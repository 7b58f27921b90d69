"""The tables and numbers of the labs, on small examples."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nnloss._tensorflow import keras
from nnloss.course import boston, wafer
from nnloss.course.layers import layer_table


def test_the_layers_of_a_network_are_named_with_their_activation():
    layers = [keras.layers.Conv1D(4, 3, activation="relu"), keras.layers.Flatten()]
    model = keras.Sequential([keras.Input((8, 1)), *layers, keras.layers.Dense(2, "softmax")])
    assert layer_table(model).to_dict("records") == [
        {"layer": "Conv1D, relu", "output": "6 x 4", "parameters": 16},
        {"layer": "Flatten", "output": "24", "parameters": 0},
        {"layer": "Dense, softmax", "output": "2", "parameters": 50},
        {"layer": "all", "output": "", "parameters": 66},
    ]


def test_the_paired_difference_has_the_standard_error_of_a_mean(split):
    zero = np.zeros_like(split.y_test)
    size = np.arange(len(zero))
    predictions = {"one": {"test": split.y_test + size}, "other": {"test": split.y_test + zero}}
    difference, error = boston.paired_difference(split, predictions, "one", "other")
    assert difference == pytest.approx(np.mean(size**2))
    assert error == pytest.approx(pd.Series(size**2).sem())


def test_what_training_on_mae_changes_is_counted(split):
    residuals = np.where(np.arange(len(split.y_test)) < 10, 4.0, -1.0)
    table = boston.mean_or_median(split, {"net": {"test": split.y_test + residuals}})
    (row,) = table.to_dict("records")
    assert row["model"] == "net"
    assert row["too high"] == "10%"
    assert row["5 worst, absolute"] == f"{20 / (40 + 92):.0%}"
    assert row["5 worst, squared"] == f"{80 / (160 + 92):.0%}"
    assert float(row["mean prediction"]) == pytest.approx(
        split.y_test.mean() + residuals.mean(), abs=0.01
    )


def test_the_mistakes_of_a_matrix_are_told_apart():
    names = ["abnormal", "normal"]
    counts = pd.DataFrame([[8, 2], [3, 87]], index=names, columns=names)
    assert wafer.mistakes(counts) == (2, 3)
