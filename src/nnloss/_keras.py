"""Import Keras, on whichever backend is set, without TensorFlow's start-up notes.

TensorFlow writes some of them before it reads any setting, straight to the file descriptor. They
are caught there and whatever is not such a note is written on.
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
    """Leave out the notes, and nothing else, of what is written meanwhile.

    Yields
    ------
    None
        Within, TensorFlow may be loaded.
    """
    try:
        saved = os.dup(2)
    except OSError:  # standard error is closed: there is nothing to keep clean
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
    """Import a module that may load TensorFlow.

    Parameters
    ----------
    name : str
        Of the module.

    Returns
    -------
    module
        The module.
    """
    if "tensorflow" in sys.modules:
        return import_module(name)
    # An own choice of the user's stands. 3 leaves what is fatal: errors come as exceptions.
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

import keras  # noqa: E402  (after TensorFlow was quietened)

__all__ = ["defined_by_keras", "import_quietly", "keras", "own_methods", "without_notes"]


def defined_by_keras(kind: Any) -> bool:
    """Tell whether a class or function is Keras' own: of another one nobody knows what it does.

    Parameters
    ----------
    kind : type or callable
        A user's subclass is the user's.

    Returns
    -------
    bool
        Of an object, ask for its type.
    """
    return str(kind.__module__).partition(".")[0] == "keras"


def own_methods(model: Any, *names: str) -> list[str]:
    """Name the methods of a model that a subclass of the caller's has replaced.

    Parameters
    ----------
    model : keras.Model
        The model.
    *names : str
        Methods to look at.

    Returns
    -------
    list of str
        Those that are neither Keras' nor ours.
    """
    # A backend that cannot train, NumPy's, has no train_step at all.
    found = {name: getattr(type(model), name) for name in names if hasattr(type(model), name)}
    homes = {name: method.__module__.partition(".")[0] for name, method in found.items()}
    return [name for name, home in homes.items() if home not in ("keras", "nnloss")]
