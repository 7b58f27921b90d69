"""A sweep with the light work, in a process of its own that a test may kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import light_work
import pandas as pd
import psutil

from nnloss.reproduction.folder import SweepFolder

ROOT = Path(__file__).resolve().parents[1]
DEADLINE = 300
PATHS = [ROOT / "src", ROOT, ROOT / "tests"]


def environment(*paths: Path) -> dict[str, str]:
    """Let a new process import from these folders first."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}


def until(sign: Callable[[], object], what: str) -> None:
    """Wait for a sign; only a process that hangs is that late."""
    end = time.monotonic() + DEADLINE
    while not sign():
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process is there, and no zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class LightSweep:
    """A sweep into a folder, again and again, and what its work tells."""

    def __init__(self, folder: Path) -> None:
        self.out, self.signs = folder / "out", folder / "signs"
        self.signs.mkdir()
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        """Start it in a session of its own, like a terminal's, and in the folder above `out`."""
        command = [sys.executable, "-m", "light_work", self.out.name, str(self.signs), *options]
        with self.errors(len(self.started)).open("wb") as errors:
            process = subprocess.Popen(
                command,
                stderr=errors,
                cwd=self.out.parent,
                env=environment(*PATHS),
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def ended(self, process: subprocess.Popen[bytes]) -> tuple[int, str]:
        """Wait for its end: exit status, and standard error but for the progress each minute."""
        status = process.wait(timeout=DEADLINE)
        lines = self.errors(self.started.index(process)).read_text().splitlines(keepends=True)
        return status, "".join(line for line in lines if not line.startswith("Sweep: "))

    def errors(self, number: int) -> Path:
        """Name the file with what a process wrote to standard error."""
        return self.signs / f"errors {number}"

    def hold(self, part: str = "") -> None:
        """Make the units wait in whose name this is."""
        (self.signs / "hold").write_text(part)

    def release(self) -> None:
        (self.signs / "hold").unlink()

    def begun(self) -> list[str]:
        """Names of the units that were begun."""
        return [unit for unit, _, _ in self.log()]

    def pids(self) -> list[int]:
        """List the processes that began them."""
        return [int(pid) for _, pid, _ in self.log()]

    def log(self) -> list[list[str]]:
        """Read unit, process and folder for backups of whatever was begun."""
        file = self.signs / "begun"
        return [line.split() for line in file.read_text().splitlines()] if file.exists() else []

    def wait_until_begun(self, units: int) -> None:
        until(lambda: len(self.begun()) >= units, f"{units} units begun")

    def kept(self) -> int:
        """Count the units that are kept."""
        return len(list(self.out.glob("sweep/boston/*/*/SHA256SUMS")))

    def check(self) -> None:
        """Assert that each seed is there once, with the number of a sweep of one process."""
        with SweepFolder(self.out).opened() as folder:
            table = folder.table("seeds", quick=False).drop(columns="folder")
        reference = self.out.with_name("reference")
        signs = reference.with_name("no signs")
        signs.mkdir(exist_ok=True)
        light_work.main(reference, signs)
        with SweepFolder(reference).opened() as folder:
            expected = folder.table("seeds", quick=False).drop(columns="folder")
        assert len(expected) == 8
        pd.testing.assert_frame_equal(table, expected)
        assert not (self.signs / "two at once").exists()

    def close(self) -> None:
        """End what a test that failed left behind."""
        (self.signs / "hold").unlink(missing_ok=True)
        for process in self.started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
