# %% [markdown]
# # Exercise 11.3: the price of a home in Boston
#
# We predict a number from 13 features of a district: a regression problem. The classical method
# is a linear model fitted by least squares. A neural network replaces the linear predictor by
# learned layers and keeps the rest: one linear output and the squared error, which is the
# Gaussian likelihood under another name.
#
# Run it with `python -m exercises.boston`; `--help` lists the options.

# %%
"""Exercise 11.3: predict Boston home values by linear regression and by a neural network."""

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pandas as pd

import nnloss
from nnloss import commandline as cli
from nnloss.commandline import heading, paragraph, table
from nnloss.course.boston import (
    MEASURES,
    QUICK_EPOCHS,
    UNIT,
    Predictions,
    error_measures,
    linear_regression,
    network,
    standardised,
)
from nnloss.course.published import SETTINGS, compare, comparison_table, parse_edition

Loss = Annotated[Literal["mse", "mae", "both"], cli.option("What the network is trained on.")]

# %% [markdown]
# ## How are the data preprocessed?
#
# The features have very different scales, which slows gradient descent down. Each feature is
# centred and scaled with the mean and the standard deviation (with n - 1) of the training rows; the
# test rows must not be used for this. The target stays in 1000 USD, so that errors are amounts of
# money.


# %%
# %% [markdown]
# ## The classical model first
#
# Least squares has a closed-form solution without randomness: everyone gets the same numbers.


# %%
# %% [markdown]
# ## How many output nodes are needed, and which loss?
#
# We predict one number, so there is one output node. It can be any number, so the activation is
# linear. The loss is the mean squared error: binary and categorical cross-entropy are likelihoods
# of labels and do not apply to a price. The task `REGRESSION` contains all of this. The network
# has only hidden layers, and `compile_for_task` adds the output layer, the loss and the metrics.


# %%
def train(
    split: nnloss.Split, run: nnloss.Run, loss: str, seed: int, epochs: int, batch: int
) -> Predictions:
    """Train the network on one loss and return its predictions."""
    x = standardised(split)
    nnloss.set_seed(seed)
    model = nnloss.compile_for_task(network(), nnloss.REGRESSION, loss=loss, log=run)
    with nnloss.EpochProgress(f"Network on {loss.upper()}") as progress:
        model.fit(
            x["train"],
            split.y_train,
            validation_data=(x["test"], split.y_test),
            epochs=epochs,
            batch_size=batch,
            callbacks=[progress],
            verbose=0,
        )
    return {rows: model.predict(x[rows], verbose=0).ravel() for rows in x}


# %% [markdown]
# ## How good is each model?
#
# We compute four measures from the same residuals. MSE, its square root and the sum of squares rank
# models in the same way and have the same minimiser; MAE can rank them differently.


# %%
def as_table(judged: dict[str, dict[str, dict[str, float]]]) -> pd.DataFrame:
    """Return the errors in a table, one row per model and set of rows."""
    return pd.DataFrame(
        {"model": model, "rows": rows} | {MEASURES[name]: v for name, v in values.items()}
        for model, parts in judged.items()
        for rows, values in parts.items()
    )


# %% [markdown]
# ## What is the difference between training on MSE and on MAE?
#
# The conditional mean minimises the expected squared error, the conditional median the expected
# absolute error. Where prices are skewed, mean and median differ, and so do the networks.


# %%
def compare_losses(split: nnloss.Split, fitted: dict[str, Predictions], worst: int = 5) -> str:
    """Return a paragraph comparing the networks trained on "MSE" and on "MAE"."""
    y = split.y_test
    tests = {name: predictions["test"] for name, predictions in fitted.items()}
    judged = {name: error_measures(split, predictions) for name, predictions in fitted.items()}
    squared = {name: parts["train"]["mean_squared_error"] for name, parts in judged.items()}
    absolute = {name: parts["train"]["mean_absolute_error"] for name, parts in judged.items()}
    above = {name: np.mean(p > y) for name, p in tests.items()}
    size = np.abs(y - tests["MSE"])
    order = np.argsort(-size)[:worst]
    best_squared = min(judged, key=lambda name: judged[name]["test"]["mean_squared_error"])
    best_absolute = min(judged, key=lambda name: judged[name]["test"]["mean_absolute_error"])
    return f"""
        MSE is least at the conditional mean, MAE at the conditional median. Without any feature
        these would be the constants {split.y_train.mean():.2f} and {np.median(split.y_train):.2f},
        the mean and the median of the training prices in {UNIT}. On the test rows, whose mean is
        {y.mean():.2f}, the network trained on MSE predicts {tests["MSE"].mean():.2f} on average
        and too much in {above["MSE"]:.0%} of the districts, the one trained on MAE
        {tests["MAE"].mean():.2f} and {above["MAE"]:.0%}. Squaring puts most of the weight on
        few rows: the {worst} worst rows of the network trained on MSE (lines
        {", ".join(str(row + 2) for row in split.rows_test[order])} of the file, prices
        {", ".join(f"{price:g}" for price in y[order])}) are {worst / len(y):.0%} of the test rows,
        {np.sum(size[order]) / np.sum(size):.0%} of its absolute and
        {np.sum(size[order] ** 2) / np.sum(size**2):.0%} of its squared error. On the training
        rows, where the losses were minimised, training on MSE gives MSE {squared["MSE"]:.2f} and
        MAE {absolute["MSE"]:.2f}, training on MAE {squared["MAE"]:.2f} and
        {absolute["MAE"]:.2f}. On the test rows training on {best_squared} gave the lower MSE and
        training on {best_absolute} the lower MAE; that is one seed, and says nothing of others."""


