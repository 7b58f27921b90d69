"""Limits of time and memory for work on a file that may be hostile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import TypeVar

Result = TypeVar("Result")

#: Seconds of processor time, and bytes of memory that may be added.
SECONDS, BYTES = 10, 2**30
_SIZE = Path("/proc/self/statm")  # its first number is the size of this process, in pages


def in_thread(work: Callable[[], Result]) -> Result:
    """Return the result of a function that runs in a thread of its own, within limits.

    Raises what the function raises, TimeoutError after `SECONDS` (the thread goes on, and ends with
    the process at the latest) and, on Linux, MemoryError beyond `BYTES`.
    """
    done: Future[Result] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:
            full = type(error).__name__ in ("MemoryError", "ResourceExhaustedError")
            text = f"it takes more than {BYTES / 2**30:.0f} GiB of memory"
            done.set_exception(MemoryError(text) if full else error)

    began = time.process_time()
    with _limited_memory():
        Thread(target=run, daemon=True).start()
        while not wait([done], timeout=0.1).done:
            if time.process_time() - began > SECONDS:
                raise TimeoutError(f"it takes more than {SECONDS} s")
    return done.result()


@contextmanager
def _limited_memory() -> Iterator[None]:
    """Limit the memory that this process may add inside the context, where /proc tells its size."""
    if not _SIZE.exists():
        yield
        return
    import resource  # which Windows lacks

    size = int(_SIZE.read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    before, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size + BYTES, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (before, hard))
