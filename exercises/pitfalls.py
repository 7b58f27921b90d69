# %% [markdown]
# # What goes wrong with another pair?
#
# Most wrong pairs run without an error message. We train small networks on Wafer, with right and
# with wrong pairs of output activation, loss and labels, from the same initial hidden weights and
# on the same batches, and count what it costs.
#
# As a command this lab is `python -m exercises.pitfalls`; `--help` lists its options.

# %%
"""Train wrong pairs of output activation, loss and labels, and measure what they cost."""

import numpy as np
import pandas as pd

import nnloss
from nnloss import plots, theory
from nnloss.course import wafer
from nnloss.theory.claims import claim_table, save, verdict

lab = nnloss.lab(__name__, "pitfalls")
sizes = theory.sizes.sizes(quick=lab.quick)

# %% [markdown]
# ## Load the data
#
# Each series is a measurement of a wafer; class 0 is abnormal, class 1 normal. Nine of ten series
# are normal, so a model that always says "normal" has a high accuracy and is worth nothing.

# %%
series = sizes.cut(nnloss.load_wafer(lab.data_dir))
shares = {name: np.mean(series.y_test == place) for place, name in enumerate(series.classes)}
lab.show(pd.DataFrame({"class": shares.keys(), "share of test series": shares.values()}))
majority = float(max(shares.values()))
lab.show(
    f"""{len(series.x_train)} training and {len(series.x_test)} test series. Always saying "normal"
    has an accuracy of {majority:.4f}."""
)

# %% [markdown]
# ## The classical model first
#
# A logistic regression is the right pair, sigmoid and cross-entropy, without hidden layer. It needs
# a ridge penalty here, because a plane separates the training classes.

# %%
ridge = wafer.ridge_logistic_regression(series)
classical = float(np.mean(ridge.predicted == series.y_test))
lab.show(f"The ridge logistic regression has a test accuracy of {classical:.4f}.")

# %% [markdown]
# ## The gradient of MSE under a sigmoid
#
# Let p = sigmoid(z). The derivative of the binary cross-entropy (BCE) in the logit z is p - y. The
# derivative of MSE is 2 (p - y) p (1 - p): its factor p (1 - p) vanishes where p is close to 0 or
# 1, even if the label is the other one.

# %%
pairings, pitfalls = theory.pairings, theory.pitfalls
slopes = pitfalls.gradients(np.linspace(-12, 6, 181))
lab.show(plots.gradients(slopes), "gradients")
lab.show(slopes[slopes["logit"].isin([-12, -4, 0, 4])])
at = slopes.iloc[0]
lab.show(
    f"""At a logit of {at["logit"]:.0f} a row of class 1 is a confident mistake. BCE pulls with a
    gradient of {at["BCE"]:.4f}, MSE with {at["MSE"]:.6f}: {at["BCE"] / at["MSE"]:,.0f} times
    less."""
)

# %% [markdown]
# ## Train all pairings from many seeds
#
# One hidden layer of 16 ReLU units, Adam, batches of 50. For each seed all pairings share the
# initial hidden weights and the batches. A "sure" start has an output bias of 12 for "normal".

# %%
seeds = sizes.seeds_from(lab.seed)
runs = pitfalls.train_all(series, seeds, sizes.pairing_epochs)
parts = pitfalls.by_question(runs)
summaries = [pitfalls.summary(part, pitfalls.GOOD) for part in parts.values()]
tables = [pitfalls.summary_table(each) for each in summaries]
titles = [f"{title}, {sizes.pairing_epochs} epochs" for title in parts]
usual, sure, mistakes = (each.set_index("pairing") for each in summaries)
figure = plots.pitfalls(parts, level=pitfalls.GOOD, majority=majority)
lab.show(figure, "pitfalls")
lab.show(
    f"""{len(pairings.PAIRINGS)} pairings and {len(seeds)} seeds. In the tables below, "loss" is the
    training loss, and comparable for the same loss only; "mean" and "worst" are test accuracies of
    the seeds after the last epoch; "seeds" are those that reached {pitfalls.GOOD:g} in some epoch,
    and "epochs" is the median of what these needed."""
)

