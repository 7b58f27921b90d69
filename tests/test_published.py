"""The published numbers of exercise 11.3, and ours beside them."""

from __future__ import annotations

import pytest

from nnloss import RunRecord
from nnloss.published import PUBLISHED, SETTINGS, compare


def record(**known):
    return RunRecord(
        id="1",
        exercise="boston",
        metrics={"test": {"mean_squared_error": 22.0, "mean_absolute_error": 3.0}},
        baseline={"linear_regression": {"mean_squared_error": 23.2, "mean_absolute_error": 3.5}},
        **known,
    )


@pytest.mark.parametrize(
    ("edition", "numbers"),
    [
        (2023, [23.1956, 3.464186, 21.91999, 2.906326]),
        (2024, [23.1956, 3.464186, 23.34256, 3.232276]),
    ],
)
def test_each_number_is_compared_with_ours(edition, numbers):
    compared = compare(record(edition=edition, loss="mean_squared_error"))
    assert [each["published"] for each in compared] == numbers
    assert [each["ours"] for each in compared] == [23.2, 3.5, 22.0, 3.0]
    for each in compared:
        assert each["difference"] == each["ours"] - each["published"]


def test_a_network_trained_on_mae_is_not_compared():
    compared = compare(record(edition=2023, loss="mean_absolute_error"))
    assert [each["quantity"] for each in compared] == [
        "linear regression: test MSE", "linear regression: test MAE",
    ]  # fmt: skip


def test_another_exercise_has_no_numbers_here():
    assert compare(RunRecord(id="1", exercise="net", edition=2023)) == []


def test_the_editions_differ_in_the_batch_size():
    assert SETTINGS["boston", 2023].batch_size == 32
    assert SETTINGS["boston", 2024].batch_size == 64
    assert {number.edition for number in PUBLISHED} == {2023, 2024}
