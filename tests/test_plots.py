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


def test_an_axis_may_be_linear():
    table = pd.DataFrame({"epoch": [1, 2], "accuracy": [0.5, 0.6], "val_accuracy": [0.4, 0.5]})
    (axes,) = plots.history(table, {"accuracy": "share"}, linear=["accuracy"]).axes
    assert (axes.get_yscale(), axes.get_ylabel()) == ("linear", "share")


def test_the_gap_is_that_of_the_rows_as_they_are():
    table = pd.DataFrame({"epoch": [1, 2], "accuracy": [0.5, 0.6], "val_accuracy": [0.4, 0.5]})
    (axes,) = plots.train_test_gap({"net": table}, "accuracy", {"net": (0.9, 0.5)}, label="a").axes
    assert axes.get_title() == "net\ntraining 0.9000, test 0.5000, gap 0.4000"
    curves = {line.get_label(): line.get_ydata().tolist() for line in axes.lines}
    assert curves["training rows as trained on"] == [0.5, 0.6]
    assert curves["test rows"] == [0.4, 0.5]
    assert curves["training rows as they are"] == [0.9]


def test_the_confusion_matrix_has_counts_shades_and_the_error():
    counts = np.array([[8, 2], [30, 60]])
    figure = plots.confusion_matrix({"net": counts, "other": counts.T}, ["a", "b"])
    first, second = figure.axes
    assert [text.get_text() for text in first.texts] == ["8", "2", "30", "60"]
    assert [text.get_text() for text in second.texts] == ["8", "30", "2", "60"]
    assert first.images[0].get_array().tolist() == [[0.8, 0.2], [1 / 3, 2 / 3]]
    assert first.get_title() == "net\n100 test rows, misclassified 32.00%"
    assert (first.get_xlabel(), first.get_ylabel()) == (
        "predicted (shade: share of the row)", "actual",
    )  # fmt: skip


def test_curves_have_their_areas_and_the_guess():
    positive = np.array([True, True, False, False, False])
    scores = {"good": [0.9, 0.8, 0.3, 0.2, 0.1], "bad": [0.1, 0.2, 0.3, 0.8, 0.9]}
    roc, precision = plots.roc_and_precision_recall(positive, scores).axes
    assert [text.get_text() for text in roc.get_legend().texts] == [
        "good: AUC 1.0000", "bad: AUC 0.0000", "guessing: AUC 0.5",
    ]  # fmt: skip
    assert [text.get_text() for text in precision.get_legend().texts] == [
        "good: 1.0000", "bad: 0.3250", "guessing: 0.4000",
    ]  # fmt: skip
    assert precision.lines[0].get_drawstyle() == "steps-post"
    assert precision.lines[-1].get_ydata() == [0.4, 0.4]


def test_no_model_is_left_out_of_the_curves():
    scores = {str(number): [0.9, number / 10, 0.1] for number in range(6)}
    roc, _ = plots.roc_and_precision_recall([True, False, False], scores).axes
    assert len(roc.get_legend().texts) == 7


def test_images_and_series_are_in_named_rows():
    pictures = np.arange(3 * 2 * 2 * 3, dtype=np.uint8).reshape(3, 2, 2, 3)
    figure = plots.images({"a": pictures, "b": pictures[:1]})
    shown = [len(axes.images) for axes in figure.axes]
    assert shown == [1, 1, 1, 1, 0, 0]
    assert [figure.axes[place].get_ylabel() for place in (0, 3)] == ["a", "b"]
    assert np.array_equal(figure.axes[2].images[0].get_array(), pictures[2])
    lines = np.arange(8.0).reshape(2, 4)
    figure = plots.series({"a": lines, "b": lines[:1]}, xlabel="step", ylabel="volt")
    assert figure.axes[1].lines[0].get_ydata().tolist() == [4, 5, 6, 7]
    assert (figure.get_supxlabel(), figure.get_supylabel()) == ("step", "volt")


def test_twins_are_rings_with_dots():
    glm, network = np.array([[1.0], [-2.0]]), np.array([[1.5], [-2.0]])
    three = np.zeros((2, 2))
    figure = plots.twins({"a": (glm, network), "b": (three, three)}, ["intercept", "x"])
    ring, dot = figure.axes[0].lines[:2]
    assert (ring.get_label(), list(ring.get_xdata())) == ("GLM", [1.0, -2.0])
    assert (dot.get_label(), list(dot.get_xdata())) == ("network", [1.5, -2.0])
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["intercept", "x"]
    labels = [text.get_text() for text in figure.axes[1].get_legend().texts]
    assert labels == ["GLM, output 1", "network, output 1", "GLM, output 2", "network, output 2"]


