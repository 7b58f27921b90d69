"""Import of TensorFlow without its start-up messages, whoever imports it after nnloss.

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
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any

#: Start of a line that is a note.
NOTE = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog"
    rb"|[IWE]\d{4} [\d:. ]+(port|cudart_stub|cuda_platform|cpu_feature_guard)\.cc"
    rb"|To enable the following instructions:"
)


@contextmanager
def without_notes() -> Iterator[None]:
    """Remove TensorFlow's start-up messages, and nothing else, from standard error."""
    # Keep the user's setting. 3 shows only fatal messages; errors are raised as exceptions.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
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
                if not NOTE.match(line):
                    os.write(2, line)


class QuietTensorFlow(MetaPathFinder):
    """Find TensorFlow as Python does, and run its import `without_notes`."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        """Return the spec of ``tensorflow``; other modules are left to the next finder."""
        if fullname != "tensorflow":
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec and spec.loader:
            vars(spec.loader)["exec_module"] = without_notes()(spec.loader.exec_module)
        return spec
