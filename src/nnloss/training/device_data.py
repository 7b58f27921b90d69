"""Order and batches of arrays in the device's memory, without Python between batches.

On the small networks of the course, `keras.Model.fit` spends many times longer on handing over
batches than on arithmetic. Here the arrays become tensors once, and TensorFlow gathers the batches.
The computation stays the same: the same loss over batches of the same size, every row once per
epoch.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnloss._tensorflow import keras, tf
from nnloss.errors import NnlossError


def order_of_epoch(rows: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return an epoch's order of rows, independent of the epochs before it."""
    # So training can resume at any epoch, and many seeds can be trained at once.
    return np.random.default_rng((seed, epoch)).permutation(rows)


def shuffle_seed(generator: Any = random) -> int:
    """Draw a training's shuffling seed, in [0, 2**31), from Python's generator."""
    return int(generator.randrange(2**31))


def in_memory(*values: Any) -> bool:
    """Return whether all arguments of ``fit`` are dense arrays, nested structures of them, or None.

    Generators, datasets and sparse tensors are not.
    """
    return all(
        leaf is None or isinstance(leaf, (np.ndarray, tf.Tensor)) or hasattr(leaf, "iloc")
        for leaf in keras.tree.flatten(list(values))
    )


def rows_before(rows: int, share: float) -> int:
    """Return the number of training rows left by ``validation_split``, as Keras counts."""
    return math.floor(rows * (1.0 - share))


def row_weights(
    y: Any, class_weight: Mapping[int, float] | None, sample_weight: Any
) -> tuple[Any, ...]:
    """Return `sample_weight`, or weights made from `class_weight`, as a tuple for a batch.

    `y` holds class numbers or one-hot rows. A class without an entry has weight 1. If both are
    given, both are returned, for Keras to reject. Raise NnlossError for a `class_weight` that is no
    mapping of numbers to finite weights of at least 0, or whose classes are not those of `y`.
    """
    if class_weight is None:
        return (sample_weight,)
    _require_class_weight(class_weight)
    if y is None or sample_weight is not None or not in_memory(y):
        return class_weight, sample_weight
    numbers = np.asarray(y)
    if numbers.ndim > 1:
        numbers = numbers.argmax(axis=-1) if numbers.shape[-1] > 1 else numbers[..., 0]
    numbers = np.round(numbers)
    present = set(np.unique(numbers).tolist())
    unweighted, unused = present - class_weight.keys(), class_weight.keys() - present
    if unweighted and unused:
        raise NnlossError(
            _CLASS_WEIGHT,
            f"found one for {min(unused):g}, which no row has, and none for {min(unweighted):g}",
            "Number the classes from 0, as in y",
        )
    return (np.array([class_weight.get(int(number), 1.0) for number in numbers], np.float32),)


_CLASS_WEIGHT = "class_weight gives the weight of each class by its number"


def _require_class_weight(class_weight: Any) -> None:
    example = "Give a dictionary such as {0: 1.0, 1: 2.5}"
    if not isinstance(class_weight, Mapping):
        found = f"found class_weight of type {type(class_weight).__name__}"
        raise NnlossError(_CLASS_WEIGHT, found, example)
    for number, weight in class_weight.items():
        numbers = isinstance(number, Real) and isinstance(weight, Real)
        if not (numbers and 0 <= weight < math.inf):
            found = f"found {weight!r} for the class {number!r}"
            raise NnlossError(f"{_CLASS_WEIGHT}, 0 or more", found, example)


def split_rows(arrays: tuple[Any, Any, Any], rows: int) -> tuple[Any, tuple[Any, Any, Any]]:
    """Split x, y and sample_weight into the first `rows` rows and the others."""

    def part(rows: slice) -> Any:
        return keras.tree.map_structure(lambda leaf: None if leaf is None else leaf[rows], whole)

    whole = tensors(arrays)
    before, after = part(slice(rows)), part(slice(rows, None))
    return before, after


def tensors(values: Any) -> Any:
    """Convert arrays, None, or nested structures of them to tensors.

    Floats are cast to ``keras.config.floatx()``. Lists become tuples, as tf.data would stack a
    list.
    """
    if values is None:
        return None
    if isinstance(values, (list, tuple)):
        return tuple(tensors(part) for part in values)
    if isinstance(values, dict):
        return {name: tensors(part) for name, part in values.items()}
    if not isinstance(values, tf.Tensor):
        values = np.asarray(values)
        if np.issubdtype(values.dtype, np.floating):
            values = values.astype(keras.config.floatx(), copy=False)
    return tf.convert_to_tensor(values)


