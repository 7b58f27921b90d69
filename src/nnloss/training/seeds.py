"""Seed of everything random in a training: initial weights, the order of rows, dropout."""

from __future__ import annotations

from nnloss._tensorflow import keras, tf


def set_seed(seed: int) -> None:
    """Make initial weights, shuffling and dropout depend on a seed alone.

    Seeds Python, NumPy, TensorFlow and Keras, and requests deterministic operations from
    TensorFlow, for the rest of the process. On one machine, with the same library versions and
    number of threads, a seed then yields bit-identical weights in any process. Another processor or
    version may round differently.

    Parameters
    ----------
    seed : int
        From 0 to 2**32 - 1.

    Examples
    --------
    >>> import keras
    >>> from nnloss import set_seed
    >>> def first_weight(seed):
    ...     set_seed(seed)
    ...     layer = keras.layers.Dense(1)
    ...     layer.build((None, 1))
    ...     return float(layer.kernel[0, 0])
    >>> first_weight(7) == first_weight(7), first_weight(7) == first_weight(8)
    (True, False)
    """
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def current_seed() -> int | None:
    """Return the seed last given to Keras by any caller, or None."""
    # Keras has no public function for this, and our own copy could be out of date.
    from keras.src.utils.rng_utils import get_random_seed

    seed = get_random_seed()
    return None if seed is None else int(seed)
