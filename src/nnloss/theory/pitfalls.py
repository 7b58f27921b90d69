"""Mismatched pairs trained from many seeds with Keras' losses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnloss._tensorflow import keras, tf
from nnloss.datasets import Split
from nnloss.theory.claims import Claim, same
from nnloss.training import device_data
from nnloss.training.initial_states import Start
from nnloss.training.seeds import set_seed
from nnloss.training.stacked_models import Data, StackedModels

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
        outputs : tensor, shape (..., nodes)

        Returns
        -------
        tensor of bool, shape (...)
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


def double_softmax_floor(classes: int) -> float:
    """Return the smallest CCE that a double softmax can reach.

    The inner softmax returns values from 0 to 1, so the outer one assigns a class at most
    e / (e + K - 1).

    Parameters
    ----------
    classes : int
        K, at least 2.

    Returns
    -------
    float
        ln(e + K - 1) - 1, in nats.
    """
    return float(np.log(np.e + classes - 1) - 1)


def floor_claims() -> list[Claim]:
    """Compare the floor of the double softmax with Keras' loss of perfect predictions.

    Returns
    -------
    list of Claim
        For 2 and for 10 classes.
    """
    claims = []
    for classes in (2, 10):
        perfect = np.eye(classes, dtype=np.float32)
        twice = keras.ops.softmax(perfect)  # the inner softmax has saturated to one-hot
        loss = float(_LOSSES.CategoricalCrossentropy()(perfect, twice))
        claim = f"best CCE = ln(e + K - 1) - 1, K = {classes}"
        claims.append(same("double softmax", claim, loss, double_softmax_floor(classes), 1e-6))
    return claims


def gradients(logits: Array) -> pd.DataFrame:
    """Compute the gradients of BCE and MSE in the logit for a row of class 1, by Keras.

    Parameters
    ----------
    logits : ndarray, shape (N,)
        Large negative values are confident mistakes.

    Returns
    -------
    DataFrame
        ``logit``, ``probability`` p, and the gradients ``BCE``, p - 1, and ``MSE``,
        2 (p - 1) p (1 - p).
    """
    z = tf.Variable(logits[:, np.newaxis])
    truth = np.ones((len(logits), 1))
    with tf.GradientTape(persistent=True) as tape:
        p = tf.sigmoid(z)
        losses = {
            "BCE": _LOSSES.binary_crossentropy(truth, z.value(), from_logits=True),
            "MSE": _LOSSES.mean_squared_error(truth, p),
        }
    slopes = {name: tape.gradient(loss, z)[:, 0].numpy() for name, loss in losses.items()}
    return pd.DataFrame({"logit": logits, "probability": p[:, 0].numpy()} | slopes)


def train(
    pairing: Pairing,
    split: Split,
    seeds: Iterable[int],
    biases: Sequence[float] = (0.0,),
    *,
    hidden: int = 16,
    epochs: int = 30,
    batch_size: int = 50,
) -> pd.DataFrame:
    """Train a network with one hidden layer from many seeds.

    For each seed, all pairings start from the same hidden weights and see the same batches.

    Parameters
    ----------
    pairing : Pairing
    split : Split
        Two classes; inputs of shape (N, features).
    seeds : iterable of int
        Distinct seeds.
    biases : sequence of float, default (0.0,)
        Initial logits of class 1 from the output bias; each seed is trained with each of them. A
        large value makes the untrained network confident.
    hidden : int, default 16
        ReLU units.
    epochs, batch_size : int
        As for ``fit``; the optimizer is Adam. If the batch size divides the number of rows, the
        training step is traced once instead of twice.

    Returns
    -------
    DataFrame
        One row per seed, bias and epoch: ``pairing``, ``seed``, ``bias``, ``epoch``, training
        ``loss``, and ``accuracy`` on the test rows.
    """
    seeds = list(seeds)
    begun = pd.DataFrame(list(product(seeds, biases)), columns=["seed", "bias"])
    features = split.x_train.shape[1]
    starts = [start for seed in seeds for start in _starts(pairing, features, hidden, seed, biases)]
    rows = (split.x_train, split.y_train), (split.x_test, split.y_test)
    data = Data(*device_data.tensors([(x, pairing.targets(y)) for x, y in rows]))
    template = _network(pairing, features, hidden)
    measures = {
        "loss": pairing.loss,
        "accuracy": lambda y, outputs: tf.cast(
            tf.equal(pairing.chosen(outputs), y[..., -1] > 0.5), tf.float32
        ),
    }
    ensemble = StackedModels(
        template,
        measures,
        data,
        keras.optimizers.Adam(),
        batch_size,
        len(starts),
        jit_compile=False,  # training ends before compilation pays off
    )
    ensemble.load(starts)
    frames = []
    for epoch in range(epochs):
        loss = ensemble.train(epoch)["loss"]
        accuracy = ensemble.evaluate()["accuracy"]
        frames.append(begun.assign(epoch=epoch + 1, loss=loss, accuracy=accuracy))
    table = pd.concat(frames, ignore_index=True)
    table.insert(0, "pairing", pairing.name)
    return table


def summary(runs: pd.DataFrame, level: float) -> pd.DataFrame:
    """Summarise trainings by pairing.

    Parameters
    ----------
    runs : DataFrame
        Result of `train`, for one or several pairings.
    level : float
        Accuracy to reach.

    Returns
    -------
    DataFrame
        One row per pairing: mean ``loss`` and ``accuracy`` of the last epoch, ``worst`` and
        ``best`` accuracy of a seed, number of ``seeds``, how many ``reached`` `level`, and the
        median of the ``epochs`` they needed.
    """
    rows = []
    for name, group in runs.groupby("pairing", sort=False):
        last = group[group["epoch"] == group["epoch"].max()]
        reached = group[group["accuracy"] >= level].groupby("seed")["epoch"].min()
        rows.append(
            {
                "pairing": name,
                "loss": last["loss"].mean(),
                "accuracy": last["accuracy"].mean(),
                "worst": last["accuracy"].min(),
                "best": last["accuracy"].max(),
                "reached": len(reached),
                "seeds": last["seed"].nunique(),
                "epochs": reached.median(),
            }
        )
    return pd.DataFrame(rows)


def keras_error(y: Array) -> str:
    """Return Keras' error message for CCE with integer labels.

    Of the mistakes here, it is the only one that Keras rejects.

    Parameters
    ----------
    y : ndarray of int, shape (N,)
        Class numbers.

    Returns
    -------
    str
        First sentence of the message; empty without an error.
    """
    try:
        _LOSSES.categorical_crossentropy(y, np.full((len(y), 2), 0.5, dtype=np.float32))
    except ValueError as error:
        return str(error).splitlines()[0].partition(". ")[0]
    return ""


def _network(pairing: Pairing, features: int, hidden: int) -> Any:
    inputs = keras.Input((features,))
    outputs = keras.layers.Dense(hidden, "relu")(inputs)
    first, *others = pairing.activations
    outputs = keras.layers.Dense(pairing.nodes, first)(outputs)
    for activation in others:
        outputs = keras.layers.Activation(activation)(outputs)
    return keras.Model(inputs, outputs)


def _starts(
    pairing: Pairing, features: int, hidden: int, seed: int, biases: Sequence[float]
) -> list[Start]:
    """Return the start of one network with each bias of the output layer."""
    set_seed(seed)
    network = _network(pairing, features, hidden)
    start = Start.of(network)
    *others, _ = start.variables  # the last one is the output bias
    # Only the difference of two logits matters.
    shares = np.array([1.0] if pairing.nodes == 1 else [-0.5, 0.5], dtype=np.float32)
    return [replace(start, variables=[*others, bias * shares]) for bias in biases]
