"""Origin of a result: command, versions, machine and commit."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
import sys
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from nnloss.errors import printable

_LIBRARIES = ("nnloss", "tensorflow", "keras", "numpy", "pandas", "scikit-learn", "statsmodels")


def program() -> str:
    """Return how this program is started, such as ``python -m exercises.boston`` or ``nnloss``."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    if spec:
        return f"python -m {spec.name.removesuffix('.__main__')}"
    script = Path(sys.argv[0])
    return f"python {script.name}" if script.suffix else script.name


def command() -> str:
    """Return the command line, such as ``python -m exercises.boston --seed 0``, or ``notebook``."""
    if "ipykernel" in sys.modules:
        return "notebook"
    return printable(f"{program()} {shlex.join(sys.argv[1:])}".strip())


def versions() -> dict[str, str]:
    """Return the installed versions of Python and of the libraries that results depend on."""
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:  # a source tree that is not installed
            continue
    return found


def machine() -> dict[str, Any]:
    """Return ``system``, ``cpu``, available ``cores``, and ``threads``.

    The latter is the user's limit, ``TF_NUM_INTRAOP_THREADS`` or ``OMP_NUM_THREADS``, or None.
    """
    threads = os.environ.get("TF_NUM_INTRAOP_THREADS") or os.environ.get("OMP_NUM_THREADS")
    return {
        "system": platform.system(),
        "cpu": _cpu(),
        "cores": cores(),
        "threads": int(threads) if threads and threads.isdigit() else None,
    }


def cores() -> int:
    """Return the number of cores available to this process."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpu() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@cache
def git_commit() -> str | None:
    """Return the commit of this file's checkout.

    Ends in ``-dirty`` if tracked files were changed. None if the package is installed elsewhere or
    git is missing.
    """
    root = Path(__file__).resolve().parents[3]
    if not (root / ".git").exists() or not (root / "pyproject.toml").exists():
        return None
    command = [
        "git",
        "-C",
        str(root),
        "describe",
        "--always",
        "--dirty",
        "--exclude=*",
        "--abbrev=40",
    ]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):  # no git here: the record says null
        return None
    return answer.stdout.strip()


def peak_memory() -> int | None:
    """Return this process's peak resident memory in MB of 2**20 bytes; None on Windows."""
    try:
        import resource
    except ImportError:
        return None
    # Linux counts in KiB, macOS in bytes.
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit
