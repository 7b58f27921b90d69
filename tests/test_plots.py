"""Figures: what they show, and that nothing disappears unsaid."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from nnloss import plots
from nnloss.plots import style


def texts(axes):
    """Return the texts written in or beside the axes."""
    return [text.get_text() for text in axes.texts]


def training_history(first=0.5):
    return pd.DataFrame(
        {
            "epoch": np.arange(1, 41),
            "accuracy": [first, *np.linspace(0.90, 0.94, 39)],
            "val_accuracy": [first, *np.linspace(0.90, 0.92, 39)],
        }
    )


def test_history_has_a_panel_for_each_metric_with_both_curves():
    table = pd.DataFrame({"epoch": [1, 2], "loss": [3.0, 2.0], "val_loss": [4.0, 3.0]})
    (axes,) = plots.history(table, {"loss": "MSE, m²"}).axes
    curves = {line.get_label(): line.get_ydata().tolist() for line in axes.lines}
    assert curves == {"training rows": [3.0, 2.0], "test rows": [4.0, 3.0]}
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "MSE, m² (log scale)")
    assert axes.get_title("left") == "Loss after epoch 2:\ntraining 2.00, test 3.00"
    (axes,) = plots.history(100 * table, {"loss": "MSE, m²"}).axes
    assert axes.get_title("left").endswith("training 200, test 300")


def test_curves_are_labelled_in_their_order_and_colour():
    (axes,) = plots.history(training_history(), {"accuracy": "share"}, linear=["accuracy"]).axes
    lower, upper = axes.texts[-2:]
    assert (lower.get_text(), upper.get_text()) == ("test", "training")
    assert lower.xy[1] < upper.xy[1]
    for label, colour in ((upper, style.TRAINING), (lower, style.TEST)):
        assert label.get_color() == style.dark(colour)


def test_a_first_epoch_that_takes_half_of_the_axis_is_left_out_and_told():
    panels, linear = {"accuracy": "share"}, ["accuracy"]
    (axes,) = plots.history(training_history(0.5), panels, linear=linear).axes
    assert 0.89 < axes.get_ylim()[0] < 0.9
    assert "in epoch 1:\ntraining 0.500, test 0.500" in texts(axes)
    (axes,) = plots.history(training_history(0.89), panels, linear=linear).axes
    assert axes.get_ylim()[0] < 0.89
    assert texts(axes) == ["test", "training"]


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_a_diverged_training_is_drawn(value):
    table = pd.DataFrame({"epoch": range(1, 41), "loss": 2.0, "val_loss": 3.0})
    table.loc[20:, "loss"] = value
    for linear in ([], ["loss"]):
        figure = plots.history(table, {"loss": "MSE"}, linear=linear)
        figure.draw_without_rendering()
        (axes,) = figure.axes
        assert sorted(texts(axes)) == ["test", "training"]
        assert np.isfinite([text.xy for text in axes.texts]).all()


def test_labels_of_close_ends_are_apart_and_the_others_where_the_line_ends():
    axes = Figure().subplots()
    axes.set(xlim=(0, 1), ylim=(0, 1))
    style.label_ends(axes, {"a": (1, 0.1, "k"), "b": (1, 0.8, "k"), "c": (1, 0.8, "k")}, gap=0.1)
    heights = {text.get_text(): text.xy[1] for text in axes.texts}
    assert heights == pytest.approx({"a": 0.1, "b": 0.75, "c": 0.85})


def test_models_keep_their_colour():
    names = ["logistic regression", "ridge logistic regression", "network on CCE", "network on BCE"]
    of_all, of_two = style.model_styles(names), style.model_styles(names[::2])
    assert len(set(of_all.values())) == 4
    assert {name: of_all[name] for name in of_two} == of_two


def test_predicted_vs_actual_has_axes_diagonal_errors_and_the_worst_row():
    y = np.array([1.0, 2.0, 3.0])
    predictions = {"a": y + np.array([1, 1, 2]), "b": np.array([1.0, 2.0, 60.0])}
    figure = plots.predicted_vs_actual(
        y, predictions, limits=(0, 55), unit="1000 USD", names=[7, 8, 9], kind="line"
    )
    first, second = figure.axes
    assert first.get_xlim() == first.get_ylim() == second.get_ylim() == (0, 55)
    diagonal, ring = first.lines
    assert diagonal.get_linestyle() == "--"
    assert list(diagonal.get_xdata()) == list(diagonal.get_ydata()) == [0, 55]
    assert (list(ring.get_xdata()), list(ring.get_ydata())) == ([3], [5])
    title = first.get_title("left")
    assert title == "a: MAE 1.33,\nMSE 2.00, 67 % of it from line 9"
    assert (first.get_xlabel(), first.get_ylabel()) == (
        "actual, 1000 USD", "predicted, 1000 USD",
    )  # fmt: skip
    assert texts(first) == ["line 9:\npredicted 5.0,\nactual 3.0"]
    worst, note = texts(second)
    assert worst == "line 9:\npredicted 60.0,\nactual 3.0"
    assert note == "outside the axes: 1"
    assert list(second.lines[1].get_ydata()) == [55]  # the ring is at the edge


def test_shares_of_squared_and_absolute_error_add_up():
    y = np.zeros(10)
    errors = np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 100])
    figure = plots.squared_against_absolute(
        np.arange(50, 60), y, {"net": errors}, kind="line", worst=2
    )
    (axes,) = figure.axes
    curves = {line.get_label(): line.get_ydata() for line in axes.lines}
    for name, power in (("squared error", 2), ("absolute error", 1)):
        share = 100 * np.cumsum(errors[::-1] ** power) / np.sum(errors**power)
        np.testing.assert_allclose(curves[name], [0, *share])
    marked = [(line.get_xdata()[0], line.get_ydata()[0]) for line in axes.lines[1:4:2]]
    assert marked == [(2, curves["squared error"][2]), (2, curves["absolute error"][2])]
    assert texts(axes) == [
        "98 %", "squared error", "75 %", "absolute error", "the 2 worst, line:\n59, 58",
    ]  # fmt: skip
    assert axes.get_title("left") == "net: 2 of 10 test rows\nmake 98 % of the squared error"


def test_few_rows_are_all_among_the_worst():
    (axes,) = plots.squared_against_absolute([7, 8], [0, 0], {"net": [1, 2]}).axes
    assert axes.get_title("left") == "net: 2 of 2 test rows\nmake 100 % of the squared error"


def test_an_axis_may_be_linear():
    table = pd.DataFrame({"epoch": [1, 2], "accuracy": [0.5, 0.6], "val_accuracy": [0.4, 0.5]})
    (axes,) = plots.history(table, {"accuracy": "share"}, linear=["accuracy"]).axes
    assert (axes.get_yscale(), axes.get_ylabel()) == ("linear", "share")


def test_the_gap_is_that_of_the_rows_as_they_are():
    table = pd.DataFrame({"epoch": [1, 2], "accuracy": [0.5, 0.6], "val_accuracy": [0.4, 0.5]})
    tables, ends = {"net": table, "other": table}, {"net": (0.9, 0.5), "other": (0.7, 0.5)}
    axes, other = plots.train_test_gap(tables, "accuracy", ends, label="a").axes
    assert axes.get_title("left") == "net: gap 0.4000\n(training 0.9000, test 0.5000)"
    curves = {line.get_label(): line.get_ydata().tolist() for line in axes.lines}
    assert curves["training rows"] == [0.5, 0.6]
    assert curves["test rows"] == [0.4, 0.5]
    assert curves["training rows as they are"] == [0.9]
    assert [0.5, 0.9] in curves.values()  # the bar
    assert texts(axes) == ["test", "training,\neach epoch", "training,\nas it is"]
    assert axes.get_ylim() == other.get_ylim()


def test_the_confusion_matrix_has_counts_shades_and_the_error():
    counts = np.array([[8, 2], [30, 60]])
    perfect = np.diag([10, 90])
    figure = plots.confusion_matrix({"net": counts, "other": counts.T, "c": perfect}, ["a", "b"])
    first, second, third = figure.axes
    assert texts(first) == ["8", "2", "30", "60"]
    assert texts(second) == ["8", "30", "2", "60"]
    assert first.images[0].get_array().tolist() == [[0.8, 0.2], [1 / 3, 2 / 3]]
    assert first.get_title("left") == "net: 32.00 % wrong,\nmost often b taken for a (30)"
    assert third.get_title("left") == "c: none wrong"
    assert figure.get_supxlabel() == (
        "predicted, 100 test rows (the shade is the share of the actual class)"
    )
    assert figure.get_supylabel() == "actual"
    rows = [axes.get_subplotspec().rowspan.start for axes in figure.axes]
    assert rows == [0, 0, 1]


def test_curves_have_their_areas_the_guess_and_an_enlarged_corner():
    positive = np.array([True, True, False, False, False])
    scores = {"good": [0.9, 0.8, 0.3, 0.2, 0.1], "bad": [0.1, 0.2, 0.3, 0.8, 0.9]}
    figure = plots.roc_and_precision_recall(positive, scores)
    roc, precision, roc_corner, precision_corner = figure.axes
    assert [text.get_text() for text in figure.legends[0].texts] == [
        "good: AUC 1.0000, average precision 1.0000",
        "bad: AUC 0.0000, average precision 0.3250",
        "guessing: AUC 0.5, average precision 0.4000",
    ]
    assert roc.get_title("left") == "ROC: the largest area is 1.0000,\ngood"
    assert precision.get_title("left") == "Largest average precision: 1.0000,\ngood"
    assert precision.lines[0].get_drawstyle() == "steps-post"
    assert precision.lines[-1].get_ydata() == [0.4, 0.4]
    for whole, corner in ((roc, roc_corner), (precision, precision_corner)):
        for one, other in zip(whole.lines, corner.lines, strict=True):
            assert np.array_equal(one.get_xydata(), other.get_xydata())
    assert roc_corner.get_xlim() == (0, 0.02)
    assert precision_corner.get_xlim() == (0.9, 1)
    assert roc_corner.get_ylim()[0] == precision_corner.get_ylim()[0] == 0.9


def test_no_model_is_left_out_of_the_curves():
    scores = {str(number): [0.9, number / 10, 0.1] for number in range(6)}
    figure = plots.roc_and_precision_recall([True, False, False], scores)
    assert len(figure.legends[0].texts) == 7


def test_images_are_in_named_rows():
    pictures = np.arange(3 * 2 * 2 * 3, dtype=np.uint8).reshape(3, 2, 2, 3)
    figure = plots.images({"a": pictures, "b": pictures[:1]}, title="mistakes")
    shown = [len(axes.images) for axes in figure.axes]
    assert shown == [1, 1, 1, 1, 0, 0]
    assert [figure.axes[place].get_ylabel() for place in (0, 3)] == ["a", "b"]
    assert np.array_equal(figure.axes[2].images[0].get_array(), pictures[2])
    assert figure.get_suptitle() == "mistakes"


def two_classes_of_series():
    steps = np.arange(30)
    first = np.tile(np.where(steps < 10, 1.0, 0.0), (20, 1))
    first[2] -= 0.3  # one of twenty is outside the central 80 %
    second = np.tile(np.where(steps < 20, 1.0, 0.0), (40, 1))
    second[:, 15] = 2.0
    second[1, 5] = 9.0
    return {"a": first, "b": second}


def test_series_show_the_difference_of_the_classes():
    rows = two_classes_of_series()
    figure = plots.series(rows, xlabel="step", ylabel="volt", examples=2)
    above, band_a, first, second, _, _, spike = figure.axes
    for line, row in zip(above.lines, rows.values(), strict=False):
        np.testing.assert_allclose(line.get_ydata(), row.mean(axis=0))
    assert list(above.lines[2].get_xdata()) == [15, 15]  # where the means are furthest apart
    title = "The class means are furthest apart at step 15: a 0.0, b 2.0"
    assert above.get_title("left") == title
    assert sorted(texts(above)) == ["a:\n20 series", "b:\n40 series"]
    edges = band_a.collections[0].get_paths()[0].vertices[:, 1]
    assert (edges.min(), edges.max()) == (0, 1)
    assert np.array_equal(second.lines[0].get_ydata(), rows["a"][1])
    assert first.get_ylim() == spike.get_ylim() == above.get_ylim()
    assert (figure.get_supxlabel(), figure.get_supylabel()) == ("step", "volt")


def test_a_spike_is_marked_and_does_not_set_the_axis():
    *others, spike = plots.series(two_classes_of_series(), xlabel="x", ylabel="y", examples=2).axes
    assert spike.get_ylim()[1] < 3
    mark = spike.lines[1]
    assert (mark.get_marker(), list(mark.get_xdata())) == ("^", [5])
    assert texts(spike) == ["9.0"]
    assert all(len(axes.lines) == 1 for axes in (others[2], others[3], others[5]))


def test_twins_are_rings_with_dots():
    glm, network = np.array([[20.0], [-2.0]]), np.array([[20.0], [-1.5]])
    three = np.array([[-9.0, 0.0], [1.0, 1.0]])
    figure = plots.twins({"a": (glm, network), "b": (three, three)}, ["intercept", "x"])
    _, ring, dot = figure.axes[0].lines
    assert list(ring.get_xdata()) == [20.0, -2.0]
    assert list(dot.get_xdata()) == [20.0, -1.5]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["intercept", "x"]
    assert [text.get_text() for text in figure.legends[0].texts] == [
        "GLM, output 1", "network, output 1", "GLM, output 2", "network, output 2",
    ]  # fmt: skip
    first, second = figure.axes
    assert first.get_title("left") == "a:\ndifference at most 5e-01"
    # The intercepts do not set the axes, and are told.
    assert (texts(first), texts(second)) == (["20.0"], ["-9.0"])
    assert first.get_xlim() == pytest.approx((-2.24, 3.36))
    assert second.get_xlim() == pytest.approx((-1.68, 1.12))


def test_the_two_gradients_are_drawn_over_the_logit():
    table = pd.DataFrame({"logit": [-1.0, 1.0], "BCE": [-0.8, -0.3], "MSE": [-0.2, -0.1]})
    (axes,) = plots.gradients(table).axes
    assert [list(line.get_ydata()) for line in axes.lines[1:]] == [[-0.8, -0.3], [-0.2, -0.1]]
    labels = [text.replace("\N{MINUS SIGN}", "-") for text in texts(axes)]
    assert labels == ["sigmoid + BCE: p - y", "sigmoid + MSE: 2 (p - y) p (1 - p)"]
    title = "A confident mistake, logit -1: the gradient of BCE is 4 times that of MSE"
    assert axes.get_title("left") == title


def pitfall_runs(names):
    return pd.DataFrame(
        {
            "pairing": [name for name in names for _ in range(6)],
            "seed": [1, 2, 3] * 2 * len(names),
            "epoch": [1, 1, 1, 2, 2, 2] * len(names),
            "accuracy": [0.5, 0.6, 0.8, 0.7, 0.9, 0.98] * len(names),
        }
    )


def test_pitfalls_have_medians_and_a_dot_for_each_seed():
    curves, ends = plots.pitfalls({"title": pitfall_runs("abcde")}, level=0.97, majority=0.9).axes
    assert [line.get_label() for line in curves.lines[:5]] == list("abcde")
    assert len({(line.get_color(), line.get_linestyle()) for line in curves.lines[:4]}) == 4
    np.testing.assert_allclose(curves.lines[0].get_ydata(), [0.4, 0.1])
    reach, dots, median = ends.lines[:3]
    np.testing.assert_allclose(sorted(dots.get_xdata()), [0.02, 0.1, 0.3])
    np.testing.assert_allclose(reach.get_xdata(), [0.02, 0.3])
    np.testing.assert_allclose(median.get_xdata(), [0.1])
    labels = [label.get_text() for label in ends.get_yticklabels()]
    assert labels == [f"{name}\n1 of 3 end above 0.97" for name in "abcde"]
    assert texts(curves) == ["accuracy 0.97", "always the larger class"]
    assert (curves.get_yscale(), ends.get_xscale()) == ("log", "log")
    assert curves.get_title("left") == "title:\nmedian test errors from 10 to 10 %"
    assert curves.get_ylim() == ends.get_xlim() == pytest.approx((0.016, 1))


def test_the_right_pairing_is_the_reference_of_the_mistakes():
    both, mistakes = pitfall_runs(["sigmoid + BCE", "sigmoid + MSE"]), pitfall_runs(["linear"])
    figure = plots.pitfalls({"a": both, "b": mistakes}, level=0.97, majority=0.9)
    above, _, below, ends = figure.axes
    assert [line.get_label() for line in below.lines[:2]] == ["sigmoid + BCE", "linear"]
    assert [label.get_text() for label in ends.get_yticklabels()] == [
        "sigmoid + BCE\n1 of 3 end above 0.97", "linear\n1 of 3 end above 0.97",
    ]  # fmt: skip
    one, other = above.lines[0], below.lines[0]
    assert (one.get_color(), one.get_linestyle()) == (other.get_color(), other.get_linestyle())
    assert above.get_ylim() == below.get_ylim()


def test_landscapes_share_a_scale_with_a_colour_bar():
    steps = np.linspace(-1, 1, 9)
    bowl = 1 + steps**2 + steps[:, np.newaxis] ** 2
    figure = plots.landscapes(steps, {"a": bowl, "b": 20 * bowl}, label="MSE, m²")
    first, second, bar = figure.axes
    assert first.get_title("left") == "a: 1 at the cross"
    assert second.get_title("left") == "b: 20 at the cross"
    filled = [axes.collections[0] for axes in (first, second)]
    assert [each.get_clim() for each in filled] == [pytest.approx((1, 60))] * 2
    assert {type(each.norm).__name__ for each in filled} == {"LogNorm"}
    assert bar.get_ylabel() == "MSE, m² (log scale)"
    cross = first.lines[-1]
    assert (cross.get_marker(), list(cross.get_xdata()), list(cross.get_ydata())) == ("P", [0], [0])


def test_profiles_lie_on_their_least_value():
    steps = np.array([-1.0, 0.0, 1.0])
    panels = {"net": (steps, {"early": [5.0, 3.0, 4.0], "late": [1.0, 2.0, 3.0]})}
    (axes,) = plots.profiles(panels, xlabel="step", ylabel="MSE").axes
    early, ring, late, _ = axes.lines  # the least of the late one is at the edge: no ring
    assert list(early.get_ydata()) == [2, 0, 1]
    assert (list(ring.get_xdata()), list(ring.get_ydata())) == ([0], [0])
    assert list(late.get_ydata()) == [0, 1, 2]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("step", "MSE")
    assert texts(axes) == ["early", "late"]
    brightness = [sum(to_rgb(line.get_color())) for line in (early, late)]
    assert brightness[1] < brightness[0]
    assert (early.get_linestyle(), late.get_linestyle()) == ("--", "-")


def test_states_are_in_order_of_target_and_correlation():
    target = np.array([3.0, 1.0, 2.0, 4.0])
    up, down, silent = target * 2, 5 - target, np.zeros(4)
    no = np.array([2.0, 2.0, 1.0, 1.5])
    states = np.column_stack([up, silent, no, down])
    above, below, beside, bar = plots.states_by_target(states, target, label="price, USD").axes
    assert list(above.lines[0].get_ydata()) == [1, 2, 3, 4]
    shown = below.images[0].get_array()
    np.testing.assert_allclose(shown[[0, 2]], [[1, 0.75, 0.5, 0.25], [0.25, 0.5, 0.75, 1]])
    assert above.get_title("left").startswith("2 of 4 hidden units follow the price,")
    assert above.get_ylabel() == "price,\nUSD"
    assert below.get_ylabel() == "3 hidden units (1 never active)"
    assert below.get_xlabel() == "test rows, from the lowest to the highest price"
    bars = [patch.get_width() for patch in beside.patches]
    np.testing.assert_allclose([bars[0], bars[2]], [-1, 1])
    assert abs(bars[1]) < 0.5
    assert bar.get_xlabel() == "activation, as a share of the largest one of the unit"


def test_a_map_shows_both_classes_and_their_difference():
    # class, step, filter; the last filter is never active
    means = np.array([[[1.0, 4.0, 0.0], [1.0, 4.0, 0.0]], [[3.0, 2.0, 0.0], [3.0, 5.0, 0.0]]])
    figure = plots.map_by_class(means, ["a", "b"])
    maps, curves = figure.axes[:3], figure.axes[3:6]
    shown = [axes.images[0].get_array().tolist() for axes in maps]
    assert shown[0] == [[4, 4], [1, 1]]  # the filter that falls from a to b comes first
    assert shown[1] == [[2, 5], [3, 3]]
    assert shown[2] == [[-2, 1], [2, 2]]
    assert [axes.get_title("left") for axes in maps] == ["a", "b", "b less a"]
    assert maps[0].images[0].get_clim() == maps[1].images[0].get_clim() == (0, 5)
    assert maps[2].images[0].get_clim() == (-2, 2)
    means_of_filters = [axes.lines[0].get_ydata().tolist() for axes in curves]
    assert means_of_filters == [[2.5, 2.5], [2.5, 4], [0, 1.5]]
    assert maps[0].get_ylabel() == "2 of 3 filters\n(the others are never active)"
    title = "The classes activate the filters at different places, most at step 1: a 2.50, b 4.00"
    assert figure.get_suptitle() == title
    bars = [axes.get_xlabel() for axes in figure.axes[6:]]
    assert bars == ["mean activation over the test rows", "difference of the means"]


Y = np.linspace(1, 50, 30)
PREDICTIONS = {"network trained on MSE": Y + 1, "linear regression": Y[::-1]}
TEN = np.arange(100).reshape(10, 10)
STEPS = np.linspace(-1, 1, 9)
BOWL = 1 + STEPS**2 + STEPS[:, np.newaxis] ** 2
NOISE = np.random.default_rng(0).random((30, 8))
PICTURES = np.zeros((10, 2, 2, 3), dtype=np.uint8)
RUNS = pitfall_runs(["sigmoid + BCE", "sigmoid + BCE, labels -1 and 1"])
PAIR = NOISE[:, :2], NOISE[:, 1:3]
LOSSES = {"sigmoid + BCE": PAIR, "exponential + Poisson loss": PAIR}
FIGURES = {
    "history": lambda: plots.history(training_history(), {"accuracy": "accuracy"}),
    "gap": lambda: plots.train_test_gap(
        {"network": training_history(), "augmented network": training_history()},
        "accuracy",
        {"network": (0.9, 0.8), "augmented network": (0.9, 0.8)},
        label="accuracy",
    ),
    "predicted": lambda: plots.predicted_vs_actual(Y, PREDICTIONS, limits=(0, 40), unit="USD"),
    "shares": lambda: plots.squared_against_absolute(range(30), Y, PREDICTIONS),
    "matrix": lambda: plots.confusion_matrix({"a": TEN, "b": TEN}, list("abcdefghij")),
    "mean": lambda: plots.mean_confusion(
        pd.DataFrame({"seed": [0, 1], "actual": "a", "predicted": "a", "count": [1, 2]})
    ),
    "roc": lambda: plots.roc_and_precision_recall(Y > 20, PREDICTIONS),
    "images": lambda: plots.images({"a": PICTURES, "b": PICTURES}, title="title"),
    "series": lambda: plots.series(two_classes_of_series(), xlabel="step", ylabel="volt"),
    "twins": lambda: plots.twins(LOSSES, ["intercept", "CRIM"] * 15),
    "gradients": lambda: plots.gradients(
        pd.DataFrame({"logit": STEPS, "BCE": STEPS - 2, "MSE": STEPS - 3})
    ),
    "pitfalls": lambda: plots.pitfalls({"usual start": RUNS}, level=0.97, majority=0.9),
    "landscapes": lambda: plots.landscapes(STEPS, {name: BOWL for name in "abcd"}),
    "profiles": lambda: plots.profiles(
        {name: (STEPS, {"epoch 1": BOWL[0]}) for name in "ab"}, xlabel="step", ylabel="MSE"
    ),
    "states": lambda: plots.states_by_target(NOISE, Y, label="price, USD"),
    "map": lambda: plots.map_by_class(np.stack([NOISE, 2 * NOISE]), ["abnormal", "normal"]),
}


@pytest.mark.parametrize("name", FIGURES)
def test_texts_are_legible_and_inside_the_figure_at_the_width_of_a_page(name):
    figure = FIGURES[name]()
    figure.draw_without_rendering()
    shown = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
    scale = min(1, style.WIDTH / figure.get_figwidth())
    assert min(text.get_fontsize() for text in shown) * scale >= 7.5
    drawn = figure.get_tightbbox().padded(-0.01)  # inches
    assert drawn.x0 >= 0
    assert drawn.y0 >= 0
    assert drawn.x1 <= figure.get_figwidth()
    assert drawn.y1 <= figure.get_figheight()
