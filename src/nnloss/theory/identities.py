"""Losses are likelihoods: equal values and gradients from Keras, statsmodels and scikit-learn.

The linear predictor is eta, the mean or probability mu. A loss is a mean over rows, a
log-likelihood a sum. Each function returns a list of `Claim`. Features *x* have the shape
(N, features), logits *z* the shape (N, classes), targets *y* the shape (N,).
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnloss import likelihoods
from nnloss._tensorflow import keras, tf
from nnloss.table import Task
from nnloss.table.families import with_intercept
from nnloss.theory.claims import Claim, same

Array = NDArray[np.float64]

_EXACT = 1e-10


def gaussian(x: Array, y: Array) -> list[Claim]:
    """Compare MSE with the Gaussian likelihood, identity link, for real `y`.

    Value, value at the best sigma, scikit-learn's value, gradients of Keras and statsmodels.

    Parameters
    ----------
    x : ndarray of shape (N, features)
        Features without a column of ones.
    y : ndarray of shape (N,)
        Targets.

    Returns
    -------
    list of Claim
        Five claims.

    Examples
    --------
    >>> import numpy as np
    >>> from nnloss.theory import identities
    >>> x = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> claims = identities.gaussian(x, np.array([1.0, 0.0, 3.0, 2.0]))
    >>> [claim.holds for claim in claims]
    [True, True, True, True, True]
    """
    import statsmodels.api as sm
    from sklearn.metrics import mean_squared_error

    sigma = 4.0  # any standard deviation: it scales the loss and adds a constant
    n, design = len(y), sm.add_constant(x)
    fit = sm.OLS(y, design).fit()
    eta = np.asarray(fit.fittedvalues)
    mse, gradient = _keras(keras.losses.MeanSquaredError, y, eta)
    constant = n / 2 * np.log(2 * np.pi * sigma**2)
    glm = sm.GLM(y, design, family=sm.families.Gaussian())
    score = np.asarray(glm.score_factor(fit.params, scale=1.0))
    equal = partial(same, "MSE: Gaussian", tolerance=_EXACT, relative=True)
    return [
        equal(
            f"N/(2 sigma²) MSE + N/2 ln(2 pi sigma²) = -logL, sigma = {sigma:g}",
            n / (2 * sigma**2) * mse + constant,
            -fit.model.loglike(fit.params, scale=sigma**2),
        ),
        equal(
            "N/2 (ln(2 pi MSE) + 1) = -logL at the best sigma",
            n / 2 * (np.log(2 * np.pi * mse) + 1),
            -fit.llf,
        ),
        equal("MSE of Keras = of scikit-learn", mse, mean_squared_error(y, eta)),
        equal("N/2 dMSE/deta = mu - y", n / 2 * gradient, eta - y),
        equal("mu - y = -score of statsmodels", eta - y, -score),
    ]


def bernoulli(x: Array, y: NDArray[Any]) -> list[Claim]:
    """Compare BCE with the Bernoulli likelihood, logit link, for labels 0 and 1, not separated.

    Value, scikit-learn's value, gradients of Keras and statsmodels.
    """
    import statsmodels.api as sm
    from sklearn.metrics import log_loss

    n, design = len(y), sm.add_constant(x)
    fit = sm.GLM(y, design, family=sm.families.Binomial()).fit()
    eta = design @ fit.params
    p = likelihoods.sigmoid(eta)
    bce, gradient = _keras(keras.losses.BinaryCrossentropy, y, eta, from_logits=True)
    score = np.asarray(fit.model.score_factor(fit.params))
    equal = partial(same, "BCE: Bernoulli", tolerance=_EXACT)
    return [
        equal("N BCE = -logL", n * bce, -fit.llf, relative=True),
        equal("BCE of Keras = of scikit-learn", bce, log_loss(y, p)),
        equal("N dBCE/deta = mu - y", n * gradient, p - y),
        equal("mu - y = -score of statsmodels", p - y, -score),
    ]


def multinomial(x: Array, y: NDArray[Any]) -> list[Claim]:
    """Compare CCE with the multinomial likelihood, softmax link, for classes not separated.

    Value, scikit-learn's value, gradients of Keras and statsmodels.
    """
    import statsmodels.api as sm
    from sklearn.metrics import log_loss

    n, design = len(y), sm.add_constant(x)
    fit = sm.MNLogit(y, design).fit(method="newton", disp=0)
    eta = np.column_stack([np.zeros(n), design @ np.asarray(fit.params)])  # class 0: the reference
    p, one_hot = likelihoods.softmax(eta), np.eye(eta.shape[1])[y]
    cce, gradient = _keras(keras.losses.CategoricalCrossentropy, one_hot, eta, from_logits=True)
    # The derivative in an intercept equals the one in the predictor; class 0 has no intercept.
    by_row = np.asarray(fit.model.score_obs(fit.params)).reshape(n, eta.shape[1] - 1, -1)
    equal = partial(same, "CCE: multinomial", tolerance=_EXACT)
    return [
        equal("N CCE = -logL", n * cce, -fit.llf, relative=True),
        equal("CCE of Keras = of scikit-learn", cce, log_loss(y, p)),
        equal("N dCCE/deta = mu - y", n * gradient, p - one_hot),
        equal("mu - y = -score of statsmodels", (p - one_hot)[:, 1:], -by_row[:, :, 0]),
    ]


def of_task(task: Task, x: Array, y: NDArray[Any]) -> list[Claim]:
    """Compare the canonical loss of any task with a target for each node with its GLM's likelihood.

    The task may be a custom one, and `y` may have the shape (N, nodes). Likelihood of the fitted
    GLM by the loss and by statsmodels; value and gradient of the loss by Keras and by the table.
    """
    fit = task.fit_glm(x, y)
    eta, targets = with_intercept(x) @ fit.coefficients, np.asarray(y, dtype=np.float64)
    targets = targets.reshape(eta.shape)
    kind = task.loss.keras_class
    options = {"from_logits": True} if task.loss.takes_logits else {}
    mean = None if task.loss.takes_logits else task.activation
    loss = getattr(keras.losses, kind) if isinstance(kind, str) else kind
    value, gradient = _keras(loss, targets, eta, activation=mean, **options)
    name = task.loss.aliases[0].upper() if task.loss.aliases else task.loss.title
    equal = partial(same, f"{name}: {task.row[4]}", tolerance=_EXACT, relative=True)
    ours = task.loss.gradient(targets, eta) / len(eta)
    return [
        equal(
            f"-logL by the {task.loss.title} = -logL of statsmodels",
            -task.log_likelihood(targets, eta),
            -fit.log_likelihood,
        ),
        # Keras adds 1e-7 to the mean of counts.
        equal(
            f"{name} by Keras = by nnloss",
            value,
            task.loss.value(targets, eta).mean(),
            tolerance=1e-6,
        ),
        equal(f"d{name}/deta by Keras = by nnloss", gradient, ours, tolerance=1e-6),
    ]


def laplace(x: Array, y: Array, *, scale: float = 3.0) -> list[Claim]:
    """Compare MAE with the Laplace likelihood, which belongs to no GLM, for real `y`.

    `scale` is any scale b of the distribution. Value, scikit-learn's value, the gradient (a sign,
    not a residual), and the median.
    """
    import statsmodels.api as sm
    from scipy import optimize, stats
    from sklearn.metrics import mean_absolute_error

    n = len(y)
    eta = np.asarray(sm.OLS(y, sm.add_constant(x)).fit().fittedvalues)
    mae, gradient = _keras(keras.losses.MeanAbsoluteError, y, eta)
    best = optimize.minimize_scalar(
        lambda constant: np.mean(np.abs(y - constant)), bounds=(y.min(), y.max()), method="bounded"
    )
    equal = partial(same, "MAE: Laplace, no GLM", tolerance=_EXACT, relative=True)
    return [
        equal(
            f"N/b MAE + N ln(2b) = -logL, b = {scale:g}",
            n / scale * mae + n * np.log(2 * scale),
            -stats.laplace(eta, scale).logpdf(y).sum(),
        ),
        equal("MAE of Keras = of scikit-learn", mae, mean_absolute_error(y, eta)),
        equal("N dMAE/deta = sign(mu - y)", n * gradient, np.sign(eta - y), relative=False),
        equal(
            "least MAE of a constant = of the median",
            best.fun,
            np.mean(np.abs(y - np.median(y))),
            tolerance=1e-6,
        ),
    ]


def squared_errors(y: Array) -> list[Claim]:
    """Compare MSE, half-MSE, SSE and RMSE of a constant prediction: one minimiser, four values.

    Values at the mean against scikit-learn or statsmodels; the minimiser of each.
    """
    import statsmodels.api as sm
    from scipy import optimize
    from sklearn import metrics

    mean = np.full(y.shape, y.mean())
    equal = partial(same, "one minimiser", tolerance=_EXACT, relative=True)
    others = {
        "mean_squared_error": ("of scikit-learn", metrics.mean_squared_error(y, mean)),
        "half_mean_squared_error": ("half of it", metrics.mean_squared_error(y, mean) / 2),
        "sum_of_squared_errors": ("SSR of statsmodels", sm.OLS(y, np.ones(len(y))).fit().ssr),
        "root_mean_squared_error": ("of scikit-learn", metrics.root_mean_squared_error(y, mean)),
    }
    claims = []
    for name, (source, value) in others.items():
        measure = getattr(likelihoods, name)
        short = "".join(word[0] for word in name.split("_") if word != "of").upper()
        there = f"{short} of the mean = {source}"
        claims.append(equal(there, measure(y, mean), value))
        best = optimize.minimize_scalar(
            lambda constant, measure=measure: measure(y, np.full(y.shape, constant)),
            bounds=(y.min(), y.max()),
            method="bounded",
            options={"xatol": 1e-9},
        )
        least = f"{short} is least at the mean"
        claims.append(equal(least, best.x, y.mean(), tolerance=1e-6))
    return claims


def softmax(z: Array, y: NDArray[Any]) -> list[Claim]:
    """Compare two-class softmax with sigmoid, and check invariance to a shift of the logits.

    `y` holds class numbers. Equal values and losses for two classes; equal values after adding a
    constant.
    """
    two, equal = z[:, :2], partial(same, "softmax", tolerance=_EXACT)
    difference = two[:, 1] - two[:, 0]
    labels = y % 2
    cce, _ = _keras(keras.losses.CategoricalCrossentropy, np.eye(2)[labels], two, from_logits=True)
    bce, _ = _keras(keras.losses.BinaryCrossentropy, labels, difference, from_logits=True)
    return [
        equal(
            "softmax(z0, z1)[1] = sigmoid(z1 - z0)",
            _numbers(keras.activations.softmax(np.float64(two)))[:, 1],
            _numbers(keras.activations.sigmoid(np.float64(difference))),
        ),
        equal("CCE of z0, z1 = BCE of z1 - z0", cce, bce),
        equal(
            "softmax(z + 100) = softmax(z)",
            _numbers(keras.activations.softmax(np.float64(z + 100))),
            likelihoods.softmax(z),
        ),
    ]


def cross_entropy(z: Array, y: NDArray[Any]) -> list[Claim]:
    """Compare cross-entropy with entropy plus Kullback-Leibler divergence, H + KL.

    `y` holds class numbers. CCE of Keras against H + KL of SciPy for soft targets, for the
    predictions themselves, and for labels.
    """
    from scipy.stats import entropy

    equal = partial(same, "cross-entropy", tolerance=_EXACT)
    p = likelihoods.softmax(z)
    shares, one_hot = likelihoods.softmax(z / 2), np.eye(z.shape[1])[y]
    loss = keras.losses.CategoricalCrossentropy(dtype="float64")
    crossed = [float(loss(target, p)) for target in (shares, one_hot)]
    alone = float(loss(shares, shares))
    own = float(entropy(shares, axis=1).mean())
    apart = [float(entropy(target, p, axis=1).mean()) for target in (shares, one_hot)]
    return [
        equal("CCE(q, p) = H(q) + KL(q, p), q shares", crossed[0], own + apart[0]),
        equal("CCE(q, q) = H(q), an entropy only here", alone, own),
        equal("CCE(y, p) = KL(y, p), since H(y) = 0", crossed[1], apart[1]),
    ]


def _numbers(tensor: Any) -> Array:
    return np.asarray(keras.ops.convert_to_numpy(tensor), dtype=np.float64)


def _keras(
    loss: Any, y: NDArray[Any], eta: Array, *, activation: str | None = None, **options: Any
) -> tuple[float, Array]:
    """Compute value and gradient of a Keras loss in the linear predictor, in float64."""
    columns = eta.reshape(len(y), -1)
    predictor = tf.Variable(columns)
    with tf.GradientTape() as tape:
        given = keras.activations.get(activation)(predictor.value())
        value = loss(dtype="float64", **options)(y.reshape(columns.shape), given)
    gradient = tape.gradient(value, predictor)
    return float(value), gradient.numpy().reshape(eta.shape)
