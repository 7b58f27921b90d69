"""The published numbers of the three exercises, and ours beside them."""

from __future__ import annotations

import pytest

from nnloss import RunRecord
from nnloss.course.published import (
    EDITIONS,
    PUBLISHED,
    SETTINGS,
    compare,
    decimals,
    parse_edition,
    settings_of,
)


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
        ("2024-pdf", [23.1956, 3.464186, 22.64074, 3.136051]),
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


CIFAR10 = {
    (2023, False): [1.237937, 0.6794],
    (2023, True): [0.860364, 0.7045],
    (2024, False): [1.564002, 0.6814],
    (2024, True): [0.9079457, 0.6981],
    ("2024-pdf", False): [1.292574, 0.6849],
    ("2024-pdf", True): [0.8508328, 0.7133],
}


@pytest.mark.parametrize(("edition", "augment"), CIFAR10)
def test_images_are_compared_with_the_run_that_was_augmented_alike(edition, augment):
    ours = RunRecord(
        id="1", exercise="cifar10", edition=edition, augment=augment,
        loss="categorical_crossentropy", metrics={"test": {"loss": 1.0, "accuracy": 0.7}},
    )  # fmt: skip
    compared = compare(ours)
    assert [each["published"] for each in compared] == CIFAR10[edition, augment]
    assert [each["ours"] for each in compared] == [1.0, 0.7]


@pytest.mark.parametrize(
    ("edition", "loss", "numbers"),
    [
        (2023, "categorical_crossentropy", [0.9018494, 0.01831522, 0.9969176]),
        (2024, "categorical_crossentropy", [0.9018494, 0.02496975, 0.995782]),
        ("2024-pdf", "categorical_crossentropy", [0.9018494, 0.0195029, 0.9967554]),
        (2024, "binary_crossentropy", [0.9018494]),
    ],
)
def test_wafer_is_compared_where_the_loss_is_the_courses(edition, loss, numbers):
    ours = RunRecord(
        id="1", exercise="wafer", edition=edition, loss=loss,
        metrics={"test": {"loss": 0.02, "accuracy": 0.99}},
        baseline={"logistic_regression": {"accuracy": 0.9}},
    )  # fmt: skip
    assert [each["published"] for each in compare(ours)] == numbers


def test_there_are_33_numbers():
    assert len(PUBLISHED) == 33
    assert len({(n.exercise, n.edition, n.quantity) for n in PUBLISHED}) == 33
    assert {number.edition for number in PUBLISHED} == set(EDITIONS)
    assert [parse_edition(str(edition)) for edition in EDITIONS] == list(EDITIONS)


def test_another_exercise_has_no_numbers_here():
    assert compare(RunRecord(id="1", exercise="net", edition=2023)) == []


def test_the_settings_are_the_courses():
    years = {
        key: (each.epochs, each.batch_size)
        for key, each in SETTINGS.items()
        if key[1] != "2024-pdf"
    }
    assert years == {
        ("boston", 2023): (100, 32),
        ("boston", 2024): (100, 64),
        ("cifar10", 2023): (20, 64),
        ("cifar10", 2024): (20, 32),
        ("cifar10_augmented", 2023): (20, 64),
        ("cifar10_augmented", 2024): (20, 64),
        ("wafer", 2023): (100, 64),
        ("wafer", 2024): (100, 64),
    }
    for (name, edition), each in SETTINGS.items():
        if edition == "2024-pdf":
            assert each == SETTINGS[name, 2024]


def test_the_augmented_network_has_settings_of_its_own():
    assert settings_of("cifar10", 2024).batch_size == 32
    assert settings_of("cifar10", 2024, augment=True).batch_size == 64
    assert {each.settings for each in PUBLISHED[4:8]} == {None, SETTINGS["boston", 2024]}
    augmented = {
        each.augment: each.settings
        for each in PUBLISHED
        if (each.exercise, each.edition) == ("cifar10", 2024)
    }
    assert {key: each.batch_size for key, each in augmented.items()} == {False: 32, True: 64}


def test_a_number_of_a_network_has_its_name_in_a_history():
    assert [each.metric for each in PUBLISHED[:4]] == [
        None, None, "val_mean_squared_error", "val_mean_absolute_error",
    ]  # fmt: skip
    assert PUBLISHED[-1].metric == "val_accuracy"


@pytest.mark.parametrize(
    ("value", "count"),
    [(23.1956, 4), (0.02496975, 8), (1.2e-05, 6), (1e-05, 5), (23.0, 0), (100, 0), (1e22, 0)],
)
def test_decimals_are_counted_as_printed(value, count):
    assert decimals(value) == count


def test_every_published_number_is_that_many_decimals():
    assert all(round(each.value, decimals(each.value)) == each.value for each in PUBLISHED)
    assert all(round(each.value, decimals(each.value) - 1) != each.value for each in PUBLISHED)
