# %% [markdown]
# # Exercise 11.5: is the chip all right?
#
# A sensor watches how a wafer is processed; each series of 152 values is of a normal or of an
# abnormal one. Two classes can be written in two ways: one sigmoid output with binary
# cross-entropy, or two softmax outputs with categorical cross-entropy. They are the same
# likelihood, that of the logistic regression, which is fitted first.
#
# `python -m exercises.wafer` runs it; `--loss both` compares the two ways.

# %%
"""Exercise 11.5: tell normal from abnormal wafers by logistic regression and a 1D network."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd

import nnloss
from exercises import commandline as cli
from exercises.display import heading, paragraph, published_table, table

Loss = Annotated[
    Literal["cce", "bce", "both"], cli.option("Two softmax outputs (cce) or one sigmoid (bce).")
]
Array = np.ndarray[Any, np.dtype[Any]]

QUICK_EPOCHS = 5
ABNORMAL, NORMAL = 0, 1
IRLS_STEPS = 25  # where R's glm stops, and so the course
WARNINGS = {
    "PerfectSeparationWarning": "the fitted probabilities have become the labels",
    "RuntimeWarning": "exp overflows at logits that large",
}

# %% [markdown]
# ## What do the data look like?
#
# Nine of ten series are normal. Whoever says "normal" to all of them has an accuracy of 0.9 and
# finds nothing, so accuracy alone misleads. Beside it stand the balanced accuracy (the mean over
# the classes of the share found), the ROC curve, and precision and recall for the abnormal ones.


# %%
def some_series(split: nnloss.Split, each: int = 5) -> Any:
    """Draw the first training series of each class."""
    first = {
        name: split.x_train[split.y_train == number][:each]
        for number, name in enumerate(split.classes)
    }
    return nnloss.plots.series(first, xlabel="time step", ylabel="sensor value, standardised")


def predicted_class(p_abnormal: Array) -> Array:
    """Decide from the probability of "abnormal": above one half it is that class."""
    return np.where(p_abnormal > 0.5, ABNORMAL, NORMAL)


def measures(y: Array, p_abnormal: Array, score: Array) -> dict[str, float]:
    """Measures from labels and probabilities of "abnormal"; above one half counts as such.

    Rows are ranked by `score`, the logit: probabilities that are 0 or 1 in floating point are ties,
    the logits behind them are not.
    """
    from sklearn.metrics import average_precision_score, balanced_accuracy_score, roc_auc_score

    predicted = predicted_class(p_abnormal)
    found = y == ABNORMAL
    return {
        "accuracy": float(np.mean(predicted == y)),
        "balanced_accuracy": float(balanced_accuracy_score(y, predicted)),
        "roc_auc": float(roc_auc_score(found, score)),
        "average_precision": float(average_precision_score(found, score)),
    }


# %% [markdown]
# ## The classical model first
#
# A logistic regression with 153 coefficients on 1,000 series. A plane in that many dimensions
# separates the two classes of the training rows completely. Then the likelihood has no maximum:
# it grows for ever as the coefficients grow, and what a program returns is where it gave up. R's
# `glm` gives up after 25 steps of iteratively reweighted least squares, and so do we, to get the
# course's number. A ridge penalty, its size chosen by cross-validation on the training rows, makes
# the problem well posed.


# %%
@dataclass(frozen=True)
class Fitted:
    """A model's probabilities of "abnormal" for the test rows, and what is to be said of it.

    `score` are the logits of "abnormal".
    """

    p_abnormal: Array
    score: Array
    remark: str = ""

    @property
    def predicted(self) -> Array:
        """Number of the class: above one half it is "abnormal"."""
        return predicted_class(self.p_abnormal)

    def measures(self, split: nnloss.Split) -> dict[str, float]:
        """Judge the model on the test rows."""
        return measures(split.y_test, self.p_abnormal, self.score)


def logistic_regression(split: nnloss.Split, dtype: str = "float64") -> Fitted:
    """Fit the unpenalised regression as the course does, on the series rounded to `dtype`."""
    import statsmodels.api as sm

    x_train, x_test = (
        sm.add_constant(x.astype(dtype).astype("float64")) for x in (split.x_train, split.x_test)
    )
    model = sm.GLM(split.y_train, x_train, family=sm.families.Binomial())
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        fit = model.fit(maxiter=IRLS_STEPS)
        p_normal = fit.predict(x_test)
        right = np.mean((fit.predict(x_train) > 0.5) == split.y_train)
        deviance = fit.deviance
    kinds = sorted({each.category.__name__ for each in raised})
    warned = ", and ".join(f"{WARNINGS.get(name, 'see there')} ({name})" for name in kinds)
    return Fitted(
        1 - p_normal,
        -fit.predict(x_test, which="linear"),
        f"""Unpenalised, it classifies {right:.2%} of the training rows correctly with a deviance
        of {deviance:.1e}, and its largest coefficient is {np.abs(fit.params).max():.1e}:
        the classes are separated, and no finite estimate exists. statsmodels warns of it:
        {warned}. The numbers are those after {IRLS_STEPS} steps.""",
    )


def ridge_logistic_regression(split: nnloss.Split) -> Fitted:
    """Fit the regression with a ridge penalty chosen by 5-fold cross-validation."""
    from sklearn.linear_model import LogisticRegressionCV

    model = LogisticRegressionCV(
        Cs=np.logspace(-3, 3, 13),
        cv=5,
        l1_ratios=(0,),
        scoring="neg_log_loss",
        solver="newton-cholesky",
        use_legacy_attributes=False,
    ).fit(split.x_train, split.y_train)
    return Fitted(
        model.predict_proba(split.x_test)[:, ABNORMAL],
        -model.decision_function(split.x_test),
        f"""With a ridge penalty of {1 / model.C_:.3g} / 2 times the squared coefficients, chosen by
        cross-validated likelihood, the largest coefficient is {np.abs(model.coef_).max():.2f}.""",
    )


# %% [markdown]
# ## How large is the output layer, and which loss belongs to it?
#
# Either way is right: two nodes, softmax, one-hot labels and categorical cross-entropy, as the
# course has it, or one node, sigmoid, labels 0 and 1 and binary cross-entropy. What is wrong is to
# mix them. The variants are two tasks of `compile_for_task`; the hidden layers are the same.

# %%
TASKS = {"cce": nnloss.MULTICLASS, "bce": nnloss.BINARY}


def network() -> Any:
    """Build the hidden layers of the course's network; with the output 10,994 or 9,969 parameters.

    The 1,025 of difference are the second output node's.
    """
    import keras

    return keras.Sequential(
        [
            keras.Input((152, 1)),
            keras.layers.Conv1D(16, 8, activation="relu"),
            keras.layers.MaxPooling1D(2),
            keras.layers.Conv1D(32, 5, activation="relu"),
            keras.layers.MaxPooling1D(2),
            keras.layers.Conv1D(64, 3, activation="relu"),
            keras.layers.MaxPooling1D(2),
            keras.layers.Flatten(),
        ],
        name="wafer",
    )


def train(
    split: nnloss.Split, run: nnloss.Run, loss: str, seed: int, epochs: int, batch: int
) -> tuple[Any, Fitted, dict[str, dict[str, float]]]:
    """Train the network with one of the two outputs; the model, its answers, its measures."""
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
    answers = {rows: abnormal(model, x[rows]) for rows in x}
    measured = {
        rows: model.evaluate(x[rows], y[rows], verbose=0, return_dict=True)
        | measures(labels[rows], *answers[rows])
        for rows in x
    }
    return model, Fitted(*answers["test"]), measured


def logits(model: Any, x: Array) -> Array:
    """Compute what the output layer gives to its activation, in float64."""
    import keras

    output = model.layers[-1]
    features = keras.ops.convert_to_numpy(keras.Model(model.input, output.input)(x))
    kernel, bias = (weights.astype("float64") for weights in output.get_weights())
    z: Array = features.astype("float64") @ kernel + bias
    return z


def abnormal(model: Any, x: Array) -> tuple[Array, Array]:
    """Probability and logit of "abnormal", which is class 0: of two softmax outputs the first."""
    p: Array = model.predict(x, batch_size=1000, verbose=0).astype("float64")
    z = logits(model, x)
    if z.shape[1] == 2:
        return p[:, ABNORMAL], z[:, ABNORMAL] - z[:, NORMAL]
    return 1 - p[:, 0], -z[:, 0]


# %% [markdown]
# ## Are the two ways the same?
#
# A softmax divides e^z1 by e^z0 + e^z1, which is a sigmoid of z1 - z0: only the difference of the
# two logits counts, and the second node adds parameters but no model. And on the same
# probabilities the two losses are the same sum. Trained from random weights the two networks are
# nevertheless two runs with different numbers: they start elsewhere and take other steps.


# %%
def algebra(split: nnloss.Split, model: Any) -> pd.DataFrame:
    """Check both claims on the test rows, with the network that has two softmax outputs."""
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
    """Print the claims with their numbers, and whether they hold."""
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
# ## What a run leaves
#
# The confusion matrix counts test series by their class and by the class that they were taken for.


# %%
def leave(run: nnloss.Run, split: nnloss.Split, models: dict[str, Fitted]) -> None:
    """Write confusion matrix, predictions and figures of a run; the last model is its network."""
    network = list(models.values())[-1]
    matrices = {name: confusion(split, fitted) for name, fitted in models.items()}
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
    """Draw ROC and precision-recall curves of the models that have a score."""
    scores = {name: fitted.score for name, fitted in models.items() if name != "all normal"}
    return nnloss.plots.roc_and_precision_recall(split.y_test == ABNORMAL, scores)


def confusion(split: nnloss.Split, fitted: Fitted) -> pd.DataFrame:
    """Count test series by actual class (rows) and predicted class (columns)."""
    from sklearn.metrics import confusion_matrix

    counts = confusion_matrix(split.y_test, fitted.predicted, labels=[ABNORMAL, NORMAL])
    return pd.DataFrame(counts, index=split.classes, columns=split.classes)


# %% [markdown]
# ## All of it, in this order
#
# The classical models, the network with one or both outputs, the comparison. In a notebook, call
# `main(loss="both")` for another choice.


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
    course = nnloss.published.SETTINGS["wafer", int(edition)]
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
        "edition": int(edition),
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
            run.update(published=nnloss.published.compare(run.record))
            leave(run, split, classical | {title: models[title]})

    heading("How good is each model?")
    table(as_table(judged, {name: confusion(split, fitted) for name, fitted in models.items()}))
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
    published_table(next(iter(runs.values())).record, course)
    for run in runs.values():
        paragraph(f"Saved to {run.folder}")


def as_table(
    judged: dict[str, dict[str, float]], matrices: dict[str, pd.DataFrame]
) -> pd.DataFrame:
    """Put the measures of all models into a table, with the mistakes of both kinds."""
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
