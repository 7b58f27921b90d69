"""Units of work on a Dask cluster; `nnloss.reproduction.local` runs them on this machine."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import tempfile
import time
import traceback
import warnings
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib import metadata
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nnloss.errors import NnlossError
from nnloss.reproduction.local import Work, run_unit, start_worker
from nnloss.reproduction.units import Outcome, Unit
from nnloss.runs import provenance

logger = logging.getLogger("nnloss")

#: Seconds to wait for a scheduler, for its first worker, and between checks of its workers.
PATIENCE = 7.0

_WORKER = "'dask worker tcp://HOST:PORT --nthreads 1'"
_START = f"'dask scheduler', and workers with {_WORKER}"


def run_on_cluster(
    work: Work, units: Sequence[Unit], under_way: Path, address: str
) -> Generator[tuple[Unit, Outcome]]:
    """Yield each unit with its outcome from the workers of a Dask scheduler, in any order.

    A unit whose worker is lost goes to another one; without workers, the sweep waits for one.
    The workers import `work` by name. `units` must come longest first. A worker that cannot see
    `under_way` keeps its backups in a temporary folder. Raise NnlossError as `connect` does, if
    the scheduler is lost, or if four workers died while they ran the same unit.
    """
    client = connect(address, work)
    from distributed import CancelledError, KilledWorker

    # One group, so that the scheduler keeps the queue: a worker gets a unit when it is free.
    # The name is unique: otherwise another client's results could be taken for ours.
    sweep = f"sweep-{time.time_ns()}"
    left = {
        client.submit(_on_worker, work, unit, under_way.absolute(), key=(sweep, unit.name))
        for unit in units
    }
    try:
        while left:
            for future in _ready(client, left, address):
                left.remove(future)
                yield future.result()
    except CancelledError as error:
        raise NnlossError(
            "The Dask scheduler must live until the sweep has ended",
            f"the one at '{address}' was lost, or dropped the sweep",
            "What is done is kept: run it again",
        ) from error
    except KilledWorker as error:
        raise NnlossError(
            "A worker must live until it has done a unit",
            f"{error.allowed_failures + 1} that had '{error.task[1]}' died",
            "What is done is kept: see the workers' logs and memory, and run it again",
        ) from error
    finally:
        client.close(timeout=PATIENCE)  # the scheduler drops units that no client waits for


def connect(address: str, work: Work) -> Any:
    """Return a client of the Dask scheduler at `address`, such as ``tcp://127.0.0.1:8786``.

    Raise NnlossError if Dask is not installed, no scheduler answers, it has no worker, or the
    scheduler or a worker cannot import `work` or has other versions than this process.
    """
    _require_address(address)
    try:
        from distributed import Client
        from distributed.versions import VersionMismatchWarning
    except ImportError as error:
        raise NnlossError(
            "--scheduler needs Dask", str(error), "Install it: pip install 'nnloss[cluster]'"
        ) from error
    # The errors below replace these log messages. Each logger may have its own level.
    for name in ("distributed", "distributed.client", "tornado", "tornado.application"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    _require_scheduler(address)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", VersionMismatchWarning)
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    try:
        _require_workers(client, work, address)
    except BaseException:
        client.close(timeout=PATIENCE)
        raise
    return client


def _refused(address: str, found: str) -> NnlossError:
    rule = f"--scheduler needs a Dask scheduler, not '{address}'"
    return NnlossError(rule, found, f"Start one with {_START}")


def _require_address(address: str) -> None:
    """Raise an error if `address` is not the address of a scheduler."""
    try:
        parts = urlsplit(address)
        whole = parts.scheme in ("tcp", "tls") and parts.hostname and parts.port
    except ValueError:  # the port is not a number
        whole = False
    if not whole:
        raise _refused(address, "it is not an address such as tcp://127.0.0.1:8786")


def _require_scheduler(address: str) -> None:
    """Raise an error if no scheduler answers; Dask's client might wait for ever."""
    try:
        with ThreadPoolExecutor(1) as thread:  # a notebook's thread already has an event loop
            found = thread.submit(asyncio.run, _identity(address)).result()["type"]
    except OSError as error:
        raise _refused(address, f"nothing answers there in {PATIENCE:.0f} s") from error
    except Exception as error:  # the error depends on the other protocol
        raise _refused(address, "what answers there is not a Dask scheduler") from error
    if found != "Scheduler":
        raise _refused(address, f"that is the address of a {found}")


