"""Numbers of the README and of `docs/`, from the committed runs.

``uv run python results/readme.py`` writes them. Each block between ``<!-- numbers: NAME -->`` and
``<!-- end -->`` is the result of the function NAME below. With ``--check`` nothing is written, and
the exit status is 1 if a block differs; a test runs this check.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from nnloss import RunRecord
from nnloss.course.published import decimals
from nnloss.reproduction import comparisons, splits, verdicts
from nnloss.theory.pitfalls import GOOD

ROOT = Path(__file__).resolve().parents[1]
TITLES = {"boston": "Boston", "wafer": "Wafer", "cifar10": "CIFAR-10"}
BLOCK = re.compile(r"(<!-- numbers: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def runs(exercise: str) -> list[tuple[RunRecord, Path]]:
    """Return the committed runs of an exercise, with their folders relative to the README."""
    paths = sorted((ROOT / "results" / exercise).glob("*/run.json"))
    return [(RunRecord.read(path), path.parent.relative_to(ROOT)) for path in paths]


def published(record: RunRecord, key: str) -> str:
    """Return the course's number for one of ours, as printed; empty if there is none."""
    return next((str(each["published"]) for each in record.published if each["key"] == key), "")


def row(*cells: object) -> str:
    """Return a row of a Markdown table."""
    return f"| {' | '.join(map(str, cells))} |\n"


def head(*names: str) -> str:
    """Return the head of a Markdown table."""
    return row(*names) + "|---" * len(names) + "|\n"


def boston() -> str:
    """Return the block on exercise 11.3: three models, and the effect of squaring."""
    found = {record.loss: (record, folder) for record, folder in runs("boston")}
    (mse, folder), (mae, _) = found["mean_squared_error"], found["mean_absolute_error"]
    names = "mean_squared_error", "mean_absolute_error"
    text = head("model", "test MSE", "test MAE", "course, MSE", "course, MAE")
    for model, record, part, key in (
        ("linear regression", mse, mse.baseline["linear_regression"], "baseline.linear_regression"),
        ("network trained on MSE", mse, mse.metrics["test"], "metrics.test"),
        ("network trained on MAE", mae, mae.metrics["test"], "metrics.test"),
    ):
        theirs = [published(record, f"{key}.{name}") for name in names]
        text += row(model, *(f"{part[name]:.4f}" for name in names), *theirs)
    table = pd.read_csv(ROOT / folder / "predictions.csv")
    test = table[table["rows"] == "test"]
    size = np.sort((test["actual"] - test["network"]).abs().to_numpy())[::-1]
    squared, absolute = (100 * np.sum(size[:5] ** k) / np.sum(size**k) for k in (2, 1))
    return f"""{text}
![Predicted against actual price, network and linear regression]({folder}/predicted_vs_actual.png)

The next figure shows the effect of squaring: the five worst of the {len(test)} test rows make
{squared:.0f} % of the squared error of the network trained on MSE, and {absolute:.0f} % of its
absolute error.

![Share of the worst test rows in the squared and in the absolute error]({folder}/losses.png)
"""


def cifar10() -> str:
    """Return the block on exercise 11.4: classical model, networks, effect of augmentation."""
    found = {record.augment: (record, folder) for record, folder in runs("cifar10")}
    (plain, _), (augmented, folder) = found[False], found[True]
    text = head("model", "test accuracy", "test loss", "course, accuracy", "course, loss")
    baseline = plain.baseline["softmax_regression"]
    text += row("softmax regression on the pixels", f"{baseline['accuracy']:.4f}", "", "", "")
    gaps = []
    for name, record in (("network", plain), ("network, augmented images", augmented)):
        test, train = record.metrics["test"], record.metrics["train"]
        theirs = [published(record, f"metrics.test.{key}") for key in ("accuracy", "loss")]
        text += row(name, f"{test['accuracy']:.4f}", f"{test['loss']:.4f}", *theirs)
        gaps.append((train["accuracy"], test["accuracy"], train["accuracy"] - test["accuracy"]))
    return f"""{text}
Augmentation closes the gap between images that were learned and new ones. On the training images
as they are, accuracy falls from {gaps[0][0]:.4f} to {gaps[1][0]:.4f}; on the test images it goes
from {gaps[0][1]:.4f} to {gaps[1][1]:.4f}; the gap goes from {gaps[0][2]:.4f} to {gaps[1][2]:.4f}.
The second training needed {augmented.machine["peak_memory_MB"] / 1024:.1f} GB of memory.

![Accuracy by epoch without and with augmentation]({folder}/train_test_gap.png)

![The most frequent mistakes of the network with augmentation]({folder}/most_confused.png)
"""


