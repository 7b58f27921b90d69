"""Read what a Keras model ends in: its last layer with weights and what is applied after it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from nnloss._keras import defined_by_keras, keras

# Layers and operations that move numbers and do not change them.
_UNCHANGING = {"Flatten", "Reshape", "Identity"}
# Those that end a hidden block, but through which a probability is still seen to be one.
_HIDDEN_BLOCK_ENDS = ("Dropout", "Noise", "Pooling1D", "Pooling2D", "Pooling3D")
WITH_ACTIVATION = (
    {"Dense", "EinsumDense"}
    | {
        f"{kind}{rank}D"
        for kind in ("Conv", "SeparableConv", "DepthwiseConv")
        for rank in (1, 2, 3)
    }
    | {"Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"}
)
_SOFTMAX = {"softmax", "log_softmax"}
_SIGMOID = {"sigmoid", "hard_sigmoid"}
# Names that the same functions have in tf.nn.
_TF_NAMES = {"softmax_v2": "softmax", "log_softmax_v2": "log_softmax"}
_ACTIVATIONS = {
    name.replace("_", ""): name
    for name in dir(keras.activations)
    if not name.startswith("_") and name not in {"get", "serialize", "deserialize"}
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
        Whether the layer is one of Keras' own, so that its meaning is known, and does not hide
        probabilities: an average of two softmax outputs is an output too.
    mixing : bool
        Whether it is no layer with weights, but arithmetic on other layers' numbers.
    """

    text: str
    layer: str
    units: int | None
    activations: tuple[str, ...]
    bare: bool
    last: bool
    known: bool
    mixing: bool = False

    @property
    def activation(self) -> str:
        """All that is applied after the weights, as one name; ``"linear"`` if nothing is."""
        return " of ".join(reversed(self.activations)) or "linear"

    @property
    def holds_probabilities(self) -> bool:
        """Whether the numbers are probabilities, or were made of nothing but such."""
        return bool(self.probabilities) or (self.mixing and not self.known)

    @property
    def probabilities(self) -> int:
        """How many softmax or sigmoid functions are applied after the weights."""
        return sum(_base(name) in _SOFTMAX | _SIGMOID for name in self.activations)

    def is_output(self, nodes: int | None) -> bool:
        """Whether this is an output layer, and not a hidden one that waits for its head.

        Softmax, sigmoid and a linear Dense at the very end are outputs. Another activation, or a
        Flatten after a linear one, or dropout or pooling after a sigmoid, makes it a hidden layer,
        unless it has exactly as many units as the output needs: then it may be an output gone
        wrong, and nothing tells the two apart.

        Parameters
        ----------
        nodes : int or None
            Units that the output needs; None if that is not known yet.

        Returns
        -------
        bool
            True for an output.
        """
        if any(_base(name) in _SOFTMAX for name in self.activations):
            return True
        if self.probabilities:
            return self.bare or self.units == nodes
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
    return read_end(model.outputs[0])


def read_end(output: Any) -> Head:
    """Read what an output tensor comes from.

    Parameters
    ----------
    output : keras.KerasTensor
        An output of a functional or sequential model.

    Returns
    -------
    Head
        Nested models are looked into.
    """
    return _read(output, [], {})


def path_key(tensor: Any, enclosing: list[tuple[Any, list[Any]]]) -> tuple[int, ...]:
    """Tell apart the ways to a tensor: a nested model may be called more than once.

    Parameters
    ----------
    tensor : keras.KerasTensor
        In a functional graph.
    enclosing : list
        Nested models that it is in, each with what it was called on.

    Returns
    -------
    tuple of int
        A key for what is known of the tensor.
    """
    return (id(tensor), *(id(each) for _, called_on in enclosing for each in called_on))


def _read(
    output: Any, enclosing: list[tuple[Any, list[Any]]], seen: dict[tuple[int, ...], Head]
) -> Head:
    """Go back from a tensor to the last layer with weights.

    `enclosing` holds the nested models that one is in, each with what it was called on; `seen`
    what was read already: of a graph that divides and meets again there are very many ways back.
    """
    key = path_key(output, enclosing)
    if key in seen:
        return seen[key]
    tensor, applied = output, list[Any]()
    while True:
        operation = tensor._keras_history.operation
        sources = inputs_of(tensor)
        if isinstance(operation, keras.Model) and _has_one_output(operation) and sources:
            enclosing = [*enclosing, (operation, sources)]
            tensor = operation.outputs[0]
        elif isinstance(operation, keras.layers.InputLayer) and enclosing:
            *enclosing, (model, called_on) = enclosing
            place = next((i for i, each in enumerate(model.inputs) if each is tensor), 0)
            tensor = called_on[place]
        elif _is_applied_to_a_layer(operation) and len(sources) == 1:
            applied.insert(0, operation)
            tensor = sources[0]
        else:
            break
    mixing = bool(sources) and not getattr(operation, "weights", None)
    hidden = mixing and all(
        _read(source, enclosing, seen).holds_probabilities for source in sources
    )
    seen[key] = _describe(operation, tensor, applied, output, mixing=mixing, hidden=hidden)
    return seen[key]


