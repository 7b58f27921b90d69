# %% [markdown]
# # Exercise 11.5: is the wafer normal?
#
# A sensor records the processing of a wafer; each series of 152 values is normal or abnormal. There
# are two ways to model two classes: one sigmoid output with binary cross-entropy, or two softmax
# outputs with categorical cross-entropy. Both have the same likelihood as logistic regression,
# which is fitted first.
#
# Run it with `python -m exercises.wafer`; `--loss both` compares the two ways.

# %%
"""Exercise 11.5: classify wafers as normal or abnormal by logistic regression and a 1D network."""

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd

import nnloss
from nnloss import commandline as cli
from nnloss.commandline import heading, paragraph, table
from nnloss.course.confusion import confusion
from nnloss.course.published import SETTINGS, compare, comparison_table, parse_edition
from nnloss.course.wafer import (
    ABNORMAL,
    NORMAL,
    QUICK_EPOCHS,
    TASKS,
    Fitted,
    abnormal_scores,
    logistic_regression,
    logits,
    measures,
    network,
    ridge_logistic_regression,
)

Loss = Annotated[
    Literal["cce", "bce", "both"], cli.option("Two softmax outputs (cce) or one sigmoid (bce).")
]

# %% [markdown]
# ## What do the data look like?
#
# Nine in ten series are normal. Predicting "normal" for all of them has an accuracy of 0.9 and
# detects nothing, so accuracy alone is misleading. We also report balanced accuracy (the mean
# recall over the classes), the ROC curve, and precision and recall for the abnormal class.


# %%
def some_series(split: nnloss.Split) -> Any:
    """Draw the training series of each class."""
    rows = {name: split.x_train[split.y_train == n] for n, name in enumerate(split.classes)}
    return nnloss.plots.series(rows, xlabel="time step", ylabel="sensor value, standardised")


# %% [markdown]
# ## The classical model first
#
# We fit a logistic regression with 153 coefficients to 1,000 series. In so many dimensions a
# hyperplane separates the two classes of the training rows completely. Then the likelihood has no
# maximum: it keeps growing with the coefficients, and the result depends on where a program stops.
# R's `glm` stops after 25 steps of iteratively reweighted least squares, and so do we, to reproduce
# the course's number. A ridge penalty, chosen by cross-validation on the training rows, makes the
# problem well posed. Both are in `nnloss.course.wafer`.

# %% [markdown]
# ## How many output nodes are needed, and which loss?
#
# Two variants are right: two nodes with softmax, one-hot labels and categorical cross-entropy, as
# in the course, or one node with sigmoid, labels 0 and 1 and binary cross-entropy. Mixing them is
# wrong. They are two tasks of `compile_for_task`; the hidden layers are the same.


# %%
def train(
    split: nnloss.Split, run: nnloss.Run, loss: str, seed: int, epochs: int, batch: int
) -> tuple[Any, Fitted, dict[str, dict[str, float]]]:
    """Train the network with one of the two outputs; return model, predictions and measures."""
    task, classes = TASKS[loss], len(split.classes)
    x = {"train": split.x_train[..., np.newaxis], "test": split.x_test[..., np.newaxis]}
    labels = {"train": split.y_train, "test": split.y_test}
    y = {rows: nnloss.encode(labels[rows], task, classes) for rows in labels}
    nnloss.set_seed(seed)
    model = nnloss.compile_for_task(
        network(),
        task,
        classes=classes if task.nodes is None else None,  # BINARY always has one output
        log=run,
    )
    with nnloss.EpochProgress(f"Network on {loss.upper()}") as progress:
        model.fit(
            x["train"],
            y["train"],
            validation_data=(x["test"], y["test"]),
            epochs=epochs,
            batch_size=batch,
            callbacks=[progress],
            verbose=0,
        )
    answers = {rows: abnormal_scores(model, x[rows]) for rows in x}
    measured = {
        rows: model.evaluate(x[rows], y[rows], verbose=0, return_dict=True)
        | measures(labels[rows], *answers[rows])
        for rows in x
    }
    return model, Fitted(*answers["test"]), measured


# %% [markdown]
# ## Are the two ways the same?
#
# The softmax e^z1 / (e^z0 + e^z1) equals the sigmoid of z1 - z0: only the difference of the two
# logits matters, so the second node adds parameters but does not change the model. For the same
# probabilities the two losses are also equal. Trained from random weights, the two networks still
# give different numbers, because they start from different weights and take different steps.


