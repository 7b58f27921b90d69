"""Losses are likelihoods: identities, GLM twins, pitfalls, landscapes, hidden states, gradients.

The four labs ``identities``, ``glm_twins``, ``pitfalls`` and ``inside`` in ``exercises/`` do the
same step by step; here each question is answered in a few lines, and with ``--all`` in full.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer

import nnloss
from nnloss import commandline as cli
from nnloss.course import boston, wafer
from nnloss.plots.captions import CAPTIONS
from nnloss.table import separated
from nnloss.theory.claims import Claim, claim_table, save, verdict
from nnloss.theory.problems import targets
from nnloss.theory.sizes import FULL, Sizes, sizes

Array = np.ndarray[Any, np.dtype[Any]]

seed_number = cli.whole_number(0, 2**32 - FULL.seeds)
Seed = Annotated[int, cli.option("The first of the seeds.", "N", seed_number, group="Training")]
All = Annotated[bool, cli.flag("--all", "Print all claims and all tables.")]


@dataclass(frozen=True)
class Answer:
    """Answer to a question: the result in words, claims, and tables.

    `page` is a table that is always printed. With ``--all`` the tables by title follow, and
    `details`, a text on how the numbers were made.
    """

    question: str
    result: str
    claims: list[Claim] = field(default_factory=list)
    page: pd.DataFrame | None = None
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    details: str = ""


class Work:
    """What all questions share: the data, the sizes, the seed and the run."""

    def __init__(
        self, split: nnloss.Split, series: nnloss.Split, amount: Sizes, seed: int, run: nnloss.Run
    ) -> None:
        self.split, self.series, self.sizes, self.seed, self.run = split, series, amount, seed, run
        self.x, self.y = boston.standardised(split), targets(split)

    def save(self, name: str, figure: Any) -> None:
        """Save a figure with its caption."""
        self.run.save_figure(name, figure, CAPTIONS[name])


def is_likelihood(work: Work) -> Answer:
    """Compare values and gradients from Keras, statsmodels and scikit-learn."""
    from nnloss.theory import identities as of

    x, y = work.x["train"], work.y
    logits = x[:, [0, 5, 12]]  # any three columns
    return Answer(
        "Is each loss a likelihood?",
        """Up to constants, MSE is the negative log-likelihood of a Gaussian distribution, BCE of a
        Bernoulli, CCE of a multinomial one, and MAE of a Laplace one, which belongs to no GLM.""",
        [
            *of.gaussian(x, y["regression"]),
            *of.bernoulli(x, y["binary"]),
            *of.multinomial(x, y["multiclass"]),
            *of.of_task(nnloss.COUNTS, x, y["counts"]),
            *of.of_task(nnloss.MULTILABEL, x, y["multilabel"]),
            *of.of_task(nnloss.MULTIOUTPUT, x, y["multioutput"]),
            *of.laplace(x, y["regression"]),
            *of.squared_errors(y["regression"]),
            *of.softmax(logits, y["multiclass"]),
            *of.cross_entropy(logits, y["multiclass"]),
        ],
        details="""A loss is a mean over N rows, a log-likelihood (logL) a sum; eta is the linear
        predictor, mu the mean or probability that it stands for. The tables show the largest number
        of an array and the largest difference of all elements, which claims.csv calls relative
        where it is divided by the larger side. HMSE is half the MSE.""",
    )


def is_glm(work: Work) -> Answer:
    """Fit each pair by statsmodels and as a network, and compare them."""
    from nnloss.theory import glm

    fits = glm.twins(work.x["train"], work.y)
    coefficients = {name: tuple(fit.coefficients for fit in pair) for name, pair in fits.items()}
    work.save("twins", nnloss.plots.twins(coefficients, ["intercept", *work.split.features]))  # type: ignore[arg-type]
    cases = {
        "Boston's classes (above and below the median price)": (work.x["train"], work.y["binary"]),
        "Wafer's classes": (work.series.x_train, work.series.y_train),
    }
    separable = [
        f"A plane separates {name}: neither has a finite estimate."
        if separated(rows, labels)
        else f"No plane separates {name}: both have an estimate."
        for name, (rows, labels) in cases.items()
    ]
    return Answer(
        "Is a network without hidden layer a GLM?",
        "Trained to convergence, it has the coefficients and the likelihood of the GLM. "
        + " ".join(separable),
        glm.twin_claims(fits),
        details=f"""The targets are the price, whether it is above the median, its third, its whole
        thousands as a count, whether it exceeds each limit between the thirds, and the price with
        its logarithm. The features are 13, standardised, of {work.split.sizes["train"]} districts.
        The figure twins.png shows the coefficients.""",
    )


def adds(work: Work) -> Answer:
    """Add a linear hidden layer to a linear regression, then the course's ReLU layers."""
    from nnloss.theory import depth

    x, split, epochs = work.x, work.split, work.sizes.boston_epochs
    claims = depth.linear_layer_claims(x["train"], split.y_train)
    scaled = replace(split, x_train=x["train"], x_test=x["test"])
    seeds = work.sizes.seeds_from(work.seed)
    runs = nnloss.fit_many(
        boston.network, scaled, seeds=seeds, task=nnloss.REGRESSION, epochs=epochs
    )
    work.run.save_table("relu", runs)
    measured = boston.error_measures(split, boston.linear_regression(split))
    linear = {rows: each["mean_squared_error"] for rows, each in measured.items()}
    found = runs["val_mean_squared_error"]
    return Answer(
        "What does a hidden layer add?",
        f"""A linear one adds nothing: multiplied out, it is the linear regression, with a test MSE
        of {linear["test"]:.1f}. With 64 and 32 ReLU units the mean of {len(seeds)} seeds is
        {found.mean():.1f} after {epochs} epochs.""",
        claims,
        tables={"Linear regression and ReLU networks": depth.comparison(runs, linear)},
        details=f"""The training MSE of the networks is a mean over the batches of the last epoch,
        while the weights change. Their test MSE has a standard deviation of {found.std():.2f} and
        is lower than the linear regression's for {np.mean(found < linear["test"]):.0%} of the
        seeds.""",
    )


