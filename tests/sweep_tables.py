"""Tables as a sweep leaves them, made up: for tests of what is drawn and written from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from nnloss import RunRecord

MSE, MAE = "mean_squared_error", "mean_absolute_error"
CCE, BCE = "categorical_crossentropy", "binary_crossentropy"
KEYS = ["exercise", "loss", "augment", "epochs", "batch_size"]
OBJECTS = "airplane automobile bird cat deer dog frog horse ship truck".split()
CLASSICAL = {
    "boston": {
        "linear_regression": {MSE: 23.19559925642298, MAE: 3.4641858124067175},
    },
    "wafer": {"logistic_regression": {"accuracy": 0.9018494484101233}},
}


@dataclass
class Tables:
    """Tables, classical results and records of a sweep."""

    seeds: pd.DataFrame
    curves: pd.DataFrame
    confusion: pd.DataFrame
    classical: dict[str, dict[str, dict[str, float]]] = field(default_factory=lambda: CLASSICAL)
    records: list[RunRecord] = field(default_factory=list)


def tables(boston: int = 60, wafer: int = 12, cifar10: int = 5) -> Tables:
    """Make tables of so many seeds of each exercise, with the configurations of both editions."""
    rng = np.random.default_rng(7)
    curves, confusion, records = [], [], []
    for loss in (MSE, MAE):
        for batch_size in (32, 64):
            curves.append(_boston(rng, boston, loss, batch_size))
    for augment, batch_size in ((False, 64), (False, 32), (True, 64)):
        curves.append(_cifar10(rng, cifar10, augment, batch_size))
        confusion.append(_confusion(rng, curves[-1], OBJECTS, [1000] * 10))
    for loss in (CCE, BCE):
        curves.append(_wafer(rng, wafer, loss))
        confusion.append(_confusion(rng, curves[-1], ["abnormal", "normal"], [665, 5499]))
    curves = [part for part in curves if len(part)]
    confusion = [part for part in confusion if len(part)]
    if not curves:
        return Tables(pd.DataFrame(), pd.DataFrame(), pd.DataFrame(), {}, [])
    joined = pd.concat(curves, ignore_index=True)
    last = joined["epoch"].eq(joined["epochs"])
    seeds = joined[last].drop(columns="epoch").reset_index(drop=True)
    seeds = seeds.assign(diverged=False, folder=[_folder(row) for row in seeds.to_dict("records")])
    for folder, rows in seeds.groupby("folder", sort=False):
        records.append(record(str(folder), rows))
    return Tables(
        seeds.rename(columns={"loss_value": "train_loss"}),
        joined.rename(columns={"loss_value": "train_loss"}),
        pd.concat(confusion, ignore_index=True) if confusion else pd.DataFrame(),
        {name: CLASSICAL[name] for name in set(seeds["exercise"]) & set(CLASSICAL)},
        records,
    )


def split_seeds(n: int, per_split: int = 2) -> pd.DataFrame:
    """Make the rows of Boston's networks on `n` random splits: MAE is better by 0.2 in MAE."""
    rng = np.random.default_rng(3)
    seed = np.arange(n * per_split)
    parts = []
    for batch_size in (32, 64):
        level = rng.normal(16, 3, size=n)[seed // per_split]
        for loss in (MSE, MAE):
            noise = rng.normal(scale=0.3, size=len(seed))
            better = 0.2 * (loss == MAE)
            parts.append(
                pd.DataFrame(
                    {
                        "exercise": "boston", "loss": loss, "augment": None, "epochs": 100,
                        "batch_size": batch_size, "seed": seed, "split": seed // per_split,
                        "diverged": False, f"val_{MSE}": level + noise,
                        f"val_{MAE}": level / 8 + noise / 20 - better,
                        "val_median_absolute_error": level / 12 + noise / 20 - better,
                    }
                )
            )  # fmt: skip
    return pd.concat(parts, ignore_index=True).astype({"augment": object})


def record(folder: str, rows: pd.DataFrame, **known: Any) -> RunRecord:
    """Make the record of one unit of a sweep."""
    first = rows.iloc[0]
    start = pd.Timestamp("2026-11-23T10:00:00Z") + pd.Timedelta(minutes=len(folder))
    return RunRecord(
        id=folder.rpartition("/")[2],
        exercise=first["exercise"],
        status="finished",
        command="python -m exercises.reproduce --exercise all --edition both --jobs 2",
        start=start.isoformat(),
        end=(start + pd.Timedelta(seconds=95)).isoformat(),
        seconds={"total": 95.0},
        versions={"python": "3.11.7", "nnloss": "0.1.0", "tensorflow": "2.21.0"},
        machine={
            "system": "Linux", "cpu": "A processor at 2.10 GHz", "cores": 2, "threads": None,
            "peak_memory_MB": 812,
        },
        git_commit="b12234ee0c5b8e9a41c5c1b3f2d0f6f8a2b7c9d1",
        data={"source": f"{first['exercise']} in the package", "sha256": "a13afe1064d0" * 5},
        loss=first["loss"],
        epochs=int(first["epochs"]),
        batch_size=int(first["batch_size"]),
        seeds=[int(seed) for seed in rows["seed"]],
        **known,
    )  # fmt: skip


def _folder(row: dict[str, Any]) -> str:
    augmented = "-augmented" if row["augment"] is True else ""
    unit = 20 if row["exercise"] == "boston" else 1
    first = row["seed"] // unit * unit
    seeds = f"seeds-{first}-{first + unit - 1}" if unit > 1 else f"seed-{first}"
    return f"sweep/{row['exercise']}/{row['loss']}{augmented}-batch-{row['batch_size']}/{seeds}"


def _grid(rng: Any, n: int, epochs: int, known: dict[str, Any]) -> tuple[pd.DataFrame, Any, Any]:
    """Make the rows of a configuration, with the share of the training done and a draw a seed."""
    seed, epoch = (part.ravel() for part in np.mgrid[0:n, 1 : epochs + 1])
    table = pd.DataFrame({**known, "seed": seed, "epoch": epoch})
    table["augment"] = pd.Series([known["augment"]] * len(table), dtype=object)
    return table, epoch / epochs, rng.normal(size=(n, 1)).repeat(epochs, axis=1).ravel()


def _boston(rng: Any, n: int, loss: str, batch_size: int) -> pd.DataFrame:
    known = {"exercise": "boston", "loss": loss, "augment": None, "epochs": 100}
    table, done, z = _grid(rng, n, 100, known | {"batch_size": batch_size})
    noise = np.exp(0.03 * rng.normal(size=len(table)))
    slow = batch_size / 32
    fall = 570 * np.exp(-22 * done / slow)
    train = fall + (7 + 11 * np.exp(-3 * done)) * (1 + 0.1 * (loss == MAE)) * np.exp(0.06 * z)
    test = fall + (19.5 + slow + 1.5 * (loss == MAE) + 9 * np.exp(-4 * done)) * np.exp(
        0.07 * z + 0.012 * z**2
    )
    table[MSE], table[f"val_{MSE}"] = train * noise, test * noise
    factor = 0.62 if loss == MSE else 0.585
    table[MAE], table[f"val_{MAE}"] = (
        factor * table[MSE] ** 0.5,
        factor * table[f"val_{MSE}"] ** 0.5,
    )
    table["loss_value"], table["val_loss"] = table[loss], table[f"val_{loss}"]
    return table


def _cifar10(rng: Any, n: int, augment: bool, batch_size: int) -> pd.DataFrame:
    known = {"exercise": "cifar10", "loss": CCE, "augment": augment, "epochs": 20}
    table, done, z = _grid(rng, n, 20, known | {"batch_size": batch_size})
    noise = rng.normal(size=(2, len(table)))
    depth = 0.9 if augment else 1.35 + 0.1 * (batch_size == 32)
    table["loss_value"] = (1.62 - depth * done**0.5) * np.exp(0.01 * z + 0.004 * noise[0])
    rise = 0 if augment else (0.75 + 0.25 * (batch_size == 32)) * done**2
    table["val_loss"] = (1.42 - 0.55 * done**0.4 + rise) * np.exp(0.015 * z + 0.01 * noise[1])
    table["accuracy"] = 0.41 + (0.33 if augment else 0.48) * done**0.6 + 0.004 * z
    table["val_accuracy"] = 0.5 + 0.19 * done**0.3 + 0.012 * augment - 0.005 * z + 0.004 * noise[0]
    return table


def _wafer(rng: Any, n: int, loss: str) -> pd.DataFrame:
    known = {"exercise": "wafer", "loss": loss, "augment": None, "epochs": 100, "batch_size": 64}
    table, done, z = _grid(rng, n, 100, known)
    noise = np.exp(0.1 * rng.normal(size=(2, len(table))))
    table["loss_value"] = 0.4 * np.exp(-11 * done**0.6 + 0.25 * z) * noise[0]
    table["val_loss"] = (0.3 * np.exp(-9 * done**0.5) + 0.019) * np.exp(0.15 * z) * noise[1]
    table["accuracy"] = np.minimum(1, 0.9 + 0.12 * done**0.3 - 0.002 * abs(z))
    right = 6164 * (0.892 + 0.104 * done**0.15) - 7 * z - 3 * rng.normal(size=len(table))
    table["val_accuracy"] = np.minimum(np.round(right), 6160) / 6164
    return table


def _confusion(rng: Any, curves: pd.DataFrame, classes: list[str], rows: list[int]) -> pd.DataFrame:
    """Make counts of which each class is right as often as the accuracy says."""
    last = curves[curves["epoch"].eq(curves["epochs"])]
    parts = []
    for values in last.to_dict("records"):
        for place, actual in enumerate(classes):
            near = 1 / (1 + np.abs(np.arange(len(classes)) - place)) ** 1.5
            near[place] = 0
            share = near / near.sum() * (1 - values["val_accuracy"])
            share[place] = values["val_accuracy"]
            counts = rng.multinomial(rows[place], share / share.sum())
            cells = {"actual": actual, "predicted": classes, "count": counts}
            parts.append(pd.DataFrame({key: values[key] for key in [*KEYS, "seed"]} | cells))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
