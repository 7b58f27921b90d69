"""The units of a sweep, from real data: the numbers are those of the exercises."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nnloss
from nnloss.course import boston, cifar10
from nnloss.reproduction import experiments
from nnloss.reproduction.units import Configuration, Outcome, Unit


def done(unit: Unit, folder: Path, told: Any = None, data_dir: Path | None = None) -> Outcome:
    tell = [].append if told is None else told.append
    return experiments.train_unit(unit, folder / "backup", tell, data_dir=data_dir)


@pytest.fixture(autouse=True)
def _without_xla(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile no epochs with XLA, which takes longer than these short trainings."""
    fit_many = partial(nnloss.fit_many, jit_compile=False)
    monkeypatch.setattr(experiments.training, "fit_many", fit_many, raising=False)


def quick(exercise: str, **chosen: object) -> Configuration:
    """Choose the quick configuration with these settings."""
    (found,) = (
        each
        for each in experiments.configurations([exercise], [2023], quick=True)
        if all(getattr(each, name) == value for name, value in chosen.items())
    )
    return found


def test_editions_share_what_has_the_same_settings() -> None:
    both = experiments.configurations(["boston", "cifar10", "wafer"], [2023, 2024])
    trained = [each for each in both if each.loss]

    assert len(set(both)) == len(both)
    assert [each.exercise for each in both if not each.loss] == ["boston", "wafer"]
    assert {(each.loss, each.batch_size) for each in trained if each.exercise == "boston"} == {
        (loss, batch)
        for loss in ("mean_squared_error", "mean_absolute_error")
        for batch in (32, 64)
    }
    assert sorted(
        (bool(each.augment), each.batch_size) for each in trained if each.exercise == "cifar10"
    ) == [(False, 32), (False, 64), (True, 64)]
    assert sorted(str(each.loss) for each in trained if each.exercise == "wafer") == [
        "binary_crossentropy",
        "categorical_crossentropy",
    ]


def test_each_published_number_has_its_runs() -> None:
    both = experiments.configurations(["boston", "cifar10", "wafer"], [2023, 2024])
    for number in nnloss.course.published.PUBLISHED:
        settings = number.settings
        wanted = (
            Configuration(number.exercise)
            if settings is None
            else Configuration(
                number.exercise, number.loss, number.augment, settings.epochs, settings.batch_size
            )
        )
        assert wanted in both


@pytest.mark.parametrize("loss", ["mean_squared_error", "mean_absolute_error"])
def test_boston_gives_what_the_lab_gives(lab: Any, tmp_path: Path, loss: str) -> None:
    told: list[float] = []
    outcome = done(Unit(quick("boston", loss=loss), (3, 4)), tmp_path, told)
    split = nnloss.load_boston()
    short = {"mean_squared_error": "mse", "mean_absolute_error": "mae"}[loss]
    assert lab("boston", "--loss", short, "--seed", 4, "--quick", "--out", tmp_path).returncode == 0
    (path,) = tmp_path.glob("boston/*/run.json")
    errors = nnloss.RunRecord.read(path).metrics["test"]

    row = outcome.tables["seeds"].set_index("seed").loc[4]
    assert row["val_mean_squared_error"] == pytest.approx(errors["mean_squared_error"], rel=1e-4)
    assert row["val_mean_absolute_error"] == pytest.approx(errors["mean_absolute_error"], rel=1e-4)
    assert not row["diverged"]
    curves = outcome.tables["curves"]
    assert curves["seed"].tolist() == [3] * 5 + [4] * 5
    assert curves["epoch"].tolist() == [1, 2, 3, 4, 5] * 2
    history = pd.read_csv(path.with_name("history.csv"))
    np.testing.assert_allclose(curves["train_loss"][5:], history["loss"], rtol=1e-4)
    record = outcome.record
    assert record.seeds == [3, 4]
    assert (record.seed, record.quick, record.loss) == (None, True, loss)
    assert record.parameters == 3009
    assert record.data["arrays_sha256"] == split.arrays_sha256
    assert told == sorted(told)
    assert told[-1] == 1


def test_the_classical_models() -> None:
    outcome = done(Unit(Configuration("boston")), Path())

    assert outcome.record.baseline["linear_regression"]["mean_squared_error"] == pytest.approx(
        23.1955992564, abs=1e-9
    )
    assert outcome.tables == {}


