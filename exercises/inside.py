# %% [markdown]
# # Inside the network
#
# What is different about fitting a network, compared with least squares? The loss has another
# shape, the last layer works on features that the network has made itself, and the gradient needs
# the chain rule.
#
# As a command this lab is `python -m exercises.inside`; `--help` lists its options.

# %%
"""Landscape of the loss, hidden states, backpropagation by hand and the training loop."""

import numpy as np
import pandas as pd

import nnloss
from nnloss import plots, theory
from nnloss.course import boston, wafer
from nnloss.theory.claims import claim_table, same, save, verdict

lab = nnloss.lab(__name__, "inside")
sizes = theory.sizes.sizes(quick=lab.quick)

# %% [markdown]
# ## Least squares and a network on the same districts
#
# Least squares is solved in closed form. The network of the course is trained on the same squared
# error, and its weights are kept at three epochs.

# %%
split, series = nnloss.load_boston(lab.data_dir), sizes.cut(nnloss.load_wafer(lab.data_dir))
x, y = boston.standardised(split), theory.problems.targets(split)
data = x["train"], split.y_train

landscape, one_parameter = theory.landscape, theory.one_parameter
hidden_states, backpropagation = theory.hidden_states, theory.backpropagation
least = landscape.least_squares(*data)

nnloss.set_seed(lab.seed)
model = nnloss.compile_for_task(boston.network(), nnloss.REGRESSION)
keep, stages = theory.stages.keep_weights(sizes.boston_epochs)
model.fit(*data, epochs=sizes.boston_epochs, callbacks=[keep], verbose=0)

weights = {"least squares": least} | stages
losses = [landscape.mean_squared_error(each, *data) for each in weights.values()]
lab.show(pd.DataFrame({"weights": weights.keys(), "training MSE": losses}))
lab.show(
    f"""Least squares has {len(least[0]) + 1} parameters and a training MSE of {losses[0]:.1f}. The
    network has {model.count_params():,} parameters; its training MSE falls from {losses[1]:.1f}
    after the first epoch to {losses[-1]:.1f} after {sizes.boston_epochs} epochs. The unit is
    ({boston.UNIT})²."""
)

# %% [markdown]
# ## Which shape does the loss have?
#
# We look at the loss on a plane through the weights, in two random directions. For least squares it
# is a quadratic bowl: both curvatures are positive, and there is one minimum. The loss of a network
# is not convex: where a curvature is negative, the slice is a saddle or a hill.

# %%
planes = landscape.surfaces(weights, *data)
figure = plots.landscapes(landscape.REACH, planes, label=f"training MSE, ({boston.UNIT})²")
lab.show(figure, "landscape")
shapes = {name: landscape.quadratic_fit(landscape.REACH, plane) for name, plane in planes.items()}
dented = [name for name, (_, curvatures) in shapes.items() if curvatures[0] < 0]
lab.show(
    f"""A quadratic polynomial fits the slice around least squares exactly; around the network of
    the last epoch it leaves {shapes[[*stages][-1]][0]:.1%} of the variance unexplained. A negative
    curvature is found at: {", ".join(dented) or "none of the slices"}."""
)

# %% [markdown]
# ## The landscape changes while parameters are learned
#
# Now one parameter alone, with all others fixed. In least squares its curve is the same parabola
# wherever the others are: it only moves. In a network the others are learned at the same time, and
# with them the curve changes. LSTAT is the share of the population of lower status.

# %%
lstat = split.features.index("LSTAT")
at_zero, fitted, learned = one_parameter.profiles(least, stages, lstat, *data)
panels = one_parameter.panels(at_zero, fitted, learned)
figure = plots.profiles(panels, **one_parameter.LABELS)
lab.show(figure, "one_parameter")
bends = one_parameter.curvatures(at_zero, learned)
lab.show(landscape.curvature_table(planes, bends), caption="Curvatures of slices and along LSTAT")
claims = one_parameter.bowl_claims(planes["least squares"], at_zero, fitted, x["train"][:, lstat])
lab.show(claim_table(claims))
lab.show(
    f"""{verdict(claims)}. Along LSTAT the curvature of least squares is twice the mean square of
    the feature, {bends["least squares"]:.2f}. Along the weight of LSTAT in the hidden unit through
    which it has most influence at the end it is
    {", ".join(f"{bends[name]:.2f} after {name}" for name in stages)}. Curvatures are in
    ({boston.UNIT})² per squared step. A step in a slice is as long as the weights, so their signs
    can be compared between rows, and not their sizes."""
)

# %% [markdown]
# ## Hidden states are inferred, without targets
#
# The data contain features and prices, and no value for any hidden unit. The units become what
# helps the last layer, which is a linear regression on them. We fit that regression anew.

