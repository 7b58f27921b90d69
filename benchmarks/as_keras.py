"""Compare our ``fit`` with Keras', in distribution: ``uv run python -m benchmarks.as_keras``.

Two questions, one table of fits. Is a training by `TaskModel.fit` one that plain Keras could have
given? And what does it change that Keras, after ``set_random_seed``, repeats one order of rows?
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from scipy import stats

from benchmarks import arrays
from benchmarks.measuring import ROOT
from nnloss import commandline as cli
from nnloss._files import replacing
from nnloss.commandline import heading, table
from nnloss.course.printed_tables import NETWORKS
from nnloss.course.published import Settings
from nnloss.errors import DataError
from nnloss.reproduction.seed_table import of_configuration

HERE = Path(__file__).resolve().parent
OURS, UNSEEDED, SEEDED = "nnloss", "Keras, unseeded", "Keras, seeded"
KEYS = ["exercise", "epochs", "batch_size", "by"]
COLUMNS = [*KEYS, "seed", "loss", "val_loss", "val_accuracy"]


@dataclass(frozen=True)
class Fits:
    """Repeated fits with the same settings."""

    exercise: str
    epochs: int
    batch_size: int
    by: str
    number: int

    def command(self, path: Path, first: int) -> list[str]:
        """Return the arguments for Python; `path` is the file of arrays."""
        script = ["-m", "benchmarks.contenders.fits", "nnloss" if self.by == OURS else "keras"]
        seeding = "unseeded" if self.by == UNSEEDED else "seeded"
        numbers = map(str, (self.epochs, self.batch_size, first, self.number - 1))
        return [*script, self.exercise, str(path), seeding, *numbers]


ALL = (
    Fits("boston", 100, 32, OURS, 100),
    Fits("boston", 100, 32, UNSEEDED, 100),
    Fits("boston", 100, 32, SEEDED, 30),
    Fits("cifar10", 2, 32, OURS, 60),
    Fits("cifar10", 2, 32, UNSEEDED, 60),
    Fits("wafer", 100, 64, SEEDED, 10),
    Fits("cifar10", 20, 64, SEEDED, 5),
)
#: What the two ways of fitting are compared by.
FAITHFUL = {("boston", 100, 32): "val_loss", ("cifar10", 2, 32): "loss"}


def run(wanted: Fits, path: Path, first: int) -> Iterator[dict[str, Any]]:
    """Yield a row per fit, from seed `first` on. Raise RuntimeError if the process fails."""
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [sys.executable, *wanted.command(path, first)],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        with process:
            try:
                for line in process.stdout:
                    yield {key: getattr(wanted, key) for key in KEYS} | json.loads(line)
            except KeyboardInterrupt:
                process.kill()
                raise
        if process.returncode:
            errors.seek(0)
            raise RuntimeError(f"{wanted} ended with {process.returncode}\n{errors.read()}")


def faithfulness(fits: pd.DataFrame) -> pd.DataFrame:
    """Compare fits by nnloss with unseeded ones by Keras: means, spreads and distributions.

    One row per setting in `FAITHFUL`, with two-sided p-values of Welch's test, the Brown-Forsythe
    test (Levene's with medians) and the Kolmogorov-Smirnov test.
    """
    rows = []
    for key, quantity in FAITHFUL.items():
        part = fits[fits[KEYS[:3]].apply(tuple, axis=1) == key].groupby("by")[quantity]
        ours, keras = part.get_group(OURS), part.get_group(UNSEEDED)
        rows.append(
            dict(zip(KEYS, key, strict=False))
            | {"quantity": quantity, "n": len(ours), "n_keras": len(keras)}
            | {"mean": ours.mean(), "mean_keras": keras.mean()}
            | {"sd": ours.std(), "sd_keras": keras.std()}
            | {
                "welch_p": stats.ttest_ind(ours, keras, equal_var=False).pvalue,
                "brown_forsythe_p": stats.levene(ours, keras, center="median").pvalue,
                "kolmogorov_smirnov_p": stats.ks_2samp(ours, keras).pvalue,
            }
        )
    return pd.DataFrame(rows)


def orders(fits: pd.DataFrame, seeds: pd.DataFrame) -> pd.DataFrame:
    """Compare one order of rows for all epochs with a new order in each, seed by seed.

    `fits` has the seeded fits by Keras, `seeds` ours, as in the table of a sweep. Both start from
    the same weights. One row per exercise and quantity: the means, the mean difference (repeated
    minus new), its 95 % interval by Student's t, and the p-value.
    """
    rows = []
    repeated = fits[fits["by"].eq(SEEDED)]
    for key, part in repeated.groupby(KEYS[:3], sort=False):
        exercise, epochs, batch_size = part[KEYS[:3]].iloc[0]
        network, settings = NETWORKS[exercise], Settings(epochs, batch_size)
        ours = of_configuration(seeds, exercise, network.loss, network.augment, settings).rename(
            columns={"loss": "loss_name", "train_loss": "loss"}
        )
        both = part.merge(ours, on="seed", suffixes=("", "_new"))
        for quantity in ("loss", "val_loss", "val_accuracy"):
            if both[quantity].isna().all():
                continue
            test = stats.ttest_rel(both[quantity], both[f"{quantity}_new"])
            low, high = test.confidence_interval(0.95)
            rows.append(
                dict(zip(KEYS, key, strict=False))
                | {"quantity": quantity, "n": len(both)}
                | {"repeated": both[quantity].mean(), "new": both[f"{quantity}_new"].mean()}
                | {"difference": (both[quantity] - both[f"{quantity}_new"]).mean()}
                | {"low": low, "high": high, "p": test.pvalue}
            )
    return pd.DataFrame(rows)


def main(
    data_dir: cli.DataDir = None,
    out: cli.Out = HERE / "results",
) -> None:
    """Compare our fit with Keras', as distributions over many fits; resume from the table."""
    cli.require_folder(out)
    data = arrays.required_folder(data_dir, "Wafer and CIFAR-10")
    out.mkdir(parents=True, exist_ok=True)
    file = out / "fits.csv"
    if not file.exists():
        pd.DataFrame(columns=COLUMNS).to_csv(file, index=False)
    with file.open(encoding="utf-8", errors="replace") as lines:
        header = lines.readline().strip()
    if header != ",".join(COLUMNS):
        raise DataError(
            f"'{file}' must be a table of fits, with the columns {', '.join(COLUMNS)}",
            f"found the first line '{header}'",
            "Choose another --out",
        )
    fits = pd.read_csv(file)
    with tempfile.TemporaryDirectory() as folder:
        for wanted in ALL:
            done = fits[KEYS].eq([getattr(wanted, key) for key in KEYS]).all(axis=1).sum()
            path = Path(folder, f"{wanted.exercise}.npz")
            if not path.exists():
                arrays.save(wanted.exercise, data, path)
            for row in run(wanted, path, done) if done < wanted.number else ():
                # Written one by one, so that nothing is lost.
                one = pd.DataFrame([row], columns=COLUMNS)
                one.to_csv(file, mode="a", header=False, index=False)
    fits = pd.read_csv(file)
    seeds = pd.read_csv(ROOT / "results" / "sweep" / "seeds.csv")
    for name, frame in {"faithfulness": faithfulness(fits), "orders": orders(fits, seeds)}.items():
        with replacing(out / f"{name}.csv") as path:
            frame.to_csv(path, index=False, float_format="%.6g")
        heading(name)
        texts = frame.map(lambda value: f"{value:.4g}" if isinstance(value, float) else str(value))
        table(texts.T.reset_index())


if __name__ == "__main__":
    cli.run(main)
