"""Tracing of an output back through its layers to find the kind of its values.

`nnloss.pairing.operations` has the rule for each layer and operation. Each tensor is visited once,
however many paths lead to it, and without recursion, so that models may have any depth.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from nnloss._keras import defined_by_keras, keras, own_methods
from nnloss.pairing import operations
from nnloss.pairing.activations import activation_name, activation_of
from nnloss.pairing.values import SQUASHED, Values
from nnloss.table import Kind
from nnloss.table.domains import Shape

# Nested models, outermost first, each with its input tensors.
_Enclosing = tuple[tuple[Any, tuple[Any, ...]], ...]
_Place = tuple[Any, _Enclosing]

_MOVES = ("Flatten", "Reshape", "Identity")
_ENDS_A_BLOCK = ("Dropout", "Noise", "Pooling1D", "Pooling2D", "Pooling3D")
_STEPS_SHOWN = 4


def values_of(tensor: Any) -> Values:
    """Return what is known of the values of an output tensor of a functional or sequential model.

    The kind is `Kind.UNKNOWN` if a layer hides it.
    """
    found: dict[tuple[int, ...], Values] = {}
    start: _Place = (tensor, ())
    waiting = [start]
    while waiting:
        place = waiting[-1]
        if _key(place) in found:
            waiting.pop()
            continue
        same = _elsewhere(place)
        sources = [same] if same else _sources(place)
        missing = [source for source in sources if _key(source) not in found]
        if missing:
            waiting += missing
            continue
        given = [found[_key(source)] for source in sources]
        found[_key(waiting.pop())] = given[0] if same else _values(place[0], given)
    return found[_key(start)]


def _key(place: _Place) -> tuple[int, ...]:
    """Return a key for a place; a nested model may be called more than once."""
    tensor, inside = place
    return (id(tensor), *(id(each) for _, called_on in inside for each in called_on))


def inputs_of(tensor: Any) -> tuple[Any, ...]:
    """Return the input tensors of the operation that created a tensor; empty for an input."""
    history = tensor._keras_history
    return tuple(history.operation._inbound_nodes[history.node_index].input_tensors)


def _elsewhere(place: _Place) -> _Place | None:
    """Return the identical tensor inside or outside a nested model, if there is one."""
    tensor, inside = place
    history = tensor._keras_history
    operation = history.operation
    if isinstance(operation, keras.layers.InputLayer) and inside:
        *outer, (model, called_on) = inside
        index = next((i for i, each in enumerate(model.inputs) if each is tensor), 0)
        return called_on[index], tuple(outer)
    if isinstance(operation, keras.Model) and not own_methods(operation, "call"):
        ends = getattr(operation, "outputs", None) or []
        if len(ends) > history.tensor_index:
            return ends[history.tensor_index], (*inside, (operation, inputs_of(tensor)))
    return None


def _sources(place: _Place) -> list[_Place]:
    """Return the tensors on which this one depends; none for a layer with weights."""
    tensor, inside = place
    operation = tensor._keras_history.operation
    if _is_foreign(operation) or operations.has_weights(type(operation).__name__):
        return []
    if isinstance(operation, (keras.layers.Wrapper, keras.layers.Bidirectional)):
        wraps = getattr(operation, "layer", None)
        if wraps is None or activation_of(wraps) is None:
            return []
    return [(source, inside) for source in inputs_of(tensor)]


def _is_foreign(operation: Any) -> bool:
    return not defined_by_keras(type(operation)) or type(operation).__name__ == "Lambda"


def _values(tensor: Any, given: list[Values]) -> Values:
    """Return the values of an operation, with the text of the layers up to it."""
    operation, shape = tensor._keras_history.operation, tuple(tensor.shape)
    name = type(operation).__name__
    if isinstance(operation, keras.layers.InputLayer):
        return Values(Kind.DATA, shape, "an input", text=name)
    if _is_foreign(operation):
        hiding = "a Lambda layer" if name == "Lambda" else f"{name}, which is not Keras' own,"
        return Values(Kind.UNKNOWN, shape, hiding, text=name, foreign=True)
    if isinstance(operation, (keras.layers.Wrapper, keras.layers.Bidirectional)):
        result = _wrapped(operation, given, shape)
    elif operations.has_weights(name):
        result = operations.with_weights(operation, shape)
    else:
        hidden = next((each for each in given if each.kind is Kind.UNKNOWN), None)
        if hidden:
            result = replace(hidden, shape=shape)
        elif given:
            result = operations.after(operation, given, shape)
        else:
            result = Values(Kind.UNKNOWN, shape, name)
    return _described(operation, result, given, tensor)


def _wrapped(wrapper: Any, given: list[Values], shape: Shape) -> Values:
    name = type(wrapper).__name__
    if name == "Bidirectional":
        found = operations.with_weights(wrapper.forward_layer, shape)
        mixed = wrapper.merge_mode not in ("concat", None) and found.kind is not Kind.REAL
        return Values(Kind.UNKNOWN, shape, name) if mixed or found.axes else found
    inner = wrapper.layer
    if isinstance(inner, keras.Model) and not own_methods(inner, "call") and inner.outputs:
        found = values_of(inner.outputs[0])
        return replace(found, shape=shape, axes=tuple(axis + 1 for axis in found.axes))
    applied = activation_of(inner)
    if applied is not None:
        axis = getattr(inner, "axis", -1)
        return operations.activated(given[0], applied, axis + 1 if axis > 0 else axis, shape)
    if defined_by_keras(type(inner)):
        return operations.with_weights(inner, shape)
    hidden = f"{type(inner).__name__}, which is not Keras' own,"
    return Values(Kind.UNKNOWN, shape, hidden, foreign=True)


def _described(operation: Any, result: Values, given: list[Values], tensor: Any) -> Values:
    """Add the facts that messages and the choice of a head need."""
    name, applied = type(operation).__name__, activation_of(operation)
    half = result.dtype
    if result.kind in SQUASHED and (not given or given[0].kind is not result.kind):
        half = str(tensor.dtype)
    squashed = result.kind if result.kind in SQUASHED else None
    if squashed is None and given and all(each.squashed for each in given):
        squashed = given[0].squashed
    one = given[0] if len(given) == 1 and given[0].kind is not Kind.DATA else None
    if one is None:
        layer = _layer_name(operation) if not given or given[0].kind is Kind.DATA else ""
        return replace(
            result, text=_layer_text(operation, tensor), layer=layer, bare=True, last=True,
            squashed=squashed, dtype=half,
        )  # fmt: skip
    steps = f"{one.text} -> {_step_text(operation, name, applied, tensor)}".split(" -> ")
    if len(steps) > _STEPS_SHOWN:
        steps = ["...", *steps[-_STEPS_SHOWN + 1 :]]
    moves, blocks = applied is not None or name in _MOVES, name.endswith(_ENDS_A_BLOCK)
    return replace(
        result,
        text=" -> ".join(steps),
        layer=one.layer if moves or blocks else "",
        bare=one.bare and not blocks and _sizes(one.shape) == _sizes(tuple(tensor.shape)),
        last=one.last and applied is not None,
        squashed=squashed,
        dtype=half,
    )  # fmt: skip


def _layer_name(operation: Any) -> str:
    wraps = (
        getattr(operation, "layer", None) if isinstance(operation, keras.layers.Wrapper) else None
    )
    return type(wraps or operation).__name__


def _layer_text(operation: Any, tensor: Any) -> str:
    """Return a layer as code."""
    if isinstance(operation, keras.layers.Wrapper):
        return f"{type(operation).__name__}({_layer_text(operation.layer, tensor)})"
    name = type(operation).__name__
    if not operations.has_activation(name):
        return name
    used = activation_name(operation.activation)
    shown = "" if used == "linear" else f", activation='{used}'"
    return f"{name}({tensor.shape[-1]}{shown})"


def _step_text(operation: Any, name: str, applied: str | None, tensor: Any) -> str:
    if name == "Activation":
        return f"{name}('{applied}')"
    axis, rank = getattr(operation, "axis", -1), len(tensor.shape)
    if applied in ("softmax", "log_softmax"):
        axes = [axis] if isinstance(axis, int) else list(range(rank) if axis is None else axis)
        if [each % rank for each in axes] != [rank - 1]:
            return f"{name} over axis {axis}"
    return name


def _sizes(shape: tuple[int | None, ...]) -> tuple[int | None, int | None]:
    """Return the size of a row and of its last axis, which a Flatten may keep."""
    sizes = list(shape)[1:]
    total = None if None in sizes else math.prod(each or 0 for each in sizes)
    return total, shape[-1] if shape else None
