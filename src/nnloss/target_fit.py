"""Whether targets of any rank fit a loss and the shape of an output.

`nnloss.targets` holds the stricter rules of the three tasks. Here are several yes/no answers a row
allowed, labels for each pixel, and classes on another axis than the last.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnloss.table import Domain
from nnloss.targets import remap, shown_values

Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class Misfit:
    """What is not right about targets.

    Parameters
    ----------
    rule, found, remedy : str
        What is needed, what was there, what to do.
    certain : bool
        False where it may be meant: soft labels.
    """

    rule: str
    found: str
    remedy: str
    certain: bool = True


def as_array(y: Any) -> NDArray[Any]:
    """Make an array of targets, of whatever library they are.

    Parameters
    ----------
    y : array_like
        Targets.

    Returns
    -------
    ndarray
        An empty one of objects for rows of different lengths.
    """
    try:
        given = np.asarray(y)
    except ValueError:
        return np.asarray([], dtype=object)
    return given.astype(np.float32) if given.dtype.name == "bfloat16" else given


def misfit(y: Any, shape: Shape, domain: Domain, axis: int, ignored: int | None) -> Misfit | None:
    """Find what is wrong with the targets of an output.

    Parameters
    ----------
    y : array_like
        Targets, rows first.
    shape : tuple of (int or None)
        Of the output, rows first.
    domain : Domain
        What the loss allows.
    axis : int
        Of the classes, from 0.
    ignored : int or None
        A label that the loss leaves out.

    Returns
    -------
    Misfit or None
        None if they fit.
    """
    given = as_array(y)
    rule = f"The targets must be {_SHAPES[domain](shape, axis)}"
    if given.dtype.kind not in "biuf":
        return Misfit(rule, f"y has dtype {given.dtype}", "Convert y to a float or integer array")
    found = f"y has shape {given.shape}"
    if given.ndim == 0 or given.size == 0:
        return Misfit(rule, found, "Give rows")
    if not np.isfinite(given).all():
        return Misfit(rule, "y has NaN or infinite values", "Remove or impute these rows")
    return _CHECKS[domain](given, shape, axis, ignored, rule)


def _numbers(y: NDArray[Any], shape: Shape, axis: int, ignored: Any, rule: str) -> Misfit | None:
    squeezed = shape[:-1] if shape[-1] == 1 else shape
    if _fits(y.shape, shape) or _fits(y.shape, squeezed):
        return None
    return Misfit(rule, f"y has shape {y.shape}", "Give one target for each number of the output")


def _zero_one(y: NDArray[Any], shape: Shape, axis: int, ignored: Any, rule: str) -> Misfit | None:
    if wrong := _numbers(y, shape, axis, ignored, rule):
        return wrong
    labels = y.ravel()
    if np.isin(labels, (0, 1)).all():
        return None
    found = f"y has the values {shown_values(labels)}"
    if labels.min() < 0 or labels.max() > 1:
        two = len(np.unique(labels)) == 2
        return Misfit(rule, found, remap(labels) if two else _NO_BITS)
    return _soft(rule, found)


def _one_hot(y: NDArray[Any], shape: Shape, axis: int, ignored: Any, rule: str) -> Misfit | None:
    classes = shape[axis]
    if not _fits(y.shape, shape):
        labels = _fits(y.shape, _without(shape, axis)) or _fits(y.shape, _column(shape, axis))
        whole = labels and bool(np.all(y == np.floor(y)))
        return Misfit(
            rule,
            f"y has shape {y.shape}" + (", which looks like integer labels" if whole else ""),
            f"Use keras.utils.to_categorical(y, {classes}), or loss="
            "'sparse_categorical_crossentropy'"
            if whole
            else "Give a number for each class",
        )
    sums = y.sum(axis=axis)
    if np.isin(y, (0, 1)).all() and (sums == 1).all():
        return None
    if y.min() >= 0 and np.allclose(sums, 1, atol=1e-3):
        return _soft(rule, "y has rows that sum to 1 and are not one-hot")
    return Misfit(
        rule,
        f"y has rows that are not one-hot, with the values {shown_values(y.ravel())}",
        "Give each row a single 1 and zeros, as keras.utils.to_categorical does",
    )


def _integer(y: NDArray[Any], shape: Shape, axis: int, ignored: Any, rule: str) -> Misfit | None:
    classes = shape[axis]
    if not _fits(y.shape, _without(shape, axis)) and not _fits(y.shape, _column(shape, axis)):
        one_hot = _fits(y.shape, shape)
        return Misfit(
            rule,
            f"y has shape {y.shape}" + (", which looks one-hot" if one_hot else ""),
            f"Use loss='categorical_crossentropy', or y.argmax(axis={axis})"
            if one_hot
            else "Give one label for each row or place",
        )
    labels = y.ravel()
    if ignored is not None:
        labels = labels[labels != ignored]
    wrong = (labels != np.floor(labels)) | (labels < 0)
    if classes is not None:
        wrong |= labels >= classes
    if not wrong.any():
        return None
    return Misfit(
        rule,
        f"y has the values {shown_values(labels[wrong])}",
        "Number the classes from 0, for example with numpy.unique(y, return_inverse=True)[1]",
    )


_NO_BITS = (
    "Give 0 and 1; classes need one softmax unit for each and "
    "loss='sparse_categorical_crossentropy', quantities a linear output and "
    "loss='mean_squared_error'"
)
_Check = Callable[[NDArray[Any], Shape, int, Any, str], Misfit | None]
_CHECKS: dict[Domain, _Check] = {
    Domain.REAL: _numbers,
    Domain.ZERO_ONE: _zero_one,
    Domain.ONE_HOT: _one_hot,
    Domain.INTEGER: _integer,
}
_SHAPES: dict[Domain, Callable[[Shape, int], str]] = {
    Domain.REAL: lambda shape, axis: f"finite numbers of shape {shape_text(shape)}",
    Domain.ZERO_ONE: lambda shape, axis: f"0 or 1, of shape {shape_text(shape)}",
    Domain.ONE_HOT: lambda shape, axis: f"one-hot over axis {axis}, of shape {shape_text(shape)}",
    Domain.INTEGER: lambda shape, axis: (
        f"whole numbers from 0 to {_last(shape[axis])}, "
        f"of shape {shape_text(_without(shape, axis))}"
    ),
}


def _soft(rule: str, found: str) -> Misfit:
    return Misfit(
        rule,
        found,
        "If these are probabilities, the loss is a cross-entropy still and no likelihood of "
        "labels; if they are not, give labels",
        certain=False,
    )


def _fits(given: tuple[int, ...], due: Shape) -> bool:
    return len(given) == len(due) and all(
        size is None or size == each for each, size in zip(given[1:], due[1:], strict=True)
    )


def _without(shape: Shape, axis: int) -> Shape:
    return shape[:axis] + shape[axis + 1 :]


def _column(shape: Shape, axis: int) -> Shape:
    return (*_without(shape, axis), 1)


def shape_text(shape: Shape) -> str:
    """Write a shape, rows first.

    Parameters
    ----------
    shape : tuple of (int or None)
        As ``(None, 3)``.

    Returns
    -------
    str
        As ``"(N, 3)"``.
    """
    inner = ", ".join("any" if size is None else str(size) for size in shape[1:])
    return f"(N, {inner})" if inner else "(N,)"


def _last(classes: int | None) -> str:
    return "C - 1" if classes is None else str(classes - 1)
