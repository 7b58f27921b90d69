"""Do units of work in processes of this machine; `cluster` does them on others."""

from __future__ import annotations

import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from nnloss.errors import NnlossError
from nnloss.reproduction.units import Outcome, Unit

#: Does a unit: takes it, a file for backups, and a function to tell which share is done.
Work = Callable[[Unit, Path, Callable[[float], None]], Outcome]


def on_this_machine(
    work: Work, units: Sequence[Unit], under_way: Path, jobs: int
) -> Generator[tuple[Unit, Outcome]]:
    """Do units in processes of this machine.

    Parameters
    ----------
    work : callable
        Does one; importable by name.
    units : sequence of Unit
        What is to be done, the longest first.
    under_way : Path
        Folder for backups.
    jobs : int
        Processes. If one, it is this process.

    Yields
    ------
    tuple of Unit and Outcome
        As they are done, in any order.

    Raises
    ------
    NnlossError
        If a process was killed.
    """
    from joblib import Parallel, delayed

    parallel = Parallel(
        jobs,
        backend="loky",
        return_as="generator_unordered",
        batch_size=1,
        max_nbytes=None,
        initializer=begin,
        initargs=(os.getpid(),),
    )
    try:
        with warnings.catch_warnings():
            # joblib says that it replaced a process that has grown, whose work is not lost, and
            # that it ended those that still worked when the sweep was given up.
            warnings.filterwarnings("ignore", r"A worker stopped|\d+ tasks", UserWarning)
            with _without_interrupts():  # the processes begin here, and inherit it
                done = parallel(delayed(_one)(work, unit, under_way) for unit in units)
            yield from done
    except BrokenProcessPool as error:
        raise NnlossError(
            "A process of the sweep must not be killed",
            f"joblib says: {str(error).partition('.')[0]}",
            "What is done is kept: run it again, with fewer --jobs if memory ran out",
        ) from error


def do(work: Work, unit: Unit, under_way: Path) -> Outcome:
    """Do a unit in this process, while no other does it: one may still be about to end.

    Parameters
    ----------
    work : callable
        Does one.
    unit : Unit
        What is to be done.
    under_way : Path
        Folder for backups, and for the share that is done.

    Returns
    -------
    Outcome
        What it gave.
    """
    one_thread()
    backup, share = under_way / f"{unit.name}.backup", under_way / f"{unit.name}.share"
    told = 0.0

    def tell(done: float) -> None:
        nonlocal told
        if time.monotonic() - told > 0.5:
            share.write_text(f"{done:.4f}", encoding="ascii")
            told = time.monotonic()

    with FileLock(under_way / f"{unit.name}.lock"):
        try:
            outcome = work(unit, backup, tell)
        except Exception as error:
            error.add_note(f"This was in the unit '{unit.name}' of the sweep.")
            raise
        share.unlink(missing_ok=True)
    return outcome


def one_thread() -> None:
    """Have TensorFlow use one thread in this process; it must not have begun to work yet.

    Sums are rounded otherwise with other threads. With one each, a seed gives the same bits however
    many processes there are, and together they do more than one that has all cores.
    """
    os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["TF_NUM_INTEROP_THREADS"] = "1"


def begin(parent: int) -> None:
    """Let this process leave Ctrl-C to its parent, who ends it, and not outlive the parent.

    Parameters
    ----------
    parent : int
        Its process.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _one(work: Work, unit: Unit, under_way: Path) -> tuple[Unit, Outcome]:
    return unit, do(work, unit, under_way)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Ignore Ctrl-C for a moment, and in processes that begin now: else each may complain."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread hears of it
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
