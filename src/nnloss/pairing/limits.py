"""Limits of time and memory for work on files that may be hostile."""

from __future__ import annotations

import multiprocessing
import signal
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import psutil

from nnloss.errors import DataError, NnlossError

#: Seconds of processor time, and bytes of memory beyond what Keras takes, for one file.
SECONDS, BYTES = 10, 2**29


class Limited:
    """Context that calls a function in a process of its own, each time within limits.

    Beyond them the process is killed, whatever it is busy with; the next call starts another one.

    Parameters
    ----------
    function : callable
        Importable by name. Its first argument is a file; its last one is a function that it calls
        when it has imported what it needs, for the limits hold from then on.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._process: Any = None

    def __enter__(self) -> Limited:
        return self

    def __exit__(self, *error: object) -> None:
        self._end()

    def __call__(self, file: Any, *arguments: Any) -> Any:
        """Return the result of the function, or raise its error.

        Raises
        ------
        DataError
            If the call takes more time or memory than it may.
        """
        if self._process is None:
            self._start()
        self._connection.send((file, *arguments))
        try:
            kind, result = self._connection.recv()
            if kind == "started":
                self._wait(file)
                kind, result = self._connection.recv()
        except (EOFError, psutil.Error) as error:
            raise self._ended(file, "the process that checked it died") from error
        if kind == "error":
            raise result
        return result

    def _start(self) -> None:
        spawning = multiprocessing.get_context("spawn")
        self._connection, there = spawning.Pipe()
        self._process = spawning.Process(target=_serve, args=(there, self._function), daemon=True)
        self._process.start()
        there.close()

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None

    def _wait(self, file: Any) -> None:
        """Wait for a message, within the limits."""
        process = psutil.Process(self._process.pid)
        time, memory = _used(process)
        while not self._connection.poll(0.05):
            now, size = _used(process)
            if now - time > SECONDS:
                raise self._ended(file, f"it takes more than {SECONDS} s")
            if size - memory > BYTES:
                more = f"it takes more than {BYTES / 2**30:g} GiB of memory"
                raise self._ended(file, more)

    def _ended(self, file: Any, found: str) -> DataError:
        self._end()
        return DataError(
            f"'{file}' must be a model that can be checked quickly and in little memory",
            found,
            "Check the model in Python where it is made, with nnloss.check_pairing(model)",
        )


def _used(process: psutil.Process) -> tuple[float, int]:
    """Return the seconds of processor time and the bytes of memory that a process has used."""
    times = process.cpu_times()
    return times.user + times.system, process.memory_info().rss


def _serve(connection: Connection, function: Callable[..., Any]) -> None:
    """Call the function with what is received, and send its result or its error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent kills this process
    while True:
        try:
            arguments = connection.recv()
        except EOFError:
            return
        try:
            result = function(*arguments, lambda: connection.send(("started", None)))
        except Exception as error:
            if not isinstance(error, NnlossError):
                error.add_note(traceback.format_exc())  # pickling drops the traceback
            connection.send(("error", error))
        else:
            connection.send(("result", result))
