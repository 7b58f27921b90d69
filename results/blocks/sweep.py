"""Blocks on the committed sweep: verdicts, comparisons, random splits."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from blocks.records import head, row, swept
from nnloss.commandline import wrapped
from nnloss.course.published import EDITIONS, decimals, settings_of
from nnloss.report.answer import answer as answer_of
from nnloss.reproduction import comparisons, printed, splits, verdicts


def answer() -> str:
    """Return the block with the answer of the sweep in three sentences."""
    table = swept("verdicts")
    tables = SimpleNamespace(verdicts=table, logs=swept("logs"), matrices=swept("matrices"))
    random = table[table["loss"].notna()]
    outside = random["verdict"].ne(verdicts.TYPICAL).sum()
    text = f"""{answer_of(tables)} Of the {len(random)} that depend on random weights, {outside} lie
    outside the 95 % range of our runs, where chance alone would put about {0.05 * len(random):.0f};
    after Holm's correction {(random["p_holm"] <= 0.05).sum()} is left."""
    return f"{wrapped(text, 100)}\n"


def editions() -> str:
    """Return the block on the batch sizes of the editions."""
    text = head("edition", "Boston", "CIFAR-10", "CIFAR-10, augmented", "Wafer")
    for edition in EDITIONS:
        settings = [settings_of(name, edition) for name in ("boston", "cifar10", "wafer")]
        settings.insert(2, settings_of("cifar10", edition, augment=True))
        text += row(f"`{edition}`", *(each.batch_size for each in settings))
    return f"{text}\n"


def sweep() -> str:
    """Return the block on the verdicts."""
    table = swept("verdicts")
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
    return f"""{text}
{wrapped(verdicts.summary(table), 100)}
"""


def rule() -> str:
    """Return the block on how the verdicts are made."""
    return f"{verdicts.RULE}\n"


def as_a_whole() -> str:
    """Return the block on training logs and confusion matrices."""
    text = head("the whole of", "seeds", "p", "verdict", "where it differs")
    for name, noun, where in (("logs", "log", "outside"), ("matrices", "matrix", "cells")):
        for _, each in swept(name).iterrows():
            text += row(
                f"{noun}, {each['network']} {each['edition']}",
                each["n"],
                f"{each['p']:.2g}",
                each["verdict"],
                "" if each["verdict"] == verdicts.TYPICAL else each[where],
            )
    return f"""{text}
{printed.RULE}
"""


def pairs() -> str:
    """Return the block on two networks compared seed by seed."""
    names = "instead of", "on", "in", "pairs", "mean change", "95 %", "share", "p", "better"
    text = head(*names)
    for _, each in swept("comparisons").iterrows():
        text += row(
            f"{each['second']} instead of {each['first']}",
            f"{each['exercise']} {each['edition']}",
            each["title"],
            each["n"],
            f"{each['difference']:+.3g}",
            f"{each['low']:+.3g} to {each['high']:+.3g}",
            f"{100 * each['share']:.1f} %",
            f"{each['wilcoxon_p']:.2g}",
            each[each["better"]] if each["better"] in each.index else each["better"],
        )
    return f"""{text}
{comparisons.RULE}
"""


def random_splits() -> str:
    """Return the block on MAE against MSE over random splits."""
    table = swept("split_comparisons")
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
    first = table.iloc[0]
    return f"""The course has one split of Boston Housing. `--splits {first["splits"]}` adds so many
random ones of the same sizes, with {first["seeds"]} seeds each.

{wrapped(splits.conclusion(table), 100)}

{text}
![Differences over random splits, batch 32](results/sweep/splits-batch-32.png)

The bar and the dot are the mean and its interval, the dashed line is the course's split.

{splits.RULE}
"""
