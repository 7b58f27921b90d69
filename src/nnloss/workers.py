"""Who does the work: processes of this machine (joblib), or a Dask cluster."""

from __future__ import annotations

import importlib
import logging
import os
import signal
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock

from nnloss import provenance
from nnloss.errors import NnlossError
from nnloss.units import Outcome, Unit

#: Does a unit: takes it, a file for backups, and a function to tell which share is done.
Work = Callable[[Unit, Path, Callable[[float], None]], Outcome]

#: Seconds to wait for a scheduler, and for its first worker.
PATIENCE = 8.0

# Keras' seed and TensorFlow's belong to the process: threads take turns.
_TURN = threading.Lock()


def on_this_machine(
    work: Work, units: Sequence[Unit], under_way: Path, jobs: int
) -> Iterator[tuple[Unit, Outcome]]:
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
        Processes.

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
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    tasks = (delayed(_in_child)(work, unit, under_way, os.getpid()) for unit in units)
    parallel = Parallel(
        jobs, backend="loky", return_as="generator_unordered", batch_size=1, max_nbytes=None
    )
    try:
        with warnings.catch_warnings():
            # joblib replaces a process that has grown, and says so; the work is not lost.
            warnings.filterwarnings("ignore", "A worker stopped", UserWarning)
            yield from parallel(tasks)
    except TerminatedWorkerError as error:
        raise NnlossError(
            "A process of the sweep must not be killed",
            "one was, perhaps because memory ran out",
            "What is done is kept: run it again, with fewer --jobs",
        ) from error


def on_a_cluster(
    work: Work, units: Sequence[Unit], under_way: Path, address: str
) -> Iterator[tuple[Unit, Outcome]]:
    """Do units on the workers of a Dask scheduler.

    A unit whose worker is lost is done by another one.

    Parameters
    ----------
    work : callable
        Does one; importable by name on the workers.
    units : sequence of Unit
        What is to be done, the longest first.
    under_way : Path
        Folder for backups; a worker that cannot see it uses a folder of its own.
    address : str
        Such as ``tcp://127.0.0.1:8786``.

    Yields
    ------
    tuple of Unit and Outcome
        As they are done, in any order.

    Raises
    ------
    NnlossError
        If Dask is not installed, no scheduler answers, it has no worker, or a worker lacks the
        packages or has other versions of them.
    """
    client = connected(address, work.__module__)
    from distributed import as_completed
    from distributed.scheduler import KilledWorker

    run = f"{os.getpid()}-{time.time_ns()}"  # so that no other client's results are taken
    futures = [
        client.submit(_on_worker, work, unit, under_way, key=f"{unit.name}-{run}", pure=False)
        for unit in units
    ]
    try:
        for _, done in as_completed(futures, with_results=True):
            yield done
    except KilledWorker as error:
        raise NnlossError(
            "A worker of the cluster must live to do a unit",
            f"each one that tried died: {str(error).splitlines()[0]}",
            "What is done is kept; see the workers' logs, and run it again",
        ) from error
    finally:
        client.cancel(futures)
        client.close(timeout=2)


def connected(address: str, module: str) -> Any:
    """Connect to a Dask scheduler.

    Parameters
    ----------
    address : str
        Such as ``tcp://127.0.0.1:8786``.
    module : str
        Where the work is; the workers must be able to import it.

    Returns
    -------
    distributed.Client
        Whose workers have the same versions as this process.

    Raises
    ------
    NnlossError
        As `on_a_cluster`.
    """
    rule = f"--scheduler needs a Dask scheduler with workers at '{address}'"
    try:
        from distributed import Client
    except ImportError as error:
        raise NnlossError(
            rule, "found no Dask here", "Install it: pip install 'nnloss[cluster]'"
        ) from error
    for name in ("distributed", "tornado"):  # what they would say is said below, in one line
        logging.getLogger(name).setLevel(logging.CRITICAL)
    start = "Start one with 'dask scheduler', and workers with 'dask worker ADDRESS --nthreads 1'"
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        text = (str(error) or type(error).__name__).splitlines()[0]
        raise NnlossError(rule, f"nothing answers as one: {text}", start) from error
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
        versions = client.run(_versions, module)
    except TimeoutError as error:
        client.close(timeout=2)
        raise NnlossError(rule, "it has no worker", start) from error
    except ModuleNotFoundError as error:
        client.close(timeout=2)
        raise NnlossError(
            rule, f"a worker says: {error}", "Install nnloss there as it is installed here"
        ) from error
    here = provenance.versions()
    for worker, found in versions.items():
        for name in here:
            if found.get(name) != here[name]:
                client.close(timeout=2)
                raise NnlossError(
                    rule,
                    f"worker {worker} has {name} {found.get(name)}, here is {here[name]}",
                    "Install the same versions on all machines",
                )
    return client


def _versions(module: str) -> dict[str, str]:
    importlib.import_module(module)
    return provenance.versions()


def _in_child(work: Work, unit: Unit, under_way: Path, parent: int) -> tuple[Unit, Outcome]:
    """Do a unit in a process of its own, which must not outlive its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, who ends this process
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    return unit, _alone(work, unit, under_way)


def _on_worker(work: Work, unit: Unit, under_way: Path) -> tuple[Unit, Outcome]:
    with _TURN:
        if under_way.is_dir():
            return unit, _alone(work, unit, under_way)
        with tempfile.TemporaryDirectory() as folder:
            return unit, _alone(work, unit, Path(folder))


def _alone(work: Work, unit: Unit, under_way: Path) -> Outcome:
    """Do a unit while no other process does it: one may still be about to end."""
    # Sums are rounded otherwise with other threads. With one each, a seed gives the same bits
    # however many processes there are, and together they do more than one that has all cores.
    os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["TF_NUM_INTEROP_THREADS"] = "1"
    backup, share = under_way / f"{unit.name}.backup", under_way / f"{unit.name}.share"
    told = [0.0]

    def tell(done: float) -> None:
        if time.monotonic() - told[0] > 0.5:
            share.write_text(f"{done:.4f}", encoding="ascii")
            told[0] = time.monotonic()

    with FileLock(under_way / f"{unit.name}.lock"):
        outcome = work(unit, backup, tell)
        share.unlink(missing_ok=True)
    return outcome


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)
