"""The course's script for an exercise, translated from R to plain Keras."""

import os
import time
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
from keras import layers

from benchmarks.contenders import work


def compiled(exercise: str, **options: Any) -> Any:
    """Return the network of an exercise, compiled with the options of ``compile``."""
    if exercise == "boston":
        model = keras.Sequential(
            [
                keras.Input((13,)),
                layers.Dense(64, activation="relu"),
                layers.Dense(32, activation="relu"),
                layers.Dense(1),
            ]
        )
        model.compile(optimizer="adam", loss="mse", metrics=["mae"], **options)
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
        model.compile(
            optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"], **options
        )
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
        model.compile(
            optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"], **options
        )
    return model


if __name__ == "__main__":
    asked = work.asked()
    x, x_test = asked.floats
    keras.utils.set_random_seed(0)
    start = time.perf_counter()
    history = (
        compiled(asked.exercise)
        .fit(
            x,
            asked.y,
            epochs=asked.epochs,
            batch_size=asked.batch_size,
            validation_data=(x_test, asked.y_test),
            verbose=0,
        )
        .history
    )
    work.report(time.perf_counter() - start, val_loss=history["val_loss"][-1])
