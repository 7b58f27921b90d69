"""Recognise a loss, however it was given to ``compile``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nnloss._keras import defined_by_keras, keras
from nnloss.table import LOSSES, Loss, Task

# Options that make a Keras loss another one: classes on another axis, a class left out.
_MEANING = {"axis": -1, "ignore_class": None}


def options_of(loss: Any) -> dict[str, Any]:
    """Tell the options of a loss, as Keras hands them to its function.

    Parameters
    ----------
    loss : keras.losses.Loss
        One of Keras' own.

    Returns
    -------
    dict
        Not the attributes: ``SparseCategoricalCrossentropy`` has none for its axis.
    """
    return dict(getattr(loss, "_fn_kwargs", {}))


@dataclass(frozen=True)
class LossChoice:
    """A loss as the caller gave it, and what is known of it.

    Parameters
    ----------
    given : str or keras.losses.Loss or callable
        What goes to ``compile``.
    name : str
        Name for messages.
    loss : Loss or None
        Its entry in the table; None if it is not there.
    from_logits : bool
        Whether it applies the activation itself.
    axis : int
        Of the classes.
    kind : Loss or None
        The entry of its class in the table, whatever its options make of it.
    """

    given: Any
    name: str
    loss: Loss | None
    from_logits: bool = False
    axis: int = -1
    kind: Loss | None = None

    @classmethod
    def read(cls, given: Any, task: Task) -> LossChoice:
        """Recognise a loss; None stands for the canonical one of the task.

        Parameters
        ----------
        given : None, str, callable, keras.losses.Loss or its class
            As ``compile`` takes it.
        task : Task
            Whose canonical loss None stands for.

        Returns
        -------
        LossChoice
            With `loss` None where it is none of the table's.
        """
        return cls.recognise(task.loss.name if given is None else given)

    @classmethod
    def recognise(cls, given: Any) -> LossChoice:
        """Recognise a loss.

        Parameters
        ----------
        given : str, callable, keras.losses.Loss or its class
            As ``compile`` takes it.

        Returns
        -------
        LossChoice
            With `loss` None where it is none of the table's.
        """
        if isinstance(given, str):
            for loss in LOSSES.values():
                if given.lower() in (loss.name, loss.keras_class.lower(), *loss.aliases):
                    return cls(loss.name, loss.name, loss, kind=loss)
            return cls(given, given, None)
        if isinstance(given, type) and issubclass(given, keras.losses.Loss):
            if not defined_by_keras(given):
                return cls(given, given.__name__, None)
            given = given()
        for loss in LOSSES.values():
            if given is getattr(keras.losses, loss.name):
                return cls(given, loss.name, loss, kind=loss)
            # Not isinstance: a subclass may compute something else.
            if type(given) is getattr(keras.losses, loss.keras_class):
                options = options_of(given)
                changed = [
                    f"{option}={options[option]!r}"
                    for option, usual in _MEANING.items()
                    if options.get(option, usual) != usual
                ]
                logits = bool(options.get("from_logits", False))
                shown = ["from_logits=True"] * logits + changed
                name = f"{loss.keras_class}({', '.join(shown)})" if shown else loss.name
                axis = int(options.get("axis", -1))
                return cls(given, name, None if changed else loss, logits, axis, loss)
        return cls(given, getattr(given, "__name__", type(given).__name__), None)
