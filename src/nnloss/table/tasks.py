"""The table: which output activation and loss belong to which problem."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from nnloss.table.domains import Domain
from nnloss.table.families import BERNOULLI, GAUSSIAN, MULTINOMIAL, Family, Fit
from nnloss.table.families import POISSON as POISSON_FAMILY
from nnloss.table.links import Link
from nnloss.table.losses import (
    BCE,
    BINARY_FOCAL,
    CATEGORICAL_FOCAL,
    CCE,
    HUBER,
    KL,
    LOG_COSH,
    MAE,
    MAPE,
    MSE,
    POISSON,
    SPARSE_CCE,
    Loss,
    Metric,
)


@dataclass(frozen=True)
class Task:
    """A kind of problem: its output layer, its losses and the GLM it is.

    One that you define yourself works like those of the table: pass it to `compile_for_task` and
    `check_pairing`.

    Parameters
    ----------
    name : str
        Short name, the key in `TASKS`.
    problem : str
        The problem in words.
    nodes : int or None
        Units of the output layer; None where the number is given as ``classes``.
    losses : tuple of Loss
        The losses it allows, the canonical one first. All need the same output.
    family : Family
        The generalised linear model whose likelihood the canonical loss is.
    counted : str, default "classes"
        What the nodes are, in the plural, where their number is open.
    in_course : bool, default False
        Whether the course has it.
    """

    name: str
    problem: str
    nodes: int | None
    losses: tuple[Loss, ...]
    family: Family
    counted: str = "classes"
    in_course: bool = False

    @property
    def loss(self) -> Loss:
        """The canonical loss: the negative log-likelihood of `family`."""
        return self.losses[0]

    @property
    def link(self) -> Link:
        """The link of the GLM, with the output activation as its inverse."""
        return self.loss.link

    @property
    def activation(self) -> str:
        """Keras' name of the output activation."""
        return self.link.activation

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
        nodes = self.counted[0].upper() if self.nodes is None else str(self.nodes)
        glm = f"{self.family.name}, {self.link.name} link"
        if self.nodes is None and self.domain.by_node:
            nodes, glm = "k", f"k times {glm}"
        return self.problem, nodes, self.activation, self.loss.title, glm

    def accepts(self, nodes: int | None) -> bool:
        """Return whether an output may have so many nodes.

        Parameters
        ----------
        nodes : int or None
            Units on the axis of the classes; None where that is not fixed.

        Returns
        -------
        bool
            An open number is at least 2.
        """
        return nodes == self.nodes if self.nodes is not None else nodes is None or nodes >= 2

    def log_likelihood(self, y: ArrayLike, eta: ArrayLike) -> float:
        """Compute the log-likelihood of all rows from the linear predictor.

        Parameters
        ----------
        y : array_like, shape (N,) or (N, nodes)
            Targets of the canonical loss.
        eta : array_like, shape (N, nodes)
            Linear predictor.

        Returns
        -------
        float
            A sum over rows, in nats; the variance of a Gaussian is put at its maximum.
        """
        return self.family.log_likelihood(self.loss, y, eta)

    def fit_glm(self, x: ArrayLike, y: ArrayLike) -> Fit:
        """Fit the GLM of the task by `statsmodels`.

        Parameters
        ----------
        x : array_like, shape (N, features)
            Without a column of ones.
        y : array_like, shape (N,) or (N, nodes)
            Targets; of a multi-class task, the numbers of the classes.

        Returns
        -------
        Fit
            At the maximum of the likelihood.

        Raises
        ------
        ValueError
            If the likelihood has no maximum, as with separated classes.
        """
        return self.family.fit(self.loss, x, y)


_QUANTITY = (MSE, MAE, HUBER, LOG_COSH, MAPE)

REGRESSION = Task("regression", "regression", 1, _QUANTITY, GAUSSIAN, in_course=True)
BINARY = Task("binary", "binary classification", 1, (BCE, BINARY_FOCAL), BERNOULLI, in_course=True)
MULTICLASS = Task(
    "multiclass",
    "multi-class, C classes",
    None,
    (CCE, SPARSE_CCE, CATEGORICAL_FOCAL, KL),
    MULTINOMIAL,
    in_course=True,
)
COUNTS = Task("counts", "counts", 1, (POISSON,), POISSON_FAMILY)
MULTILABEL = Task(
    "multilabel", "k yes/no labels", None, (BCE, BINARY_FOCAL), BERNOULLI, counted="labels"
)
MULTIOUTPUT = Task("multioutput", "k quantities", None, _QUANTITY, GAUSSIAN, counted="quantities")

TASKS: dict[str, Task] = {
    task.name: task for task in (REGRESSION, BINARY, MULTICLASS, COUNTS, MULTILABEL, MULTIOUTPUT)
}
