"""What is known of the numbers of a tensor, and how they came about."""

from __future__ import annotations

from dataclasses import dataclass

from nnloss.table import Kind
from nnloss.table.domains import Shape

#: Kinds that an activation has squeezed into probabilities.
SQUASHED = (Kind.PROBABILITIES, Kind.DISTRIBUTION, Kind.LOG_DISTRIBUTION, Kind.TWICE)


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
    text : str
        The layers they come from, as one writes them, for messages.
    layer : str
        Class of the last layer with weights; empty after arithmetic on several tensors.
    bare : bool
        Whether nothing but activations and moves follows that layer: no pooling, no dropout.
    last : bool
        Whether nothing but activations follows it.
    foreign : bool
        Whether code that is not Keras' own hides what they are.
    squashed : Kind, optional
        The probabilities that they were made of, though they may be none any more.
    dtype : str
        Type in which the activation was computed.
    """

    kind: Kind
    shape: Shape
    activation: str = "linear"
    axes: tuple[int, ...] = ()
    text: str = ""
    layer: str = ""
    bare: bool = True
    last: bool = True
    foreign: bool = False
    squashed: Kind | None = None
    dtype: str = ""

    def units(self, axis: int = -1) -> int | None:
        """Return the number of nodes.

        Parameters
        ----------
        axis : int, default -1
            Of the classes.

        Returns
        -------
        int or None
            1 where each row has a single number; None where the size is not fixed.
        """
        return 1 if len(self.shape) < 2 else self.shape[axis]

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
