"""Labels as a loss needs them: numbers of classes, and one-hot rows."""

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
    """Give each label the number of its class, from 0.

    Parameters
    ----------
    labels : array_like, shape (N,)
        Labels of any type, such as -1 and 1, or names.
    order : sequence
        The labels that there are; the place in it is the number of the class.

    Returns
    -------
    ndarray of int64, shape (N,)
        From 0 to ``len(order) - 1``.

    Raises
    ------
    TargetError
        If `order` names a label twice, or lacks one.

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
    """Write numbers of classes as the targets of a classification task.

    Parameters
    ----------
    numbers : array_like of int, shape (N,)
        From 0 to ``classes - 1``.
    task : Task
        Its canonical loss says what a target is: `BINARY` keeps 0 and 1, `MULTICLASS` takes
        one-hot rows.
    classes : int
        How many classes there are.

    Returns
    -------
    ndarray
        int64 of shape (N,), or float32 of shape (N, classes).

    Raises
    ------
    TargetError
        If the task has no classes, or not that many; or a number is none of a class.

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
    """Write the `y` of a `Split` as the targets of a loss.

    Parameters
    ----------
    y : array_like, shape (N,)
        A quantity, or numbers of classes; what already has another shape is taken as it is.
    loss : Loss
        Its domain says what a target is.
    classes : int
        Nodes of the output layer.

    Returns
    -------
    ndarray, shape (N, 1) or (N, classes)
        One-hot rows, or `y` in one column.

    Raises
    ------
    TargetError
        If a number is none of a class.
    """
    given = np.asarray(y)
    if given.ndim != 1:
        return given
    if loss.domain is ONE_HOT:
        return encode(given, MULTICLASS, classes)
    return given[:, np.newaxis]
