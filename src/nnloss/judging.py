"""Judge one output of a model with one loss, and its targets."""

from __future__ import annotations

from typing import Any

from nnloss._keras import keras
from nnloss.errors import PairingError
from nnloss.findings import Finding, Verdict
from nnloss.heads import read_end
from nnloss.losses import LossChoice, options_of
from nnloss.outputs import values_of
from nnloss.table import BCE, CCE, LOSSES, MSE, SPARSE_CCE, TASKS, Loss, Task
from nnloss.target_fit import as_array, misfit, shape_text
from nnloss.values import KINDS, UNBOUNDED, Kind, Values

# Losses of Keras that are no likelihood of the table, and want the output that one of it wants.
_LIKE = {
    "Huber": MSE,
    "LogCosh": MSE,
    "BinaryFocalCrossentropy": BCE,
    "CategoricalFocalCrossentropy": CCE,
    "KLDivergence": CCE,
}
# What is wrong with an output, by what is due and what was found.
_WHY = {
    (Kind.REAL, Kind.PROBABILITIES): "which cannot leave the range 0 to 1",
    (Kind.REAL, Kind.DISTRIBUTION): "which sums to 1",
    (Kind.PROBABILITIES, Kind.REAL): "which gives logits and not probabilities",
    (Kind.DISTRIBUTION, Kind.REAL): "which gives logits and not probabilities",
    (Kind.DISTRIBUTION, Kind.PROBABILITIES): "whose rows do not sum to 1",
    (Kind.PROBABILITIES, Kind.DISTRIBUTION): "which makes one choice and not yes/no answers",
}
_BOUNDS = {
    "relu": "which cannot predict below 0",
    "relu6": "which cannot leave the range 0 to 6",
    "tanh": "which cannot leave the range -1 to 1",
    "elu": "which has a lower bound",
    "leaky_relu": "which bends at 0",
    "prelu": "which bends at 0",
}
# Positive outputs with MSE are a Gaussian with another link than the table's.
_OTHER_LINKS = {"exponential", "softplus"}


def judge(model: Any, name: str, output: Any, loss: Any, y: Any, *, trained: bool) -> Finding:
    """Judge one output with one loss.

    Parameters
    ----------
    model : keras.Model
        For the message.
    name : str
        Of the output.
    output : keras.KerasTensor
        The output.
    loss : str, keras.losses.Loss, callable or None
        Its loss.
    y : array_like or None
        Its targets; None if they are not to be checked.
    trained : bool
        Whether another output has a loss, so that this one may be without.

    Returns
    -------
    Finding
        The first thing that is wrong, else whether it is right.

    Raises
    ------
    PairingError
        If `loss` is a name that Keras does not know.
    """
    named = f"output '{name}' of model '{model.name}'"
    if not output.shape:
        return Finding(
            name,
            "unknown",
            "An output needs a row for each row of the data",
            f"{named} is a single number",
            "Keep the first axis",
        )
    try:
        values, end = values_of(output), read_end(output)
    except RecursionError:
        return Finding(
            name,
            "unknown",
            "The layers behind an output must be seen to judge it",
            f"{named} comes from more operations in a row than Python can follow",
            "Ask about a model of the last layers only",
        )
    where = f"{named} ends in {end.text}"
    if loss is None and trained:
        return Finding(name, "right", "An output without a loss is not trained", where)
    if values.kind is Kind.TWICE:
        double, _, single = values.activation.partition(" of ")
        return Finding(
            name,
            "wrong",
            f"An output needs its {double} once",
            f"{where}: double {double}" if double == single else f"{where}: {values.activation}",
            f"Remove the last {double}",
        )
    if values.kind is Kind.DISTRIBUTION and values.size(values.axes) == 1:
        return Finding(
            name,
            "wrong",
            "A softmax needs at least two units",
            f"{where}, which is 1 for every row",
            "End in sigmoid with loss='binary_crossentropy', or in one unit for each class",
        )
    if loss is None:
        return Finding(
            name,
            "unknown",
            "An output is judged with its loss",
            f"{where}, and there is no loss",
            "Compile the model, or give the loss",
        )
    choice = _recognise(loss, values, y)
    kind = choice.kind
    if kind is None:
        return Finding(
            name,
            "unknown",
            "nnloss must know which output the loss needs",
            f"{where}, with the loss '{choice.name}'",
            f"Needed is which likelihood it is; known are {', '.join(LOSSES)}",
        )
    return _pair(name, where, values, choice, kind) or _targets(name, where, values, choice, y)


def _recognise(loss: Any, values: Values, y: Any) -> LossChoice:
    """Recognise a loss, also those that Keras picks by the shapes, and the table's relatives."""
    if isinstance(loss, str) and loss.lower() in ("crossentropy", "ce"):
        given = values.shape if y is None else as_array(y).shape
        labels = len(given) < len(values.shape) or given[-1] == 1  # as Keras tells them apart
        entry = BCE if values.shape[-1] == 1 else SPARSE_CCE if labels else CCE
        return LossChoice.recognise(entry.name)
    choice = LossChoice.recognise(loss)
    if choice.kind:
        return choice
    if isinstance(loss, str):
        try:
            loss = keras.losses.get(loss)
        except ValueError as error:
            raise PairingError(
                "The loss must be one that Keras knows", f"found '{loss}'", "See keras.losses"
            ) from error
    home = loss if hasattr(loss, "__name__") else type(loss)
    for name, entry in _LIKE.items():
        related = getattr(keras.losses, name)
        function = getattr(related(), "fn", None)
        if home in (related, function):
            options = options_of(loss)
            logits = bool(options.get("from_logits", False))
            label = f"{name}(from_logits=True)" if logits else name
            axis = int(options.get("axis", -1))
            return LossChoice(loss, label, None, logits, axis, entry)
    return choice


