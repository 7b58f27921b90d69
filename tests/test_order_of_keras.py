"""Keras' order of rows after ``set_random_seed``: these tests fail when Keras changes it.

Then `docs/order-of-rows.md`, `docs/upstream/` and `benchmarks/as_keras.py` must change too.
"""

from __future__ import annotations

import json

import pytest

SCRIPT = """
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import json, sys
import keras, numpy as np, tensorflow as tf

how = sys.argv[1]
if how != "unseeded":
    keras.utils.set_random_seed(0)
x = np.arange(40, dtype="float32")[:, None]
seen = []


class Watch(keras.layers.Layer):
    def call(self, inputs):
        tf.py_function(lambda rows: seen.append(rows.numpy().ravel().tolist()), [inputs], [])
        return inputs


model = keras.Sequential([keras.Input((1,)), Watch(), keras.layers.Dense(1)])
model.compile(loss="mse")
options = {"epochs": 3, "verbose": 0}
if how == "validation":
    options["validation_data"] = (-1 - x, x)
if how == "tf.data":
    rows = tf.data.Dataset.from_tensor_slices((x, x))
    model.fit(rows.shuffle(40, seed=0, reshuffle_each_iteration=True).batch(8), **options)
else:
    model.fit(x, x, batch_size=8, **options)
rows = [row for batch in seen for row in batch if row >= 0]
print(json.dumps([rows[40 * epoch : 40 * (epoch + 1)] for epoch in range(3)]))
"""


@pytest.fixture
def orders(python):
    """Return the orders of 40 rows in three epochs, from a process of its own."""

    def run(how):
        done = python("-c", SCRIPT, how)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert all(sorted(order) == list(range(40)) for order in found)
        return found

    return run


@pytest.mark.parametrize("how", ["seeded", "validation"])
def test_after_set_random_seed_every_epoch_has_the_same_order(orders, how):
    first, second, third = orders(how)
    assert first == second == third != sorted(first)


@pytest.mark.parametrize("how", ["unseeded", "tf.data"])
def test_without_a_seed_or_with_tf_data_every_epoch_has_its_own(orders, how):
    first, second, third = orders(how)
    assert first != second != third != first
