"""How a `TaskModel` trains: seeded, its data checked first, several steps in one execution."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from nnloss._tensorflow import keras, tf
from nnloss.pairing import targets
from nnloss.training.device_data import in_memory

#: Rows in an evaluation batch.
EVALUATION_BATCH = 1024
#: Training steps that run without returning to Python.
STEPS_PER_EXECUTION = 16


def checked(x: Any, y: Any, sample_weight: Any = None, **rule: Any) -> Any:
    """Check data as far as they can be looked at before training.

    Parameters
    ----------
    x, y, sample_weight
        As ``fit`` takes them. Of arrays every row is checked, of a ``tf.data.Dataset`` or
        ``PyDataset`` the first batch.
    **rule
        `subject` and `check`, as for `nnloss.pairing.targets.check_batch`.

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
        return _checked_one_by_one(x, **rule)
    if isinstance(x, keras.utils.PyDataset):
        first = x[0]
    elif isinstance(x, tf.data.Dataset):
        first = next(iter(x.take(1)), ())
    elif x is not None and in_memory(x):
        first = (x, y, sample_weight)
    else:
        return x  # Keras knows other sources, and says so if it does not know this one
    targets.check_batch(first, sample=not in_memory(x), **rule)
    return x


def _checked_one_by_one(batches: Iterator[Any], **rule: Any) -> Iterator[Any]:
    """Check each batch of a generator, which cannot be looked into without using it up."""
    for batch in batches:
        targets.check_batch(batch, sample=True, **rule)
        yield batch


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
        Steps in an epoch; not above 0 where it is unknown or endless, as ``cardinality`` says.
    verbose : {0, 1, 2, "auto"}
        As for ``fit``. Keras' progress bar counts whole executions, and would run past its end if
        they did not divide the epoch.

    Returns
    -------
    int
        From 1 to `STEPS_PER_EXECUTION`.
    """
    if steps < 1 or any(_watches_batches(callback) for callback in callbacks):
        return 1
    if verbose in (0, 2):
        return STEPS_PER_EXECUTION
    return max(k for k in range(1, STEPS_PER_EXECUTION + 1) if steps % k == 0)


# Callbacks of Keras that have a hook for batches, and when they leave it unused.
_IDLE: dict[type, Callable[[Any], bool]] = {
    keras.callbacks.ModelCheckpoint: lambda callback: callback.save_freq == "epoch",
    keras.callbacks.BackupAndRestore: lambda callback: callback.save_freq == "epoch",
    keras.callbacks.TensorBoard: lambda callback: (
        callback.update_freq == "epoch"
        and not callback.write_steps_per_second
        and not getattr(callback, "_should_trace", True)
    ),
}


def _watches_batches(callback: Any) -> bool:
    """Whether a callback wants to see each batch."""
    if not getattr(callback, "watches_batches", True):
        return False
    if type(callback) in _IDLE and _IDLE[type(callback)](callback):
        return False
    hooks = [
        f"on_{kind}batch_{moment}"
        for kind in ("train_", "test_", "")
        for moment in ("begin", "end")
    ]
    # A LambdaCallback has its hooks on the object, others on their class.
    return any(
        hook in vars(callback)
        or getattr(type(callback), hook) is not getattr(keras.callbacks.Callback, hook)
        for hook in hooks
    )
