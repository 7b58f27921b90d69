"""Activation functions and the range of their values, by Keras name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import inf, isfinite


class Kind(Enum):
    """Kind of values that an output can have."""

    REAL = "any real number"
    POSITIVE = "above 0"
    PROBABILITIES = "each between 0 and 1"
    DISTRIBUTION = "summing to 1 over some axes"
    LOG_DISTRIBUTION = "logarithms of a distribution"
    TWICE = "an activation of probabilities"
    OTHER = "confined in another way"
    DATA = "an input of the model"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Activation:
    """An activation function and the range of its values.

    Parameters
    ----------
    name : str
        Name in `keras.activations`.
    kind : Kind, default Kind.OTHER
        Kind of its values for arbitrary real inputs.
    lower, upper : float
        Bounds of its values; infinite without a bound.
    bends : bool, default False
        Whether it is linear except for a kink at 0.

    Examples
    --------
    >>> from nnloss.table import Activation
    >>> Activation("relu", lower=0).limit
    'which cannot predict below 0'
    """

    name: str
    kind: Kind = Kind.OTHER
    lower: float = -inf
    upper: float = inf
    bends: bool = False

    @property
    def limit(self) -> str:
        """Restriction of the output as a relative clause; empty without a restriction."""
        if isfinite(self.lower) and isfinite(self.upper):
            return f"which cannot leave the range {self.lower:g} to {self.upper:g}"
        if isfinite(self.lower):
            return f"which cannot predict below {self.lower:g}"
        if isfinite(self.upper):
            return f"which cannot predict above {self.upper:g}"
        return "which bends at 0" if self.bends else ""


_KNOWN = {
    each.name: each
    for each in (
        Activation("linear", Kind.REAL),
        Activation("exponential", Kind.POSITIVE, 0),
        Activation("softplus", Kind.POSITIVE, 0),
        Activation("squareplus", Kind.POSITIVE, 0),
        Activation("sigmoid", Kind.PROBABILITIES, 0, 1),
        Activation("softmax", Kind.DISTRIBUTION, 0, 1),
        Activation("log_softmax", Kind.LOG_DISTRIBUTION, upper=0),
        Activation("relu", lower=0),
        Activation("relu6", lower=0, upper=6),
        Activation("leaky_relu", bends=True),
        Activation("prelu", bends=True),
        Activation("elu", lower=-1),
        Activation("celu", lower=-1),
        Activation("selu", lower=-1.75810),
        Activation("gelu", lower=-0.17005),
        Activation("silu", lower=-0.27847),
        Activation("swish", lower=-0.27847),
        Activation("mish", lower=-0.30885),
        Activation("hard_silu", lower=-0.375),
        Activation("hard_swish", lower=-0.375),
        Activation("sparse_plus", lower=0),
        Activation("hard_sigmoid", lower=0, upper=1),
        Activation("sparse_sigmoid", lower=0, upper=1),
        Activation("sparsemax", lower=0, upper=1),
        Activation("tanh", lower=-1, upper=1),
        Activation("hard_tanh", lower=-1, upper=1),
        Activation("softsign", lower=-1, upper=1),
        Activation("log_sigmoid", upper=0),
        Activation("hard_shrink"),
        Activation("soft_shrink"),
        Activation("tanh_shrink"),
        Activation("threshold"),
    )
}


def activation(name: str) -> Activation | None:
    """Return the activation with this name in ``keras.activations``, or None if it is unknown."""
    return _KNOWN.get(name)
