"""How a `TaskModel` is fed: seeded, from memory, without Python between two batches.

`keras.Model.fit` on arrays hands every batch over one by one; on the small networks of the course
that costs many times the arithmetic. Here the arrays become tensors once, batches are gathered
inside TensorFlow, several steps run in one execution, and evaluation takes large batches. What is
computed stays the same: the same loss over the same batches, every row once an epoch.
"""

from __future__ import annotations

import inspect
import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from nnloss import targets
from nnloss._tensorflow import keras, tf

#: Rows in an evaluation batch.
EVALUATION_BATCH = 1024
#: Bytes from which on row numbers are shuffled and not the rows, whose buffer is a copy of them.
#: Below, shuffling the rows makes the quicker pipeline.
LARGE = 64 * 2**20
#: Training steps that run without returning to Python.
STEPS_PER_EXECUTION = 16


def set_seed(seed: int) -> None:
    """Make initial weights, shuffling and dropout depend on `seed` alone.

    Seeds Python, NumPy, TensorFlow and Keras, and asks TensorFlow for deterministic operations,
    for the rest of the process. On one machine, with one set of library versions and one number
    of threads, the same seed then gives the same weights bit for bit, in any process. Another
    processor or another version may round differently.

    Parameters
    ----------
    seed : int
        From 0 to 2**32 - 1.
    """
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def current_seed() -> int | None:
    """Ask Keras for the seed last given to it.

    Returns
    -------
    int or None
        None if there was none; right also if ``keras.utils.set_random_seed`` was used.
    """
    # Keras has no public way to ask, and a copy of our own could be out of date.
    from keras.src.utils.rng_utils import get_random_seed

    seed = get_random_seed()
    return None if seed is None else int(seed)


def checked(x: Any, y: Any, sample_weight: Any = None, **rule: Any) -> Any:
    """Check data as far as they can be looked at before training.

    Parameters
    ----------
    x, y, sample_weight
        As ``fit`` takes them. Of arrays every row is checked, of a ``tf.data.Dataset`` or
        ``PyDataset`` the first batch.
    **rule
        `task`, `loss` and `nodes`, as for `nnloss.targets.check_arrays`.

    Returns
    -------
    any
        `x`; of a generator, a generator that checks each batch as it comes.

    Raises
    ------
    TargetError
        If inputs or targets do not fit the task.
    """
    if inspect.isgenerator(x):
        return targets.check_batches(x, **rule)
    if isinstance(x, keras.utils.PyDataset):
        first = x[0]
    elif isinstance(x, tf.data.Dataset):
        first = next(iter(x.take(1)), ())
    elif x is not None and in_memory(x):
        first = (x, y, sample_weight)
    else:
        return x  # Keras knows other sources, and says so if it does not know this one
    targets.check_batch(first, **rule)
    return x


def checked_validation(data: Any, **rule: Any) -> Any:
    """Check validation data, given as a tuple of arrays or as a source of batches.

    Parameters
    ----------
    data
        As the argument ``validation_data`` of ``fit``.
    **rule
        As for `checked`.

    Returns
    -------
    any
        As for `checked`.

    Raises
    ------
    TargetError
        If inputs or targets do not fit the task.
    """
    if isinstance(data, (tuple, list)) and len(data) in (2, 3):
        return (checked(*data, **rule), *data[1:])
    return checked(data, None, **rule)


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


def batches(x: Any, y: Any, sample_weight: Any, batch_size: int, *, shuffle: bool) -> Any:
    """Arrays as a dataset of batches.

    Parameters
    ----------
    x, y, sample_weight : array_like or nested structure of array_like
        N rows each; `sample_weight` may be None.
    batch_size : int
        Rows in a batch; the last one may be smaller.
    shuffle : bool
        Visit all rows in a new random order in each epoch, drawn from Python's generator, which
        `set_seed` and ``keras.utils.set_random_seed`` seed.

    Returns
    -------
    tf.data.Dataset
        Of ``(x, y)`` or ``(x, y, sample_weight)``.
    """
    parts = (x, y) if sample_weight is None else (x, y, sample_weight)
    tensors = _tensors(parts)
    leaves = keras.tree.flatten(tensors)
    rows = int(leaves[0].shape[0])
    seed = random.randrange(2**31) if shuffle else None
    if shuffle and sum(leaf.shape.num_elements() * leaf.dtype.size for leaf in leaves) > LARGE:
        numbers = tf.data.Dataset.range(rows).shuffle(rows, seed=seed).batch(batch_size)
        dataset = numbers.map(
            lambda chosen: tf.nest.map_structure(lambda leaf: tf.gather(leaf, chosen), tensors)
        )
    else:
        dataset = tf.data.Dataset.from_tensor_slices(tensors)
        dataset = (dataset.shuffle(rows, seed=seed) if shuffle else dataset).batch(batch_size)
    options = tf.data.Options()
    # Keras makes a new iterator each epoch. To optimise and tune the pipeline anew for each one
    # takes longer than an epoch of a small network, and finds nothing in three steps.
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    return dataset.prefetch(2).with_options(options)


def listed(callbacks: Any) -> list[Any]:
    """Callbacks as a list, however they were given.

    Parameters
    ----------
    callbacks : None, keras.callbacks.Callback, CallbackList or sequence
        As ``fit`` takes them.

    Returns
    -------
    list of keras.callbacks.Callback
        In their order.
    """
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return list(callbacks.callbacks)
    return list(keras.tree.flatten(callbacks or []))


def steps_per_execution(callbacks: Sequence[Any], steps: int, verbose: Any) -> int:
    """How many steps may run at once: one, if a callback wants to see each batch.

    Parameters
    ----------
    callbacks : sequence of keras.callbacks.Callback
        The caller's callbacks.
    steps : int
        Steps in an epoch.
    verbose : {0, 1, 2, "auto"}
        As for ``fit``. Keras' progress bar counts whole executions, and would run past its end if
        they did not divide the epoch.

    Returns
    -------
    int
        From 1 to `STEPS_PER_EXECUTION`.
    """
    # A LambdaCallback has its hooks on the object, others on their class.
    hooks = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
    base = keras.callbacks.Callback
    watching = any(
        hook in vars(callback) or getattr(type(callback), hook) is not getattr(base, hook)
        for callback in callbacks
        for hook in hooks
    )
    if watching:
        return 1
    if verbose in (0, 2):
        return STEPS_PER_EXECUTION
    return max(k for k in range(1, STEPS_PER_EXECUTION + 1) if steps % k == 0)


def _tensors(values: Any) -> Any:
    """Turn arrays into tensors, and lists into tuples: tf.data stacks a list into one tensor."""
    if isinstance(values, (list, tuple)):
        return tuple(_tensors(part) for part in values)
    if isinstance(values, dict):
        return {name: _tensors(part) for name, part in values.items()}
    if not isinstance(values, tf.Tensor):
        values = np.asarray(values)
        if np.issubdtype(values.dtype, np.floating):
            values = values.astype(keras.config.floatx(), copy=False)
    return tf.convert_to_tensor(values)
