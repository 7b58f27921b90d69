"""Losses are likelihoods: identities, GLM twins, pitfalls, landscapes, hidden states, gradients."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer

import nnloss
from nnloss import commandline as cli
from nnloss.commandline import heading, paragraph, table
from nnloss.course import boston, wafer
from nnloss.table import separated
from nnloss.theory.claims import Claim, same

Array = np.ndarray[Any, np.dtype[Any]]
Rows = dict[str, Array]  # keys "train" and "test"

EPOCHS = {"boston": 100, "wafer": 20, "pitfalls": 30, "seeds": 20}
QUICK = {"boston": 20, "wafer": 3, "pitfalls": 10, "seeds": 4, "series": 1500}
Seed = Annotated[
    int,
    cli.option("The first of the seeds.", "N", cli.whole_number(0, 2**32 - EPOCHS["seeds"])),
]
GOOD = 0.97  # test accuracy that a pairing must reach
SURE = 12.0  # initial logit of "normal": p = 0.999994 before the first step
LSTAT = 12  # column of the feature with the largest coefficient

# Targets for six tasks
#
# Boston's price is the regression target. The other targets derive from it: above the median or
# not (binary), its third (multi-class), its whole thousands (counts), whether it exceeds each limit
# between the thirds (two labels), and the price with its logarithm (two outputs). Wafer's series
# serve where error rates need many rows.


def targets(split: nnloss.Split) -> dict[str, Array]:
    """Return the training targets of each task, all derived from the price."""
    y = split.y_train
    thirds = np.quantile(y, [1 / 3, 2 / 3])
    return {
        "regression": y,
        "binary": (y > np.median(y)).astype(int),
        "multiclass": np.digitize(y, thirds),
        "counts": np.floor(y),
        "multilabel": (y[:, np.newaxis] > thirds).astype(int),
        "multioutput": np.column_stack([y, np.log(y)]),
    }


def pair_of(task: nnloss.Task) -> str:
    """Return a task's output activation and loss, such as "sigmoid + BCE"."""
    loss = task.loss.aliases[0].upper() if task.loss.aliases else task.loss.title
    return f"{'' if task.nodes or not task.domain.by_node else 'k '}{task.activation} + {loss}"


def show(claims: Sequence[Claim]) -> list[Claim]:
    """Print claims in a table per topic, and return them as a list."""
    for topic in dict.fromkeys(each.topic for each in claims):
        rows = [
            {
                "claim": each.claim,
                "left": f"{each.left:.6g}",
                "right": f"{each.right:.6g}",
                "difference": f"{each.difference:.0e}",
                "tolerance": f"{each.tolerance:.0e}{' rel.' * each.relative}",
                "holds": "yes" if each.holds else "NO",
            }
            for each in claims
            if each.topic == topic
        ]
        table(pd.DataFrame(rows), topic)
    return list(claims)


# Is each loss a likelihood?
#
# Up to constants, the negative log-likelihood of a row is its squared error (Gaussian), its binary
# cross-entropy (Bernoulli), its categorical cross-entropy (multinomial) or its Poisson loss
# (counts). Because the links are canonical, the gradient in the linear predictor eta is the
# residual mu - y in all of them. The absolute error is the negative log-likelihood of a Laplace
# distribution, which belongs to no GLM; its gradient is a sign.


def identities(x: Rows, y: dict[str, Array]) -> list[Claim]:
    """Compare values and gradients from Keras, statsmodels and scikit-learn."""
    from nnloss.theory import identities as of

    heading("Is each loss a likelihood?")
    paragraph(
        "A loss is a mean over N rows, a log-likelihood (logL) their sum; eta is the linear "
        "predictor, mu the mean or probability that it stands for. Of arrays the largest number is "
        "shown, and the largest difference of all elements. HMSE is half the MSE."
    )
    logits = x["train"][:, [0, 5, LSTAT]]  # any three columns
    return [
        *show(of.gaussian(x["train"], y["regression"])),
        *show(of.bernoulli(x["train"], y["binary"])),
        *show(of.multinomial(x["train"], y["multiclass"])),
        *show(of.of_task(nnloss.COUNTS, x["train"], y["counts"])),
        *show(of.of_task(nnloss.MULTILABEL, x["train"], y["multilabel"])),
        *show(of.of_task(nnloss.MULTIOUTPUT, x["train"], y["multioutput"])),
        *show(of.laplace(x["train"], y["regression"])),
        *show(of.squared_errors(y["regression"])),
        *show(of.softmax(logits, y["multiclass"])),
        *show(of.cross_entropy(logits, y["multiclass"])),
    ]


