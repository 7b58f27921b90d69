"""Keras with its own best options: tf.data and all steps of an epoch in one execution.

The work of `plain_keras`, with what Keras' guides advise: rows come from a cached
``tf.data.Dataset`` in a new order each epoch, TensorFlow runs all steps of an epoch at once, and
the validation takes 1,024 rows at a time. Not so ``jit_compile``: on all three networks a processor
compiles for longer than it saves. The option ``xla`` turns it on.
"""

import time
from typing import Any

from benchmarks.contenders import plain_keras, work

import keras  # isort: skip
import tensorflow as tf  # isort: skip


def dataset(x: Any, y: Any, batch_size: int, shuffled: bool) -> Any:
    """Return rows in batches, in a new order each epoch if `shuffled`."""
    rows = tf.data.Dataset.from_tensor_slices((x, y)).cache()
    if shuffled:
        rows = rows.shuffle(len(x))
    return rows.batch(batch_size).prefetch(tf.data.AUTOTUNE)


if __name__ == "__main__":
    asked = work.asked()
    x, x_test = asked.floats
    keras.utils.set_random_seed(0)
    start = time.perf_counter()
    model = plain_keras.compiled(
        asked.exercise,
        steps_per_execution=-(-len(x) // asked.batch_size),
        jit_compile="xla" in asked.options,
    )
    history = model.fit(
        dataset(x, asked.y, asked.batch_size, shuffled=True),
        epochs=asked.epochs,
        validation_data=dataset(x_test, asked.y_test, work.EVALUATION_BATCH, shuffled=False),
        verbose=0,
    ).history
    work.report(time.perf_counter() - start, val_loss=history["val_loss"][-1])
