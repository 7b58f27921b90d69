"""An exercise's network trained through `compile_for_task`, as in the exercise."""

import json
import sys
import time
from importlib import import_module

import numpy as np

from nnloss import MULTICLASS, REGRESSION, EpochProgress, compile_for_task, set_seed

exercise, path, epochs, rows = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
arrays = np.load(path)
x, y = arrays["x_train"][:rows], arrays["y_train"][:rows]
test = arrays["x_test"], arrays["y_test"]

network = import_module(f"exercises.{exercise}").network
options = {"augment": False} if exercise == "cifar10" else {}

set_seed(0)
start = time.perf_counter()
body = network(**options)
if exercise == "boston":
    model = compile_for_task(body, REGRESSION)
else:
    model = compile_for_task(body, MULTICLASS, classes=y.shape[1])
if sys.argv[5:] == ["xla"]:
    model.compile(optimizer="adam", jit_compile=True)
history = model.fit(
    x,
    y,
    epochs=epochs,
    batch_size=int(arrays["batch_size"]),
    validation_data=test,
    callbacks=[EpochProgress(exercise)],
    verbose=0,
).history
seconds = time.perf_counter() - start
print(json.dumps({"training": seconds, "val_loss": history["val_loss"][-1]}))