# %%
def algebra(split: nnloss.Split, model: Any) -> pd.DataFrame:
    """Check both claims on the test rows, with the network with two softmax outputs."""
    x = split.x_test[..., np.newaxis]
    z = logits(model, x)
    p = nnloss.likelihoods.softmax(z)
    one_hot = nnloss.encode(split.y_test, nnloss.MULTICLASS, 2)
    given = model.predict(x, batch_size=1000, verbose=0)[:, NORMAL]
    sigmoid = nnloss.likelihoods.sigmoid(z[:, NORMAL] - z[:, ABNORMAL])
    claims: list[tuple[str, Any, Any, float]] = [
        ("softmax(z)[1] = sigmoid(z1 - z0)", p[:, NORMAL], sigmoid, 1e-6),
        # The network computes in float32, down to the logits.
        ("the network's output = sigmoid(z1 - z0)", given, sigmoid, 1e-5),
        (
            "CCE = BCE, p clipped at 1e-7",
            nnloss.likelihoods.categorical_cross_entropy(one_hot, p, epsilon=1e-7),
            nnloss.likelihoods.binary_cross_entropy(split.y_test, p[:, NORMAL], epsilon=1e-7),
            1e-6,
        ),
        (
            "CCE = BCE, from the logits",
            nnloss.likelihoods.categorical_cross_entropy_from_logits(one_hot, z),
            nnloss.likelihoods.binary_cross_entropy_from_logits(
                split.y_test, z[:, NORMAL] - z[:, ABNORMAL]
            ),
            1e-6,
        ),
    ]
    return pd.DataFrame(
        {
            "claim": claim,
            "left": float(np.mean(left)),
            "right": float(np.mean(right)),
            "difference": float(np.max(np.abs(left - right))),
            "tolerance": tolerance,
        }
        for claim, left, right, tolerance in claims
    )


def show_algebra(checked: pd.DataFrame) -> None:
    """Print the claims with their numbers and whether they hold."""
    shown = checked.assign(
        left=[f"{value:.6f}" for value in checked["left"]],
        right=[f"{value:.6f}" for value in checked["right"]],
        difference=[f"{value:.1e}" for value in checked["difference"]],
        tolerance=[f"{value:.0e}" for value in checked["tolerance"]],
        holds=np.where(checked["difference"] <= checked["tolerance"], "yes", "NO"),
    )
    table(shown)
    paragraph(
        "Left and right are means over the test rows, the difference is the largest of a row. "
        "Clipping caps what a row costs that is confidently wrong, so that the clipped mean is the "
        "smaller one; the test loss of the run is the one from the logits."
    )


# %% [markdown]
# ## Saving the results
#
# The confusion matrix counts test series by actual and predicted class. It is saved in the run's
# folder, with the predictions and figures.


# %%
def save_results(run: nnloss.Run, split: nnloss.Split, models: dict[str, Fitted]) -> None:
    """Write the confusion matrix, predictions and figures; the last model is the run's network."""
    network = list(models.values())[-1]
    matrices = {name: confusion(split, fitted.predicted) for name, fitted in models.items()}
    counts = list(matrices.values())[-1]
    run.save_table("confusion_matrix", counts.rename_axis("actual").reset_index())
    classes = np.array(split.classes)
    columns = {
        f"{kind}_{name.replace(' ', '_')}": values
        for name, fitted in models.items()
        if name != "all normal"
        for kind, values in (("p_abnormal", fitted.p_abnormal), ("logit", fitted.score))
    }
    run.save_table(
        "predictions",
        pd.DataFrame(
            {
                "row": split.rows_test,
                "actual": classes[split.y_test],
                "predicted": classes[network.predicted],
            }
            | columns
        ),
    )
    history = pd.read_csv(run.folder / "history.csv")
    labels = {"loss": "cross-entropy, nats", "accuracy": "accuracy"}
    run.save_figure("history", nnloss.plots.history(history, labels, linear=["accuracy"]))
    run.save_figure("confusion_matrix", nnloss.plots.confusion_matrix(matrices, split.classes))
    run.save_figure("roc_and_precision_recall", curves(split, models))


def curves(split: nnloss.Split, models: dict[str, Fitted]) -> Any:
    """Draw ROC and precision-recall curves of the models with scores."""
    scores = {name: fitted.score for name, fitted in models.items() if name != "all normal"}
    return nnloss.plots.roc_and_precision_recall(split.y_test == ABNORMAL, scores)


# %% [markdown]
# ## Putting it all together
#
# We fit the classical models, train the network with one or both outputs, and compare. In a
# notebook, call `main(loss="both")` for both outputs.


