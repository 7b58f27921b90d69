"""Addition of a task's output layer to a model that does not have it yet."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Literal

from nnloss._keras import keras, own_methods
from nnloss.errors import PairingError
from nnloss.pairing.findings import Finding
from nnloss.pairing.judge import Question, judge_output
from nnloss.pairing.losses import LossChoice, recognise, require_task
from nnloss.pairing.tracing import values_of
from nnloss.table import TASKS, Kind, Task

logger = logging.getLogger("nnloss")

Head = Literal["auto", "add", "keep"]


@dataclass(frozen=True)
class Completed:
    """A model with the output layer of its task: ``keras.Model(inputs, outputs)``.

    `question` is the output with its loss, which the judge accepted; `text` is for the log.
    """

    inputs: Any
    outputs: Any
    question: Question
    text: str

    @property
    def choice(self) -> LossChoice:
        """Loss of the model."""
        return self.question.choice

    @property
    def nodes(self) -> int:
        """Number of output nodes."""
        return int(self.outputs.shape[-1])


def complete(
    model: Any,
    task: Task,
    *,
    classes: int | None = None,
    loss: Any = None,
    head: Head = "auto",
    strict: bool = True,
) -> Completed:
    """Add the output layer of a task to a model that does not have it yet.

    The parameters are those of `compile_for_task`. Raise PairingError if the model, its output
    layer or the loss does not fit the task.
    """
    require_model(model, task)
    if head not in ("auto", "add", "keep"):
        raise PairingError(
            "head must say whether to add the output layer", f"found {head!r}",
            "Use 'auto', 'add' or 'keep'",
        )  # fmt: skip
    outputs = model.outputs[0]
    values = values_of(outputs)
    choice = recognise(loss, task, values)
    nodes = _nodes(task, classes)
    where = f"model '{model.name}'"
    # Without the number of classes no head can be added, so judge the units of the model.
    due = nodes or max(values.units(choice.axis) or 0, 2)
    question = Question("", where, values, choice, task, due)
    finding = judge_output(question)
    keep = head == "keep" or (head == "auto" and (finding is None or _is_output(question, nodes)))
    if nodes is None and not keep:
        raise _classes_missing(task, classes)
    text = f"kept {values.text}"
    if not keep:
        if len(outputs.shape) != 2 and (head == "auto" or len(outputs.shape) < 2):
            raise PairingError(
                f"Task '{task.name}' needs a model with output of shape (None, features)",
                f"{where} ends in shape {tuple(outputs.shape)}",
                "End in Flatten or a global pooling layer, or pass head='add' for an output at "
                "each place of more axes",
            )
        text, outputs = _added(model, task, due, choice)
        question = Question("", where, values_of(outputs), choice, task, due)
        finding = judge_output(question)
    refuse(finding, strict=strict)
    # An uncalled Sequential has no `input`; that of a functional model keeps its structure.
    inputs = model.inputs[0] if isinstance(model, keras.Sequential) else model.input
    return Completed(inputs, outputs, question, text)


def refuse(finding: Finding | None, *, strict: bool) -> None:
    """Raise PairingError for a wrong output, and for an unknown one if `strict`."""
    if finding is None or finding.verdict == "right":
        return
    if finding.verdict == "wrong" or strict:
        remedy = finding.remedy
        if finding.verdict == "unknown":
            remedy += ". Pass strict=False to accept it"
        raise PairingError(finding.rule, finding.found, remedy)


def require(finding: Finding | None, *, strict: bool) -> None:
    """Raise PairingError as `refuse` does, or log a warning about an unknown output."""
    refuse(finding, strict=strict)
    if finding is not None and finding.verdict == "unknown":
        logger.warning("Not checked: %s; %s", finding.rule, finding.found)


def _added(model: Any, task: Task, nodes: int, choice: LossChoice) -> tuple[str, Any]:
    activation = "linear" if choice.from_logits else task.activation
    name = None if any(layer.name == "output" for layer in model.layers) else "output"
    # Half precision rounds small probabilities to 0, so compute the output in single precision.
    half = keras.config.dtype_policy().compute_dtype in ("float16", "bfloat16")
    layer = keras.layers.Dense(
        nodes, activation=activation, name=name, dtype="float32" if half else None
    )
    return f"added Dense({nodes}, activation='{activation}')", layer(model.outputs[0])


def _is_output(question: Question, nodes: int | None) -> bool:
    """Return whether a model ends in an output layer, correct or not.

    Real numbers and probabilities of the right size, a Dense without activation and a softmax are
    outputs. Another activation, pooling or dropout marks a hidden layer, unless a Dense has exactly
    the units that the output needs: it may be a wrong output layer.
    """
    values = question.values
    same = values.units() == nodes
    if values.foreign or (values.kind is Kind.UNKNOWN and (values.squashed or same)):
        return True
    if values.squashed is Kind.PROBABILITIES:
        return same or (values.kind is Kind.PROBABILITIES and values.bare)
    if values.squashed:
        return True
    if values.layer == "Dense" and values.bare:
        return same or (values.last and values.activation == "linear")
    return same and values.bare and values.kind is Kind.REAL


def _nodes(task: Task, classes: Any) -> int | None:
    """Return how many nodes the output needs, or None if it depends on the model's output."""
    if task.nodes is not None:
        if classes is not None:
            others = [each.name.upper() for each in TASKS.values() if each.nodes is None]
            raise PairingError(
                f"Task '{task.name}' has {task.nodes} output node and takes no classes",
                f"found classes={classes!r}",
                f"Leave classes out, or use task {', '.join(others)}",
            )
        return task.nodes
    if classes is None:
        return None
    whole = isinstance(classes, Integral) and not isinstance(classes, bool)
    if not whole or not task.accepts(int(classes)):
        raise _classes_missing(task, classes)
    return int(classes)


def _classes_missing(task: Task, classes: Any) -> PairingError:
    return PairingError(
        f"Task '{task.name}' needs the number of {task.counted}, at least 2",
        f"found classes={classes!r}",
        "Give classes=" + ("C" if task.counted == "classes" else "k"),
    )


def require_model(model: Any, task: Any) -> None:
    """Raise PairingError unless `task` is a Task and `model` a built model with one output."""
    require_task(task, "compile_for_task")
    rule = f"Task '{task.name}' needs a built functional or sequential Keras model with one output"
    if not isinstance(model, keras.Model):
        raise PairingError(rule, f"found {type(model).__name__}", "Give a keras.Model")
    outputs = getattr(model, "outputs", None) or ()
    if not outputs:
        raise PairingError(
            rule,
            f"model '{model.name}' ({type(model).__name__}) has no output yet",
            "Start a Sequential with keras.Input(shape=...), or build keras.Model(inputs, outputs);"
            " keras.Model(x, x) with x = keras.Input(shape=...) is a body without layers",
        )
    if len(outputs) > 1:
        raise PairingError(
            rule,
            f"model '{model.name}' has {len(outputs)} outputs",
            "Give the part of the model that ends in one output",
        )
    own = own_methods(model, "call", "train_step", "test_step", "predict_step", "compute_loss")
    if own:
        raise PairingError(
            rule,
            f"{type(model).__name__} '{model.name}' has its own {', '.join(own)}, which would be "
            "left out",
            "Give its layers as keras.Model(model.inputs, model.outputs)",
        )
