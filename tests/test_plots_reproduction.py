"""Figures of many seeds: what is drawn, what is marked, and what is left out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from nnloss import plots
from nnloss.plots.style import WIDTH


def heights(axes):
    """Heights of the outline of a histogram."""
    return axes.patches[-1].get_xy()[:, 1]


def test_many_seeds_are_a_histogram_of_all_of_them():
    values = np.linspace(1, 3, 200)
    (axes,) = plots.distributions({"net": values}, label="test MSE").axes
    tops = heights(axes)[1:-1:2]
    assert tops.sum() == 200
    assert axes.get_xlabel() == "test MSE"
    (mean,) = axes.lines
    assert (mean.get_marker(), list(mean.get_xdata())) == ("^", [2.0])


def test_few_seeds_are_a_dot_each_and_equal_ones_lie_above_one_another():
    (axes,) = plots.distributions({"net": [1.0, 2.0, 2.0, np.nan, np.inf]}, label="x").axes
    dots, mean = axes.lines
    assert dots.get_linestyle() == "None"
    assert list(dots.get_xdata()) == [1, 2, 2]
    assert list(dots.get_ydata()) == [0.5, 0.5, 1.5]
    assert list(mean.get_xdata()) == [pytest.approx(5 / 3)]


def test_published_numbers_and_intervals_are_marked_in_their_panel():
    figure = plots.distributions(
        {"a": [1.0, 2.0], "b": [3.0, 4.0]},
        label="x",
        published={"b": {"2023: 3.5": 3.5}},
        intervals={"a": (0.5, 2.5), "b": (np.nan, np.nan)},
    )
    first, second = figure.axes
    assert [axes.get_title(loc="left") for axes in (first, second)] == ["a", "b"]
    assert first.get_xlim() == second.get_xlim()
    (shade,) = first.patches
    assert (shade.get_x(), shade.get_width()) == (0.5, 2.0)
    assert list(second.patches) == []
    assert [text.get_text() for text in (*first.texts, *second.texts)] == ["2023: 3.5"]
    lines = [line for line in second.lines if list(line.get_ydata()) == [0, 1]]
    assert [list(line.get_xdata()) for line in lines] == [[3.5, 3.5]]


def test_marks_that_are_close_share_a_text_in_the_order_of_their_lines():
    marks = {"2023: 2": 2.0, "2024: 1.9": 1.9}
    (axes,) = plots.distributions({"a": [1.0, 4.0]}, label="x", published={"a": marks}).axes
    assert [text.get_text() for text in axes.texts] == ["2024: 1.9, 2023: 2"]
    assert [line.get_linestyle() for line in axes.lines[-2:]] == ["-", "--"]
    apart = {"2023: 1": 1.0, "2024: 4": 4.0}
    (axes,) = plots.distributions({"a": [1.0, 4.0]}, label="x", published={"a": apart}).axes
    assert [text.get_text() for text in axes.texts] == ["2023: 1", "2024: 4"]


def test_what_is_far_away_is_counted_and_a_published_number_never_left_out():
    values = [*np.linspace(0, 1, 99), 1000.0]
    figure = plots.distributions({"a": values}, label="x", published={"a": {"2023: -50": -50.0}})
    (axes,) = figure.axes
    low, high = axes.get_xlim()
    assert low < -50
    assert 1 < high < 10
    assert axes.get_title(loc="left") == "a  (outside the axes: 1)"


def test_no_seed_with_a_number_is_an_empty_panel():
    (axes,) = plots.distributions({"a": [np.nan]}, label="x").axes
    assert [len(line.get_xdata()) for line in axes.lines] == [0]


def curves(seeds):
    """Make curves that are the number of the seed, and ten times that on the test rows."""
    seed, epoch = (part.ravel() for part in np.mgrid[0:seeds, 1:3])
    values = {"loss": seed + 1.0, "val_loss": 10.0 * (seed + 1)}
    return pd.DataFrame({"seed": seed, "epoch": epoch, **values})


def test_bands_are_quantiles_of_many_seeds_and_the_range_of_few():
    many, few = plots.bands(curves(41), "loss"), plots.bands(curves(5), "loss")
    assert list(many.index) == [1, 2]
    assert many.loc[2].to_dict() == {
        "outer_low": 2, "inner_low": 11, "median": 21, "inner_high": 31, "outer_high": 40,
    }  # fmt: skip
    assert few.loc[1, ["outer_low", "median", "outer_high"]].tolist() == [1, 3, 5]


def test_a_diverged_seed_does_not_reach_into_the_bands():
    table = curves(3)
    table.loc[table["seed"] == 2, "loss"] = np.inf
    assert plots.bands(table, "loss")["outer_high"].tolist() == [2, 2]


@pytest.mark.parametrize(("seeds", "areas"), [(5, 2), (41, 4)])
def test_training_and_test_have_a_median_and_their_bands(seeds, areas):
    (axes,) = plots.training_bands(curves(seeds), "loss", label="MSE").axes
    drawn = {line.get_label(): list(line.get_ydata()) for line in axes.lines}
    middle = (seeds + 1) / 2
    assert drawn == {"training rows": [middle] * 2, "test rows": [10 * middle] * 2}
    assert len(axes.collections) == areas
    assert (axes.get_ylabel(), axes.get_yscale()) == ("MSE (log scale)", "log")


def test_an_accuracy_is_linear_and_limits_can_be_given():
    (axes,) = plots.training_bands(
        curves(2), "loss", label="share", linear=True, limits=(0, 50)
    ).axes
    assert (axes.get_ylabel(), axes.get_yscale(), axes.get_ylim()) == ("share", "linear", (0, 50))


def test_differences_have_zero_mean_and_interval():
    figure = plots.paired_differences([1.0, 3.0], label="b minus a", mean=2.0, interval=(0.5, 3.5))
    (axes,) = figure.axes
    dots, zero, interval, mean = axes.lines
    assert list(dots.get_xdata()) == [1, 3]
    assert list(zero.get_xdata()) == [0, 0]
    assert list(interval.get_xdata()) == [0.5, 3.5]
    assert list(mean.get_xdata()) == [2]
    assert axes.get_xlim()[0] < 0


def test_one_difference_has_no_interval():
    nothing = (np.nan, np.nan)
    figure = plots.paired_differences([1.0], label="x", mean=1.0, interval=nothing)
    assert len(figure.axes[0].lines) == 3


def test_a_mean_confusion_matrix_has_mean_and_spread():
    table = pd.DataFrame(
        {
            "seed": [0, 0, 0, 1, 1, 1],
            "actual": ["b", "b", "a"] * 2,
            "predicted": ["b", "a", "a"] * 2,
            "count": [6, 4, 20, 8, 2, 20],
        }
    )
    (axes,) = plots.mean_confusion(table).axes
    assert [text.get_text() for text in axes.texts] == [
        "7", "± 1.4", "3", "± 1.4", "0", "± 0.0", "20", "± 0.0",
    ]  # fmt: skip
    assert [label.get_text() for label in axes.get_yticklabels()] == ["b", "a"]
    shades = [cell.get_facecolor()[3] for cell in axes.patches]
    assert shades == pytest.approx([0.35, 0.15, 0, 0.5])
    (axes,) = plots.mean_confusion(table[table["seed"] == 0]).axes
    assert [text.get_text() for text in axes.texts] == ["6", "4", "0", "20"]


def log(**outside):
    """Make the points of a log of five epochs, some outside of the envelope by series."""
    parts = []
    for series in ("loss", "val_loss", "metric", "val_metric"):
        left = [epoch in outside.get(series, ()) for epoch in range(1, 6)]
        parts.append(
            pd.DataFrame(
                {
                    "series": series, "epoch": range(1, 6), "value": np.linspace(2, 1, 5),
                    "median": 1.4, "low": 0.9, "high": 2.1, "outside": left,
                }
            )
        )  # fmt: skip
    return pd.concat(parts)


def test_a_printed_log_has_a_column_and_dots_where_it_leaves_the_envelope():
    logs = {"2024: unusual": log(loss=(2, 3), val_metric=(5,)), "2024-pdf: typical": log()}
    figure = plots.printed_logs(logs, loss="MSE", metric="accuracy", linear=True)
    first, second, third, fourth = figure.axes
    assert first.get_title(loc="left") == "2024: unusual"
    assert second.get_title(loc="left") == "2024-pdf: typical"
    assert [axes.get_ylabel() for axes in (first, third)] == ["MSE", "accuracy"]
    assert [axes.get_yscale() for axes in (first, third)] == ["log", "linear"]
    dots = [line for line in first.lines if line.get_marker() == "o"]
    assert [list(line.get_xdata()) for line in dots] == [[2, 3], []]
    assert [len(line.get_xdata()) for line in fourth.lines if line.get_marker() == "o"] == [0, 0]
    assert list(first.lines[1].get_ydata()) == list(np.linspace(2, 1, 5))
    assert [text.get_text() for text in figure.legends[0].texts] == ["training rows", "test rows"]


def test_one_printed_log_leaves_no_empty_panel():
    figure = plots.printed_logs({"2024": log()}, loss="MSE", metric="MAE")
    assert [axes.get_visible() for axes in figure.axes] == [True, False, True, False]
    assert figure.axes[2].get_yscale() == "log"


def test_differences_by_split_have_zero_their_interval_and_the_split_of_the_course():
    figure = plots.split_differences(
        {"test MSE": np.linspace(-2, 3, 60), "test MAE": np.linspace(-1, 0, 60)},
        label="difference",
        intervals={"test MSE": (-0.5, 1.5), "test MAE": (-0.7, -0.3)},
        course={"test MSE": -1.7},
    )
    mse, mae = figure.axes
    assert [axes.get_title(loc="left") for axes in (mse, mae)] == ["test MSE", "test MAE"]
    vertical = [line.get_xdata()[0] for line in mse.lines if list(line.get_ydata()) == [0, 1]]
    assert vertical == [0, -1.7]
    assert [line.get_xdata()[0] for line in mae.lines if list(line.get_ydata()) == [0, 1]] == [0]
    bar = next(
        line for line in mae.lines if len(set(line.get_ydata())) == 1 < len(line.get_xdata())
    )
    assert list(bar.get_xdata()) == [-0.7, -0.3]
    assert list(mae.lines[-1].get_xdata()) == [pytest.approx(-0.5)]
    assert mae.get_xlim()[1] >= 0


FIGURES = {
    "distributions": lambda: plots.distributions(
        {"a": [1.0, 4.0]}, label="x", published={"a": {"2023: 2": 2.0}}
    ),
    "bands": lambda: plots.training_bands(curves(5), "loss", label="MSE"),
    "paired": lambda: plots.paired_differences([1.0], label="x", mean=1.0, interval=(0, 2)),
    "splits": lambda: plots.split_differences(
        {"MSE": [1.0, 2.0]}, label="x", intervals={"MSE": (0, 2)}, course={}
    ),
    "logs": lambda: plots.printed_logs({"a": log(), "b": log()}, loss="MSE", metric="MAE"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_texts_are_legible_at_the_width_of_a_page(name):
    figure = FIGURES[name]()
    figure.draw_without_rendering()
    sizes = [text.get_fontsize() for text in figure.findobj(Text) if text.get_text()]
    assert min(sizes) * min(1, WIDTH / figure.get_figwidth()) >= 7.5
