"""The rules of the pairing table: which head belongs to a task, and which loss to both."""

from __future__ import annotations

from numbers import Integral
from typing import Any

from nnloss._keras import keras, own_methods
from nnloss.check import check_pairing
from nnloss.errors import PairingError
from nnloss.heads import Head
from nnloss.losses import LossChoice
from nnloss.table import TASKS, Task

# What goes wrong, by (activation that is due, activation that was found).
_WRONG_ACTIVATION = {
    ("linear", "relu"): "which cannot predict below 0",
    ("linear", "sigmoid"): "which cannot leave the range 0 to 1",
    ("linear", "tanh"): "which cannot leave the range -1 to 1",
    ("linear", "softmax"): "whose rows sum to 1",
    ("sigmoid", "linear"): "which gives logits and not probabilities",
    ("softmax", "linear"): "which gives logits and not probabilities",
    ("softmax", "sigmoid"): "whose rows do not sum to 1",
}
# What goes wrong, by (activation of the task, loss that was asked for).
_WRONG_LOSS = {
    ("sigmoid", "mean_squared_error"): (
        "which has no probabilistic meaning for labels and poor gradients at confident mistakes"
    ),
    ("softmax", "mean_squared_error"): (
        "which has no probabilistic meaning for labels and poor gradients at confident mistakes"
    ),
    ("sigmoid", "categorical_crossentropy"): "which is 0 for every row of a single unit",
    ("softmax", "binary_crossentropy"): (
        "which scores the units as separate yes/no answers and not as one choice"
    ),
}


def dense(nodes: int, activation: str) -> str:
    """Write an output layer as one does in code, for messages.

    Parameters
    ----------
    nodes : int
        Units.
    activation : str
        Keras' name of the activation.

    Returns
    -------
    str
        For example ``Dense(1, activation='sigmoid')``.
    """
    return f"Dense({nodes}, activation='{activation}')"


def require_model(model: Any, task: Any) -> None:
    """Refuse what is not a task, or not a built model with one output.

    Parameters
    ----------
    model : any
        What should be a functional or sequential ``keras.Model``.
    task : any
        What should be a `Task`.

    Raises
    ------
    PairingError
        If either is not.
    """
    if not isinstance(task, Task):
        raise PairingError(
            "compile_for_task needs a Task",
            f"found {task!r}",
            "Use nnloss.REGRESSION, nnloss.BINARY or nnloss.MULTICLASS",
        )
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
    shape = tuple(outputs[0].shape)
    if len(shape) != 2:
        raise PairingError(
            f"Task '{task.name}' needs a model with output of shape (None, features)",
            f"model '{model.name}' ends in shape {shape}",
            "End in Flatten or a global pooling layer",
        )


def require_hidden(model: Any, head: Head, task: Task, nodes: int) -> None:
    """Raise an error if the end of a body may be an output.

    Parameters
    ----------
    model : keras.Model
        The body.
    head : Head
        What it ends in.
    task : Task
        For the message.
    nodes : int
        Units that the output needs.

    Raises
    ------
    PairingError
        If its last layer may be an output of the caller's own making: a layer that Keras does not
        define, arithmetic on probabilities, or arithmetic that gives exactly `nodes` numbers.
    """
    if not head.known or (head.mixing and head.units == nodes):
        raise PairingError(
            f"Task '{task.name}' needs a model that ends in its output layer or in a hidden one",
            f"model '{model.name}' ends in {head.text}, which may be an output or a hidden layer",
            "Add the output layer, or a Dense hidden layer, after it yourself",
        )


def output_nodes(task: Task, classes: int | None, head: Head) -> int:
    """Units that the output layer needs.

    Parameters
    ----------
    task : Task
        The task.
    classes : int or None
        Number of classes, where the task leaves it open.
    head : Head
        What the model ends in; an output tells the number of classes if the caller does not.

    Returns
    -------
    int
        ``task.nodes``, or the number of classes.

    Raises
    ------
    PairingError
        If the number of classes is missing, below 2, or given to a task that has none.
    """
    if task.nodes is not None:
        if classes is not None:
            raise PairingError(
                f"Task '{task.name}' has {task.nodes} output node and takes no classes",
                f"found classes={classes!r}",
                "Leave classes out, or use task MULTICLASS",
            )
        return task.nodes
    rule = f"Task '{task.name}' needs the number of classes, at least 2"
    if classes is None and head.is_output(None):
        return max(head.units or 0, 2)
    if isinstance(classes, bool) or not isinstance(classes, Integral) or classes < 2:
        raise PairingError(rule, f"found classes={classes!r}", "Give classes=C")
    return int(classes)


