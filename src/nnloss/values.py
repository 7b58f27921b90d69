"""What numbers may be: any real number, probabilities, a distribution, something hidden."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


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


#: What an activation, by Keras' name, makes of any real numbers; another one confines them.
KINDS = {
    "linear": Kind.REAL,
    "sigmoid": Kind.PROBABILITIES,
    "softmax": Kind.DISTRIBUTION,
    "log_softmax": Kind.LOG_DISTRIBUTION,
}
# Activations that no number bounds from above: a softmax of them can still be any distribution.
UNBOUNDED = {
    "relu", "leaky_relu", "prelu", "elu", "selu", "celu", "gelu", "silu", "swish", "mish",
    "softplus", "exponential", "squareplus", "threshold",
}  # fmt: skip