def _pair(name: str, where: str, values: Values, choice: LossChoice, kind: Loss) -> Finding | None:
    """Compare what the loss needs with what the output gives; None if they fit."""
    task = next(task for task in TASKS.values() if kind in task.losses)
    due = Kind.REAL if choice.from_logits else KINDS[task.activation]
    rule = f"The loss '{choice.name}' needs a {task.activation} output"
    if choice.from_logits:
        rule = (
            f"The loss '{choice.name}' applies {task.activation} itself and needs a linear output"
        )
    rank, softmax = len(values.shape), task.activation == "softmax"
    axis = choice.axis % rank
    if softmax and (axis == 0 or not -rank <= choice.axis < rank):
        return Finding(
            name,
            "wrong",
            "The classes need an axis of the output of their own, after that of the rows",
            f"{where} and has the shape {shape_text(values.shape)}, and the loss '{choice.name}' "
            f"takes axis {choice.axis}",
            "Give the loss the axis of the classes; the output needs one",
        )
    if values.kind in (Kind.UNKNOWN, Kind.DATA):
        return Finding(
            name,
            "unknown",
            rule,
            f"{where}, and {values.activation} hides what the numbers are",
            "Put a layer of Keras' own with its activation at the end, or look at the code of it",
        )
    if values.kind is due:
        if softmax and due is Kind.DISTRIBUTION and values.axes != (axis,):
            over = " and ".join(map(str, values.axes))
            return Finding(
                name,
                "wrong",
                f"{rule} over axis {axis}",
                f"{where}, which sums to 1 over axis {over}",
                f"Use Softmax(axis={axis}), or give the loss the axis of the classes",
            )
        if softmax and values.shape[axis] == 1:
            return Finding(
                name,
                "wrong",
                f"{rule} with at least two units",
                f"{where}, whose softmax is 1 for every row",
                "Use loss=keras.losses.BinaryCrossentropy(from_logits=True)",
            )
        return None
    if softmax and choice.from_logits and values.kind is Kind.LOG_DISTRIBUTION:
        # Softmax of log-probabilities gives the probabilities back.
        return None if values.axes == (axis,) else _wrong(name, rule, where, values, choice, task)
    if softmax and choice.from_logits and values.activation in UNBOUNDED:
        return Finding(
            name,
            "unknown",
            rule,
            f"{where}: logits with a bound, which reach every distribution still",
            "It is right if that is meant; else end in a linear layer",
        )
    scaled = values.activation.startswith("Rescaling of ")
    if due is Kind.REAL and not choice.from_logits and scaled:
        return Finding(
            name,
            "unknown",
            rule,
            f"{where}, which has bounds",
            "It is right if the quantity is known to have the same bounds; else end in a linear "
            "layer",
        )
    if due is Kind.REAL and not choice.from_logits and values.activation in _OTHER_LINKS:
        return Finding(
            name,
            "unknown",
            rule,
            f"{where}, which is a Gaussian likelihood with another link",
            "It is right if the mean is meant to be always positive; else end in a linear layer",
        )
    return _wrong(name, rule, where, values, choice, task)


def _wrong(
    name: str, rule: str, where: str, values: Values, choice: LossChoice, task: Task
) -> Finding:
    due = Kind.REAL if choice.from_logits else KINDS[task.activation]
    squashed = values.kind in (Kind.PROBABILITIES, Kind.DISTRIBUTION)
    assert choice.kind is not None, "an unknown loss is not judged"
    if choice.from_logits and squashed:
        same = values.activation == task.activation
        why = f"double {values.activation}" if same else f"{task.activation} of {values.activation}"
        right = choice.kind.name
        remedy = (
            f"Use loss='{right}', or end in a linear layer" if same else "End in a linear layer"
        )
        return Finding(name, "wrong", rule, f"{where}: {why}", remedy)
    reason = _WHY.get((due, values.kind)) or _BOUNDS.get(values.activation)
    needed = "linear" if due is Kind.REAL else task.activation
    found = f"{where}, {reason or f'which is {values.activation} and not {needed}'}"
    ways = [f"end in {'a linear layer' if due is Kind.REAL else task.activation}"]
    if values.kind is Kind.REAL:
        ways.append(f"use loss=keras.losses.{choice.kind.keras_class}(from_logits=True)")
    ways += [
        f"use loss='{other.loss.name}' if the targets are {_LABELS[other.activation]}"
        for other in TASKS.values()
        if squashed and KINDS[other.activation] is values.kind
    ]
    text = ", or ".join(ways)
    return Finding(name, "wrong", rule, found, text[0].upper() + text[1:])


_LABELS = {"sigmoid": "0 and 1", "softmax": "one-hot"}


def _targets(name: str, where: str, values: Values, choice: LossChoice, y: Any) -> Finding:
    assert choice.kind is not None, "an unknown loss is not judged"
    rule = f"The loss '{choice.name}' fits this output"
    if y is None:
        return Finding(name, "right", rule, where)
    axis = choice.axis % len(values.shape)
    ignored = options_of(choice.given).get("ignore_class")
    wrong = misfit(y, values.shape, choice.kind.domain, axis, ignored)
    soft = wrong is not None and not wrong.certain and choice.loss is None
    if wrong is None or soft:  # the divergence from shares is what some relatives measure
        return Finding(name, "right", f"{rule} and these targets", where)
    verdict: Verdict = "wrong" if wrong.certain else "unknown"
    rule = f"{wrong.rule} for the loss '{choice.name}'"
    return Finding(name, verdict, rule, wrong.found, wrong.remedy)