def wafer() -> str:
    """Return the block on exercise 11.5: what accuracy hides, and two encodings of two classes."""
    found = {record.loss: (record, folder) for record, folder in runs("wafer")}
    (cce, folder), (bce, _) = found["categorical_crossentropy"], found["binary_crossentropy"]
    text = head("model", "accuracy", "balanced", "ROC AUC", "average precision", "course, accuracy")
    for name, record, part, key in (
        ("all normal", cce, cce.baseline["all_normal"], ""),
        (
            "logistic regression",
            cce,
            cce.baseline["logistic_regression"],
            "baseline.logistic_regression.accuracy",
        ),
        ("ridge logistic regression", cce, cce.baseline["ridge_logistic_regression"], ""),
        ("network, softmax(2) and CCE", cce, cce.metrics["test"], "metrics.test.accuracy"),
        ("network, sigmoid(1) and BCE", bce, bce.metrics["test"], "metrics.test.accuracy"),
    ):
        measures = "accuracy", "balanced_accuracy", "roc_auc", "average_precision"
        values = [f"{part[measure]:.4f}" for measure in measures]
        text += row(name, *values, published(record, key))
    loss = cce.metrics["test"]["loss"]
    algebra = pd.read_csv(ROOT / folder / "algebra.csv")
    return f"""{text}
The test loss of the network on CCE is {loss:.6f}, the course's
{published(cce, "metrics.test.loss")}. It has {cce.parameters:,} parameters, the one on BCE
{bce.parameters:,}: the second softmax node adds parameters and no model. On the
{cce.split["test"]:,} test series the softmax of its two logits and the sigmoid of their difference
differ by {algebra["difference"][0]:.0e} at most, and CCE and BCE of the same logits by
{algebra["difference"][3]:.0g}.

![ROC and precision-recall curves of all models]({folder}/all_models.png)
"""


def losses() -> str:
    """Return the block on losses: claims by topic, and the cost of other pairings."""
    ((record, folder),) = runs("losses")
    claims = pd.DataFrame(record.claims)
    text = head("claims on", "how many hold", "largest difference", "of a tolerance of")
    for topic, group in claims.groupby("topic", sort=False):
        share = group["difference"] / group["tolerance"].replace(0, np.inf)
        worst = group.loc[share.idxmax()]
        text += row(
            topic,
            f"{group['holds'].sum()} of {len(group)}",
            f"{worst['difference']:.0e}",
            f"{worst['tolerance']:.0e}",
        )
    trained = pd.read_csv(ROOT / folder / "pitfalls.csv")
    last = trained[trained["epoch"] == trained["epoch"].max()]
    reached = trained[trained["accuracy"] >= GOOD].groupby(["pairing", "bias", "seed"]).size()
    table = head("on Wafer", "start", "test accuracy", "worst seed", f"seeds that reach {GOOD:g}")
    for (pairing, bias), group in last.groupby(["pairing", "bias"], sort=False):
        count = len(reached[pairing, bias]) if (pairing, bias) in reached.index.droplevel(2) else 0
        start = f'sure of "normal" (logit {bias:g})' if bias else "usual"
        accuracy = [f"{group['accuracy'].mean():.4f}", f"{group['accuracy'].min():.4f}"]
        table += row(pairing, start, *accuracy, f"{count} of {group['seed'].nunique()}")
    least = trained[trained["pairing"] == "double softmax + CCE"]["loss"].min()
    return f"""{text}
Means of 20 seeds after {trained["epoch"].max()} epochs, in a network with one hidden layer:

{table}
From a usual start MSE does labels no harm here. It does where the network is sure and wrong: its
gradient vanishes there, that of the cross-entropy is p - y. A double softmax cannot get its loss
below ln(e + 1) - 1 = 0.3133 with two classes; the least that was seen is {least:.4f}.

![Test error by epoch for right and wrong pairings]({folder}/pitfalls.png)

![Loss around least squares and around the network at three epochs]({folder}/landscape.png)
"""


