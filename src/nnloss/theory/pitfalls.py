"""Mismatched pairs trained from many seeds with Keras' losses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnloss._tensorflow import keras, tf
from nnloss.datasets import Split
from nnloss.theory.claims import Claim, same
from nnloss.theory.pairings import PAIRINGS, Pairing, build, starts
from nnloss.training import device_data
from nnloss.training.stacked_models import Data, StackedModels

Array = NDArray[Any]

#: Test accuracy that a pairing should reach.
GOOD = 0.97
#: Initial logit of class 1 in a "sure" start; the probability is 0.999994 before the first step.
SURE = 12.0

_BOTH_STARTS = 4  # of PAIRINGS: cross-entropy and MSE with the same outputs


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
        The floor, ln(e + K - 1) - 1, in nats.

    Examples
    --------
    >>> from nnloss.theory import pitfalls
    >>> pitfalls.double_softmax_floor(2), pitfalls.double_softmax_floor(10)
    (0.3133, 1.4612)
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
        loss = float(keras.losses.CategoricalCrossentropy()(perfect, twice))
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
        Columns ``logit``, ``probability`` p, and the gradients ``BCE``, p - 1, and ``MSE``,
        2 (p - 1) p (1 - p).

    Examples
    --------
    A mistake of which the network is sure costs it nothing with MSE:

    >>> import numpy as np
    >>> from nnloss.theory import pitfalls
    >>> pitfalls.gradients(np.array([-8.0, 0.0])).round(4)
       logit  probability     BCE     MSE
    0   -8.0       0.0003 -0.9997 -0.0007
    1    0.0       0.5000 -0.5000 -0.2500
    """
    z = tf.Variable(logits[:, np.newaxis])
    truth = np.ones((len(logits), 1))
    with tf.GradientTape(persistent=True) as tape:
        p = tf.sigmoid(z)
        losses = {
            "BCE": keras.losses.binary_crossentropy(truth, z.value(), from_logits=True),
            "MSE": keras.losses.mean_squared_error(truth, p),
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
        Output, loss and coding of the targets.
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
    begin = [each for seed in seeds for each in starts(pairing, features, hidden, seed, biases)]
    rows = (split.x_train, split.y_train), (split.x_test, split.y_test)
    data = Data(*device_data.tensors([(x, pairing.targets(y)) for x, y in rows]))
    template = build(pairing, features, hidden)
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
        len(begin),
        jit_compile=False,  # training ends before compilation pays off
    )
    ensemble.load(begin)
    frames = []
    for epoch in range(epochs):
        loss = ensemble.train(epoch)["loss"]
        accuracy = ensemble.evaluate()["accuracy"]
        frames.append(begun.assign(epoch=epoch + 1, loss=loss, accuracy=accuracy))
    table = pd.concat(frames, ignore_index=True)
    table.insert(0, "pairing", pairing.name)
    return table


def train_all(split: Split, seeds: Iterable[int], epochs: int) -> pd.DataFrame:
    """Train each pairing from usual starts; cross-entropy and MSE also from sure ones.

    Parameters
    ----------
    split, seeds, epochs
        See `train`.

    Returns
    -------
    DataFrame
        Result of `train` for all `PAIRINGS`, with `SURE` as the bias of a sure start.
    """
    seeds = list(seeds)
    return pd.concat(
        train(pairing, split, seeds, (0, SURE) if place < _BOTH_STARTS else (0.0,), epochs=epochs)
        for place, pairing in enumerate(PAIRINGS)
    )


def by_question(runs: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the result of `train_all` in three parts, by title.

    Cross-entropy and MSE from the usual start, the same from the sure start, and the other
    mistakes.
    """
    compared = runs["pairing"].isin([each.name for each in PAIRINGS[:_BOTH_STARTS]])
    return {
        "Cross-entropy and MSE, usual start": runs[compared & (runs["bias"] == 0)],
        f"Cross-entropy and MSE, sure start (logit {SURE:g})": runs[runs["bias"] == SURE],
        "Other mistakes, usual start": runs[~compared],
    }


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


def summary_table(found: pd.DataFrame) -> pd.DataFrame:
    """Return the result of `summary` as a table to read.

    Parameters
    ----------
    found : DataFrame
        Result of `summary`.

    Returns
    -------
    DataFrame
        ``pairing``, training ``loss``, ``mean`` and ``worst`` test accuracy of a seed, ``seeds``
        that reached the level, and the median of the ``epochs`` they needed.
    """
    return pd.DataFrame(
        {
            "pairing": found["pairing"],
            "loss": [f"{value:.3g}" for value in found["loss"]],
            "mean": [f"{value:.3f}" for value in found["accuracy"]],
            "worst": [f"{value:.3f}" for value in found["worst"]],
            "seeds": [
                f"{n} of {all_}" for n, all_ in zip(found["reached"], found["seeds"], strict=True)
            ],
            "epochs": ["-" if np.isnan(n) else f"{n:g}" for n in found["epochs"]],
        }
    )


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
        keras.losses.categorical_crossentropy(y, np.full((len(y), 2), 0.5, dtype=np.float32))
    except ValueError as error:
        return str(error).splitlines()[0].partition(". ")[0]
    return ""
