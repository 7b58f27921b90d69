"""Kind of values that layers and operations return, given the kind of their inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf
from typing import Any

from nnloss.pairing.activations import activation_name, activation_of
from nnloss.pairing.values import SQUASHED, Values
from nnloss.table import Kind
from nnloss.table.activations import activation
from nnloss.table.domains import Shape

_WITH_ACTIVATION = (
    {"Dense", "EinsumDense"}
    | {
        f"{kind}{rank}D"
        for kind in ("Conv", "SeparableConv", "DepthwiseConv")
        for rank in (1, 2, 3)
    }
    | {"Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"}
)
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


def has_weights(name: str) -> bool:
    """Return whether a Keras layer has weights, so that the kind of its input does not matter."""
    return name in _WITH_ACTIVATION | _REAL_LAYERS | _RECURRENT | {"SimpleRNN"}


def has_activation(name: str) -> bool:
    """Return whether a Keras layer is dense or convolutional, with units and an activation."""
    return name in _WITH_ACTIVATION


def with_weights(layer: Any, shape: Shape) -> Values:
    """Return the values of a Keras layer with weights; the kind is unknown for other layers."""
    name, real = type(layer).__name__, Values(Kind.REAL, shape)
    if name in _REAL_LAYERS:
        return real
    if not has_weights(name):
        return Values(Kind.UNKNOWN, shape, name)
    result = activated(real, activation_name(layer.activation), -1, shape)
    # A gate multiplies the activation: it keeps its bounds but no longer sums to 1.
    squashed = result.kind in SQUASHED
    return Values(Kind.UNKNOWN, shape, name) if name in _RECURRENT and squashed else result


def after(operation: Any, given: list[Values], shape: Shape) -> Values:
    """Return the values of a Keras operation without weights, given its inputs.

    No input may be unknown. The result is unknown for an operation that is not in the list below.
    """
    name, applied = type(operation).__name__, activation_of(operation)
    if applied is not None:
        return activated(given[0], applied, getattr(operation, "axis", -1), shape)
    for fits, step in _STEPS:
        if fits(name):
            return step(operation, given, shape)
    return Values(Kind.UNKNOWN, shape, name)


def activated(given: Values, name: str, axis: Any, shape: Shape) -> Values:
    """Return values after an activation, named as in `activation_name`, over a softmax's `axis`."""
    if name == "linear":
        return replace(given, shape=shape)
    text = name if given.activation == "linear" else f"{name} of {given.activation}"
    if "." in name:
        hidden = f"the function {name}, which is not Keras' own,"
        return Values(Kind.UNKNOWN, shape, hidden, foreign=True)
    known = activation(name)
    kind = known.kind if known else Kind.OTHER
    if kind in (Kind.OTHER, Kind.POSITIVE):
        free = given.kind is Kind.REAL or kind is Kind.OTHER
        return Values(kind if free else Kind.OTHER, shape, text)
    over = [axis] if isinstance(axis, int) else range(len(shape)) if axis is None else axis
    axes = tuple(sorted(each % len(shape) for each in over if kind is not Kind.PROBABILITIES))
    if given.kind is Kind.LOG_DISTRIBUTION and axes == given.axes:
        return Values(kind, shape, name, axes)  # softmax of log-probabilities
    if given.kind in (Kind.OTHER, Kind.POSITIVE):
        # Sigmoid of a ReLU is never below 0.5; softmax can use inputs with a lower bound.
        before = activation(given.activation)
        free = before is not None and before.upper == inf
        if before is not None and kind is Kind.PROBABILITIES:
            free = free and before.lower == -inf
        return Values(Kind.UNKNOWN if free else Kind.OTHER, shape, text)
    if given.kind in (Kind.DATA, Kind.UNKNOWN):
        return Values(Kind.UNKNOWN, shape, given.activation, foreign=given.foreign)
    if given.kind is not Kind.REAL:
        return Values(Kind.TWICE, shape, text)
    return Values(kind, shape, text, axes)


def _same(operation: Any, given: list[Values], shape: Shape) -> Values:
    return replace(given[0], shape=shape)


def _moved(operation: Any, given: list[Values], shape: Shape) -> Values:
    """Return values in other places; a distribution remains one if its axes clearly stay whole."""
    value, name = given[0], type(operation).__name__
    sharp = getattr(operation, "interpolation", "nearest") not in ("nearest", "bilinear")
    if sharp and value.kind is not Kind.REAL:  # other interpolations overshoot
        return Values(Kind.UNKNOWN, shape, name)
    if not value.axes:
        return replace(value, shape=shape)
    rank = len(value.shape)
    alike = any(value.shape[1:].count(value.shape[axis]) > 1 for axis in value.axes)
    if name in ("GetItem", "Unstack") and alike:  # the removed axis cannot be known
        return Values(Kind.UNKNOWN, shape, name)
    others = tuple(axis for axis in range(1, rank) if axis not in value.axes)
    reshaped = name == "Reshape"
    if reshaped and not others and len(shape) > 2:  # all numbers remain in the row
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


def _permuted(operation: Any, given: list[Values], shape: Shape) -> Values:
    order = getattr(operation, _TURNING[type(operation).__name__])
    if not order:
        order = range(len(shape))[::-1]
    order = list(order) if len(order) == len(shape) else [0, *order]  # Permute omits the rows
    axes = tuple(sorted(order.index(axis) for axis in given[0].axes))
    return replace(given[0], shape=shape, axes=axes)