# %%
states, prices = hidden_states.of_prices(model, x, split)
figure = plots.states_by_target(states, split.y_test, label=f"price, {boston.UNIT}")
lab.show(figure, "hidden_states")
lab.show(
    f"""A linear regression has a test MSE of {prices.features:.2f} on the 13 features, and of
    {prices.states:.2f} on the {states.shape[1]} hidden states; the network itself has
    {prices.network:.2f}, in ({boston.UNIT})². The network's own last layer was trained together
    with the others for {sizes.boston_epochs} epochs, and not to its minimum."""
)

# %% [markdown]
# ## The same for a convolutional network
#
# In Wafer the last convolution gives a map: filters by places in the series. A logistic regression
# with a ridge penalty gets the series or the map.

# %%
nnloss.set_seed(lab.seed)
network = nnloss.compile_for_task(wafer.network(), nnloss.MULTICLASS, classes=2)
one_hot = nnloss.encode(series.y_train, nnloss.MULTICLASS, 2)
network.fit(
    series.x_train[..., np.newaxis], one_hot, epochs=sizes.wafer_epochs, batch_size=64, verbose=0
)
means, wrong = hidden_states.of_series(network, series)
figure = plots.map_by_class(means, series.classes)
lab.show(figure, "feature_map")
errors = {"Boston, MSE": prices, "Wafer, share wrong": wrong}
lab.show(hidden_states.error_table(errors), caption="Test errors of linear models and network")
lab.show(
    f"""On the maps the linear model gets {wrong.states:.2%} of the test series wrong, on the series
    themselves {wrong.features:.2%}. A gain is the share by which the error is smaller than
    that of the linear model on the features."""
)

# %% [markdown]
# ## Backpropagation by hand
#
# One hidden layer, mean squared error. Forward: features, hidden states, prediction. Backward: the
# residual is passed back through the kernel, and stops where the ReLU was not active. That is all
# of the chain rule.

# %%
import keras

features, target = x["train"], split.y_train[:, np.newaxis]
with theory.precision.double_precision():
    nnloss.set_seed(lab.seed)
    body = keras.Sequential([keras.Input((13,)), keras.layers.Dense(6, "relu")])
    small = nnloss.compile_for_task(body, nnloss.REGRESSION)
    by_keras = backpropagation.by_keras(small, features, target)
kernel_1, bias_1, kernel_2, bias_2 = small.get_weights()

hidden = np.maximum(features @ kernel_1 + bias_1, 0)
predicted = hidden @ kernel_2 + bias_2

residual = 2 * (predicted - target) / len(features)
passed_back = (residual @ kernel_2.T) * (hidden > 0)
by_hand = [features.T @ passed_back, passed_back.sum(0), hidden.T @ residual, residual.sum(0)]

found = [
    same("backpropagation", f"gradient of {name}", ours, theirs, 1e-6, relative=True)
    for name, ours, theirs in zip(
        ("kernel 1", "bias 1", "kernel 2", "bias 2"), by_hand, by_keras, strict=True
    )
]
lab.show(claim_table(found), caption="One hidden layer: by hand (left) and by Keras (right)")
more = backpropagation.gradient_claims(x["train"], y, lab.seed)
lab.show(claim_table(more), caption="Two hidden layers, and each pair of the table")
lab.show(
    f"""{verdict([*found, *more])}. Only the residual depends on the pair: for a canonical link it
    is mu - y, and twice that for MSE, which lacks the factor one half."""
)
claims += [*found, *more]

# %% [markdown]
# ## The training loop
#
# `fit` is a loop over batches. Each step computes the loss, its gradient, and the update by the
# optimizer.

# %%
import tensorflow as tf

x32, y32 = features.astype("float32"), target.astype("float32")
looped, usual = (
    backpropagation.small_network(nnloss.REGRESSION, 13, None, lab.seed) for _ in range(2)
)
loss = keras.losses.MeanSquaredError()
for start in range(0, len(x32), 32):
    batch_x, batch_y = x32[start : start + 32], y32[start : start + 32]
    with tf.GradientTape() as tape:
        value = loss(batch_y, looped(batch_x, training=True))
    gradients = tape.gradient(value, looped.trainable_weights)
    looped.optimizer.apply(gradients, looped.trainable_weights)

usual.fit(x32, y32, epochs=1, batch_size=32, shuffle=False, verbose=0)
ends = [np.concatenate([each.ravel() for each in it.get_weights()]) for it in (looped, usual)]
loop = same("backpropagation", "weights after an epoch: the loop = fit", ends[0], ends[1], 1e-6)
lab.show(claim_table([loop]))
lab.show(f"The weights after one epoch of the loop and of `fit` differ by {loop.difference:.1g}.")
claims.append(loop)

# %% [markdown]
# ## Do all claims hold?

# %%
origins = {"boston": split.origin, "wafer": series.origin}
with lab.run("inside", data=origins) as run:
    save(claims, run)
lab.show(f"{verdict(claims)}.")
lab.close(figure="landscape", command="python -m exercises.losses")