class DeviceDataset:
    """Rows stored on the device, from which it gathers batches.

    `parts` is (x, y) or (x, y, sample_weight) from `tensors`. Only types and shapes are kept, so
    that functions traced for one dataset serve all arrays of that kind: it is loaded again and
    again. If `shuffled`, rows come in the order last given to `arrange`.
    """

    def __init__(self, parts: Any, shuffled: bool) -> None:
        self._kind = _kind(parts), shuffled
        self._parts = tf.nest.map_structure(
            lambda leaf: tf.Variable(leaf[:0], trainable=False, shape=(None, *leaf.shape[1:])),
            parts,
        )
        self._order = tf.Variable(
            np.zeros(0, np.int64), trainable=False, shape=(None,), name="order"
        )
        self._size = tf.Variable(1, trainable=False, dtype=tf.int64, name="batch_size")
        self._shuffled = shuffled
        #: Number of loaded rows and batches; 0 if nothing is loaded.
        self.rows = self.batches = self._drawn = 0

    def serves(self, parts: Any, shuffled: bool) -> bool:
        """Return whether the dataset is free and was built for arrays of this kind."""
        return not self.batches and self._kind == (_kind(parts), shuffled)

    @contextmanager
    def load(self, parts: Any, batch_size: int, batches: int | None = None) -> Iterator[None]:
        """Load arrays, in batches of `batch_size` rows, and release them on exit.

        With `batches`, only so many are drawn in an epoch: the first of its order.
        """
        self.rows = int(keras.tree.flatten(parts)[0].shape[0])
        self.batches = batches or -(-self.rows // batch_size)
        self._drawn = min(self.rows, self.batches * batch_size)
        try:
            self._size.assign(batch_size)
            self._assign(parts, np.arange(self._drawn))
            yield
        finally:
            self._assign(tf.nest.map_structure(lambda leaf: leaf[:0], parts), np.arange(0))
            self.rows = self.batches = 0

    @property
    def single(self) -> bool:
        """Whether one batch holds all rows. `each_batch` then makes no loop."""
        return self.batches == 1

    def arrange(self, order: NDArray[np.int64]) -> None:
        """Set the order of the rows, a permutation of ``0 ... N - 1``."""
        self._order.assign(order[: self._drawn])

    def dataset(self, steps: int) -> Any:
        """Return a ``tf.data.Dataset`` with the number of the first batch of each execution.

        It repeats without end, so that Keras keeps one iterator for all epochs: to make one takes
        as long as several steps of a small network. The caller gives ``steps_per_epoch``.
        """
        options = tf.data.Options()
        # Optimising this pipeline takes longer than an epoch of a small network and gains nothing.
        options.autotune.enabled = False
        options.experimental_optimization.apply_default_optimizations = False
        return tf.data.Dataset.range(0, self.batches, steps).repeat().with_options(options)

    def each_batch(self, step: Any, steps: int, result: Any) -> Any:
        """Return a function that runs `step` on `steps` batches and returns `result()`.

        `step` gets (x, y) or (x, y, sample_weight). The function gets the number of the first
        batch. `result` must return what `step` returned for the last batch.
        """
        single = self.single

        def execution(first: Any) -> Any:
            if steps == 1 or single:
                return step(self._batch(first))
            rows = tf.shape(self._order, out_type=tf.int64)[0]
            last = tf.minimum(first + steps, -(-rows // self._size))

            def body(number: Any) -> Any:
                step(self._batch(number))
                return (number + 1,)

            tf.while_loop(lambda number: number < last, body, (first,), parallel_iterations=1)
            return result()

        return traced(execution, tf.TensorSpec((), tf.int64))

    def _batch(self, number: Any) -> Any:
        here = slice(number * self._size, (number + 1) * self._size)
        if not self._shuffled:
            return tf.nest.map_structure(lambda leaf: leaf[here], self._parts)
        rows = self._order[here]
        return tf.nest.map_structure(lambda leaf: tf.gather(leaf, rows), self._parts)

    def _assign(self, parts: Any, rows: NDArray[np.int64]) -> None:
        tf.nest.map_structure(lambda variable, leaf: variable.assign(leaf), self._parts, parts)
        self._order.assign(rows)


class Shuffle(keras.callbacks.Callback):
    """Keras callback that reorders a loaded dataset at the beginning of each epoch."""

    def __init__(self, dataset: DeviceDataset) -> None:
        super().__init__()
        self.dataset = dataset
        self.seed = shuffle_seed()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Set the order of this epoch."""
        self.dataset.arrange(order_of_epoch(self.dataset.rows, self.seed, epoch))


def traced(function: Any, *given: Any) -> Any:
    """Return a function that is traced in its first call, for arguments of the types `given`.

    Later calls skip the search for a trace, which takes as long as a step of a small network. And
    TensorFlow does not warn of repeated tracing when many models are trained one after another.
    """

    @cache
    def concrete() -> Any:
        return tf.function(function, autograph=False).get_concrete_function(*given)

    return lambda *values: concrete()(*values)


def _kind(parts: Any) -> str:
    """Return the types, shapes and nesting of arrays."""
    return repr(tf.nest.map_structure(lambda leaf: (leaf.dtype.name, *leaf.shape[1:]), parts))
