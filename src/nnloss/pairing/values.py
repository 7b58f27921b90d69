"""Values of a tensor: their kind, and the layers that produced them."""

from __future__ import annotations

from dataclasses import dataclass

from nnloss.table import Kind
from nnloss.table.domains import Shape

#: Kinds of values after an activation that returns probabilities.
SQUASHED = (Kind.PROBABILITIES, Kind.DISTRIBUTION, Kind.LOG_DISTRIBUTION, Kind.TWICE)


@dataclass(frozen=True)
class Values:
    """What is known of the values of a tensor."""

    kind: Kind
    shape: Shape
    activation: str = "linear"  # the last activations; for Kind.UNKNOWN, what hides the kind
    axes: tuple[int, ...] = ()  # over which a distribution sums to 1
    text: str = ""  # the layers as code, for messages
    layer: str = ""  # class of the last layer with weights; empty after arithmetic on tensors
    bare: bool = True  # only activations and moves follow that layer: no pooling, no dropout
    last: bool = True  # only activations follow that layer
    foreign: bool = False  # custom code hides the kind
    squashed: Kind | None = None  # kind of the probabilities from which the values come
    dtype: str = ""  # in which the activation was computed

    def units(self, axis: int = -1) -> int | None:
        """Return the number of nodes: 1 for one number per row, None if the size is not fixed."""
        return 1 if len(self.shape) < 2 else self.shape[axis]

    def size(self, axes: tuple[int, ...]) -> int | None:
        """Return how many numbers a row has along some axes, or None if a size is not fixed."""
        total = 1
        for axis in axes:
            size = self.shape[axis]
            if size is None:
                return None
            total *= size
        return total
