"""Output, loss and target coding for two classes: right pairs and wrong ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnloss._tensorflow import keras
from nnloss.training.initial_states import Start
from nnloss.training.seeds import set_seed

Array = NDArray[Any]


@dataclass(frozen=True)
class Pairing:
    """Output, loss and target coding for two classes.

    Parameters
    ----------
    name : str
        Name in tables and figures.
    activations : tuple of str
        Activations of the output layer, applied in turn.
    nodes : int
        Units of the output layer.
    loss : callable
        A function of ``keras.losses``.
    targets : callable
        Function from class numbers to the targets of the loss.
    right : bool
        Whether the pair is in the table.
    """

    name: str
    activations: tuple[str, ...]
    nodes: int
    loss: Callable[[Any, Any], Any]
    targets: Callable[[Array], Array]
    right: bool = False

    def chosen(self, outputs: Any) -> Any:
        """Return the predicted class: the larger of two outputs, or one above 0.5.

        Parameters
        ----------
        outputs : tensor of shape (..., nodes)
            Outputs of the network.

        Returns
        -------
        tensor of bool of shape (...)
            True for class 1.
        """
        return outputs[..., -1] > (outputs[..., 0] if self.nodes == 2 else 0.5)


def _column(y: Array) -> Array:
    return y[:, np.newaxis].astype(np.float32)


def _one_hot(y: Array) -> Array:
    return np.eye(2, dtype=np.float32)[y]


def _signs(y: Array) -> Array:
    return 2 * _column(y) - 1


_LOSSES = keras.losses
#: Right pairs first, then their mistakes.
PAIRINGS = (
    Pairing("sigmoid + BCE", ("sigmoid",), 1, _LOSSES.binary_crossentropy, _column, right=True),
    Pairing(
        "softmax + CCE", ("softmax",), 2, _LOSSES.categorical_crossentropy, _one_hot, right=True
    ),
    Pairing("sigmoid + MSE", ("sigmoid",), 1, _LOSSES.mean_squared_error, _column),
    Pairing("softmax + MSE", ("softmax",), 2, _LOSSES.mean_squared_error, _one_hot),
    Pairing(
        "double softmax + CCE",
        ("softmax", "softmax"),
        2,
        _LOSSES.categorical_crossentropy,
        _one_hot,
    ),
    Pairing("softmax + MSE, integer labels", ("softmax",), 2, _LOSSES.mean_squared_error, _column),
    Pairing("sigmoid + BCE, labels -1 and 1", ("sigmoid",), 1, _LOSSES.binary_crossentropy, _signs),
    Pairing("linear + BCE", ("linear",), 1, _LOSSES.binary_crossentropy, _column),
)


def build(pairing: Pairing, features: int, hidden: int) -> Any:
    """Return a network with one hidden ReLU layer and the outputs of a pairing."""
    inputs = keras.Input((features,))
    outputs = keras.layers.Dense(hidden, "relu")(inputs)
    first, *others = pairing.activations
    outputs = keras.layers.Dense(pairing.nodes, first)(outputs)
    for activation in others:
        outputs = keras.layers.Activation(activation)(outputs)
    return keras.Model(inputs, outputs)


def starts(
    pairing: Pairing, features: int, hidden: int, seed: int, biases: Sequence[float]
) -> list[Start]:
    """Return the start of one network with each bias of the output layer."""
    set_seed(seed)
    network = build(pairing, features, hidden)
    start = Start.of(network)
    *others, _ = start.variables  # the last one is the output bias
    # Only the difference of two logits matters.
    shares = np.array([1.0] if pairing.nodes == 1 else [-0.5, 0.5], dtype=np.float32)
    return [replace(start, variables=[*others, bias * shares]) for bias in biases]
