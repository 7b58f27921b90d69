# %% [markdown]
# # A network without hidden layer is a GLM
#
# A generalised linear model (GLM) has a linear predictor, a link and a likelihood. A network
# without hidden layer has the same three parts: weights and biases, an output activation, and a
# loss. If the losses are likelihoods, then training such a network to the end must give the
# coefficients of the GLM.
#
# As a command this lab is `python -m exercises.glm_twins`; `--help` lists its options.

# %%
"""Fit GLMs and networks without hidden layer on the same rows, and add a hidden layer."""

from dataclasses import replace

import numpy as np
import pandas as pd

import nnloss
from nnloss import plots, theory
from nnloss.course import boston
from nnloss.table import separated
from nnloss.theory.claims import claim_table, save, verdict

lab = nnloss.lab(__name__, "glm_twins")
sizes = theory.sizes.sizes(quick=lab.quick)

# %% [markdown]
# ## Load the data
#
# The 13 features of Boston's districts are standardised, so that gradient descent converges
# quickly and coefficients can be compared.

# %%
split, series = nnloss.load_boston(lab.data_dir), nnloss.load_wafer(lab.data_dir)
x, y = boston.standardised(split), theory.problems.targets(split)
names = ["intercept", *split.features]
lab.show(
    f"""{split.sizes["train"]} districts with 13 features, and {len(series.x_train)} Wafer series
    with {series.x_train.shape[1]} values each."""
)

# %% [markdown]
# ## Logistic regression twice
#
# Is the price above the median? statsmodels maximises the Bernoulli likelihood by iteratively
# reweighted least squares. The network has one sigmoid output and binary cross-entropy (BCE), and
# goes down the gradient until it vanishes.

# %%
task = nnloss.BINARY
classical = task.fit_glm(x["train"], y["binary"])
network = theory.glm.fit_network(task, x["train"], y["binary"])
pair = {"GLM": classical.coefficients[:, 0], "network": network.coefficients[:, 0]}
lab.show(pd.DataFrame({"coefficient": names} | pair))
apart = np.abs(pair["GLM"] - pair["network"]).max()
lab.show(
    f"""The coefficients differ by {apart:.0e} at most. The log-likelihood is
    {classical.log_likelihood:.4f} for the GLM and {network.log_likelihood:.4f} for the network."""
)

# %% [markdown]
# ## All pairs of the table
#
# The same for each output activation with its loss: the activation is the inverse of the GLM's
# link. Left is the GLM and right the network; "differ" is the largest difference of all
# coefficients, and the relative difference of the log-likelihoods; "limit" is what is allowed.

# %%
fits = theory.glm.twins(x["train"], y)
claims = theory.glm.twin_claims(fits)
lab.show(claim_table(claims))
coefficients = {name: (one.coefficients, other.coefficients) for name, (one, other) in fits.items()}
lab.show(plots.twins(coefficients, names), "twins")
lab.show(
    f"""{verdict(claims)}. The pair follows from the distribution of the target. Hidden layers
    change the linear predictor only, so any network ends in one of these pairs. A softmax does not
    change if all logits grow alike: its coefficients are compared as differences to class 0."""
)

# %% [markdown]
# ## When there is no twin: separated classes
#
# If a plane separates the classes, multiplying its coefficients by a larger number always raises
# the likelihood, which therefore has no maximum. Neither method has anything to converge to then: a
# network stops somewhere, and where depends on the number of epochs.

# %%
cases = {
    "Boston, above the median": (x["train"], y["binary"]),
    "Wafer, normal": (series.x_train, series.y_train),
}
found = {name: separated(rows, labels) for name, (rows, labels) in cases.items()}
lab.show(
    pd.DataFrame(
        {
            "classes": name,
            "rows": len(rows),
            "features": rows.shape[1],
            "separated": "yes" if found[name] else "no",
        }
        for name, (rows, _) in cases.items()
    )
)
lab.show(
    " ".join(
        f"{name}: {'a' if apart else 'no'} plane separates the classes, so the logistic regression "
        f"has {'no' if apart else 'a'} finite estimate."
        for name, apart in found.items()
    )
)

# %% [markdown]
# ## A linear hidden layer adds nothing
#
# A product of matrices is a matrix. Eight hidden units with linear activation have many weights,
# and the same predictions as the linear regression.

# %%
found_linear = theory.depth.linear_layer_claims(x["train"], y["regression"])
lab.show(claim_table(found_linear))
lab.show(f"{verdict(found_linear)}. The two kernels multiplied are the kernel of least squares.")
claims += found_linear

# %% [markdown]
# ## ReLU adds bends
#
# With ReLU the prediction is a piecewise linear function of the features: it can bend. Several
# seeds show what of that is chance. The test rows choose nothing.

# %%
scaled = replace(split, x_train=x["train"], x_test=x["test"])
runs = nnloss.fit_many(
    boston.network,
    scaled,
    seeds=sizes.seeds_from(lab.seed),
    task=nnloss.REGRESSION,
    epochs=sizes.boston_epochs,
)
judged = boston.error_measures(split, boston.linear_regression(split))
linear = {rows: each["mean_squared_error"] for rows, each in judged.items()}
lab.show(theory.depth.comparison(runs, linear))
tested = runs["val_mean_squared_error"]
lab.show(
    f"""After {sizes.boston_epochs} epochs the mean test MSE of the networks is {tested.mean():.1f},
    with a standard deviation of {tested.std():.1f} over {len(runs)} seeds; that of the linear
    regression is {linear["test"]:.1f}, in ({boston.UNIT})². Of the seeds,
    {np.mean(tested < linear["test"]):.0%} are better. The training MSE of a network is a mean over
    the batches of the last epoch, while the weights change."""
)

# %% [markdown]
# ## Do all claims hold?

# %%
data = {"boston": split.origin, "wafer": series.origin}
with lab.run("glm_twins", data=data) as run:
    run.save_table("relu", runs)
    save(claims, run)
lab.show(f"{verdict(claims)}.")
lab.close(figure="twins", command="python -m exercises.pitfalls")
