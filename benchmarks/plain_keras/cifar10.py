"""Exercise 11.4 as one would write it with Keras alone; what `exercises.cifar10` is measured by.

It does the same work: softmax regression, the network with the test images as validation data,
measures, figures, the model.
"""

import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import matplotlib
import numpy as np
import pandas as pd
import tensorflow_datasets as tfds
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix

matplotlib.use("agg")
import matplotlib.pyplot as plt

data, out = Path(sys.argv[1]), Path(sys.argv[2])
epochs = int(sys.argv[3]) if len(sys.argv) > 3 else 20
out.mkdir(parents=True, exist_ok=True)

parts = {}
for rows in ("train", "test"):
    dataset = tfds.load(
        "cifar10", data_dir=data / "tensorflow_datasets", download=False, split=rows
    )
    batches = list(tfds.as_numpy(dataset.batch(1000)))
    images = np.concatenate([batch["image"] for batch in batches])
    parts[rows] = images, np.concatenate([batch["label"] for batch in batches])
(raw, y_train), (raw_test, y_test) = parts["train"], parts["test"]
x_train, x_test = (images.astype("float32") / 255 for images in (raw, raw_test))

flat, flat_test = x_train.reshape(len(x_train), -1), x_test.reshape(len(x_test), -1)
centre = flat.mean(axis=0)
regression = LogisticRegression(C=1 / 1000, max_iter=200).fit(flat - centre, y_train)
guessed = regression.predict(flat_test - centre)
del flat, flat_test

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((32, 32, 3)),
        keras.layers.Conv2D(32, 3, activation="relu"),
        keras.layers.MaxPooling2D(2),
        keras.layers.Conv2D(64, 3, activation="relu"),
        keras.layers.MaxPooling2D(2),
        keras.layers.Flatten(),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
start = time.perf_counter()
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
history = model.fit(
    x_train,
    keras.utils.to_categorical(y_train, 10),
    epochs=epochs,
    batch_size=64,
    validation_data=(x_test, keras.utils.to_categorical(y_test, 10)),
    verbose=0,
).history
fit_seconds = time.perf_counter() - start
for x, y in ((x_train, y_train), (x_test, y_test)):
    loss, accuracy = model.evaluate(x, keras.utils.to_categorical(y, 10), verbose=0)
probabilities = model.predict(x_test, verbose=0)
predicted = probabilities.argmax(axis=1)

figure, panels = plt.subplots(1, 2, figsize=(10, 4))
for axes, name in zip(panels, ("loss", "accuracy"), strict=True):
    axes.plot(history[name])
    axes.plot(history[f"val_{name}"])
for ending in ("png", "svg"):
    figure.savefig(out / f"history.{ending}", dpi=150)
figure, panels = plt.subplots(1, 2, figsize=(15, 7))
for axes, given in zip(panels, (guessed, predicted), strict=True):
    counts = confusion_matrix(y_test, given)
    axes.imshow(counts)
    for (row, column), count in np.ndenumerate(counts):
        axes.text(column, row, count)
for ending in ("png", "svg"):
    figure.savefig(out / f"confusion_matrix.{ending}", dpi=150)
wrong = counts.copy()
np.fill_diagonal(wrong, 0)
pairs = [divmod(place, 10) for place in np.argsort(-wrong, axis=None)[:6]]
mistakes = [raw_test[(y_test == row) & (predicted == column)] for row, column in pairs]
examples = [raw[y_train == label] for label in range(10)]
for name, lines, across in (("examples", examples, 10), ("most_confused", mistakes, 8)):
    figure, panels = plt.subplots(len(lines), across, figsize=(across, len(lines)))
    for line, pictures in zip(panels, lines, strict=True):
        for axes, picture in zip(line, pictures, strict=False):
            axes.imshow(picture)
    for ending in ("png", "svg"):
        figure.savefig(out / f"{name}.{ending}", dpi=150)
columns = {"actual": y_test, "predicted": predicted, "probability": probabilities.max(axis=1)}
pd.DataFrame(columns).to_csv(out / "predictions.csv")
pd.DataFrame(history).to_csv(out / "history.csv")
model.save(out / "model.keras")
print(f"softmax regression {np.mean(guessed == y_test):.4f}, network {loss:.4f}, {accuracy:.4f}")
print(f"fit seconds {fit_seconds:.3f}")
