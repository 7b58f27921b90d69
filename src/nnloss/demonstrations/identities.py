"""The losses are likelihoods: the same values and gradients from Keras, statsmodels, scikit-learn.

The linear predictor is written eta, a mean or probability mu. A loss is a mean over rows, a
log-likelihood a sum.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnloss import likelihoods
from nnloss._tensorflow import keras, tf
from nnloss.claims import Claim, same

Array = NDArray[np.float64]

_EXACT = 1e-10


def gaussian(x: Array, y: Array, *, sigma: float = 4.0) -> list[Claim]:
    """MSE and the Gaussian likelihood, identity link.

    Parameters
    ----------
    x : ndarray, shape (N, features)
        Features.
    y : ndarray, shape (N,)
        A quantity.
    sigma : float, default 4.0
        Any standard deviation: it scales the loss and adds a constant.

    Returns
    -------
    list of Claim
        Value, value at the best sigma, scikit-learn's value, gradient by Keras and statsmodels.
    """
    import statsmodels.api as sm
    from sklearn.metrics import mean_squared_error

    n, design = len(y), sm.add_constant(x)
    fit = sm.OLS(y, design).fit()
    eta = np.asarray(fit.fittedvalues)
    mse, gradient = _keras(keras.losses.MeanSquaredError, y, eta)
    constant = n / 2 * np.log(2 * np.pi * sigma**2)
    score = sm.GLM(y, design, family=sm.families.Gaussian()).score_factor(fit.params, scale=1.0)
    topic = "MSE: Gaussian"
    return [
        same(
            topic,
            f"N/(2 sigma²) MSE + N/2 ln(2 pi sigma²) = -logL, sigma = {sigma:g}",
            n / (2 * sigma**2) * mse + constant,
            -fit.model.loglike(fit.params, scale=sigma**2),
            _EXACT,
            relative=True,
        ),
        same(
            topic,
            "N/2 (ln(2 pi MSE) + 1) = -logL at the best sigma",
            n / 2 * (np.log(2 * np.pi * mse) + 1),
            -fit.llf,
            _EXACT,
            relative=True,
        ),
        same(topic, "MSE of Keras = of scikit-learn", mse, mean_squared_error(y, eta), _EXACT),
        same(topic, "N/2 dMSE/deta = mu - y", n / 2 * gradient, eta - y, _EXACT),
        same(topic, "mu - y = -score of statsmodels", eta - y, -np.asarray(score), _EXACT),
    ]


def bernoulli(x: Array, y: NDArray[Any]) -> list[Claim]:
    """BCE and the Bernoulli likelihood, logit link.

    Parameters
    ----------
    x : ndarray, shape (N, features)
        Features.
    y : ndarray, shape (N,)
        0 and 1, not separated.

    Returns
    -------
    list of Claim
        Value, scikit-learn's value, gradient by Keras and statsmodels.
    """
    import statsmodels.api as sm
    from sklearn.metrics import log_loss

    n, design = len(y), sm.add_constant(x)
    fit = sm.GLM(y, design, family=sm.families.Binomial()).fit()
    eta = design @ fit.params
    p = likelihoods.sigmoid(eta)
    bce, gradient = _keras(keras.losses.BinaryCrossentropy, y, eta, from_logits=True)
    score = np.asarray(fit.model.score_factor(fit.params))
    topic = "BCE: Bernoulli"
    return [
        same(topic, "N BCE = -logL", n * bce, -fit.llf, _EXACT, relative=True),
        same(topic, "BCE of Keras = of scikit-learn", bce, log_loss(y, p), _EXACT),
        same(topic, "N dBCE/deta = mu - y", n * gradient, p - y, _EXACT),
        same(topic, "mu - y = -score of statsmodels", p - y, -score, _EXACT),
    ]


def multinomial(x: Array, y: NDArray[Any]) -> list[Claim]:
    """CCE and the multinomial likelihood, softmax link.

    Parameters
    ----------
    x : ndarray, shape (N, features)
        Features.
    y : ndarray, shape (N,)
        Numbers of classes, not separated.

    Returns
    -------
    list of Claim
        Value, scikit-learn's value, gradient by Keras and statsmodels.
    """
    import statsmodels.api as sm
    from sklearn.metrics import log_loss

    n, design = len(y), sm.add_constant(x)
    fit = sm.MNLogit(y, design).fit(method="newton", disp=0)
    eta = np.column_stack([np.zeros(n), design @ np.asarray(fit.params)])  # class 0: the reference
    p, one_hot = likelihoods.softmax(eta), np.eye(eta.shape[1])[y]
    cce, gradient = _keras(keras.losses.CategoricalCrossentropy, one_hot, eta, from_logits=True)
    # The derivative in an intercept is that in the predictor; there is none for class 0.
    by_row = np.asarray(fit.model.score_obs(fit.params)).reshape(n, eta.shape[1] - 1, -1)
    topic = "CCE: multinomial"
    return [
        same(topic, "N CCE = -logL", n * cce, -fit.llf, _EXACT, relative=True),
        same(topic, "CCE of Keras = of scikit-learn", cce, log_loss(y, p), _EXACT),
        same(topic, "N dCCE/deta = mu - y", n * gradient, p - one_hot, _EXACT),
        same(
            topic,
            "mu - y = -score of statsmodels",
            (p - one_hot)[:, 1:],
            -by_row[:, :, 0],
            _EXACT,
        ),
    ]


def laplace(x: Array, y: Array, *, scale: float = 3.0) -> list[Claim]:
    """MAE and the Laplace likelihood, which belongs to no GLM.

    Parameters
    ----------
    x : ndarray, shape (N, features)
        Features.
    y : ndarray, shape (N,)
        A quantity.
    scale : float, default 3.0
        Of the distribution, any.

    Returns
    -------
    list of Claim
        Value, scikit-learn's value, the gradient, which is no residual, and the median.
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
    topic = "MAE: Laplace, no GLM"
    return [
        same(
            topic,
            f"N/b MAE + N ln(2b) = -logL, b = {scale:g}",
            n / scale * mae + n * np.log(2 * scale),
            -stats.laplace(eta, scale).logpdf(y).sum(),
            _EXACT,
            relative=True,
        ),
        same(topic, "MAE of Keras = of scikit-learn", mae, mean_absolute_error(y, eta), _EXACT),
        same(topic, "N dMAE/deta = sign(mu - y)", n * gradient, np.sign(eta - y), 0.0),
        same(
            topic,
            "least MAE of a constant = of the median",
            best.fun,
            np.mean(np.abs(y - np.median(y))),
            1e-6,
        ),
    ]


