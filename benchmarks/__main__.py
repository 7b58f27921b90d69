"""Measure training against other ways to the same result: ``uv run python -m benchmarks``.

The others are plain Keras, Keras with its best options, PyTorch, JAX, scikit-learn, and the
arithmetic limit. Those whose libraries nnloss does not need run in the environment that ``--peers``
names: TensorFlow imports JAX wherever it is installed, which would change what is measured.
Contenders alternate (A B C A B C), each in a separate process, so that a slow spell of the machine
affects all of them. Compare the ratios of medians within one run, not the seconds.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd

from benchmarks import arrays, plot
from benchmarks.measuring import measure
from benchmarks.peers import COMPILED, JAX, NEEDS, SCIKIT, STACKED, TORCH, skipped, versions
from nnloss import commandline as cli
from nnloss._files import replacing
from nnloss.commandline import heading, paragraph, table
from nnloss.datasets.locate import named_folder
from nnloss.errors import DataError
from nnloss.reproduction.local import without_interrupts
from nnloss.runs import provenance

HERE = Path(__file__).resolve().parent
OURS, XLA, PLAIN, BEST = "nnloss", "nnloss, XLA", "plain Keras", "Keras, best options"
MANY, EACH, LIMIT = "fit_many", "fit_many, each epoch", "arithmetic limit"
SCRIPTS = {
    OURS: "ours",
    XLA: "ours",
    PLAIN: "plain_keras",
    BEST: "keras_best",
    TORCH: "pytorch",
    COMPILED: "pytorch",
    JAX: "jax_vmap",
    SCIKIT: "mlp_regressor",
    LIMIT: "arithmetic",
    MANY: "many_seeds",
    EACH: "many_seeds",
    STACKED: "torch_stacked",
}
OPTIONS = {XLA: ["xla"], COMPILED: ["compile"], EACH: ["each"]}
EPOCHS = {"boston": 100, "wafer": 20, "cifar10": 1}
SHARES = (0.1, 0.3, 1, 3, 10)
SEEDS = (1, 10, 100, 1000, 3000)

Rounds = Annotated[int, cli.option("How often each contender runs.", "N", cli.whole_number(3))]
Part = Annotated[
    Literal["training", "start", "rows", "seeds", "all"], cli.option("What to measure.")
]
Exercise = Annotated[
    Literal["boston", "wafer", "cifar10", "all"], cli.option("Whose network to train.")
]
Peers = Annotated[
    Path | None,
    cli.option(
        "Python of an environment with torch, jax and scikit-learn. Default: this one.",
        "PYTHON",
        Path,
    ),
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
        options = OPTIONS.get(self.contender, [])
        if self.part == "seeds" and self.contender != PLAIN:
            options = [*options, "seeds"]
        return ["-m", script, self.exercise, file, str(self.epochs), str(self.number), *options]


def jobs(part: str, exercises: list[str], rows: dict[str, int]) -> Iterator[Job]:
    """Yield the jobs of a part in the order of each round, contenders alternating."""
    for exercise in exercises:
        epochs, all_rows = EPOCHS[exercise], rows[exercise]
        single = [OURS, PLAIN, BEST, TORCH, COMPILED, JAX]
        single += [SCIKIT, LIMIT] if exercise == "boston" else [LIMIT]
        if part == "training":
            for contender in (*single, XLA):
                slow = contender == COMPILED or (exercise == "cifar10" and contender == JAX)
                yield Job(part, exercise, contender, epochs, all_rows, 1 if slow else None)
        elif part == "start":
            yield Job(part, exercise, "nnloss --help", 0, 0)
            if exercise == "boston":  # one step: an epoch with one batch
                for contender in (OURS, PLAIN, TORCH):
                    yield Job(part, exercise, contender, 1, 32)
        elif part == "rows" and exercise != "cifar10":
            for share in SHARES:
                once = 1 if share > 1 else None
                for contender in (OURS, PLAIN, TORCH, JAX):
                    yield Job(part, exercise, contender, epochs, round(share * all_rows), once)
        elif part == "seeds" and exercise == "boston":
            yield Job(part, exercise, PLAIN, epochs, all_rows)
            for seeds in SEEDS:
                for contender in (MANY, EACH, JAX, STACKED, LIMIT):
                    if contender == STACKED and seeds > 1000:  # a quarter of an hour
                        continue
                    once = 1 if seeds >= 1000 else None
                    yield Job(part, exercise, contender, epochs, seeds, once)
        elif part == "seeds" and exercise == "wafer":
            yield Job(part, exercise, PLAIN, 100, all_rows)
            yield Job(part, exercise, MANY, 100, 20)
            yield Job(part, exercise, EACH, 100, 20, rounds=1)
            # Not torch.func: vmap makes grouped convolutions, 6 s for an epoch of 5 seeds.
            yield Job(part, exercise, JAX, 100, 20, rounds=1)
            yield Job(part, exercise, LIMIT, 100, 20)


def run(
    chosen: list[Job], files: dict[str, Path], rounds: int, peers: str | Path = sys.executable
) -> pd.DataFrame:
    """Measure jobs round by round and return one row per measurement.

    `peers` is the Python of the contenders in `NEEDS`.
    """
    measured: list[dict[str, Any]] = []
    for number in range(1, rounds + 1):
        for job in chosen:
            if number > (job.rounds or rounds):
                continue
            result = measure(
                job.command(files), peers if job.contender in NEEDS else sys.executable
            )
            row = {"round": number, "exercise": job.exercise, "contender": job.contender}
            measured.append(row | {"epochs": job.epochs, "number": job.number} | result)
            took = result.get("training", result["seconds"])
            print(f"{job.part}, round {number}: {job.exercise}, {job.contender}, "
                  f"{job.number}: {took:.3g} s", file=sys.stderr)  # fmt: skip
    return pd.DataFrame(measured)


def ratios(measured: pd.DataFrame, column: str, seeds: int = 1) -> pd.DataFrame:
    """Return medians per contender and their ratios to ours, with the range over rounds.

    `column` is ``training`` or ``seconds``. A ratio is taken over the rounds that have both. If
    `seeds` are trained at once, plain Keras needs as many runs.
    """
    wide = measured.pivot(index="round", columns="contender", values=column)
    ours = MANY if MANY in wide else OURS
    rows = []
    for contender in measured["contender"].unique():
        factor = seeds if contender == PLAIN else 1
        both = wide[[contender, ours]].dropna().set_axis(["theirs", "ours"], axis=1)
        each = factor * both["theirs"] / both["ours"]
        median = factor * both["theirs"].median() / both["ours"].median()
        own = contender == ours
        peak = measured[measured["contender"] == contender]["MB"].max()
        rows.append(
            {
                "contender": contender,
                "median, s": f"{wide[contender].median():.3g}",
                "/ ours": "" if own else _ratio(median),
                "by round": "" if own else f"{_ratio(each.min())} to {_ratio(each.max())}",
                # That of the limit is only a product of two matrices.
                "peak, MB": "" if contender == LIMIT else f"{peak:,.0f}",
            }
        )
    return pd.DataFrame(rows)


def _ratio(value: float) -> str:
    return f"{value:.2f}" if value >= 1 else f"{value:.2g}"


def show(part: str, measured: pd.DataFrame) -> None:
    """Print the medians and ratios of a part."""
    for (exercise, epochs), group in measured.groupby(["exercise", "epochs"], sort=False):
        if part == "seeds":
            plain, many = group[group["contender"] == PLAIN], group[group["contender"] != PLAIN]
            for seeds in sorted(many["number"].unique()):
                heading(f"{exercise}, {epochs} epochs, {seeds:,} seeds")
                both = pd.concat([many[many["number"] == seeds], plain])
                table(ratios(both, "training", seeds))
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
    peers: Peers = None,
    data_dir: cli.DataDir = None,
    out: cli.Out = HERE / "results",
) -> None:
    """Measure training against Keras, PyTorch, JAX, scikit-learn and the arithmetic limit."""
    cli.require_folder(out)
    named = named_folder(data_dir)
    exercises: list[str] = list(EPOCHS) if exercise == "all" else [exercise]
    if named is None and exercises != ["boston"]:
        raise DataError(
            "The benchmarks of Wafer and CIFAR-10 need a folder with the data",
            "found none named",
            "Name it by --data-dir or NNLOSS_DATA, or give --exercise boston",
        )
    # Not resolved: the Python of an environment is often a link to another one.
    peers_python = peers.absolute() if peers else sys.executable
    found = versions(peers_python)
    missing = skipped(found)
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder, f"{name}.npz") for name in exercises}
        data = named[0].resolve() if named else None
        # In a separate process: the reported peak memory of a process is never below the one of its
        # parent.
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            with without_interrupts():  # the process starts here and inherits it
                saved = {
                    name: pool.submit(arrays.save, name, data, path) for name, path in files.items()
                }
            rows = {name: future.result() for name, future in saved.items()}
        out.mkdir(parents=True, exist_ok=True)
        for line in dict.fromkeys(missing.values()):
            print(line, file=sys.stderr)
        for name in ("training", "start", "rows", "seeds") if part == "all" else (part,):
            chosen = [job for job in jobs(name, exercises, rows) if job.contender not in missing]
            if not chosen:
                continue
            measured = run(chosen, files, rounds, peers_python)
            with replacing(out / f"{name}.csv") as path:
                measured.to_csv(path, index=False, float_format="%.6g")
            show(name, measured)
    figure = plot.drawn(out)
    if figure:
        with replacing(out / "speed.png") as path:
            figure.savefig(path, format="png", dpi=150)
    # The peers' scikit-learn takes the place of ours, which trains nothing here.
    machine = {**provenance.machine(), **provenance.versions(), **found}
    with replacing(out / "machine.csv") as path:
        pd.Series(machine).rename_axis("what").rename("value").to_csv(path)
    paragraph(", ".join(f"{name} {value}" for name, value in machine.items()))


if __name__ == "__main__":
    cli.run(main)
