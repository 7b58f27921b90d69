"""One judge: check_pairing and compile_for_task agree, on the zoo and on every task."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import test_check_zoo as zoo

from nnloss import (
    BINARY,
    COUNTS,
    MULTICLASS,
    MULTILABEL,
    MULTIOUTPUT,
    REGRESSION,
    TASKS,
    PairingError,
    TargetError,
    Task,
    check_pairing,
    compile_for_task,
)
from nnloss._keras import own_methods
from nnloss._tensorflow import keras
from nnloss.pairing.losses import recognise
from nnloss.pairing.tracing import values_of
from nnloss.table import LOG, Family, Interval, Loss
from nnloss.theory import identities
from nnloss.theory.glm import fit_network

layers, losses, metrics = keras.layers, keras.losses, keras.metrics
Dense = layers.Dense

MODELS = {
    f"{group.lower()}: {name}": entry[0] if isinstance(entry, tuple) else entry
    for group in ("RIGHT", "WRONG", "UNKNOWN", "DEBATABLE")
    for name, entry in getattr(zoo, group).items()
}


def question(build):
    """Return a model of the zoo with the task and the loss that it is compiled for, or None."""
    model, arguments = build()
    loss = arguments.get("loss")
    if loss is None and getattr(model, "compiled", False):
        loss = getattr(model._compile_loss, "_user_loss", None)
    if loss is None or len(getattr(model, "outputs", None) or ()) != 1:
        return None
    if own_methods(model, "call", "train_step", "compute_loss"):
        return None  # a TaskModel would leave them out
    values = values_of(model.outputs[0])
    choice = recognise(loss, None, values)
    rank = len(values.shape)
    units = values.units(choice.axis) if -rank <= choice.axis < rank else 1
    tasks = [task for task in TASKS.values() if choice.loss in task.losses]
    task = next((each for each in tasks if each.accepts(units)), (tasks or [REGRESSION])[0])
    return model, loss, task


def compiled(model, task, loss, head):
    """Return what compile_for_task makes of a model, None if it refuses it."""
    try:
        return compile_for_task(model, task, loss=loss, head=head)
    except PairingError:
        return None


@pytest.mark.parametrize("build", MODELS.values(), ids=MODELS)
def test_both_entry_points_agree(build):
    asked = question(build)
    if asked is None:
        return
    model, loss, task = asked
    verdict, size = check_pairing(model, loss).verdict, model.count_params()
    # Kept as it is, the model is refused exactly where it is not right.
    kept = compiled(model, task, loss, "keep")
    assert (kept is not None) == (verdict == "right")
    assert kept is None or kept.count_params() == size
    # Whatever comes out is right, and what was right is kept.
    result = compiled(question(build)[0], task, loss, "auto")
    if verdict == "right":
        assert result is not None
        assert result.count_params() == size
    assert result is None or check_pairing(result).verdict == "right"


def body(*ends, inputs=(8,)):
    return keras.Sequential([keras.Input(inputs), Dense(16, "relu"), *ends], name="net")


X = np.random.default_rng(0).normal(size=(40, 8)).astype("float32")
# task, classes, and targets that it takes
DATA = {
    "regression": (REGRESSION, None, X[:, 0]),
    "binary": (BINARY, None, X[:, 0] > 0),
    "multiclass": (MULTICLASS, 3, np.eye(3)[np.digitize(X[:, 0], [-0.5, 0.5])]),
    "counts": (COUNTS, None, np.floor(np.exp(X[:, 0]))),
    "multilabel": (MULTILABEL, 2, (X[:, :2] > 0).astype(int)),
    "multioutput": (MULTIOUTPUT, 2, X[:, :2]),
}


@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_compiled_trained_and_checked(name, tmp_path):
    task, classes, y = DATA[name]
    model = compile_for_task(body(), task, classes=classes, log=tmp_path)
    assert model.output_shape == (None, classes or 1)
    history = model.fit(X, y, epochs=2, verbose=0).history
    assert history["loss"][1] < history["loss"][0]
    assert {metric.name for metric in task.metrics} < set(history)
    assert check_pairing(model, y=y).verdict == "right"
    assert check_pairing(model.to_keras(), y=y).verdict == "right"
    again = compile_for_task(body(Dense(classes or 1, task.activation)), task)
    assert again.count_params() == model.count_params()
    keras.saving.save_model(model, tmp_path / "m.keras")
    assert keras.saving.load_model(tmp_path / "m.keras").task is task


# The table of the two engines that there were: what ends a model, task, arguments, and the answer.
def average(x):
    return layers.Softmax()(layers.Average()([Dense(3, "softmax")(x), Dense(3, "softmax")(x)]))


def application(activation):
    return keras.applications.MobileNet(
        (32, 32, 3), alpha=0.25, weights=None, classes=10, classifier_activation=activation
    )


def logits(kind):
    return kind(from_logits=True)


RIGHT = {
    "pooled maps, softmax": lambda: (
        body(
            layers.Reshape((4, 4, 1)), layers.Conv2D(10, 3), layers.GlobalAveragePooling2D(),
            layers.Softmax(),
        ),
        MULTICLASS, None,
    ),
    "log-softmax": lambda: (
        body(Dense(3, "log_softmax")), MULTICLASS, logits(losses.CategoricalCrossentropy),
    ),
    "an application without activation": lambda: (
        application(None), MULTICLASS, logits(losses.CategoricalCrossentropy),
    ),
    "Huber": lambda: (body(Dense(1)), REGRESSION, losses.Huber()),
    "focal": lambda: (body(Dense(1, "sigmoid")), BINARY, losses.BinaryFocalCrossentropy()),
    "KL": lambda: (body(Dense(3, "softmax")), MULTICLASS, "kld"),
    "mape": lambda: (body(Dense(1)), REGRESSION, "mape"),
    "counts": lambda: (body(Dense(1, "exponential")), COUNTS, "poisson"),
    "several labels": lambda: (body(Dense(5, "sigmoid")), MULTILABEL, None),
    "several quantities": lambda: (body(Dense(3)), MULTIOUTPUT, "mse"),
}  # fmt: skip


@pytest.mark.parametrize("build", RIGHT.values(), ids=RIGHT)
@pytest.mark.parametrize("explicit", [True, False], ids=["classes", "no classes"])
def test_what_is_right_is_kept(build, explicit):
    model, task, loss = build()
    classes = model.output_shape[-1] if explicit and task.nodes is None else None
    result = compile_for_task(model, task, loss=loss, classes=classes)
    assert result.count_params() == model.count_params()
    assert check_pairing(model, result.loss).verdict == "right"


@pytest.mark.parametrize(
    ("units", "task", "remedy"),
    [
        (5, BINARY, "Use task MULTILABEL with classes=5, or end in Dense(1, 'sigmoid')"),
        (1, MULTILABEL, "Use task BINARY, or end in Dense(2, 'sigmoid')"),
    ],
)
def test_several_labels_are_a_task_of_their_own(units, task, remedy):
    with pytest.raises(PairingError) as caught:
        compile_for_task(body(Dense(units, "sigmoid")), task)
    assert caught.value.remedy == remedy


def test_that_a_loss_belongs_to_no_glm_is_logged(caplog):
    with caplog.at_level(logging.INFO, logger="nnloss"):
        compile_for_task(body(), REGRESSION, loss="huber")
        smoothed = losses.CategoricalCrossentropy(label_smoothing=0.1)
        compile_for_task(body(), MULTICLASS, classes=3, loss=smoothed)
        compile_for_task(body(), MULTICLASS, classes=3, loss="kld")
    assert "; loss huber, which belongs to no GLM but needs the same output; " in caplog.messages[0]
    assert "; loss CategoricalCrossentropy(label_smoothing=0.1); " in caplog.messages[1]
    assert "; loss kl_divergence; " in caplog.messages[2], "cross-entropy minus a term in y"


# head=


def test_the_caller_decides_where_the_model_cannot_tell():
    assert compile_for_task(body(Dense(1)), BINARY, head="add").count_params() == 163
    with pytest.raises(PairingError, match="gives logits and not probabilities"):
        compile_for_task(body(Dense(1)), BINARY, head="auto")
    with pytest.raises(PairingError, match="which cannot predict below 0"):
        compile_for_task(body(), REGRESSION, head="keep", strict=False)
    steps = keras.Sequential([keras.Input((5, 4)), layers.LSTM(3, return_sequences=True)])
    with pytest.raises(PairingError, match="or pass head='add' for an output at each place"):
        compile_for_task(steps, BINARY)
    assert compile_for_task(steps, BINARY, head="add").output_shape == (None, 5, 1)


def test_another_word_for_the_head_is_refused():
    with pytest.raises(PairingError) as caught:
        compile_for_task(body(), BINARY, head="yes")
    assert str(caught.value) == (
        "head must say whether to add the output layer; found 'yes'. Use 'auto', 'add' or 'keep'."
    )


# strict=


def own_loss(y_true, y_pred):
    return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)


@pytest.mark.parametrize("loss", ["hinge", own_loss], ids=["Keras", "own"])
def test_what_is_unknown_is_refused_unless_the_caller_knows(loss, caplog):
    with pytest.raises(PairingError) as caught:
        compile_for_task(body(Dense(1)), REGRESSION, loss=loss)
    assert caught.value.rule == "nnloss must know which output the loss needs"
    assert caught.value.remedy.endswith(". Pass strict=False to accept it")
    with caplog.at_level(logging.WARNING, logger="nnloss"):
        model = compile_for_task(body(Dense(1)), REGRESSION, loss=loss, strict=False)
    (warning,) = caplog.messages
    assert warning.startswith("Not checked: nnloss must know which output")
    assert np.isfinite(model.fit(X, X[:, 0], verbose=0).history["loss"]).all()
    assert model.fit(X, X[:, 0], verbose=0).history.keys() >= {"mean_squared_error"}


def test_what_is_wrong_is_refused_even_so():
    with pytest.raises(PairingError, match="cannot predict below 0"):
        compile_for_task(body(Dense(1, "relu")), REGRESSION, strict=False)


# Metrics.


@pytest.mark.parametrize(
    ("end", "loss", "metric", "found"),
    [
        (Dense(1), logits(losses.BinaryCrossentropy), "accuracy",
         "found 'accuracy', for which Keras takes BinaryAccuracy"),
        (Dense(1), logits(losses.BinaryCrossentropy), metrics.AUC(),
         "found AUC(from_logits=False)"),
        (Dense(1), "mse", "accuracy",
         "found 'accuracy', for which Keras takes BinaryAccuracy, which counts exact "
         "matches, and a quantity is hardly ever matched exactly"),
        (Dense(3, "softmax"), "scce", "categorical_accuracy",
         "found CategoricalAccuracy, which counts something else"),
        (Dense(3, "sigmoid"), "bce", "acc",
         "found 'acc', for which Keras takes CategoricalAccuracy, which counts something else"),
    ],
)  # fmt: skip
def test_metrics_of_a_compiled_model_are_judged(end, loss, metric, found, tmp_path):
    model = body(end.__class__.from_config(end.get_config()))
    model.compile(loss=loss, metrics=[metric])
    (finding,) = check_pairing(model).findings
    assert (finding.verdict, finding.found) == ("wrong", found)
    assert finding.remedy
    model.save(tmp_path / "m.keras")
    assert check_pairing(tmp_path / "m.keras").findings[0].found == found
    assert check_pairing(model, loss).verdict == "right"  # asked about the loss alone
    assert check_pairing(model, loss, metrics=[metric]).verdict == "wrong"


@pytest.mark.parametrize(
    "metric", [metrics.AUC(), metrics.Precision(), "AUC"], ids=["AUC", "precision", "name"]
)
def test_no_threshold_of_class_logits_is_advised(metric):
    loss = losses.CategoricalCrossentropy(from_logits=True)
    (finding,) = check_pairing(body(Dense(3)), loss, metrics=[metric]).findings
    assert finding.verdict == "wrong"
    assert "the model gives logits, and " in finding.rule
    assert finding.remedy.startswith(
        "End in softmax with loss='categorical_crossentropy', or leave "
    )


@pytest.mark.parametrize("given", [5, {"a": "mae"}], ids=["number", "dict"])
def test_metrics_that_are_no_list(given):
    with pytest.raises(
        PairingError, match=f"needs a list of metrics; found {type(given).__name__}"
    ):
        compile_for_task(body(), REGRESSION, metrics=given)


@pytest.mark.parametrize("task", ["binary", Task, 5])
def test_a_task_that_is_none(task):
    for asked in (
        lambda: check_pairing(body(Dense(1)), "mse", task=task),
        lambda: compile_for_task(body(), task),
    ):
        with pytest.raises(PairingError, match="needs a Task; found ") as caught:
            asked()
        assert caught.value.remedy == (
            "Use nnloss.REGRESSION, nnloss.BINARY, nnloss.MULTICLASS, nnloss.COUNTS, "
            "nnloss.MULTILABEL, nnloss.MULTIOUTPUT, or one of your own"
        )


def test_an_output_of_one_axis_has_one_node():
    x = keras.Input((8,))
    model = compile_for_task(keras.Model(x, Dense(1)(x)[:, 0]), REGRESSION)
    assert model.nodes == 1
    model.fit(X, X[:, 0], verbose=0)


def test_a_metric_that_keras_does_not_know():
    (finding,) = check_pairing(body(Dense(1)), "mse", metrics=["correctness"]).findings
    assert str(finding) == (
        "A metric must be one that Keras knows; found 'correctness'. "
        "Give an object from keras.metrics."
    )


# Targets.


@pytest.mark.parametrize(
    ("end", "loss", "y", "found"),
    [
        ((10, None), "mse", np.eye(10)[[0, 3, 9]],
         "found one-hot rows in y of shape (3, 10): each row belongs to one class"),
        ((69, "sigmoid"), "bce", np.eye(69)[[5, 68]],
         "found one-hot rows in y of shape (2, 69): each row belongs to one class"),
        ((1, "exponential"), "poisson", np.array([3, -1, 0]),
         "found values -1, 0, 3 in y of shape (3,), first bad rows 1"),
        ((1, "exponential"), "poisson", np.array([3, 0.5, 0]),
         "found values 0, 0.5, 3 in y of shape (3,), first bad rows 1"),
        ((3, "softmax"), "cce", np.array([[0, 1, 1], [1, 0, 0]]),
         "found rows of y that are not one-hot, for example [0, 1, 1]; first bad rows 0"),
    ],
)  # fmt: skip
def test_targets_of_another_kind(end, loss, y, found):
    model = body(Dense(*end))
    (finding,) = check_pairing(model, loss, y).findings
    assert (finding.verdict, finding.found) == ("wrong", found)
    tasks = [task for task in TASKS.values() if recognise(loss).loss in task.losses]
    task = next(task for task in tasks if task.accepts(end[0]))
    with pytest.raises(TargetError) as caught:
        compile_for_task(model, task, loss=loss).fit(X[: len(y)], y, verbose=0)
    assert (caught.value.rule, caught.value.found, caught.value.remedy) == (
        finding.rule,
        finding.found,
        finding.remedy,
    )


def test_a_batch_of_one_hot_rows_may_be_chance():
    model = compile_for_task(body(), MULTILABEL, classes=3)
    y = np.eye(3)[[0, 1, 2, 1]]
    model.fit(((X[:4], y) for _ in range(2)), steps_per_epoch=2, verbose=0)
    with pytest.raises(TargetError, match="each row belongs to one class"):
        model.fit(X[:4], y, verbose=0)


@pytest.mark.parametrize(
    ("task", "y", "note"),
    [
        (BINARY, np.array([0.05, 0.95, 0.95, 0.05]), "soft labels 0.05, 0.95"),
        (MULTICLASS, np.array([[0.9, 0.1], [0.2, 0.8]]), "soft labels in y: rows that sum to 1"),
    ],
)
def test_soft_labels_are_allowed_with_a_note(task, y, note, caplog):
    model = compile_for_task(body(), task, classes=2 if task is MULTICLASS else None)
    (finding,) = check_pairing(model, y=y).findings
    assert finding.verdict == "right"
    assert note in finding.remedy
    assert "label_smoothing=" in finding.remedy
    with caplog.at_level(logging.INFO, logger="nnloss"):
        model.fit(X[: len(y)], y, verbose=0)
    assert [note in message for message in caplog.messages] == [True]


@pytest.mark.parametrize(
    ("y", "found"),
    [
        (np.array(["yes", "no"]), "found dtype <U3 in y"),
        ([[1], [1, 2]], "found rows of different lengths in y"),
        (np.array([1.0, np.nan]), "found NaN in 1 of 2 rows of y, first bad rows 1"),
    ],
)
def test_targets_that_are_no_numbers(y, found):
    (finding,) = check_pairing(body(Dense(1)), "mse", y).findings
    assert (finding.verdict, finding.found) == ("wrong", found)
    with pytest.raises(TargetError) as caught:
        compile_for_task(body(), REGRESSION).fit(X[:2], y, verbose=0)
    assert caught.value.found == found


# Half precision.


def test_the_added_head_computes_in_single_precision():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = compile_for_task(body(), MULTICLASS, classes=3)
        half = body(Dense(3, "softmax"))
    finally:
        keras.config.set_dtype_policy("float32")
    assert model.layers[1].compute_dtype == "float16"
    assert model.layers[-1].compute_dtype == "float32"
    (finding,) = check_pairing(half, "cce").findings
    assert finding.verdict == "right"
    assert finding.remedy == (
        "Its softmax is computed in float16, which rounds small probabilities to 0: "
        "give the layer dtype='float32'"
    )
    assert check_pairing(model, "cce").findings[0].remedy == ""


# A seventh task, of a user's own.


class GammaLoss(losses.Loss):
    """Negative log-likelihood of a Gamma distribution of unit shape, but for a constant."""

    def call(self, y_true, y_pred):
        return keras.ops.mean(y_true / y_pred + keras.ops.log(y_pred), axis=-1)


GAMMA_LOSS = Loss(
    "gamma", "Gamma loss", GammaLoss, (), Interval("positive numbers", 0, open=True), LOG,
    terms=lambda y, eta: y * np.exp(-eta) + eta, slopes=lambda y, eta: 1 - y * np.exp(-eta),
    likelihood="Gamma",
)  # fmt: skip
GAMMA = Task("gamma", "waiting times", 1, (GAMMA_LOSS,), Family("Gamma", "Gamma"))


def waiting_times():
    random = np.random.default_rng(4)
    return random.gamma(1.0, np.exp(0.5 * X[:, 0] - 0.3 * X[:, 1])).astype("float32")


def test_a_task_of_ones_own_works_like_ours(tmp_path):
    y = waiting_times()
    model = compile_for_task(body(), GAMMA, optimizer="sgd", log=tmp_path)
    assert model.layers[-1].get_config()["activation"] == "exponential"
    assert np.isfinite(model.fit(X, y, verbose=0).history["loss"]).all()
    with pytest.raises(TargetError) as caught:
        model.fit(X, y - 1, verbose=0)
    assert caught.value.rule == (
        "The loss 'gamma' needs targets that are positive numbers, of shape (N,) or (N, 1)"
    )
    assert check_pairing(model, y=y).verdict == "right"
    plain = body(Dense(1))
    assert check_pairing(plain, GammaLoss(), task=GAMMA).verdict == "wrong"
    assert check_pairing(plain, GammaLoss()).verdict == "unknown"
    with pytest.raises(PairingError, match=r"needs Dense\(1, activation='exponential'\)"):
        compile_for_task(plain, GAMMA, head="keep")


def test_a_task_of_ones_own_is_its_glm():
    x, y = X[:, :2].astype(float), waiting_times().astype(float)
    assert [claim for claim in identities.of_task(GAMMA, x, y) if not claim.holds] == []
    classical, network = GAMMA.fit_glm(x, y), fit_network(GAMMA, x, y)
    np.testing.assert_allclose(network.coefficients, classical.coefficients, atol=1e-4)
    np.testing.assert_allclose(network.log_likelihood, classical.log_likelihood, rtol=1e-8)


def test_a_task_of_ones_own_is_loaded_by_name(tmp_path):
    model = compile_for_task(body(), GAMMA)
    keras.saving.save_model(model, tmp_path / "m.keras")
    mine = {"GammaLoss": GammaLoss, "gamma": GAMMA}
    assert keras.saving.load_model(tmp_path / "m.keras", custom_objects=mine).task is GAMMA
