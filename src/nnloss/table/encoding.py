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
        Positions in `order`.

    Raises
    ------
    TargetError
        If `order` contains a label twice or lacks one.

    Examples
    --------
    >>> from nnloss import class_numbers
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
        Type int64 and shape (N,), or float32 and (N, classes).

    Raises
    ------
    TargetError
        If the task has no classes or another number of them, or if a number is not a class.

    See Also
    --------
    class_numbers : Number labels of any type.

    Examples
    --------
    >>> from nnloss import BINARY, MULTICLASS, encode
    >>> encode([0, 1, 1], BINARY, 2)
    array([0, 1, 1])
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
    """Return targets of a `Split` as a loss needs them.

    Parameters
    ----------
    y : array_like of shape (N,) or (N, ...)
        A quantity or class numbers of shape (N,); another shape is returned unchanged.
    loss : Loss
        Its domain decides.
    classes : int
        Number of output nodes.

    Returns
    -------
    ndarray
        One-hot rows, of shape (N, classes), if the loss needs them, else a column, of shape (N, 1).

    Raises
    ------
    TargetError
        If a number is not a class.

    Examples
    --------
    >>> from nnloss.table import CCE, MSE, as_targets
    >>> as_targets([20.5, 31.0], MSE, 1)
    array([[20.5],
           [31. ]])
    >>> as_targets([2, 0], CCE, 3)
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """
    given = np.asarray(y)
    if given.ndim != 1:
        return given
    if loss.domain is ONE_HOT:
        return encode(given, MULTICLASS, classes)
    return given[:, np.newaxis]
