"""Exercise 11.3 as one would write it with Keras alone; what `exercises.boston` is measured by.

It does the same work: linear regression, the network for 100 epochs with the test rows as
validation data, predictions, the two figures, the model.
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
from sklearn.linear_model import LinearRegression

matplotlib.use("agg")
import matplotlib.pyplot as plt

data, out = Path(sys.argv[1]), Path(sys.argv[2])
epochs = int(sys.argv[3]) if len(sys.argv) > 3 else 100
out.mkdir(parents=True, exist_ok=True)

table = pd.read_csv(data).to_numpy()
order = np.arange(len(table))
np.random.RandomState(113).shuffle(order)
x, y = table[order, :-1], table[order, -1]
x_train, y_train, x_test, y_test = x[:404], y[:404], x[404:], y[404:]
mean, sd = x_train.mean(axis=0), x_train.std(axis=0, ddof=1)
x_train, x_test = (x_train - mean) / sd, (x_test - mean) / sd

linear = LinearRegression().fit(x_train, y_train).predict(x_test)

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((13,)),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(1),
    ]
)
start = time.perf_counter()
model.compile(optimizer="adam", loss="mse", metrics=["mae"])
history = model.fit(
    x_train,
    y_train,
    epochs=epochs,
    batch_size=32,
    validation_data=(x_test, y_test),
    verbose=0,
).history
fit_seconds = time.perf_counter() - start
predicted = model.predict(x_test, verbose=0).ravel()
loss, mae = model.evaluate(x_test, y_test, verbose=0)

figure, panels = plt.subplots(1, 2, figsize=(10, 4))
for axes, name in zip(panels, ("loss", "mae"), strict=True):
    axes.plot(history[name])
    axes.plot(history[f"val_{name}"])
for ending in ("png", "svg"):
    figure.savefig(out / f"history.{ending}", dpi=150)
figure, panels = plt.subplots(1, 2, figsize=(10, 5))
for axes, values in zip(panels, (predicted, linear), strict=True):
    axes.scatter(y_test, values)
    axes.plot([0, 55], [0, 55], "--")
    axes.set(xlim=(0, 55), ylim=(0, 55))
for ending in ("png", "svg"):
    figure.savefig(out / f"predicted_vs_actual.{ending}", dpi=150)
pd.DataFrame({"actual": y_test, "network": predicted, "linear": linear}).to_csv(
    out / "predictions.csv"
)
pd.DataFrame(history).to_csv(out / "history.csv")
model.save(out / "model.keras")
print(f"linear regression MSE {np.mean((y_test - linear) ** 2):.4f}, network {loss:.4f}, {mae:.4f}")
print(f"fit seconds {fit_seconds:.3f}")