# Is a network without a hidden layer a GLM?
#
# Trained to convergence, it has the coefficients and the likelihood of the GLM. That requires a
# maximum. If a plane separates the classes, there is no maximum: the likelihood keeps growing with
# the coefficients.


def glm_twins(
    x: Rows, y: dict[str, Array], split: nnloss.Split, series: nnloss.Split, run: nnloss.Run
) -> list[Claim]:
    """Fit each pair by statsmodels and as a network, and compare them."""
    from nnloss.theory import glm

    heading("Is a network without hidden layer a GLM?")
    claims, coefficients = list[Claim](), {}
    for task in nnloss.TASKS.values():
        given = x["train"], y[task.name]
        classical, network = task.fit_glm(*given), glm.fit_network(task, *given)
        pair = pair_of(task)
        coefficients[pair] = classical.coefficients, network.coefficients
        claims += alike("GLM twins", pair, classical, network)
    show(claims)
    paragraph(
        "The price, whether it is above the median, its third, its whole thousands as a count, "
        "whether it is above each third, and the price with its logarithm, from 13 standardised "
        f"features of {split.sizes['train']} districts. The coefficients are in twins.png."
    )
    names = ["intercept", *split.features]
    run.save_figure("twins", nnloss.plots.twins(coefficients, names))
    for name, rows, labels in (
        ("Boston's districts above and below the median price", x["train"], y["binary"]),
        ("Wafer's normal and abnormal series", series.x_train, series.y_train),
    ):
        paragraph(
            f"A plane separates {name}: the logistic regression has no finite estimate, and there "
            "is nothing that a network could converge to."
            if separated(rows, labels)
            else f"No plane separates {name}: the logistic regression has its estimate."
        )
    return claims


def alike(topic: str, name: str, one: Any, other: Any) -> list[Claim]:
    """Return the claims that two fits have equal coefficients and log-likelihoods."""
    return [
        same(topic, f"{name}: coefficients", one.coefficients, other.coefficients, 1e-4),
        same(
            topic,
            f"{name}: log-likelihood",
            one.log_likelihood,
            other.log_likelihood,
            1e-8,
            relative=True,
        ),
    ]


# What does a hidden layer add?
#
# With linear activation nothing: a product of matrices is a matrix, so the fit is the linear
# regression. With ReLU the function is piecewise linear and can fit more.


def hidden_layers(
    x: Rows, split: nnloss.Split, seeds: Sequence[int], epochs: int, run: nnloss.Run
) -> list[Claim]:
    """Add a linear hidden layer to a linear regression, then the course's ReLU layers."""
    from nnloss.theory import glm

    heading("What does a hidden layer add?")
    task = nnloss.REGRESSION
    classical = task.fit_glm(x["train"], split.y_train)
    network = glm.fit_network(task, x["train"], split.y_train, hidden=8)
    claims = alike("linear hidden layer", "8 units, multiplied out", classical, network)
    show(claims)
    scaled = replace(split, x_train=x["train"], x_test=x["test"])
    runs = nnloss.fit_many(boston.network, scaled, seeds=seeds, task=task, epochs=epochs)
    run.save_table("relu", runs)
    linear = boston.error_measures(split, boston.linear_regression(split))
    least = linear["test"]["mean_squared_error"]
    found = runs["val_mean_squared_error"]
    rows = [
        ("linear, with or without hidden layer", linear["train"]["mean_squared_error"], least),
        (f"64 and 32 relu units, {epochs} epochs", runs["mean_squared_error"].mean(), found.mean()),
    ]
    table(pd.DataFrame(rows, columns=["hidden layer", "training MSE", "test MSE"]))
    paragraph(
        f"The networks are means of {len(seeds)} seeds, and their training MSE is that of the "
        "batches of the last epoch, while the weights change. Their test MSE has a standard "
        f"deviation of {found.std():.2f} and is below that of least squares for "
        f"{np.mean(found < least):.0%} of the seeds."
    )
    return claims