def activation_name(activation: Any) -> str:
    """Name of an activation, given as a function or as a layer.

    Parameters
    ----------
    activation : callable
        What the attribute ``activation`` of a Keras layer holds.

    Returns
    -------
    str
        Keras' name where it is Keras' own, else the full name of the function or class.
    """
    if isinstance(activation, keras.layers.Layer):
        return activation_of(activation) or type(activation).__name__
    name = str(getattr(activation, "__name__", type(activation).__name__))
    home = str(getattr(activation, "__module__", ""))
    if home.partition(".")[0] not in ("keras", "tensorflow"):
        return f"{home}.{name}"  # whatever it is called, it may be anything
    return _TF_NAMES.get(name, name)


def _describe(
    operation: Any, tensor: Any, applied: list[Any], output: Any, *, mixing: bool, hidden: bool
) -> Head:
    wrapped = defined_by_keras(type(operation)) and isinstance(operation, keras.layers.Wrapper)
    inner = operation.layer if wrapped else operation
    layer = type(inner).__name__
    own = getattr(inner, "activation", None)
    activations = [activation_name(own)] if own is not None and layer in WITH_ACTIVATION else []
    text = f"{layer}({tensor.shape[-1]})" if layer in WITH_ACTIVATION else layer
    if activations and activations[0] != "linear":
        text = f"{text[:-1]}, activation='{activations[0]}')"
    if wrapped:
        text = f"{type(operation).__name__}({text})"
    for step in applied:
        name = activation_of(step)
        activations += [name] if name else []
        text += f" -> {_step_text(step, name)}"
    bare = _sizes(tensor) == _sizes(output) and not any(map(_ends_hidden_block, applied))
    return Head(
        text=text,
        layer=layer,
        units=output.shape[-1],
        activations=tuple(name for name in activations if name != "linear"),
        bare=bare,
        last=all(activation_of(step) for step in applied),
        known=defined_by_keras(type(operation)) and layer != "Lambda" and not hidden,
        mixing=mixing,
    )


def activation_of(operation: Any) -> str | None:
    """Name the activation that a layer or operation is.

    Parameters
    ----------
    operation : keras.Operation
        A layer, or what a function of ``keras.ops`` left in the graph.

    Returns
    -------
    str or None
        With the axis, where it is a softmax over another than the last one; None if the operation
        is something else.
    """
    if not defined_by_keras(type(operation)):
        return None
    if isinstance(operation, keras.layers.Activation):
        return activation_name(operation.activation)
    name = _ACTIVATIONS.get(type(operation).__name__.lower())
    if name == "relu" and getattr(operation, "negative_slope", None):
        return "leaky_relu"
    axis = getattr(operation, "axis", -1)
    if name == "softmax" and axis not in (-1, [-1], (-1,)):
        return _over_axis(name, axis, len(operation._inbound_nodes[0].output_tensors[0].shape))
    return name


def _over_axis(name: str, axis: Any, rank: int) -> str:
    axes = [axis] if isinstance(axis, int) else list(range(rank) if axis is None else axis)
    return name if axes == [rank - 1] else f"{name} over axis {axis}"


def _step_text(step: Any, name: str | None) -> str:
    kind = type(step).__name__
    if kind == "Activation":
        return f"{kind}('{name}')"
    return kind + (name or "")[len(_base(name or "")) :]  # with the axis, if it is another one


def _is_applied_to_a_layer(operation: Any) -> bool:
    """Whether it comes after a layer with weights without hiding what that layer is."""
    return defined_by_keras(type(operation)) and (
        activation_of(operation) is not None
        or type(operation).__name__ in _UNCHANGING
        or _ends_hidden_block(operation)
    )


def _ends_hidden_block(operation: Any) -> bool:
    return type(operation).__name__.endswith(_HIDDEN_BLOCK_ENDS)


def _has_one_output(model: Any) -> bool:
    return len(getattr(model, "outputs", None) or ()) == 1


def inputs_of(tensor: Any) -> list[Any]:
    """Find what the operation behind a tensor was called on.

    Parameters
    ----------
    tensor : keras.KerasTensor
        In a functional graph.

    Returns
    -------
    list of keras.KerasTensor
        Empty for an input.
    """
    history = tensor._keras_history
    return list(history.operation._inbound_nodes[history.node_index].input_tensors)


def _sizes(tensor: Any) -> tuple[int | None, int | None]:
    """Numbers in a row of data, and on the last axis: what a harmless Flatten does not change."""
    sizes = list(tensor.shape)[1:]
    return (None if None in sizes else math.prod(sizes)), tensor.shape[-1] if tensor.shape else None


def _base(name: str) -> str:
    return name.partition(" over ")[0]
