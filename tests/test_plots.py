"""Figures: what they show, and that nothing disappears unsaid."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nnloss import plots


def test_history_has_a_panel_for_each_metric_with_both_curves():
    table = pd.DataFrame({"epoch": [1, 2], "loss": [3.0, 2.0], "val_loss": [4.0, 3.0]})
    (axes,) = plots.history(table, {"loss": "MSE, m²"}).axes
    curves = {line.get_label(): line.get_ydata().tolist() for line in axes.lines}
    assert curves == {"training rows": [3.0, 2.0], "test rows": [4.0, 3.0]}
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "MSE, m² (log scale)")


def test_predicted_vs_actual_has_axes_diagonal_and_errors():
    y = np.array([1.0, 2.0, 3.0])
    predictions = {"a": y + 1, "b": np.array([1.0, 2.0, 60.0])}
    figure = plots.predicted_vs_actual(y, predictions, limits=(0, 55), unit="1000 USD")
    first, second = figure.axes
    assert first.get_xlim() == first.get_ylim() == second.get_ylim() == (0, 55)
    (diagonal,) = first.lines
    assert diagonal.get_linestyle() == "--"
    assert list(diagonal.get_xdata()) == list(diagonal.get_ydata()) == [0, 55]
    assert first.get_title() == "a\ntest MSE 1.00, MAE 1.00"
    assert first.get_xlabel() == "actual, 1000 USD"
    assert list(first.texts) == []
    assert [text.get_text() for text in second.texts] == ["outside the axes: 1"]


def test_shares_of_squared_and_absolute_error_add_up():
    y = np.zeros(10)
    errors = np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 100])
    figure = plots.squared_against_absolute(
        np.arange(50, 60), y, {"net": errors}, kind="line", worst=2
    )
    (axes,) = figure.axes
    squared, absolute = (points.get_offsets()[:, 1] for points in axes.collections[1:])
    assert np.sum(squared) == pytest.approx(100)
    assert np.sum(absolute) == pytest.approx(100)
    assert squared[0] == pytest.approx(100 * 100**2 / np.sum(errors**2))
    assert absolute[0] == pytest.approx(100 * 100 / np.sum(errors))
    assert [text.get_text() for text in axes.texts] == ["59", "58"]
    assert axes.get_title() == (
        "net: the 2 worst of 10 test rows make\n98 % of the squared and 75 % of the absolute error"
    )
