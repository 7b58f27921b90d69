"""Each pair against its twin: a linear network with that pair, and the GLM by `statsmodels`.

Both maximise one likelihood, so both have the same coefficients, if the maximum exists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnloss import likelihoods
from nnloss._keras import keras
from nnloss.demonstrations.backpropagation import by_hand
from nnloss.encoding import encode
from nnloss.models import compile_for_task
from nnloss.tasks import BINARY, MULTICLASS, REGRESSION, Domain, Task
from nnloss.training import set_seed

Array = NDArray[np.float64]

_STEPS_AN_EPOCH = 16
_CONVERGED = 1e-8  # share of the gradient at zero weights


@dataclass(frozen=True)
class Fit:
    """A fitted linear predictor.

    Parameters
    ----------
    coefficients : ndarray, shape (features + 1, outputs)
        The intercepts first. Of several classes, each one's against class 0.
    log_likelihood : float
        Of the training rows, at these coefficients.
    """

    coefficients: Array
    log_likelihood: float


def fit_glm(task: Task, x: Array, y: NDArray[Any]) -> Fit:
    """Fit the GLM of a task by `statsmodels`.

    Parameters
    ----------
    task : Task
        Its family says which.
    x : ndarray, shape (N, features)
        Without a column of ones.
    y : ndarray, shape (N,)
        A quantity, or numbers of classes.

    Returns
    -------
    Fit
        At the maximum of the likelihood.

    Raises
    ------
    ValueError
        If the search for the maximum has not converged; with separated classes there is none.
    """
    import statsmodels.api as sm

    design = _design(x)
    fitted, converged = _GLMS[task.family](sm, design, y)
    if not converged or not np.isfinite(fitted.params).all():
        raise ValueError(
            f"The likelihood of family '{task.family}' must have a maximum; the search for it did "
            "not converge. Look for classes that a plane separates (nnloss.glm.separated)."
        )
    coefficients = np.asarray(fitted.params, dtype=np.float64).reshape(design.shape[1], -1)
    return Fit(coefficients, float(fitted.llf))


def fit_network(
    task: Task, x: Array, y: NDArray[Any], *, hidden: int | None = None, steps: int = 800
) -> Fit:
    """Train a network that is linear up to its output activation, until its gradient is zero.

    On all rows at once, in double precision, through `compile_for_task` with the canonical loss.
    Without hidden layer by gradient descent with Nesterov's momentum; the step is one over the
    largest curvature that the loss can have on `x`. With one, where the curvature is not known
    before, by Adam with steps that fade out. As ``set_seed`` does, it seeds the process, with 0.

    Parameters
    ----------
    task : Task
        The pair to train with.
    x : ndarray, shape (N, features)
        Standardised, so that the curvature is alike in all directions.
    y : ndarray, shape (N,)
        A quantity, or numbers of classes.
    hidden : int, optional
        Units of a hidden layer with linear activation.
    steps : int, default 800
        Of training, each on all rows; rounded up to a multiple of 16.

    Returns
    -------
    Fit
        In the coding of the GLM; a hidden layer is multiplied out.

    Raises
    ------
    ValueError
        If the gradient is not zero after so many steps.
    """
    classes = None if task.nodes else int(np.max(y)) + 1
    encoded = y if task.domain is Domain.REAL else encode(y, task, classes or 2)
    design = _design(x)
    curvature = _CURVATURE[task.loss.name] * np.linalg.eigvalsh(design.T @ design)[-1] / len(x)
    with double_precision():
        set_seed(0)
        features = keras.Input((x.shape[1],))
        if hidden is None:
            optimizer = keras.optimizers.SGD(1 / curvature, momentum=0.95, nesterov=True)
            body = keras.Model(features, features)  # the linear predictor is all there is
        else:
            fading = keras.optimizers.schedules.CosineDecay(0.1, steps)
            optimizer = keras.optimizers.Adam(fading)
            output = keras.layers.Dense(task.nodes or classes, task.activation)
            body = keras.Model(features, output(keras.layers.Dense(hidden)(features)))
        model = compile_for_task(body, task, classes=classes, optimizer=optimizer)
        # A batch is all rows. An epoch costs more than such a step, so each has many of them.
        model.fit(
            np.concatenate([x] * _STEPS_AN_EPOCH),
            np.concatenate([encoded] * _STEPS_AN_EPOCH),
            epochs=-(-steps // _STEPS_AN_EPOCH),
            batch_size=len(x),
            shuffle=False,
            verbose=0,
        )
        weights = _multiplied_out(model.get_weights())
    _require_converged(task, x, encoded, weights, steps)
    value = log_likelihood(task, encoded, design @ weights)
    # A constant added to all logits changes nothing: class 0 is the one the others are against.
    coded = weights if task.nodes else weights[:, 1:] - weights[:, :1]
    return Fit(coded, value)


def _require_converged(task: Task, x: Array, y: NDArray[Any], weights: Array, steps: int) -> None:
    """Compare the gradient with that of a network that says 0 to every row."""
    columns = y.reshape(len(x), -1)
    size = [
        max(np.abs(part).max() for part in by_hand([at[1:], at[0]], x, columns, task))
        for at in (weights, np.zeros_like(weights))
    ]
    if not size[0] <= _CONVERGED * size[1]:
        raise ValueError(
            f"The training of '{task.name}' must end where the gradient is zero; after {steps} "
            f"steps it is {size[0]:.1e}, from {size[1]:.1e} at the start. Give more steps, "
            "standardise x, and look for columns that are nearly the same."
        )


def _design(x: Array) -> Array:
    """Put a column of ones before the features, for the intercept."""
    return np.column_stack([np.ones(len(x)), x])


def _multiplied_out(weights: list[Array]) -> Array:
    """Make one layer of several linear ones: the bias above the kernel."""
    kernel, bias = weights[:2]
    for place in range(2, len(weights), 2):
        kernel, bias = kernel @ weights[place], bias @ weights[place] + weights[place + 1]
    return np.vstack([bias, kernel])


def log_likelihood(task: Task, y: NDArray[Any], predictor: Array) -> float:
    """Log-likelihood of all rows, from the linear predictor.

    Parameters
    ----------
    task : Task
        Its canonical loss is the negative log-likelihood, up to the variance of a Gaussian, which
        is put at its own maximum, the mean squared error.
    y : ndarray
        Targets of the task.
    predictor : ndarray, shape (N, nodes)
        Before the output activation.

    Returns
    -------
    float
        A sum over rows, in nats.
    """
    return _LOG_LIKELIHOODS[task.family](y, predictor)


def separated(x: Array, y: NDArray[Any]) -> bool:
    """Tell whether a plane separates two classes, rows on the plane itself allowed on both sides.

    Then the likelihood of the logistic regression has no maximum: it grows as the coefficients do.
    With rows on the plane that is called quasi-complete separation. See A. Albert and J. A.
    Anderson, *On the existence of maximum likelihood estimates in logistic regression models*,
    Biometrika 71 (1984).

    Parameters
    ----------
    x : ndarray, shape (N, features)
        Without a column of ones.
    y : ndarray of int, shape (N,)
        0 and 1.

    Returns
    -------
    bool
        Whether some plane has no row on the wrong side, and not all rows on itself.

    Raises
    ------
    ValueError
        If the linear program that looks for the plane cannot be solved.
    """
    from scipy.optimize import linprog

    design = _design(x)
    design = design / np.maximum(np.abs(design).max(axis=0), np.finfo(float).tiny)
    signed = (2 * np.asarray(y) - 1)[:, np.newaxis] * design
    # The largest sum of distances to the plane, all of them on the right side; 0 if there is none.
    found = linprog(-signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(x)), bounds=(-1, 1))
    if found.x is None:
        raise ValueError(
            f"The search for a separating plane must have an end; it says: {found.message} "
            "Standardise x."
        )
    return bool(np.dot(signed.sum(axis=0), found.x) > 1e-6)


@contextmanager
def double_precision() -> Iterator[None]:
    """Let Keras make layers of float64; it makes what it made before afterwards."""
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        yield
    finally:
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(policy)


def _gaussian(sm: Any, design: Array, y: NDArray[Any]) -> tuple[Any, bool]:
    return sm.OLS(y, design).fit(), True


def _bernoulli(sm: Any, design: Array, y: NDArray[Any]) -> tuple[Any, bool]:
    if separated(design[:, 1:], y):  # the search would end where exp overflows, and call it done
        return None, False
    fitted = sm.GLM(y, design, family=sm.families.Binomial()).fit(maxiter=100, tol=1e-12)
    return fitted, bool(fitted.converged)


def _multinomial(sm: Any, design: Array, y: NDArray[Any]) -> tuple[Any, bool]:
    fitted = sm.MNLogit(y, design).fit(method="newton", maxiter=100, disp=0)
    return fitted, bool(fitted.mle_retvals["converged"])


_GLMS: dict[str, Callable[[Any, Array, NDArray[Any]], tuple[Any, bool]]] = {
    "Gaussian": _gaussian,
    "Bernoulli": _bernoulli,
    "multinomial": _multinomial,
}


def _log_likelihood_gaussian(y: NDArray[Any], predictor: Array) -> float:
    mse = likelihoods.mean_squared_error(y, predictor[:, 0])
    return float(-len(y) / 2 * (np.log(2 * np.pi * mse) + 1))


_LOG_LIKELIHOODS: dict[str, Callable[[NDArray[Any], Array], float]] = {
    "Gaussian": _log_likelihood_gaussian,
    "Bernoulli": lambda y, predictor: (
        -len(y) * likelihoods.binary_cross_entropy_from_logits(y, predictor[:, 0])
    ),
    "multinomial": lambda y, predictor: (
        -len(y) * likelihoods.categorical_cross_entropy_from_logits(y, predictor)
    ),
}
# The largest second derivative of a row's loss in its predictor: 2 of a square, p(1 - p) of BCE,
# and the largest eigenvalue of diag(p) - pp' of CCE.
_CURVATURE = {
    REGRESSION.loss.name: 2.0,
    BINARY.loss.name: 0.25,
    MULTICLASS.loss.name: 0.5,
}
