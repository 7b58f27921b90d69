"""Training of the exercises' networks with many seeds, as units of a sweep.

A unit is an exercise, a configuration and some seeds. A small network is trained with all seeds of
a unit at once; the network for CIFAR-10 with one seed, and a backup after each epoch.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nnloss import training
from nnloss._files import digest
from nnloss.course import boston, cifar10, wafer
from nnloss.course.confusion import confusion
from nnloss.course.published import Edition, settings_of
from nnloss.datasets import Split, load_boston, load_cifar10, load_wafer
from nnloss.reproduction.units import Configuration, Outcome, Unit
from nnloss.runs import RunRecord, provenance
from nnloss.table import BINARY, MULTICLASS, REGRESSION, encode

ReportProgress = Callable[[float], None]
#: Fields of the run record, and tables.
Given = tuple[dict[str, Any], dict[str, pd.DataFrame]]

#: Seeds by exercise, in a full and in a quick sweep.
SEEDS = {"boston": 1000, "wafer": 100, "cifar10": 20}
QUICK_SEEDS = {"boston": 20, "wafer": 4, "cifar10": 2}
#: Largest number of seeds in a unit.
SEEDS_IN_UNIT = {"boston": 250, "wafer": 10, "cifar10": 1}
#: Seconds per epoch and seed on one core, in batches of 64; see `cost`.
SECONDS = {"boston": 0.0006, "wafer": 0.06, "cifar10": 17.0}

LOSSES: dict[str, dict[str, Any]] = {
    "boston": {"mean_squared_error": REGRESSION, "mean_absolute_error": REGRESSION},
    "wafer": {
        "categorical_crossentropy": MULTICLASS,
        "binary_crossentropy": BINARY,
    },
    "cifar10": {"categorical_crossentropy": MULTICLASS},
}
#: Seeds for each random split of the rows.
SEEDS_PER_SPLIT = 10
QUICK_EPOCHS = {"boston": boston.QUICK_EPOCHS, "wafer": 2, "cifar10": 1}


def configurations(
    exercises: Iterable[str], editions: Iterable[Edition], *, quick: bool = False
) -> list[Configuration]:
    """Return the distinct configurations of exercises and editions, with classical models."""
    found: dict[Configuration, None] = {}
    for exercise in exercises:
        if exercise in CLASSICAL:
            found[Configuration(exercise, quick=quick)] = None
        for edition in editions:
            for augment in (False, True) if exercise == "cifar10" else (None,):
                settings = settings_of(exercise, edition, augment=bool(augment))
                epochs = QUICK_EPOCHS[exercise] if quick else settings.epochs
                for loss in LOSSES[exercise]:
                    each = Configuration(
                        exercise, loss, augment, epochs, settings.batch_size, quick
                    )
                    found[each] = None
    return list(found)


def on_random_splits(editions: Iterable[Edition], *, quick: bool = False) -> list[Configuration]:
    """Return the configurations of Boston's networks on random splits of its rows."""
    return [
        replace(each, seeds_per_split=SEEDS_PER_SPLIT)
        for each in configurations(["boston"], editions, quick=quick)
        if each.loss
    ]


def cost(configuration: Configuration) -> float:
    """Return the approximate seconds per seed on one core, for scheduling and progress."""
    if configuration.loss is None:
        return 5.0
    assert configuration.epochs is not None
    return SECONDS[configuration.exercise] * configuration.epochs


