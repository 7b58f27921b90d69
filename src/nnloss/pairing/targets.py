"""Check inputs and targets, before any training step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnloss.errors import TargetError
from nnloss.table import Misfit
from nnloss.table.domains import rows_text

#: Checks finite numeric targets; the second argument tells a batch from all of the data.
Check = Callable[[NDArray[Any], bool], None]


def as_numbers(y: Any, name: str = "y") -> NDArray[Any] | Misfit:
    """Return finite real numbers as an array, or what is wrong with them.

    Parameters
    ----------
    y : array_like
        Of whatever library.
    name : str, default "y"
        For the message.

    Returns
    -------
    ndarray or Misfit
        With at least one row.
    """
    convert = f"Convert {name} to a float or integer array"
    try:
        values = np.asarray(y)
    except ValueError:
        return Misfit(f"found rows of different lengths in {name}", convert)
    if values.dtype.name == "bfloat16":
        values = values.astype(np.float32)
    if values.dtype.kind not in "biuf":
        return Misfit(f"found dtype {values.dtype} in {name}", convert)
    if values.ndim == 0:
        return Misfit(f"found a single target in {name}", "Give arrays or batches with rows")
    if values.size == 0:
        return Misfit(f"found {name} of shape {values.shape}", "Give arrays with rows")
    return not_finite(values, name) or values


def not_finite(values: NDArray[Any], name: str) -> Misfit | None:
    """Return what is wrong with an array that has missing or infinite numbers.

    Parameters
    ----------
    values : ndarray
        Rows first.
    name : str
        For the message.

    Returns
    -------
    Misfit or None
        None if all are finite, also in float32, in which Keras computes.
    """
    # The smallest and the largest value tell without a mask as large as the data.
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
    """Check inputs, targets and weights.

    Parameters
    ----------
    batch : tuple of (x, y) or (x, y, sample_weight)
        Arrays; `sample_weight` may be None.
    subject : str
        The start of each rule, such as "Task 'binary'".
    check : callable
        Checks the targets, once they are known to be finite numbers.
    sample : bool
        Whether it is a batch and not all of the data.

    Raises
    ------
    TargetError
        If there are no targets or no rows, the lengths differ, a value is missing or infinite, or
        `check` finds something.
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
        if hasattr(leaf, "dense_shape"):  # a sparse tensor is not looked into
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
    """Visit the arrays of a nested input, each with the expression that names it."""
    if isinstance(x, Mapping):
        for key, value in x.items():
            yield from _leaves(value, f"{name}[{key!r}]")
    elif isinstance(x, (list, tuple)) and any(hasattr(part, "shape") for part in x):
        for position, value in enumerate(x):
            yield from _leaves(value, f"{name}[{position}]")
    elif x is not None:  # an optional input that is left out
        yield name, x