# %%
def main(
    seed: cli.Seed = 0,
    epochs: cli.Epochs = None,
    batch_size: cli.BatchSize = None,
    loss: Loss = "cce",
    edition: cli.Edition = "2023",
    out: cli.Out = Path("runs"),
    data_dir: cli.DataDir = None,
    quick: cli.Quick = False,
) -> None:
    """Exercise 11.5: Wafer by logistic regression and by a 1D convolutional network."""
    cli.require_folder(out)
    split = nnloss.load_wafer(data_dir)
    course = SETTINGS["wafer", parse_edition(edition)]
    epochs = epochs or (QUICK_EPOCHS if quick else course.epochs)
    batch = batch_size or course.batch_size

    heading("Exercise 11.5: Wafer")
    paragraph(
        f"{split.sizes['train']:,} training and {split.sizes['test']:,} test series of length "
        f"{split.x_train.shape[1]}."
    )
    table(split.class_counts)
    paragraph(
        f"{np.sum(split.y_train == ABNORMAL)} of {split.sizes['train']:,} training series are "
        f"abnormal, and {np.sum(split.y_test == ABNORMAL)} of {split.sizes['test']:,} test series: "
        f"to say normal to all of them is right in {np.mean(split.y_test == NORMAL):.1%}."
    )
    models = {
        "all normal": Fitted(np.zeros(len(split.y_test)), np.zeros(len(split.y_test))),
        "logistic regression": logistic_regression(split),
        "ridge logistic regression": ridge_logistic_regression(split),
    }
    paragraph(models["logistic regression"].remark)
    rounded = logistic_regression(split, "float32").measures(split)
    judged = {name: fitted.measures(split) for name, fitted in models.items()}
    paragraph(
        "How arbitrary that is: rounding the series to float32, which should change nothing, moves "
        "the test accuracy of this regression from "
        f"{judged['logistic regression']['accuracy']:.6f} to {rounded['accuracy']:.6f}."
    )
    paragraph(models["ridge logistic regression"].remark)
    known = {
        "edition": parse_edition(edition),
        "seed": seed,
        "quick": quick,
        "data": split.origin,
        "split": split.sizes,
        "baseline": {name.replace(" ", "_"): values for name, values in judged.items()},
    }
    classical, networks = dict(models), dict[str, Any]()
    runs: dict[str, nnloss.Run] = {}
    for name in TASKS if loss == "both" else (loss,):
        with nnloss.Run.start(out, "wafer", **known) as runs[name]:
            run = runs[name]
            run.save_figure("examples", some_series(split))
            title = f"network on {name.upper()}"
            networks[name], models[title], measured = train(split, run, name, seed, epochs, batch)
            judged[title] = measured["test"]
            run.update(metrics=measured)
            run.update(published=compare(run.record))
            save_results(run, split, classical | {title: models[title]})

    heading("How good is each model?")
    table(
        as_table(
            judged, {name: confusion(split, fitted.predicted) for name, fitted in models.items()}
        )
    )
    paragraph(
        "Balanced accuracy is the mean of the shares found in each class; ROC AUC is the chance "
        "that an abnormal series gets a higher score than a normal one; average precision is the "
        "mean of the precision over all recalls, "
        f"{np.mean(split.y_test == ABNORMAL):.3f} by guessing. Missed are abnormal series called "
        "normal, false alarms normal ones called abnormal."
    )
    paragraph(
        "Misclassification error: "
        + ", ".join(f"{name} {1 - values['accuracy']:.2%}" for name, values in judged.items())
        + ". A convolution finds a shape wherever in the series it is; a regression has a "
        "coefficient for each time step, and no more."
    )
    if loss == "both":
        heading("Are the two ways the same?")
        paragraph(
            f"Parameters: {runs['cce'].record.parameters:,} with two softmax outputs, "
            f"{runs['bce'].record.parameters:,} with one sigmoid."
        )
        checked = algebra(split, networks["cce"])
        show_algebra(checked)
        for run in runs.values():
            run.save_table("algebra", checked)
        figure = curves(split, models)
        for run in runs.values():
            run.save_figure("all_models", figure)
    heading(f"Our numbers and those of the course, edition {edition}")
    numbers, remarks = comparison_table(next(iter(runs.values())).record, course)
    if not numbers.empty:
        table(numbers)
    for each in remarks:
        paragraph(each)
    for run in runs.values():
        paragraph(f"Saved to {run.folder}")


def as_table(
    judged: dict[str, dict[str, float]], matrices: dict[str, pd.DataFrame]
) -> pd.DataFrame:
    """Return a table of the measures of all models, with both kinds of mistakes."""
    return pd.DataFrame(
        {
            "model": name,
            "accuracy": f"{values['accuracy']:.4f}",
            "balanced": f"{values['balanced_accuracy']:.4f}",
            "ROC AUC": f"{values['roc_auc']:.4f}",
            "av. prec.": f"{values['average_precision']:.4f}",
            "missed": matrices[name].to_numpy()[ABNORMAL, NORMAL],
            "false alarms": matrices[name].to_numpy()[NORMAL, ABNORMAL],
        }
        for name, values in judged.items()
    )


if __name__ == "__main__":
    cli.run(main)
