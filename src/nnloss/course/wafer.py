"""Wafer: logistic regressions, network, measures for a rare class."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from nnloss import likelihoods
from nnloss.datasets import Split
from nnloss.table import BINARY, MULTICLASS, encode

Array = np.ndarray[Any, np.dtype[Any]]

QUICK_EPOCHS = 5
ABNORMAL, NORMAL = 0, 1
TASKS = {"cce": MULTICLASS, "bce": BINARY}
IRLS_STEPS = 25  # maximum of R's glm, and so of the course
WARNINGS = {
    "PerfectSeparationWarning": "the fitted probabilities have become the labels",
    "RuntimeWarning": "the exponential function overflows at logits that large",
}


def predicted_class(p_abnormal: Array) -> Array:
    """Return the class numbers: "abnormal" where its probability exceeds one half."""
    return np.where(p_abnormal > 0.5, ABNORMAL, NORMAL)


def measures(y: Array, p_abnormal: Array, score: Array) -> dict[str, float]:
    """Compute accuracy, balanced accuracy, ROC AUC and average precision.

    `p_abnormal` are probabilities of "abnormal", the class predicted above one half. `score` are
    its logits, which rank the rows: probabilities can be tied at 0 or 1 in floating point.
    """
    from sklearn.metrics import average_precision_score, balanced_accuracy_score, roc_auc_score

    predicted = predicted_class(p_abnormal)
    found = y == ABNORMAL
    return {
        "accuracy": float(np.mean(predicted == y)),
        "balanced_accuracy": float(balanced_accuracy_score(y, predicted)),
        "roc_auc": float(roc_auc_score(found, score)),
        "average_precision": float(average_precision_score(found, score)),
    }


@dataclass(frozen=True)
class Fitted:
    """Probabilities and logits (`score`) of "abnormal" for the test rows, with a remark."""

    p_abnormal: Array
    score: Array
    remark: str = ""

    @property
    def predicted(self) -> Array:
        """Predicted class numbers: "abnormal" above one half."""
        return predicted_class(self.p_abnormal)

    def measures(self, split: Split) -> dict[str, float]:
        """Compute the measures on the test rows."""
        return measures(split.y_test, self.p_abnormal, self.score)


def all_normal(split: Split) -> Fitted:
    """Return the predictions of a rule that calls all test rows normal."""
    zeros = np.zeros(len(split.y_test))
    return Fitted(zeros, zeros, "The rule to beat calls all series normal.")


def logistic_regression(split: Split, dtype: str = "float64") -> Fitted:
    """Fit the course's unpenalised regression to the series rounded to `dtype`."""
    import statsmodels.api as sm

    x_train, x_test = (
        sm.add_constant(x.astype(dtype).astype("float64")) for x in (split.x_train, split.x_test)
    )
    model = sm.GLM(split.y_train, x_train, family=sm.families.Binomial())
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        fit = model.fit(maxiter=IRLS_STEPS)
        p_normal = fit.predict(x_test)
        right = np.mean((fit.predict(x_train) > 0.5) == split.y_train)
        deviance = fit.deviance
    kinds = sorted({each.category.__name__ for each in raised})
    warned = ", and ".join(f"{WARNINGS.get(name, 'see there')} ({name})" for name in kinds)
    return Fitted(
        1 - p_normal,
        -fit.predict(x_test, which="linear"),
        f"""The unpenalised logistic regression classifies {right:.2%} of the
        {len(split.y_train):,} training series correctly. Its deviance is {deviance:.1e}, and its
        largest coefficient is {np.abs(fit.params).max():.1e}: a hyperplane separates the classes,
        and no finite estimate exists. The library statsmodels warns of it: {warned}. The numbers
        are those after {IRLS_STEPS} steps of iteratively reweighted least squares, where R
        stops.""",
    )


def ridge_logistic_regression(split: Split) -> Fitted:
    """Fit a logistic regression with a ridge penalty chosen by 5-fold cross-validation.

    Parameters
    ----------
    split : Split
        Wafer.

    Returns
    -------
    Fitted
        Predictions for the test rows.

    See Also
    --------
    sklearn.linear_model.LogisticRegressionCV : The model.
    """
    from sklearn.linear_model import LogisticRegressionCV

    model = LogisticRegressionCV(
        Cs=np.logspace(-3, 3, 13),
        cv=5,
        l1_ratios=(0,),
        scoring="neg_log_loss",
        solver="newton-cholesky",
        use_legacy_attributes=False,
    ).fit(split.x_train, split.y_train)
    return Fitted(
        model.predict_proba(split.x_test)[:, ABNORMAL],
        -model.decision_function(split.x_test),
        f"""The ridge logistic regression has a penalty of {1 / model.C_:.3g} / 2 times the sum of
        the squared coefficients, chosen by the likelihood in cross-validation. Its largest
        coefficient is {np.abs(model.coef_).max():.2f}.""",
    )


