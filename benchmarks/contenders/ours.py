"""An exercise's network trained through `compile_for_task`, as in the exercise."""

import json
import sys
import time
from typing import Any

import numpy as np

from nnloss import MULTICLASS, REGRESSION, EpochProgress, compile_for_task, set_seed
from nnloss.course import boston, cifar10, wafer


def compiled(exercise: str, classes: int) -> Any:
    """Return the network of an exercise, compiled for its task."""
    if exercise == "boston":
        return compile_for_task(boston.network(), REGRESSION)
    body = cifar10.network(augment=False) if exercise == "cifar10" else wafer.network()
    return compile_for_task(body, MULTICLASS, classes=classes)


if __name__ == "__main__":
    exercise, path, epochs, rows = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    arrays = np.load(path)
    x, y = arrays["x_train"][:rows], arrays["y_train"][:rows]
    set_seed(0)
    start = time.perf_counter()
    model = compiled(exercise, y.shape[-1])
    if sys.argv[5:] == ["xla"]:
        model.compile(optimizer="adam", jit_compile=True)
    history = model.fit(
        x,
        y,
        epochs=epochs,
        batch_size=int(arrays["batch_size"]),
        validation_data=(arrays["x_test"], arrays["y_test"]),
        callbacks=[EpochProgress(exercise)],
        verbose=0,
    ).history
    seconds = time.perf_counter() - start
    print(json.dumps({"training": seconds, "val_loss": history["val_loss"][-1]}))
