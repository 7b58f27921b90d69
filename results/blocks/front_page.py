"""Blocks of the README: the figure on top, the end of the first command, and the answers."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from textwrap import indent

import pandas as pd

from blocks.records import ROOT, head, measured, published, row, runs, swept
from blocks.sweep import answer
from nnloss import RunRecord, commandline
from nnloss.commandline import wrapped
from nnloss.course.published import comparison_table, settings_of
from nnloss.quiz import read_questions
from nnloss.quiz.command import QUESTIONS
from nnloss.reproduction.verdicts import REPRODUCED, TYPICAL
from nnloss.theory.pitfalls import GOOD, SURE, summary

CORES = 2  # of the machine that ran the sweep


def twins() -> str:
    """Return the block on networks without hidden layer and their GLMs."""
    ((record, folder),) = runs("losses")
    claims = pd.DataFrame(record.claims)
    largest = claims[claims["topic"] == "GLM twins"]["difference"].max()
    return f"""<img src="{folder}/twins.png" width="600" alt="Coefficients of GLMs and networks">

One panel for each row of the table, on Boston Housing. Outlines are the coefficients of the GLM,
filled symbols the weights of a network without hidden layer; they differ by {largest:.0e} at most.
"""


def output() -> str:
    """Return the block with the end of the output of ``python -m exercises.boston``."""
    record = {each.loss: each for each, _ in runs("boston")}["mean_squared_error"]
    table, remarks = comparison_table(record, settings_of("boston", 2023, augment=False))
    with redirect_stdout(io.StringIO()) as printed:
        commandline.table(table)
        commandline.paragraph(remarks[0])
    return indent(printed.getvalue(), "    ")


def answers() -> str:
    """Return the block with the answer, the time and the figure of each exercise."""
    rows, figures = zip(_boston(), _cifar10(), _wafer(), _losses(), strict=True)
    text = head("exercise", "question", "answer", "the course's run", "training, two cores")
    text += "".join(row(*each) for each in rows)
    labs = ", ".join(_link(name) for name in ("identities", "glm_twins", "pitfalls", "inside"))
    text += row(labs, "The same, step by step, in four labs", "", "", "")
    verdicts = swept("verdicts")["verdict"]
    hold = f"{verdicts.isin([REPRODUCED, TYPICAL]).sum()} of {len(verdicts)} do"
    units = (ROOT / "results" / "sweep").glob("*/*/*/run.json")
    seconds = sum(RunRecord.read(path).seconds["total"] for path in units) / CORES
    text += row(_link("reproduce"), "Do the published numbers hold?", hold, "", _time(seconds))
    count = f"{len(read_questions(QUESTIONS))} questions"
    text += row(_link("quiz"), "What would an exam ask?", count, "", "")
    return f"{text}\n{wrapped(answer(), 100)}\n" + "".join(
        f"\n{caption}\n{image}\n" for caption, image in figures
    )


# Each returns the row of an exercise, and the caption and the image of its figure.


def _boston() -> tuple[list[str], tuple[str, str]]:
    found = {record.loss: (record, folder) for record, folder in runs("boston")}
    record, folder = found["mean_squared_error"]
    ours, linear, course = (
        f"{1000 * error:,.0f} USD"
        for error in (
            record.metrics["test"]["mean_absolute_error"],
            record.baseline["linear_regression"]["mean_absolute_error"],
            float(published(record, "metrics.test.mean_absolute_error")),
        )
    )
    cells = [
        f"{_link('boston')}, 11.3",
        "What does a home in Boston cost?",
        f"wrong by {ours} on average; linear regression by {linear}",
        f"{course}, {_verdict('boston', 'network: test MAE')}",
        _time(_training("boston", epochs=100)),
    ]
    table = pd.read_csv(ROOT / folder / "predictions.csv").query("rows == 'test'")
    squared = (table["actual"] - table["network"]) ** 2
    worst = f"{100 * squared.max() / squared.sum():.0f} %"
    caption = f"**Boston.** One district of {len(table)} makes {worst} of the network's "
    caption += "squared error."
    image = f"![Predicted against actual price]({folder}/predicted_vs_actual.png)"
    return cells, (caption, image)


def _cifar10() -> tuple[list[str], tuple[str, str]]:
    found = {record.augment: (record, folder) for record, folder in runs("cifar10")}
    (plain, _), (augmented, folder) = found[False], found[True]
    ours, more = plain.metrics, augmented.metrics
    pixels = plain.baseline["softmax_regression"]
    course = float(published(plain, "metrics.test.accuracy"))
    classical, network = plain.seconds["softmax_regression"], _training("cifar10", epochs=20)
    cells = [
        f"{_link('cifar10')}, 11.4",
        "What is in the picture?",
        f"{_percent(ours['test']['accuracy'])} right, {_percent(more['test']['accuracy'])} with "
        f"augmented images; softmax regression {_percent(pixels['accuracy'])}",
        f"{_percent(course)}, {_verdict('cifar10', 'network: test accuracy')}",
        f"{_time(classical + network)}; {_time(classical + 2 * network)} with `--augment`",
    ]
    gaps = [each["train"]["accuracy"] - each["test"]["accuracy"] for each in (ours, more)]
    caption = "**CIFAR-10.** Augmented images narrow the gap between training and test accuracy "
    caption += "from {:.2f} to {:.2f}.".format(*gaps)
    image = f"![Accuracy by epoch without and with augmentation]({folder}/train_test_gap.png)"
    return cells, (caption, image)


def _wafer() -> tuple[list[str], tuple[str, str]]:
    found = {record.loss: (record, folder) for record, folder in runs("wafer")}
    record, folder = found["categorical_crossentropy"]
    ours, normal, logistic = (
        _percent(each["accuracy"])
        for each in (
            record.metrics["test"],
            record.baseline["all_normal"],
            record.baseline["logistic_regression"],
        )
    )
    course = float(published(record, "metrics.test.accuracy"))
    cells = [
        f"{_link('wafer')}, 11.5",
        "Is the wafer normal?",
        f'{ours} right; logistic regression {logistic}, always "normal" {normal}',
        f"{_percent(course)}, {_verdict('wafer', 'network: test accuracy')}",
        _time(_training("wafer", epochs=100)),
    ]
    counts = pd.read_csv(ROOT / folder / "confusion_matrix.csv", index_col="actual")
    abnormal = counts.loc["abnormal"]
    caption = f"**Wafer.** The network finds {abnormal['abnormal']} of {abnormal.sum()} abnormal "
    caption += f"wafers, with {counts['abnormal']['normal']} false alarms."
    image = f"![ROC and precision-recall curves of all models]({folder}/all_models.png)"
    return cells, (caption, image)


def _losses() -> tuple[list[str], tuple[str, str]]:
    ((record, folder),) = runs("losses")
    hold = sum(each["holds"] for each in record.claims)
    cells = [
        _link("losses"),
        "Why these pairs, and what goes wrong with others?",
        f"{hold} of {len(record.claims)} claims hold",
        "",
        _time(record.seconds["total"]),
    ]
    trained = pd.read_csv(ROOT / folder / "pitfalls.csv")
    sure = summary(trained[trained["bias"] == SURE], GOOD)
    found = {each.pairing: each for each in sure.itertuples()}
    mse, bce = found["sigmoid + MSE"], found["sigmoid + BCE"]
    caption = f"**Losses.** Started sure and wrong, {bce.reached} of {bce.seeds} networks reach an "
    caption += f"accuracy of {GOOD:g} with BCE, and {mse.reached} of {mse.seeds} with MSE."
    image = f"![Test error by epoch for right and wrong pairs]({folder}/pitfalls.png)"
    return cells, (caption, image)


def _link(exercise: str) -> str:
    return f"[`{exercise}`](exercises/{exercise}.py)"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _verdict(exercise: str, quantity: str) -> str:
    """Return the verdict on a number of 2023; a question mark means that it is uncertain."""
    table = swept("verdicts").set_index(["exercise", "edition", "quantity"])
    found = table.loc[exercise, "2023", quantity]
    return found["verdict"] + ("" if found["certain"] else " (?)")


def _training(exercise: str, epochs: int) -> float:
    """Return the median time of a training in the benchmark, in seconds, for so many epochs."""
    table = measured("training").set_index(["exercise", "contender"]).loc[exercise, "nnloss"]
    return (table["training"] / table["epochs"]).median() * epochs


def _time(seconds: float) -> str:
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
