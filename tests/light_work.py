"""A light work that tells what it does: for sweeps in processes that a test kills.

``signs`` is a folder through which a test and the processes at work talk: the file ``hold`` makes
the units wait in whose name its text is; ``refuse``, ``fail`` and ``die`` are what they do then.
As a program it is a sweep with this work.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import psutil

from nnloss import NnlossError, RunRecord
from nnloss.reproduction import cluster
from nnloss.reproduction.folder import SweepFolder
from nnloss.reproduction.sweep import sweep
from nnloss.reproduction.units import Configuration, Outcome, Unit
from nnloss.runs import provenance

CONFIGURATIONS = [
    Configuration("boston", loss, None, 3, 32)
    for loss in ("mean_squared_error", "mean_absolute_error")
]


def work(unit: Unit, backup: Path, tell: Callable[[float], None], *, signs: Path) -> Outcome:
    """Tell that it begins, wait while it is held, and give numbers that follow from the seeds."""
    pid = str(os.getpid())
    with (signs / "begun").open("a") as log:
        log.write(f"{unit.name} {pid} {backup.parent}\n")
    for mark in signs.glob("at work *"):
        _, _, name, other = mark.name.split()
        if other == pid or (name == unit.name and _lives(int(other))):
            (signs / "two at once").touch()
    mark = signs / f"at work {unit.name} {pid}"
    mark.touch()
    tell(0.5)
    time.sleep(0.05)
    while _held(unit, signs / "hold"):
        time.sleep(0.02)
    mark.unlink()
    if (signs / "refuse").exists():
        raise NnlossError("A rule", "it is\nbroken", "Mend it")
    if (signs / "fail").exists():
        raise KeyError("of the work")
    if (signs / "die").exists():
        os._exit(1)
    return _outcome(unit)


def _lives(pid: int) -> bool:
    """Whether a process goes on; one that ends is there for a moment after its locks."""
    try:
        psutil.Process(pid).wait(timeout=10)
    except psutil.NoSuchProcess:
        return False
    except psutil.TimeoutExpired:
        return True
    return False


def _held(unit: Unit, file: Path) -> bool:
    try:
        return file.read_text() in unit.name
    except FileNotFoundError:
        return False


def _outcome(unit: Unit) -> Outcome:
    wanted = unit.configuration
    values = [np.random.default_rng([len(str(wanted.loss)), s]).random() for s in unit.seeds]
    record = RunRecord(
        unit.name,
        wanted.exercise,
        "finished",
        seeds=list(unit.seeds),
        loss=wanted.loss,
        epochs=wanted.epochs,
        batch_size=wanted.batch_size,
        versions=provenance.versions(),
    )
    table = pd.DataFrame({"seed": unit.seeds, "diverged": False, "val_loss": values})
    return Outcome(record, {"seeds": table})


def main(out: Path, signs: Path, jobs: int = 1, scheduler: str | None = None) -> None:
    """Sweep: four seeds of two configurations, in four units."""
    here = partial(work, signs=signs)
    if scheduler is not None:
        cluster.connect(scheduler, here).close()
    with SweepFolder(out).opened() as folder:
        sweep(
            folder,
            dict.fromkeys(CONFIGURATIONS, 4),
            here,
            size=lambda configuration: 2,
            cost=lambda configuration: float(len(str(configuration.loss))),
            jobs=jobs,
            scheduler=scheduler,
        )


if __name__ == "__main__":
    import light_work

    from nnloss import commandline

    # As at a terminal, wherever the tests run: in the background, Ctrl-C is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    commandline.run(light_work.main)
