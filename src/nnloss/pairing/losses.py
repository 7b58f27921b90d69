"""Recognition of a loss in any form that ``compile`` accepts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nnloss._keras import defined_by_keras, keras
from nnloss.errors import PairingError
from nnloss.pairing.targets import as_numbers
from nnloss.pairing.values import Values
from nnloss.table import BCE, CCE, LOSSES, SPARSE_CCE, TASKS, Loss, Task

#: Options of a Keras loss that messages show, with their defaults.
_SHOWN = {"from_logits": False, "axis": -1, "ignore_class": None, "label_smoothing": 0.0}


@dataclass(frozen=True)
class LossChoice:
    """A loss as given to ``compile``, with its entry in the table.

    `name` is for messages and includes options that matter. `loss` is None if neither the table nor
    the task has the loss. `options` are the arguments that Keras passes to its function.
    """

    given: Any
    name: str
    loss: Loss | None
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def known(self) -> Loss:
        """The loss, where it has been recognised."""
        assert self.loss is not None, "an unknown loss needs nothing"
        return self.loss

    @property
    def from_logits(self) -> bool:
        """Whether the loss applies the activation itself."""
        return bool(self.options.get("from_logits", False))

    @property
    def axis(self) -> int:
        """Axis of the classes."""
        return int(self.options.get("axis", -1))

    @property
    def what(self) -> str:
        """Name for the log, with a note on a loss that belongs to no GLM."""
        if self.loss is None:
            return f"{self.name}, which nnloss does not recognise as a likelihood"
        if self.loss.likelihood is None:
            return f"{self.name}, which belongs to no GLM but needs the same output"
        return self.name


def require_task(task: Any, caller: str) -> None:
    """Raise PairingError if `task` is not a Task; the message names the function `caller`."""
    if not isinstance(task, Task):
        known = ", ".join(f"nnloss.{each.name.upper()}" for each in TASKS.values())
        raise PairingError(
            f"{caller} needs a Task", f"found {task!r}", f"Use {known}, or one of your own"
        )


def recognise(
    given: Any, task: Task | None = None, values: Values | None = None, y: Any = None
) -> LossChoice:
    """Return a loss with its entry in the table or in the task.

    `given` is as in ``compile``; None means the canonical loss of `task`. `values` of the output
    and targets `y` resolve the names that Keras resolves by shape. Raise PairingError for a name
    that Keras does not know.
    """
    known = {**LOSSES, **{loss.name: loss for loss in (task.losses if task else ())}}
    if given is None and task is not None:
        loss = task.loss
        named = isinstance(loss.keras_class, str)
        return LossChoice(loss.name if named else _keras_class(loss)(), loss.name, loss)
    if isinstance(given, str):
        if given.lower() in ("crossentropy", "ce"):
            picked = _by_shape(values, y, task)
            return LossChoice(picked.name, picked.name, picked)
        for loss in known.values():
            kind = loss.keras_class if isinstance(loss.keras_class, str) else ""
            if given.lower() in (loss.name, kind.lower(), *loss.aliases):
                return LossChoice(loss.name, loss.name, loss)
        try:
            keras.losses.get(given)
        except ValueError as error:
            raise PairingError(
                "The loss must be one that Keras knows", f"found '{given}'", "See keras.losses"
            ) from error
        return LossChoice(given, given, None)
    if isinstance(given, type) and issubclass(given, keras.losses.Loss):
        if not defined_by_keras(given) and given not in map(_keras_class, known.values()):
            return LossChoice(given, given.__name__, None)
        given = given()
    for loss in known.values():
        # Not isinstance: a subclass may compute something else.
        if given is getattr(keras.losses, loss.name, None):
            return LossChoice(given, loss.name, loss)
        if type(given) is _keras_class(loss):
            options = dict(getattr(given, "_fn_kwargs", {}))
            shown = [
                f"{option}={options[option]!r}"
                for option, usual in _SHOWN.items()
                if options.get(option, usual) != usual
            ]
            name = f"{type(given).__name__}({', '.join(shown)})" if shown else loss.name
            return LossChoice(given, name, loss, options)
    return LossChoice(given, str(getattr(given, "__name__", type(given).__name__)), None)


def _keras_class(loss: Loss) -> Any:
    kind = loss.keras_class
    return getattr(keras.losses, kind) if isinstance(kind, str) else kind


def _by_shape(values: Values | None, y: Any, task: Task | None) -> Loss:
    """Return the cross-entropy that Keras chooses by the shapes of output and targets."""
    if task is not None and task.domain in (BCE.domain, CCE.domain):
        return task.loss
    shape = values.shape if values else (None, 1)
    given = getattr(None if y is None else as_numbers(y), "shape", shape)
    if not shape or shape[-1] == 1:
        return BCE
    return SPARSE_CCE if len(given) < len(shape) or given[-1] == 1 else CCE
