"""The pairing table as data: which output activation and loss belong to which problem.

Everything that depends on the kind of problem is looked up here. The names are those of Keras'
public API, so that this file needs no TensorFlow to be read or imported.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum


class Domain(Enum):
    """The values that a target may take, and so the shape it comes in."""

    REAL = "finite numbers of shape (N,) or (N, 1)"
    ZERO_ONE = "0 or 1, of shape (N,) or (N, 1)"
    ONE_HOT = "one-hot rows of shape (N, C)"
    INTEGER = "whole numbers 0 to C-1, of shape (N,) or (N, 1)"


@dataclass(frozen=True)
class Metric:
    """A Keras metric class, with the name it has in logs and records.

    Parameters
    ----------
    keras_class : str
        Name in ``keras.metrics``.
    name : str
        Key in the history and in the record.
    from_logits : tuple of (str, float)
        Constructor arguments, as pairs, when the model gives logits instead of probabilities.
    """

    keras_class: str
    name: str
    from_logits: tuple[tuple[str, float], ...] = ()

    @property
    def function(self) -> str:
        """Name of the function in ``keras.metrics`` that gives the metric of each row."""
        return re.sub("(?<=[a-z])(?=[A-Z])", "_", self.keras_class).lower()


@dataclass(frozen=True)
class Loss:
    """A loss, the targets on which it is a negative log-likelihood, and its metrics.

    Parameters
    ----------
    name : str
        Name of the function in ``keras.losses``.
    title : str
        The name in words.
    keras_class : str
        Name of the class in ``keras.losses``.
    aliases : tuple of str
        Short names, in lower case.
    domain : Domain
        What a target may be.
    metrics : tuple of Metric
        What is reported beside the loss.
    """

    name: str
    title: str
    keras_class: str
    aliases: tuple[str, ...]
    domain: Domain
    metrics: tuple[Metric, ...]


_ERRORS = (
    Metric("MeanSquaredError", "mean_squared_error"),
    Metric("MeanAbsoluteError", "mean_absolute_error"),
)

MSE = Loss(
    "mean_squared_error", "mean squared error", "MeanSquaredError", ("mse",), Domain.REAL, _ERRORS
)
MAE = Loss(
    "mean_absolute_error",
    "mean absolute error",
    "MeanAbsoluteError",
    ("mae",),
    Domain.REAL,
    _ERRORS,
)
BCE = Loss(
    "binary_crossentropy",
    "binary cross-entropy",
    "BinaryCrossentropy",
    ("bce",),
    Domain.ZERO_ONE,
    # A probability above one half is a logit above zero.
    (Metric("BinaryAccuracy", "accuracy", from_logits=(("threshold", 0.0),)),),
)
CCE = Loss(
    "categorical_crossentropy",
    "categorical cross-entropy",
    "CategoricalCrossentropy",
    ("cce",),
    Domain.ONE_HOT,
    (Metric("CategoricalAccuracy", "accuracy"),),
)
SPARSE_CCE = Loss(
    "sparse_categorical_crossentropy",
    "sparse categorical cross-entropy",
    "SparseCategoricalCrossentropy",
    ("scce",),
    Domain.INTEGER,
    (Metric("SparseCategoricalAccuracy", "accuracy"),),
)


@dataclass(frozen=True)
class Task:
    """A kind of problem: its output layer, its losses and the GLM it is.

    Parameters
    ----------
    name : str
        Short name, the key in `TASKS`.
    problem : str
        The problem in words.
    nodes : int or None
        Units of the output layer; None where it is the number of classes.
    activation : str
        Activation of the output layer: the inverse of the GLM's link.
    losses : tuple of Loss
        The losses it allows, the canonical one first.
    family, link : str
        The generalised linear model whose likelihood the canonical loss is.
    """

    name: str
    problem: str
    nodes: int | None
    activation: str
    losses: tuple[Loss, ...]
    family: str
    link: str

    @property
    def loss(self) -> Loss:
        """The canonical loss: the negative log-likelihood of `family`."""
        return self.losses[0]

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics of the canonical loss."""
        return self.loss.metrics

    @property
    def domain(self) -> Domain:
        """What a target may be under the canonical loss."""
        return self.loss.domain

    @property
    def row(self) -> tuple[str, str, str, str, str]:
        """The task's row in the table: problem, nodes, activation, loss, GLM."""
        nodes = "C" if self.nodes is None else str(self.nodes)
        return (
            self.problem,
            nodes,
            self.activation,
            self.loss.title,
            f"{self.family}, {self.link} link",
        )


REGRESSION = Task(
    name="regression",
    problem="regression",
    nodes=1,
    activation="linear",
    losses=(MSE, MAE),
    family="Gaussian",
    link="identity",
)
BINARY = Task(
    name="binary",
    problem="binary classification",
    nodes=1,
    activation="sigmoid",
    losses=(BCE,),
    family="Bernoulli",
    link="logit",
)
MULTICLASS = Task(
    name="multiclass",
    problem="multi-class, C classes",
    nodes=None,
    activation="softmax",
    losses=(CCE, SPARSE_CCE),
    family="multinomial",
    link="softmax",
)

TASKS: dict[str, Task] = {task.name: task for task in (REGRESSION, BINARY, MULTICLASS)}
LOSSES: dict[str, Loss] = {loss.name: loss for task in TASKS.values() for loss in task.losses}
