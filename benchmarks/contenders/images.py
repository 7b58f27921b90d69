"""CIFAR-10's network for two epochs, with a choice of batch size, augmentation and settings.

Prints the seconds of the second epoch, validation included, in which nothing is traced, and the
checksum of the weights.
"""

import json
import sys
import time

import keras
import numpy as np

from nnloss import MULTICLASS, compile_for_task, set_seed
from nnloss._files import digest
from nnloss.course import cifar10

if __name__ == "__main__":
    path, batch_size, augment, setting = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
    arrays = np.load(path)
    x, x_test = arrays["x_train"], arrays["x_test"]
    if setting == "float32 images":
        x, x_test = x.astype("float32"), x_test.astype("float32")
    if setting == "not deterministic":
        keras.utils.set_random_seed(0)
    else:
        set_seed(0)
    body = cifar10.network(augment == "augmented")
    if setting == "float32 images":
        inputs = keras.Input((32, 32, 3))
        body = keras.Model(inputs, keras.Sequential(body.layers)(inputs))
    model = compile_for_task(body, MULTICLASS, classes=10)
    ends: list[float] = []
    model.fit(
        x,
        arrays["y_train"],
        epochs=2,
        batch_size=batch_size,
        validation_data=(x_test, arrays["y_test"]),
        callbacks=[
            keras.callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, logs: ends.append(time.perf_counter())
            )
        ],
        verbose=0,
    )
    print(json.dumps({"epoch": ends[1] - ends[0], "weights": digest(*model.get_weights())}))
