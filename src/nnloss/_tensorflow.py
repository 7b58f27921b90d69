"""Import of TensorFlow, and of Keras on it."""

from __future__ import annotations

import tensorflow as tf

from nnloss._keras import defined_by_keras, keras

__all__ = ["defined_by_keras", "keras", "tf"]
