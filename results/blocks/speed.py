"""Blocks on the committed benchmark: speed, and fits of plain Keras."""

from __future__ import annotations

import pandas as pd

from blocks.records import TITLES, head, measured, row
from nnloss.commandline import wrapped


def faithfulness() -> str:
    """Return the block on fits by nnloss and by plain Keras."""
    text = head("", "fits, ours and Keras'", "mean", "sd", "Welch", "Brown-Forsythe", "KS")
    names = {"val_loss": "test MSE", "loss": "training loss"}
    for _, each in measured("faithfulness").iterrows():
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
    for _, each in measured("orders").iterrows():
        text += row(
            f"{TITLES[each['exercise']]}, {names[each['quantity']]}",
            each["n"],
            f"{each['repeated']:.4g}",
            f"{each['new']:.4g}",
            f"{each['difference']:+.2g}",
            f"{each['low']:+.2g} to {each['high']:+.2g}",
        )
    return f"{text}\n"


def fast() -> str:
    """Return the block with the answer: how many times faster than plain Keras."""
    table = measured("training")
    took = table.groupby(["exercise", "contender"])["training"].median()
    ours, keras = took["boston", "nnloss"], took["boston", "plain Keras"]
    many = _many()["boston", "fit_many", 1000].median()
    others = [
        f"{took[exercise, 'plain Keras'] / took[exercise, 'nnloss']:.1f} for {title}"
        for exercise, title in list(TITLES.items())[1:]
    ]
    text = f"""On two cores `nnloss` trains Boston's network for 100 epochs in {ours:.1f} s and
    plain Keras in {keras:.1f} s, {keras / ours:.1f} times as long; the ratio is
    {" and ".join(others)}. `fit_many` trains a thousand seeds of Boston in {many:.0f} s."""
    return f"{wrapped(text, 100)}\n"


def training() -> str:
    """Return the block on one training by each library."""
    table = measured("training")
    wide = table.pivot(index=["exercise", "round"], columns="contender", values="training")
    columns = []
    for exercise, title in TITLES.items():
        epochs = table[table["exercise"] == exercise]["epochs"].iloc[0]
        columns += [f"{title}, {epochs} epoch{'s' if epochs > 1 else ''}, s", "/ ours, by round"]
    text = head("training", *columns)
    for name in _contenders(table):
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
    return f"""{text}
![Training times, cost of rows and cost of seeds](benchmarks/results/speed.png)
"""


def seeds() -> str:
    """Return the block on many seeds at once."""
    table = measured("seeds")
    others = [
        name for name in table["contender"].unique() if name not in ("plain Keras", "fit_many")
    ]
    text = head(
        "seeds at once",
        "`fit_many`, s",
        "as many plain runs / ours",
        *(f"{name} / ours" for name in others),
        "peak memory, MB",
    )
    took = _many()
    memory = table.groupby(["exercise", "contender", "number"])["MB"].max()
    for exercise, number in (("boston", 100), ("boston", 1000), ("boston", 3000), ("wafer", 20)):
        if (exercise, "fit_many", number) not in memory:
            continue
        ours = took[exercise, "fit_many", number]
        plain = took[exercise, "plain Keras"].droplevel("number")
        text += row(
            f"{TITLES[exercise]}, {number:,} seeds of 100 epochs",
            f"{ours.median():.1f}",
            f"{number * _ratios(plain, ours)[0]:.0f}",
            *(
                _short(_ratios(took[exercise, name, number], ours)[0])
                if (exercise, name, number) in memory
                else ""
                for name in others
            ),
            f"{memory[exercise, 'fit_many', number]:,.0f}",
        )
    boston, wafer = (test / (test + 3 * train) for train, test in ((404, 102), (1000, 6164)))
    note = f"""`fit_many` here evaluates the test rows once, after the last epoch, the others after
    each. A forward pass is a third of a training step, so that is about {100 * boston:.0f} % of the
    others' multiplications for Boston, with 404 training and 102 test rows, and
    {100 * wafer:.0f} % for Wafer, with 1,000 and 6,164."""
    return f"{text}\n{wrapped(note, 100)}\n"


def costs() -> str:
    """Return the block on memory, the start of a process, and XLA."""
    table, start = measured("training"), measured("start")
    peak = table[table["exercise"] == "boston"].groupby("contender")["MB"].max()
    names = [name for name in _contenders(table) if name != "arithmetic limit"]
    memory = "; ".join(f"{name} {peak[name]:,.0f}" for name in names)
    xla = []
    for exercise, title in TITLES.items():
        part = table[table["exercise"] == exercise]
        wide = part.pivot(index="round", columns="contender", values="training")
        each = wide["nnloss, XLA"] / wide["nnloss"]
        xla.append(f"{title} {each.min():.2f} to {each.max():.2f}")
    helped = start[start["epochs"] == 0].groupby("exercise")["seconds"].median()
    helped = dict.fromkeys(f"{each:.1f}" for each in (helped.min(), helped.max()))
    first = start[start["epochs"] == 1].groupby("contender")["seconds"].median()
    paragraphs = (
        f"Boston's training takes at its peak, in MB of memory: {memory}.",
        f"""`--help` takes {" to ".join(helped)} s. From the start of Python to the end of the first
        training step of Boston it takes {first["nnloss"]:.1f} s, in plain Keras
        {first["plain Keras"]:.1f} s, in PyTorch {first["PyTorch"]:.1f} s; most of it is the
        import.""",
        f"""A single training is not compiled by XLA. Keras refuses to after `set_seed`, which asks
        for deterministic operations; without them, `compile(jit_compile=True)` made it, by round,
        {"; ".join(xla)} times as long. `fit_many` does compile, by layers of its own, except where
        there is Dropout: XLA draws other random numbers from the same state.""",
    )
    return "\n\n".join(wrapped(each, 100) for each in paragraphs) + "\n"


def _contenders(table: pd.DataFrame) -> list[str]:
    return [name for name in table["contender"].unique() if name != "nnloss, XLA"]


def _many() -> pd.Series:
    """Return the times of many seeds by exercise, contender, number and round."""
    index = ["exercise", "contender", "number", "round"]
    return measured("seeds").set_index(index)["training"].sort_index()


def _short(value: float) -> str:
    return f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def _ratios(theirs: pd.Series, ours: pd.Series) -> tuple[float, float, float]:
    """Return the ratio of medians over the rounds of both, its least and greatest in a round."""
    both = pd.concat({"theirs": theirs, "ours": ours}, axis=1).dropna()
    each = both["theirs"] / both["ours"]
    return both["theirs"].median() / both["ours"].median(), each.min(), each.max()
