"""How arrays reach the network: on the device once, batches without Python between two of them.

`keras.Model.fit` on arrays hands every batch over one by one; on the small networks of the course
that costs many times the arithmetic. Here the arrays become tensors once and TensorFlow gathers
the batches. What is computed stays the same: the same loss over batches of the same size, every
row once an epoch.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnloss._tensorflow import keras, tf


def order_of_epoch(rows: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Give the order in which an epoch visits the training rows.

    It depends on nothing else, neither on the epochs before nor on how the rows are fed, so that
    a training can go on at any epoch, and many seeds can be trained at once.

    Parameters
    ----------
    rows : int
        Training rows; all of them are shuffled.
    seed : int
        Of the training, at least 0.
    epoch : int
        From 0.

    Returns
    -------
    ndarray of int64, shape (rows,)
        A permutation of ``0 ... rows - 1``.
    """
    return np.random.default_rng((seed, epoch)).permutation(rows)


def shuffle_seed() -> int:
    """Draw the seed of a training's shuffling from Python's generator.

    Returns
    -------
    int
        From 0 to 2**31 - 1; `nnloss.set_seed` and ``keras.utils.set_random_seed`` fix it.
    """
    return random.randrange(2**31)


def in_memory(*values: Any) -> bool:
    """Whether all values are dense arrays, or nested structures of them.

    Parameters
    ----------
    *values : any
        Arguments of ``fit``; None counts as an array.

    Returns
    -------
    bool
        False for generators, datasets and sparse tensors.
    """
    return all(
        leaf is None or isinstance(leaf, (np.ndarray, tf.Tensor)) or hasattr(leaf, "iloc")
        for leaf in keras.tree.flatten(list(values))
    )


def rows_before(rows: int, share: float) -> int:
    """Count the rows that stay for training where Keras splits off the last ones.

    Parameters
    ----------
    rows : int
        Rows given.
    share : float
        ``validation_split`` of ``fit``.

    Returns
    -------
    int
        The rows before the first one for validation, as Keras counts them.
    """
    return math.floor(rows * (1.0 - share))


def weights(y: Any, class_weight: dict[int, float] | None, sample_weight: Any) -> tuple[Any, ...]:
    """Say how much each row counts, as an array.

    Parameters
    ----------
    y : array_like
        Numbers of classes, or one-hot rows.
    class_weight : dict of int to float, or None
        As for ``fit``; a class that is not named counts 1.
    sample_weight : array_like or None
        As for ``fit``.

    Returns
    -------
    tuple
        One weight a row, shape (N,) as a rule; two parts where both were given, which Keras
        does not allow.
    """
    if class_weight is None:
        return (sample_weight,)
    if y is None or sample_weight is not None or not in_memory(y):
        return class_weight, sample_weight
    numbers = np.asarray(y)
    if numbers.ndim > 1:
        numbers = numbers.argmax(axis=-1) if numbers.shape[-1] > 1 else numbers[..., 0]
    return (
        np.array([class_weight.get(int(number), 1.0) for number in np.round(numbers)], np.float32),
    )


def parted(arrays: tuple[Any, Any, Any], rows: int) -> tuple[Any, tuple[Any, Any, Any]]:
    """Cut arrays in two.

    Parameters
    ----------
    arrays : tuple of x, y and sample_weight
        As ``fit`` takes them; `sample_weight` may be None.
    rows : int
        Rows of the first part.

    Returns
    -------
    tuple of two such tuples
        The first rows, and the others.
    """

    def part(rows: slice) -> Any:
        return keras.tree.map_structure(lambda leaf: None if leaf is None else leaf[rows], whole)

    whole = tensors(arrays)
    before, after = part(slice(rows)), part(slice(rows, None))
    return before, after


