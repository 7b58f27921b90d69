"""Exercise 11.5 as one would write it with Keras alone; what `exercises.wafer` is measured by.

It does the same work: the unpenalised and the ridge logistic regression, the network with two
softmax outputs for 100 epochs with the test rows as validation data, measures, figures, the model.
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
import statsmodels.api as sm
from sklearn.linear_model import LogisticRegressionCV
from sklearn.metrics import confusion_matrix, precision_recall_curve, roc_curve

matplotlib.use("agg")
import matplotlib.pyplot as plt

data, out = Path(sys.argv[1]), Path(sys.argv[2])
epochs = int(sys.argv[3]) if len(sys.argv) > 3 else 100
out.mkdir(parents=True, exist_ok=True)

train = pd.read_csv(data / "wafer" / "Wafer_TRAIN.tsv", sep="\t", header=None).to_numpy()
test = pd.read_csv(data / "wafer" / "Wafer_TEST.tsv", sep="\t", header=None).to_numpy()
x_train, y_train = train[:, 1:], (train[:, 0] > 0).astype(int)
x_test, y_test = test[:, 1:], (test[:, 0] > 0).astype(int)

family = sm.families.Binomial()
scores = {}
for rounded in (np.float64, np.float32):
    a, b = (sm.add_constant(x.astype(rounded).astype(np.float64)) for x in (x_train, x_test))
    fit = sm.GLM(y_train, a, family=family).fit(maxiter=25)
    scores[f"logistic {rounded.__name__}"] = fit.predict(b)
ridge = LogisticRegressionCV(
    Cs=np.logspace(-3, 3, 13),
    cv=5,
    l1_ratios=(0,),
    scoring="neg_log_loss",
    solver="newton-cholesky",
    use_legacy_attributes=False,
).fit(x_train, y_train)
scores["ridge"] = ridge.predict_proba(x_test)[:, 1]

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((152, 1)),
        keras.layers.Conv1D(16, 8, activation="relu"),
        keras.layers.MaxPooling1D(2),
        keras.layers.Conv1D(32, 5, activation="relu"),
        keras.layers.MaxPooling1D(2),
        keras.layers.Conv1D(64, 3, activation="relu"),
        keras.layers.MaxPooling1D(2),
        keras.layers.Flatten(),
        keras.layers.Dense(2, activation="softmax"),
    ]
)
start = time.perf_counter()
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
history = model.fit(
    x_train[..., None],
    keras.utils.to_categorical(y_train, 2),
    epochs=epochs,
    batch_size=64,
    validation_data=(x_test[..., None], keras.utils.to_categorical(y_test, 2)),
    verbose=0,
).history
fit_seconds = time.perf_counter() - start
for x, y in ((x_train, y_train), (x_test, y_test)):
    loss, accuracy = model.evaluate(x[..., None], keras.utils.to_categorical(y, 2), verbose=0)
scores["network"] = model.predict(x_test[..., None], verbose=0)[:, 1]

figure, panels = plt.subplots(1, 2, figsize=(10, 4))
for axes, name in zip(panels, ("loss", "accuracy"), strict=True):
    axes.plot(history[name])
    axes.plot(history[f"val_{name}"])
for ending in ("png", "svg"):
    figure.savefig(out / f"history.{ending}", dpi=150)
figure, panels = plt.subplots(1, 2, figsize=(11, 5))
for score in scores.values():
    false, true, _ = roc_curve(y_test, score)
    panels[0].plot(false, true)
    precision, recall, _ = precision_recall_curve(1 - y_test, 1 - score)
    panels[1].plot(recall, precision)
for ending in ("png", "svg"):
    figure.savefig(out / f"roc_and_precision_recall.{ending}", dpi=150)
figure, panels = plt.subplots(1, len(scores), figsize=(5 * len(scores), 5))
for axes, score in zip(panels, scores.values(), strict=True):
    counts = confusion_matrix(y_test, score > 0.5)
    axes.imshow(counts)
    for (row, column), count in np.ndenumerate(counts):
        axes.text(column, row, count)
for ending in ("png", "svg"):
    figure.savefig(out / f"confusion_matrix.{ending}", dpi=150)
figure, panels = plt.subplots(2, 5, figsize=(13, 4), sharex=True, sharey=True)
for label, line in enumerate(panels):
    for axes, values in zip(line, x_train[y_train == label], strict=False):
        axes.plot(values)
for ending in ("png", "svg"):
    figure.savefig(out / f"examples.{ending}", dpi=150)
pd.DataFrame({"actual": y_test} | scores).to_csv(out / "predictions.csv")
pd.DataFrame(history).to_csv(out / "history.csv")
model.save(out / "model.keras")
print(f"network {loss:.6f}, {accuracy:.6f}")
print(f"fit seconds {fit_seconds:.3f}")
