"""Measure the exercises against plain Keras: ``uv run python -m benchmarks``.

Whole commands run in turn, ours and the plain one and ours again, so that a slow spell of the
machine hits both. What counts is the ratio of the medians of one run, not the seconds.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd

from exercises import commandline as cli
from exercises.display import heading, paragraph, table
from nnloss import provenance
from nnloss.datasets.places import named_folder
from nnloss.errors import DataError
from nnloss.files import replacing

ROOT = Path(__file__).resolve().parents[1]
HERE = Path(__file__).resolve().parent

Rounds = Annotated[int, cli.option("How often each command runs.", "N", cli.whole_number(3))]
Exercise = Annotated[Literal["boston", "wafer", "cifar10", "all"], cli.option("What to measure.")]


@dataclass(frozen=True)
class Comparison:
    """An exercise, measured against its plain translation.

    Parameters
    ----------
    name : str
        Module of the exercise, and of the translation.
    title : str
        Heading.
    epochs : int
        Of both trainings. CIFAR-10 takes the same time in each epoch, so three are enough.
    data : Path or None
        Folder with the data; None for the packaged file.
    """

    name: str
    title: str
    epochs: int
    data: Path | None = None

    def commands(self, out: Path) -> dict[str, list[str]]:
        """Arguments for Python, by contender.

        Parameters
        ----------
        out : Path
            An empty folder.

        Returns
        -------
        dict of str to list of str
            In the order in which they run.
        """
        ours = ["-m", f"exercises.{self.name}", "--epochs", str(self.epochs), "--out", str(out)]
        if self.data:
            ours += ["--data-dir", str(self.data)]
        plain = str(self.data or ROOT / "data" / "boston_housing.csv")
        return {
            "nnloss": ours,
            "plain Keras": [
                "-m", f"benchmarks.plain_keras.{self.name}", plain, str(out), str(self.epochs),
            ],
            "nnloss --help": ["-m", f"exercises.{self.name}", "--help"],
        }  # fmt: skip


def measure(command: list[str]) -> dict[str, float]:
    """Run a command once in a process of its own.

    Parameters
    ----------
    command : list of str
        Arguments for Python.

    Returns
    -------
    dict
        Wall time in ``seconds``, peak resident memory in ``MB``.
    """
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        raise RuntimeError(
            f"{' '.join(command)} ended with status {os.waitstatus_to_exitcode(status)}"
        )
    # Linux counts in KiB, macOS in bytes.
    return {
        "seconds": seconds,
        "MB": usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10),
    }


def compare(comparison: Comparison, rounds: int, out: Path) -> None:
    """Run both contenders in turn, write every run to a CSV file and print the medians.

    Parameters
    ----------
    comparison : Comparison
        What to measure.
    rounds : int
        How often.
    out : Path
        Folder for the CSV file.
    """
    measured = []
    for number in range(1, rounds + 1):
        with tempfile.TemporaryDirectory() as folder:
            for name, command in comparison.commands(Path(folder, "out")).items():
                result = {"round": number, "contender": name} | measure(command)
                print(
                    f"{comparison.name}, round {number}: {name}: {result['seconds']:.1f} s",
                    file=sys.stderr,
                )
                measured.append(result)
    frame = pd.DataFrame(measured)
    with replacing(out / f"{comparison.name}.csv") as path:
        frame.to_csv(path, index=False)

    grouped = frame.groupby("contender", sort=False)
    summary = grouped["seconds"].agg(["median", "min", "max"]).add_suffix(", s").reset_index()
    summary["peak memory, MB"] = grouped["MB"].max().to_numpy()
    heading(f"{comparison.title}, the whole command, {comparison.epochs} epochs")
    table(summary)
    median = grouped["seconds"].median()
    paired = frame.pivot(index="round", columns="contender", values="seconds")
    ratios = paired["plain Keras"] / paired["nnloss"]
    paragraph(
        f"plain Keras / nnloss: {median['plain Keras'] / median['nnloss']:.2f} "
        f"(by round {ratios.min():.2f} to {ratios.max():.2f})"
    )


def main(
    exercise: Exercise = "all",
    rounds: Rounds = 3,
    data_dir: cli.DataDir = None,
    out: cli.Out = HERE / "results",
) -> None:
    """Measure the exercises against their plain translations, import included."""
    cli.require_folder(out)
    named = named_folder(data_dir)
    folder = named[0].resolve() if named else None
    comparisons = (
        Comparison("boston", "Exercise 11.3", epochs=100),
        Comparison("wafer", "Exercise 11.5", epochs=100, data=folder),
        Comparison("cifar10", "Exercise 11.4", epochs=3, data=folder),
    )
    chosen = [each for each in comparisons if exercise in (each.name, "all")]
    if folder is None and exercise != "boston":
        raise DataError(
            "The plain scripts for Wafer and CIFAR-10 need a folder with the data",
            "found none named",
            "Name it by --data-dir or NNLOSS_DATA, or give --exercise boston",
        )
    out.mkdir(parents=True, exist_ok=True)
    for comparison in chosen:
        compare(comparison, rounds, out)
    machine = provenance.machine()
    versions = ", ".join(f"{name} {number}" for name, number in provenance.versions().items())
    paragraph(f"{machine['cpu']}, {machine['cores']} cores; {versions}")


if __name__ == "__main__":
    cli.run(main)