def sweep() -> str:
    """Return the block on the committed sweep: verdicts and comparisons."""
    table = pd.read_csv(ROOT / "results" / "sweep" / "verdicts.csv")
    text = head("number", "course", "ours", "95 % of single runs", "seeds", "percentile", "verdict")
    for _, each in table.iterrows():
        name = f"{each['exercise']} {each['edition']}, {each['quantity']}"
        digits = decimals(each["published"])
        cells = [f"{each['ours']:.{digits}f}", "", "", ""]
        if each["n"]:
            interval = f"{each['low']:.4g} to {each['high']:.4g}"
            cells = [f"{each['mean']:.4g}", interval, each["n"], f"{each['percentile']:.1f}"]
        verdict = each["verdict"] + ("" if each["certain"] else " (?)")
        text += row(name, f"{each['published']:.{digits}f}", *cells, verdict)
    compared = pd.read_csv(ROOT / "results" / "sweep" / "comparisons.csv")
    other = head("instead of", "on", "in", "pairs", "mean change", "95 %", "p", "better")
    for _, each in compared.iterrows():
        other += row(
            f"{each['second']} instead of {each['first']}",
            f"{each['exercise']} {each['edition']}",
            each["title"],
            each["n"],
            f"{each['difference']:+.3g}",
            f"{each['low']:+.3g} to {each['high']:+.3g}",
            f"{each['wilcoxon_p']:.2g}",
            each[each["better"]] if each["better"] in each.index else each["better"],
        )
    whole = head("the whole of", "seeds", "p", "verdict", "where it differs")
    for name, noun, where in (("logs", "log", "outside"), ("matrices", "matrix", "cells")):
        for _, each in pd.read_csv(ROOT / "results" / "sweep" / f"{name}.csv").iterrows():
            differs = "" if each["verdict"] == verdicts.TYPICAL else each[where]
            whole += row(
                f"{noun}, {each['network']} {each['edition']}",
                each["n"],
                f"{each['p']:.2g}",
                each["verdict"],
                differs,
            )
    return f"""{text}
{verdicts.summary(table)}

The course also printed training logs, four series with a value for each epoch, and confusion
matrices. Each is held against our seeds as a whole; p is the share of all runs, the course's
included, that are at least as extreme.

{whole}
On the course's split, paired by seed:

{other}
{comparisons.RULE}
"""


def random_splits() -> str:
    """Return the block on MAE against MSE over random splits."""
    table = pd.read_csv(ROOT / "results" / "sweep" / "split_comparisons.csv")
    text = head("MAE minus MSE", "batch", "mean", "95 %", "MAE lower on", "course's split")
    for _, each in table.iterrows():
        known = not np.isnan(each["course_difference"])
        text += row(
            each["title"],
            each["batch_size"],
            f"{each['difference']:+.2f}",
            f"{each['low']:+.2f} to {each['high']:+.2f}",
            f"{each['mae_better']} of {each['splits']} splits",
            f"{each['course_difference']:+.2f}" if known else "",
        )
    return f"""{splits.conclusion(table)}

{text}
"""


def faithfulness() -> str:
    """Return the block on fits by nnloss and by plain Keras."""
    text = head("", "fits, ours and Keras'", "mean", "sd", "Welch", "Brown-Forsythe", "KS")
    names = {"val_loss": "test MSE", "loss": "training loss"}
    for _, each in _benchmark("faithfulness").iterrows():
        text += row(
            f"{TITLES[each['exercise']]}, {names[each['quantity']]} after {each['epochs']} epochs",
            f"{each['n']}, {each['n_keras']}",
            f"{each['mean']:.4g}, {each['mean_keras']:.4g}",
            f"{each['sd']:.3g}, {each['sd_keras']:.3g}",
            *(f"p = {each[f'{name}_p']:.2g}" for name in TESTS),
        )
    return f"{text}\n"


TESTS = "welch", "brown_forsythe", "kolmogorov_smirnov"


def orders() -> str:
    """Return the block on one order of rows for all epochs, and a new one in each."""
    text = head("", "seeds", "one order", "a new order", "difference", "95 %")
    names = {"loss": "training loss", "val_loss": "test loss", "val_accuracy": "test accuracy"}
    for _, each in _benchmark("orders").iterrows():
        text += row(
            f"{TITLES[each['exercise']]}, {names[each['quantity']]}",
            each["n"],
            f"{each['repeated']:.4g}",
            f"{each['new']:.4g}",
            f"{each['difference']:+.2g}",
            f"{each['low']:+.2g} to {each['high']:+.2g}",
        )
    return f"{text}\n"


def _benchmark(name: str) -> pd.DataFrame:
    return pd.read_csv(ROOT / "benchmarks" / "results" / f"{name}.csv")


def _short(value: float) -> str:
    return f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def _ratios(theirs: pd.Series, ours: pd.Series) -> tuple[float, float, float]:
    """Return the ratio of medians over the rounds of both, its least and greatest in a round."""
    both = pd.concat({"theirs": theirs, "ours": ours}, axis=1).dropna()
    each = both["theirs"] / both["ours"]
    return both["theirs"].median() / both["ours"].median(), each.min(), each.max()


