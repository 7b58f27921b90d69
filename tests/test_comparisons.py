"""Two ways to train, compared by seed, on tables made up for it."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from nnloss.course.published import EDITIONS, settings_of
from nnloss.errors import DataError
from nnloss.reproduction.comparisons import COLUMNS, QUESTIONS, compare, differences

MSE, MAE = "mean_squared_error", "mean_absolute_error"
CCE, BCE = "categorical_crossentropy", "binary_crossentropy"


def rows(exercise, loss, augment, batch_size, seeds=None, diverged=False, **metrics):
    """Make the rows of one configuration."""
    n = len(next(iter(metrics.values())))
    return pd.DataFrame(
        {
            "exercise": exercise, "loss": loss, "augment": pd.Series([augment] * n, dtype=object),
            "epochs": 20 if exercise == "cifar10" else 100, "batch_size": batch_size,
            "seed": range(n) if seeds is None else seeds, "diverged": diverged, **metrics,
        }
    )  # fmt: skip


def wafer(first, second, **known):
    """Make a table in which the accuracies are 1 minus the losses."""
    return pd.concat(
        [
            rows("wafer", loss, None, 64, val_loss=each, val_accuracy=1 - np.array(each), **known)
            for loss, each in ((CCE, first), (BCE, second))
        ]
    )  # fmt: skip


def on_loss(table, **known):
    return compare(table, **known).set_index("metric").loc["val_loss"]


def test_the_statistics_by_hand():
    row = on_loss(wafer([0.1, 0.2, 0.3, 0.4], [0.2, 0.4, 0.2, 0.8]))
    # Differences 0.1, 0.2, -0.1, 0.4: sd 0.2082, t with 3 degrees of freedom 3.1824.
    assert (row["n"], row["diverged"], row["unpaired"]) == (4, 0, 0)
    assert (row["first_mean"], row["second_mean"]) == pytest.approx((0.25, 0.4))
    assert row["difference"] == pytest.approx(0.15)
    assert (row["low"], row["high"]) == pytest.approx(
        (0.15 - 3.182446 * 0.2081666 / 2, 0.15 + 3.182446 * 0.2081666 / 2), abs=1e-6
    )
    assert row["share"] == 0.25  # the loss of the second is lower once
    assert row["better"] == "neither"
    assert row["smallest_p"] == 2 / 2**4


def test_the_test_is_wilcoxons():
    # Ranks 1 to 5, the second one negative: of 32 signs 3 sums are 2 or less, on either side.
    first = np.zeros(5)
    row = on_loss(wafer(first, np.array([1.0, -2.0, 3.0, 4.0, 5.0])))
    assert row["wilcoxon_p"] == pytest.approx(2 * 3 / 32)
    one_sided = on_loss(wafer(first, np.array([1.0, 2.0, 3.0, 4.0, 5.0])))
    assert one_sided["wilcoxon_p"] == one_sided["smallest_p"] == 2 / 2**5


@pytest.mark.parametrize(
    ("by", "on_loss", "on_accuracy"),
    [(-1, "second", "second"), (1, "first", "first"), (0, "neither", "neither")],
)
def test_the_better_one_is_named_by_the_direction_of_the_metric(by, on_loss, on_accuracy):
    first = np.linspace(0.2, 0.3, 10)
    second = first + 0.1 * by + np.tile([0.001, -0.001], 5)
    table = compare(wafer(first, second)).set_index("metric")
    assert table.loc["val_loss", "better"] == on_loss
    assert table.loc["val_accuracy", "better"] == on_accuracy
    assert list(table["share"]) == [{-1: 1, 1: 0, 0: 0.5}[by]] * 2
    assert table["difference"].to_numpy() == pytest.approx([0.1 * by, -0.1 * by])


def test_equal_values_count_half():
    row = on_loss(wafer([1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 0.5]))
    assert row["share"] == (3 / 2 + 1) / 4


@pytest.mark.parametrize("n", [2, 20, 60])
def test_without_any_difference_there_is_nothing_to_test(n):
    row = on_loss(wafer(np.arange(n), np.arange(n)))
    assert (row["wilcoxon_p"], row["share"], row["better"]) == (1, 0.5, "neither")
    assert math.isnan(row["low"])


def test_equal_differences_have_no_interval():
    row = on_loss(wafer([1.0, 2.0], [2.0, 3.0]))
    assert (row["difference"], row["better"]) == (1, "neither")
    assert math.isnan(row["low"])
    assert math.isnan(row["high"])


@pytest.mark.parametrize("n", [1, 0])
def test_one_pair_or_none_is_too_little(n):
    diverged = [False] * n + [True] * (2 - n)
    row = on_loss(wafer([1.0, 2.0], [2.0, 4.0], diverged=diverged))
    assert (row["n"], row["diverged"], row["better"]) == (n, 2 - n, "neither")
    assert np.isnan(row[["low", "high", "wilcoxon_p", "smallest_p"]].astype(float)).all()
    assert np.isnan(row["difference"]) == (n == 0)
    assert np.isnan(row["share"]) == (n == 0)


def test_more_pairs_than_a_float_can_halve():
    rng = np.random.default_rng(0)
    row = on_loss(wafer(rng.normal(size=2000), rng.normal(size=2000)))
    assert row["smallest_p"] == 0
    assert 0 < row["wilcoxon_p"] < 1


def test_seeds_that_diverged_in_either_are_left_out_and_counted():
    first = rows("wafer", CCE, None, 64, val_loss=[1.0, 2.0, 3.0, math.nan, 5.0],
                 val_accuracy=np.zeros(5), diverged=np.arange(5) == 0)  # fmt: skip
    second = rows("wafer", BCE, None, 64, val_loss=[2.0, 9.0, 4.0, 5.0, 7.0],
                  val_accuracy=np.zeros(5), diverged=np.arange(5) == 1)  # fmt: skip
    table = pd.concat([first, second])
    row = on_loss(table)
    assert (row["n"], row["diverged"], row["difference"]) == (2, 3, 1.5)
    assert compare(table).set_index("metric").loc["val_accuracy", "diverged"] == 2


def test_runs_are_paired_by_seed_and_not_by_place():
    first = rows("wafer", CCE, None, 64, seeds=[3, 1, 2], val_loss=[3.0, 1.0, 2.0],
                 val_accuracy=[0, 0, 0])  # fmt: skip
    second = rows("wafer", BCE, None, 64, seeds=[1, 2, 3, 4, 5],
                  val_loss=[1.5, 2.5, 3.5, 99, 99], val_accuracy=[0] * 5)  # fmt: skip
    table = pd.concat([first, second])
    row = on_loss(table)
    assert (row["n"], row["diverged"], row["unpaired"], row["difference"]) == (3, 0, 2, 0.5)
    assert list(differences(table, compare(table).iloc[0]).index) == [1, 2, 3]
    turned = on_loss(table.assign(loss=table["loss"].map({CCE: BCE, BCE: CCE})))
    assert (turned["n"], turned["diverged"], turned["unpaired"]) == (3, 0, 2)


def test_the_differences_are_those_of_the_row():
    table = pd.concat([
        wafer([1.0, 2.0, 5.0], [2.0, 4.0, 3.0], diverged=[False, True, False]),
        rows("boston", MSE, None, 64, val_mean_squared_error=[1.0], val_mean_absolute_error=[5.0]),
        rows("boston", MAE, None, 64, val_mean_squared_error=[4.0], val_mean_absolute_error=[3.0]),
    ])  # fmt: skip
    compared = compare(table)
    found = [differences(table, row) for _, row in compared.iterrows()]
    assert [each.to_dict() for each in found] == [{0: 3}, {0: -2}, {0: 1, 2: -2}, {0: -1, 2: 2}]
    assert [each.mean() for each in found] == list(compared["difference"])


def test_each_edition_has_its_own_settings():
    metrics = {"val_mean_squared_error": [1.0, 2.0], "val_mean_absolute_error": [1.0, 2.0]}
    table = pd.concat([rows("boston", loss, None, batch, **{
        name: np.array(values) + batch * (loss == MAE) for name, values in metrics.items()
    }) for loss in (MSE, MAE) for batch in (32, 64)])  # fmt: skip
    compared = compare(table)
    assert list(compared["edition"]) == ["2023"] * 2 + ["2024, 2024-pdf"] * 2
    assert list(compared["difference"]) == [32, 32, 64, 64]
    assert list(compared["title"]) == ["test MSE", "test MAE"] * 2
    assert list(compared["first"].unique()) == ["MSE"]
    assert list(compared["second"].unique()) == ["MAE"]
    assert list(compare(table, editions=[2024])["difference"]) == [64, 64]


def test_editions_that_train_alike_are_one_comparison():
    table = wafer([1.0, 2.0], [2.0, 4.0])
    assert list(compare(table)["edition"]) == ["2023, 2024, 2024-pdf"] * 2
    assert list(compare(table, editions=(2024, 2023))["edition"]) == ["2023, 2024"] * 2
    assert list(compare(table, editions=[2023])["edition"]) == ["2023"] * 2
    assert not compare(table)["note"].any()


def test_the_note_says_what_differs_besides():
    table = pd.concat([
        rows("cifar10", CCE, augment, batch, val_loss=[1.0, value], val_accuracy=[0.5, 0.6])
        for augment, batch, value in ((False, 64, 1.0), (False, 32, 2.0), (True, 64, 4.0))
    ])  # fmt: skip
    compared = compare(table)
    compared = compared[compared["metric"] == "val_loss"].set_index("edition")
    assert list(compared["note"]) == ["", "the batch size differs too: 32 and 64"]
    assert list(compared["difference"]) == [1.5, 1.0]
    assert list(compared["first"]) == ["plain"] * 2


def test_what_was_not_run_is_not_compared():
    assert list(compare(pd.DataFrame()).columns) == COLUMNS
    assert compare(pd.DataFrame()).empty
    table = wafer([1.0, 2.0], [2.0, 4.0])
    assert compare(table[table["loss"] == CCE]).empty
    assert compare(table[table["loss"] == BCE]).empty
    assert set(compare(table)["exercise"]) == {"wafer"}


def test_a_seed_that_is_there_twice_is_refused():
    table = wafer([1.0, 2.0], [2.0, 4.0])
    with pytest.raises(DataError, match="must have each seed once; seed 0 of wafer"):
        compare(pd.concat([table, table[:1]]))


def test_the_order_of_the_rows_does_not_matter():
    rng = np.random.default_rng(0)
    table = wafer(rng.random(20), rng.random(20))
    mixed = table.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(compare(mixed), compare(table))


def test_the_questions_are_those_of_the_course():
    assert len({question.text for question in QUESTIONS}) == len(QUESTIONS)
    for question in QUESTIONS:
        for edition in EDITIONS:
            first, second = question.settings(edition)
            assert first == settings_of(question.exercise, edition)
            assert second == settings_of(
                question.exercise, edition, augment=bool(question.second.augment)
            )
