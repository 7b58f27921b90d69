"""Check inputs and targets against the domain of a task's loss, before any training step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnloss.errors import TargetError
from nnloss.table import Domain, Loss, Task

_SHOWN = 5  # bad rows and values named in a message


def check_arrays(x: Any, y: Any, *, task: Task, loss: Loss, nodes: int) -> None:
    """Check arrays of inputs and targets.

    Parameters
    ----------
    x : array_like, or list, tuple or dict of array_like
        Inputs, N rows each.
    y : array_like
        Targets, N rows.
    task : Task
        For the message.
    loss : Loss
        Whose domain the targets must lie in.
    nodes : int
        Units of the output layer: the number of classes for a multi-class task.

    Raises
    ------
    TargetError
        If there is no row, the lengths differ, a value is missing or infinite, the targets have
        the wrong shape, or one lies outside the domain. The first bad rows are named.
    """
    targets = _numeric(y, "y", task)
    if targets.ndim == 0:
        raise TargetError(
            f"Task '{task.name}' needs arrays or batches of rows",
            "found a single target",
            "Give arrays with rows, or a dataset after .batch(32)",
        )
    if len(targets) == 0:
        raise TargetError(
            f"Task '{task.name}' needs at least one row",
            f"found y of shape {targets.shape}",
            "Give arrays with rows",
        )
    for name, leaf in _leaves(x, "x"):
        if hasattr(leaf, "dense_shape"):  # a sparse tensor is not looked into
            continue
        values = np.asarray(leaf)
        rows = len(values) if values.ndim else 0
        if rows != len(targets):
            raise TargetError(
                f"Task '{task.name}' needs as many targets as inputs",
                f"found {rows} rows in {name} and {len(targets)} in y",
                "Give one target for each row",
            )
        _require_finite(values, name, task)
    _require_finite(targets, "y", task)
    _CHECKS[loss.domain](targets, task, nodes)


def check_batch(batch: Any, *, task: Task, loss: Loss, nodes: int) -> None:
    """Check a batch as a source of batches gives it.

    Parameters
    ----------
    batch : tuple of (x, y) or (x, y, sample_weight)
        Arrays; `sample_weight` may be None.
    task, loss, nodes
        As for `check_arrays`.

    Raises
    ------
    TargetError
        As `check_arrays`; and if there are no targets, or weights that do not fit.
    """
    parts = batch if isinstance(batch, (tuple, list)) else (batch,)
    if len(parts) < 2 or parts[1] is None:
        raise TargetError(
            f"Task '{task.name}' needs targets",
            "found inputs without targets" if parts else "found a dataset without a batch",
            "Give x and y, or batches of (x, y)",
        )
    check_arrays(parts[0], parts[1], task=task, loss=loss, nodes=nodes)
    if len(parts) > 2 and parts[2] is not None:
        weights, rows = _numeric(parts[2], "sample_weight", task), len(parts[1])
        if weights.ndim == 0 or len(weights) != rows:
            raise TargetError(
                f"Task '{task.name}' needs one weight for each row",
                f"found sample_weight of shape {weights.shape} for {rows} rows",
                "Give as many weights as targets",
            )
        _require_finite(weights, "sample_weight", task)


def check_batches(batches: Iterator[Any], **rule: Any) -> Iterator[Any]:
    """Pass batches on, each checked first.

    For a generator, which cannot be looked into without using it up.

    Parameters
    ----------
    batches : iterator of (x, y) or (x, y, sample_weight)
        The batches.
    **rule : dict
        `task`, `loss` and `nodes`, as for `check_arrays`.

    Yields
    ------
    tuple
        The batches, unchanged.

    Raises
    ------
    TargetError
        As `check_arrays`, before the batch is trained on.
    """
    for batch in batches:
        check_batch(batch, **rule)
        yield batch


def _check_real(y: NDArray[Any], task: Task, nodes: int) -> None:
    _require_column(y, task, Domain.REAL)


def _check_zero_one(y: NDArray[Any], task: Task, nodes: int) -> None:
    _require_column(y, task, Domain.ZERO_ONE)
    labels = y.ravel()
    bad = (labels != 0) & (labels != 1)
    if bad.any():
        raise TargetError(
            f"Task '{task.name}' needs targets {Domain.ZERO_ONE.value}",
            f"found values {shown_values(labels)} in y of shape {y.shape}, {_rows(bad)}",
            remap(labels),
        )


def _check_one_hot(y: NDArray[Any], task: Task, nodes: int) -> None:
    rule = f"Task '{task.name}' needs one-hot targets of shape (N, {nodes})"
    if y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1):
        whole = bool(np.all(y == np.floor(y)))
        raise TargetError(
            rule,
            f"found {'integer labels' if whole else 'values'} {shown_values(y.ravel())} in y of "
            f"shape {y.shape}",
            f"Use keras.utils.to_categorical(y, {nodes}), or loss='sparse_categorical_crossentropy'"
            if whole
            else "Use REGRESSION if y is a quantity",
        )
    if y.ndim != 2 or y.shape[1] != nodes:
        raise TargetError(
            rule,
            f"found y of shape {y.shape}",
            f"Give one column for each of the {nodes} classes, or set classes to their number",
        )
    bad = ((y != 0) & (y != 1)).any(axis=1) | (y.sum(axis=1) != 1)
    if bad.any():
        raise TargetError(
            rule,
            f"found rows of y that are not one-hot, for example {y[bad][0].tolist()}; {_rows(bad)}",
            "Give each row a single 1 and zeros, as keras.utils.to_categorical does",
        )


def _check_integer(y: NDArray[Any], task: Task, nodes: int) -> None:
    rule = f"Task '{task.name}' with a sparse loss needs integer labels 0 to {nodes - 1}"
    if y.ndim == 2 and y.shape[1] > 1:
        raise TargetError(
            rule,
            f"found y of shape {y.shape}, which looks one-hot",
            "Use loss='categorical_crossentropy', or y.argmax(axis=1)",
        )
    _require_column(y, task, Domain.INTEGER)
    labels = y.ravel()
    bad = (labels != np.floor(labels)) | (labels < 0) | (labels >= nodes)
    if bad.any():
        raise TargetError(
            rule,
            f"found values {shown_values(labels[bad])} in y of shape {y.shape}, {_rows(bad)}",
            f"Number the classes from 0 to {nodes - 1}, "
            "for example with numpy.unique(y, return_inverse=True)[1]",
        )


_CHECKS: dict[Domain, Callable[[NDArray[Any], Task, int], None]] = {
    Domain.REAL: _check_real,
    Domain.ZERO_ONE: _check_zero_one,
    Domain.ONE_HOT: _check_one_hot,
    Domain.INTEGER: _check_integer,
}


def _require_column(y: NDArray[Any], task: Task, domain: Domain) -> None:
    """Refuse (N, k): Keras would broadcast it against the (N, 1) output without a word."""
    if y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1):
        return
    raise TargetError(
        f"Task '{task.name}' needs targets {domain.value}",
        f"found y of shape {y.shape}",
        # Column 1 of one-hot rows is the label; column 0 would turn the classes round.
        "Use y.argmax(axis=1), or task MULTICLASS with classes=2"
        if domain is Domain.ZERO_ONE and y.ndim == 2 and y.shape[1] == 2
        else "Give one target a row, for example one column of y",
    )


def _require_finite(values: NDArray[Any], name: str, task: Task) -> None:
    # The smallest and the largest value tell without a mask as large as the data.
    if not np.issubdtype(values.dtype, np.inexact):  # integers, and text for a text layer
        return
    largest = np.finfo(np.float32).max  # what Keras computes with
    if values.min(initial=0) >= -largest and values.max(initial=0) <= largest:
        return
    bad = ~(np.abs(values) <= largest).reshape(len(values), -1).all(axis=1)
    infinite = "values that are infinite in float32"
    kind = "NaN" if np.isnan(values).any() else infinite
    raise TargetError(
        f"Task '{task.name}' needs finite numbers in {name}",
        f"found {kind} in {int(bad.sum())} of {len(values)} rows of {name}, {_rows(bad)}",
        "Remove or impute these rows",
    )


def _numeric(values: Any, name: str, task: Task) -> NDArray[Any]:
    try:
        array = np.asarray(values)
    except ValueError as error:  # rows of different lengths
        raise _not_numeric(name, task, "rows of different lengths") from error
    if not (np.issubdtype(array.dtype, np.number) or array.dtype == bool):
        raise _not_numeric(name, task, f"dtype {array.dtype}")
    if np.issubdtype(array.dtype, np.complexfloating):
        raise _not_numeric(name, task, f"dtype {array.dtype}")
    return array


def _not_numeric(name: str, task: Task, found: str) -> TargetError:
    return TargetError(
        f"Task '{task.name}' needs real numbers in {name}",
        f"found {found}",
        f"Convert {name} to a float or integer array",
    )


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


def shown_values(labels: NDArray[Any]) -> str:
    """Name the first few values that occur, for a message.

    Parameters
    ----------
    labels : ndarray, shape (N,)
        Numbers.

    Returns
    -------
    str
        In ascending order.
    """
    unique = np.unique(labels)
    text = ", ".join(f"{value:g}" for value in unique[:_SHOWN])
    return f"{text}, ..." if len(unique) > _SHOWN else text


def _rows(bad: NDArray[np.bool_]) -> str:
    positions = np.flatnonzero(bad)
    text = ", ".join(str(position) for position in positions[:_SHOWN])
    return f"first bad rows {text}" + (", ..." if len(positions) > _SHOWN else "")


def remap(labels: NDArray[Any]) -> str:
    """Tell how to make 0 and 1 of other labels.

    Parameters
    ----------
    labels : ndarray, shape (N,)
        Not all of them 0 or 1.

    Returns
    -------
    str
        A remedy, as a sentence without its full stop.
    """
    unique = np.unique(labels)
    if unique.tolist() == [-1, 1]:
        return "Use (y + 1) // 2"
    if unique.tolist() == [1, 2]:
        return "Use y - 1"
    if len(unique) == 2:
        return f"Use (y == {unique[1]:g}).astype(int)"
    if len(unique) == 1:
        return "Number the two classes 0 and 1"
    if (unique != np.floor(unique)).any():
        return "Use REGRESSION if y is a quantity"
    return f"Use MULTICLASS with classes={len(unique)}, or REGRESSION if y is a quantity"
