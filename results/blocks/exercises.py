"""Blocks on one run of each exercise."""

from __future__ import annotations

import numpy as np
import pandas as pd

from blocks.records import ROOT, head, published, row, runs
from nnloss.commandline import wrapped
from nnloss.theory.pitfalls import GOOD, summary


def boston() -> str:
    """Return the block on exercise 11.3: three models, and the effect of squaring."""
    found = {record.loss: (record, folder) for record, folder in runs("boston")}
    (mse, folder), (mae, _) = found["mean_squared_error"], found["mean_absolute_error"]
    names = "mean_squared_error", "mean_absolute_error"
    text = head("model", "test MSE", "test MAE", "course, MSE", "course, MAE")
    for model, record, part, key in (
        ("linear regression", mse, mse.baseline["linear_regression"], "baseline.linear_regression"),
        ("network trained on MSE", mse, mse.metrics["test"], "metrics.test"),
        ("network trained on MAE", mae, mae.metrics["test"], "metrics.test"),
    ):
        theirs = [published(record, f"{key}.{name}") for name in names]
        text += row(model, *(f"{part[name]:.4f}" for name in names), *theirs)
    table = pd.read_csv(ROOT / folder / "predictions.csv")
    test = table[table["rows"] == "test"]
    size = np.sort((test["actual"] - test["network"]).abs().to_numpy())[::-1]
    squared, absolute = (100 * np.sum(size[:5] ** k) / np.sum(size**k) for k in (2, 1))
    effect = f"""The next figure shows the effect of squaring: the five worst of the {len(test)}
    test rows make {squared:.0f} % of the squared error of the network trained on MSE, and
    {absolute:.0f} % of its absolute error."""
    return f"""`python -m exercises.boston --loss both`; prices in 1000 USD, {len(test)} test rows.

{text}
![Predicted against actual price, network and linear regression]({folder}/predicted_vs_actual.png)

{wrapped(effect, 100)}

![Share of the worst test rows in the squared and in the absolute error]({folder}/losses.png)
"""


def cifar10() -> str:
    """Return the block on exercise 11.4: classical model, networks, effect of augmentation."""
    found = {record.augment: (record, folder) for record, folder in runs("cifar10")}
    (plain, _), (augmented, folder) = found[False], found[True]
    text = head("model", "test accuracy", "test loss", "course, accuracy", "course, loss")
    baseline = plain.baseline["softmax_regression"]
    text += row("softmax regression on the pixels", f"{baseline['accuracy']:.4f}", "", "", "")
    gaps = []
    for name, record in (("network", plain), ("network, augmented images", augmented)):
        test, train = record.metrics["test"], record.metrics["train"]
        theirs = [published(record, f"metrics.test.{key}") for key in ("accuracy", "loss")]
        text += row(name, f"{test['accuracy']:.4f}", f"{test['loss']:.4f}", *theirs)
        gaps.append((train["accuracy"], test["accuracy"], train["accuracy"] - test["accuracy"]))
    effect = f"""Augmentation closes the gap between images that were learned and new ones. On the
    training images as they are, accuracy falls from {gaps[0][0]:.4f} to {gaps[1][0]:.4f}; on the
    test images it goes from {gaps[0][1]:.4f} to {gaps[1][1]:.4f}; the gap goes from
    {gaps[0][2]:.4f} to {gaps[1][2]:.4f}. The second training needed
    {augmented.machine["peak_memory_MB"] / 1024:.1f} GB of memory."""
    data = f"{plain.split['test']:,} test images, {plain.parameters:,} parameters"
    return f"""`python -m exercises.cifar10 --augment`; {data}.

{text}
{wrapped(effect, 100)}

![Accuracy by epoch without and with augmentation]({folder}/train_test_gap.png)

![The most frequent mistakes of the network with augmentation]({folder}/most_confused.png)
"""


