"""The page on the table: its rows are the tasks, its trained numbers those of committed runs."""

from __future__ import annotations

import pandas as pd
import pytest
from conftest import ROOT

from nnloss import TASKS, RunRecord
from nnloss.theory.pitfalls import GOOD, SURE, summary

PAGE = (ROOT / "docs" / "table.md").read_text(encoding="utf-8")
PROSE = " ".join(PAGE.split())
RECORDS = [RunRecord.read(path) for path in ROOT.glob("results/*/*/run.json")]


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_each_task_has_its_row(task):
    assert f"| {' | '.join(task.row)} |" in PAGE


def test_the_numbers_of_trainings_are_those_of_the_committed_run():
    (record,) = (each for each in RECORDS if each.exercise == "losses")
    folder = f"results/losses/{record.id}"
    assert f"](../{folder}/pitfalls.png)" in PAGE
    trained = pd.read_csv(ROOT / folder / "pitfalls.csv")
    usual, sure = (
        summary(trained[trained["bias"] == bias], GOOD).set_index("pairing").to_dict("index")
        for bias in (0, SURE)
    )
    right = {f"{usual[name]['accuracy']:.3f}" for name in ("sigmoid + BCE", "softmax + CCE")}
    (baseline,) = {
        f"{each.baseline['all_normal']['accuracy']:.3f}"
        for each in RECORDS
        if each.exercise == "wafer"
    }
    mse, bce = ({**usual[name], **sure[name]} for name in ("sigmoid + MSE", "sigmoid + BCE"))
    twice, linear = usual["double softmax + CCE"], usual["linear + BCE"]
    signs, numbers = (
        usual[name] for name in ("sigmoid + BCE, labels -1 and 1", "softmax + MSE, integer labels")
    )
    for text in (
        f"for {trained['epoch'].max()} epochs, from {bce['seeds']} seeds.",
        f'have a mean test accuracy of {" ".join(right)}; always saying "normal" has {baseline}.',
        f"does no harm: {usual['sigmoid + MSE']['accuracy']:.3f}.",
        f"(logit {SURE:g}), {mse['reached']} of {mse['seeds']} seeds reach {GOOD:g}; with BCE "
        f"{bce['reached']} of {bce['seeds']} do.",
        f"The accuracy is {twice['accuracy']:.3f}, but the loss stays at {twice['loss']:.3f}, "
        f"where one softmax gets to {usual['softmax + CCE']['loss']:.3f}.",
        f"{linear['reached']} of {linear['seeds']} seeds reach {GOOD:g}; the worst has "
        f"{linear['worst']:.3f}.",
        f"ends at {signs['loss']:.1f}, impossible for a negative log-likelihood of labels. The "
        f"accuracy is {signs['accuracy']:.3f}.",
        f"with each node. The accuracy is {numbers['accuracy']:.3f}.",
    ):
        assert text in PROSE


def test_the_numbers_of_parameters_are_those_of_the_committed_runs():
    two, one = (
        next(each.parameters for each in RECORDS if each.loss == loss and each.exercise == "wafer")
        for loss in ("categorical_crossentropy", "binary_crossentropy")
    )
    assert f"has {two:,} with softmax(2) and {one:,} with sigmoid(1)" in PROSE
