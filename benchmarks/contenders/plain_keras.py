"""The course's script for an exercise, translated from R to plain Keras."""

import json
import os
import sys
import time
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray


def compiled(exercise: str) -> Any:
    """Return the compiled network of an exercise."""
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
    return model


def as_floats(exercise: str, images: NDArray[Any]) -> NDArray[Any]:
    """Return images as floats from 0 to 1; series and quantities as they are."""
    return images.astype("float32") / 255 if exercise == "cifar10" else images


if __name__ == "__main__":
    exercise, path, epochs, rows = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    arrays = np.load(path)
    x, x_test = (as_floats(exercise, arrays[name]) for name in ("x_train", "x_test"))
    keras.utils.set_random_seed(0)
    start = time.perf_counter()
    history = (
        compiled(exercise)
        .fit(
            x[:rows],
            arrays["y_train"][:rows],
            epochs=epochs,
            batch_size=int(arrays["batch_size"]),
            validation_data=(x_test, arrays["y_test"]),
            verbose=0,
        )
        .history
    )
    seconds = time.perf_counter() - start
    print(json.dumps({"training": seconds, "val_loss": history["val_loss"][-1]}))
