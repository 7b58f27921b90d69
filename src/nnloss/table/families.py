"""Families: distributions of GLMs, their log-likelihoods and their fits by statsmodels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

if TYPE_CHECKING:
    from nnloss.table.losses import Loss

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Fit:
    """A fitted linear predictor.

    Parameters
    ----------
    coefficients : ndarray of shape (features + 1, outputs)
        Intercepts first. Multinomial coefficients are relative to class 0.
    log_likelihood : float
        Log-likelihood of the training rows at these coefficients, in nats.

    See Also
    --------
    Task.fit_glm : Fit the GLM of a task.
    """

    coefficients: Array
    log_likelihood: float


def _nothing(y: Array) -> Array:
    return np.zeros_like(y)


@dataclass(frozen=True)
class Family:
    """Distribution of a target given its mean.

    Parameters
    ----------
    name : str
        Name in tables and messages.
    statsmodels : str or None
        Class in ``statsmodels.api.families``; None for the multinomial, fitted by ``MNLogit``.
    base : callable, optional
        Part of each target's log-likelihood that depends only on the target.
    scaled : bool, default False
        Whether the variance is a parameter, set to its maximum-likelihood estimate.

    See Also
    --------
    Task.log_likelihood : Compute the log-likelihood of a task.
    Task.fit_glm : Fit the GLM of a task.
    """

    name: str
    statsmodels: str | None
    base: Callable[[Any], Any] = _nothing
    scaled: bool = False

    def log_likelihood(self, loss: Loss, y: ArrayLike, eta: ArrayLike) -> float:
        """Compute the log-likelihood of all rows, as `Task.log_likelihood` does.

        Parameters
        ----------
        loss : Loss
            Negative log-likelihood of the family, up to `base` and scale.
        y : array_like of shape (N,) or (N, nodes)
            Targets of the loss.
        eta : array_like of shape (N, nodes)
            Linear predictor.

        Returns
        -------
        float
            Sum over rows, in nats.
        """
        predictor, rows = np.asarray(eta, dtype=np.float64), loss.value(y, eta)
        n = predictor.size if loss.domain.by_node else len(rows)
        if self.scaled:
            return float(-n / 2 * (np.log(2 * np.pi * rows.mean()) + 1))
        return float(self.base(np.asarray(y, dtype=np.float64)).sum() - n * rows.mean())

    def fit(self, loss: Loss, x: ArrayLike, y: ArrayLike) -> Fit:
        """Fit the GLM with the link of a loss, using statsmodels, as `Task.fit_glm` does.

        Parameters
        ----------
        loss : Loss
            Its link is that of the GLM.
        x : array_like of shape (N, features)
            Features without a column of ones.
        y : array_like of shape (N,) or (N, nodes)
            Targets; class numbers for the multinomial family.

        Returns
        -------
        Fit
            Maximum-likelihood estimate.

        Raises
        ------
        ValueError
            If the fit does not converge. With separated classes no maximum exists.
        """
        import statsmodels.api as sm

        design, targets = with_intercept(x), np.asarray(y)
        if self.statsmodels is None:
            fitted = sm.MNLogit(targets, design).fit(method="newton", maxiter=100, disp=0)
            self._require(bool(fitted.mle_retvals["converged"]), fitted.params)
            return Fit(np.asarray(fitted.params, dtype=np.float64), float(fitted.llf))
        family = getattr(sm.families, self.statsmodels)
        link = getattr(sm.families.links, loss.link.name.capitalize())
        columns = targets.reshape(len(targets), -1).T
        fits = []
        for column in columns:
            # The fit would stop where exp overflows and report convergence.
            self._require(not (self.statsmodels == "Binomial" and separated(x, column)))
            model = sm.GLM(column, design, family=family(link=link()))
            fits.append(model.fit(maxiter=100, tol=1e-12))
            self._require(bool(fits[-1].converged), fits[-1].params)
        coefficients = np.column_stack([np.asarray(each.params) for each in fits])
        scale = 1.0
        if self.scaled:  # one variance for all nodes, because the loss is their mean
            scale = float(
                np.mean(loss.value(targets.reshape(len(targets), -1), design @ coefficients))
            )
        return Fit(coefficients, float(sum(each.llf_scaled(scale) for each in fits)))

    def _require(self, converged: bool, parameters: Any = 0.0) -> None:
        if not converged or not np.isfinite(parameters).all():
            raise ValueError(
                f"The likelihood of family '{self.name}' must have a maximum; the search for it "
                "did not converge. Look for classes that a plane separates "
                "(nnloss.table.separated)."
            )


GAUSSIAN = Family("Gaussian", "Gaussian", scaled=True)
BERNOULLI = Family("Bernoulli", "Binomial")
MULTINOMIAL = Family("multinomial", None)
POISSON = Family("Poisson", "Poisson", base=lambda y: -gammaln(y + 1))


def with_intercept(x: ArrayLike) -> Array:
    """Return the design matrix: a column of ones, then the features."""
    features = np.asarray(x, dtype=np.float64)
    return np.column_stack([np.ones(len(features)), features])


def separated(x: ArrayLike, y: ArrayLike) -> bool:
    """Return whether a plane separates two classes; rows may lie on the plane.

    With such a plane the likelihood of the logistic regression has no maximum: it grows with the
    coefficients. With rows on the plane this is quasi-complete separation. See A. Albert and J. A.
    Anderson, *On the existence of maximum likelihood estimates in logistic regression models*,
    Biometrika 71 (1984).

    Parameters
    ----------
    x : array_like of shape (N, features)
        Features without a column of ones.
    y : array_like of int of shape (N,)
        0 and 1.

    Returns
    -------
    bool
        True if some plane has no row on the wrong side and at least one row beside it.

    Raises
    ------
    ValueError
        If the linear program that searches for the plane cannot be solved.

    Examples
    --------
    >>> from nnloss.table import separated
    >>> separated([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
    True
    >>> separated([[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1])
    False
    """
    from scipy.optimize import linprog

    design = with_intercept(x)
    design = design / np.maximum(np.abs(design).max(axis=0), np.finfo(float).tiny)
    signed = (2 * np.asarray(y) - 1)[:, np.newaxis] * design
    # Maximise the sum of distances to the plane, all on the right side; 0 if no plane separates.
    found = linprog(-signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(design)), bounds=(-1, 1))
    if found.x is None:
        raise ValueError(
            f"The search for a separating plane must have an end; it says: {found.message} "
            "Standardise x."
        )
    return bool(np.dot(signed.sum(axis=0), found.x) > 1e-6)