def tensors(values: Any) -> Any:
    """Turn arrays into tensors; numbers with a fraction become ``keras.config.floatx()``.

    Parameters
    ----------
    values : array_like, None, or nested structure of these
        As ``fit`` takes them.

    Returns
    -------
    tf.Tensor, None, or nested structure of these
        Lists become tuples: tf.data would stack a list into one tensor.
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
    """Rows that stay on the device, and the batches that are made of them there.

    A function that was traced with one feed serves all arrays of the same types and widths, so a
    feed is loaded again and again.

    Parameters
    ----------
    parts : tuple of x and y, or of x, y and sample_weight
        From `tensors`; only types and widths count, the rows are not kept.
    shuffled : bool
        Whether rows come in the order that was last given to `arrange`.
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
        #: Rows and batches of the arrays that are loaded; 0 if there are none.
        self.rows = self.batches = 0

    def serves(self, parts: Any, shuffled: bool) -> bool:
        """Whether it is free, and was made for such arrays.

        Parameters
        ----------
        parts, shuffled
            As for the constructor.

        Returns
        -------
        bool
            True if `load` may be called.
        """
        return not self.batches and self._kind == (_kind(parts), shuffled)

    @contextmanager
    def load(self, parts: Any, batch_size: int) -> Iterator[None]:
        """Take arrays, and let them go at the end.

        Parameters
        ----------
        parts : tuple of x and y, or of x, y and sample_weight
            From `tensors`, N rows each.
        batch_size : int
            Rows in a batch; the last one may be smaller.
        """
        self.rows = int(keras.tree.flatten(parts)[0].shape[0])
        self.batches = -(-self.rows // batch_size)
        try:
            self._size.assign(batch_size)
            self._assign(parts, np.arange(self.rows))
            yield
        finally:
            self._assign(tf.nest.map_structure(lambda leaf: leaf[:0], parts), np.arange(0))
            self.rows = self.batches = 0

    @property
    def single(self) -> bool:
        """Whether all rows are one batch; what `each_batch` makes then has no loop."""
        return self.batches == 1

    def arrange(self, order: NDArray[np.int64]) -> None:
        """Give the rows an order.

        Parameters
        ----------
        order : ndarray of int64, shape (N,)
            A permutation of ``0 ... N - 1``.
        """
        self._order.assign(order)

    def dataset(self, steps: int) -> Any:
        """Give Keras something to draw from.

        Parameters
        ----------
        steps : int
            Batches that are taken at once.

        Returns
        -------
        tf.data.Dataset
            Number of the first batch in each execution. Keras draws one number an execution, and
            takes the length for the number of batches, so the dataset has as many elements.
        """
        options = tf.data.Options()
        # Keras makes new iterators each epoch. To optimise and tune the pipeline anew for each
        # takes longer than an epoch of a small network, and finds nothing in three steps.
        options.autotune.enabled = False
        options.experimental_optimization.apply_default_optimizations = False
        firsts = tf.data.Dataset.range(0, self.batches * steps, steps)
        return firsts.with_options(options)

    def each_batch(self, step: Any, steps: int, result: Any) -> Any:
        """Make a function that takes several batches at once.

        Parameters
        ----------
        step : callable
            Takes a batch: a tuple of x and y, or of x, y and sample_weight. Gives a dict.
        steps : int
            Batches at once.
        result : callable
            Gives, after these batches, what `step` gave for the last one.

        Returns
        -------
        callable
            Takes an iterator over `dataset`, gives a dict.
        """
        single = self.single

        def execution(iterator: Any) -> Any:
            first = iterator.get_next()
            if steps == 1 or single:
                return step(self._batch(first))
            rows = tf.shape(self._order, out_type=tf.int64)[0]
            last = tf.minimum(first + steps, -(-rows // self._size))

            def body(number: Any) -> Any:
                step(self._batch(number))
                return (number + 1,)

            tf.while_loop(lambda number: number < last, body, (first,), parallel_iterations=1)
            return result()

        return tf.function(execution, autograph=False, reduce_retracing=True)

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
    """A Keras callback that gives the rows of a feed a new order at the begin of each epoch.

    Parameters
    ----------
    feed : DeviceDataset
        Loaded.
    """

    def __init__(self, feed: DeviceDataset) -> None:
        super().__init__()
        self.feed = feed
        self.seed = shuffle_seed()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Set the order of this epoch.

        Parameters
        ----------
        epoch : int
            From 0.
        logs : dict, optional
            Not used.
        """
        self.feed.arrange(order_of_epoch(self.feed.rows, self.seed, epoch))


def _kind(parts: Any) -> str:
    """Types and widths of arrays, and how they are nested."""
    return repr(tf.nest.map_structure(lambda leaf: (leaf.dtype.name, *leaf.shape[1:]), parts))
