"""Metrics of a loss, and checks of the metrics that a caller adds."""

from __future__ import annotations

from typing import Any

from nnloss._keras import defined_by_keras, keras
from nnloss.errors import PairingError
from nnloss.pairing.losses import LossChoice
from nnloss.pairing.values import Values
from nnloss.table import LOSSES, Kind, Metric

# Keras chooses the class for these names by the shapes of output and targets.
_BY_SHAPE = {
    **dict.fromkeys(("accuracy", "acc"), "Accuracy"),
    **dict.fromkeys(("crossentropy", "ce"), "Crossentropy"),
}
_WITH_THRESHOLD = {"BinaryAccuracy", "Precision", "Recall"} | {
    f"{truth}{sign}" for truth in ("True", "False") for sign in ("Positives", "Negatives")
}
# Domain of the targets that each accuracy needs.
_TARGETS = {
    metric.keras_class: loss.domain
    for loss in LOSSES.values()
    for metric in loss.metrics
    if metric.keras_class.endswith("Accuracy")
}
_TARGETS |= {
    f"{prefix}TopKCategoricalAccuracy": _TARGETS[f"{prefix}CategoricalAccuracy"]
    for prefix in ("", "Sparse")
}

Wrong = tuple[str, str, str]


def bind(metrics: Any, choice: LossChoice, due: tuple[Metric, ...]) -> list[Any]:
    """Return the metrics of the loss, then the caller's.

    A caller's metric replaces a metric of the loss with the same name. Given as a name or a class,
    it gets the options that the loss needs. Raise PairingError if `metrics` is not a list.
    """
    ours = [_build(metric, choice) for metric in due]
    if isinstance(metrics, str) or callable(metrics):
        metrics = (metrics,)
    if metrics is not None and not isinstance(metrics, (list, tuple, set)):
        raise PairingError(
            "One output needs a list of metrics",
            f"found {type(metrics).__name__}",
            "Give a list of names or of objects from keras.metrics",
        )
    own = [_bound(metric, ours) for metric in metrics or ()]
    names = {name_of(metric) for metric in own}
    return [metric for metric in ours if metric.name not in names] + own


def name_of(metric: Any) -> str:
    """Return the name under which a metric is logged."""
    if isinstance(metric, str):
        return metric
    return str(getattr(metric, "name", getattr(metric, "__name__", "")))


def _build(metric: Metric, choice: LossChoice) -> Any:
    arguments = dict(metric.from_logits) if choice.from_logits else {}
    return getattr(keras.metrics, metric.keras_class)(name=metric.name, **arguments)


def _bound(metric: Any, ours: list[Any]) -> Any:
    for known in ours:
        named = isinstance(metric, str) and metric.lower() in ("accuracy", "acc")
        if named and known.name == "accuracy":
            return _renamed(known, metric)
        # We set the options of a name or a class; an object has the caller's options.
        if isinstance(metric, (str, type)) and kind_of(metric) == type(known).__name__:
            return _renamed(known, metric if isinstance(metric, str) else metric().name)
    return metric


def _renamed(metric: Any, name: str) -> Any:
    """Return the same metric under the name that the caller expects in the history."""
    if name == metric.name:
        return metric
    return type(metric).from_config(metric.get_config() | {"name": name})


def kind_of(metric: Any) -> str | None:
    """Return the name of a metric's Keras class, or None for a custom metric or an unknown name."""
    if isinstance(metric, str):
        try:
            metric = keras.metrics.get(metric)
        except ValueError:
            return None
    home = metric if hasattr(metric, "__module__") and hasattr(metric, "__name__") else type(metric)
    if not defined_by_keras(home):
        return None
    names = {name.lower(): name for name in dir(keras.metrics)}
    return names.get(home.__name__.replace("_", "").lower())


def wrong_metric(metric: Any, choice: LossChoice, values: Values) -> Wrong | None:
    """Return rule, finding and remedy for a metric that does not fit the loss, or None."""
    loss = choice.loss
    if loss is None:
        return None
    label = repr(metric) if isinstance(metric, str) else None
    picked = _BY_SHAPE.get(metric.lower()) if isinstance(metric, str) else None
    kind = _by_shape(picked, values, loss) if picked else kind_of(metric)
    if isinstance(metric, str) and not picked and kind is None:
        return (
            "A metric must be one that Keras knows",
            f"found {metric!r}",
            "Give an object from keras.metrics",
        )
    if kind is None:
        return None
    shown = f"{label}, for which Keras takes {kind}" if picked else kind
    due = " and ".join(each.keras_class for each in loss.metrics)
    rule = f"The loss '{choice.name}' has the metric {due}"
    counts = kind == "Accuracy" or kind in _TARGETS
    if counts and loss.link.kind in (Kind.REAL, Kind.POSITIVE):
        return (
            f"The loss '{choice.name}' needs metrics of errors, such as {due}",
            f"found {shown}, which counts exact matches, and a quantity is hardly ever matched "
            "exactly",
            f"Leave {label or kind} out",
        )
    if counts and _TARGETS.get(kind) is not loss.domain:
        return rule, f"found {shown}, which counts something else", f"Use {due}"
    return _on_logits(metric, kind, shown, rule, choice) if choice.from_logits else None


def _by_shape(picked: str, values: Values, loss: Any) -> str:
    if not values.shape or values.shape[-1] == 1:
        return f"Binary{picked}"
    sparse = not loss.domain.by_node and loss is LOSSES["sparse_categorical_crossentropy"]
    return f"{'Sparse' * sparse}Categorical{picked}"


def _on_logits(metric: Any, kind: str, shown: str, rule: str, choice: LossChoice) -> Wrong | None:
    """Return rule, finding and remedy for a metric that treats logits as probabilities, or None."""
    assert choice.loss is not None, "an unknown loss is not judged"
    if not isinstance(metric, keras.metrics.Metric):
        made = kind in _WITH_THRESHOLD or kind == "AUC" or kind.endswith("Crossentropy")
        metric = getattr(keras.metrics, kind)() if made else metric
    set_to = [
        (option, getattr(metric, option))
        for option in ("threshold", "thresholds")
        if kind in _WITH_THRESHOLD and getattr(metric, option, None) in (0.5, [0.5])
    ]
    cross_entropy = getattr(metric, "_fn_kwargs", {}).get("from_logits") is False
    if cross_entropy or (kind == "AUC" and not getattr(metric, "_from_logits", True)):
        set_to = [("from_logits", False)]
    if not set_to:
        return None
    option, value = set_to[0]
    found = f"found {shown if shown != kind else f'{kind}({option}={value})'}"
    if choice.loss.domain.by_node or cross_entropy:
        right = "from_logits=True" if option == "from_logits" else f"{option}=0"
        rule = f"{rule}; the model gives logits, and one half is 0 there"
        return rule, found, f"Give {kind}({right}), or leave it out"
    # Softmax depends on all logits of a row: no threshold and no sigmoid can replace it.
    activation = choice.loss.link.activation
    return (
        f"{rule}; the model gives logits, and {kind} needs probabilities",
        found,
        f"End in {activation} with loss='{choice.loss.name}', or leave {kind} out",
    )
