"""The pairing table: as data, in the README, and in Keras."""

from __future__ import annotations

import dataclasses
import re

import pytest
from conftest import ROOT

from nnloss import BINARY, COUNTS, MULTICLASS, MULTILABEL, MULTIOUTPUT, REGRESSION, TASKS
from nnloss._tensorflow import keras
from nnloss.table import COUNT, LOSSES, ONE_HOT, REAL, ZERO_ONE


def test_the_readme_shows_the_table():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\|(.+)\|$", text, flags=re.MULTILINE)
    cells = [tuple(cell.strip() for cell in row.split("|")) for row in rows]
    start = cells.index(
        ("problem", "output nodes", "output activation", "loss", "the GLM it equals")
    )
    table = cells[start + 2 : start + 2 + len(TASKS)]
    assert table == [task.row for task in TASKS.values()]


def test_tasks_are_found_by_name():
    assert list(TASKS.values()) == [
        REGRESSION, BINARY, MULTICLASS, COUNTS, MULTILABEL, MULTIOUTPUT,
    ]  # fmt: skip
    assert all(TASKS[task.name] is task for task in TASKS.values())
    assert [task.in_course for task in TASKS.values()] == [True] * 3 + [False] * 3


QUANTITY = [
    "mean_squared_error", "mean_absolute_error", "huber", "log_cosh",
    "mean_absolute_percentage_error",
]  # fmt: skip


@pytest.mark.parametrize(
    ("task", "nodes", "activation", "losses", "domain"),
    [
        (REGRESSION, 1, "linear", QUANTITY, REAL),
        (BINARY, 1, "sigmoid", ["binary_crossentropy", "binary_focal_crossentropy"], ZERO_ONE),
        (
            MULTICLASS,
            None,
            "softmax",
            [
                "categorical_crossentropy",
                "sparse_categorical_crossentropy",
                "categorical_focal_crossentropy",
                "kl_divergence",
            ],
            ONE_HOT,
        ),
        (COUNTS, 1, "exponential", ["poisson"], COUNT),
        (
            MULTILABEL,
            None,
            "sigmoid",
            ["binary_crossentropy", "binary_focal_crossentropy"],
            ZERO_ONE,
        ),
        (MULTIOUTPUT, None, "linear", QUANTITY, REAL),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_a_task_holds_its_pair(task, nodes, activation, losses, domain):
    assert (task.nodes, task.activation, task.domain) == (nodes, activation, domain)
    assert [loss.name for loss in task.losses] == losses
    assert task.loss is task.losses[0]
    assert task.loss.likelihood
    assert {loss.link for loss in task.losses} == {task.link}


def test_a_task_cannot_be_changed_and_can_be_a_key():
    assert {BINARY: 1}[BINARY] == 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        BINARY.activation = "softmax"  # type: ignore[misc]


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_keras_knows_every_loss_and_metric(loss):
    assert keras.losses.get(loss.name) is getattr(keras.losses, loss.name)
    assert issubclass(getattr(keras.losses, loss.keras_class), keras.losses.Loss)
    for metric in loss.metrics:
        getattr(keras.metrics, metric.keras_class)(name=metric.name, **dict(metric.from_logits))


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_keras_knows_every_activation(task):
    assert keras.activations.get(task.activation) is getattr(keras.activations, task.activation)