async def _identity(address: str) -> dict[str, Any]:
    from distributed import rpc

    async with asyncio.timeout(PATIENCE), rpc(address, timeout=PATIENCE) as there:
        return dict(await there.identity())


def _require_workers(client: Any, work: Work, address: str) -> None:
    """Raise an error if there is no worker, or packages differ: work is sent by name."""
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError as error:
        rule, remedy = f"The Dask scheduler '{address}' needs a worker", f"Start one with {_WORKER}"
        raise NnlossError(rule, "it has none", remedy) from error
    rule = f"The Dask scheduler '{address}' and its workers need what is installed here"
    remedy = "Install the same there, or start them where it can be imported"
    try:
        versions = {"the scheduler": client.run_on_scheduler(_versions, work)}
        versions |= client.run(_versions, work)
    except Exception as error:  # a plain one, with the text of the remote error
        raise NnlossError(rule, f"one of them reports: {error}", remedy) from error
    here = _versions(work)
    for place, there in versions.items():
        for name in here:
            if there.get(name) != here[name]:
                found = f"{place} has {name} {there.get(name)}, here is {here[name]}"
                raise NnlossError(rule, found, remedy)


def _versions(work: Work) -> dict[str, str]:
    """Return the versions; that `work` was unpickled shows that it can be imported."""
    return provenance.versions() | {"distributed": metadata.version("distributed")}


def _ready(client: Any, left: set[Any], address: str) -> set[Any]:
    """Wait until a unit is done, and warn once if no worker is left."""
    from distributed import wait

    told = False
    while True:
        with suppress(TimeoutError), client.as_current():
            return set(wait(left, timeout=PATIENCE, return_when="FIRST_COMPLETED").done)
        with suppress(OSError):  # the scheduler is lost: `wait` will raise
            if not told and not client.nthreads():
                logger.warning("No worker is left at '%s': the sweep waits for one.", address)
                told = True


def _on_worker(work: Work, unit: Unit, under_way: Path) -> tuple[Unit, Outcome]:
    """Run a unit in a separate process.

    Keras draws seeds from Python's global random state, which Dask's threads use too: in the
    worker's own process a seed would not always give the same bits.
    """
    from distributed import get_worker

    multiprocessing.current_process().daemon = False  # daemons may not have children
    spawning = multiprocessing.get_context("spawn")
    here, there = spawning.Pipe(duplex=False)
    with tempfile.TemporaryDirectory() as own:
        folder = under_way if under_way.is_dir() else Path(own)
        child = spawning.Process(
            target=_in_child, args=(there, os.getpid(), work, unit, folder), daemon=True
        )
        child.start()
        there.close()
        try:
            received: tuple[Unit, Outcome] | Exception = here.recv()
        except EOFError:
            os._exit(1)  # end this worker too, so that Dask reschedules the unit
        child.join()
    if isinstance(received, NnlossError):  # such as missing data: which worker lacks them?
        found = f"{received.found} (on the worker {get_worker().address})"
        raise type(received)(received.rule, found, received.remedy)
    if isinstance(received, Exception):
        raise received
    return received


def _in_child(there: Connection, parent: int, work: Work, unit: Unit, folder: Path) -> None:
    start_worker(parent)
    try:
        there.send(run_unit(work, unit, folder))
    except Exception as error:
        error.add_note(traceback.format_exc())  # pickling drops the traceback
        there.send(error)
