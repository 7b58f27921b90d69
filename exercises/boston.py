# %% [markdown]
# # Exercise 11.3: the price of a home in Boston
#
# We predict a number from 13 features of a district: a regression problem. The classical method
# is a linear model fitted by least squares. A neural network replaces the linear predictor by
# learned layers and keeps the rest: one linear output and the squared error, which is, up to a
# factor and a constant, the negative log-likelihood of a Gaussian distribution.
#
# As a command this lab is `python -m exercises.boston`; `--help` lists its options. In a notebook
# they are the argument `notebook` of the first cell.

# %%
"""Exercise 11.3: predict Boston home values by linear regression and by a neural network."""

import numpy as np
import pandas as pd

import nnloss
from nnloss import plots
from nnloss.course import boston
from nnloss.course.layers import layer_table

lab = nnloss.lab(__name__, "boston", loss=("mse", "mae", "both"), notebook="--loss both")

# %% [markdown]
# ## Load the data
#
# Each row is a district. The price is the median value of its homes, in 1000 USD of the 1970s. The
# course's split is that of Keras.

# %%
split = nnloss.load_boston(lab.data_dir)
lab.show(
    f"""The data have {split.sizes["train"]} training and {split.sizes["test"]} test rows with 13
    features. The training prices, in 1000 USD, have mean {split.y_train.mean():.2f} and median
    {np.median(split.y_train):.2f}: they are skewed to the right."""
)

# %% [markdown]
# ## Preprocess the features
#
# The features have very different scales, which slows gradient descent down. Each feature is
# centred and scaled with the mean and the standard deviation (with n - 1) of the training rows; the
# test rows must not be used for this. The price stays as it is: errors are amounts of money.

# %%
x = boston.standardised(split)
raw = pd.DataFrame(split.x_train, columns=split.features)
lab.show(
    pd.DataFrame({"feature": split.features, "mean": raw.mean().values, "SD": raw.std().values})
)
lab.show(
    f"""Standardised, each feature has mean 0 and standard deviation 1 on the training rows. On the
    test rows, which did not choose the scale, the means lie between
    {x["test"].mean(axis=0).min():.2f} and {x["test"].mean(axis=0).max():.2f}."""
)

# %% [markdown]
# ## The classical model first
#
# Least squares has a closed-form solution without randomness: everyone gets the same numbers.

# %%
predictions = {"linear regression": boston.linear_regression(split)}
judged = {name: boston.error_measures(split, each) for name, each in predictions.items()}
lab.show(boston.error_table(judged))
test = judged["linear regression"]["test"]
lab.show(
    f"""RMSE and MAE are in 1000 USD, MSE and SSE in their square. On the test rows the linear
    regression is wrong by {test["mean_absolute_error"] * 1000:,.0f} USD on average (MAE); its RMSE,
    {test["root_mean_squared_error"] * 1000:,.0f} USD, gives large errors more weight."""
)

# %% [markdown]
# ## Define, compile and fit the network
#
# How many output nodes are needed? We predict one number, so there is one. Which activation? The
# number can be any, so it is linear. Which loss? Binary and categorical cross-entropy are
# likelihoods of labels and do not apply to a price: the mean squared error. The task `REGRESSION`
# contains all of this. The network has only hidden layers, and `compile_for_task` adds the output
# layer, the loss and the metrics. In Keras alone one would add `Dense(1, "linear")` and write
# `model.compile("adam", loss="mean_squared_error", metrics=["mean_absolute_error"])`. The test loss
# is computed after each epoch, but nothing is chosen by it.

# %%
settings = lab.settings(boston.QUICK_EPOCHS)
networks = {f"network trained on {loss.upper()}": loss for loss in lab.losses}
baseline = {"linear_regression": judged["linear regression"]["test"]}
for title, loss in networks.items():
    with lab.run(title, split, baseline=baseline) as run:
        nnloss.set_seed(lab.seed)
        model = nnloss.compile_for_task(boston.network(), nnloss.REGRESSION, loss=loss, log=run)
        model.fit(
            x["train"],
            split.y_train,
            validation_data=(x["test"], split.y_test),
            epochs=settings.epochs,
            batch_size=settings.batch_size,
            callbacks=[lab.progress],
            verbose=0,
        )
        predictions[title] = {rows: model.predict(x[rows], verbose=0).ravel() for rows in x}
        judged[title] = boston.error_measures(split, predictions[title])
        run.update(metrics=judged[title])
lab.show(layer_table(model))

# %% [markdown]
# ## Plot the training

# %%
labels = {
    "mean_squared_error": f"MSE, ({boston.UNIT})²",
    "mean_absolute_error": f"MAE, {boston.UNIT}",
}
for title, run in lab.runs.items():
    history = pd.read_csv(run.folder / "history.csv")
    lab.show(plots.history(history, labels), "history", run=title)

# %% [markdown]
# ## Evaluate the models
#
# All four measures come from the same residuals. MSE, its square root (RMSE) and the sum of squared
# errors (SSE) have the same minimiser and rank models in the same way on the same rows; MAE can
# rank them differently. A difference between two models on the same rows that is below twice its
# standard error says little: one split cannot tell which of them is better.

# %%
lab.show(boston.error_table(judged))
for title in networks:
    wrong = judged[title]["test"]["mean_absolute_error"] * 1000
    difference, error = boston.paired_difference(split, predictions, title, "linear regression")
    lab.show(
        f"""On average the {title} is wrong by {wrong:,.0f} USD. Its test MSE minus the linear
        regression's is {difference:.1f}, with a standard error of {error:.1f}."""
    )

# %% [markdown]
# ## Plot predicted against actual prices

# %%
lines = split.rows_test + 2  # of the CSV file, whose first line is the header
linear = predictions["linear regression"]
for title, run in lab.runs.items():
    fitted = predictions[title]
    tests = {title: fitted["test"], "linear regression": linear["test"]}
    figure = plots.predicted_vs_actual(
        split.y_test, tests, limits=(0, 55), unit=boston.UNIT, names=lines, kind="line"
    )
    lab.show(figure, "predicted_vs_actual", run=title)
    table = boston.prediction_table(split, network=fitted, linear_regression=linear)
    run.save_table("predictions", table)

# %% [markdown]
# ## What is the difference between training on MSE and on MAE?
#
# The conditional mean minimises the expected squared error, the conditional median the expected
# absolute error. Where the distribution of the price given the features is skewed, its mean and its
# median differ, and so may the networks. A network that predicts the median is too high for half of
# the districts. Squaring puts most of the weight on few rows: the last columns are the shares of
# the five worst rows in the absolute and in the squared error.

# %%
lab.show(boston.mean_or_median(split, predictions))
lab.show(
    f"""The actual test prices have mean {split.y_test.mean():.2f}. Without any feature MSE would be
    least at the mean of the training prices, {split.y_train.mean():.2f}, and MAE at their median,
    {np.median(split.y_train):.2f}. This is one seed and one split; others may differ."""
)
if lab.loss == "both":
    tests = {title: predictions[title]["test"] for title in networks}
    figure = plots.squared_against_absolute(lines, split.y_test, tests, kind="line")
    lab.show(figure, "losses")

# %% [markdown]
# ## Compare with the course

# %%
lab.compare()
if lab.loss == "both":
    lab.close(figure="losses", command="python -m exercises.wafer --loss both")
else:
    lab.close(figure="predicted_vs_actual", command="python -m exercises.boston --loss both")