@pytest.mark.parametrize("loss", ["categorical_crossentropy", "binary_crossentropy"])
def test_wafer_counts_what_is_taken_for_what(tmp_path: Path, data: Path, loss: str) -> None:
    outcome = done(Unit(quick("wafer", loss=loss), (0, 1)), tmp_path, data_dir=data)

    counts = outcome.tables["confusion"]
    rows = outcome.tables["seeds"]
    assert counts.columns.tolist() == ["seed", "actual", "predicted", "count"]
    for seed, part in counts.groupby("seed"):
        assert part["count"].sum() == 6164
        assert part.loc[part["actual"] == "abnormal", "count"].sum() == 665
        right = part.loc[part["actual"] == part["predicted"], "count"].sum()
        accuracy = rows.set_index("seed").loc[seed, "val_accuracy"]
        assert right / 6164 == pytest.approx(accuracy, abs=1e-6)
    metrics = {"seed", "diverged", "train_loss", "accuracy", "val_loss", "val_accuracy"}
    assert set(rows.columns) == metrics
    assert set(outcome.tables["curves"].columns) == metrics - {"diverged"} | {"epoch"}


def test_the_logistic_regression_of_wafer(data: Path) -> None:
    outcome = done(Unit(Configuration("wafer")), Path(), data_dir=data)

    accuracy = outcome.record.baseline["logistic_regression"]["accuracy"]
    assert accuracy == pytest.approx(0.9018494484, abs=1e-9)


@pytest.mark.parametrize("augment", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_cifar10_leaves_its_numbers_and_a_backup(
    tmp_path: Path, data: Path, augment: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cifar10, "QUICK_ROWS", 640)
    split = nnloss.load_cifar10(data)
    few = replace(split, x_test=split.x_test[:500], y_test=split.y_test[:500])
    monkeypatch.setattr(experiments, "load", lambda exercise, data_dir: few)
    unit = Unit(quick("cifar10", augment=augment), (5,))
    outcome = done(unit, tmp_path, data_dir=data)

    (row,) = outcome.tables["seeds"].to_dict("records")
    counts = outcome.tables["confusion"]
    right = counts.loc[counts["actual"] == counts["predicted"], "count"].sum()
    assert counts["count"].sum() == 500
    assert right / 500 == pytest.approx(row["val_accuracy"], abs=1e-6)
    assert (row["seed"], row["diverged"]) == (5, False)
    assert len(outcome.tables["curves"]) == 1
    record = outcome.record
    assert (record.seed, record.seeds, record.augment) == (5, [5], augment)
    assert record.parameters == 167_562
    assert record.split["train"] == 640
    assert len(record.weights_sha256 or "") == 64
    assert (tmp_path / "backup").exists()
    again = done(unit, tmp_path, data_dir=data)  # as after a kill before it was kept
    pd.testing.assert_frame_equal(again.tables["seeds"], outcome.tables["seeds"])
    pd.testing.assert_frame_equal(again.tables["curves"], outcome.tables["curves"])
    assert again.record.weights_sha256 == record.weights_sha256


def test_random_splits_of_boston(tmp_path: Path) -> None:
    (mse, mae) = experiments.on_random_splits([2023], quick=True)
    unit = Unit(mse, tuple(range(8, 12)))

    outcome = done(unit, tmp_path)

    assert mae.name == "mean_absolute_error-batch-32-epochs-5-splits-quick"
    assert outcome.record.seeds_per_split == 10
    assert Configuration.of(outcome.record) == mse
    assert list(outcome.tables) == ["splits"]
    table = outcome.tables["splits"].set_index("seed")
    assert table["split"].tolist() == [0, 0, 1, 1]
    split = nnloss.load_boston().redrawn(1)
    x = boston.standardised(split)
    nnloss.set_seed(11)
    model = nnloss.compile_for_task(boston.network(), nnloss.REGRESSION)
    model.fit(x["train"], split.y_train, epochs=5, batch_size=32, verbose=0)
    error = np.abs(model.predict(x["test"], verbose=0)[:, 0] - split.y_test)
    assert table.loc[11, "val_mean_squared_error"] == pytest.approx(np.mean(error**2), rel=1e-3)
    assert table.loc[11, "val_median_absolute_error"] == pytest.approx(np.median(error), rel=1e-3)
