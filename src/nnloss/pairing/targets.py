"""Checks of inputs and targets before training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnloss.errors import TargetError
from nnloss.table import Misfit
from nnloss.table.domains import rows_text

#: Checks finite numeric targets; the second argument is True for a batch.
Check = Callable[[NDArray[Any], bool], None]


def as_numbers(y: Any) -> NDArray[Any] | Misfit:
    """Return `y` as an array of finite real numbers with at least one row, or its Misfit."""
    convert = "Convert y to a float or integer array"
    try:
        values = np.asarray(y)
    except ValueError:
        return Misfit("found rows of different lengths in y", convert)
    if values.dtype.name == "bfloat16":
        values = values.astype(np.float32)
    if values.dtype.kind not in "biuf":
        return Misfit(f"found dtype {values.dtype} in y", convert)
    if values.ndim == 0:
        return Misfit("found a single target in y", "Give arrays or batches with rows")
    if values.size == 0:
        return Misfit(f"found y of shape {values.shape}", "Give arrays with rows")
    return not_finite(values, "y") or values


def not_finite(values: NDArray[Any], name: str) -> Misfit | None:
    """Return a Misfit if numbers are missing or infinite in float32, Keras' type, else None."""
    # The minimum and the maximum need no mask as large as the data.
    if not np.issubdtype(values.dtype, np.inexact):  # integers, and text for a text layer
        return None
    largest = np.finfo(np.float32).max
    if values.min(initial=0) >= -largest and values.max(initial=0) <= largest:
        return None
    bad = ~(np.abs(values) <= largest).reshape(len(values), -1).all(axis=1)
    kind = "NaN" if np.isnan(values).any() else "values that are infinite in float32"
    return Misfit(
        f"found {kind} in {int(bad.sum())} of {len(values)} rows of {name}, {rows_text(bad)}",
        "Remove or impute these rows",
    )


def check_batch(batch: Any, subject: str, check: Check, *, sample: bool) -> None:
    """Check the arrays (x, y) or (x, y, sample_weight) before training.

    `subject` starts each rule, such as "Task 'binary'". `check` gets finite targets and `sample`,
    True for a batch. Raise TargetError if there are no targets or rows, lengths differ, or a value
    is missing or infinite.
    """
    parts = batch if isinstance(batch, (tuple, list)) else (batch,)
    if len(parts) < 2 or parts[1] is None:
        raise TargetError(
            f"{subject} needs targets",
            "found inputs without targets" if parts else "found a dataset without a batch",
            "Give x and y, or batches of (x, y)",
        )
    y = as_numbers(parts[1])
    if isinstance(y, Misfit):
        raise TargetError(f"{subject} needs rows of finite real numbers in y", y.found, y.remedy)
    for name, leaf in _leaves(parts[0], "x"):
        if hasattr(leaf, "dense_shape"):  # sparse tensors are not checked
            continue
        _check_rows(np.asarray(leaf), name, subject, len(y))
    if len(parts) > 2 and parts[2] is not None:
        _check_rows(np.asarray(parts[2]), "sample_weight", subject, len(y))
    check(y, sample)


def _check_rows(values: NDArray[Any], name: str, subject: str, rows: int) -> None:
    found = len(values) if values.ndim else 0
    if found != rows:
        raise TargetError(
            f"{subject} needs as many rows in {name} as targets",
            f"found {found} rows in {name} and {rows} in y",
            f"Give as many rows in {name} as in y",
        )
    wrong = not_finite(values, name)
    if wrong:
        raise TargetError(f"{subject} needs finite numbers in {name}", wrong.found, wrong.remedy)


def _leaves(x: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield the arrays of a nested input, each with the expression that names it."""
    if isinstance(x, Mapping):
        for key, value in x.items():
            yield from _leaves(value, f"{name}[{key!r}]")
    elif isinstance(x, (list, tuple)) and any(hasattr(part, "shape") for part in x):
        for position, value in enumerate(x):
            yield from _leaves(value, f"{name}[{position}]")
    elif x is not None:  # an optional input may be None
        yield name, x
