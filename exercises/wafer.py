# %% [markdown]
# # Exercise 11.5: is the wafer normal?
#
# A sensor records the processing of a wafer; each series of 152 values is normal or abnormal. There
# are two ways to model two classes: one sigmoid output with binary cross-entropy, or two softmax
# outputs with categorical cross-entropy. Both have the same likelihood as logistic regression,
# which is fitted first.
#
# As a command this lab is `python -m exercises.wafer`; `--help` lists its options. In a notebook
# they are the argument `notebook` of the first cell.

# %%
"""Exercise 11.5: classify wafers as normal or abnormal by logistic regression and a 1D network."""

import numpy as np
import pandas as pd

import nnloss
from nnloss import plots
from nnloss.course import wafer
from nnloss.course.confusion import confusion
from nnloss.course.layers import layer_table

lab = nnloss.lab(__name__, "wafer", loss=("cce", "bce", "both"), notebook="--loss both")

# %% [markdown]
# ## Load the data and look at them
#
# Nine in ten series are normal. Predicting "normal" for all of them has an accuracy of 0.9 and
# detects nothing, so accuracy alone is misleading. We also report balanced accuracy (the mean
# recall over the classes), the ROC curve, and precision and recall for the abnormal class.

# %%
split = nnloss.load_wafer(lab.data_dir)
lab.show(split.class_counts)
normal = np.mean(split.y_test == wafer.NORMAL)
lab.show(
    f"""The data have {split.sizes["train"]:,} training and {split.sizes["test"]:,} test series of
    length {split.x_train.shape[1]}. A classifier that calls every series normal is right for
    {normal:.1%} of the test series."""
)
series = {name: split.x_train[split.y_train == k] for k, name in enumerate(split.classes)}
lab.show(
    plots.series(series, xlabel="time step", ylabel="sensor value, standardised"),
    "examples",
    """Mean of the training series by class, the central 80 % of them, and examples. A triangle
    marks a value beyond the axis.""",
)

# %% [markdown]
# ## The classical model first
#
# We fit a logistic regression with 153 coefficients to 1,000 series, which may take half a minute.
# A hyperplane separates the two classes of the training rows completely. Then the likelihood has no
# maximum: it keeps growing with the coefficients, and the result depends on where a program stops.
# R's `glm` stops after 25 steps of iteratively reweighted least squares, and so do we, to reproduce
# the course's number. A ridge penalty, chosen by cross-validation on the training rows, makes the
# problem well posed.

# %%
models = {
    "all normal": wafer.all_normal(split),
    "logistic regression": wafer.logistic_regression(split),
    "ridge logistic regression": wafer.ridge_logistic_regression(split),
}
judged = {name: fitted.measures(split) for name, fitted in models.items()}
for fitted in models.values():
    lab.show(fitted.remark)
rounded = wafer.logistic_regression(split, "float32").measures(split)
lab.show(
    f"""The result of the unpenalised regression is arbitrary: rounding the series to float32, which
    should change nothing, moves its test accuracy from
    {judged["logistic regression"]["accuracy"]:.6f} to {rounded["accuracy"]:.6f}."""
)

# %% [markdown]
# ## Define, compile and fit the network
#
# How many output nodes are needed, and which loss? Two variants are right: two nodes with softmax,
# one-hot labels and categorical cross-entropy (CCE), as in the course, or one node with sigmoid,
# labels 0 and 1 and binary cross-entropy (BCE). Mixing them is wrong. They are two tasks of
# `compile_for_task`; the hidden layers are the same. In Keras alone one would add `Dense(2,
# "softmax")` and compile with `loss="categorical_crossentropy"`, or add `Dense(1, "sigmoid")` and
# compile with `loss="binary_crossentropy"`. The test loss is computed after each epoch, but nothing
# is chosen by it.

