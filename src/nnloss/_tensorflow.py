"""Import TensorFlow and Keras without TensorFlow's start-up notes on standard error.

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

_NOTE = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog"
    rb"|[IWE]\d{4} [\d:. ]+(port|cudart_stub|cuda_platform|cpu_feature_guard)\.cc"
    rb"|To enable the following instructions:"
)


@contextmanager
def _without_notes() -> Iterator[None]:
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


if "tensorflow" not in sys.modules:
    # An own choice of the user's stands. 3 leaves what is fatal: errors come as exceptions.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _without_notes():
        import_module("tensorflow")

import keras  # noqa: E402  (after TensorFlow was quietened)
import tensorflow as tf  # noqa: E402

__all__ = ["defined_by_keras", "keras", "tf"]


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
