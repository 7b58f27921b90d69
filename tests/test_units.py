"""Units of a sweep: which seeds go together, and where they are kept."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnloss import RunRecord
from nnloss.reproduction.units import Configuration, Unit, units

BOSTON = Configuration("boston", "mean_squared_error", None, 100, 32)


def test_a_sweep_that_has_nothing_is_cut_into_units_of_that_size() -> None:
    cut = [unit.seeds for unit in units(BOSTON, range(5), set(), 2)]

    assert cut == [(0, 1), (2, 3), (4,)]


def test_seeds_that_are_there_are_left_out_and_end_a_unit() -> None:
    cut = [unit.seeds for unit in units(BOSTON, range(8), {2, 6, 7, 11}, 10)]

    assert cut == [(0, 1), (3, 4, 5)]


@given(st.integers(0, 40), st.sets(st.integers(0, 50)), st.integers(1, 7))
def test_each_missing_seed_is_in_one_unit(seeds: int, done: set[int], size: int) -> None:
    cut = list(units(BOSTON, range(seeds), done, size))

    assert [seed for unit in cut for seed in unit.seeds] == sorted(set(range(seeds)) - done)
    for unit in cut:
        assert 1 <= len(unit.seeds) <= size
        assert unit.seeds == tuple(range(unit.seeds[0], unit.seeds[-1] + 1))


@pytest.mark.parametrize(
    ("unit", "folder"),
    [
        (Unit(BOSTON, (0, 1, 2)), "boston/mean_squared_error-batch-32-epochs-100/seeds-0-2"),
        (Unit(BOSTON, (7,)), "boston/mean_squared_error-batch-32-epochs-100/seed-7"),
        (Unit(Configuration("wafer")), "wafer/classical"),
        (
            Unit(Configuration("cifar10", "categorical_crossentropy", True, 1, 64, True), (3,)),
            "cifar10/categorical_crossentropy-batch-64-epochs-1-augmented-quick/seed-3",
        ),
    ],
)
def test_folder(unit: Unit, folder: str) -> None:
    assert str(unit.folder) == folder
    assert unit.name == folder.replace("/", "_")


@pytest.mark.parametrize(
    "change",
    [
        {"exercise": "wafer"},
        {"loss": "mean_absolute_error"},
        {"augment": True},
        {"epochs": 5},
        {"batch_size": 64},
        {"quick": True},
    ],
)
def test_another_configuration_has_another_folder(change: dict[str, object]) -> None:
    other = Unit(replace(BOSTON, **change), (0, 1))  # type: ignore[arg-type]

    assert other.folder != Unit(BOSTON, (0, 1)).folder


def test_the_configuration_of_a_record() -> None:
    record = RunRecord(
        "a", "boston", loss="mean_squared_error", epochs=100, batch_size=32, seeds=[1]
    )

    assert Configuration.of(record) == BOSTON