def train_unit(
    unit: Unit, backup: Path, report: ReportProgress, *, data_dir: Path | None = None
) -> Outcome:
    """Train a unit of the sweep and return its outcome.

    `backup` is the file for the state of a long training; `report` is called with the share that is
    done, from 0 to 1. The data are verified by their checksum.
    """
    began, start = time.perf_counter(), datetime.now(UTC)
    wanted = unit.configuration
    split = load(wanted.exercise, data_dir)
    if wanted.quick and wanted.exercise == "cifar10":
        split = split.head(cifar10.QUICK_ROWS)
    if wanted.loss is None:
        given: Given = {"baseline": CLASSICAL[wanted.exercise](split)}, {}
    else:
        with _without_notes():  # about compilation: it is in the record
            given = TRAININGS[wanted.exercise](unit, split, backup, report)
    known, tables = given
    task = LOSSES[wanted.exercise].get(wanted.loss) if wanted.loss else None
    record = RunRecord(
        id=unit.name,
        status="finished",
        start=start.isoformat(timespec="seconds"),
        end=datetime.now(UTC).isoformat(timespec="seconds"),
        seed=unit.seeds[0] if len(unit.seeds) == 1 else None,
        seeds=list(unit.seeds),
        seconds={"total": time.perf_counter() - began},
        versions=provenance.versions(),
        machine=provenance.machine() | {"peak_memory_MB": provenance.peak_memory()},
        git_commit=provenance.git_commit(),
        data=split.origin,
        split=dict(split.sizes),
        task=task.name if task else None,
        activation=task.activation if task else None,
        **asdict(wanted),
        **known,
    )
    return Outcome(record, tables)


@contextmanager
def _without_notes() -> Iterator[None]:
    logger = logging.getLogger("nnloss")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


@cache
def load(exercise: str, data_dir: Path | None) -> Split:
    """Load the data of an exercise, once per process."""
    loaders = {
        "boston": load_boston,
        "cifar10": load_cifar10,
        "wafer": load_wafer,
    }
    with _without_notes():  # about class numbers: the exercise prints them
        return loaders[exercise](data_dir)