# What goes wrong with another pair?
#
# Networks with one hidden layer are trained on Wafer. All pairings share the initial hidden weights
# and the batches. A "sure" start has an output bias that predicts "normal" for every series, which
# is a confident mistake for the abnormal ones. There the gradient of the squared error,
# 2 (p - y) p (1 - p), is nearly zero; the gradient of the cross-entropy is p - y.


def pitfalls(
    series: nnloss.Split, seeds: Sequence[int], epochs: int, run: nnloss.Run
) -> list[Claim]:
    """Train each pairing from usual starts, and MSE and cross-entropy from confident ones."""
    from nnloss.theory import pitfalls as pairings

    heading("What goes wrong with another pair?")
    slopes = pairings.gradients(np.linspace(-12, 6, 181))
    run.save_figure("gradients", nnloss.plots.gradients(slopes))
    at = slopes.iloc[int(np.argmin(np.abs(slopes["logit"] + SURE)))]
    paragraph(
        f"Sigmoid at a logit of {at['logit']:.0f} for a row of class 1: the gradient of BCE is "
        f"{at['BCE']:.4f}, that of MSE {at['MSE']:.6f}, {at['BCE'] / at['MSE']:,.0f} times smaller."
    )
    usual, wrong = pairings.PAIRINGS[:4], pairings.PAIRINGS[4:]
    both = pd.concat(
        pairings.train(each, series, seeds, (0, SURE), epochs=epochs) for each in usual
    )
    others = pd.concat(pairings.train(each, series, seeds, epochs=epochs) for each in wrong)
    trained = {
        "Cross-entropy and MSE, usual start": both[both["bias"] == 0],
        f"Cross-entropy and MSE, sure start (logit {SURE:g})": both[both["bias"] == SURE],
        "Other mistakes, usual start": others,
    }
    majority = max(np.mean(series.y_test == number) for number in (0, 1))
    summaries = {title: pairings.summary(runs, GOOD) for title, runs in trained.items()}
    for title, found in summaries.items():
        reached = f"seeds to {GOOD:g}"
        table(
            pd.DataFrame(
                {
                    "pairing": found["pairing"],
                    "training loss": [f"{value:.4f}" for value in found["loss"]],
                    "accuracy": [f"{value:.4f}" for value in found["accuracy"]],
                    "worst": [f"{value:.4f}" for value in found["worst"]],
                    reached: [f"{n} of {len(seeds)}" for n in found["reached"]],
                    "epochs": ["-" if np.isnan(n) else f"{n:g}" for n in found["epochs"]],
                }
            ),
            f"{title}, {epochs} epochs",
        )
    run.save_table("pitfalls", pd.concat([both, others]))
    drawn = nnloss.plots.pitfalls(trained, level=GOOD, majority=float(majority))
    run.save_figure("pitfalls", drawn)
    usually, surely, mistaken = summaries.values()
    bce, mse = 0, 2  # rows of sigmoid + BCE and sigmoid + MSE
    paragraph(
        f"""Accuracy is that of the test series, of which {majority:.1%} are normal; "epochs" is the
        median of the seeds that reached it. From the usual start sigmoid ends at
        {usually["accuracy"][mse]:.4f} with MSE and at {usually["accuracy"][bce]:.4f} with BCE:
        the gradient of MSE vanishes only where the network is sure. Where it starts sure, and is
        wrong for every abnormal series, {surely["reached"][mse]} of {len(seeds)} seeds come to
        {GOOD:g} with MSE and {surely["reached"][bce]} with BCE."""
    )
    paragraph(
        f"""A double softmax cannot get below a loss of {pairings.double_softmax_floor(2):.4f} with
        two classes, and is at {mistaken["loss"][0]:.4f}; with it accuracy ends at
        {mistaken["accuracy"][0]:.4f}, with a single one at {usually["accuracy"][1]:.4f}. Integer
        labels against two softmax outputs are silently broadcast to both: both outputs get
        the same number. Labels -1 and 1 let the loss fall below zero without end. A linear output
        is cut off at 0 and 1, and beyond nothing pulls it back."""
    )
    paragraph(
        f"""Integer labels with CCE are the only mistake that Keras itself refuses:
        {pairings.keras_error(series.y_test) or "not here"}."""
    )
    return show(pairings.floor_claims())


