"""Verdict on one output with its loss, metrics and targets, and the wording of the refusal."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnloss.errors import TargetError
from nnloss.pairing.findings import Finding, Verdict
from nnloss.pairing.losses import LossChoice
from nnloss.pairing.metrics import wrong_metric
from nnloss.pairing.targets import as_numbers
from nnloss.pairing.values import Values
from nnloss.table import LOSSES, TASKS, Kind, Loss, Misfit, Task
from nnloss.table.activations import activation
from nnloss.table.domains import shape_text

logger = logging.getLogger("nnloss")

# Reason why an output is wrong, by required and actual kind of its values.
_WHY = {
    (Kind.REAL, Kind.PROBABILITIES): "which cannot leave the range 0 to 1",
    (Kind.REAL, Kind.DISTRIBUTION): "whose rows sum to 1",
    (Kind.POSITIVE, Kind.REAL): "which can be negative, where a mean count cannot",
    (Kind.PROBABILITIES, Kind.REAL): "which gives logits and not probabilities",
    (Kind.DISTRIBUTION, Kind.REAL): "which gives logits and not probabilities",
    (Kind.DISTRIBUTION, Kind.PROBABILITIES): "whose rows do not sum to 1",
    (Kind.PROBABILITIES, Kind.DISTRIBUTION): "which makes one choice and not yes/no answers",
}
_HALF = ("float16", "bfloat16")


@dataclass(frozen=True)
class Question:
    """An output with its loss, and optionally the task and number of nodes it must have.

    `where` names the output and its model in messages.
    """

    output: str
    where: str
    values: Values
    choice: LossChoice
    task: Task | None = None
    nodes: int | None = None

    @property
    def ends(self) -> str:
        """Clause about the last layers of the output, for messages."""
        return f"{self.where} ends in {self.values.text}"

    @property
    def due(self) -> Kind:
        """Kind of values that the loss needs."""
        return Kind.REAL if self.choice.from_logits else self.choice.known.link.kind

    @property
    def layer(self) -> str:
        """Output layer that the task needs, as code."""
        name = "linear" if self.due is Kind.REAL else self.choice.known.link.activation
        return f"Dense({self.nodes}, activation='{name}')"

    @property
    def rule(self) -> str:
        """Requirement on the output, for messages."""
        activation = self.choice.known.link.activation
        if self.choice.from_logits:
            return (
                f"The loss '{self.choice.name}' applies {activation} itself and needs "
                "a linear output"
            )
        if self.task is not None and self.nodes is not None:
            return f"Task '{self.task.name}' needs {self.layer}"
        return f"The loss '{self.choice.name}' needs {_article(activation)} output"

    def finding(self, verdict: Verdict, rule: str, found: str, remedy: str = "") -> Finding:
        """Return a finding about this output."""
        return Finding(self.output, verdict, rule, found, remedy)


def judge(question: Question, metrics: Iterable[Any] = (), y: Any = None) -> Finding:
    """Return a finding on an output with its loss, its metrics and its targets.

    It is the first thing that is wrong, else what is unknown, else the verdict ``"right"``, whose
    remedy may hold a note. `metrics` are as in ``compile``; targets `y` of None are not checked.
    """
    found = judge_output(question)
    if found:
        return found
    for metric in metrics:
        wrong = wrong_metric(metric, question.choice, question.values)
        if wrong:
            return question.finding("wrong", *wrong)
    rule = f"The loss '{question.choice.name}' fits this output"
    notes = [_half(question)]
    if y is not None:
        misfit = judge_targets(question, y)
        if misfit and misfit.wrong:
            return question.finding("wrong", targets_rule(question), misfit.found, misfit.remedy)
        notes += [f"{misfit.found[0].upper()}{misfit.found[1:]}. {misfit.remedy}"] if misfit else []
        rule = f"{rule} and these targets"
    return question.finding("right", rule, question.ends, ". ".join(filter(None, notes)))


def judge_targets(question: Question, y: Any, *, sample: bool = False) -> Misfit | None:
    """Check the targets of an output whose loss is known; return None if they fit."""
    choice = question.choice
    numbers: NDArray[Any] | Misfit = as_numbers(y)
    if not isinstance(numbers, np.ndarray):
        return numbers
    return choice.known.domain.misfit(
        numbers,
        question.values.shape,
        choice.axis,
        ignored=choice.options.get("ignore_class"),
        sample=sample,
    )


def targets_rule(question: Question) -> str:
    """Return the requirement of the loss on the targets."""
    due = question.choice.known.domain.text(question.values.shape, question.choice.axis)
    return f"The loss '{question.choice.name}' needs {due}"


def require_targets(question: Question, y: Any, sample: bool) -> None:
    """Raise TargetError for targets outside the domain of the loss, and log a note on soft targets.

    Targets of an unknown loss are not checked.
    """
    misfit = judge_targets(question, y, sample=sample) if question.choice.loss else None
    if misfit and misfit.wrong:
        raise TargetError(targets_rule(question), misfit.found, misfit.remedy)
    if misfit and not sample:
        logger.info("Targets: %s. %s", misfit.found, misfit.remedy)


def judge_output(question: Question) -> Finding | None:
    """Compare the output that the loss needs with the actual one; return None if they fit."""
    values, choice, task = question.values, question.choice, question.task
    loss = choice.loss
    if not values.shape:
        return question.finding(
            "unknown",
            "An output needs a row for each row of the data",
            f"{question.where} is a single number",
            "Keep the first axis",
        )
    if task is not None and loss is not None and loss not in task.losses:
        return _another_task(question, task, loss)
    alone = judge_alone(question.output, question.ends, values)
    if alone:
        return alone
    if loss is None:
        known = [each.name for each in (task.losses if task else LOSSES.values())]
        return question.finding(
            "unknown",
            "nnloss must know which output the loss needs",
            f"{question.ends}, with the loss '{choice.name}', which nnloss does not recognise as "
            "a likelihood",
            f"Use one of {', '.join(known)}, or check by hand that the output fits",
        )
    return _axis(question, loss) or _kind(question, loss) or _nodes(question, loss)


def judge_alone(output: str, ends: str, values: Values) -> Finding | None:
    """Return what is wrong with an output whatever its loss, or None."""
    if values.kind is Kind.TWICE:
        twice, _, once = values.activation.partition(" of ")
        return Finding(
            output,
            "wrong",
            f"An output needs its {twice} once",
            f"{ends}: double {twice}" if twice == once else f"{ends}: {values.activation}",
            f"Remove the last {twice}",
        )
    if values.kind is Kind.DISTRIBUTION and values.size(values.axes) == 1:
        return Finding(
            output,
            "wrong",
            "A softmax needs at least two units",
            f"{ends}, which is 1 for every row",
            "End in sigmoid with loss='binary_crossentropy', or in one unit for each class",
        )
    return None


def _another_task(question: Question, task: Task, loss: Loss) -> Finding:
    allowed = [f"'{each.name}'" for each in task.losses if each.likelihood]
    nodes = task.nodes or 2
    if task.domain.by_node != loss.domain.by_node and nodes == 1:
        why = "which is 0 for every row of a single unit"
    elif task.link.kind in (Kind.PROBABILITIES, Kind.DISTRIBUTION) and loss.link.kind is Kind.REAL:
        why = "which is not a likelihood of labels and has poor gradients at confident mistakes"
    elif loss.link.kind is Kind.PROBABILITIES and task.link.kind is Kind.DISTRIBUTION:
        why = "which scores the units as separate yes/no answers and not as one choice"
    else:
        why = "which is not a likelihood of this task"
    return question.finding(
        "wrong",
        f"Task '{task.name}' needs the loss {' or '.join(allowed)}",
        f"found {question.choice.name!r}, {why}",
        f"Leave the loss out, or use loss='{task.loss.name}'",
    )


def _axis(question: Question, loss: Loss) -> Finding | None:
    """Check that the output has the axis of the classes."""
    values, choice = question.values, question.choice
    rank = len(values.shape)
    if loss.domain.by_node or (choice.axis % rank and -rank <= choice.axis < rank):
        return None
    return question.finding(
        "wrong",
        "The classes need an axis of the output of their own, after that of the rows",
        f"{question.ends} and has the shape {shape_text(values.shape)}, and the loss "
        f"'{choice.name}' takes axis {choice.axis}",
        "Give the loss the axis of the classes; the output needs one",
    )


def _kind(question: Question, loss: Loss) -> Finding | None:
    values, choice, due = question.values, question.choice, question.due
    rule, ends = question.rule, question.ends
    name, axis = loss.link.activation, choice.axis % len(values.shape)
    classes = not loss.domain.by_node
    if values.kind in (Kind.UNKNOWN, Kind.DATA):
        return question.finding(
            "unknown",
            rule,
            f"{ends}, and {values.activation} hides what the numbers are",
            "End in one of Keras' own layers with its activation, or check the code of that layer"
            + (", or pass head='add' if it is a hidden layer" if question.nodes else ""),
        )
    if values.kind is due:
        if classes and due is Kind.DISTRIBUTION and values.axes != (axis,):
            over = " and ".join(map(str, values.axes))
            return question.finding(
                "wrong",
                f"The loss '{choice.name}' needs {_article(name)} output over axis {axis}",
                f"{ends}, which sums to 1 over axis {over}",
                f"Use Softmax(axis={axis}), or give the loss the axis of the classes",
            )
        if classes and values.shape[axis] == 1:
            return question.finding(
                "wrong",
                f"{rule} with at least two units",
                f"{ends}, whose softmax is 1 for every row",
                "Use loss=keras.losses.BinaryCrossentropy(from_logits=True)",
            )
        if due is Kind.POSITIVE and values.activation != name:
            return _other_link(question, loss)
        return None
    found = activation(values.activation)
    if classes and choice.from_logits:
        if values.kind is Kind.LOG_DISTRIBUTION and values.axes == (axis,):
            return None  # softmax of log-probabilities returns the probabilities
        if (
            found is not None
            and not found.limit.startswith("which cannot leave")
            and (found.kind in (Kind.OTHER, Kind.POSITIVE) and found.upper == float("inf"))
        ):
            return question.finding(
                "unknown",
                rule,
                f"{ends}: bounded logits, which still reach every distribution",
                "It is right if that is meant; else end in a linear layer",
            )
    if due is Kind.REAL and not choice.from_logits:
        if values.activation.startswith("Rescaling of "):
            return question.finding(
                "unknown",
                rule,
                f"{ends}, which has bounds",
                "It is right if the quantity is known to have the same bounds; else end in a "
                "linear layer",
            )
        if values.kind is Kind.POSITIVE:
            return _other_link(question, loss)
    return _wrong(question, loss)


def _other_link(question: Question, loss: Loss) -> Finding:
    return question.finding(
        "unknown",
        question.rule,
        f"{question.ends}, which is a {loss.likelihood or 'mean'} likelihood with another link "
        "than the table's",
        "It is right if the mean is meant to be always positive; else end in "
        f"{_end(loss.link.activation)}",
    )


def _wrong(question: Question, loss: Loss) -> Finding:
    values, choice, due = question.values, question.choice, question.due
    name, ends = loss.link.activation, question.ends
    squashed = values.kind in (Kind.PROBABILITIES, Kind.DISTRIBUTION)
    if choice.from_logits and squashed:
        same = values.activation == name
        why = f"double {name}" if same else f"{name} of {values.activation}"
        remedy = f"Use loss='{loss.name}', or end in a linear layer" if same else None
        return question.finding(
            "wrong", question.rule, f"{ends}: {why}", remedy or "End in a linear layer"
        )
    known = activation(values.activation)
    needed = "linear" if due is Kind.REAL else name
    reason = _WHY.get((due, values.kind)) or (known.limit if known else "")
    found = f"{ends}, {reason or f'which is {values.activation} and not {needed}'}"
    return question.finding("wrong", question.rule, found, _remedy(question, loss))


def _nodes(question: Question, loss: Loss) -> Finding | None:
    """Compare the number of nodes with the number that the task needs."""
    task, nodes = question.task, question.nodes
    units = question.values.units(question.choice.axis)
    if task is None or nodes is None or units == nodes:
        return None
    return question.finding(
        "wrong",
        f"Task '{task.name}' needs {question.layer}",
        f"{question.ends}, which has {units} units",
        _remedy(question, loss),
    )


def _remedy(question: Question, loss: Loss) -> str:
    """Return what to do about an output with the wrong kind or number of values."""
    values, due, nodes = question.values, question.due, question.nodes
    needed = "linear" if due is Kind.REAL else loss.link.activation
    ways = [f"end in {_end(needed)}"]
    if question.task is not None and nodes is not None:
        ways = [f"end in Dense({nodes}, '{needed}')"]
    real, same = values.kind is Kind.REAL, values.units(question.choice.axis) == nodes
    if real and due is not Kind.REAL and loss.takes_logits:
        ways.append(f"use loss=keras.losses.{loss.keras_class}(from_logits=True)")
    if nodes and values.layer == "Dense" and not values.squashed and not (real and same):
        ways.append("pass head='add' if it is a hidden layer")
    others = _others(question)
    text = ", or ".join(ways + others if real or question.task is None else others + ways)
    return text[0].upper() + text[1:]


def _others(question: Question) -> list[str]:
    """Return the other tasks or losses that fit the output."""
    values, task = question.values, question.task
    units = values.units(question.choice.axis)
    fits = [
        other
        for other in TASKS.values()
        if other.link.kind is values.kind
        and other.accepts(units)
        and not (other is task and units == question.nodes)
    ]
    if task is None:
        return [
            f"use loss='{other.loss.name}' if the targets are "
            + ("0 and 1" if other.domain.by_node else "one-hot")
            for other in fits[:1]
            if values.kind in (Kind.PROBABILITIES, Kind.DISTRIBUTION)
        ]
    return [
        f"use task {other.name.upper()}"
        + (f" with classes={units}" if other.nodes is None else "")
        + (" if y is a quantity" if values.kind is Kind.REAL and other.nodes else "")
        + (f" if y has {units} quantities" if values.kind is Kind.REAL and not other.nodes else "")
        for other in fits
    ]


def _half(question: Question) -> str:
    if question.values.dtype not in _HALF or question.due is Kind.REAL:
        return ""
    name = question.values.activation
    return (
        f"Its {name} is computed in {question.values.dtype}, which rounds small probabilities to "
        f"0: give the layer dtype='float32'"
    )


def _article(name: str) -> str:
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _end(name: str) -> str:
    return "a linear layer" if name == "linear" else name