def goes_wrong(work: Work) -> Answer:
    """Train each pairing from usual starts, and MSE and cross-entropy from confident ones."""
    from nnloss.theory import pitfalls as of

    series, seeds = work.series, work.sizes.seeds_from(work.seed)
    slopes = of.gradients(np.linspace(-12, 6, 181))
    work.save("gradients", nnloss.plots.gradients(slopes))
    runs = of.train_all(series, seeds, work.sizes.pairing_epochs)
    work.run.save_table("pitfalls", runs)
    parts = of.by_question(runs)
    majority = max(np.mean(series.y_test == number) for number in (0, 1))
    work.save("pitfalls", nnloss.plots.pitfalls(parts, level=of.GOOD, majority=float(majority)))
    found = {title: of.summary(part, of.GOOD) for title, part in parts.items()}
    usual, sure, mistakes = (each.set_index("pairing") for each in found.values())
    at = slopes.iloc[int(np.argmin(np.abs(slopes["logit"] + of.SURE)))]
    every = pd.concat(
        each.assign(pairing=each["pairing"] + start)
        for each, start in zip(found.values(), ("", ", sure start", ""), strict=True)
    )
    worst = every.sort_values("accuracy", kind="stable")[:4]
    mse, bce = "sigmoid + MSE", "sigmoid + BCE"
    return Answer(
        "What goes wrong with another pair?",
        f"""From the usual start, the accuracy of a sigmoid is {usual["accuracy"][mse]:.4f} with MSE
        and {usual["accuracy"][bce]:.4f} with BCE: MSE often works, and is still not the likelihood.
        From a start that is sure and wrong, {sure["reached"][mse]} of {len(seeds)} seeds reach
        {of.GOOD:g} with MSE and {sure["reached"][bce]} with BCE: at a logit of {at["logit"]:.0f}
        the gradient of MSE is {at["BCE"] / at["MSE"]:,.0f} times smaller. The worst pairs, by test
        accuracy (mean, worst seed, seeds that reach {of.GOOD:g}):""",
        of.floor_claims(),
        page=of.summary_table(worst).drop(columns=["loss", "epochs"]),
        tables={
            f"{title}, {work.sizes.pairing_epochs} epochs": of.summary_table(each)
            for title, each in found.items()
        },
        details=f"""The tables show the training loss, the mean and the worst accuracy of a seed on
        the test series, of which {majority:.1%} are normal, the seeds that reach {of.GOOD:g}, and
        the median of the epochs they need. A double softmax cannot get below a loss of
        {of.double_softmax_floor(2):.4f}, and is at {mistakes["loss"]["double softmax + CCE"]:.4f}.
        Integer labels are silently broadcast to both softmax outputs. Labels -1 and 1 let the loss
        fall below zero without end. A linear output is cut off at 0 and 1, and beyond them no
        gradient pulls it back. Integer labels with CCE are the only mistake that Keras itself
        refuses: {of.keras_error(series.y_test) or "not here"}.""",
    )


