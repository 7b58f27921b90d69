"""Measure how CIFAR-10 trains fastest on all cores: ``uv run python -m benchmarks.processes``.

Two questions. Do as many processes as cores, with one thread each, train more networks per hour
than one process with all cores? And what do the settings cost that make results repeatable?
"""

from __future__ import annotations

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import pandas as pd

from benchmarks import arrays
from benchmarks.measuring import measure
from nnloss import commandline as cli
from nnloss._files import replacing
from nnloss.commandline import heading, table
from nnloss.runs import provenance

HERE = Path(__file__).resolve().parent
EPOCHS = 20  # of a network of the course
NETWORKS = ((32, "plain"), (64, "plain"), (64, "augmented"))
USUAL = "as in nnloss"
#: Changes of one setting, and the environment of the process.
SETTINGS: dict[str, dict[str, str]] = {
    USUAL: {},
    "not deterministic": {},
    "without oneDNN": {"TF_ENABLE_ONEDNN_OPTS": "0"},
    "float32 images": {},
}
ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}

Rounds = Annotated[int, cli.option("How often each is measured.", "N", cli.whole_number(2))]


def run(path: Path, rounds: int) -> pd.DataFrame:
    """Measure all networks and settings in turn, and return one row per process."""
    cores = provenance.cores()
    jobs = [(*network, USUAL, number) for network in NETWORKS for number in (1, cores)]
    jobs += [(64, "plain", setting, 1) for setting in SETTINGS if setting != USUAL]
    rows = []
    for each in range(1, rounds + 1):
        for batch, images, setting, number in jobs:
            script = ["-m", "benchmarks.contenders.images", str(path)]
            command = [*script, str(batch), images, setting]
            environment = SETTINGS[setting] | (ONE_THREAD if number > 1 else {})
            with ThreadPoolExecutor(number) as pool:
                futures = [pool.submit(measure, command, **environment) for _ in range(number)]
            measured = [future.result() for future in futures]
            known = {"round": each, "batch_size": batch, "images": images, "setting": setting}
            rows += [known | {"processes": number} | one for one in measured]
            print(known, [round(one["epoch"], 1) for one in measured], file=sys.stderr)
    return pd.DataFrame(rows)


def per_hour(measured: pd.DataFrame) -> pd.DataFrame:
    """Return networks per hour by one process and by several, and the range of their ratio."""
    usual = measured[measured["setting"].eq(USUAL)]
    keys = ["batch_size", "images", "processes", "round"]
    # Processes that run at once end at nearly the same time.
    rate = usual.groupby(keys, sort=False)["epoch"].agg(lambda s: len(s) * 3600 / EPOCHS / s.mean())
    rows = []
    for (batch, images), part in rate.groupby(["batch_size", "images"], sort=False):
        wide = part.unstack("processes")
        one, several = wide.columns.min(), wide.columns.max()
        ratio = wide[several] / wide[one]
        rows.append(
            {
                "batch": batch,
                "images": images,
                "1 process": f"{wide[one].median():.1f}",
                f"{several} processes": f"{wide[several].median():.1f}",
                "ratio": f"{wide[several].median() / wide[one].median():.2f}",
                "by round": f"{ratio.min():.2f} to {ratio.max():.2f}",
            }
        )
    return pd.DataFrame(rows)


def costs(measured: pd.DataFrame) -> pd.DataFrame:
    """Return the time with another setting, relative to ours, and whether it changes bits."""
    alike = measured["batch_size"].eq(64) & measured["images"].eq("plain")
    part = measured[alike & measured["processes"].eq(1)]
    seconds = part.pivot(index="round", columns="setting", values="epoch")
    weights = part.groupby("setting")["weights"].unique()
    return pd.DataFrame(
        {
            "setting": setting,
            "epoch, s": f"{seconds[setting].median():.1f}",
            "ratio": f"{seconds[setting].median() / seconds[USUAL].median():.2f}",
            "same weights": "yes" if set(weights[setting]) == set(weights[USUAL]) else "no",
        }
        for setting in SETTINGS
    )


def main(rounds: Rounds = 3, data_dir: cli.DataDir = None, out: cli.Out = HERE / "results") -> None:
    """Measure how CIFAR-10 trains fastest on all cores of this machine."""
    cli.require_folder(out)
    data = arrays.required_folder(data_dir, "CIFAR-10")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "cifar10.npz")
        arrays.save("cifar10", data, path)
        measured = run(path, rounds)
    out.mkdir(parents=True, exist_ok=True)
    with replacing(out / "processes.csv") as path:
        measured.to_csv(path, index=False, float_format="%.6g")
    heading(f"Networks of {EPOCHS} epochs per hour, on {provenance.cores()} cores")
    table(per_hour(measured))
    heading("What does a setting cost?")
    table(costs(measured))


if __name__ == "__main__":
    cli.run(main)
