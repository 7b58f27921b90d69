"""Where a result comes from: the command, the versions, the machine, the commit."""

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

_LIBRARIES = ("nnloss", "tensorflow", "keras", "numpy", "pandas", "scikit-learn", "statsmodels")


def program() -> str:
    """Tell how this program is started, without the folder of the interpreter or of the script.

    Returns
    -------
    str
        For example ``python -m exercises.boston``, or ``nnloss``.
    """
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    if spec:
        return f"python -m {spec.name.removesuffix('.__main__')}"
    script = Path(sys.argv[0])
    return f"python {script.name}" if script.suffix else script.name


def command() -> str:
    """Tell what was typed.

    Returns
    -------
    str
        For example ``python -m exercises.boston --seed 0``, or ``notebook``.
    """
    if "ipykernel" in sys.modules:
        return "notebook"
    return f"{program()} {shlex.join(sys.argv[1:])}".strip()


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that results depend on.

    Returns
    -------
    dict of str to str
        Read from the installed packages; nothing is imported.
    """
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:  # a source tree that is not installed
            continue
    return found


def machine() -> dict[str, Any]:
    """Describe the machine.

    Returns
    -------
    dict
        ``system``, ``cpu``, ``cores`` that this process may use, and ``threads`` if the user
        limited them with ``TF_NUM_INTRAOP_THREADS`` or ``OMP_NUM_THREADS``.
    """
    threads = os.environ.get("TF_NUM_INTRAOP_THREADS") or os.environ.get("OMP_NUM_THREADS")
    return {
        "system": platform.system(),
        "cpu": _cpu(),
        "cores": cores(),
        "threads": int(threads) if threads and threads.isdigit() else None,
    }


def cores() -> int:
    """Count the cores that this process may use.

    Returns
    -------
    int
        At least 1.
    """
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
    """Commit of the checkout that this file belongs to.

    Returns
    -------
    str or None
        With ``-dirty`` behind it if tracked files had been changed; None if the package is
        installed elsewhere, or there is no git.
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
    """Tell the most memory that this process has held until now.

    Returns
    -------
    int or None
        Resident, in MB of 2**20 bytes; None where the system does not tell (Windows).
    """
    try:
        import resource
    except ImportError:
        return None
    # Linux counts in KiB, macOS in bytes.
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit
