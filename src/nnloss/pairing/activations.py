"""Names of the activations in Keras layers, operations and functions."""

from __future__ import annotations

from typing import Any

from nnloss._keras import defined_by_keras, keras

# Names of the same functions in tf.nn.
_TF_NAMES = {"softmax_v2": "softmax", "log_softmax_v2": "log_softmax"}
_ACTIVATIONS = {
    name.replace("_", ""): name
    for name in dir(keras.activations)
    if not name.startswith("_") and name not in {"get", "serialize", "deserialize"}
} | {"prelu": "prelu", "exp": "exponential"}


def activation_name(activation: Any) -> str:
    """Return the name of an activation, given as a function or a layer.

    An activation that Keras does not define gets its full name with the module.
    """
    if isinstance(activation, keras.layers.Layer):
        return activation_of(activation) or type(activation).__name__
    name = str(getattr(activation, "__name__", type(activation).__name__))
    home = str(getattr(activation, "__module__", ""))
    if home.partition(".")[0] not in ("keras", "tensorflow"):
        return f"{home}.{name}"  # a custom function may do anything, whatever its name
    return _TF_NAMES.get(name, name)


def activation_of(operation: Any) -> str | None:
    """Return the name of the activation that a layer or operation applies, or None."""
    if not defined_by_keras(type(operation)):
        return None
    if isinstance(operation, keras.layers.Activation):
        return activation_name(operation.activation)
    name = _ACTIVATIONS.get(type(operation).__name__.lower())
    return "leaky_relu" if name == "relu" and getattr(operation, "negative_slope", None) else name
