# %% [markdown]
# # Losses are negative log-likelihoods
#
# A likelihood says how probable the observed targets are under a model. Its negative logarithm is
# what statistics minimises. We compute it with statsmodels, compute the loss of a network with
# Keras on the same predictions, and compare: values first, then gradients.
#
# As a command this lab is `python -m exercises.identities`; `--help` lists its options.

# %%
"""Is each loss a likelihood? Losses by Keras, likelihoods by statsmodels, on the same numbers."""

import numpy as np
import pandas as pd

import nnloss
from nnloss import likelihoods, theory
from nnloss.course import boston
from nnloss.theory.claims import claim_table, save, verdict

lab = nnloss.lab(__name__, "identities")

# %% [markdown]
# ## One data set, six problems
#
# All targets derive from the prices of Boston's districts: the price, whether it is above the
# median, its third, its whole thousands (no real counts, only numbers to compare), whether it
# exceeds each limit between the thirds, and the price with its logarithm. A loss is a mean over the
# N rows, a log-likelihood (logL) a sum. The linear predictor is eta; mu is the mean or the
# probability that it stands for.

# %%
split = nnloss.load_boston(lab.data_dir)
x, y = boston.standardised(split)["train"], theory.problems.targets(split)
lab.show(
    pd.DataFrame(
        {
            "problem": task.problem,
            "activation": task.activation,
            "loss": task.loss.title,
            "first target": str(np.round(y[task.name][0], 2)),
        }
        for task in nnloss.TASKS.values()
    )
)
lab.show(
    f"""The first of {len(x)} districts has a price of {y["regression"][0] * 1000:,.0f} USD; the
    median of all is {np.median(y["regression"]) * 1000:,.0f} USD."""
)

# %% [markdown]
# ## Regression: the squared error and the Gaussian log-likelihood
#
# If y is normal with mean mu and standard deviation sigma, then -ln p(y) =
# (y - mu)² / (2 sigma²) + ln(2 pi sigma²) / 2. The sum over rows is N / (2 sigma²) times MSE plus a
# constant. In each table "differ" is the largest difference of the two sides over all elements,
# and "limit" what is allowed; of arrays the entry with the largest absolute value is shown.

# %%
claims = theory.identities.gaussian(x, y["regression"])
lab.show(claim_table(claims))
lab.show(
    f"""{verdict(claims)}. At the best sigma the -logL of {claims[1].left:.2f} is an increasing
    function of the MSE of {claims[2].left:.2f}, so both are least for the same coefficients. N / 2
    times the gradient of the MSE in eta is the residual mu - y."""
)

# %% [markdown]
# ## Dividing by n or not
#
# The mean of the squared errors (MSE), half of it (HMSE), their sum (SSE) and the root of the mean
# (RMSE) are four values. Dividing by n or taking a root is a monotone change: it moves no minimum.

# %%
found = theory.identities.squared_errors(y["regression"])
lab.show(claim_table(found))
least = [each.left for each in found if "least" in each.claim]
lab.show(
    f"""{verdict(found)}. A numerical search finds the least MSE, HMSE, SSE and RMSE of a constant
    prediction between {min(least):.4f} and {max(least):.4f}; the mean price is
    {y["regression"].mean():.4f}. What changes is the size of the gradient, and so the learning rate
    that fits it: SSE has {len(x)} times the gradient of MSE."""
)
claims += found

# %% [markdown]
# ## Two classes: binary cross-entropy is a negative Bernoulli log-likelihood
#
# If y is 1 with probability p and else 0, then -ln p(y) = -y ln p - (1 - y) ln(1 - p), which is the
# binary cross-entropy (BCE) of the row. With p = sigmoid(eta) its derivative in eta is p - y.

# %%
found = theory.identities.bernoulli(x, y["binary"])
lab.show(claim_table(found))
lab.show(
    f"""{verdict(found)}. {len(x)} times the BCE of {found[1].left:.4f} is the -logL of
    {found[0].right:.2f} that statsmodels reports for the logistic regression."""
)
claims += found

# %% [markdown]
# ## Several classes: categorical cross-entropy is a negative multinomial log-likelihood
#
# Only the probability of the observed class counts: -ln p(y) = -ln p of that class, the categorical
# cross-entropy (CCE) with one-hot targets.

# %%
found = theory.identities.multinomial(x, y["multiclass"])
lab.show(claim_table(found))
guess = np.log(3)
lab.show(
    f"""{verdict(found)}. With three classes, guessing has a CCE of ln 3 = {guess:.4f}; the
    multinomial regression has {found[1].left:.4f}."""
)
claims += found

# %% [markdown]
# ## Beyond the course: counts, k labels, k quantities
#
# Each row of the table of pairs works in the same way. k yes/no labels are k independent Bernoulli
# variables, and counts have the Poisson likelihood with a log link. k quantities are k independent
# Gaussian variables with one common variance: bring them to one scale first.

# %%
for task in (nnloss.COUNTS, nnloss.MULTILABEL, nnloss.MULTIOUTPUT):
    found = theory.identities.of_task(task, x, y[task.name])
    lab.show(claim_table(found), caption=f"{theory.problems.pair_of(task)}: {task.row[4]}")
    lab.show(f"{verdict(found)}.")
    claims += found

# %% [markdown]
# ## MAE is not MSE
#
# The absolute error is a negative log-likelihood too, of the Laplace distribution. With an unknown
# location that is no exponential family, so MAE belongs to no GLM. Its gradient is a sign and not a
# residual, and the best constant is the median.

# %%
found = theory.identities.laplace(x, y["regression"])
lab.show(claim_table(found))
constants = {"mean": y["regression"].mean(), "median": np.median(y["regression"])}
rows = [
    {
        "constant": f"the {name}, {value:.2f}",
        "MSE": likelihoods.mean_squared_error(y["regression"], np.full(len(x), value)),
        "MAE": likelihoods.mean_absolute_error(y["regression"], np.full(len(x), value)),
    }
    for name, value in constants.items()
]
lab.show(pd.DataFrame(rows))
lab.show(f"{verdict(found)}. The mean has the smaller MSE, the median the smaller MAE.")
claims += found

# %% [markdown]
# ## Softmax of two is sigmoid of one
#
# For two classes only the difference of the logits matters, so softmax with two outputs is the same
# model as sigmoid with one. A constant added to all logits changes nothing.

# %%
logits = x[:, [0, 5, 12]]  # any three columns
found = theory.identities.softmax(logits, y["multiclass"])
lab.show(claim_table(found))
lab.show(f"{verdict(found)}. Both outputs are right for two classes, each with its own loss.")
claims += found

# %% [markdown]
# ## Why is it called cross-entropy?
#
# The cross-entropy of targets q and predictions p is the entropy H(q) plus the Kullback-Leibler
# divergence KL(q, p). One-hot targets have the entropy 0: then all of the loss is divergence.

# %%
found = theory.identities.cross_entropy(logits, y["multiclass"])
lab.show(claim_table(found))
lab.show(
    f"""{verdict(found)}. For soft targets the loss cannot fall below their entropy,
    {found[1].right:.4f} here; for labels it can fall to 0."""
)
claims += found

# %% [markdown]
# ## Do all claims hold?

# %%
with lab.run("identities", split) as run:
    save(claims, run)
lab.show(f"{verdict(claims)}.")
lab.close(command="python -m exercises.glm_twins")
