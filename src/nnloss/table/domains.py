"""Domains: values and shapes that the targets of a loss may have."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnloss.errors import TargetError

#: Shape of an output, rows first; None for a size that is not fixed.
Shape = tuple[int | None, ...]

_SHOWN = 5  # rows and values listed in a message


@dataclass(frozen=True)
class Misfit:
    """A problem with targets, or a remark about them.

    Parameters
    ----------
    found, remedy : str
        What was found, and what to do.
    wrong : bool, default True
        False for a remark on targets that may be intended, such as soft labels.
    """

    found: str
    remedy: str
    wrong: bool = True


class Domain:
    """Values and shapes that targets may have.

    Attributes
    ----------
    by_node : bool
        Whether each output node has a separate target.

    Examples
    --------
    >>> import numpy as np
    >>> from nnloss.table import ONE_HOT, ZERO_ONE
    >>> ZERO_ONE.misfit(np.array([0, 1, 1]), (None, 1)) is None
    True
    >>> print(ZERO_ONE.misfit(np.array([-1, 1, 1]), (None, 1)).remedy)
    Use (y + 1) // 2
    >>> ONE_HOT.text((None, 3))
    'targets that are one-hot, of shape (N, 3)'
    """

    by_node: bool = True

    def text(self, shape: Shape, axis: int = -1) -> str:
        """Return a description of valid targets and their shape, to follow "needs".

        Parameters
        ----------
        shape : tuple of int or None
            Shape of the output, rows first; None for a size that is not fixed.
        axis : int, default -1
            Axis of the classes.

        Returns
        -------
        str
            Plural, with the shape.
        """
        raise NotImplementedError

    def misfit(
        self,
        y: NDArray[Any],
        shape: Shape,
        axis: int = -1,
        *,
        ignored: int | None = None,
        sample: bool = False,
    ) -> Misfit | None:
        """Check targets.

        Parameters
        ----------
        y : ndarray
            Finite real numbers, rows first.
        shape : tuple of int or None
            Shape of the output, rows first; None for a size that is not fixed.
        axis : int, default -1
            Axis of the classes.
        ignored : int, optional
            Label that the loss ignores.
        sample : bool, default False
            Whether `y` is only a batch. A pattern in all its rows may then be chance.

        Returns
        -------
        Misfit or None
            None for valid targets.
        """
        raise NotImplementedError

    def encode(self, numbers: NDArray[np.int64], classes: int) -> NDArray[Any]:
        """Return class numbers as targets of this domain.

        Parameters
        ----------
        numbers : ndarray of int64 of shape (N,)
            From 0 to ``classes - 1``.
        classes : int
            Number of classes.

        Returns
        -------
        ndarray
            Numbers of shape (N,), or one-hot rows.

        Raises
        ------
        TargetError
            If targets of this domain cannot represent so many classes.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Interval(Domain):
    """Numbers between two bounds, one for each output node.

    Parameters
    ----------
    noun : str
        Plural noun for the targets.
    lower, upper : float
        Bounds.
    open : bool, default False
        Whether the bounds are excluded.
    whole : bool, default False
        Whether targets are whole numbers.
    soft : bool, default False
        Whether fractions are allowed, with a remark, as probabilities of a label.
    """

    noun: str
    lower: float = -inf
    upper: float = inf
    open: bool = False
    whole: bool = False
    soft: bool = False

    def text(self, shape: Shape, axis: int = -1) -> str:  # noqa: D102
        column = shape[-1] == 1 and len(shape) > 1
        shapes = f"{shape_text(shape[:-1])} or {shape_text(shape)}" if column else shape_text(shape)
        return f"targets that are {self.noun}, of shape {shapes}"

    def misfit(  # noqa: D102
        self,
        y: NDArray[Any],
        shape: Shape,
        axis: int = -1,
        *,
        ignored: int | None = None,
        sample: bool = False,
    ) -> Misfit | None:
        column = shape[-1] == 1 and len(shape) > 1
        if not _fits(y.shape, shape) and not (column and _fits(y.shape, shape[:-1])):
            return self._another_shape(y, shape)
        labels = y.reshape(len(y), -1)
        outside = (labels < self.lower) | (labels > self.upper)
        if self.open:
            outside |= (labels == self.lower) | (labels == self.upper)
        fractions = np.zeros_like(outside)
        if self.whole or self.soft:
            fractions = labels != np.floor(labels)
        bad = outside | fractions if self.whole else outside
        if bad.any():
            return Misfit(_values_found(y, np.any(bad | fractions, axis=1)), self._remedy(y))
        if self.soft and fractions.any():
            return Misfit(
                f"found the soft labels {shown_values(labels[fractions])} in y",
                "Soft labels are allowed: the loss is still a cross-entropy, minimal at the "
                "probabilities given; label_smoothing= in the loss softens labels of 0 and 1",
                wrong=False,
            )
        if len(shape) == 2 and not sample and _are_choices(labels):
            return Misfit(
                f"found one-hot rows in y of shape {y.shape}: each row belongs to one class",
                "End in softmax with loss='categorical_crossentropy' to choose one class a row",
            )
        return None

    def encode(self, numbers: NDArray[np.int64], classes: int) -> NDArray[Any]:  # noqa: D102
        if not self.soft:
            raise TargetError(
                f"Targets that are {self.noun} have no classes",
                f"found {classes} classes to encode",
                "Give the targets as they are, or use task BINARY or MULTICLASS",
            )
        if classes != 2:
            raise TargetError(
                f"Targets that are {self.noun} have two classes",
                f"found {classes}",
                "Use task MULTICLASS",
            )
        return numbers

    def _another_shape(self, y: NDArray[Any], shape: Shape) -> Misfit:
        found = f"found y of shape {y.shape}"
        nodes = shape[-1] if len(shape) > 1 else 1
        if self.soft and y.shape[1:] == (2,) and nodes == 1 and _is_one_hot(y):
            # Column 1 of one-hot rows is the label; column 0 would swap the classes.
            return Misfit(found, "Use y.argmax(axis=1), or task MULTICLASS with classes=2")
        if nodes == 1:
            return Misfit(found, "Give one target a row, for example one column of y")
        return Misfit(found, "Give one target for each number of the output")

    def _remedy(self, y: NDArray[Any]) -> str:
        if self.soft:
            return _remap(np.unique(y))
        if self.whole and isfinite(self.lower):
            return (
                "Give counts, such as the number of events; a quantity needs task REGRESSION "
                "(a linear output and loss='mean_squared_error')"
            )
        return f"Give {self.noun}, or choose a loss that allows the values of y"


