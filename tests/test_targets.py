"""Inputs and targets that do not fit: every row of the design's table, with its wording."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nnloss import BINARY, MULTICLASS, REGRESSION, TargetError, compile_for_task
from nnloss._tensorflow import keras, tf

X = np.zeros((4, 8), "float32")
LABELS = np.array([0, 1, 2, 1])
ONE_HOT = np.eye(3)[LABELS]

NAN_X = X.copy()
NAN_X[2, 3] = np.nan
INF_X = X.copy()
INF_X[[0, 3], 1] = np.inf

# task, loss, x, y, and the three parts of the message
BAD = {
    "integer labels with CCE": (
        MULTICLASS,
        None,
        X,
        LABELS,
        "The loss 'categorical_crossentropy' needs targets that are one-hot, of shape (N, 3)",
        "found integer labels 0, 1, 2 in y of shape (4,)",
        "Use keras.utils.to_categorical(y, 3), or loss='sparse_categorical_crossentropy'",
    ),
    "integer labels in a column with CCE": (
        MULTICLASS,
        None,
        X,
        LABELS[:, None],
        "The loss 'categorical_crossentropy' needs targets that are one-hot, of shape (N, 3)",
        "found integer labels 0, 1, 2 in y of shape (4, 1)",
        "Use keras.utils.to_categorical(y, 3), or loss='sparse_categorical_crossentropy'",
    ),
    "one-hot labels with sparse CCE": (
        MULTICLASS,
        "sparse_categorical_crossentropy",
        X,
        ONE_HOT,
        "The loss 'sparse_categorical_crossentropy' needs targets that are integer labels "
        "from 0 to 2, of shape (N,) or (N, 1)",
        "found y of shape (4, 3), which looks one-hot",
        "Use loss='categorical_crossentropy', or y.argmax(axis=1)",
    ),
    "labels -1/1": (
        BINARY,
        None,
        X,
        [-1, 1, 1, -1],
        "The loss 'binary_crossentropy' needs targets that are 0 or 1, of shape (N,) or (N, 1)",
        "found values -1, 1 in y of shape (4,), first bad rows 0, 3",
        "Use (y + 1) // 2",
    ),
    "labels 1/2": (
        BINARY,
        None,
        X,
        [1, 2, 1, 2],
        "The loss 'binary_crossentropy' needs targets that are 0 or 1, of shape (N,) or (N, 1)",
        "found values 1, 2 in y of shape (4,), first bad rows 1, 3",
        "Use y - 1",
    ),
    "labels 3/7": (
        BINARY,
        None,
        X,
        [3, 7, 7, 3],
        "The loss 'binary_crossentropy' needs targets that are 0 or 1, of shape (N,) or (N, 1)",
        "found values 3, 7 in y of shape (4,), first bad rows 0, 1, 2, 3",
        "Use (y == 7).astype(int)",
    ),
    "three labels for a binary task": (
        BINARY,
        None,
        X,
        LABELS,
        "The loss 'binary_crossentropy' needs targets that are 0 or 1, of shape (N,) or (N, 1)",
        "found values 0, 1, 2 in y of shape (4,), first bad rows 2",
        "Use task MULTICLASS with classes=3 (softmax and "
        "loss='sparse_categorical_crossentropy') for classes, or task REGRESSION (a linear "
        "output and loss='mean_squared_error') for a quantity",
    ),
    "label C": (
        MULTICLASS,
        "sparse_categorical_crossentropy",
        X,
        [0, 1, 3, 2],
        "The loss 'sparse_categorical_crossentropy' needs targets that are integer labels "
        "from 0 to 2, of shape (N,) or (N, 1)",
        "found values 3 in y of shape (4,), first bad rows 2",
        "Number the classes from 0, for example with numpy.unique(y, "
        "return_inverse=True)[1], and check their number",
    ),
    "label -1": (
        MULTICLASS,
        "sparse_categorical_crossentropy",
        X,
        [0, -1, 1, 2],
        "The loss 'sparse_categorical_crossentropy' needs targets that are integer labels "
        "from 0 to 2, of shape (N,) or (N, 1)",
        "found values -1 in y of shape (4,), first bad rows 1",
        "Number the classes from 0, for example with numpy.unique(y, "
        "return_inverse=True)[1], and check their number",
    ),
    "label 0.5": (
        MULTICLASS,
        "sparse_categorical_crossentropy",
        X,
        [0, 0.5, 1, 2],
        "The loss 'sparse_categorical_crossentropy' needs targets that are integer labels "
        "from 0 to 2, of shape (N,) or (N, 1)",
        "found values 0.5 in y of shape (4,), first bad rows 1",
        "Number the classes from 0, for example with numpy.unique(y, "
        "return_inverse=True)[1], and check their number",
    ),
    "rows that are not one-hot": (
        MULTICLASS,
        None,
        X,
        np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0], [0, 0, 1]]),
        "The loss 'categorical_crossentropy' needs targets that are one-hot, of shape (N, 3)",
        "found rows of y that are not one-hot, for example [1, 1, 0]; first bad rows 1, 2",
        "End in sigmoid with loss='binary_crossentropy', if a row may have several labels",
    ),
    "a column too many": (
        MULTICLASS,
        None,
        X,
        np.eye(4),
        "The loss 'categorical_crossentropy' needs targets that are one-hot, of shape (N, 3)",
        "found y of shape (4, 4)",
        "Give one column for each of the 3 classes, or set classes to their number",
    ),
    "NaN in y": (
        REGRESSION,
        None,
        X,
        [1.0, np.nan, 2.0, np.nan],
        "Task 'regression' needs rows of finite real numbers in y",
        "found NaN in 2 of 4 rows of y, first bad rows 1, 3",
        "Remove or impute these rows",
    ),
    "infinity in y": (
        REGRESSION,
        None,
        X,
        [1.0, 2.0, np.inf, 0.0],
        "Task 'regression' needs rows of finite real numbers in y",
        "found values that are infinite in float32 in 1 of 4 rows of y, first bad rows 2",
        "Remove or impute these rows",
    ),
    "NaN in x": (
        REGRESSION,
        None,
        NAN_X,
        np.zeros(4),
        "Task 'regression' needs finite numbers in x",
        "found NaN in 1 of 4 rows of x, first bad rows 2",
        "Remove or impute these rows",
    ),
    "infinity in x": (
        BINARY,
        None,
        INF_X,
        np.zeros(4),
        "Task 'binary' needs finite numbers in x",
        "found values that are infinite in float32 in 2 of 4 rows of x, first bad rows 0, 3",
        "Remove or impute these rows",
    ),
    "too large for float32": (
        REGRESSION,
        None,
        X,
        [1.0, 2.0, 1e300, 0.0],
        "Task 'regression' needs rows of finite real numbers in y",
        "found values that are infinite in float32 in 1 of 4 rows of y, first bad rows 2",
        "Remove or impute these rows",
    ),
    "a quantity for a binary task": (
        BINARY,
        None,
        X,
        [0.5, 1.5, 2.5, 1.0],
        "The loss 'binary_crossentropy' needs targets that are 0 or 1, of shape (N,) or (N, 1)",
        "found values 0.5, 1, 1.5, 2.5 in y of shape (4,), first bad rows 0, 1, 2",
        "Use task REGRESSION (a linear output and loss='mean_squared_error') for a quantity",
    ),
    "one label that is neither 0 nor 1": (
        BINARY,
        None,
        X,
        [2, 2, 2, 2],
        "The loss 'binary_crossentropy' needs targets that are 0 or 1, of shape (N,) or (N, 1)",
        "found values 2 in y of shape (4,), first bad rows 0, 1, 2, 3",
        "Number the two classes 0 and 1",
    ),
    "a quantity for classes": (
        MULTICLASS,
        None,
        X,
        [0.5, 1.5, 2.5, 1.0],
        "The loss 'categorical_crossentropy' needs targets that are one-hot, of shape (N, 3)",
        "found values 0.5, 1, 1.5, 2.5 in y of shape (4,)",
        "Use task REGRESSION (a linear output and loss='mean_squared_error') for a quantity",
    ),
    "two columns for a regression": (
        REGRESSION,
        None,
        X,
        np.zeros((4, 2)),
        "The loss 'mean_squared_error' needs targets that are finite numbers, of shape (N,) "
        "or (N, 1)",
        "found y of shape (4, 2)",
        "Give one target a row, for example one column of y",
    ),
    "one-hot labels for a binary task": (
        BINARY,
        None,
        X,
        np.eye(2)[[0, 1, 1, 0]],
        "The loss 'binary_crossentropy' needs targets that are 0 or 1, of shape (N,) or (N, 1)",
        "found y of shape (4, 2)",
        "Use y.argmax(axis=1), or task MULTICLASS with classes=2",
    ),
    "a target too few": (
        REGRESSION,
        None,
        X,
        np.zeros(3),
        "Task 'regression' needs as many rows in x as targets",
        "found 4 rows in x and 3 in y",
        "Give as many rows in x as in y",
    ),
    "no row": (
        REGRESSION,
        None,
        X[:0],
        np.zeros(0),
        "Task 'regression' needs rows of finite real numbers in y",
        "found y of shape (0,)",
        "Give arrays with rows",
    ),
    "words": (
        BINARY,
        None,
        X,
        np.array(["no", "yes", "yes", "no"]),
        "Task 'binary' needs rows of finite real numbers in y",
        "found dtype <U3 in y",
        "Convert y to a float or integer array",
    ),
    "complex numbers": (
        REGRESSION,
        None,
        X,
        np.zeros(4, complex),
        "Task 'regression' needs rows of finite real numbers in y",
        "found dtype complex128 in y",
        "Convert y to a float or integer array",
    ),
    "no targets": (
        REGRESSION,
        None,
        X,
        None,
        "Task 'regression' needs targets",
        "found inputs without targets",
        "Give x and y, or batches of (x, y)",
    ),
}


def compiled(body, task, loss=None):
    return compile_for_task(
        body(), task, loss=loss, classes=3 if task is MULTICLASS else None, optimizer="sgd"
    )


@pytest.mark.parametrize("method", ["fit", "evaluate", "validation_data"])
@pytest.mark.parametrize("case", BAD.values(), ids=BAD)
def test_wrong_targets_are_refused_before_a_step(body, case, method, tmp_path):
    task, loss, x, y, rule, found, remedy = case
    y = np.array(y) if isinstance(y, list) else y
    model = compiled(body, task, loss)
    model._log = tmp_path / "runs"
    before = model.get_weights()
    good = {BINARY: np.zeros(4), REGRESSION: np.zeros(4), MULTICLASS: LABELS if loss else ONE_HOT}
    calls = {
        "fit": lambda: model.fit(x, y, verbose=0),
        "evaluate": lambda: model.evaluate(x, y, verbose=0),
        "validation_data": lambda: model.fit(X, good[task], validation_data=(x, y), verbose=0),
    }
    with pytest.raises(TargetError) as caught:
        calls[method]()
    assert (caught.value.rule, caught.value.found, caught.value.remedy) == (rule, found, remedy)
    assert str(caught.value) == f"{rule}; {found}. {remedy}."
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert not (tmp_path / "runs").exists()


GOOD = {
    "a vector": (REGRESSION, None, np.array([1.0, 2, 3, 4])),
    "a column": (REGRESSION, None, np.array([[1.0], [2], [3], [4]])),
    "integers as a quantity": (REGRESSION, None, np.array([1, 2, 3, 4])),
    "a Series": (REGRESSION, None, pd.Series([1.0, 2, 3, 4])),
    "booleans": (BINARY, None, np.array([True, False, True, True])),
    "floats 0 and 1": (BINARY, None, np.array([[0.0], [1], [1], [0]])),
    "one class only": (BINARY, None, np.zeros(4)),
    "one-hot rows": (MULTICLASS, None, ONE_HOT),
    "a tensor of one-hot rows": (MULTICLASS, None, tf.constant(ONE_HOT)),
    "integer labels with the sparse loss": (MULTICLASS, "sparse_categorical_crossentropy", LABELS),
}


@pytest.mark.parametrize("case", GOOD.values(), ids=GOOD)
def test_right_targets_are_trained_on(body, case):
    task, loss, y = case
    model = compiled(body, task, loss)
    history = model.fit(X, y, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    assert np.isfinite(model.evaluate(X, y, verbose=0)).all()


def test_the_first_batch_of_a_dataset_is_checked(body):
    model = compiled(body, BINARY)
    data = tf.data.Dataset.from_tensor_slices((X, np.array([-1, 1, 1, -1]))).batch(2)
    with pytest.raises(TargetError, match=r"found values -1, 1 in y of shape \(2,\)"):
        model.fit(data, verbose=0)


def test_an_empty_dataset_is_refused(body):
    data = tf.data.Dataset.from_tensor_slices((X, np.zeros(4))).batch(2).take(0)
    with pytest.raises(TargetError, match="found a dataset without a batch"):
        compiled(body, BINARY).fit(data, verbose=0)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (tf.data.Dataset.from_tensor_slices(X).batch(2), "found inputs without targets"),
        (tf.data.Dataset.from_tensor_slices({"x": X}).batch(2), "found inputs without targets"),
        (tf.data.Dataset.from_tensor_slices((X, np.zeros(4))), "found a single target in y"),
    ],
    ids=["inputs", "named inputs", "not batched"],
)
def test_a_dataset_of_something_else_is_refused(body, data, found):
    with pytest.raises(TargetError) as caught:
        compiled(body, BINARY).fit(data, verbose=0)
    assert caught.value.found == found


def test_a_generator_without_targets_is_refused(body):
    for batch in (X, (X,)):
        with pytest.raises(TargetError, match="found inputs without targets"):
            compiled(body, BINARY).fit((each for each in [batch]), verbose=0)


def test_each_batch_of_a_generator_is_checked(body):
    def batches():
        yield X, np.zeros(4)
        yield X, np.full(4, 2)

    with pytest.raises(TargetError, match="found values 2 in y"):
        compiled(body, BINARY).fit(batches(), verbose=0)


def test_the_first_batch_of_a_pydataset_is_checked(body):
    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return X, np.full(4, 2)

    with pytest.raises(TargetError, match="found values 2 in y"):
        compiled(body, BINARY).fit(Batches(), verbose=0)


def test_all_inputs_of_a_model_are_checked():
    left, right = keras.Input((2,), name="left"), keras.Input((3,), name="right")
    hidden = keras.layers.Concatenate()([left, right])
    model = compile_for_task(keras.Model({"left": left, "right": right}, hidden), REGRESSION)
    x = {"left": np.zeros((4, 2)), "right": np.full((4, 3), np.nan)}
    with pytest.raises(TargetError, match=r"found NaN in 4 of 4 rows of x\['right'\]"):
        model.fit(x, np.zeros(4), verbose=0)
    x["right"] = np.zeros((4, 3))
    model.fit(x, np.zeros(4), verbose=0)