def _boston(unit: Unit, split: Split, backup: Path, report: ReportProgress) -> Given:
    if not unit.configuration.seeds_per_split:
        return _together(unit, _inputs(split), boston.network, report)
    number = {seed: seed // unit.configuration.seeds_per_split for seed in unit.seeds}
    inputs = {each: _inputs(split.redrawn(each)) for each in dict.fromkeys(number.values())}
    known, tables = _together(
        unit,
        [inputs[each] for each in number.values()],
        boston.network,
        report,
        test_measures={"median_absolute_error": _median_absolute_error},
    )
    rows = tables["seeds"].assign(split=tables["seeds"]["seed"].map(number))
    return known, {"splits": rows}


def _inputs(split: Split) -> Split:
    x = boston.standardised(split)
    return replace(split, x_train=x["train"], x_test=x["test"])


def _median_absolute_error(y: Any, predicted: Any) -> float:
    # NaN after a training that diverged, where scikit-learn's function raises an error.
    return float(np.median(np.abs(y - predicted)))


def _wafer(unit: Unit, split: Split, backup: Path, report: ReportProgress) -> Given:
    inputs = replace(split, x_train=split.x_train[..., None], x_test=split.x_test[..., None])
    pairs = [(actual, predicted) for actual in range(2) for predicted in range(2)]
    counted = {f"{a}_as_{p}": partial(_is, a, p) for a, p in pairs}
    known, tables = _together(unit, inputs, wafer.network, report, counted)
    values = tables["seeds"]
    tables["confusion"] = pd.concat(
        pd.DataFrame(
            {
                "seed": values["seed"],
                "actual": split.classes[a],
                "predicted": split.classes[p],
                "count": (values[f"val_{a}_as_{p}"] * len(split.x_test)).round().astype(int),
            }
        )
        for a, p in pairs
    ).sort_values("seed", kind="stable")
    extra = [f"{rows}{name}" for name in counted for rows in ("", "val_")]
    return known, tables | {name: tables[name].drop(columns=extra) for name in ("seeds", "curves")}


def _is(actual: int, predicted: int, y: Any, p: Any) -> Any:
    """Return 1 for rows of class `actual` predicted as `predicted`, else 0, for either encoding."""
    import tensorflow as tf

    if y.shape[-1] == 2:
        y, p = y[..., 1], tf.cast(p[..., 1] > p[..., 0], y.dtype)
    else:
        y, p = y[..., 0], tf.cast(p[..., 0] > 0.5, y.dtype)
    return tf.cast((y == actual) & (p == predicted), tf.float32)


def _together(
    unit: Unit,
    split: Split | Sequence[Split],
    network: Callable[[], Any],
    report: ReportProgress,
    metrics: dict[str, Any] | None = None,
    test_measures: dict[str, Any] | None = None,
) -> Given:
    """Train all seeds of a unit at once, on one split or on one for each seed."""
    wanted = unit.configuration
    assert wanted.epochs is not None
    assert wanted.batch_size is not None
    curves = training.fit_many(
        network,
        split,
        seeds=unit.seeds,
        task=LOSSES[wanted.exercise][str(wanted.loss)],
        loss=wanted.loss,
        epochs=wanted.epochs,
        batch_size=wanted.batch_size,
        metrics=metrics,
        test_measures=test_measures,
        per_epoch=wanted.epochs if wanted.seeds_per_split else True,
        progress=lambda done, of: report(done / of),
    ).rename(columns={"loss": "train_loss"})
    last = curves[curves["epoch"] == wanted.epochs].drop(columns="epoch")
    task = LOSSES[wanted.exercise][str(wanted.loss)]
    one_split = split if isinstance(split, Split) else split[0]
    classes = len(one_split.classes) if task.nodes is None else None
    one = training.compile_for_task(network(), task, classes=classes, loss=wanted.loss)
    known = _of(one) | {"epochs_trained": wanted.epochs}
    return known, {"seeds": last, "curves": curves.drop(columns="diverged")}


def _of(model: Any) -> dict[str, Any]:
    """Return the size and the optimizer of a network, for the record."""
    return {"parameters": model.count_params(), "optimizer": model.optimizer.get_config()}


def _cifar10(unit: Unit, split: Split, backup: Path, report: ReportProgress) -> Given:
    import keras

    wanted, (seed,) = unit.configuration, unit.seeds
    assert wanted.epochs is not None
    assert wanted.batch_size is not None
    y_train, y_test = (
        encode(y, MULTICLASS, len(split.classes)) for y in (split.y_train, split.y_test)
    )
    training.set_seed(seed)
    model = training.compile_for_task(
        cifar10.network(bool(wanted.augment)), MULTICLASS, classes=len(split.classes)
    )
    steps = cifar10.steps_per_epoch(len(y_train), wanted.batch_size, bool(wanted.augment))
    # The sweep removes the backup after it has stored the outcome, so that nothing is lost.
    kept = training.Backup(backup, f"{unit.name}, data {split.arrays_sha256}", keep=True)
    shares = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: report((epoch + 1) / (wanted.epochs or 1))
    )
    model.fit(
        split.x_train,
        y_train,
        validation_data=(split.x_test, y_test),
        epochs=wanted.epochs,
        batch_size=wanted.batch_size,
        steps_per_epoch=steps,
        callbacks=[kept, shares],
        verbose=0,
    )
    predicted = model.predict(split.x_test, batch_size=1000, verbose=0).argmax(axis=1)
    counts = confusion(split, predicted).rename_axis("actual").reset_index()
    matrix = counts.melt("actual", var_name="predicted", value_name="count")
    matrix.insert(0, "seed", seed)
    curves = pd.DataFrame(kept.epochs).rename(columns={"loss": "train_loss"})
    curves.insert(0, "seed", seed)
    last = curves.tail(1).drop(columns="epoch")
    last.insert(1, "diverged", not np.isfinite(curves.to_numpy(dtype=float)).all())
    known = _of(model) | {
        "augmentation": cifar10.AUGMENTATION if wanted.augment else {},
        "epochs_trained": len(curves),
        "weights_sha256": digest(*model.get_weights()),
    }
    return known, {"seeds": last, "curves": curves, "confusion": matrix}


def _linear_regression(split: Split) -> dict[str, dict[str, float]]:
    predictions = boston.linear_regression(split)
    return {"linear_regression": boston.error_measures(split, predictions)["test"]}


def _logistic_regression(split: Split) -> dict[str, dict[str, float]]:
    return {"logistic_regression": wafer.logistic_regression(split).measures(split)}


TRAININGS: dict[str, Callable[[Unit, Split, Path, ReportProgress], Given]] = {
    "boston": _boston,
    "cifar10": _cifar10,
    "wafer": _wafer,
}
CLASSICAL: dict[str, Callable[[Split], dict[str, dict[str, float]]]] = {
    "boston": _linear_regression,
    "wafer": _logistic_regression,
}
