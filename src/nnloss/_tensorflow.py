"""Import of TensorFlow, and of Keras on it, without start-up messages."""

from __future__ import annotations

from nnloss._keras import defined_by_keras, import_quietly, keras

import_quietly("tensorflow")

import tensorflow as tf  # noqa: E402  (after it was silenced)

__all__ = ["defined_by_keras", "keras", "tf"]
