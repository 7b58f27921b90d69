"""Time and memory of a command in a separate process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def measure(
    command: list[str], python: str | Path = sys.executable, **environment: str
) -> dict[str, Any]:
    """Run a command of a Python once and return its measurements.

    Keys are ``seconds`` (wall time), ``MB`` (peak resident memory) and those of the JSON object in
    its last line, if any: ``training`` (seconds, compilation included) and ``val_loss``. Raises
    RuntimeError with its standard error if it fails.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            [python, *command],
            cwd=ROOT, env={**os.environ, **environment}, stdout=out, stderr=errors,
        )  # fmt: skip
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except KeyboardInterrupt:
            process.kill()
            raise
        seconds = time.perf_counter() - start
        out.seek(0)
        errors.seek(0)
        if status:
            code = os.waitstatus_to_exitcode(status)
            raise RuntimeError(f"{' '.join(command)} ended with {code}\n{errors.read()}")
        last = out.read().strip().rpartition("\n")[2]
    # Linux reports KiB, macOS bytes.
    peak = usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    printed = json.loads(last) if last.startswith("{") else {}
    return {"seconds": seconds, "MB": peak, **printed}
