"""An exercise's network trained through `compile_for_task`, as in the exercise."""

import time
from typing import Any

import keras

from benchmarks.contenders import work
from nnloss import MULTICLASS, REGRESSION, EpochProgress, compile_for_task, set_seed
from nnloss.course import boston, cifar10, wafer


def compiled(exercise: str, classes: int) -> Any:
    """Return the network of an exercise, compiled for its task."""
    if exercise == "boston":
        return compile_for_task(boston.network(), REGRESSION)
    body = cifar10.network(augment=False) if exercise == "cifar10" else wafer.network()
    return compile_for_task(body, MULTICLASS, classes=classes)


if __name__ == "__main__":
    asked = work.asked()
    # With deterministic operations, as set_seed asks for, Keras lets XLA compile nothing.
    (keras.utils.set_random_seed if "xla" in asked.options else set_seed)(0)
    start = time.perf_counter()
    model = compiled(asked.exercise, asked.y.shape[-1])
    if "xla" in asked.options:
        model.compile(optimizer="adam", jit_compile=True)
    history = model.fit(
        asked.x,
        asked.y,
        epochs=asked.epochs,
        batch_size=asked.batch_size,
        validation_data=(asked.x_test, asked.y_test),
        callbacks=[EpochProgress(asked.exercise)],
        verbose=0,
    ).history
    work.report(time.perf_counter() - start, val_loss=history["val_loss"][-1])