def test_the_two_gradients_are_drawn_over_the_logit():
    table = pd.DataFrame({"logit": [-1.0, 1.0], "BCE": [-0.7, -0.3], "MSE": [-0.2, -0.1]})
    (axes,) = plots.gradients(table).axes
    curves = {line.get_label(): list(line.get_ydata()) for line in axes.lines[:2]}
    assert curves == {
        "sigmoid + BCE: p - y": [-0.7, -0.3],
        "sigmoid + MSE: 2 (p - y) p (1 - p)": [-0.2, -0.1],
    }


def test_pitfalls_are_errors_with_a_band_from_worst_to_best():
    runs = pd.DataFrame(
        {
            "pairing": [name for name in "abcde" for _ in range(6)],
            "seed": [1, 2, 3] * 10,
            "epoch": [1, 1, 1, 2, 2, 2] * 5,
            "accuracy": [0.5, 0.6, 0.8, 0.7, 0.9, 0.95] * 5,
        }
    )
    (axes,) = plots.pitfalls({"title": runs}, level=0.97, majority=0.9).axes
    assert len(axes.get_legend().texts) == 5
    np.testing.assert_allclose(axes.lines[0].get_ydata(), [0.4, 0.1])
    edges = axes.collections[0].get_paths()[0].vertices[:, 1]
    np.testing.assert_allclose([edges.min(), edges.max()], [0.05, 0.5])
    assert [text.get_text().strip() for text in axes.texts] == ["accuracy 0.97", "always normal"]
    assert axes.get_yscale() == "log"


def test_a_landscape_has_a_cross_where_the_weights_are():
    steps = np.linspace(-1, 1, 9)
    bowl = 1 + steps**2 + steps[:, np.newaxis] ** 2
    figure = plots.landscapes(steps, {"a": bowl, "b": bowl + 1})
    assert [axes.get_title() for axes in figure.axes] == ["a", "b"]
    cross = figure.axes[0].lines[-1]
    assert (cross.get_marker(), list(cross.get_xdata()), list(cross.get_ydata())) == ("+", [0], [0])


def test_profiles_lie_on_their_least_value():
    steps = np.array([-1.0, 0.0, 1.0])
    panels = {"net": (steps, {"early": [5.0, 3.0, 4.0], "late": [1.0, 2.0, 3.0]})}
    (axes,) = plots.profiles(panels, xlabel="step", ylabel="MSE").axes
    early, ring, late, _ = axes.lines  # the least of the late one is at the edge: no ring
    assert list(early.get_ydata()) == [2, 0, 1]
    assert (list(ring.get_xdata()), list(ring.get_ydata())) == ([0], [0])
    assert list(late.get_ydata()) == [0, 1, 2]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("step", "MSE")


def test_states_are_in_order_of_target_and_correlation():
    target = np.array([3.0, 1.0, 2.0])
    up, down, silent = target * 2, 4 - target, np.zeros(3)
    figure = plots.states_by_target(np.column_stack([up, silent, down]), target, label="price")
    above, below = figure.axes[:2]
    assert list(above.lines[0].get_ydata()) == [1, 2, 3]
    np.testing.assert_allclose(below.images[0].get_array(), [[1, 2 / 3, 1 / 3], [1 / 3, 2 / 3, 1]])
    assert below.get_title() == "2 units, correlations -1.00 to 1.00; 1 never active"


def test_a_map_shows_both_classes_and_their_difference():
    means = np.array([[[1.0, 4.0], [1.0, 4.0]], [[3.0, 2.0], [3.0, 2.0]]])  # class, step, filter
    figure = plots.map_by_class(means, ["a", "b"])
    shown = [axes.images[0].get_array().tolist() for axes in figure.axes[:3]]
    assert shown[0] == [[4, 4], [1, 1]]  # the filter that falls from a to b comes first
    assert shown[1] == [[2, 2], [3, 3]]
    assert shown[2] == [[-2, -2], [2, 2]]
    titles = [axes.get_title() for axes in figure.axes[:3]]
    assert titles == ["a: mean activation", "b: mean activation", "b less a"]