def _pooled(operation: Any, given: list[Values], shape: Shape) -> Values:
    """Return pooled values; an average of distributions is a distribution, a maximum is not."""
    value, name = given[0], type(operation).__name__
    if not value.axes:
        return replace(value, shape=shape)
    first = getattr(operation, "data_format", "channels_last") == "channels_first"
    channels = 1 if first else len(value.shape) - 1
    if "Max" in name or value.axes != (channels,) or value.kind is Kind.LOG_DISTRIBUTION:
        return Values(Kind.OTHER, shape, f"{name} of {value.activation}")
    return replace(value, shape=shape, axes=(1 if len(shape) == 2 or first else len(shape) - 1,))


def _dropped(operation: Any, given: list[Values], shape: Shape) -> Values:
    """Return values after dropout or noise, which leaves no probabilities in training."""
    value, name = given[0], type(operation).__name__
    if value.kind is Kind.REAL:
        return Values(Kind.UNKNOWN, shape, f"{name} at the very end")
    return Values(Kind.OTHER, shape, f"{name} of {value.activation}")


def _reduced(operation: Any, given: list[Values], shape: Shape) -> Values:
    """Return values after a sum or mean over some axes."""
    value, name = given[0], type(operation).__name__
    if value.kind in (Kind.REAL, Kind.DATA):
        return replace(value, shape=shape)
    over = [axis % len(value.shape) for axis in operation.axis or range(len(value.shape))]
    if name == "Sum" or value.kind is Kind.LOG_DISTRIBUTION or set(over) & set(value.axes):
        return Values(Kind.UNKNOWN, shape, name)
    gone = 0 if operation.keepdims else 1
    axes = tuple(axis - gone * sum(each < axis for each in over) for axis in value.axes)
    return replace(value, shape=shape, axes=axes)


def _scaled(operation: Any, given: list[Values], shape: Shape) -> Values:
    value, name = given[0], type(operation).__name__
    if len(given) == 1 and value.kind in (Kind.REAL, Kind.DATA):
        return replace(value, shape=shape)
    if name == "Rescaling":
        return Values(Kind.OTHER, shape, f"{name} of {value.activation}")
    return Values(Kind.UNKNOWN, shape, name)


def _summed(operation: Any, given: list[Values], shape: Shape) -> Values:
    """Return the values of a sum or average.

    A sum can be any real number if one term can. An average of terms of one kind keeps the kind.
    """
    name, kinds = type(operation).__name__, {each.kind for each in given}
    if Kind.REAL in kinds:
        return Values(Kind.REAL, shape)
    alike = all(_alike(each, given[0]) for each in given) and len(given) > 1
    if name == "Average" and alike and kinds <= {Kind.PROBABILITIES, Kind.DISTRIBUTION}:
        return given[0]
    if name == "Add" and alike and kinds == {Kind.PROBABILITIES}:
        return Values(Kind.OTHER, shape, f"{name} of {given[0].activation}")
    return Values(Kind.UNKNOWN, shape, name)


def _multiplied(operation: Any, given: list[Values], shape: Shape) -> Values:
    """Return the values of a product; it can be any real number if one factor can."""
    name, kinds = type(operation).__name__, {each.kind for each in given}
    if name == "Multiply" and kinds == {Kind.PROBABILITIES} and len(given) > 1:
        return replace(given[0], shape=shape)  # a product with a constant may be anything
    real = Kind.REAL in kinds
    if real and not getattr(operation, "normalize", False):
        return Values(Kind.REAL, shape)
    return Values(Kind.UNKNOWN, shape, name)


def _extreme(operation: Any, given: list[Values], shape: Shape) -> Values:
    """Return the values of a maximum or minimum; with a constant, it has a bound."""
    name = type(operation).__name__
    several = len(given) > 1 or name in ("Max", "Min")
    if several and all(each.kind is Kind.REAL for each in given):
        return Values(Kind.REAL, shape)
    return Values(Kind.UNKNOWN, shape, name)


def _joined(operation: Any, given: list[Values], shape: Shape) -> Values:
    axis = operation.axis % len(shape)
    if not all(_alike(each, given[0]) for each in given):
        return Values(Kind.UNKNOWN, shape, f"{type(operation).__name__} of different things")
    if axis in given[0].axes:
        return Values(Kind.OTHER, shape, f"{given[0].activation} side by side")
    return replace(given[0], shape=shape)


def _alike(one: Values, other: Values) -> bool:
    return (one.kind, one.activation, one.axes) == (other.kind, other.activation, other.axes)


_Step = Callable[[Any, list[Values], Shape], Values]
_STEPS: list[tuple[Callable[[str], bool], _Step]] = [
    (_SAME.__contains__, _same),
    (_MOVING.__contains__, _moved),
    (_TURNING.__contains__, _permuted),
    (lambda name: "Pooling" in name, _pooled),
    (lambda name: "Dropout" in name or "Noise" in name, _dropped),
    (("Mean", "Sum").__contains__, _reduced),
    (_SCALING.__contains__, _scaled),
    (_SUMS.__contains__, _summed),
    (_PRODUCTS.__contains__, _multiplied),
    (_EXTREMES.__contains__, _extreme),
    ("Concatenate".__eq__, _joined),
]