def network() -> Any:
    """Return the hidden layers of the course's network.

    Returns
    -------
    keras.Sequential
        Three convolutions with pooling for series of shape (152, 1).

    Examples
    --------
    >>> from nnloss import BINARY, MULTICLASS, compile_for_task
    >>> from nnloss.course import wafer
    >>> compile_for_task(wafer.network(), MULTICLASS, classes=2).count_params()
    10994
    >>> compile_for_task(wafer.network(), BINARY).count_params()
    9969
    """
    import keras

    return keras.Sequential(
        [
            keras.Input((152, 1)),
            keras.layers.Conv1D(16, 8, activation="relu"),
            keras.layers.MaxPooling1D(2),
            keras.layers.Conv1D(32, 5, activation="relu"),
            keras.layers.MaxPooling1D(2),
            keras.layers.Conv1D(64, 3, activation="relu"),
            keras.layers.MaxPooling1D(2),
            keras.layers.Flatten(),
        ],
        name="wafer",
    )


def logits(model: Any, x: Array) -> Array:
    """Compute the inputs of the output activation in float64."""
    import keras

    output = model.layers[-1]
    features = keras.ops.convert_to_numpy(keras.Model(model.input, output.input)(x))
    kernel, bias = (weights.astype("float64") for weights in output.get_weights())
    z: Array = features.astype("float64") @ kernel + bias
    return z


def abnormal_scores(model: Any, x: Array) -> tuple[Array, Array]:
    """Return probabilities and logits of "abnormal" (class 0)."""
    p: Array = model.predict(x, batch_size=1000, verbose=0).astype("float64")
    z = logits(model, x)
    if z.shape[1] == 2:
        return p[:, ABNORMAL], z[:, ABNORMAL] - z[:, NORMAL]
    return 1 - p[:, 0], -z[:, 0]


def mistakes(counts: pd.DataFrame) -> tuple[int, int]:
    """Return the missed abnormal rows and the false alarms of a confusion matrix."""
    numbers = counts.to_numpy()
    return int(numbers[ABNORMAL, NORMAL]), int(numbers[NORMAL, ABNORMAL])


def measure_table(
    judged: dict[str, dict[str, float]], matrices: dict[str, pd.DataFrame]
) -> pd.DataFrame:
    """Return a table of the measures of all models, with both kinds of mistakes."""
    rows = []
    for name, values in judged.items():
        missed, false_alarms = mistakes(matrices[name])
        rows.append(
            {
                "model": name,
                "accuracy": f"{values['accuracy']:.4f}",
                "balanced accuracy": f"{values['balanced_accuracy']:.4f}",
                "ROC AUC": f"{values['roc_auc']:.4f}",
                "average precision": f"{values['average_precision']:.4f}",
                "missed": missed,
                "false alarms": false_alarms,
            }
        )
    return pd.DataFrame(rows)


def prediction_table(split: Split, models: dict[str, Fitted]) -> pd.DataFrame:
    """Return class, prediction, probability and logit of each test row; the last model predicts."""
    classes = np.array(split.classes)
    *_, network = models.values()
    columns = {
        f"{kind}_{name.replace(' ', '_')}": values
        for name, fitted in models.items()
        for kind, values in (("p_abnormal", fitted.p_abnormal), ("logit", fitted.score))
    }
    return pd.DataFrame(
        {
            "row": split.rows_test,
            "actual": classes[split.y_test],
            "predicted": classes[network.predicted],
        }
        | columns
    )


def algebra(split: Split, model: Any) -> pd.DataFrame:
    """Compare softmax with sigmoid, and CCE with BCE, on a network with two softmax outputs.

    Columns: the claim, the means of both sides over the test rows, the largest difference of a
    row, and its tolerance.
    """
    x = split.x_test[..., np.newaxis]
    z = logits(model, x)
    p = likelihoods.softmax(z)
    one_hot = encode(split.y_test, MULTICLASS, 2)
    given = model.predict(x, batch_size=1000, verbose=0)[:, NORMAL]
    difference = z[:, NORMAL] - z[:, ABNORMAL]
    sigmoid = likelihoods.sigmoid(difference)
    claims: list[tuple[str, Any, Any, float]] = [
        ("softmax(z)[1] = sigmoid(z1 - z0)", p[:, NORMAL], sigmoid, 1e-6),
        # The network computes in float32, down to the logits.
        ("the network's output = sigmoid(z1 - z0)", given, sigmoid, 1e-5),
        (
            "CCE = BCE, p clipped at 1e-7",
            likelihoods.categorical_cross_entropy(one_hot, p, epsilon=1e-7),
            likelihoods.binary_cross_entropy(split.y_test, p[:, NORMAL], epsilon=1e-7),
            1e-6,
        ),
        (
            "CCE = BCE, from the logits",
            likelihoods.categorical_cross_entropy_from_logits(one_hot, z),
            likelihoods.binary_cross_entropy_from_logits(split.y_test, difference),
            1e-6,
        ),
    ]
    return pd.DataFrame(
        {
            "claim": claim,
            "left": float(np.mean(left)),
            "right": float(np.mean(right)),
            "difference": float(np.max(np.abs(left - right))),
            "tolerance": tolerance,
        }
        for claim, left, right, tolerance in claims
    )


def algebra_table(checked: pd.DataFrame) -> pd.DataFrame:
    """Return the result of `algebra` with rounded numbers and whether each claim holds."""
    return checked.assign(
        left=[f"{value:.6f}" for value in checked["left"]],
        right=[f"{value:.6f}" for value in checked["right"]],
        difference=[f"{value:.1e}" for value in checked["difference"]],
        tolerance=[f"{value:.0e}" for value in checked["tolerance"]],
        holds=np.where(checked["difference"] <= checked["tolerance"], "yes", "NO"),
    )
