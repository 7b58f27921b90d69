"""Import of Keras on any backend, and facts about its classes."""

from __future__ import annotations

import os
from typing import Any

from nnloss.errors import NnlossError

try:
    import keras
except (ImportError, ValueError) as error:
    raise NnlossError(
        "Keras must be able to load its backend",
        f"KERAS_BACKEND is '{os.environ.get('KERAS_BACKEND', 'not set')}': {error}",
        "Set it to one that is installed, such as tensorflow",
    ) from error

__all__ = ["defined_by_keras", "keras", "own_methods"]


def defined_by_keras(kind: Any) -> bool:
    """Return whether Keras itself defines a class or function, and not a subclass of the user."""
    return str(kind.__module__).partition(".")[0] == "keras"


def own_methods(model: Any, *names: str) -> list[str]:
    """Return the names of those methods that a user's subclass of a model overrides."""
    # On the NumPy backend, which cannot train, there is no train_step.
    found = {name: getattr(type(model), name) for name in names if hasattr(type(model), name)}
    homes = {name: method.__module__.partition(".")[0] for name, method in found.items()}
    return [name for name, home in homes.items() if home not in ("keras", "nnloss")]