def looks_like(work: Work, stages: dict[str, Any]) -> Answer:
    """Draw loss surfaces around least squares and around the network at three epochs."""
    from nnloss.theory import landscape as of
    from nnloss.theory import one_parameter

    data = work.x["train"], work.split.y_train
    least = of.least_squares(*data)
    planes = of.surfaces({"least squares": least, **stages}, *data)
    label = f"training MSE, ({boston.UNIT})²"
    work.save("landscape", nnloss.plots.landscapes(of.REACH, planes, label=label))
    lstat = work.split.features.index("LSTAT")
    at_zero, fitted, learned = one_parameter.profiles(least, stages, lstat, *data)
    panels = one_parameter.panels(at_zero, fitted, learned)
    work.save("one_parameter", nnloss.plots.profiles(panels, **one_parameter.LABELS))
    bends = one_parameter.curvatures(at_zero, learned)
    bent = ", ".join(f"{bends[name]:.1f} after {name}" for name in stages)
    return Answer(
        "What does the loss look like?",
        f"""Least squares is a quadratic bowl: along the coefficient of LSTAT its curvature is
        {bends["least squares"]:.1f}, wherever the other coefficients are. In the network the
        curvature along a weight of LSTAT changes while the others are learned: {bent}.""",
        one_parameter.bowl_claims(planes["least squares"], at_zero, fitted, data[0][:, lstat]),
        tables={"Shape of the loss": of.curvature_table(planes, bends)},
        details="""The slices go through the weights in two random directions, each filter in
        proportion to its size. Their smaller and larger curvatures are both positive for a bowl;
        where one is negative the slice is a saddle or a hill.""",
    )


def inferred(work: Work, model: Any) -> Answer:
    """Fit linear models to the hidden states of both networks, and draw the states."""
    from nnloss.theory import hidden_states as of

    split, series = work.split, work.series
    states, prices = of.of_prices(model, work.x, split)
    label = f"price, {boston.UNIT}"
    work.save("hidden_states", nnloss.plots.states_by_target(states, split.y_test, label=label))
    nnloss.set_seed(work.seed)
    network = nnloss.compile_for_task(wafer.network(), nnloss.MULTICLASS, classes=2)
    network.fit(
        series.x_train[..., np.newaxis],
        nnloss.encode(series.y_train, nnloss.MULTICLASS, 2),
        epochs=work.sizes.wafer_epochs,
        batch_size=64,
        verbose=0,
    )
    means, wrong = of.of_series(network, series)
    work.save("feature_map", nnloss.plots.map_by_class(means, series.classes))
    return Answer(
        "What have the hidden layers inferred?",
        f"""No target supervises the hidden states. On those for Boston a linear regression has a
        test MSE of {prices.states:.1f}, on the features of {prices.features:.1f}. On those for
        Wafer a logistic regression gets {wrong.states:.1%} of the test series wrong, on the series
        {wrong.features:.1%}.""",
        tables={
            "Test errors of two linear models and of the network": of.error_table(
                {"Boston, MSE": prices, "Wafer, share wrong": wrong}
            )
        },
        details="""One linear model has the features, the other one the hidden states: the 32
        numbers of the last hidden layer (Boston), or the map of the last convolution (Wafer). A
        gain is the share of the linear model's test error on the features that is gone. A linear
        model that is fitted anew may be better than the network's own last layer.""",
    )


