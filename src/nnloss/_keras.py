"""Import of Keras, on any backend, without TensorFlow's start-up messages.

TensorFlow writes some of them to the file descriptor before it reads any setting. They are removed
there; all other output passes.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from nnloss.errors import NnlossError

_NOTE = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog"
    rb"|[IWE]\d{4} [\d:. ]+(port|cudart_stub|cuda_platform|cpu_feature_guard)\.cc"
    rb"|To enable the following instructions:"
)


@contextmanager
def without_notes() -> Iterator[None]:
    """Remove TensorFlow's start-up messages, and nothing else, from standard error."""
    try:
        saved = os.dup(2)
    except OSError:  # standard error is closed
        yield
        return
    sys.stderr.flush()
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
            caught.seek(0)
            for line in caught:
                if not _NOTE.match(line):
                    os.write(2, line)


def import_quietly(name: str) -> Any:
    """Import a module that may load TensorFlow, without its start-up messages."""
    if "tensorflow" in sys.modules:
        return import_module(name)
    # Keep the user's setting. 3 shows only fatal messages; errors are raised as exceptions.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with without_notes():
        return import_module(name)


try:
    import_quietly("keras")
except (ImportError, ValueError) as error:
    raise NnlossError(
        "Keras must be able to load its backend",
        f"KERAS_BACKEND is '{os.environ.get('KERAS_BACKEND', 'not set')}': {error}",
        "Set it to one that is installed, such as tensorflow",
    ) from error

import keras  # noqa: E402  (after TensorFlow was silenced)

__all__ = ["defined_by_keras", "import_quietly", "keras", "own_methods", "without_notes"]


def defined_by_keras(kind: Any) -> bool:
    """Return whether Keras itself defines a class or function, and not a subclass of the user."""
    return str(kind.__module__).partition(".")[0] == "keras"


def own_methods(model: Any, *names: str) -> list[str]:
    """Return the names of those methods that a user's subclass of a model overrides."""
    # On the NumPy backend, which cannot train, there is no train_step.
    found = {name: getattr(type(model), name) for name in names if hasattr(type(model), name)}
    homes = {name: method.__module__.partition(".")[0] for name, method in found.items()}
    return [name for name, home in homes.items() if home not in ("keras", "nnloss")]