@dataclass(frozen=True)
class OneHot(Domain):
    """One-hot rows, or distributions over the classes."""

    by_node = False

    def text(self, shape: Shape, axis: int = -1) -> str:  # noqa: D102
        over = "" if len(shape) == 2 else f" over axis {axis % len(shape)}"
        return f"targets that are one-hot{over}, of shape {shape_text(shape)}"

    def misfit(  # noqa: D102
        self,
        y: NDArray[Any],
        shape: Shape,
        axis: int = -1,
        *,
        ignored: int | None = None,
        sample: bool = False,
    ) -> Misfit | None:
        classes = shape[axis]
        if not _fits(y.shape, shape):
            if not _label_shaped(y.shape, shape, axis):
                return Misfit(
                    f"found y of shape {y.shape}",
                    f"Give one column for each of the {classes} classes, or set classes to their "
                    "number",
                )
            whole = bool((y == np.floor(y)).all())
            what = "integer labels" if whole else "values"
            found = f"found {what} {shown_values(y)} in y of shape {y.shape}"
            if whole and y.min() >= 0 and (classes is None or y.max() < classes):
                return Misfit(
                    found,
                    f"Use keras.utils.to_categorical(y, {classes}), or "
                    "loss='sparse_categorical_crossentropy'",
                )
            return Misfit(found, _NUMBER if whole else _QUANTITY)
        sums = y.sum(axis=axis, keepdims=True)
        bits = (y == 0) | (y == 1)
        bad = ~(bits & (sums == 1)).reshape(len(y), -1).all(axis=1)
        if not bad.any():
            return None
        if y.min() >= 0 and np.allclose(sums, 1, atol=1e-3):
            return Misfit(
                "found soft labels in y: rows that sum to 1 and are not one-hot",
                "Soft labels are allowed: the loss is still a cross-entropy, minimal at the "
                "probabilities given; label_smoothing= in the loss softens one-hot rows",
                wrong=False,
            )
        example = np.moveaxis(y[bad], axis, -1).reshape(-1, y.shape[axis])
        off = np.abs(example.sum(axis=1) - 1) + (example < 0).sum(axis=1)
        return Misfit(
            f"found rows of y that are not one-hot, for example {_row(example[off.argmax()])}; "
            f"{rows_text(bad)}",
            "End in sigmoid with loss='binary_crossentropy', if a row may have several labels"
            if bits.all() and (sums > 1).any()
            else "Give each row a single 1 and zeros, as keras.utils.to_categorical does",
        )

    def encode(self, numbers: NDArray[np.int64], classes: int) -> NDArray[Any]:  # noqa: D102
        return np.eye(classes, dtype=np.float32)[numbers]


