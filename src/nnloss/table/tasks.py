"""Tasks: kinds of problem with their output activation and loss."""

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
    """A kind of problem with its output layer, its losses and its GLM.

    A custom task works like those of the table: pass it to `compile_for_task` and `check_pairing`.

    Parameters
    ----------
    name : str
        Short name and key in `TASKS`.
    problem : str
        Problem in words.
    nodes : int or None
        Units of the output layer; None if ``classes`` sets the number.
    losses : tuple of Loss
        Allowed losses, the canonical one first. All need the same output.
    family : Family
        Family of the GLM whose negative log-likelihood is the canonical loss.
    counted : str, default "classes"
        Plural noun for the nodes if their number is open.
    in_course : bool, default False
        Whether the course covers the task.

    Examples
    --------
    A task knows its output, its loss and its GLM:

    >>> from nnloss import BINARY, COUNTS
    >>> BINARY.activation, BINARY.loss.name, BINARY.link.name
    ('sigmoid', 'binary_crossentropy', 'logit')

    A task of your own joins losses and a family of `nnloss.table`:

    >>> from nnloss import Task
    >>> hours = Task("hours", "hours until a failure", 1, COUNTS.losses, COUNTS.family)
    >>> hours.row
    ('hours until a failure', '1', 'exponential', 'Poisson loss', 'Poisson, log link')
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
        """Canonical loss: the negative log-likelihood of `family`."""
        return self.losses[0]

    @property
    def link(self) -> Link:
        """Link of the GLM; its inverse is the output activation."""
        return self.loss.link

    @property
    def activation(self) -> str:
        """Keras name of the output activation."""
        return self.link.activation

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Metrics of the canonical loss."""
        return self.loss.metrics

    @property
    def domain(self) -> Domain:
        """Domain of the targets of the canonical loss."""
        return self.loss.domain

    @property
    def row(self) -> tuple[str, str, str, str, str]:
        """Row of the task in the table: problem, nodes, activation, loss, GLM."""
        nodes = self.counted[0].upper() if self.nodes is None else str(self.nodes)
        glm = f"{self.family.name}, {self.link.name} link"
        if self.nodes is None and self.domain.by_node:
            nodes, glm = "k", f"k times {glm}"
        return self.problem, nodes, self.activation, self.loss.title, glm

    def accepts(self, nodes: int | None) -> bool:
        """Return whether an output may have this many nodes.

        Parameters
        ----------
        nodes : int or None
            Number of nodes; None if it is not fixed.

        Returns
        -------
        bool
            True for `nodes` of the task, or, where the task leaves it open, for None and 2 or more.
        """
        return nodes == self.nodes if self.nodes is not None else nodes is None or nodes >= 2

    def log_likelihood(self, y: ArrayLike, eta: ArrayLike) -> float:
        """Compute the log-likelihood of all rows from the linear predictor.

        Parameters
        ----------
        y : array_like of shape (N,) or (N, nodes)
            Targets of the canonical loss.
        eta : array_like of shape (N, nodes)
            Linear predictor.

        Returns
        -------
        float
            Sum over rows, in nats; a Gaussian variance is set to its maximum-likelihood estimate.

        Raises
        ------
        TargetError
            If the shapes differ or there are no rows.

        Examples
        --------
        Two fair coins, one of each side:

        >>> from nnloss import BINARY
        >>> BINARY.log_likelihood([1, 0], [[0.0], [0.0]])
        -1.3863
        """
        return self.family.log_likelihood(self.loss, y, eta)

    def fit_glm(self, x: ArrayLike, y: ArrayLike) -> Fit:
        """Fit the GLM of the task, using statsmodels.

        Parameters
        ----------
        x : array_like of shape (N, features)
            Features without a column of ones.
        y : array_like of shape (N,) or (N, nodes)
            Targets; class numbers for a multi-class task.

        Returns
        -------
        Fit
            Maximum-likelihood estimate.

        Raises
        ------
        ValueError
            If the likelihood has no maximum, for example with separated classes.

        Examples
        --------
        >>> from nnloss import BINARY
        >>> fit = BINARY.fit_glm([[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1])
        >>> fit.coefficients  # the intercept, then the slope
        array([[-1.36227639],
               [ 0.90818426]])
        >>> fit.log_likelihood
        -2.35
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
