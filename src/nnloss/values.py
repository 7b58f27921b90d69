"""What the numbers of an output are: any real number, probabilities, or a distribution.

An output is followed from its tensor back to the layers that it comes from; each step says what it
makes of the numbers that it is given. What cannot be known is said to be so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from nnloss._keras import defined_by_keras, keras, own_methods
from nnloss.heads import WITH_ACTIVATION, activation_name, activation_of, inputs_of, path_key


class Kind(Enum):
    """What is known of numbers."""

    REAL = "any real number"
    PROBABILITIES = "each between 0 and 1"
    DISTRIBUTION = "summing to 1 over some axes"
    LOG_DISTRIBUTION = "logarithms of a distribution"
    TWICE = "an activation of probabilities"
    OTHER = "confined in another way"
    DATA = "an input of the model"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Values:
    """What is known of the numbers of a tensor.

    Parameters
    ----------
    kind : Kind
        What they are.
    shape : tuple of (int or None)
        Of the tensor, rows first.
    activation : str
        What they went through last, in Keras' names; for `Kind.UNKNOWN`, what hides it.
    axes : tuple of int
        Of a distribution: those over which it sums to 1.
    """

    kind: Kind
    shape: tuple[int | None, ...]
    activation: str = "linear"
    axes: tuple[int, ...] = ()

    def size(self, axes: tuple[int, ...]) -> int | None:
        """Count the numbers of a row along some axes.

        Parameters
        ----------
        axes : tuple of int
            From 0.

        Returns
        -------
        int or None
            None where a size is not fixed.
        """
        total = 1
        for axis in axes:
            size = self.shape[axis]
            if size is None:
                return None
            total *= size
        return total


# Activations that no number bounds from above: a softmax of them can still be any distribution.
UNBOUNDED = {
    "relu", "leaky_relu", "prelu", "elu", "selu", "celu", "gelu", "silu", "swish", "mish",
    "softplus", "exponential", "squareplus", "threshold",
}  # fmt: skip
_REAL_LAYERS = {
    "BatchNormalization", "LayerNormalization", "GroupNormalization", "RMSNormalization",
    "Embedding", "MultiHeadAttention", "GroupQueryAttention",
}  # fmt: skip
_RECURRENT = {"LSTM", "GRU", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"}
_SCALING = {"Rescaling", "Normalization", "TrueDivide", "Divide", "Negative"}
_SUMS = {"Add", "Subtract", "Average"}
_PRODUCTS = {"Multiply", "Dot", "Matmul", "Einsum"}
_SAME = {"Identity", "Masking", "Cast", "StopGradient", "ActivityRegularization"}
_MOVING = {
    "Flatten", "Reshape", "Squeeze", "ExpandDims", "GetItem", "RepeatVector", "Cropping1D",
    "Cropping2D", "Cropping3D", "UpSampling1D", "UpSampling2D", "UpSampling3D", "Resizing",
    "CenterCrop", "Split", "Unstack",
}  # fmt: skip
_EXTREMES = {"Maximum", "Minimum", "Max", "Min"}
_TURNING = {"Permute": "dims", "Transpose": "axes"}

#: A tensor's nested models, outermost first, each with what it was called on.
_Enclosing = list[tuple[Any, list[Any]]]


def values_of(tensor: Any) -> Values:
    """Tell what the numbers of an output are.

    Parameters
    ----------
    tensor : keras.KerasTensor
        An output of a functional or sequential model.

    Returns
    -------
    Values
        With `Kind.UNKNOWN` where a layer hides it.
    """
    return _values(tensor, [], {})


def _values(tensor: Any, inside: _Enclosing, seen: dict[tuple[int, ...], Values]) -> Values:
    """Look at each tensor once: a graph that divides and meets again has very many ways back."""
    key = path_key(tensor, inside)
    if key not in seen:
        seen[key] = _found(tensor, inside, seen)
    return seen[key]


def _found(tensor: Any, inside: _Enclosing, seen: dict[tuple[int, ...], Values]) -> Values:
    history = tensor._keras_history
    operation, sources = history.operation, inputs_of(tensor)
    shape = tuple(tensor.shape)
    name = type(operation).__name__
    if isinstance(operation, keras.layers.InputLayer):
        if not inside:
            return Values(Kind.DATA, shape, "an input")
        *outer, (model, called_on) = inside
        place = next((i for i, each in enumerate(model.inputs) if each is tensor), 0)
        return _values(called_on[place], outer, seen)
    if isinstance(operation, keras.Model) and not own_methods(operation, "call"):
        ends = getattr(operation, "outputs", None) or []
        if len(ends) > history.tensor_index:
            return _values(ends[history.tensor_index], [*inside, (operation, sources)], seen)
    if not defined_by_keras(type(operation)) or name == "Lambda":
        hiding = "a Lambda layer" if name == "Lambda" else f"{name}, which is not Keras' own,"
        return Values(Kind.UNKNOWN, shape, hiding)
    if isinstance(operation, (keras.layers.Wrapper, keras.layers.Bidirectional)):
        return _wrapped(operation, shape, lambda: _values(sources[0], inside, seen))
    if name in WITH_ACTIVATION | _REAL_LAYERS | _RECURRENT | {"SimpleRNN"}:
        return _layer(operation, shape)
    given = []  # no comprehension: each is a call more in what may be a long way back
    for source in sources:
        given.append(_values(source, inside, seen))
    hidden = next((each for each in given if each.kind is Kind.UNKNOWN), None)
    if hidden:
        return replace(hidden, shape=shape)
    applied = activation_of(operation)
    if applied is not None:
        return _activated(given[0], applied, getattr(operation, "axis", -1), shape)
    for fits, step in _STEPS:
        if fits(name):
            return step(operation, given, shape)
    return Values(Kind.UNKNOWN, shape, name)


def _wrapped(operation: Any, shape: tuple[int | None, ...], source: Callable[[], Values]) -> Values:
    name = type(operation).__name__
    if name == "Bidirectional":
        found = _layer(operation.forward_layer, shape)
        mixed = operation.merge_mode not in ("concat", None) and found.kind is not Kind.REAL
        return Values(Kind.UNKNOWN, shape, name) if mixed or found.axes else found
    inner = operation.layer
    if isinstance(inner, keras.Model) and not own_methods(inner, "call") and inner.outputs:
        found = values_of(inner.outputs[0])
        return replace(found, shape=shape, axes=tuple(axis + 1 for axis in found.axes))
    applied = activation_of(inner)
    if applied is not None:
        axis = getattr(inner, "axis", -1)
        return _activated(source(), applied, axis + 1 if axis > 0 else axis, shape)
    if defined_by_keras(type(inner)):
        return _layer(inner, shape)
    return Values(Kind.UNKNOWN, shape, f"{type(inner).__name__}, which is not Keras' own,")


def _layer(layer: Any, shape: tuple[int | None, ...]) -> Values:
    """Read a layer with weights: whatever it is given, it starts anew."""
    name, real = type(layer).__name__, Values(Kind.REAL, shape)
    if name in _REAL_LAYERS:
        return real
    if name not in WITH_ACTIVATION | _RECURRENT | {"SimpleRNN"}:
        return Values(Kind.UNKNOWN, shape, name)
    result = _activated(real, activation_name(layer.activation), -1, shape)
    # A gate multiplies the activation: it keeps its bounds, but sums to 1 no more.
    squashed = result.kind not in (Kind.REAL, Kind.OTHER)
    return Values(Kind.UNKNOWN, shape, name) if name in _RECURRENT and squashed else result


def _activated(given: Values, name: str, axis: Any, shape: tuple[int | None, ...]) -> Values:
    """Apply an activation."""
    name = name.partition(" over ")[0]
    if name == "linear":
        return replace(given, shape=shape)
    text = name if given.activation == "linear" else f"{name} of {given.activation}"
    if "." in name:
        return Values(Kind.UNKNOWN, shape, f"the function {name}, which is not Keras' own,")
    kind = _SQUASHING.get(name, Kind.OTHER)
    if kind is Kind.OTHER:
        return Values(kind, shape, text)
    over = [axis] if isinstance(axis, int) else range(len(shape)) if axis is None else axis
    axes = tuple(sorted(each % len(shape) for each in over if kind is not Kind.PROBABILITIES))
    if given.kind is Kind.LOG_DISTRIBUTION and axes == given.axes:
        return Values(kind, shape, name, axes)  # a softmax of log-probabilities gives them back
    if given.kind is Kind.OTHER:
        # Sigmoid of a ReLU is never below one half; a softmax does not mind a bound from below.
        free = kind is not Kind.PROBABILITIES and given.activation in UNBOUNDED
        hidden = free or given.activation in ("leaky_relu", "prelu")
        return Values(Kind.UNKNOWN if hidden else Kind.OTHER, shape, text)
    if given.kind in (Kind.DATA, Kind.UNKNOWN):
        return Values(Kind.UNKNOWN, shape, given.activation)
    if given.kind is not Kind.REAL:
        return Values(Kind.TWICE, shape, text)
    return Values(kind, shape, text, axes)


_SQUASHING = {
    "sigmoid": Kind.PROBABILITIES,
    "softmax": Kind.DISTRIBUTION,
    "log_softmax": Kind.LOG_DISTRIBUTION,
}


def _same(operation: Any, given: list[Values], shape: tuple[int | None, ...]) -> Values:
    return replace(given[0], shape=shape)


def _moved(operation: Any, given: list[Values], shape: tuple[int | None, ...]) -> Values:
    """Numbers in other places: a distribution is still one if its axes are seen to be whole."""
    value, name = given[0], type(operation).__name__
    sharp = getattr(operation, "interpolation", "nearest") not in ("nearest", "bilinear")
    if sharp and value.kind is not Kind.REAL:  # such an interpolation overshoots
        return Values(Kind.UNKNOWN, shape, name)
    if not value.axes:
        return replace(value, shape=shape)
    rank = len(value.shape)
    alike = any(value.shape[1:].count(value.shape[axis]) > 1 for axis in value.axes)
    if name in ("GetItem", "Unstack") and alike:  # which of the axes went cannot be seen
        return Values(Kind.UNKNOWN, shape, name)
    others = tuple(axis for axis in range(1, rank) if axis not in value.axes)
    reshaped = name == "Reshape"
    if reshaped and not others and len(shape) > 2:  # each number is somewhere else, all together
        axes = tuple(axis for axis in range(1, len(shape)) if shape[axis] != 1)
        return replace(value, shape=shape, axes=axes)
    if len(shape) == 2 and value.size(others) == 1 and value.size(value.axes) == shape[1]:
        return replace(value, shape=shape, axes=(1,))
    if value.axes == (rank - 1,) and value.shape[-1] == shape[-1]:
        return replace(value, shape=shape, axes=(len(shape) - 1,))
    if value.axes == (1,) and rank == len(shape) and value.shape[1] == shape[1]:
        return replace(value, shape=shape)
    flat = name == "Flatten" or reshaped
    if flat and len(shape) == 2 and value.size(others) is not None:
        return Values(Kind.OTHER, shape, f"{value.activation} at several places")
    return Values(Kind.UNKNOWN, shape, name)


def _turned(operation: Any, given: list[Values], shape: tuple[int | None, ...]) -> Values:
    order = getattr(operation, _TURNING[type(operation).__name__])
    if not order:
        order = range(len(shape))[::-1]
    order = list(order) if len(order) == len(shape) else [0, *order]  # Permute leaves rows out
    axes = tuple(sorted(order.index(axis) for axis in given[0].axes))
    return replace(given[0], shape=shape, axes=axes)


def _pooled(operation: Any, given: list[Values], shape: tuple[int | None, ...]) -> Values:
    """Pool: an average of distributions is one, their maximum is not."""
    value, name = given[0], type(operation).__name__
    if not value.axes:
        return replace(value, shape=shape)
    first = getattr(operation, "data_format", "channels_last") == "channels_first"
    channels = 1 if first else len(value.shape) - 1
    if "Max" in name or value.axes != (channels,) or value.kind is Kind.LOG_DISTRIBUTION:
        return Values(Kind.OTHER, shape, f"{name} of {value.activation}")
    return replace(value, shape=shape, axes=(1 if len(shape) == 2 or first else len(shape) - 1,))


def _dropped(operation: Any, given: list[Values], shape: tuple[int | None, ...]) -> Values:
    """In training, zeros among numbers that are too large: probabilities are none any more."""
    value, name = given[0], type(operation).__name__
    if value.kind is Kind.REAL:
        return Values(Kind.UNKNOWN, shape, f"{name} at the very end")
    return Values(Kind.OTHER, shape, f"{name} of {value.activation}")


def _reduced(operation: Any, given: list[Values], shape: tuple[int | None, ...]) -> Values:
    """Sum or mean over some axes."""
    value, name = given[0], type(operation).__name__
    if value.kind in (Kind.REAL, Kind.DATA):
        return replace(value, shape=shape)
    over = [axis % len(value.shape) for axis in operation.axis or range(len(value.shape))]
    if name == "Sum" or value.kind is Kind.LOG_DISTRIBUTION or set(over) & set(value.axes):
        return Values(Kind.UNKNOWN, shape, name)
    gone = 0 if operation.keepdims else 1
    axes = tuple(axis - gone * sum(each < axis for each in over) for axis in value.axes)
    return replace(value, shape=shape, axes=axes)


def _scaled(operation: Any, given: list[Values], shape: tuple[int | None, ...]) -> Values:
    value, name = given[0], type(operation).__name__
    if len(given) == 1 and value.kind in (Kind.REAL, Kind.DATA):
        return replace(value, shape=shape)
    if name == "Rescaling":
        return Values(Kind.OTHER, shape, f"{name} of {value.activation}")
    return Values(Kind.UNKNOWN, shape, name)


def _summed(operation: Any, given: list[Values], shape: tuple[int | None, ...]) -> Values:
    """One real number among the terms can take the sum anywhere; an average keeps what all are."""
    name, kinds = type(operation).__name__, {each.kind for each in given}
    if Kind.REAL in kinds:
        return Values(Kind.REAL, shape)
    alike = all(_alike(each, given[0]) for each in given) and len(given) > 1
    if name == "Average" and alike and kinds <= {Kind.PROBABILITIES, Kind.DISTRIBUTION}:
        return given[0]
    if name == "Add" and alike and kinds == {Kind.PROBABILITIES}:
        return Values(Kind.OTHER, shape, f"{name} of {given[0].activation}")
    return Values(Kind.UNKNOWN, shape, name)


def _multiplied(operation: Any, given: list[Values], shape: tuple[int | None, ...]) -> Values:
    """One real number among the factors can take the product anywhere."""
    name, kinds = type(operation).__name__, {each.kind for each in given}
    if name == "Multiply" and kinds == {Kind.PROBABILITIES} and len(given) > 1:
        return replace(given[0], shape=shape)  # by a constant, it may be anything
    real = Kind.REAL in kinds
    if real and not getattr(operation, "normalize", False):
        return Values(Kind.REAL, shape)
    return Values(Kind.UNKNOWN, shape, name)


def _extreme(operation: Any, given: list[Values], shape: tuple[int | None, ...]) -> Values:
    """Take the largest or smallest of real numbers; among a constant, it has a bound."""
    name = type(operation).__name__
    several = len(given) > 1 or name in ("Max", "Min")
    if several and all(each.kind is Kind.REAL for each in given):
        return Values(Kind.REAL, shape)
    return Values(Kind.UNKNOWN, shape, name)


def _joined(operation: Any, given: list[Values], shape: tuple[int | None, ...]) -> Values:
    axis = operation.axis % len(shape)
    if not all(_alike(each, given[0]) for each in given):
        return Values(Kind.UNKNOWN, shape, f"{type(operation).__name__} of different things")
    if axis in given[0].axes:
        return Values(Kind.OTHER, shape, f"{given[0].activation} side by side")
    return replace(given[0], shape=shape)


def _alike(one: Values, other: Values) -> bool:
    return (one.kind, one.activation, one.axes) == (other.kind, other.activation, other.axes)


_Step = Callable[[Any, list[Values], tuple[int | None, ...]], Values]
_STEPS: list[tuple[Callable[[str], bool], _Step]] = [
    (_SAME.__contains__, _same),
    (_MOVING.__contains__, _moved),
    (_TURNING.__contains__, _turned),
    (lambda name: "Pooling" in name, _pooled),
    (lambda name: "Dropout" in name or "Noise" in name, _dropped),
    (("Mean", "Sum").__contains__, _reduced),
    (_SCALING.__contains__, _scaled),
    (_SUMS.__contains__, _summed),
    (_PRODUCTS.__contains__, _multiplied),
    (_EXTREMES.__contains__, _extreme),
    ("Concatenate".__eq__, _joined),
]
