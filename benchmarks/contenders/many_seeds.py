"""An exercise's network with many seeds at once; the last argument is their number."""

import json
import sys
import time
from importlib import import_module

import numpy as np

from nnloss import MULTICLASS, REGRESSION, fit_many

exercise, path, epochs, seeds = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
arrays = np.load(path)
network = import_module(f"exercises.{exercise}").network

start = time.perf_counter()
runs = fit_many(
    network,
    arrays["x_train"],
    arrays["y_train"],
    validation_data=(arrays["x_test"], arrays["y_test"]),
    seeds=range(seeds),
    task=REGRESSION if exercise == "boston" else MULTICLASS,
    classes=None if exercise == "boston" else arrays["y_train"].shape[1],
    epochs=epochs,
    batch_size=int(arrays["batch_size"]),
)
seconds = time.perf_counter() - start
print(json.dumps({"training": seconds, "val_loss": float(runs["val_loss"].mean())}))