@dataclass(frozen=True)
class Integers(Domain):
    """Class numbers, starting at 0."""

    by_node = False

    def text(self, shape: Shape, axis: int = -1) -> str:  # noqa: D102
        last = "C - 1" if shape[axis] is None else str((shape[axis] or 0) - 1)
        shapes = f"{shape_text(_without(shape, axis))} or {shape_text(_column(shape, axis))}"
        return f"targets that are integer labels from 0 to {last}, of shape {shapes}"

    def misfit(  # noqa: D102
        self,
        y: NDArray[Any],
        shape: Shape,
        axis: int = -1,
        *,
        ignored: int | None = None,
        sample: bool = False,
    ) -> Misfit | None:
        if not _label_shaped(y.shape, shape, axis):
            if _fits(y.shape, shape):
                return Misfit(
                    f"found y of shape {y.shape}, which looks one-hot",
                    f"Use loss='categorical_crossentropy', or y.argmax(axis={axis % len(shape)})",
                )
            return Misfit(f"found y of shape {y.shape}", "Give one label for each row or place")
        bad = (y != np.floor(y)) | (y < 0)
        classes = shape[axis]
        if classes is not None:
            bad |= y >= classes
        if ignored is not None:
            bad &= y != ignored
        if not bad.any():
            return None
        rows = bad.reshape(len(y), -1).any(axis=1)
        return Misfit(
            f"found values {shown_values(y[bad])} in y of shape {y.shape}, {rows_text(rows)}",
            _NUMBER,
        )

    def encode(self, numbers: NDArray[np.int64], classes: int) -> NDArray[Any]:  # noqa: D102
        return numbers


REAL = Interval("finite numbers")
ZERO_ONE = Interval("0 or 1", 0, 1, soft=True)
COUNT = Interval("counts 0, 1, 2, ...", 0, whole=True)
ONE_HOT = OneHot()
INTEGER = Integers()

_NUMBER = (
    "Number the classes from 0, for example with numpy.unique(y, return_inverse=True)[1], and "
    "check their number"
)
_QUANTITY = "Use task REGRESSION (a linear output and loss='mean_squared_error') for a quantity"


def _remap(unique: NDArray[Any]) -> str:
    """Return advice on how to turn labels into 0 and 1, without a full stop."""
    if unique.tolist() == [-1, 1]:
        return "Use (y + 1) // 2"
    if unique.tolist() == [1, 2]:
        return "Use y - 1"
    if len(unique) == 2 and (unique == np.floor(unique)).all():
        return f"Use (y == {unique[1]:g}).astype(int)"
    if len(unique) == 1:
        return "Number the two classes 0 and 1"
    if (unique != np.floor(unique)).any():
        return _QUANTITY
    return (
        f"Use task MULTICLASS with classes={len(unique)} (softmax and "
        "loss='sparse_categorical_crossentropy') for classes, or task REGRESSION (a linear output "
        "and loss='mean_squared_error') for a quantity"
    )


def _is_one_hot(rows: NDArray[Any]) -> bool:
    return bool(((rows == 0) | (rows == 1)).all() and (rows.sum(axis=1) == 1).all())


def _are_choices(rows: NDArray[Any]) -> bool:
    """Return whether rows of several columns are one-hot and not all equal."""
    return rows.shape[1] > 1 and _is_one_hot(rows) and bool((rows != rows[0]).any())


def _fits(given: tuple[int, ...], due: Shape) -> bool:
    return len(given) == len(due) and all(
        size is None or size == each for each, size in zip(given[1:], due[1:], strict=True)
    )


def _label_shaped(given: tuple[int, ...], shape: Shape, axis: int) -> bool:
    return _fits(given, _without(shape, axis)) or _fits(given, _column(shape, axis))


def _without(shape: Shape, axis: int) -> Shape:
    axis %= len(shape)
    return shape[:axis] + shape[axis + 1 :]


def _column(shape: Shape, axis: int) -> Shape:
    return (*_without(shape, axis), 1)


def shape_text(shape: Shape) -> str:
    """Return a shape as text, such as ``"(N, 3)"`` for ``(None, 3)``."""
    inner = ", ".join("any" if size is None else str(size) for size in shape[1:])
    return f"(N, {inner})" if inner else "(N,)"


def shown_values(values: ArrayLike) -> str:
    """Return the first few distinct values in ascending order, for a message."""
    unique = np.unique(values)
    text = ", ".join(f"{value:g}" for value in unique[:_SHOWN])
    return f"{text}, ..." if len(unique) > _SHOWN else text


def _values_found(y: NDArray[Any], bad: Any) -> str:
    return f"found values {shown_values(y)} in y of shape {y.shape}, {rows_text(bad)}"


def _row(values: NDArray[Any]) -> str:
    shown = ", ".join(f"{value:g}" for value in values[:10])
    return f"[{shown}, ...]" if len(values) > 10 else f"[{shown}]"


def rows_text(bad: Any) -> str:
    """Return the positions of the first few bad rows, for a message."""
    positions = np.flatnonzero(bad)
    text = ", ".join(str(position) for position in positions[:_SHOWN])
    return f"first bad rows {text}" + (", ..." if len(positions) > _SHOWN else "")
