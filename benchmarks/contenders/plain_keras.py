"""The course's script for an exercise, translated from R to plain Keras."""

import json
import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers

exercise, path, epochs, rows = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
arrays = np.load(path)
x, y = arrays["x_train"][:rows], arrays["y_train"][:rows]
x_test, y_test = arrays["x_test"], arrays["y_test"]
if exercise == "cifar10":
    x, x_test = x.astype("float32") / 255, x_test.astype("float32") / 255

keras.utils.set_random_seed(0)
start = time.perf_counter()
if exercise == "boston":
    model = keras.Sequential(
        [
            keras.Input((13,)),
            layers.Dense(64, activation="relu"),
            layers.Dense(32, activation="relu"),
            layers.Dense(1),
        ]
    )
    model.compile(optimizer="adam", loss="mse", metrics=["mae"])
elif exercise == "wafer":
    model = keras.Sequential(
        [
            keras.Input((152, 1)),
            layers.Conv1D(16, 8, activation="relu"),
            layers.MaxPooling1D(2),
            layers.Conv1D(32, 5, activation="relu"),
            layers.MaxPooling1D(2),
            layers.Conv1D(64, 3, activation="relu"),
            layers.MaxPooling1D(2),
            layers.Flatten(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
else:
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
history = model.fit(
    x,
    y,
    epochs=epochs,
    batch_size=int(arrays["batch_size"]),
    validation_data=(x_test, y_test),
    verbose=0,
).history
seconds = time.perf_counter() - start
print(json.dumps({"training": seconds, "val_loss": history["val_loss"][-1]}))
