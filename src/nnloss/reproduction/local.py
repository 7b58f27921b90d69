"""Units of work in processes on this machine; `cluster` runs them on other machines."""

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

#: Function that runs a unit, given a backup file and a callback for the share that is done.
Work = Callable[[Unit, Path, Callable[[float], None]], Outcome]


def run_locally(
    work: Work, units: Sequence[Unit], under_way: Path, jobs: int
) -> Generator[tuple[Unit, Outcome]]:
    """Yield each unit with its outcome from `jobs` processes on this machine, in any order.

    With one job, the units run in this process. `work` must be importable by name; `units` must
    come longest first. Raise NnlossError if a process was killed.
    """
    from joblib import Parallel, delayed

    parallel = Parallel(
        jobs,
        backend="loky",
        return_as="generator_unordered",
        batch_size=1,
        max_nbytes=None,
        initializer=start_worker,
        initargs=(os.getpid(),),
    )
    try:
        with warnings.catch_warnings():
            # joblib warns when it replaces a process that has grown, which loses no work, and
            # when it ends busy processes because the sweep was abandoned.
            warnings.filterwarnings("ignore", r"A worker stopped|\d+ tasks", UserWarning)
            with without_interrupts():  # the processes start here and inherit it
                done = parallel(delayed(run_unit)(work, unit, under_way) for unit in units)
            yield from done
    except BrokenProcessPool as error:
        raise NnlossError(
            "A process of the sweep must not be killed",
            f"joblib says: {str(error).partition('.')[0]}",
            "What is done is kept: run it again, with fewer --jobs if memory ran out",
        ) from error


def run_unit(work: Work, unit: Unit, under_way: Path) -> tuple[Unit, Outcome]:
    """Run a unit in this process, under a lock, since an older process may still be ending."""
    one_thread()
    backup, share = under_way / f"{unit.name}.backup", under_way / f"{unit.name}.share"
    told = 0.0

    def report(done: float) -> None:
        nonlocal told
        if time.monotonic() - told > 0.5:
            share.write_text(f"{done:.4f}", encoding="ascii")
            told = time.monotonic()

    with FileLock(under_way / f"{unit.name}.lock"):
        try:
            outcome = work(unit, backup, report)
        except Exception as error:
            error.add_note(f"This was in the unit '{unit.name}' of the sweep.")
            raise
        share.unlink(missing_ok=True)
    return unit, outcome


def one_thread() -> None:
    """Limit TensorFlow to one thread in this process; call it before TensorFlow is used."""
    # The rounding of sums depends on the number of threads. With one thread a seed gives the same
    # bits for any number of processes, and several such processes do more than one with all cores.
    os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["TF_NUM_INTEROP_THREADS"] = "1"


def start_worker(parent: int) -> None:
    """Ignore Ctrl-C in this process, since its parent handles it, and end with the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)


@contextmanager
def without_interrupts() -> Iterator[None]:
    """Ignore Ctrl-C, also in processes started meanwhile: each might print a traceback."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread receives signals
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
