"""Labels as a loss needs them."""

from __future__ import annotations

import numpy as np
import pytest

from nnloss import BINARY, MULTICLASS, REGRESSION, TargetError, class_numbers, encode


@pytest.mark.parametrize(
    ("labels", "order", "numbers"),
    [
        ([-1, 1, -1], (-1, 1), [0, 1, 0]),
        ([-1, 1, -1], (1, -1), [1, 0, 1]),
        (["b", "a"], ("a", "b", "c"), [1, 0]),
    ],
)
def test_a_class_has_the_number_of_its_place(labels, order, numbers):
    given = class_numbers(labels, order)
    assert given.tolist() == numbers
    assert given.dtype == np.int64


@pytest.mark.parametrize(
    ("labels", "order", "message"),
    [
        ([1, 2, 1], (-1, 1), "among -1, 1, each named once; found 2 in row 1 (1 such rows)"),
        ([1], (1, 1), "found order=(1, 1). Name each label once."),
    ],
)
def test_an_unknown_label_is_refused(labels, order, message):
    with pytest.raises(TargetError) as caught:
        class_numbers(labels, order)
    assert message in str(caught.value)


@pytest.mark.parametrize(("task", "classes"), [(BINARY, 2), (MULTICLASS, 2), (MULTICLASS, 4)])
def test_what_is_encoded_is_what_the_task_takes(task, classes):
    numbers = np.array([1, 0, classes - 1])
    y = encode(numbers, task, classes)
    assert task.domain.misfit(y, (None, task.nodes or classes)) is None
    assert (y.argmax(axis=1) if y.ndim == 2 else y).tolist() == numbers.tolist()


def test_one_hot_rows():
    assert encode([2, 0], MULTICLASS, 3).tolist() == [[0, 0, 1], [1, 0, 0]]


@pytest.mark.parametrize(
    ("numbers", "task", "classes", "message"),
    [
        ([0, 3], MULTICLASS, 3, "numbers of classes 0 to 2, of shape (N,); found 3 in y of shape"),
        ([-1, 1], BINARY, 2, "found -1 in y of shape (2,). Number the classes with nnloss.class_n"),
        ([0.5], BINARY, 2, "found 0.5"),
        ([[0, 1]], MULTICLASS, 2, "found shape (1, 2)"),
        (
            [0, 1, 2],
            BINARY,
            3,
            "Targets that are 0 or 1 have two classes; found 3. Use task MULTICLASS.",
        ),
        (
            [0, 1],
            REGRESSION,
            2,
            "Targets that are finite numbers have no classes; found 2 classes to encode.",
        ),
    ],
)
def test_what_cannot_be_encoded_is_refused(numbers, task, classes, message):
    with pytest.raises(TargetError) as caught:
        encode(numbers, task, classes)
    assert message in str(caught.value)
