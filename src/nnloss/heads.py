"""Read what a Keras model ends in: its last layer with weights and what is applied after it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from nnloss._tensorflow import keras

# Layers and operations that move numbers and do not change them.
_UNCHANGING = {"Flatten", "Reshape", "Identity"}
# Those that end a hidden block, but through which a probability is still seen to be one.
_HIDDEN_BLOCK_ENDS = ("Dropout", "Noise", "Pooling1D", "Pooling2D", "Pooling3D")
_WITH_ACTIVATION = (
    {"Dense", "EinsumDense"}
    | {
        f"{kind}{rank}D"
        for kind in ("Conv", "SeparableConv", "DepthwiseConv")
        for rank in (1, 2, 3)
    }
    | {"Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"}
)
_PROBABILITIES = {"softmax", "log_softmax", "sigmoid"}
_ACTIVATIONS = {
    name.replace("_", ""): name for name in dir(keras.activations) if not name.startswith("_")
} | {"prelu": "prelu"}


@dataclass(frozen=True)
class Head:
    """The end of a model.

    Parameters
    ----------
    text : str
        As one would write it, for messages.
    layer : str
        Class of the last layer with weights, or of what else the chain starts from.
    units : int or None
        Size of the last axis of the output.
    activations : tuple of str
        What is applied from there on, in order, without the linear ones.
    bare : bool
        Whether what follows that layer leaves each number in its place: no pooling, no dropout.
    last : bool
        Whether nothing at all follows that layer, but activations.
    known : bool
        Whether the layer is one of Keras' own, so that its meaning is known.
    """

    text: str
    layer: str
    units: int | None
    activations: tuple[str, ...]
    bare: bool
    last: bool
    known: bool

    @property
    def activation(self) -> str:
        """All that is applied after the weights, as one name; ``"linear"`` if nothing is."""
        return " of ".join(reversed(self.activations)) or "linear"

    @property
    def probabilities(self) -> int:
        """How many softmax or sigmoid functions are applied after the weights."""
        return sum(_base(name) in _PROBABILITIES for name in self.activations)

    def is_output(self, nodes: int) -> bool:
        """Whether this is an output layer, and not a hidden one that waits for its head.

        Softmax, sigmoid and a linear Dense at the very end are outputs. Another activation, or a
        Flatten after it, makes a Dense a hidden layer, unless it has exactly as many units as the
        output needs: then it may be an output gone wrong, and nothing tells the two apart.

        Parameters
        ----------
        nodes : int
            Units that the output needs.

        Returns
        -------
        bool
            True for an output.
        """
        if self.probabilities:
            return True
        if self.layer != "Dense" or not self.bare:
            return False
        return (self.last and not self.activations) or self.units == nodes


def read_head(model: Any) -> Head:
    """Read the end of a functional or sequential model with one output.

    Parameters
    ----------
    model : keras.Model
        A built model with one output tensor.

    Returns
    -------
    Head
        What it ends in, nested models looked into.
    """
    tensor = model.outputs[0]
    applied: list[Any] = []
    enclosing: list[Any] = []  # where to go on once a nested model's own input is reached
    while True:
        operation = tensor._keras_history.operation
        sources = _inputs_of(tensor)
        if isinstance(operation, keras.Model) and _has_one_output(operation) and len(sources) == 1:
            enclosing.append(sources[0])
            tensor = operation.outputs[0]
        elif isinstance(operation, keras.layers.InputLayer) and enclosing:
            tensor = enclosing.pop()
        elif _is_applied_to_a_layer(operation) and len(sources) == 1:
            applied.insert(0, operation)
            tensor = sources[0]
        else:
            return _describe(operation, tensor, applied, model.outputs[0])


def activation_name(activation: Any) -> str:
    """Name of an activation, given as a function or as a layer.

    Parameters
    ----------
    activation : callable
        What the attribute ``activation`` of a Keras layer holds.

    Returns
    -------
    str
        Keras' name where it is Keras' own, else the name of the function or class.
    """
    if isinstance(activation, keras.layers.Layer):
        return _activation_of(activation) or type(activation).__name__
    return str(getattr(activation, "__name__", type(activation).__name__))


def _describe(operation: Any, tensor: Any, applied: list[Any], output: Any) -> Head:
    layer = type(operation).__name__
    own = getattr(operation, "activation", None)
    activations = [activation_name(own)] if own is not None and layer in _WITH_ACTIVATION else []
    text = f"{layer}({tensor.shape[-1]})" if layer in _WITH_ACTIVATION else layer
    if activations and activations[0] != "linear":
        text = f"{text[:-1]}, activation='{activations[0]}')"
    for step in applied:
        name = _activation_of(step)
        activations += [name] if name else []
        text += f" -> {_step_text(step, name)}"
    bare = _sizes(tensor) == _sizes(output) and not any(map(_ends_hidden_block, applied))
    return Head(
        text=text,
        layer=layer,
        units=output.shape[-1],
        activations=tuple(name for name in activations if name != "linear"),
        bare=bare,
        last=all(_activation_of(step) for step in applied),
        known=_is_keras(operation) and layer != "Lambda",
    )


def _activation_of(operation: Any) -> str | None:
    """Name of the activation that a layer or operation is, or None if it is something else."""
    if not _is_keras(operation):
        return None
    if isinstance(operation, keras.layers.Activation):
        return activation_name(operation.activation)
    name = _ACTIVATIONS.get(type(operation).__name__.lower())
    axis = getattr(operation, "axis", -1)
    if name == "softmax" and axis not in (-1, [-1], (-1,)):
        return _over_axis(name, axis, len(operation.output.shape))
    return name


def _over_axis(name: str, axis: Any, rank: int) -> str:
    axes = [axis] if isinstance(axis, int) else list(axis)
    return name if axes == [rank - 1] else f"{name} over axis {axis}"


def _step_text(step: Any, name: str | None) -> str:
    kind = type(step).__name__
    if kind == "Activation":
        return f"{kind}('{name}')"
    return kind + (name or "")[len(_base(name or "")) :]  # with the axis, if it is another one


def _is_applied_to_a_layer(operation: Any) -> bool:
    """Whether it comes after a layer with weights without hiding what that layer is."""
    return _is_keras(operation) and (
        _activation_of(operation) is not None
        or type(operation).__name__ in _UNCHANGING
        or _ends_hidden_block(operation)
    )


def _ends_hidden_block(operation: Any) -> bool:
    return type(operation).__name__.endswith(_HIDDEN_BLOCK_ENDS)


def _has_one_output(model: Any) -> bool:
    return len(getattr(model, "outputs", None) or ()) == 1


def _inputs_of(tensor: Any) -> list[Any]:
    history = tensor._keras_history
    return list(history.operation._inbound_nodes[history.node_index].input_tensors)


def _sizes(tensor: Any) -> tuple[int | None, int | None]:
    """Numbers in a row of data, and on the last axis: what a harmless Flatten does not change."""
    sizes = list(tensor.shape)[1:]
    return (None if None in sizes else math.prod(sizes)), tensor.shape[-1]


def _is_keras(operation: Any) -> bool:
    """Whether Keras defines the class: a user's subclass may do anything."""
    return type(operation).__module__.partition(".")[0] == "keras"


def _base(name: str) -> str:
    return name.partition(" over ")[0]
