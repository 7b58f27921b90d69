"""Layers in double precision, for comparisons that rounding would blur."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nnloss._keras import keras


@contextmanager
def double_precision() -> Iterator[None]:
    """Create Keras layers in float64 within a context, and restore the old settings after it."""
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        yield
    finally:
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(policy)
