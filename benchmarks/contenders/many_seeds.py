"""An exercise's network with many seeds at once.

The test rows are evaluated after the last epoch or, with the option ``each``, after each epoch, as
all other contenders do.
"""

import time
from importlib import import_module

from benchmarks.contenders import work
from nnloss import MULTICLASS, REGRESSION, fit_many

asked = work.asked()
network = import_module(f"nnloss.course.{asked.exercise}").network

start = time.perf_counter()
runs = fit_many(
    network,
    asked.x,
    asked.y,
    validation_data=(asked.x_test, asked.y_test),
    seeds=range(asked.seeds),
    task=REGRESSION if asked.exercise == "boston" else MULTICLASS,
    classes=None if asked.exercise == "boston" else asked.y.shape[1],
    epochs=asked.epochs,
    batch_size=asked.batch_size,
    per_epoch="each" in asked.options,
)
work.report(time.perf_counter() - start, val_loss=runs.groupby("seed")["val_loss"].last().mean())
