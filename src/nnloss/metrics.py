"""Bind a task's metrics explicitly, and check those that a caller adds."""

from __future__ import annotations

from typing import Any

from nnloss._tensorflow import keras
from nnloss.errors import PairingError
from nnloss.losses import LossChoice
from nnloss.tasks import LOSSES, Metric, Task

# Keras picks a class for these by the shape of the output, and may pick a wrong one.
_BY_SHAPE = {"accuracy", "acc", "crossentropy", "ce"}
_ACCURACIES = {"Accuracy"} | {
    metric.keras_class
    for loss in LOSSES.values()
    for metric in loss.metrics
    if metric.keras_class.endswith("Accuracy")
}


def bind(metrics: Any, task: Task, choice: LossChoice) -> list[Any]:
    """Put the metrics of the loss first, then the caller's.

    Parameters
    ----------
    metrics : None, str, keras.metrics.Metric or sequence of these
        The caller's. One with the name of a metric of the loss takes its place.
    task : Task
        For messages.
    choice : LossChoice
        A loss of the task.

    Returns
    -------
    list of keras.metrics.Metric or callable
        In the order in which they are reported.

    Raises
    ------
    PairingError
        If a metric counts something that this loss and its targets do not have, or compares
        logits with the threshold of a probability.
    """
    assert choice.loss is not None, "require_loss comes first"
    due = [_build(metric, choice) for metric in choice.loss.metrics]
    if metrics is None:
        metrics = ()
    if isinstance(metrics, dict):
        raise PairingError(
            f"Task '{task.name}' needs a list of metrics", "found a dict", "Give its values"
        )
    if isinstance(metrics, (str, keras.metrics.Metric)):
        metrics = (metrics,)
    own = [_checked(metric, due, task, choice) for metric in metrics]
    names = {name_of(metric) for metric in own}
    return [metric for metric in due if metric.name not in names] + own


def name_of(metric: Any) -> str:
    """Name under which a metric is reported.

    Parameters
    ----------
    metric : str, keras.metrics.Metric or callable
        As `bind` returns it.

    Returns
    -------
    str
        Key in logs.
    """
    if isinstance(metric, str):
        return metric
    return str(getattr(metric, "name", getattr(metric, "__name__", "")))


def _build(metric: Metric, choice: LossChoice) -> Any:
    arguments = dict(metric.from_logits) if choice.from_logits else {}
    return getattr(keras.metrics, metric.keras_class)(name=metric.name, **arguments)


def _checked(metric: Any, due: list[Any], task: Task, choice: LossChoice) -> Any:
    rule = f"Task '{task.name}' with the loss {choice.name!r} reports "
    rule += " and ".join(type(known).__name__ for known in due)
    if isinstance(metric, str):
        return _from_name(metric, due, rule, choice)
    kind = type(metric).__name__
    right = {type(known).__name__ for known in due}
    if type(metric).__module__.startswith("keras.") and kind in _ACCURACIES - right:
        raise PairingError(rule, f"found {kind}, which counts something else", f"Leave {kind} out")
    for known in choice.loss.metrics if choice.loss and choice.from_logits else ():
        default = getattr(keras.metrics, known.keras_class)()
        for argument, value in known.from_logits:
            if type(metric) is type(default) and getattr(metric, argument) == getattr(
                default, argument
            ):
                raise PairingError(
                    f"{rule} at {argument}={value:g}, since the model gives logits",
                    f"found {kind}({argument}={getattr(metric, argument):g})",
                    f"Give {kind}({argument}={value:g}), or leave it out",
                )
    return metric


def _from_name(name: str, due: list[Any], rule: str, choice: LossChoice) -> Any:
    if name.lower() in _BY_SHAPE:
        for known in due:
            if name.lower() in ("accuracy", "acc") and known.name == "accuracy":
                return known
        raise PairingError(
            rule,
            f"found {name!r}, which Keras reads by the shape of the output",
            "Give an object from keras.metrics",
        )
    try:
        keras.metrics.get(name)
    except ValueError as error:
        raise PairingError(
            rule, f"found {name!r}, which Keras does not know", "Give an object from keras.metrics"
        ) from error
    return name
