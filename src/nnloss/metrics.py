"""Bind a task's metrics explicitly, and check those that a caller adds."""

from __future__ import annotations

from typing import Any

from nnloss._keras import defined_by_keras, keras
from nnloss.errors import PairingError
from nnloss.losses import LossChoice
from nnloss.table import LOSSES, Metric, Task

# Keras picks a class for these by the shape of the output, and may pick a wrong one.
_BY_SHAPE = {"accuracy", "acc", "crossentropy", "ce"}
_WITH_THRESHOLD = {"BinaryAccuracy", "Precision", "Recall", "AUC"} | {
    f"{truth}{sign}" for truth in ("True", "False") for sign in ("Positives", "Negatives")
}
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
    metrics : None, str, callable, keras.metrics.Metric, its class, or sequence of these
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
    if isinstance(metrics, str) or callable(metrics):
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
    if isinstance(metric, str) and metric.lower() in _BY_SHAPE:
        for known in due:
            if metric.lower() in ("accuracy", "acc") and known.name == "accuracy":
                return _renamed(known, metric)
        raise PairingError(
            rule, f"found {metric!r}, which is not defined for it", f"Leave {metric!r} out"
        )
    kind = _kind(metric, rule)
    for known in due:
        # A name or a class leaves its arguments to us; an object has the caller's own.
        if kind == type(known).__name__ and isinstance(metric, (str, type)):
            return _renamed(known, metric if isinstance(metric, str) else metric().name)
    if kind in _ACCURACIES - {type(known).__name__ for known in due}:
        raise PairingError(rule, f"found {kind}, which counts something else", f"Leave {kind} out")
    if choice.from_logits:
        _require_logits(metric, kind, rule)
    return metric


def _renamed(metric: Any, name: str) -> Any:
    """Give the same metric under the name that the caller looks for in the history."""
    if name == metric.name:
        return metric
    return type(metric).from_config(metric.get_config() | {"name": name})


def _kind(metric: Any, rule: str) -> str | None:
    """Keras' class of a metric, given by name, class, function or object; None for others."""
    if isinstance(metric, str):
        try:
            metric = keras.metrics.get(metric)
        except ValueError as error:
            raise PairingError(
                rule,
                f"found {metric!r}, which Keras does not know",
                "Give an object from keras.metrics",
            ) from error
    home = metric if hasattr(metric, "__module__") and hasattr(metric, "__name__") else type(metric)
    if not defined_by_keras(home):
        return None
    names = {name.lower(): name for name in dir(keras.metrics)}
    return names.get(home.__name__.replace("_", "").lower())


def _require_logits(metric: Any, kind: str | None, rule: str) -> None:
    """Refuse a metric of Keras' that takes the model's logits for probabilities."""
    if not isinstance(metric, keras.metrics.Metric):
        metric = getattr(keras.metrics, kind)() if kind in _WITH_THRESHOLD else metric
    at_half = [
        f"{name}={getattr(metric, name)}"
        for name in ("threshold", "thresholds")
        if kind in _WITH_THRESHOLD and getattr(metric, name, None) in (0.5, [0.5])
    ]
    if kind == "AUC" and not metric._from_logits:
        at_half = ["from_logits=False"]
    if at_half:
        option = "from_logits=True" if kind == "AUC" else f"{at_half[0].partition('=')[0]}=0"
        raise PairingError(
            f"{rule}; the model gives logits, and one half is 0 there",
            f"found {kind}({at_half[0]})",
            f"Give {kind}({option}), or leave it out",
        )