def wafer() -> str:
    """Return the block on exercise 11.5: what accuracy hides, and two encodings of two classes."""
    found = {record.loss: (record, folder) for record, folder in runs("wafer")}
    (cce, folder), (bce, _) = found["categorical_crossentropy"], found["binary_crossentropy"]
    text = head("model", "accuracy", "balanced", "ROC AUC", "average precision", "course, accuracy")
    for name, record, part, key in (
        ("all normal", cce, cce.baseline["all_normal"], ""),
        (
            "logistic regression",
            cce,
            cce.baseline["logistic_regression"],
            "baseline.logistic_regression.accuracy",
        ),
        ("ridge logistic regression", cce, cce.baseline["ridge_logistic_regression"], ""),
        ("network, softmax(2) and CCE", cce, cce.metrics["test"], "metrics.test.accuracy"),
        ("network, sigmoid(1) and BCE", bce, bce.metrics["test"], "metrics.test.accuracy"),
    ):
        measures = "accuracy", "balanced_accuracy", "roc_auc", "average_precision"
        values = [f"{part[measure]:.4f}" for measure in measures]
        text += row(name, *values, published(record, key))
    loss = cce.metrics["test"]["loss"]
    algebra = pd.read_csv(ROOT / folder / "algebra.csv")
    counts = pd.read_csv(ROOT / folder / "confusion_matrix.csv", index_col="actual").sum(axis=1)
    data = f"""`python -m exercises.wafer --loss both`; {counts.sum():,} test series, of which
    {counts["abnormal"]} are abnormal. Nine of ten are normal, so accuracy alone misleads: balanced
    accuracy is the mean of the shares found in each class, average precision the mean of the
    precision over all recalls of the abnormal ones."""
    remarks = f"""The test loss of the network on CCE is {loss:.6f}, the course's
    {published(cce, "metrics.test.loss")}. It has {cce.parameters:,} parameters, the one on BCE
    {bce.parameters:,}: the second softmax node adds parameters and no model. On the
    {cce.split["test"]:,} test series the softmax of its two logits and the sigmoid of their
    difference differ by {algebra["difference"][0]:.0e} at most, and CCE and BCE of the same logits
    by {algebra["difference"][3]:.0g}."""
    return f"""{wrapped(data, 100)}

{text}
{wrapped(remarks, 100)}

![ROC and precision-recall curves of all models]({folder}/all_models.png)
"""


def losses() -> str:
    """Return the block on losses: claims by topic, and the cost of other pairings."""
    ((record, folder),) = runs("losses")
    claims = pd.DataFrame(record.claims)
    text = head("claims on", "how many hold", "largest difference", "of a tolerance of")
    for topic, group in claims.groupby("topic", sort=False):
        share = group["difference"] / group["tolerance"].replace(0, np.inf)
        worst = group.loc[share.idxmax()]
        text += row(
            topic,
            f"{group['holds'].sum()} of {len(group)}",
            f"{worst['difference']:.0e}",
            f"{worst['tolerance']:.0e}",
        )
    trained = pd.read_csv(ROOT / folder / "pitfalls.csv")
    table = head("on Wafer", "start", "test accuracy", "worst seed", f"seeds that reach {GOOD:g}")
    for bias, group in trained.groupby("bias", sort=False):
        start = f'sure of "normal" (logit {bias:g})' if bias else "usual"
        for each in summary(group, GOOD).itertuples():
            accuracy = f"{each.accuracy:.4f}", f"{each.worst:.4f}"
            table += row(each.pairing, start, *accuracy, f"{each.reached} of {each.seeds}")
    least = trained[trained["pairing"] == "double softmax + CCE"]["loss"].min()
    how = f"""Accuracies after {trained["epoch"].max()} epochs, the mean and the worst of
    {trained["seed"].nunique()} seeds, in a network with one hidden layer. The last column counts
    the seeds that reach {GOOD:g} in some epoch, the first figure those that end above it."""
    return f"""{text}
{wrapped(how, 100)}

{table}
From a usual start MSE does labels no harm here. It does where the network is sure and wrong: its
gradient vanishes there, while the gradient of the cross-entropy is p - y. The loss of a double
softmax cannot get below ln(e + 1) - 1 = 0.3133 with two classes; the least that was seen is
{least:.4f}.

![Test error by epoch for right and wrong pairings]({folder}/pitfalls.png)

![Loss around least squares and around the network at three epochs]({folder}/landscape.png)
"""
