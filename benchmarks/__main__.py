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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pandas as pd

from exercises import commandline as cli
from exercises.display import heading, paragraph, table
from nnloss import provenance
from nnloss.files import replacing

ROOT = Path(__file__).resolve().parents[1]
HERE = Path(__file__).resolve().parent

Rounds = Annotated[int, cli.option("How often each command runs.", "N", cli.whole_number(3))]


@dataclass(frozen=True)
class Contender:
    """A command to measure.

    Parameters
    ----------
    name : str
        What it is.
    command : callable
        From an empty folder for its output to the arguments for Python.
    """

    name: str
    command: Callable[[Path], list[str]]


CONTENDERS = (
    Contender("nnloss", lambda out: ["-m", "exercises.boston", "--out", str(out)]),
    Contender(
        "plain Keras",
        lambda out: [
            "-m",
            "benchmarks.plain_keras.boston",
            str(ROOT / "data" / "boston_housing.csv"),
            str(out),
        ],
    ),
    Contender("nnloss --help", lambda out: ["-m", "exercises.boston", "--help"]),
)


def measure(contender: Contender) -> dict[str, object]:
    """Run a command once in a process of its own.

    Parameters
    ----------
    contender : Contender
        The command.

    Returns
    -------
    dict
        ``contender``, wall time in ``seconds``, peak resident memory in ``MB``.
    """
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *contender.command(Path(folder, "out"))],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
    if status:
        raise RuntimeError(
            f"{contender.name} ended with status {os.waitstatus_to_exitcode(status)}"
        )
    # Linux counts in KiB, macOS in bytes.
    memory = usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return {"contender": contender.name, "seconds": seconds, "MB": memory}


def main(
    rounds: Rounds = 3,
    out: cli.Out = HERE / "results",
) -> None:
    """Measure exercise 11.3 against its plain translation, import included."""
    cli.require_folder(out)
    measured = []
    for number in range(1, rounds + 1):
        for contender in CONTENDERS:
            result = {"round": number} | measure(contender)
            print(f"round {number}: {contender.name}: {result['seconds']:.1f} s", file=sys.stderr)
            measured.append(result)
    frame = pd.DataFrame(measured)
    out.mkdir(parents=True, exist_ok=True)
    with replacing(out / "boston.csv") as path:
        frame.to_csv(path, index=False)

    grouped = frame.groupby("contender", sort=False)
    summary = grouped["seconds"].agg(["median", "min", "max"]).add_suffix(", s").reset_index()
    summary["peak memory, MB"] = grouped["MB"].max().to_numpy()
    heading("Exercise 11.3, the whole command, 100 epochs")
    table(summary)
    median = grouped["seconds"].median()
    paired = frame.pivot(index="round", columns="contender", values="seconds")
    ratios = paired["plain Keras"] / paired["nnloss"]
    paragraph(
        f"plain Keras / nnloss: {median['plain Keras'] / median['nnloss']:.2f} "
        f"(by round {ratios.min():.2f} to {ratios.max():.2f})"
    )
    machine = provenance.machine()
    versions = ", ".join(f"{name} {number}" for name, number in provenance.versions().items())
    paragraph(f"{machine['cpu']}, {machine['cores']} cores; {versions}")


if __name__ == "__main__":
    cli.run(main)
