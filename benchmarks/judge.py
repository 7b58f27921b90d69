"""Measure the pairing check: ``uv run python -m benchmarks.judge``.

Times `check_pairing` on deep models, and the target checks of ``fit`` relative to an epoch.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from nnloss import MULTICLASS, check_pairing, compile_for_task
from nnloss._tensorflow import keras
from nnloss.commandline import table
from nnloss.course.cifar10 import network

LAYERS, ROUNDS = 500, 5


def chain() -> Any:
    """Return a model of consecutive dense layers."""
    hidden = inputs = keras.Input((16,))
    for _ in range(LAYERS - 2):
        hidden = keras.layers.Dense(16, "relu")(hidden)
    return keras.Model(inputs, keras.layers.Dense(3, "softmax")(hidden))


def residual() -> Any:
    """Return a model of residual blocks."""
    inputs = keras.Input((16,))
    hidden = keras.layers.Dense(16)(inputs)
    for _ in range((LAYERS - 3) // 2):
        hidden = keras.layers.Add()([hidden, keras.layers.Dense(16, "relu")(hidden)])
    return keras.Model(inputs, keras.layers.Softmax()(hidden))


def seconds(action: Callable[[], Any]) -> float:
    """Return the median time of several calls."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
    return median(times)


def main() -> None:
    """Print the times of the checks, medians of five."""
    rows = []
    for build in (chain, residual):
        model = build()
        took = seconds(partial(check_pairing, model, "categorical_crossentropy"))
        rows.append((f"check_pairing, {build.__name__}, {len(model.layers)} layers", took, ""))
    random = np.random.default_rng(0)
    x = random.random((50_000, 32, 32, 3), dtype=np.float32)  # 3,072 numbers each
    y = np.eye(10, dtype=np.float32)[random.integers(0, 10, len(x))]
    model = compile_for_task(network(augment=False), MULTICLASS, classes=10)
    checks = seconds(partial(model._checked, x, y))
    began = time.perf_counter()
    model.fit(x, y, batch_size=64, verbose=0)
    epoch = time.perf_counter() - began
    rows.append(("checks of fit, 50,000 images", checks, f"{checks / epoch:.2%}"))
    rows.append(("an epoch of CIFAR-10's network", epoch, ""))
    columns = ["what", "seconds", "of the epoch"]
    shown = [(what, f"{took:.4f}", share) for what, took, share in rows]
    table(pd.DataFrame(shown, columns=columns))


if __name__ == "__main__":
    main()
