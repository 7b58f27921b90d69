"""Measure training against plain Keras and PyTorch: ``uv run python -m benchmarks``.

Contenders alternate (A B C A B C), each in a separate process, so that a slow spell of the machine
affects all of them. Compare the ratios of medians within one run, not the seconds.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd

from benchmarks import arrays, plot
from benchmarks.measuring import measure
from nnloss import commandline as cli
from nnloss._files import replacing
from nnloss.commandline import heading, paragraph, table
from nnloss.datasets.locate import named_folder
from nnloss.errors import DataError
from nnloss.runs import provenance

HERE = Path(__file__).resolve().parent
OURS, XLA, PLAIN, TORCH, MANY = "nnloss", "nnloss, XLA", "plain Keras", "PyTorch", "fit_many"
SCRIPTS = {OURS: "ours", XLA: "ours", PLAIN: "plain_keras", TORCH: "pytorch", MANY: "many_seeds"}
EPOCHS = {"boston": 100, "wafer": 20, "cifar10": 1}
SHARES = (0.1, 0.3, 1.0)

Rounds = Annotated[int, cli.option("How often each contender runs.", "N", cli.whole_number(3))]
Part = Annotated[
    Literal["training", "start", "rows", "seeds", "all"], cli.option("What to measure.")
]
Exercise = Annotated[
    Literal["boston", "wafer", "cifar10", "all"], cli.option("Whose network to train.")
]


@dataclass(frozen=True)
class Job:
    """One measurement: `epochs` is 0 for ``--help``, `number` is training rows or seeds."""

    part: str
    exercise: str
    contender: str
    epochs: int
    number: int
    rounds: int | None = None

    def command(self, files: dict[str, Path]) -> list[str]:
        """Return the arguments for Python."""
        if not self.epochs:
            return ["-m", f"exercises.{self.exercise}", "--help"]
        script = f"benchmarks.contenders.{SCRIPTS[self.contender]}"
        file = str(files[self.exercise])
        options = ["xla"] if self.contender == XLA else []
        return ["-m", script, self.exercise, file, str(self.epochs), str(self.number), *options]


def jobs(part: str, exercises: list[str], rows: dict[str, int]) -> Iterator[Job]:
    """Yield the jobs of a part in the order of each round, contenders alternating."""
    contenders = [OURS, PLAIN, *([TORCH] if find_spec("torch") else [])]
    for exercise in exercises:
        epochs, all_rows = EPOCHS[exercise], rows[exercise]
        if part == "training":
            for contender in (*contenders, XLA):
                yield Job(part, exercise, contender, epochs, all_rows)
        elif part == "start":
            yield Job(part, exercise, "nnloss --help", 0, 0)
            if exercise == "boston":  # one step: an epoch with one batch
                for contender in contenders:
                    yield Job(part, exercise, contender, 1, 32)
        elif part == "rows" and exercise == "wafer":
            for share in SHARES:
                for contender in contenders:
                    yield Job(part, exercise, contender, epochs, round(share * all_rows))
        elif part == "seeds" and exercise == "boston":
            yield Job(part, exercise, PLAIN, epochs, all_rows)
            for seeds in (1, 10, 100):
                yield Job(part, exercise, MANY, epochs, seeds)
            yield Job(part, exercise, MANY, epochs, 1000, rounds=1)
        elif part == "seeds" and exercise == "wafer":
            yield Job(part, exercise, PLAIN, 100, all_rows)
            yield Job(part, exercise, MANY, 100, 20)


def run(chosen: list[Job], files: dict[str, Path], rounds: int) -> pd.DataFrame:
    """Measure jobs round by round and return one row per measurement."""
    measured: list[dict[str, Any]] = []
    for number in range(1, rounds + 1):
        for job in chosen:
            if number > (job.rounds or rounds):
                continue
            result = measure(job.command(files))
            row = {"round": number, "exercise": job.exercise, "contender": job.contender}
            measured.append(row | {"epochs": job.epochs, "number": job.number} | result)
            took = result.get("training", result["seconds"])
            print(f"{job.part}, round {number}: {job.exercise}, {job.contender}, "
                  f"{job.number}: {took:.2f} s", file=sys.stderr)  # fmt: skip
    return pd.DataFrame(measured)


def ratios(measured: pd.DataFrame, column: str, factor: float = 1.0) -> pd.DataFrame:
    """Return medians per contender and their ratios to ours, with the range over rounds.

    `column` is ``training`` or ``seconds``; `factor` is the number of runs of a contender that one
    of ours replaces.
    """
    wide = measured.pivot(index="round", columns="contender", values=column)
    ours = MANY if MANY in wide else OURS
    rows = []
    for contender in measured["contender"].unique():
        each = factor * wide[contender] / wide[ours]
        median = factor * wide[contender].median() / wide[ours].median()
        own = contender == ours
        rows.append(
            {
                "contender": contender,
                "median, s": f"{wide[contender].median():.2f}",
                "/ ours": "" if own else f"{median:.2f}",
                "by round": "" if own else f"{each.min():.2f} to {each.max():.2f}",
                "peak, MB": f"{measured[measured['contender'] == contender]['MB'].max():,.0f}",
            }
        )
    return pd.DataFrame(rows)


def show(part: str, measured: pd.DataFrame) -> None:
    """Print the medians and ratios of a part."""
    for (exercise, epochs), group in measured.groupby(["exercise", "epochs"], sort=False):
        if part == "seeds":
            plain = group[group["contender"] == PLAIN]
            for seeds in sorted(group[group["contender"] == MANY]["number"].unique()):
                many = group[(group["contender"] == MANY) & (group["number"] == seeds)]
                both = pd.concat([plain[plain["round"].isin(many["round"])], many])
                heading(f"{exercise}, {epochs} epochs, {seeds} seeds against {seeds} plain runs")
                table(ratios(both, "training", factor=float(seeds)))
            continue
        for number, part_of in group.groupby("number"):
            what = "--help" if not epochs else f"{epochs} epochs, {number:,} rows"
            heading(f"{part}: {exercise}, {what}")
            table(ratios(part_of.replace("nnloss --help", OURS), COLUMN[part]))


COLUMN = {"training": "training", "rows": "training", "start": "seconds"}


def main(
    part: Part = "all",
    exercise: Exercise = "all",
    rounds: Rounds = 3,
    data_dir: cli.DataDir = None,
    out: cli.Out = HERE / "results",
) -> None:
    """Measure training against plain Keras and, if torch is installed, PyTorch."""
    cli.require_folder(out)
    named = named_folder(data_dir)
    exercises: list[str] = list(EPOCHS) if exercise == "all" else [exercise]
    if named is None and exercises != ["boston"]:
        raise DataError(
            "The benchmarks of Wafer and CIFAR-10 need a folder with the data",
            "found none named",
            "Name it by --data-dir or NNLOSS_DATA, or give --exercise boston",
        )
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder, f"{name}.npz") for name in exercises}
        data = named[0].resolve() if named else None
        # In a separate process: the reported peak memory of a process is never below the one of its
        # parent.
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            rows = {
                name: pool.submit(arrays.save, name, data, path).result()
                for name, path in files.items()
            }
        out.mkdir(parents=True, exist_ok=True)
        for name in ("training", "start", "rows", "seeds") if part == "all" else (part,):
            chosen = list(jobs(name, exercises, rows))
            if not chosen:
                continue
            measured = run(chosen, files, rounds)
            with replacing(out / f"{name}.csv") as path:
                measured.to_csv(path, index=False, float_format="%.6g")
            show(name, measured)
    figure = plot.drawn(out)
    if figure:
        with replacing(out / "speed.png") as path:
            figure.savefig(path, format="png", dpi=150)
    machine = {**provenance.machine(), **provenance.versions()}
    if find_spec("torch"):
        from importlib.metadata import version

        machine["torch"] = version("torch")
    with replacing(out / "machine.csv") as path:
        pd.Series(machine).rename_axis("what").rename("value").to_csv(path)
    paragraph(", ".join(f"{name} {value}" for name, value in machine.items()))


if __name__ == "__main__":
    cli.run(main)
