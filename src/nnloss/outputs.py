"""Follow an output back to the layers that it comes from, to tell what its numbers are.

Each step back says what it makes of the numbers that it is given (`nnloss.operations`). What cannot
be known is said to be so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from nnloss import operations
from nnloss._keras import defined_by_keras, keras, own_methods
from nnloss.heads import activation_of, inputs_of, path_key
from nnloss.values import Kind, Values

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
    if operations.starts_anew(name):
        return operations.with_weights(operation, shape)
    given = []  # no comprehension: each is a call more in what may be a long way back
    for source in sources:
        given.append(_values(source, inside, seen))
    hidden = next((each for each in given if each.kind is Kind.UNKNOWN), None)
    if hidden:
        return replace(hidden, shape=shape)
    return operations.after(operation, given, shape)


def _wrapped(operation: Any, shape: operations.Shape, source: Callable[[], Values]) -> Values:
    name = type(operation).__name__
    if name == "Bidirectional":
        found = operations.with_weights(operation.forward_layer, shape)
        mixed = operation.merge_mode not in ("concat", None) and found.kind is not Kind.REAL
        return Values(Kind.UNKNOWN, shape, name) if mixed or found.axes else found
    inner = operation.layer
    if isinstance(inner, keras.Model) and not own_methods(inner, "call") and inner.outputs:
        found = values_of(inner.outputs[0])
        return replace(found, shape=shape, axes=tuple(axis + 1 for axis in found.axes))
    applied = activation_of(inner)
    if applied is not None:
        axis = getattr(inner, "axis", -1)
        return operations.activated(source(), applied, axis + 1 if axis > 0 else axis, shape)
    if defined_by_keras(type(inner)):
        return operations.with_weights(inner, shape)
    return Values(Kind.UNKNOWN, shape, f"{type(inner).__name__}, which is not Keras' own,")