# %% [markdown]
# ## MSE with a sigmoid often works, and is still not the likelihood
#
# From the usual start the network is unsure, p (1 - p) is about 1/4, and MSE can learn as BCE does.
# "MSE is appropriate with a sigmoid output" is false all the same: labels 0 and 1 are not Gaussian.
# MSE is then the Brier score, which is also least in expectation at the true probability; but it is
# not the likelihood, and its gradient vanishes where the network is sure and wrong.

# %%
mse, bce = "sigmoid + MSE", "sigmoid + BCE"
lab.show(tables[0], caption=titles[0])
lab.show(
    f"""From the usual start a sigmoid has a mean accuracy of {usual["accuracy"][mse]:.4f} with MSE
    and of {usual["accuracy"][bce]:.4f} with BCE; the ridge logistic regression has
    {classical:.4f}. That another loss works here is a measurement on one data set; that BCE is the
    negative log-likelihood is an identity (see the lab identities)."""
)

# %% [markdown]
# ## A sure start
#
# The same four pairs, but the untrained network is sure that every series is normal. For the
# abnormal ones this is the confident mistake in the figure of the gradients.

# %%
lab.show(tables[1], caption=titles[1])
lab.show(
    f"""Within {sizes.pairing_epochs} epochs {sure["reached"][mse]} of {len(seeds)} seeds reach
    {pitfalls.GOOD:g} with MSE, and {sure["reached"][bce]} with BCE. The worst seed has an accuracy
    of {sure["worst"][mse]:.4f} with MSE, and of {sure["worst"][bce]:.4f} with BCE."""
)

# %% [markdown]
# ## Double softmax, integer labels, labels -1 and 1, no sigmoid
#
# The second softmax of a double softmax sees numbers from 0 to 1, so its loss has a floor of
# ln(e + K - 1) - 1 for K classes. Integer labels are broadcast to both outputs. Labels -1 and 1
# make the cross-entropy unbounded. A linear output is cut off at 0 and 1: the gradient is 0 beyond.

# %%
lab.show(tables[2], caption=titles[2])
lab.show(
    f"""The loss of the double softmax ends at {mistakes["loss"]["double softmax + CCE"]:.4f}; its
    floor is {pitfalls.double_softmax_floor(2):.4f}. With integer labels the mean accuracy is
    {mistakes["accuracy"]["softmax + MSE, integer labels"]:.4f}, and always saying "normal" has
    {majority:.4f}. With labels -1 and 1 the training loss has reached
    {mistakes["loss"]["sigmoid + BCE, labels -1 and 1"]:.2f}; a negative log-likelihood of labels
    is never below 0. With a linear output {mistakes["reached"]["linear + BCE"]} of {len(seeds)}
    seeds reach {pitfalls.GOOD:g}."""
)
claims = pitfalls.floor_claims()
lab.show(claim_table(claims), caption="The floor of a double softmax, by formula and by Keras")
lab.show(f"{verdict(claims)}.")

# %% [markdown]
# ## Who notices?
#
# Keras refuses shapes that do not fit and warns of a few mistakes. `nnloss.check_pairing` looks at
# the output, the loss and the targets.

# %%
labels = np.array([0, 1, 1])
reports = {
    each.name: nnloss.check_pairing(
        pairings.build(each, features=3, hidden=4), each.loss, each.targets(labels)
    ).verdict
    for each in pairings.PAIRINGS
}
lab.show(pd.DataFrame({"pairing": reports.keys(), "check_pairing": reports.values()}))
lab.show(
    f"""Of the mistakes tried here Keras itself refuses one, integer labels with CCE, which is
    therefore not in the tables: {pitfalls.keras_error(labels) or "not in this version"}."""
)

# %% [markdown]
# ## Do all claims hold?

# %%
with lab.run("pitfalls", data={"wafer": series.origin}) as run:
    run.save_table("pitfalls", runs)
    save(claims, run)
lab.show(f"{verdict(claims)}.")
lab.close(figure="pitfalls", command="python -m exercises.inside")
