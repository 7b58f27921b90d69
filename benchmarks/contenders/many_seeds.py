"""An exercise's network with many seeds at once; the last argument is their number."""

import json
import sys
import time
from importlib import import_module

import numpy as np

from nnloss import MULTICLASS, REGRESSION, Split, fit_many

exercise, path, epochs, seeds = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
arrays = np.load(path)
y_train, y_test = arrays["y_train"], arrays["y_test"]
if exercise != "boston":
    y_train, y_test = y_train.argmax(axis=1), y_test.argmax(axis=1)
x_train, x_test = arrays["x_train"], arrays["x_test"]
split = Split(
    x_train, y_train, x_test, y_test, np.arange(len(x_train)), np.arange(len(x_test)),
    classes=() if exercise == "boston" else tuple(map(str, range(y_train.max() + 1))),
)  # fmt: skip

network = import_module(f"exercises.{exercise}").network

start = time.perf_counter()
runs = fit_many(
    network,
    split,
    range(seeds),
    task=REGRESSION if exercise == "boston" else MULTICLASS,
    epochs=epochs,
    batch_size=int(arrays["batch_size"]),
)
seconds = time.perf_counter() - start
print(json.dumps({"training": seconds, "val_loss": float(runs["val_loss"].mean())}))
