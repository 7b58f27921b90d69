"""What is compared with the course and what is not, and how tables are printed."""

from __future__ import annotations

import pandas as pd
import pytest

from nnloss import RunRecord
from nnloss.commandline import table
from nnloss.course.published import SETTINGS, compare, comparison_table

COURSE = SETTINGS["wafer", 2023]


def printed(capsys, **known):
    record = RunRecord(
        id="1", exercise="wafer", edition=2023, loss="categorical_crossentropy", seed=0,
        metrics={"test": {"loss": 0.02, "accuracy": 0.99}},
        baseline={"logistic_regression": {"accuracy": 0.9018494484}},
        **known,
    )  # fmt: skip
    record = RunRecord(**{**vars(record), "published": compare(record)})
    numbers, remarks = comparison_table(record, COURSE)
    table(numbers)
    return " ".join([*capsys.readouterr().out.split(), *remarks])


def test_a_run_like_the_courses_is_compared(capsys):
    text = printed(capsys, epochs=100, batch_size=64)
    assert "logistic regression: test accuracy │ 0.9018494 │ 0.9018494 │ 0.0000000 │" in text
    assert "network: test accuracy │ 0.9900000 │ 0.9969176 │ -0.0069176 │" in text
    assert "The logistic regression has no randomness and must match" in text
    assert "ours is the run with seed 0" in text


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"epochs": 99, "batch_size": 64}, "The network was trained for 99 epochs in batches of"),
        ({"epochs": 100, "batch_size": 32}, "in batches of 32, the course's for 100 in batches of"),
        (
            {"epochs": 100, "batch_size": 64, "quick": True},
            "In a quick run the network was trained for 100 epochs",
        ),
    ],
)
def test_another_run_is_not(capsys, known, words):
    text = printed(capsys, **known)
    assert words in text
    assert "Their numbers are not compared" in text
    assert "logistic regression: test accuracy │" in text
    assert "network: test" not in text


@pytest.mark.parametrize(
    ("exercise", "loss", "known", "remarks"),
    [
        ("boston", "mean_squared_error", {"mean_absolute_error": 2.8663},
         ["(1000 USD)²; its root (RMSE)", "An MAE of 2.87 means 2,870 dollars."]),
        ("cifar10", "categorical_crossentropy", {"loss": 1.04},
         ["categorical cross-entropy (CCE) of an image, in nats."]),
        ("wafer", "categorical_crossentropy", {"loss": 0.02},
         ["cross-entropy of a series in nats: categorical (CCE)"]),
    ],
)  # fmt: skip
def test_numbers_have_their_units(exercise, loss, known, remarks):
    settings = SETTINGS[exercise, 2023]
    record = RunRecord(
        id="1", exercise=exercise, edition=2023, loss=loss, seed=0, metrics={"test": known},
        augment=False if exercise == "cifar10" else None, epochs=settings.epochs,
        batch_size=settings.batch_size,
    )  # fmt: skip
    record = RunRecord(**{**vars(record), "published": compare(record)})
    text = " ".join(comparison_table(record, settings)[1])
    assert all(each in text for each in remarks)
    assert ("dollars" in text) == (exercise == "boston")


def test_a_table_of_accuracies_has_no_unit():
    record = RunRecord(
        id="1", exercise="wafer", edition=2023, loss="categorical_crossentropy", seed=0, quick=True,
        baseline={"logistic_regression": {"accuracy": 0.9018494484}},
    )  # fmt: skip
    record = RunRecord(**{**vars(record), "published": compare(record)})
    assert "nats" not in " ".join(comparison_table(record, COURSE)[1])


def test_numbers_with_an_exponent_are_right_aligned(capsys):
    table(pd.DataFrame({"difference": ["1.0e-17", "2.5"], "holds": ["yes", "NO"]}))
    lines = capsys.readouterr().out.splitlines()
    assert lines[3] == "│    1.0e-17 │ yes   │"
    assert lines[4] == "│        2.5 │ NO    │"


def test_a_command_rarely_collects_garbage_and_not_at_its_end(python):
    code = """
import atexit, gc
atexit.register(lambda: print(gc.get_freeze_count() > 1000))  # runs last
from nnloss.commandline import set_up
set_up()
print(gc.isenabled(), gc.get_threshold()[0] > 10_000)
"""
    assert python("-c", code).stdout.split() == ["True", "True", "True"]
