"""What the tests share: small bodies, the data, and a clean environment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nnloss import load_boston
from nnloss._tensorflow import keras

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def _no_data_folder(monkeypatch):
    """Use the embedded data, whatever the environment of the person who runs the tests names."""
    monkeypatch.delenv("NNLOSS_DATA", raising=False)


@pytest.fixture(scope="session")
def split():
    return load_boston()


@pytest.fixture
def body() -> Callable[..., Any]:
    """Build a sequential model: 8 features, a hidden layer, and the given layers."""

    def build(*layers: Any, name: str = "net") -> Any:
        hidden = keras.layers.Dense(16, activation="relu")
        return keras.Sequential([keras.Input((8,)), hidden, *layers], name=name)

    return build


@pytest.fixture
def python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run Python in the checkout, in a process of its own."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run
