"""The verdict on each published number, on tables made up for it."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nnloss.course.published import PUBLISHED
from nnloss.errors import DataError
from nnloss.reproduction.verdicts import COLUMNS, RULE, judge, summary, verdicts

CLASSICAL = {
    "boston": {
        "linear_regression": {
            "mean_squared_error": 23.19559925642298, "mean_absolute_error": 3.4641858124067175,
        },
    },
    "cifar10": {"softmax_regression": {"accuracy": 0.4}},
    "wafer": {"logistic_regression": {"accuracy": 0.9018494484101233}},
}  # fmt: skip
MSE, CCE = "mean_squared_error", "categorical_crossentropy"
ORDER = {"typical": 0, "unusual": 1, "not reproduced": 2}
WAFER_LOSS, WAFER_ACCURACY = 0.02496975, 0.995782  # of 2024


def rows(exercise, loss, augment, batch_size, epochs=None, diverged=False, **metrics):
    """Make the rows of one configuration."""
    n = len(next(iter(metrics.values())))
    return pd.DataFrame(
        {
            "exercise": exercise, "loss": loss, "augment": pd.Series([augment] * n, dtype=object),
            "epochs": epochs or (20 if exercise == "cifar10" else 100), "batch_size": batch_size,
            "seed": range(n), "diverged": diverged, **metrics,
        }
    )  # fmt: skip


def wafer(losses, accuracies=None, **known):
    accuracies = np.linspace(0.99, 1, len(losses)) if accuracies is None else accuracies
    return rows("wafer", CCE, None, 64, val_loss=losses, val_accuracy=accuracies, **known)


def judged(losses, published=WAFER_LOSS, **known):
    """Judge one published test loss by the given losses of ours."""
    table = verdicts(wafer(losses, **known), {}, editions=[2024])
    row = table[table["metric"] == "val_loss"].iloc[0]
    assert row["published"] == published
    return row


def around(value, n, width=1e-3):
    """Spread n losses evenly around a value."""
    return value + width * np.linspace(-1, 1, n)


@pytest.fixture
def everything():
    """Make a sweep in which each configuration has values of its own, around the published."""
    configurations = {}
    for number in PUBLISHED:
        if number.loss is not None:
            key = (number.exercise, number.loss, number.augment, number.settings.batch_size)
            configurations.setdefault(key, {})[number.metric] = around(
                number.value, 5, width=0.7 * number.value
            )
    return pd.concat([rows(*key, **values) for key, values in configurations.items()])


def test_there_is_a_row_for_each_of_the_33_numbers(everything):
    table = verdicts(everything, CLASSICAL)
    assert list(table.columns) == COLUMNS
    assert table[["exercise", "edition", "quantity", "published"]].values.tolist() == [
        [each.exercise, each.edition, each.quantity, each.value] for each in PUBLISHED
    ]  # fmt: skip
    fixed = table["loss"].isna()
    assert fixed.sum() == 9
    assert table.loc[fixed, "verdict"].eq("reproduced").all()
    assert table.loc[fixed, ["mean", "n", "p", "p_holm"]].fillna(0).eq(0).all(axis=None)
    assert table.loc[~fixed, "n"].eq(5).all()
    assert table.loc[~fixed, "verdict"].eq("typical").all()
    assert table["certain"].all()
    # Where editions share a configuration its values are around those of the last.
    alike = ["loss", "metric", "augment", "exercise", "epochs", "batch_size"]
    own = ~fixed & ~table.duplicated(alike, keep="last")
    assert own.sum() == 12
    assert table.loc[own, "percentile"].eq(50).all()
    np.testing.assert_allclose(table.loc[own, "mean"], table.loc[own, "published"], atol=1e-4)


def test_a_number_is_held_against_runs_of_its_own_settings_only():
    number = dict(epochs=100, val_loss=[0.02, 0.03, 0.04], val_accuracy=[0.9, 0.95, 1.0])
    own = rows("wafer", CCE, None, 64, **number)
    others = [
        rows("wafer", "binary_crossentropy", None, 64, **number),
        rows("wafer", CCE, True, 64, **number),
        rows("wafer", CCE, False, 64, **number),
        rows("wafer", CCE, None, 32, **number),
        rows("wafer", CCE, None, 64, **(number | {"epochs": 3})),
        rows("boston", CCE, None, 64, **number),
    ]
    table = verdicts(pd.concat([*others, own]), {})
    table = table[table["exercise"].eq("wafer") & table["loss"].notna()]
    assert list(table["n"]) == [3] * 6
    assert list(table["mean"]) == pytest.approx([0.03, 0.95] * 3)


@pytest.mark.parametrize("augment", [True, False])
def test_augmented_images_are_told_from_plain_ones(augment):
    metrics = {"val_loss": [1.0, 2.0], "val_accuracy": [0.1, 0.2]}
    ours, unknown = (rows("cifar10", CCE, each, 64, **metrics) for each in (augment, None))
    table = verdicts(pd.concat([unknown, ours]), {}, editions=[2023])
    assert list(table.loc[table["n"] == 2, "augment"]) == [augment] * 2
    assert table["quantity"][table["n"] == 2].str.startswith("augmented").eq(augment).all()


def test_the_exercises_and_editions_that_were_run_are_judged():
    assert verdicts(pd.DataFrame(), {}).empty
    assert verdicts(wafer([0.1])[:0], {}).empty
    assert list(verdicts(pd.DataFrame(), {}).columns) == COLUMNS
    assert set(verdicts(wafer([0.1]), {})["exercise"]) == {"wafer"}
    assert set(verdicts(wafer([0.1]), {}, editions=[2023])["edition"]) == {2023}
    both = verdicts(wafer([0.1]), {"boston": CLASSICAL["boston"]})
    assert list(both["exercise"].unique()) == ["boston", "wafer"]
    assert len(both) == 21
    assert list(both["verdict"].unique()) == ["reproduced", "undecided"]


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [
        (0.9018494484, "reproduced"), (0.90184935001, "reproduced"), (0.90184944999, "reproduced"),
        (0.9018493, "not reproduced"), (0.9018495, "not reproduced"),
        (0.90184946, "not reproduced"), (math.nan, "not reproduced"),
        (np.float32(0.9018494), "reproduced"),
    ],
)  # fmt: skip
def test_a_number_without_randomness_agrees_to_the_printed_digits(ours, verdict):
    table = verdicts(pd.DataFrame(), {"wafer": {"logistic_regression": {"accuracy": ours}}})
    row = table.iloc[0]
    assert row["verdict"] == verdict
    assert row["certain"]
    assert row["ours"] == pytest.approx(float(ours), nan_ok=True)


def test_a_classical_model_that_was_not_fitted_is_undecided():
    row = verdicts(wafer([0.1, 0.2]), {}).iloc[0]
    assert row["quantity"] == "logistic regression: test accuracy"
    assert (row["verdict"], row["certain"], row["note"]) == (
        "undecided", False, "the model was not fitted",
    )  # fmt: skip
    assert math.isnan(row["ours"])


@pytest.mark.parametrize(
    ("shift", "verdict", "certain"),
    [
        (0.0, "typical", True),
        (0.94, "typical", False),  # between the percentiles 96 and 98
        (0.96, "unusual", False),
        (0.99, "unusual", True),
        (1.2, "unusual", True),  # out of range, but in Student's 99.9 %
        (2.2, "not reproduced", True),
        (-0.96, "unusual", False),
        (-0.99, "unusual", True),
        (-2.2, "not reproduced", True),
    ],
)
def test_the_verdict_with_many_seeds(shift, verdict, certain):
    row = judged(around(WAFER_LOSS + shift * 1e-3, 1000))
    assert (row["verdict"], row["certain"]) == (verdict, certain)
    assert (row["interval"], row["interval_999"]) == ("order statistics", "Student t")
    assert (row["p"] <= 0.05) == (verdict != "typical")


@pytest.mark.parametrize(
    ("shift", "verdict", "certain"),
    [
        (0.0, "typical", True),
        (-0.75, "typical", False),
        (3.0, "unusual", False),
        (-3.0, "unusual", False),
        (8.0, "not reproduced", False),
        (-8.0, "not reproduced", False),
    ],
)
def test_the_verdict_with_five_seeds_is_certain_only_in_the_middle(shift, verdict, certain):
    row = judged(around(WAFER_LOSS + shift * 1e-3, 5))
    assert (row["verdict"], row["certain"]) == (verdict, certain)
    assert (row["interval"], row["interval_999"]) == ("Student t", "Student t")


def test_the_range_of_all_seeds_counts_where_the_wide_interval_is_narrower():
    losses = np.append(around(0.001, 999), 0.03)
    row = judged(losses)
    assert row["high_999"] < WAFER_LOSS < row["most"] == 0.03
    assert row["verdict"] == "unusual"
    assert judged(losses[:-1])["verdict"] == "not reproduced"


def test_the_row_has_the_statistics():
    row = judged([0.01, 0.02, 0.06])
    assert row["mean"] == pytest.approx(0.03)
    assert row["sd"] == pytest.approx(math.sqrt(7) / 100)
    assert (row["least"], row["most"], row["n"], row["diverged"]) == (0.01, 0.06, 3, 0)
    assert row["percentile"] == pytest.approx(200 / 3)
    assert (row["epochs"], row["batch_size"], row["loss"]) == (100, 64, CCE)
    assert (row["low"], row["high"]) == pytest.approx(
        0.03 + 4.302653 * row["sd"] * math.sqrt(4 / 3) * np.array([-1, 1]), rel=1e-6
    )
    assert row["low_999"] < row["low"] < row["high"] < row["high_999"]
    assert row["note"] == ""


def test_ours_are_compared_as_they_would_have_been_printed():
    # 6,138 of 6,164 are right, as the course's: 0.995782 was printed, 0.99578196 is ours.
    accuracy = np.float32(6138 / 6164).astype(float)
    assert accuracy < WAFER_ACCURACY
    table = verdicts(wafer(np.ones(39), np.full(39, accuracy)), {}, editions=[2024])
    row = table[table["metric"] == "val_accuracy"].iloc[0]
    assert (row["verdict"], row["percentile"], row["most"]) == ("typical", 50, WAFER_ACCURACY)


@pytest.mark.parametrize(
    ("losses", "note"),
    [
        ([0.02], "fewer than 2 seeds"),
        ([0.1, 0.1, 0.1], "all 3 seeds agree"),
        ([0.1, math.nan], "1 of 2 seeds diverged and are left out; fewer than 2 seeds"),
        ([math.nan], "1 of 1 seeds diverged and are left out; fewer than 2 seeds"),
    ],
)
def test_too_little_to_judge_by_is_undecided(losses, note):
    row = judged(losses)
    assert (row["verdict"], row["certain"], row["note"]) == ("undecided", False, note)
    assert math.isnan(row["p"])
    assert math.isnan(row["p_holm"])
    assert row["n"] + row["diverged"] == len(losses)


def test_seeds_that_diverged_are_left_out_and_counted():
    losses = [0.01, 0.02, 0.06, 99.0, math.inf, math.nan]
    table = wafer(losses, diverged=[False, False, False, True, False, True])
    row = judged(losses, diverged=table["diverged"])
    assert (row["n"], row["diverged"], row["most"]) == (3, 3, 0.06)
    assert row["note"] == "3 of 6 seeds diverged and are left out"
    text = summary(verdicts(table, {}))
    assert "Seeds that diverged, 3 at most, are left out of wafer 2023 network: test loss;" in text


def test_a_seed_that_is_there_twice_is_refused():
    table = wafer([0.01, 0.02])
    with pytest.raises(DataError, match="seed 1 of wafer on categorical_crossentropy"):
        verdicts(pd.concat([table, table[1:]]), {})


def test_holm_corrects_for_the_random_numbers_that_were_asked():
    far, near = around(WAFER_LOSS + 4e-3, 5), around(WAFER_ACCURACY + 5e-4, 5)
    table = verdicts(wafer(far, near), CLASSICAL, editions=[2024])
    table = table[table["p"].notna()].set_index("metric")
    assert len(table) == 2
    p = table["p"]
    assert 0.001 < p["val_loss"] < 0.02 < p["val_accuracy"] < 0.9
    assert table["p_holm"]["val_loss"] == pytest.approx(2 * p["val_loss"])
    assert table["p_holm"]["val_accuracy"] == pytest.approx(p["val_accuracy"])


def test_holm_leaves_out_what_has_no_p():
    one = wafer(around(WAFER_LOSS + 4e-3, 5), np.full(5, 0.5))
    table = verdicts(one, {}, editions=[2024])
    assert table["p"].notna().sum() == 1
    assert table["p_holm"].equals(table["p"])


@given(
    st.lists(st.integers(-30, 30), min_size=2, max_size=60),
    st.lists(st.integers(-400, 400), min_size=3, max_size=3),
)
def test_moving_the_published_value_outwards_never_improves_the_verdict(steps, places):
    assume(len(set(steps)) > 1)
    values = np.array(steps, dtype=float)
    low, middle, high = (ORDER[judge(values, place)["verdict"]] for place in sorted(places))
    assert middle <= max(low, high)
    assert ORDER[judge(values, 1e6)["verdict"]] == 2


def test_the_order_of_the_rows_does_not_matter(everything):
    mixed = everything.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(verdicts(mixed, CLASSICAL), verdicts(everything, CLASSICAL))


def test_a_table_from_a_csv_file_is_the_same(everything, tmp_path):
    everything.to_csv(tmp_path / "seeds.csv", index=False)
    read = pd.read_csv(tmp_path / "seeds.csv")
    pd.testing.assert_frame_equal(verdicts(read, CLASSICAL), verdicts(everything, CLASSICAL))


def test_the_rule_counts_the_numbers_as_they_are():
    fixed = [each for each in PUBLISHED if each.loss is None]
    assert f"Of the {len(PUBLISHED)} numbers {len(PUBLISHED) - len(fixed)} are random" in RULE
    assert f"the {len(fixed)} others have no p" in RULE


def test_the_summary_of_33_numbers(everything):
    assert summary(verdicts(everything, CLASSICAL)) == (
        "9 of 9 numbers without randomness are reproduced to the printed digit. 0 of 24 numbers "
        "from random weights fall outside the 95 % range of our runs; about 1 would by chance."
    )


def test_the_summary_says_what_is_far_out_and_what_is_left_open():
    bad = {"wafer": {"logistic_regression": {"accuracy": 0.5}}}
    few = summary(verdicts(wafer(around(1, 5), around(WAFER_ACCURACY, 5)), bad, editions=[2024]))
    assert few.startswith(
        "0 of 1 number without randomness are reproduced to the printed digit. 1 of 2 numbers from "
        "random weights falls outside the 95 % range of our runs; hardly any would by chance. "
        "After Holm's correction for 2 questions 1 remains: wafer 2024 network: test loss. "
    )
    assert few.endswith("More seeds could change 1 verdict: 1 of wafer (5 seeds).")

    corrected = summary(verdicts(wafer(around(WAFER_LOSS + 2.7e-3, 5)), {}, editions=[2024]))
    assert "1 of 2 numbers from random weights falls outside" in corrected
    assert "After Holm's correction for 2 questions none remains." in corrected


def test_the_summary_of_nothing():
    assert summary(verdicts(pd.DataFrame(), {})) == "No published number was selected."
    assert summary(verdicts(wafer([0.1]), {}, editions=[2023])) == (
        "0 of 1 number without randomness are reproduced to the printed digit. "
        "Undecided: wafer 2023 network: test loss; wafer 2023 network: test accuracy."
    )
