"""How arrays reach the network: every row once an epoch, in an order that the seed gives."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pandas as pd
import pytest

from nnloss._tensorflow import keras, tf
from nnloss.errors import NnlossError
from nnloss.training import device_data


def visited(parts, size, order=None, steps=1, batches=None):
    """Give what each step is handed, for one epoch."""
    parts = device_data.tensors(parts)
    dataset = device_data.DeviceDataset(parts, shuffled=order is not None)
    seen = []

    def step(batch):
        rows = tf.reshape(tf.cast(keras.tree.flatten(batch)[0], tf.int64), [-1])
        tf.py_function(lambda values: seen.append(values.numpy().tolist()), [rows], [])
        return {}

    with dataset.load(parts, size, batches):
        assert dataset.batches == batches or -(-len(keras.tree.flatten(parts)[0]) // size)
        if order is not None:
            dataset.arrange(order)
        iterator = iter(dataset.dataset(steps))
        executions = dataset.each_batch(step, steps, dict)
        for _ in range(0, dataset.batches, steps):
            executions(next(iterator))
    return seen


@pytest.mark.parametrize("steps", [1, 3, 100])
def test_an_epoch_hands_over_each_row_once_in_the_order_given(steps):
    x = np.arange(100.0)[:, None]
    order = device_data.order_of_epoch(100, seed=1, epoch=0)
    batches = visited((x, x), 32, order, steps)
    assert [len(batch) for batch in batches] == [32, 32, 32, 4]
    assert list(chain(*batches)) == order.tolist()


@pytest.mark.parametrize("steps", [1, 2, 100])
def test_an_epoch_may_end_before_the_last_batch(steps):
    x = np.arange(100.0)[:, None]
    order = device_data.order_of_epoch(100, seed=1, epoch=0)
    batches = visited((x, x), 32, order, steps, batches=3)
    assert list(chain(*batches)) == order[:96].tolist()


@pytest.mark.parametrize("steps", [1, 2])
def test_without_shuffling_the_order_stays(steps):
    x = np.arange(10.0)[:, None]
    expected = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert visited((x, x), 4, steps=steps) == expected


def test_the_order_of_an_epoch_depends_on_seed_and_epoch_alone():
    orders = {
        (seed, epoch): device_data.order_of_epoch(50, seed, epoch)
        for seed in range(3)
        for epoch in range(3)
    }
    assert len({tuple(order) for order in orders.values()}) == 9
    assert all(sorted(order) == list(range(50)) for order in orders.values())
    assert np.array_equal(orders[2, 1], device_data.order_of_epoch(50, 2, 1))
    # A shuffle within batches, or within a short buffer, would leave rows near their place.
    far = np.abs(device_data.order_of_epoch(1000, 0, 0) - np.arange(1000))
    assert 300 < far.mean() < 370  # a third of the rows, on average


def test_the_seed_of_shuffling_follows_from_that_of_keras():
    def drawn(seed):
        keras.utils.set_random_seed(seed)
        return device_data.shuffle_seed()

    assert drawn(1) == drawn(1) != drawn(2)


def test_a_feed_is_loaded_again_without_tracing_again():
    dataset = device_data.DeviceDataset(
        device_data.tensors((np.zeros((3, 2)), np.zeros(3))), shuffled=False
    )
    traces = []

    def step(batch):
        traces.append(batch)
        return {"sum": tf.reduce_sum(batch[0])}

    function = None
    for rows in (8, 12):
        with dataset.load(device_data.tensors((np.ones((rows, 2)), np.zeros(rows))), 4):
            function = function or dataset.each_batch(step, 1, dict)
            assert function(next(iter(dataset.dataset(1))))["sum"] == 8
    assert len(traces) == 1


def test_a_feed_serves_arrays_of_its_kind_while_it_is_free():
    parts = device_data.tensors((np.zeros((3, 2)), np.zeros(3)))
    dataset = device_data.DeviceDataset(parts, shuffled=False)
    assert dataset.serves(
        device_data.tensors((np.zeros((9, 2), np.float32), np.zeros(9))), shuffled=False
    )
    assert not dataset.serves(parts, shuffled=True)
    for x in (np.zeros((3, 1)), np.zeros((3, 2), np.uint8)):
        assert not dataset.serves(device_data.tensors((x, np.zeros(3))), shuffled=False)
    assert not dataset.serves((*parts, tf.zeros(3)), shuffled=False)
    with dataset.load(parts, 2):
        assert not dataset.serves(parts, shuffled=False)
    assert dataset.serves(parts, shuffled=False)


def test_arrays_are_let_go():
    parts = device_data.tensors((np.zeros((1000, 2)), np.zeros(1000)))
    dataset = device_data.DeviceDataset(parts, shuffled=True)

    def held():
        return sum(int(tf.size(part)) for part in dataset._parts)

    def fail():
        with dataset.load(parts, 2):
            assert held() == 3000
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert held() == 0


def test_rows_keep_their_targets_and_weights():
    x = {"a": np.arange(20.0), "b": np.arange(20)}
    parts = device_data.tensors((x, pd.Series(np.arange(20)), np.arange(20.0)))
    dataset = device_data.DeviceDataset(parts, shuffled=True)
    with dataset.load(parts, 6):
        dataset.arrange(device_data.order_of_epoch(20, 0, 0))
        inputs, targets, weights = dataset._batch(tf.constant(3, tf.int64))
    assert inputs["a"].dtype == weights.dtype == tf.float32
    assert inputs["b"].dtype == tf.int64
    assert len(targets) == 2
    assert inputs["a"].numpy().tolist() == inputs["b"].numpy().tolist()
    assert targets.numpy().tolist() == weights.numpy().tolist() == inputs["b"].numpy().tolist()


def test_class_weights_become_weights_of_rows():
    named = {0: 3.0, 2: 0.5}
    one_hot = np.eye(3)[[0, 1, 2]]
    for y in ([0, 1, 2], [[0], [1], [2]], one_hot):
        (weights,) = device_data.row_weights(np.array(y), named, None)
        assert weights.tolist() == [3.0, 1.0, 0.5]
    given = np.ones(3)
    assert device_data.row_weights(one_hot, None, given) == (given,)


RULE = "class_weight gives the weight of each class by its number"
EXAMPLE = "Give a dictionary such as {0: 1.0, 1: 2.5}."


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ("balanced", f"{RULE}; found class_weight of type str. {EXAMPLE}"),
        ({"1": 2.0}, f"{RULE}, 0 or more; found 2.0 for the class '1'. {EXAMPLE}"),
        ({1: "2"}, f"{RULE}, 0 or more; found '2' for the class 1. {EXAMPLE}"),
        ({0: 1.0, 1: -2.0}, f"{RULE}, 0 or more; found -2.0 for the class 1. {EXAMPLE}"),
        ({1: np.nan}, f"{RULE}, 0 or more; found nan for the class 1. {EXAMPLE}"),
        ({1: np.inf}, f"{RULE}, 0 or more; found inf for the class 1. {EXAMPLE}"),
    ],
)
@pytest.mark.parametrize(
    "y", [np.array([0, 1]), tf.data.Dataset.range(2), None], ids=["array", "dataset", "in x"]
)
def test_class_weights_that_are_none_are_refused(y, class_weight, message):
    with pytest.raises(NnlossError) as caught:
        device_data.row_weights(y, class_weight, None)
    assert str(caught.value) == message


def test_class_weights_counted_from_1_are_refused():
    with pytest.raises(NnlossError) as caught:
        device_data.row_weights(np.array([0, 1]), {1: 1.0, 2: 5.0}, None)
    assert str(caught.value) == (
        f"{RULE}; found one for 2, which no row has, and none for 0. Number the classes from 0, "
        "as in y."
    )


@pytest.mark.parametrize("named", [{1: 2.0}, {0: 1, 1: 2, 2: 9}, {0.0: 1.0, np.float64(1): 2.0}])
def test_some_classes_may_lack_a_weight_and_others_a_row(named):
    (weights,) = device_data.row_weights(np.array([1.0, 0.0]), named, None)
    assert weights.tolist() == [2.0, 1.0]


def test_what_counts_as_in_memory():
    array = np.zeros(3)
    assert device_data.in_memory(
        array, None, {"a": array, "b": [pd.Series(array), tf.constant(array)]}
    )
    assert not device_data.in_memory(tf.data.Dataset.range(3))
    assert not device_data.in_memory(iter([array]))
