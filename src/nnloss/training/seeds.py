"""One seed for initial weights, order of rows and dropout."""

from __future__ import annotations

from nnloss._tensorflow import keras, tf


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
