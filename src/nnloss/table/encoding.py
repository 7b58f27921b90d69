"""Encoding of labels as class numbers and one-hot rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnloss.errors import TargetError
from nnloss.table.domains import ONE_HOT
from nnloss.table.losses import Loss
from nnloss.table.tasks import MULTICLASS, Task


def class_numbers(labels: ArrayLike, order: Sequence[Any]) -> NDArray[np.int64]:
    """Return the class number of each label, starting at 0.

    Parameters
    ----------
    labels : array_like of shape (N,)
        Labels of any type, such as -1 and 1, or names.
    order : sequence
        All labels, in the order of their class numbers.

    Returns
    -------
    ndarray of int64 of shape (N,)

    Raises
    ------
    TargetError
        If `order` contains a label twice or lacks one.

    Examples
    --------
    >>> class_numbers([-1, 1, 1], order=(-1, 1))
    array([0, 1, 1])
    """
    given = np.asarray(labels)
    rule = f"Labels must be among {', '.join(map(str, order))}, each named once"
    if len(set(order)) != len(order):
        raise TargetError(rule, f"found order={tuple(order)}", "Name each label once")
    numbers = np.full(given.shape, -1, dtype=np.int64)
    for number, label in enumerate(order):
        numbers[given == label] = number
    unknown = given[numbers < 0]
    if len(unknown):
        raise TargetError(
            rule,
            f"found {unknown[0]!s} in row {int(np.argmax(numbers < 0))} ({len(unknown)} such rows)",
            "Add it to order, or remove these rows",
        )
    return numbers


def encode(numbers: ArrayLike, task: Task, classes: int) -> NDArray[Any]:
    """Return class numbers as targets of a classification task.

    Parameters
    ----------
    numbers : array_like of int of shape (N,)
        From 0 to ``classes - 1``.
    task : Task
        `BINARY` keeps 0 and 1; `MULTICLASS` needs one-hot rows.
    classes : int
        Number of classes.

    Returns
    -------
    ndarray
        int64 of shape (N,), or float32 of shape (N, classes).

    Raises
    ------
    TargetError
        If the task has no classes or another number of them, or if a number is not a class.

    Examples
    --------
    >>> encode([0, 1, 1], MULTICLASS, 2)
    array([[1., 0.],
           [0., 1.],
           [0., 1.]], dtype=float32)
    """
    given = np.asarray(numbers)
    bad = ~np.isin(given, np.arange(classes))
    if given.ndim != 1 or bad.any():
        raise TargetError(
            f"Task '{task.name}' needs numbers of classes 0 to {classes - 1}, of shape (N,)",
            f"found {given[bad][0]!s} in y of shape {given.shape}"
            if bad.any()
            else f"found shape {given.shape}",
            "Number the classes with nnloss.class_numbers(labels, order)",
        )
    return task.domain.encode(given.astype(np.int64), classes)


def as_targets(y: ArrayLike, loss: Loss, classes: int) -> NDArray[Any]:
    """Return `y` of a `Split` as targets of a loss: one-hot rows if it needs them, else a column.

    `y` is a quantity or class numbers of shape (N,); another shape is returned unchanged. `classes`
    is the number of output nodes. Raise TargetError if a number is not a class.
    """
    given = np.asarray(y)
    if given.ndim != 1:
        return given
    if loss.domain is ONE_HOT:
        return encode(given, MULTICLASS, classes)
    return given[:, np.newaxis]