# %% [markdown]
# ## Saving the results
#
# Predictions and figures are saved in the run's folder, next to the record, the history and the
# model that `fit` saved there.


# %%
def save_results(
    run: nnloss.Run, split: nnloss.Split, linear: Predictions, network: Predictions, title: str
) -> None:
    """Write the predictions and figures of a run."""
    parts = {"train": (split.rows_train, split.y_train), "test": (split.rows_test, split.y_test)}
    predictions = [
        pd.DataFrame(
            {
                "rows": rows,
                "line": numbers + 2,  # line of the CSV file, whose first line is the header
                "actual": y,
                "network": network[rows],
                "linear_regression": linear[rows],
            }
        )
        for rows, (numbers, y) in parts.items()
    ]
    run.save_table("predictions", pd.concat(predictions))
    tests = {title: network["test"], "linear regression": linear["test"]}
    drawn = nnloss.plots.predicted_vs_actual(
        split.y_test, tests, limits=(0, 55), unit=UNIT, names=split.rows_test + 2, kind="line"
    )
    run.save_figure("predicted_vs_actual", drawn)
    history = pd.read_csv(run.folder / "history.csv")
    labels = {"mean_squared_error": f"MSE, ({UNIT})²", "mean_absolute_error": f"MAE, {UNIT}"}
    run.save_figure("history", nnloss.plots.history(history, labels))


# %% [markdown]
# ## Putting it all together


# %%
def main(
    seed: cli.Seed = 0,
    epochs: cli.Epochs = None,
    batch_size: cli.BatchSize = None,
    loss: Loss = "mse",
    edition: cli.Edition = "2023",
    out: cli.Out = Path("runs"),
    data_dir: cli.DataDir = None,
    quick: cli.Quick = False,
) -> None:
    """Exercise 11.3: Boston Housing by linear regression and by a neural network."""
    cli.require_folder(out)
    split = nnloss.load_boston(data_dir)
    course = SETTINGS["boston", parse_edition(edition)]
    epochs = epochs or (QUICK_EPOCHS if quick else course.epochs)
    batch = batch_size or course.batch_size

    heading("Exercise 11.3: Boston Housing")
    paragraph(f"{split.sizes['train']} training and {split.sizes['test']} test rows, 13 features.")
    linear = linear_regression(split)
    judged = {"linear regression": error_measures(split, linear)}
    known = {
        "edition": parse_edition(edition),
        "seed": seed,
        "quick": quick,
        "data": split.origin,
        "split": split.sizes,
        "baseline": {"linear_regression": judged["linear regression"]["test"]},
    }
    networks: dict[str, Predictions] = {}
    runs: list[nnloss.Run] = []
    for name in ("mse", "mae") if loss == "both" else (loss,):
        with nnloss.Run.start(out, "boston", **known) as run:
            fitted = networks[name.upper()] = train(split, run, name, seed, epochs, batch)
            title = f"network trained on {name.upper()}"
            judged[title] = error_measures(split, fitted)
            run.update(metrics=judged[title])
            run.update(published=compare(run.record))
            save_results(run, split, linear, fitted, title)
        runs.append(run)

    heading("How good is each model?")
    table(as_table(judged))
    if loss == "both":
        heading("Trained on MSE or on MAE: what is the difference?")
        paragraph(compare_losses(split, networks))
        figure = nnloss.plots.squared_against_absolute(
            split.rows_test + 2,
            split.y_test,
            {f"trained on {name}": fitted["test"] for name, fitted in networks.items()},
            kind="line in the CSV file",
        )
        for run in runs:
            run.save_figure("losses", figure)
    heading(f"Our numbers and those of the course, edition {edition}")
    numbers, remarks = comparison_table(runs[0].record, course)
    if not numbers.empty:
        table(numbers)
    for each in remarks:
        paragraph(each)
    for run in runs:
        paragraph(f"Saved to {run.folder}")


if __name__ == "__main__":
    cli.run(main)