def squared_errors(y: Array) -> list[Claim]:
    """MSE, half-MSE, SSE and RMSE: one minimiser, four numbers.

    Parameters
    ----------
    y : ndarray, shape (N,)
        A quantity, predicted by one constant.

    Returns
    -------
    list of Claim
        The constant that each is least at, and the number there in terms of the MSE.
    """
    from scipy import optimize

    mean, n = np.full(y.shape, y.mean()), len(y)
    mse = likelihoods.mean_squared_error(y, mean)
    expected = {
        "mean_squared_error": ("MSE", mse),
        "half_mean_squared_error": ("MSE / 2", mse / 2),
        "sum_of_squared_errors": ("N MSE", n * mse),
        "root_mean_squared_error": ("square root of MSE", np.sqrt(mse)),
    }
    claims = []
    for name, (formula, value) in expected.items():
        measure = getattr(likelihoods, name)
        words = "".join(word[0] for word in name.split("_") if word != "of").upper()
        best = optimize.minimize_scalar(
            lambda constant, measure=measure: measure(y, np.full(y.shape, constant)),
            bounds=(y.min(), y.max()),
            method="bounded",
            options={"xatol": 1e-9},
        )
        topic = "one minimiser"
        claims.append(same(topic, f"{words} is least at the mean", best.x, y.mean(), 1e-5))
        if value != mse:
            there = f"{words} there = {formula}"
            claims.append(same(topic, there, measure(y, mean), value, 1e-12, relative=True))
    return claims


def softmax_and_entropy(z: Array, y: NDArray[Any]) -> list[Claim]:
    """Show what softmax does not see, and what cross-entropy is made of.

    Parameters
    ----------
    z : ndarray, shape (N, classes)
        Logits.
    y : ndarray, shape (N,)
        Numbers of classes.

    Returns
    -------
    list of Claim
        Softmax of two is a sigmoid; a constant is not seen; CCE = H + KL, on labels and on shares.
    """
    p, one_hot = likelihoods.softmax(z), np.eye(z.shape[1])[y]
    shares = likelihoods.softmax(z / 2)  # targets that are distributions, and no labels
    two = z[:, :2]
    given = keras.ops.convert_to_numpy(keras.activations.softmax(np.float64(two)))[:, 1]
    single = keras.ops.convert_to_numpy(
        keras.activations.sigmoid(np.float64(two[:, 1] - two[:, 0]))
    )
    constant = likelihoods.softmax(z + 100)
    crossed = likelihoods.categorical_cross_entropy(shares, p)
    topic, mixed = "softmax", "cross-entropy"
    return [
        same(topic, "softmax(z0, z1)[1] = sigmoid(z1 - z0)", given, single, 1e-12),
        same(
            topic,
            "CCE of z0, z1 = BCE of z1 - z0",
            likelihoods.categorical_cross_entropy_from_logits(np.eye(2)[y % 2], two),
            likelihoods.binary_cross_entropy_from_logits(y % 2, two[:, 1] - two[:, 0]),
            1e-12,
        ),
        same(topic, "softmax(z + 100) = softmax(z)", constant, p, 1e-12),
        same(
            mixed,
            "CCE(q, p) = H(q) + KL(q, p), q shares",
            crossed,
            likelihoods.entropy(shares) + likelihoods.kl_divergence(shares, p),
            1e-12,
        ),
        same(
            mixed,
            "CCE(q, q) = H(q), an entropy only here",
            likelihoods.categorical_cross_entropy(shares, shares),
            likelihoods.entropy(shares),
            1e-12,
        ),
        same(
            mixed,
            "CCE(y, p) = KL(y, p), since H(y) = 0",
            likelihoods.categorical_cross_entropy(one_hot, p),
            likelihoods.kl_divergence(one_hot, p),
            1e-12,
        ),
    ]


def _keras(loss: Any, y: NDArray[Any], eta: Array, **options: Any) -> tuple[float, Array]:
    """Value and gradient in the predictor, by Keras in double precision; columns of one number."""
    columns = eta.reshape(len(y), -1)
    predictor = tf.Variable(columns)
    with tf.GradientTape() as tape:
        value = loss(dtype="float64", **options)(y.reshape(columns.shape), predictor.value())
    gradient = tape.gradient(value, predictor)
    return float(value), gradient.numpy().reshape(eta.shape)