# What does the loss look like around the weights?
#
# For least squares it is a quadratic bowl: the curvature along a coefficient is twice the mean
# square of its feature, whatever the other coefficients are. In a network, the loss along one
# parameter changes shape while the others are learned.


def landscape(
    x: Rows, split: nnloss.Split, network: dict[str, Any], run: nnloss.Run
) -> list[Claim]:
    """Draw loss surfaces around least squares and around the network at three epochs."""
    from nnloss.theory import landscape as surfaces

    heading("What does the loss look like around the weights?")
    data = x["train"], split.y_train
    intercept, *slopes = nnloss.REGRESSION.fit_glm(*data).coefficients
    least = [np.array(slopes), intercept]
    none = [np.zeros_like(least[0]), least[1]]

    reach = np.linspace(-1, 1, 25)
    slices, fits = {}, {}
    for name, weights in {"least squares": least, **network}.items():
        random = np.random.default_rng(0)  # same draw for each, scaled by its filters
        plane = surfaces.direction(weights, random), surfaces.direction(weights, random)
        slices[name] = surfaces.surface(weights, plane, reach, *data)
        fits[name] = surfaces.quadratic_fit(reach, slices[name])
    label = f"training MSE, ({boston.UNIT})²"
    run.save_figure("landscape", nnloss.plots.landscapes(reach, slices, label=label))

    # The weight of LSTAT in the unit through which it has most influence after training.
    first, _, second, *_ = list(network.values())[-1]
    unit = int(np.argmax(np.abs(first[LSTAT]) * np.abs(second).sum(axis=1)))
    wide, along = np.linspace(-16, 16, 81), np.linspace(-2, 2, 81)
    one, other = (surfaces.profile(at, (0, LSTAT, 0), wide, *data) for at in (none, least))
    learned = {
        name: surfaces.profile(weights, (0, LSTAT, unit), along, *data)
        for name, weights in network.items()
    }
    panels = {
        "least squares: one bowl, moved": (wide, {"at 0": one, "fitted": other}),
        "network: another curve at each epoch": (along, learned),
    }
    labels = {
        "xlabel": "added to a parameter of LSTAT",
        "ylabel": f"MSE minus its minimum, ({boston.UNIT})²",
    }
    run.save_figure("one_parameter", nnloss.plots.profiles(panels, **labels))

    bends = {name: surfaces.curvature(along, losses) for name, losses in learned.items()}
    bowl = surfaces.curvature(wide, one), surfaces.curvature(wide, other)
    topic, square = "landscape of least squares", 2 * np.mean(data[0][:, LSTAT] ** 2)
    claims = [
        same(topic, "share not explained by a quadratic", fits["least squares"][0], 0, 1e-12),
        same(topic, "curvature, others 0 = others fitted", *bowl, 1e-8, relative=True),
        same(topic, "curvature = 2 mean(LSTAT²)", bowl[0], square, 1e-8, relative=True),
    ]
    show(claims)
    table(
        pd.DataFrame(
            {
                "slice around": name,
                "not quadratic": f"{left:.1%}",
                "curvatures of the slice": f"{curvatures[0]:.0f} and {curvatures[1]:.0f}",
                "along LSTAT": f"{bends.get(name, bowl[0]):.2f}",
            }
            for name, (left, curvatures) in fits.items()
        )
    )
    paragraph(
        """Two positive curvatures are a bowl, a negative one is a saddle or a hill. The slices go
        through the weights in two random directions, each filter in proportion to its size."""
    )
    return claims