def require_head(head: Head, task: Task, nodes: int, choice: LossChoice, model: str) -> None:
    """Refuse an output layer that is not the task's.

    Parameters
    ----------
    head : Head
        An output, as `Head.is_output` tells.
    task : Task
        What it should fit.
    nodes : int
        Units that it should have.
    choice : LossChoice
        The loss; one with ``from_logits=True`` wants a linear head.
    model : str
        Name of the model, for the message.

    Raises
    ------
    PairingError
        If the activation or the number of units is another, or an activation is applied twice.
    """
    found = f"model '{model}' ends in {head.text}"
    if head.probabilities > 1:
        raise PairingError(
            f"Task '{task.name}' needs {dense(nodes, task.activation)}, applied once",
            f"{found}: double {head.activations[-1]}",
            f"Remove the last {head.activations[-1]}",
        )
    if choice.from_logits and head.probabilities:
        raise PairingError(
            f"Task '{task.name}' needs {task.activation} in the model or in the loss, not in both",
            f"{found} and the loss is {choice.name}: double {head.activation}",
            f"Use loss='{_name(choice)}', or end in Dense({nodes}) without activation",
        )
    due = "linear" if choice.from_logits else task.activation
    if head.activation == due and head.units == nodes and head.bare:
        return
    raise PairingError(
        f"Task '{task.name}' needs {dense(nodes, due)}",
        found + _what_is_wrong(head, due, nodes),
        _remedy(head, task, nodes, due),
    )


def require_loss(choice: LossChoice, task: Task) -> None:
    """Refuse a loss that is not one of the task's.

    Parameters
    ----------
    choice : LossChoice
        The loss.
    task : Task
        What it should fit.

    Raises
    ------
    PairingError
        If the table does not have it for this task.
    """
    if choice.loss in task.losses:
        return
    allowed = " or ".join(f"'{loss.name}'" for loss in task.losses)
    if choice.loss is not None:
        usual = "which is not a likelihood of this task"
        why = _WRONG_LOSS.get((task.activation, choice.name), usual)
    elif isinstance(choice.given, str) and not _is_known_to_keras(choice.given):
        why = "which Keras does not know"
    else:
        why = "which nnloss does not recognise as a likelihood"
    raise PairingError(
        f"Task '{task.name}' needs the loss {allowed}",
        f"found {choice.name!r}, {why}",
        f"Leave the loss out, or use loss='{task.loss.name}'",
    )


def require_right(model: Any, choice: LossChoice) -> None:
    """Raise an error if `check_pairing` calls the output with its loss wrong.

    Parameters
    ----------
    model : keras.Model
        With one output, which is kept.
    choice : LossChoice
        The loss.

    Raises
    ------
    PairingError
        With the rule, what was found and the remedy of the finding.
    """
    check_pairing(model, choice.given).raise_if_wrong()


def _is_known_to_keras(name: str) -> bool:
    try:
        keras.losses.get(name)
    except ValueError:
        return False
    return True


def _what_is_wrong(head: Head, due: str, nodes: int) -> str:
    if head.activation == "softmax" and head.units == 1:
        return ", which is 1 for every row"
    if head.activation != due:
        why = _WRONG_ACTIVATION.get((due, head.activation))
        return f", {why}" if why else ""
    return "" if head.units == nodes else f", which has {head.units} units"


def _remedy(head: Head, task: Task, nodes: int, due: str) -> str:
    fits = [
        f"use task {other.name.upper()}"
        + (f" with classes={head.units}" if other.nodes is None else "")
        for other in TASKS.values()
        if head.activation == other.activation
        and (head.units == other.nodes or (other.nodes is None and (head.units or 0) > 1))
        and not (other is task and head.units == nodes)
    ]
    ways = [*fits, f"end in Dense({nodes}, '{due}')"]
    if head.activation == "linear" != task.activation and head.units == nodes:
        ways.append(f"use loss=keras.losses.{task.loss.keras_class}(from_logits=True)")
    elif head.layer == "Dense" and not fits and not (head.probabilities and head.units == nodes):
        ways.append(f"if it is a hidden layer, add Dense({nodes}, '{due}') after it yourself")
    text = ", or ".join(ways)
    return text[0].upper() + text[1:]


def _name(choice: LossChoice) -> str:
    return choice.loss.name if choice.loss else choice.name