def comes_from(work: Work) -> Answer:
    """Compare gradients by hand and by Keras for each task, and the loop with ``fit``."""
    from nnloss.theory import backpropagation as of

    x, y = work.x["train"], work.y
    return Answer(
        "Where do the gradients come from?",
        """From the chain rule: the residual mu - y at the output is passed back through each kernel
        where its ReLU was active. In NumPy that gives the gradients of Keras, for each task.""",
        [*of.gradient_claims(x, y, work.seed), of.loop_claim(x, y["regression"], work.seed)],
    )


def answers(work: Work) -> Iterator[Answer]:
    """Answer one question after another."""
    from nnloss.theory.stages import keep_weights

    yield is_likelihood(work)
    yield is_glm(work)
    yield adds(work)
    yield goes_wrong(work)
    epochs = work.sizes.boston_epochs
    nnloss.set_seed(work.seed)
    model = nnloss.compile_for_task(boston.network(), nnloss.REGRESSION)
    keep, stages = keep_weights(epochs)
    model.fit(work.x["train"], work.split.y_train, epochs=epochs, callbacks=[keep], verbose=0)
    yield looks_like(work, stages)
    yield inferred(work, model)
    yield comes_from(work)


def show(answer: Answer, everything: bool) -> None:
    """Print an answer; with `everything` all of its claims and tables."""
    cli.heading(f"{answer.question} {verdict(answer.claims) if answer.claims else ''}".rstrip())
    cli.paragraph(answer.result)
    if answer.page is not None:
        cli.table(answer.page)
    if everything:
        if answer.details:
            cli.paragraph(answer.details)
        for topic in dict.fromkeys(each.topic for each in answer.claims):
            cli.table(claim_table([each for each in answer.claims if each.topic == topic]), topic)
        for title, table in answer.tables.items():
            cli.table(table, title)


def main(
    seed: Seed = 0,
    out: cli.Out = Path("runs"),
    data_dir: cli.DataDir = None,
    quick: cli.Quick = False,
    everything: All = False,
) -> None:
    """Losses are likelihoods: identities, GLM twins, pitfalls, landscapes, hidden states.

    Example: python -m nnloss losses --quick
    """
    cli.require_folder(out)
    amount = sizes(quick=quick)
    split, series = nnloss.load_boston(data_dir), amount.cut(nnloss.load_wafer(data_dir))
    known = {"boston": split.origin, "wafer": series.origin}
    claims = list[Claim]()
    if quick:
        how = (
            f"{amount.seeds} of {FULL.seeds} seeds, {amount.boston_epochs} of {FULL.boston_epochs} "
            f"epochs for Boston, {amount.wafer_epochs} of {FULL.wafer_epochs} for Wafer"
        )
        cli.paragraph(cli.quick_run(how))
    with nnloss.Run.start(out, "losses", seed=seed, quick=quick, data=known) as run:
        for answer in answers(Work(split, series, amount, seed, run)):
            show(answer, everything)
            claims += answer.claims
        save(claims, run)
    failed = [each for each in claims if not each.holds]
    cli.heading(f"{len(claims) - len(failed)} of {len(claims)} claims hold on this machine.")
    for each in failed:
        cli.paragraph(
            f"Does not hold: {each.topic}, {each.claim}; the difference is {each.difference:.1e}, "
            f"the tolerance {each.tolerance:.0e}."
        )
    following = None if everything else "python -m nnloss losses --all"
    cli.closing({"losses": run.folder}, run.folder / "pitfalls.png", following)
    if failed:
        raise typer.Exit(1)
