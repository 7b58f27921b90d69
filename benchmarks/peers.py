"""Peers whose libraries nnloss does not need: where they run, and which are missing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from nnloss.errors import NnlossError

TORCH, COMPILED, STACKED = "PyTorch", "torch.compile", "torch.func"
JAX, SCIKIT = "JAX", "scikit-learn"
#: The distribution that each optional contender needs.
NEEDS = {TORCH: "torch", COMPILED: "torch", STACKED: "torch", JAX: "jax", SCIKIT: "scikit-learn"}

# NumPy is imported because all peers read their arrays with it.
_QUESTION = """
import importlib.metadata, json, sys
import numpy
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
print(json.dumps(found))
"""


def versions(python: str | Path) -> dict[str, str]:
    """Return the versions of the peers' libraries that a Python has, by distribution.

    Raises NnlossError if it is no Python with NumPy.
    """
    names = sorted(set(NEEDS.values()))
    try:
        answer = subprocess.run(
            [python, "-c", _QUESTION, *names], capture_output=True, text=True, check=True
        )
        found = json.loads(answer.stdout)
    except (OSError, subprocess.CalledProcessError, ValueError) as error:
        raise NnlossError(
            "--peers needs the Python of an environment with NumPy and the peers' libraries",
            f"found '{python}', which does not run or lacks NumPy",
            "Name one such as ENVIRONMENT/bin/python",
        ) from error
    return {str(name): str(version) for name, version in found.items()}


def skipped(found: dict[str, str]) -> dict[str, str]:
    """Return why a contender cannot run, for each that cannot; `found` is that of `versions`."""
    titles = {"torch": "PyTorch", "jax": "JAX", "scikit-learn": "scikit-learn"}
    reasons = {
        contender: f"{titles[needed]} is not installed: skipped; "
        "name an environment that has it by --peers"
        for contender, needed in NEEDS.items()
        if needed not in found
    }
    compilers = [os.environ.get("CXX") or "g++", "clang++"]
    if COMPILED not in reasons and not any(map(shutil.which, compilers)):
        reasons[COMPILED] = (
            "torch.compile needs a C++ compiler: skipped; install g++, or name it by CXX"
        )
    return reasons