def speed() -> str:
    """Return the block on the committed benchmark."""
    folder = ROOT / "benchmarks" / "results"
    training, start, seeds = (
        pd.read_csv(folder / f"{name}.csv") for name in ("training", "start", "seeds")
    )
    names = [name for name in training["contender"].unique() if name != "nnloss, XLA"]
    wide = training.pivot(index=["exercise", "round"], columns="contender", values="training")
    columns = []
    for exercise, title in TITLES.items():
        epochs = training[training["exercise"] == exercise]["epochs"].iloc[0]
        columns += [f"{title}, {epochs} epoch{'s' if epochs > 1 else ''}, s", "/ ours, by round"]
    text = head("training", *columns)
    for name in names:
        cells = []
        for exercise in TITLES:
            theirs = wide.loc[exercise][name].dropna()
            if theirs.empty:  # scikit-learn has no convolutions
                cells += ["", ""]
                continue
            ratio, low, high = map(_short, _ratios(theirs, wide.loc[exercise]["nnloss"]))
            against = ratio if len(theirs) == 1 else f"{ratio} ({low} to {high})"
            cells += [_short(theirs.median()), "" if name == "nnloss" else against]
        text += row(name, *cells)
    peak = training[training["exercise"] == "boston"].groupby("contender")["MB"].max()
    memory = "; ".join(f"{name} {peak[name]:,.0f}" for name in names if name != "arithmetic limit")
    xla = []
    for exercise, title in TITLES.items():
        part = training[training["exercise"] == exercise]
        wide = part.pivot(index="round", columns="contender", values="training")
        each = wide["nnloss, XLA"] / wide["nnloss"]
        xla.append(f"{title} {each.min():.2f} to {each.max():.2f}")
    others = [
        name for name in seeds["contender"].unique() if name not in ("plain Keras", "fit_many")
    ]
    many = head(
        "seeds at once",
        "`fit_many`, s",
        "as many plain runs / ours",
        *(f"{name} / ours" for name in others),
        "peak memory, MB",
    )
    took = seeds.set_index(["exercise", "contender", "number", "round"])["training"].sort_index()
    memory_of = seeds.groupby(["exercise", "contender", "number"])["MB"].max()
    for exercise, number in (("boston", 100), ("boston", 1000), ("boston", 3000), ("wafer", 20)):
        if (exercise, "fit_many", number) not in memory_of:
            continue
        ours = took[exercise, "fit_many", number]
        plain = took[exercise, "plain Keras"].droplevel("number")
        many += row(
            f"{TITLES[exercise]}, {number:,} seeds of 100 epochs",
            f"{ours.median():.1f}",
            f"{number * _ratios(plain, ours)[0]:.0f}",
            *(
                _short(_ratios(took[exercise, name, number], ours)[0])
                if (exercise, name, number) in memory_of
                else ""
                for name in others
            ),
            f"{memory_of[exercise, 'fit_many', number]:,.0f}",
        )
    helped = start[start["epochs"] == 0].groupby("exercise")["seconds"].median()
    helped = dict.fromkeys(f"{each:.1f}" for each in (helped.min(), helped.max()))
    first = start[start["epochs"] == 1].groupby("contender")["seconds"].median()
    return f"""{text}
![Training times, cost of rows and cost of seeds](benchmarks/results/speed.png)

{many}
`fit_many` here evaluates the test rows once, after the last epoch, the others after each. A forward
pass is a third of a training step, so that is about
{102 / (102 + 3 * 404):.0%} of the others' multiplications for Boston, with 404 training and 102
test rows, and {6164 / (6164 + 3 * 1000):.0%} for Wafer, with 1,000 and 6,164.

Boston's training takes at its peak, in MB of memory: {memory}.

`--help` takes {" to ".join(helped)} s. From the start of Python to the end of the first training
step of Boston it takes {first["nnloss"]:.1f} s, in plain Keras
{first["plain Keras"]:.1f} s, in PyTorch {first["PyTorch"]:.1f} s; most of it is the import.

A single training is not compiled by XLA. Keras refuses to after `set_seed`, which asks for
deterministic operations; without them, `compile(jit_compile=True)` made it, by round,
{"; ".join(xla)} times as long. `fit_many` does compile, by layers
of its own, except where there is Dropout: XLA draws other random numbers from the same state.
"""


def written(text: str) -> str:
    """Return the text of a page with every block filled in."""
    blocks = {each.__name__: each for each in BLOCKS}
    return BLOCK.sub(lambda match: match[1] + blocks[match[2]]() + match[3], text)


BLOCKS = (
    boston, cifar10, wafer, losses, sweep, random_splits, faithfulness, orders, speed,
)  # fmt: skip
PAGES = ("README.md", "docs/order-of-rows.md")


def main(*arguments: str) -> int:
    """Write the pages, or check them with ``--check``, and return the exit status."""
    status = 0
    for page in PAGES:
        path = ROOT / page
        text = path.read_text(encoding="utf-8")
        new = written(text)
        if "--check" in arguments:
            status |= new != text
        else:
            path.write_text(new, encoding="utf-8")
    return int(status)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
