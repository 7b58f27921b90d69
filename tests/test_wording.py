"""How a report writes numbers and calls configurations."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from sweep_tables import CCE, MAE, MSE

from nnloss.report import captions
from nnloss.report.wording import (
    between,
    configurations,
    names,
    number,
    printed,
    probability,
    quantity,
)
from nnloss.reproduction.units import Configuration


@pytest.mark.parametrize(
    ("value", "spread", "text"),
    [
        (20.8329, 1.52, "20.8"),
        (0.995798, 0.001015, "0.9958"),
        (12345.6, 230.0, "12,346"),
        (-0.0566, 0.018, "−0.057"),
        (-0.0001, 1.0, "0.0"),
        (23.195599, math.nan, "23.20"),
        (0.0, math.nan, "0"),
        (5.0, 0.0, "5.000"),
        (6.84e-6, 1e-6, "6.8e−06"),
        (math.nan, 1.0, "–"),
        (math.inf, 1.0, "–"),
    ],
)
def test_a_number_has_the_decimals_that_its_spread_allows(value, spread, text):
    assert number(value, spread) == text


def test_an_interval_without_an_end_is_none():
    assert between(19.2, 24.6, 1.5) == "19.2 to 24.6"
    assert between(-1.0, 1.0) == "−1.0 to 1.0"
    assert between(math.nan, 1.0) == "–"


@pytest.mark.parametrize(
    ("p", "text"), [(1.0, "1.00"), (0.04, "0.040"), (0.00031, "0.00031"), (1e-9, "< 0.0001")]
)
def test_a_p_value_has_two_digits(p, text):
    assert probability(p) == text
    assert probability(math.nan) == "–"


def test_a_published_number_is_written_as_it_was_printed():
    assert [printed(value) for value in (21.91999, 0.9018494, 0.6794)] == [
        "21.91999", "0.9018494", "0.6794",
    ]  # fmt: skip


def test_a_metric_has_its_rows_and_its_unit():
    assert quantity(f"val_{MSE}", "boston") == "test MSE, (1000 USD)²"
    assert quantity("accuracy", "wafer") == "accuracy"


def test_configurations_are_called_by_what_they_differ_in():
    boston = [Configuration("boston", loss, None, 100, 32) for loss in (MSE, MAE)]
    assert list(names(boston).values()) == ["MSE", "MAE"]
    assert list(names(boston[:1]).values()) == ["MSE"]
    cifar10 = [Configuration("cifar10", CCE, *rest) for rest in ((False, 20, 32), (True, 20, 64))]
    assert list(names(cifar10).values()) == ["plain, batch 32", "augmented, batch 64"]


def test_a_table_is_split_with_the_networks_of_the_course_first():
    rows = [
        ("wafer", "binary_crossentropy", None, 100, 64),
        ("wafer", CCE, None, 100, 64),
        ("cifar10", CCE, True, 20, 64),
        ("cifar10", CCE, False, 20, 64),
        ("wafer", CCE, None, 100, 64),
    ]
    table = pd.DataFrame(rows, columns=["exercise", "loss", "augment", "epochs", "batch_size"])
    found = configurations(table.astype({"augment": object}))
    assert [(each.loss, each.augment, len(part)) for each, part in found.items()] == [
        (CCE, False, 1), (CCE, True, 1), (CCE, None, 2), ("binary_crossentropy", None, 1),
    ]  # fmt: skip
    assert configurations(pd.DataFrame()) == {}


def test_an_unknown_metric_is_its_name_in_words():
    assert quantity("val_root_mean_squared_error") == "test root mean squared error"


def test_a_confusion_is_captioned_with_its_accuracy_and_its_most_frequent_mistake():
    cells = [("cat", "cat", 700), ("cat", "dog", 300), ("dog", "cat", 99), ("dog", "dog", 901)]
    rows = pd.DataFrame(cells, columns=["actual", "predicted", "count"]).assign(seed=0)
    assert captions.confusion(rows) == (
        "Mean over 1 seed; shade: share of the actual class. 80.05% of 2,000 test rows are right. "
        "Most often wrong: cat taken for dog, 300.0 of 1,000."
    )
