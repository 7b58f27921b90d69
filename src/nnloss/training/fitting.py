"""Checks of training data, and the number of steps per execution."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from numbers import Integral
from typing import Any

from nnloss._tensorflow import keras, tf
from nnloss.errors import NnlossError
from nnloss.pairing import targets
from nnloss.training.device_data import in_memory

#: Rows per evaluation batch.
EVALUATION_BATCH = 1024
#: Training steps that run without returning to Python.
STEPS_PER_EXECUTION = 16


def check_data(x: Any, y: Any, sample_weight: Any = None, **rule: Any) -> Any:
    """Check data before training and return `x`.

    Every row of arrays is checked, but only the first batch of a ``tf.data.Dataset`` or
    ``PyDataset``. A generator is wrapped, so that each batch is checked as it is drawn. `rule` is
    passed on to `nnloss.pairing.targets.check_batch`, which raises `TargetError`.
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
        return x  # left to Keras, which knows more sources
    targets.check_batch(first, sample=not in_memory(x), **rule)
    return x


def _checked_one_by_one(batches: Iterator[Any], **rule: Any) -> Iterator[Any]:
    """Check each batch as it is drawn: peeking into a generator would use it up."""
    for batch in batches:
        targets.check_batch(batch, sample=True, **rule)
        yield batch


def require_batch_size(batch_size: Any) -> None:
    """Raise NnlossError for a batch size of ``fit`` that is no whole number of at least 1."""
    if batch_size is None or (isinstance(batch_size, Integral) and int(batch_size) >= 1):
        return
    rule = "fit needs a batch size of at least 1"
    if hasattr(batch_size, "shape"):
        raise NnlossError(
            rule,
            f"found an array of shape {tuple(batch_size.shape)}, the third argument",
            "Give several inputs as one x: fit([x1, x2], y)",
        )
    raise NnlossError(rule, f"found batch_size={batch_size}", "Give 1 or more")


def as_list(callbacks: Any) -> list[Any]:
    """Return the ``callbacks`` of ``fit``, in any form that Keras accepts, as a list."""
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return list(callbacks.callbacks)
    return list(keras.tree.flatten(callbacks or []))


def steps_per_execution(callbacks: Sequence[Any], steps: int, verbose: Any) -> int:
    """Return how many steps to run at once, or 1 if a callback needs to see each batch.

    `steps` is the length of an epoch, below 1 if unknown or infinite (see ``cardinality``). Keras'
    progress bar counts whole executions, so with `verbose` they must divide the epoch.
    """
    if steps < 1 or any(_watches_batches(callback) for callback in callbacks):
        return 1
    if verbose in (0, 2):
        return STEPS_PER_EXECUTION
    return max(k for k in range(1, STEPS_PER_EXECUTION + 1) if steps % k == 0)


# Keras callbacks with batch hooks, and the condition under which they do nothing.
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
    if not getattr(callback, "watches_batches", True):
        return False
    if type(callback) in _IDLE and _IDLE[type(callback)](callback):
        return False
    hooks = [
        f"on_{kind}batch_{moment}"
        for kind in ("train_", "test_", "")
        for moment in ("begin", "end")
    ]
    # A LambdaCallback has its hooks on the instance, others on the class.
    return any(
        hook in vars(callback)
        or getattr(type(callback), hook) is not getattr(keras.callbacks.Callback, hook)
        for hook in hooks
    )