def trained(x: Rows, split: nnloss.Split, epochs: int, seed: int) -> tuple[Any, dict[str, Any]]:
    """Train Boston's network; return the model and its weights at three epochs."""
    import keras

    stages = dict[str, Any]()
    chosen = sorted({1, max(2, epochs // 10), epochs})

    def keep(epoch: int, logs: Any) -> None:
        if epoch + 1 in chosen:
            stages[f"epoch {epoch + 1}"] = model.get_weights()

    nnloss.set_seed(seed)
    model = nnloss.compile_for_task(boston.network(), nnloss.REGRESSION)
    kept = keras.callbacks.LambdaCallback(on_epoch_end=keep)
    model.fit(x["train"], split.y_train, epochs=epochs, callbacks=[kept], verbose=0)
    return model, stages


# What have the hidden layers inferred?
#
# No target supervises the hidden units directly. Yet a linear model predicts more from their
# activations than from the features: the last layer of a network is a GLM on its hidden states.


def hidden_states(
    x: Rows,
    split: nnloss.Split,
    model: Any,
    series: nnloss.Split,
    epochs: int,
    seed: int,
    run: nnloss.Run,
) -> None:
    """Fit linear models to the hidden states of both networks, and draw the states."""
    from sklearn.linear_model import LinearRegression

    from nnloss.theory import hidden_states as inferred

    heading("What have the hidden layers inferred?")

    def squared(features: Rows) -> float:
        fitted = LinearRegression().fit(features["train"], split.y_train)
        return float(np.mean((fitted.predict(features["test"]) - split.y_test) ** 2))

    inner = {rows: inferred.states(model, x[rows], model.layers[-2].name) for rows in x}
    label = f"price, {boston.UNIT}"
    drawn = nnloss.plots.states_by_target(inner["test"], split.y_test, label=label)
    run.save_figure("hidden_states", drawn)
    predicted = inferred.states(model, x["test"], model.layers[-1].name)[:, 0]
    own = float(np.mean((predicted - split.y_test) ** 2))
    errors = {"Boston, MSE": (squared(x), squared(inner), own)}

    nnloss.set_seed(seed)
    one_hot = nnloss.encode(series.y_train, nnloss.MULTICLASS, 2)
    network = nnloss.compile_for_task(wafer.network(), nnloss.MULTICLASS, classes=2)
    given = {"train": series.x_train[..., np.newaxis], "test": series.x_test[..., np.newaxis]}
    network.fit(given["train"], one_hot, epochs=epochs, batch_size=64, verbose=0)
    last = [layer.name for layer in network.layers if "conv" in layer.name][-1]
    maps = {rows: inferred.states(network, given[rows], last) for rows in given}
    means = inferred.by_class(maps["test"], series.y_test)
    run.save_figure("feature_map", nnloss.plots.map_by_class(means, series.classes))
    raw = {"train": series.x_train, "test": series.x_test}
    flat = {rows: values.reshape(len(values), -1) for rows, values in maps.items()}
    p = inferred.states(network, given["test"], network.layers[-1].name)
    wrong = np.mean(p.argmax(axis=1) != series.y_test)
    errors["Wafer, share wrong"] = misclassified(raw, series), misclassified(flat, series), wrong

    table(
        pd.DataFrame(
            {
                "test error": name,
                "linear on features": f"{linear:.4f}",
                "on states": f"{on_states:.4f}",
                "network": f"{whole:.4f}",
                "recovered": f"{inferred.recovered(linear, on_states):.0%}",
                "by network": f"{inferred.recovered(linear, whole):.0%}",
            }
            for name, (linear, on_states, whole) in errors.items()
        )
    )
    paragraph(
        """Two linear models, on the features and on the states of one network, and the network.
        States are the 32 numbers of Boston's last hidden layer, and the map of Wafer's last
        convolution. Recovered is the share of the test error of the linear
        model on the features that is gone with a linear model on the states, or with the network.
        A linear model that is fitted anew may be better than the network's own last layer."""
    )


def misclassified(features: Rows, series: nnloss.Split) -> float:
    """Return the test error of a ridge logistic regression."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    model.fit(features["train"], series.y_train)
    return float(np.mean(model.predict(features["test"]) != series.y_test))


# Where do the gradients come from?
#
# From the chain rule: the residual mu - y at the output is passed back through each kernel where
# its ReLU was active (in NumPy: `nnloss.theory.backpropagation`). `fit` is a loop over batches,
# written out below.


def training_loop(model: Any, x: Any, y: Any, loss: Any, batch_size: int) -> None:
    """Train for one epoch, as ``fit`` does."""
    import tensorflow as tf

    weights = [variable.value for variable in model.trainable_variables]
    for start in range(0, len(x), batch_size):
        batch_x, batch_y = x[start : start + batch_size], y[start : start + batch_size]
        with tf.GradientTape() as tape:
            value = loss(batch_y, model(batch_x, training=True))
        gradients = tape.gradient(value, weights)
        model.optimizer.apply(gradients, model.trainable_variables)


def backpropagation(x: Rows, y: dict[str, Array], seed: int) -> list[Claim]:
    """Compare gradients by hand and by Keras for each task, and the loop with ``fit``."""
    import keras

    from nnloss.table.encoding import as_targets
    from nnloss.theory import glm
    from nnloss.theory.backpropagation import by_hand, by_keras

    heading("Where do the gradients come from?")
    features = x["train"]

    def made(task: nnloss.Task) -> Any:
        nnloss.set_seed(seed)
        layers = [keras.layers.Dense(units, "relu") for units in (6, 4)]
        body = keras.Sequential([keras.Input((features.shape[1],)), *layers])
        nodes = np.shape(y[task.name])[1:]
        classes = None if task.nodes else (nodes[0] if nodes else 3)
        return nnloss.compile_for_task(body, task, classes=classes)

    def flat(arrays: Any) -> Array:
        return np.concatenate([np.ravel(array) for array in arrays])

    claims, topic = list[Claim](), "backpropagation"
    with glm.double_precision():
        for task in nnloss.TASKS.values():
            labels = as_targets(y[task.name], task.loss, 3).astype(np.float64)
            model = made(task)
            ours = by_hand(model.get_weights(), features, labels, task)
            claim = f"{pair_of(task)}: by hand = by Keras"
            theirs = by_keras(model, features, labels)
            claims.append(same(topic, claim, flat(ours), flat(theirs), 1e-6, relative=True))
    features = features.astype(np.float32)
    looped, fitted = made(nnloss.REGRESSION), made(nnloss.REGRESSION)
    prices = y["regression"][:, np.newaxis].astype(np.float32)
    training_loop(looped, features, prices, keras.losses.MeanSquaredError(), 32)
    fitted.fit(features, prices, epochs=1, batch_size=32, shuffle=False, verbose=0)
    weights = flat(looped.get_weights()), flat(fitted.get_weights())
    claims.append(same(topic, "weights after an epoch: the loop = fit", *weights, 1e-6))
    return show(claims)


# Run everything in this order


def main(
    seed: Seed = 0,
    out: cli.Out = Path("runs"),
    data_dir: cli.DataDir = None,
    quick: cli.Quick = False,
) -> None:
    """Losses are likelihoods: identities, GLM twins, pitfalls, landscapes, hidden states."""
    cli.require_folder(out)
    split, series = nnloss.load_boston(data_dir), nnloss.load_wafer(data_dir)
    heading("Neural-network losses are likelihoods")
    if quick:
        few = slice(QUICK["series"])
        series = replace(series, x_test=series.x_test[few], y_test=series.y_test[few])
    x, y = boston.standardised(split), targets(split)
    number = QUICK if quick else EPOCHS
    seeds = range(seed, seed + number["seeds"])
    known = {"boston": split.origin, "wafer": series.origin}
    with nnloss.Run.start(out, "losses", seed=seed, quick=quick, data=known) as run:
        claims = identities(x, y)
        claims += glm_twins(x, y, split, series, run)
        claims += hidden_layers(x, split, seeds, number["boston"], run)
        claims += pitfalls(series, seeds, number["pitfalls"], run)
        model, stages = trained(x, split, number["boston"], seed)
        claims += landscape(x, split, stages, run)
        hidden_states(x, split, model, series, number["wafer"], seed, run)
        claims += backpropagation(x, y, seed)
        told = [asdict(each) | {"holds": each.holds} for each in claims]
        run.save_table("claims", pd.DataFrame(told))
        run.update(claims=told)
    heading("Does all of it hold?")
    failed = [each for each in claims if not each.holds]
    for each in failed:
        paragraph(
            f"Does not hold: {each.topic}, {each.claim}; the difference is {each.difference:.1e}, "
            f"the tolerance {each.tolerance:.0e}."
        )
    paragraph(f"{len(claims) - len(failed)} of {len(claims)} claims hold on this machine.")
    paragraph(f"Saved to {run.folder}")
    if failed:
        raise typer.Exit(1)