# %%
settings = lab.settings(wafer.QUICK_EPOCHS)
x = {"train": split.x_train[..., np.newaxis], "test": split.x_test[..., np.newaxis]}
y = {"train": split.y_train, "test": split.y_test}
classical = list(models)
baseline = {name.replace(" ", "_"): judged[name] for name in classical}
networks = {}
for loss in lab.losses:
    title, task = f"network on {loss.upper()}", wafer.TASKS[loss]
    encoded = {rows: nnloss.encode(y[rows], task, len(split.classes)) for rows in y}
    with lab.run(title, split, baseline=baseline) as run:
        nnloss.set_seed(lab.seed)
        classes = None if task.nodes else len(split.classes)  # BINARY always has one output
        model = nnloss.compile_for_task(wafer.network(), task, classes=classes, log=run)
        model.fit(
            x["train"],
            encoded["train"],
            validation_data=(x["test"], encoded["test"]),
            epochs=settings.epochs,
            batch_size=settings.batch_size,
            callbacks=[lab.progress],
            verbose=0,
        )
        measured = {}
        for rows in x:
            fitted = wafer.Fitted(*wafer.abnormal_scores(model, x[rows]))
            measured[rows] = model.evaluate(x[rows], encoded[rows], verbose=0, return_dict=True)
            measured[rows] |= wafer.measures(y[rows], fitted.p_abnormal, fitted.score)
        run.update(metrics=measured)
    networks[title], models[title], judged[title] = model, fitted, measured["test"]
    lab.show(layer_table(model), caption=title)

# %% [markdown]
# ## Plot the training

# %%
curves = {"loss": "cross-entropy, nats", "accuracy": "accuracy"}
for title, run in lab.runs.items():
    history = pd.read_csv(run.folder / "history.csv")
    lab.show(plots.history(history, curves, linear=["accuracy"]), "history", run=title)

# %% [markdown]
# ## Evaluate the models
#
# The confusion matrix counts test series by actual and predicted class; its entries off the
# diagonal, divided by the sum of all, are the misclassification error. Balanced accuracy is the
# mean of the shares found in each class; ROC AUC, the area under the ROC curve, is the chance that
# an abnormal series gets a higher score than a normal one; average precision is the mean of the
# precision over all recalls. The networks give the probability of class 1, normal; these measures
# count abnormal series as positive and use 1 - p. A convolution looks for the same shape at every
# place of a series, and the last layer has a weight for each filter at each place; a regression has
# one coefficient for each time step.

# %%
matrices = {name: confusion(split, fitted.predicted) for name, fitted in models.items()}
lab.show(wafer.measure_table(judged, matrices))
for title in networks:
    missed, false = wafer.mistakes(matrices[title])
    lab.show(
        f"""The {title} misses {missed} of {np.sum(split.y_test == wafer.ABNORMAL)} abnormal series
        and raises {false} false alarms: its misclassification error is
        {1 - judged[title]["accuracy"]:.2%}, and {1 - judged[classical[-1]]["accuracy"]:.2%} for the
        {classical[-1]}."""
    )

# %% [markdown]
# ## Plot confusion matrices and curves

# %%
abnormal = split.y_test == wafer.ABNORMAL
for title, run in lab.runs.items():
    counts = {name: matrices[name] for name in [*classical, title]}
    lab.show(plots.confusion_matrix(counts, split.classes), "confusion_matrix", run=title)
    scored = {name: models[name] for name in [*classical[1:], title]}
    scores = {name: fitted.score for name, fitted in scored.items()}
    figure = plots.roc_and_precision_recall(abnormal, scores)
    lab.show(figure, "roc_and_precision_recall", run=title)
    run.save_table("confusion_matrix", matrices[title].rename_axis("actual").reset_index())
    run.save_table("predictions", wafer.prediction_table(split, scored))

# %% [markdown]
# ## Are the two ways the same?
#
# The softmax e^z1 / (e^z0 + e^z1) equals the sigmoid of z1 - z0: only the difference of the two
# logits matters, so the second node adds parameters but does not change the model. For the same
# probabilities the two losses are also equal. Trained from random weights, the two networks still
# give different numbers, because they start from different weights and take different steps.

# %%
if lab.loss == "both":
    sizes = " and ".join(f"{run.record.parameters:,}" for run in lab.runs.values())
    lab.show(f"Parameters of the networks on CCE and on BCE: {sizes}.")
    checked = wafer.algebra(split, networks["network on CCE"])
    for run in lab.runs.values():
        run.save_table("algebra", checked)
    lab.show(wafer.algebra_table(checked))
    lab.show(
        """Left and right are means over the test rows of the network on CCE: of the probability of
        "normal" in the first two rows, of the loss in nats in the others. The difference is the
        largest of a row. Clipping at 1e-7 limits the loss of a row to 16.1 nats."""
    )
    scores = {name: fitted.score for name, fitted in models.items() if name != "all normal"}
    lab.show(plots.roc_and_precision_recall(abnormal, scores), "all_models")

# %% [markdown]
# ## Compare with the course

# %%
lab.compare()
if lab.loss == "both":
    lab.close(figure="all_models", command="python -m exercises.cifar10 --augment")
else:
    lab.close(figure="confusion_matrix", command="python -m exercises.wafer --loss both")
