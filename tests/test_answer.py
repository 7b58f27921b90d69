"""The answer at the top of the page."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from sweep_tables import tables

from nnloss.report.answer import COURSE, answer
from nnloss.reproduction.results import Results


@pytest.fixture
def results():
    made = tables(boston=2, wafer=2, cifar10=2)
    return Results.of({"seeds": made.seeds}, made.classical)


def judged(results, **verdicts):
    """Replace the verdicts of networks by exercise, and let all others hold."""
    table = results.verdicts.assign(verdict="typical")
    table.loc[table["loss"].isna(), "verdict"] = "reproduced"
    for exercise, verdict in verdicts.items():
        rows = table["exercise"].eq(exercise) & table["metric"].eq("val_loss")
        table.loc[rows, "verdict"] = verdict
    return replace(results, verdicts=table)


def test_all_hold(results):
    assert answer(judged(results)) == (
        f"Of the 33 numbers published by {COURSE}, 33 hold: 9 exactly, 24 as a typical run of ours."
    )


def test_where_some_do_not(results):
    assert answer(judged(results, cifar10="unusual")).endswith(
        "27 hold: 9 exactly, 18 as a typical run of ours; 6 do not, all of CIFAR-10."
    )
    of_2024 = results.verdicts.query("edition == 2024 or exercise != 'cifar10'")
    two = judged(replace(results, verdicts=of_2024), cifar10="unusual")
    assert answer(two).endswith("; 2 do not, all of CIFAR-10.")
    both = judged(results, cifar10="unusual", wafer="not reproduced")
    assert answer(both).endswith("; 9 do not, of CIFAR-10 and Wafer.")


def test_logs_and_matrices_count_as_a_whole(results):
    logs = pd.DataFrame({"verdict": ["typical", "unusual", "typical"]})
    matrices = pd.DataFrame({"verdict": ["typical"]})
    text = answer(replace(judged(results), logs=logs, matrices=matrices))
    assert text.endswith(
        "Typical as a whole: 2 of its 3 training logs and 1 of its 1 confusion matrices."
    )


def test_what_is_undecided_is_not_counted(results):
    assert answer(judged(results, wafer="undecided")).startswith("Of the 30 numbers")
    nothing = Results.of({}, {})
    assert answer(nothing) == f"No published number of {COURSE} is judged yet."


def test_a_quick_sweep_is_not_judged(results):
    assert answer(results, quick=True) == f"{len(results.seeds)} quick trainings, not judged."
