"""compile_for_task on right and wrong models: every row of the design's table, with its wording."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from nnloss import (
    BINARY,
    MULTICLASS,
    REGRESSION,
    PairingError,
    TargetError,
    TaskModel,
    compile_for_task,
)
from nnloss._tensorflow import keras, tf

layers, losses, metrics = keras.layers, keras.losses, keras.metrics


def dense(units, activation=None):
    return lambda: [layers.Dense(units, activation)]


LABELS_LOSS = "which is not a likelihood of labels and has poor gradients at confident mistakes"
CCE_ONLY = (
    "Task 'multiclass' needs the loss 'categorical_crossentropy' or "
    "'sparse_categorical_crossentropy' or 'kl_divergence'"
)

# what the model ends in, task, arguments, and the three parts of the message
WRONG = {
    "softmax with CCE from logits": (
        dense(10, "softmax"),
        MULTICLASS,
        {"classes": 10, "loss": lambda: losses.CategoricalCrossentropy(from_logits=True)},
        "The loss 'CategoricalCrossentropy(from_logits=True)' applies softmax itself and "
        "needs a linear output",
        "model 'net' ends in Dense(10, activation='softmax'): double softmax",
        "Use loss='categorical_crossentropy', or end in a linear layer",
    ),
    "sigmoid with BCE from logits": (
        dense(1, "sigmoid"),
        BINARY,
        {"loss": lambda: losses.BinaryCrossentropy(from_logits=True)},
        "The loss 'BinaryCrossentropy(from_logits=True)' applies sigmoid itself and needs a "
        "linear output",
        "model 'net' ends in Dense(1, activation='sigmoid'): double sigmoid",
        "Use loss='binary_crossentropy', or end in a linear layer",
    ),
    "Dense softmax, then Softmax": (
        lambda: [layers.Dense(10, "softmax"), layers.Softmax()],
        MULTICLASS,
        {"classes": 10},
        "An output needs its softmax once",
        "model 'net' ends in Dense(10, activation='softmax') -> Softmax: double softmax",
        "Remove the last softmax",
    ),
    "Dense softmax, then Activation": (
        lambda: [layers.Dense(10, "softmax"), layers.Activation("softmax")],
        MULTICLASS,
        {"classes": 10},
        "An output needs its softmax once",
        "model 'net' ends in Dense(10, activation='softmax') -> Activation('softmax'): "
        "double softmax",
        "Remove the last softmax",
    ),
    "linear(C) with CCE": (
        dense(10),
        MULTICLASS,
        {"classes": 10, "loss": "categorical_crossentropy"},
        "Task 'multiclass' needs Dense(10, activation='softmax')",
        "model 'net' ends in Dense(10), which gives logits and not probabilities",
        "End in Dense(10, 'softmax'), or use "
        "loss=keras.losses.CategoricalCrossentropy(from_logits=True), or use task "
        "MULTIOUTPUT with classes=10 if y has 10 quantities",
    ),
    "linear(1) with BCE": (
        dense(1),
        BINARY,
        {"loss": "binary_crossentropy"},
        "Task 'binary' needs Dense(1, activation='sigmoid')",
        "model 'net' ends in Dense(1), which gives logits and not probabilities",
        "End in Dense(1, 'sigmoid'), or use "
        "loss=keras.losses.BinaryCrossentropy(from_logits=True), or use task REGRESSION if y "
        "is a quantity",
    ),
    "sigmoid(C) with CCE": (
        dense(10, "sigmoid"),
        MULTICLASS,
        {"classes": 10},
        "Task 'multiclass' needs Dense(10, activation='softmax')",
        "model 'net' ends in Dense(10, activation='sigmoid'), whose rows do not sum to 1",
        "Use task MULTILABEL with classes=10, or end in Dense(10, 'softmax')",
    ),
    "softmax(C) with MSE": (
        dense(10, "softmax"),
        MULTICLASS,
        {"classes": 10, "loss": "mse"},
        "Task 'multiclass' needs the loss 'categorical_crossentropy' or "
        "'sparse_categorical_crossentropy' or 'kl_divergence'",
        "found 'mean_squared_error', which is not a likelihood of labels and has poor "
        "gradients at confident mistakes",
        "Leave the loss out, or use loss='categorical_crossentropy'",
    ),
    "sigmoid(1) with MSE": (
        dense(1, "sigmoid"),
        BINARY,
        {"loss": "MSE"},
        "Task 'binary' needs the loss 'binary_crossentropy'",
        "found 'mean_squared_error', which is not a likelihood of labels and has poor "
        "gradients at confident mistakes",
        "Leave the loss out, or use loss='binary_crossentropy'",
    ),
    "softmax(1) with BCE": (
        dense(1, "softmax"),
        BINARY,
        {"loss": "binary_crossentropy"},
        "A softmax needs at least two units",
        "model 'net' ends in Dense(1, activation='softmax'), which is 1 for every row",
        "End in sigmoid with loss='binary_crossentropy', or in one unit for each class",
    ),
    "sigmoid(1) with CCE": (
        dense(1, "sigmoid"),
        BINARY,
        {"loss": "categorical_crossentropy"},
        "Task 'binary' needs the loss 'binary_crossentropy'",
        "found 'categorical_crossentropy', which is 0 for every row of a single unit",
        "Leave the loss out, or use loss='binary_crossentropy'",
    ),
    "sigmoid(1) for two classes": (
        dense(1, "sigmoid"),
        MULTICLASS,
        {"classes": 2},
        "Task 'multiclass' needs Dense(2, activation='softmax')",
        "model 'net' ends in Dense(1, activation='sigmoid'), whose rows do not sum to 1",
        "Use task BINARY, or end in Dense(2, 'softmax')",
    ),
    "softmax(2) for a binary task": (
        dense(2, "softmax"),
        BINARY,
        {"loss": "binary_crossentropy"},
        "Task 'binary' needs Dense(1, activation='sigmoid')",
        "model 'net' ends in Dense(2, activation='softmax'), which makes one choice and not "
        "yes/no answers",
        "Use task MULTICLASS with classes=2, or end in Dense(1, 'sigmoid')",
    ),
    "softmax(2) with BCE": (
        dense(2, "softmax"),
        MULTICLASS,
        {"classes": 2, "loss": losses.binary_crossentropy},
        "Task 'multiclass' needs the loss 'categorical_crossentropy' or "
        "'sparse_categorical_crossentropy' or 'kl_divergence'",
        "found 'binary_crossentropy', which scores the units as separate yes/no answers and not "
        "as one choice",
        "Leave the loss out, or use loss='categorical_crossentropy'",
    ),
    "relu for a regression": (
        dense(1, "relu"),
        REGRESSION,
        {},
        "Task 'regression' needs Dense(1, activation='linear')",
        "model 'net' ends in Dense(1, activation='relu'), which cannot predict below 0",
        "End in Dense(1, 'linear'), or pass head='add' if it is a hidden layer",
    ),
    "ReLU layer for a regression": (
        lambda: [layers.Dense(1), layers.ReLU()],
        REGRESSION,
        {},
        "Task 'regression' needs Dense(1, activation='linear')",
        "model 'net' ends in Dense(1) -> ReLU, which cannot predict below 0",
        "End in Dense(1, 'linear'), or pass head='add' if it is a hidden layer",
    ),
    "sigmoid for a regression": (
        dense(1, "sigmoid"),
        REGRESSION,
        {},
        "Task 'regression' needs Dense(1, activation='linear')",
        "model 'net' ends in Dense(1, activation='sigmoid'), which cannot leave the range 0 to 1",
        "Use task BINARY, or end in Dense(1, 'linear')",
    ),
    "tanh for a regression": (
        dense(1, "tanh"),
        REGRESSION,
        {},
        "Task 'regression' needs Dense(1, activation='linear')",
        "model 'net' ends in Dense(1, activation='tanh'), which cannot leave the range -1 to 1",
        "End in Dense(1, 'linear'), or pass head='add' if it is a hidden layer",
    ),
    "softmax for a regression": (
        dense(10, "softmax"),
        REGRESSION,
        {},
        "Task 'regression' needs Dense(1, activation='linear')",
        "model 'net' ends in Dense(10, activation='softmax'), whose rows sum to 1",
        "Use task MULTICLASS with classes=10, or end in Dense(1, 'linear')",
    ),
    "an unknown activation of the size of the output": (
        lambda: [layers.Dense(1, activation=keras.activations.softplus)],
        REGRESSION,
        {},
        "Task 'regression' needs Dense(1, activation='linear')",
        "model 'net' ends in Dense(1, activation='softplus'), which is a Gaussian likelihood "
        "with another link than the table's",
        "It is right if the mean is meant to be always positive; else end in a linear layer. "
        "Pass strict=False to accept it",
    ),
    "a linear layer of another size": (
        dense(32),
        REGRESSION,
        {},
        "Task 'regression' needs Dense(1, activation='linear')",
        "model 'net' ends in Dense(32), which has 32 units",
        "End in Dense(1, 'linear'), or pass head='add' if it is a hidden layer, or use task "
        "MULTIOUTPUT with classes=32 if y has 32 quantities",
    ),
    "another number of classes": (
        dense(5, "softmax"),
        MULTICLASS,
        {"classes": 10},
        "Task 'multiclass' needs Dense(10, activation='softmax')",
        "model 'net' ends in Dense(5, activation='softmax'), which has 5 units",
        "Use task MULTICLASS with classes=5, or end in Dense(10, 'softmax')",
    ),
    "softmax over the rows": (
        lambda: [layers.Dense(4), layers.Softmax(axis=0)],
        MULTICLASS,
        {"classes": 4},
        "The loss 'categorical_crossentropy' needs a softmax output over axis 1",
        "model 'net' ends in Dense(4) -> Softmax over axis 0, which sums to 1 over axis 0",
        "Use Softmax(axis=1), or give the loss the axis of the classes",
    ),
    "relu before softmax": (
        lambda: [layers.Dense(4, "relu"), layers.Softmax()],
        MULTICLASS,
        {"classes": 4},
        "Task 'multiclass' needs Dense(4, activation='softmax')",
        "model 'net' ends in Dense(4, activation='relu') -> Softmax, and softmax of relu "
        "hides what the numbers are",
        "End in one of Keras' own layers with its activation, or check the code of that "
        "layer, or pass head='add' if it is a hidden layer. Pass strict=False to accept it",
    ),
    "dropout after softmax": (
        lambda: [layers.Dense(4, "softmax"), layers.Dropout(0.5)],
        MULTICLASS,
        {"classes": 4},
        "Task 'multiclass' needs Dense(4, activation='softmax')",
        "model 'net' ends in Dense(4, activation='softmax') -> Dropout, which is Dropout of "
        "softmax and not softmax",
        "End in Dense(4, 'softmax')",
    ),
    "MAE for a binary task": (
        dense(16, "relu"),
        BINARY,
        {"loss": "mae"},
        "Task 'binary' needs the loss 'binary_crossentropy'",
        "found 'mean_absolute_error', which is not a likelihood of labels and has poor "
        "gradients at confident mistakes",
        "Leave the loss out, or use loss='binary_crossentropy'",
    ),
    "BCE for a regression": (
        dense(16, "relu"),
        REGRESSION,
        {"loss": losses.BinaryCrossentropy},
        "Task 'regression' needs the loss 'mean_squared_error' or 'mean_absolute_error'",
        "found 'binary_crossentropy', which is not a likelihood of this task",
        "Leave the loss out, or use loss='mean_squared_error'",
    ),
    "a loss that the table does not have": (
        dense(16, "relu"),
        BINARY,
        {"loss": "hinge"},
        "nnloss must know which output the loss needs",
        "model 'net' ends in Dense(1, activation='sigmoid'), with the loss 'hinge', which "
        "nnloss does not recognise as a likelihood",
        "Use one of binary_crossentropy, binary_focal_crossentropy, or check by hand that "
        "the output fits. Pass strict=False to accept it",
    ),
    "a loss by a wrong name": (
        dense(16, "relu"),
        BINARY,
        {"loss": "msee"},
        "The loss must be one that Keras knows",
        "found 'msee'",
        "See keras.losses",
    ),
    "no number of classes": (
        dense(16, "relu"),
        MULTICLASS,
        {},
        "Task 'multiclass' needs the number of classes, at least 2",
        "found classes=None",
        "Give classes=C",
    ),
    "one class": (
        dense(16, "relu"),
        MULTICLASS,
        {"classes": 1},
        "Task 'multiclass' needs the number of classes, at least 2",
        "found classes=1",
        "Give classes=C",
    ),
    "classes for a regression": (
        dense(16, "relu"),
        REGRESSION,
        {"classes": 3},
        "Task 'regression' has 1 output node and takes no classes",
        "found classes=3",
        "Leave classes out, or use task MULTICLASS, MULTILABEL, MULTIOUTPUT",
    ),
    "a layer of the user's own at the end": (
        lambda: [Unknown()],
        BINARY,
        {},
        "Task 'binary' needs Dense(1, activation='sigmoid')",
        "model 'net' ends in Unknown, and Unknown, which is not Keras' own, hides what the "
        "numbers are",
        "End in one of Keras' own layers with its activation, or check the code of that "
        "layer, or pass head='add' if it is a hidden layer. Pass strict=False to accept it",
    ),
    "a threshold of one half on logits": (
        dense(1),
        BINARY,
        {
            "loss": lambda: losses.BinaryCrossentropy(from_logits=True),
            "metrics": [metrics.BinaryAccuracy()],
        },
        "The loss 'BinaryCrossentropy(from_logits=True)' has the metric BinaryAccuracy; the "
        "model gives logits, and one half is 0 there",
        "found BinaryAccuracy(threshold=0.5)",
        "Give BinaryAccuracy(threshold=0), or leave it out",
    ),
    "the accuracy of another task": (
        dense(16, "relu"),
        MULTICLASS,
        {"classes": 3, "metrics": [metrics.BinaryAccuracy()]},
        "The loss 'categorical_crossentropy' has the metric CategoricalAccuracy",
        "found BinaryAccuracy, which counts something else",
        "Use CategoricalAccuracy",
    ),
    "accuracy of a regression": (
        dense(16, "relu"),
        REGRESSION,
        {"metrics": ["accuracy"]},
        "The loss 'mean_squared_error' needs metrics of errors, such as MeanSquaredError and "
        "MeanAbsoluteError",
        "found 'accuracy', for which Keras takes BinaryAccuracy, which counts exact "
        "matches, and a quantity is hardly ever matched exactly",
        "Leave 'accuracy' out",
    ),
    "a metric that Keras does not know": (
        dense(16, "relu"),
        REGRESSION,
        {"metrics": ["correctness"]},
        "A metric must be one that Keras knows",
        "found 'correctness'",
        "Give an object from keras.metrics",
    ),
}


class Unknown(layers.Layer):
    def call(self, inputs):
        return inputs


def arguments_of(given):
    """Losses are made anew for each test."""
    loss = given.get("loss")
    if callable(loss) and getattr(loss, "__name__", "") == "<lambda>":
        return given | {"loss": loss()}
    return given


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG)
def test_wrong_pairs_are_refused(body, case):
    end, task, given, rule, found, remedy = case
    with pytest.raises(PairingError) as caught:
        compile_for_task(body(*end()), task, **arguments_of(given))
    assert (caught.value.rule, caught.value.found, caught.value.remedy) == (rule, found, remedy)
    assert str(caught.value) == f"{rule}; {found}. {remedy}."
    assert isinstance(caught.value, ValueError)


def custom(y_true, y_pred):
    return keras.ops.mean(y_true - y_pred)


class Subclass(losses.MeanSquaredError):
    pass


@pytest.mark.parametrize("loss", [custom, Subclass()], ids=["function", "subclass"])
def test_a_loss_of_the_users_own_is_refused_and_not_replaced(body, loss):
    with pytest.raises(PairingError, match="which nnloss does not recognise as a likelihood"):
        compile_for_task(body(), REGRESSION, loss=loss)


HIDDEN = {
    "Dense relu": dense(7, "relu"),
    "Dense tanh": dense(7, "tanh"),
    "Dropout": lambda: [layers.Dropout(0.1)],
    "BatchNormalization": lambda: [layers.Dense(7), layers.BatchNormalization()],
    "LayerNormalization": lambda: [layers.LayerNormalization()],
    "Activation": lambda: [layers.Dense(7), layers.Activation("relu")],
    "LeakyReLU": lambda: [layers.Dense(7), layers.LeakyReLU()],
    "Flatten": lambda: [layers.Flatten()],
    "Dense linear, then Flatten": lambda: [layers.Dense(7), layers.Flatten()],
    "Dense linear, then Dropout": lambda: [layers.Dense(7), layers.Dropout(0.1)],
    "pooling": lambda: [
        layers.Reshape((8, 2)),
        layers.Conv1D(3, 3, activation="relu"),
        layers.GlobalAveragePooling1D(),
    ],
    "max pooling": lambda: [
        layers.Reshape((8, 2)),
        layers.Conv1D(3, 3),
        layers.MaxPooling1D(2),
        layers.Flatten(),
    ],
    "a recurrent layer": lambda: [layers.Reshape((8, 2)), layers.LSTM(3)],
}


@pytest.mark.parametrize("task", [REGRESSION, BINARY, MULTICLASS], ids=lambda task: task.name)
@pytest.mark.parametrize("end", HIDDEN.values(), ids=HIDDEN)
def test_a_hidden_end_gets_the_output_layer(body, end, task):
    model = body(*end())
    result = compile_for_task(model, task, classes=3 if task is MULTICLASS else None)
    head = result.layers[-1]
    assert isinstance(head, keras.layers.Dense)
    assert head.name == "output"
    assert keras.activations.serialize(head.activation) == task.activation
    assert result.output_shape == (None, task.nodes or 3)
    assert result.layers[-2] is model.layers[-1]
    assert result.loss == task.loss.name


HEADS = {
    "Dense": lambda n, a: [layers.Dense(n, a)],
    "Activation": lambda n, a: [layers.Dense(n), layers.Activation(a)],
    "a function": lambda n, a: [layers.Dense(n, getattr(keras.activations, a))],
    "Dense, then linear": lambda n, a: [layers.Dense(n, a), layers.Activation("linear")],
    "a nested model": lambda n, a: [
        keras.Sequential([keras.Input((16,)), layers.Dense(n), layers.Activation(a)])
    ],
}


@pytest.mark.parametrize(
    ("task", "nodes"),
    [(REGRESSION, 1), (BINARY, 1), (MULTICLASS, 4)],
    ids=["regression", "binary", "multiclass"],
)
@pytest.mark.parametrize("end", HEADS.values(), ids=HEADS)
def test_the_right_head_is_kept(body, end, task, nodes):
    model = body(*end(nodes, task.activation))
    result = compile_for_task(model, task)
    assert result.count_params() == model.count_params()
    assert result.output_shape == (None, nodes)


@pytest.mark.parametrize(
    ("task", "nodes"), [(BINARY, 1), (MULTICLASS, 4)], ids=["binary", "multiclass"]
)
def test_a_convolution_is_a_head(body, task, nodes):
    convolution = layers.Conv1D(nodes, 1, activation=task.activation)
    model = body(layers.Reshape((1, 16)), convolution, layers.Flatten())
    assert compile_for_task(model, task).count_params() == model.count_params()


def test_a_softmax_at_each_step_is_no_head(body):
    model = body(layers.Reshape((4, 4)), layers.Dense(2, "softmax"), layers.Flatten())
    with pytest.raises(PairingError, match="which is softmax at several places and not softmax"):
        compile_for_task(model, MULTICLASS, classes=2)


def test_a_softmax_layer_is_a_head(body):
    model = body(layers.Dense(4), layers.Softmax())
    assert compile_for_task(model, MULTICLASS, classes=4).count_params() == model.count_params()


def test_a_functional_body_with_branches():
    x = keras.Input((8,))
    hidden = layers.Dense(4, "relu")(x)
    model = keras.Model(x, layers.Add()([hidden, layers.Dense(4, "relu")(hidden)]))
    assert compile_for_task(model, BINARY).output_shape == (None, 1)
    model = keras.Model(x, keras.ops.sigmoid(layers.Dense(1)(hidden)))
    assert compile_for_task(model, BINARY).count_params() == model.count_params()


def test_double_softmax_is_seen_across_nested_models():
    inner = keras.Sequential([keras.Input((3,)), layers.Softmax()])
    model = keras.Sequential([keras.Input((8,)), layers.Dense(3, "softmax"), inner])
    with pytest.raises(PairingError, match="double softmax"):
        compile_for_task(model, MULTICLASS, classes=3)


@pytest.mark.parametrize(
    ("task", "loss", "nodes"),
    [
        (BINARY, losses.BinaryCrossentropy, 1),
        (MULTICLASS, losses.CategoricalCrossentropy, 3),
        (MULTICLASS, losses.SparseCategoricalCrossentropy, 3),
    ],
    ids=["BCE", "CCE", "sparse CCE"],
)
@pytest.mark.parametrize("head", [True, False], ids=["kept", "added"])
def test_from_logits_wants_a_linear_head(body, task, loss, nodes, head):
    model = body(layers.Dense(nodes)) if head else body()
    classes = nodes if task is MULTICLASS else None
    result = compile_for_task(model, task, classes=classes, loss=loss(from_logits=True))
    assert keras.activations.serialize(result.layers[-1].activation) == "linear"
    assert result.loss.from_logits


def test_accuracy_of_logits_counts_from_zero(body):
    model = compile_for_task(
        body(layers.Dense(1)), BINARY, loss=losses.BinaryCrossentropy(from_logits=True)
    )
    x = np.random.default_rng(0).normal(size=(64, 8)).astype("float32")
    # A logit of 0.3 is a probability of 0.57: class 1, though it is below one half.
    model.layers[-1].set_weights([np.zeros((16, 1)), np.array([0.3])])
    assert model.evaluate(x, np.ones(64), verbose=0, return_dict=True)["accuracy"] == 1


@pytest.mark.parametrize(
    ("task", "kinds", "names"),
    [
        (REGRESSION, [metrics.MeanSquaredError, metrics.MeanAbsoluteError],
         ["mean_squared_error", "mean_absolute_error"]),
        (BINARY, [metrics.BinaryAccuracy], ["accuracy"]),
        (MULTICLASS, [metrics.CategoricalAccuracy], ["accuracy"]),
    ],
    ids=["regression", "binary", "multiclass"],
)  # fmt: skip
def test_metrics_are_bound_explicitly(body, task, kinds, names):
    model = compile_for_task(body(), task, classes=3 if task is MULTICLASS else None)
    assert [type(metric) for metric in model.bound_metrics] == kinds
    assert [metric.name for metric in model.bound_metrics] == names


def test_the_sparse_loss_has_the_sparse_accuracy(body):
    model = compile_for_task(body(), MULTICLASS, classes=3, loss="sparse_categorical_crossentropy")
    assert isinstance(model.bound_metrics[0], metrics.SparseCategoricalAccuracy)


def test_the_callers_metrics_are_added(body):
    own = metrics.AUC(name="auc")
    model = compile_for_task(body(), BINARY, metrics=[own, "accuracy", "mean_squared_error"])
    assert [getattr(metric, "name", metric) for metric in model.bound_metrics] == [
        "auc", "accuracy", "mean_squared_error",
    ]  # fmt: skip
    assert model.bound_metrics[0] is own
    model = compile_for_task(body(), BINARY, metrics=metrics.BinaryAccuracy(threshold=0.3))
    assert [metric.threshold for metric in model.bound_metrics] == [0.5, 0.3]


def test_the_callers_optimizer_and_loss_are_kept(body):
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    loss = losses.BinaryCrossentropy(label_smoothing=0.1, reduction="sum")
    model = compile_for_task(body(), BINARY, optimizer=optimizer, loss=loss)
    assert model.optimizer is optimizer
    assert model.loss is loss


def test_a_task_model_made_by_hand_is_checked_too(body):
    model = body(layers.Dense(2, "sigmoid"))
    by_hand = TaskModel(model.inputs[0], model.outputs[0], BINARY, name="hand")
    with pytest.raises(PairingError, match=r"needs Dense\(1, activation='sigmoid'\)"):
        by_hand.compile()


def test_compile_again_is_checked_too(body):
    model = compile_for_task(body(), BINARY)
    with pytest.raises(PairingError, match="found 'mean_squared_error'"):
        model.compile(loss="mse")


@pytest.mark.parametrize(
    ("model", "found"),
    [
        (lambda: "model.keras", "found str"),
        (lambda: keras.Sequential([layers.Dense(3)], name="raw"),
         "model 'raw' (Sequential) has no output yet"),
    ],
    ids=["no model", "not built"],
)  # fmt: skip
def test_what_is_no_built_model_is_refused(model, found):
    with pytest.raises(PairingError) as caught:
        compile_for_task(model(), BINARY)
    assert caught.value.found == found
    assert "functional or sequential Keras model with one output" in caught.value.rule


def test_two_outputs_are_refused():
    x = keras.Input((8,))
    model = keras.Model(x, [layers.Dense(1)(x), layers.Dense(1)(x)], name="two")
    with pytest.raises(PairingError, match="model 'two' has 2 outputs"):
        compile_for_task(model, REGRESSION)


def test_an_output_of_higher_rank_is_refused():
    model = keras.Sequential([keras.Input((9, 1)), layers.Conv1D(4, 3)], name="conv")
    with pytest.raises(PairingError, match=r"model 'conv' ends in shape \(None, 7, 4\)"):
        compile_for_task(model, BINARY)


def test_an_output_at_each_step_is_kept_if_it_is_right():
    model = keras.Sequential([keras.Input((5, 4)), layers.Dense(1)], name="steps")
    result = compile_for_task(model, REGRESSION)
    assert result.output_shape == (None, 5, 1)
    x, y = np.zeros((4, 5, 4), "float32"), np.zeros((4, 5))
    assert np.isfinite(result.fit(x, y, verbose=0).history["loss"]).all()
    with pytest.raises(TargetError, match=r"of shape \(N, 5\) or \(N, 5, 1\); found y of shape"):
        result.fit(x, y[:, 0], verbose=0)


def test_a_task_by_its_name_is_refused(body):
    with pytest.raises(PairingError, match="compile_for_task needs a Task; found 'binary'"):
        compile_for_task(body(), "binary")


def test_the_choice_is_logged(body, caplog):
    with caplog.at_level(logging.INFO, logger="nnloss"):
        compile_for_task(body(), MULTICLASS, classes=3)
        compile_for_task(body(layers.Dense(1)), REGRESSION, loss="mae")
    assert caplog.messages == [
        "Task 'multiclass': added Dense(3, activation='softmax'); loss categorical_crossentropy; "
        "optimizer Adam; metrics accuracy; 195 parameters",
        "Task 'regression': kept Dense(1); loss mean_absolute_error; optimizer Adam; "
        "metrics mean_squared_error, mean_absolute_error; 161 parameters",
    ]
    assert {record.levelname for record in caplog.records} == {"INFO"}


def shared(*ends):
    """Several ends on the same hidden layer."""
    x = keras.Input((8,))
    hidden = layers.Dense(4, "relu")(x)
    return x, [end(hidden) for end in ends]


def average(x, ends):
    return keras.Model(x, layers.Average()(ends), name="net")


BURIED = {
    "an average of softmax": lambda: average(*shared(*[layers.Dense(3, "softmax") for _ in "ab"])),
    "arithmetic on softmax": lambda: keras.Model(
        *(lambda x, ends: (x, ends[0] * 0.9 + 0.1))(*shared(layers.Dense(3, "softmax")))
    ),
    "one minus sigmoid": lambda: keras.Model(
        *(lambda x, ends: (x, 1 - ends[0]))(*shared(layers.Dense(1, "sigmoid")))
    ),
    "a sum of two linear units": lambda: average(*shared(layers.Dense(1), layers.Dense(1))),
    "a rescaled linear unit": lambda: keras.Sequential(
        [keras.Input((8,)), layers.Dense(1), layers.Rescaling(50.0)]
    ),
}


# what regression and binary classification make of it: "" where it is kept
FATES = {
    "an average of softmax": ("whose rows sum to 1", "which makes one choice and not"),
    "arithmetic on softmax": ("hides what the numbers are", "hides what the numbers are"),
    "one minus sigmoid": ("hides what the numbers are", "hides what the numbers are"),
    "a sum of two linear units": ("", "which gives logits and not probabilities"),
    "a rescaled linear unit": ("", "which gives logits and not probabilities"),
}


@pytest.mark.parametrize("number", [0, 1], ids=["regression", "binary"])
@pytest.mark.parametrize("build", BURIED)
def test_what_may_be_an_output_gets_no_second_one(build, number):
    model, fate = BURIED[build](), FATES[build][number]
    task = (REGRESSION, BINARY)[number]
    if fate:
        with pytest.raises(PairingError, match=fate):
            compile_for_task(model, task)
    else:
        assert compile_for_task(model, task).count_params() == model.count_params()


def test_softmax_of_mean_probabilities_is_a_double_softmax():
    x, ends = shared(*[layers.Dense(3, "softmax") for _ in "ab"])
    model = keras.Model(x, layers.Softmax(name="out")(layers.Average()(ends)), name="net")
    with pytest.raises(PairingError) as caught:
        compile_for_task(model, MULTICLASS, classes=3)
    assert caught.value.rule == "An output needs its softmax once"
    assert caught.value.found == ("model 'net' ends in Average -> Softmax: double softmax")
    assert caught.value.remedy == "Remove the last softmax"


def test_a_gate_is_hidden():
    x, (value, gate) = shared(layers.Dense(6, "relu"), layers.Dense(6, "sigmoid"))
    assert compile_for_task(keras.Model(x, layers.Multiply()([value, gate])), BINARY).nodes == 1


def test_a_head_in_a_nested_model_with_two_inputs_is_seen():
    a, b = keras.Input((3,)), keras.Input((2,))
    inner = keras.Model([a, b], layers.Dense(3, "softmax")(layers.Concatenate()([a, b])))
    x = keras.Input((8,))
    outer = keras.Model(x, inner([layers.Dense(3)(x), layers.Dense(2)(x)]))
    assert compile_for_task(outer, MULTICLASS).count_params() == outer.count_params()
    with pytest.raises(PairingError, match="Use task MULTICLASS with classes=3"):
        compile_for_task(outer, BINARY)


def test_each_input_of_a_nested_model_leads_back_to_its_own_layer():
    a, b = keras.Input((3,)), keras.Input((3,))
    inner = keras.Model([a, b], layers.Softmax()(b))
    x = keras.Input((8,))
    softmax, linear = layers.Dense(3, "softmax")(x), layers.Dense(3)(x)
    assert compile_for_task(keras.Model(x, inner([softmax, linear])), MULTICLASS).nodes == 3
    with pytest.raises(PairingError, match="double softmax"):
        compile_for_task(keras.Model(x, inner([linear, softmax])), MULTICLASS)


def test_softmax_of_tensorflow_is_softmax(body):
    model = body(layers.Dense(3, activation=tf.nn.softmax))
    assert compile_for_task(model, MULTICLASS).count_params() == model.count_params()
    with pytest.raises(PairingError, match="Use task MULTICLASS with classes=3"):
        compile_for_task(model, BINARY)


def softmax(x):
    return x


def test_a_function_of_the_users_own_is_not_taken_for_that_of_the_same_name(body):
    with pytest.raises(
        PairingError, match=r"ends in Dense\(3, activation='test_pairing.softmax'\)"
    ):
        compile_for_task(body(layers.Dense(3, activation=softmax)), MULTICLASS, classes=3)


def test_a_wrapped_head_is_seen(body):
    model = body(layers.SpectralNormalization(layers.Dense(1, "sigmoid")))
    assert compile_for_task(model, BINARY).count_params() == model.count_params()
    with pytest.raises(PairingError, match=r"ends in SpectralNormalization\(Dense\(1, activation="):
        compile_for_task(model, REGRESSION)


def test_sigmoid_before_pooling_or_dropout_is_hidden(body):
    lenet = body(
        layers.Reshape((8, 2)),
        layers.Conv1D(6, 3, activation="sigmoid"),
        layers.AveragePooling1D(2),
        layers.Flatten(),
    )
    assert compile_for_task(lenet, MULTICLASS, classes=10).nodes == 10
    assert (
        compile_for_task(body(layers.Dense(5, "sigmoid"), layers.Dropout(0.1)), BINARY).nodes == 1
    )


def test_a_body_without_layers_is_the_glm():
    x = keras.Input((8,))
    model = compile_for_task(keras.Model(x, x), BINARY)
    assert model.count_params() == 9
    with pytest.raises(PairingError, match=r"keras.Model\(x, x\)"):
        compile_for_task(keras.Sequential([keras.Input((8,))]), BINARY)


class OwnStep(keras.Model):
    def train_step(self, data):
        raise NotImplementedError


def test_training_of_the_users_own_is_refused_and_not_left_out():
    x = keras.Input((8,))
    model = OwnStep(x, layers.Dense(4, "relu")(x), name="own")
    with pytest.raises(PairingError, match="OwnStep 'own' has its own train_step, which would be"):
        compile_for_task(model, BINARY)


def test_a_replaced_optimizer_is_said(body, caplog):
    model = body()
    model.compile("sgd", "mse")
    with caplog.at_level(logging.INFO, logger="nnloss"):
        compile_for_task(model, BINARY)
    assert "; optimizer Adam (the compiled model had SGD);" in caplog.text


def test_classes_may_be_a_numpy_integer(body):
    assert compile_for_task(body(), MULTICLASS, classes=np.int64(3)).nodes == 3
    with pytest.raises(PairingError, match="found classes=True"):
        compile_for_task(body(), MULTICLASS, classes=True)


def test_classes_over_the_rows_are_refused(body):
    with pytest.raises(PairingError) as caught:
        compile_for_task(body(), MULTICLASS, classes=3, loss=losses.CategoricalCrossentropy(axis=0))
    assert caught.value.rule.startswith("The classes need an axis of the output of their own")
    assert caught.value.found.endswith("the loss 'CategoricalCrossentropy(axis=0)' takes axis 0")


def test_a_class_to_ignore_is_allowed(body):
    loss = losses.SparseCategoricalCrossentropy(ignore_class=-1)
    model = compile_for_task(body(), MULTICLASS, classes=3, loss=loss)
    model.fit(np.zeros((4, 8), "float32"), np.array([0, -1, 2, 1]), verbose=0)
    with pytest.raises(TargetError, match="found values -2, 3 in y"):
        model.fit(np.zeros((4, 8), "float32"), np.array([0, -1, 3, -2]), verbose=0)


@pytest.mark.parametrize(
    ("metric", "found"),
    [
        (lambda: metrics.Precision(), "found Precision(thresholds=[0.5])"),
        (lambda: metrics.Recall, "found Recall(thresholds=[0.5])"),
        (lambda: "precision", "found Precision(thresholds=[0.5])"),
        (lambda: metrics.AUC(), "found AUC(from_logits=False)"),
        (lambda: metrics.binary_accuracy, "found BinaryAccuracy(threshold=0.5)"),
    ],
    ids=["object", "class", "name", "AUC", "function"],
)
def test_metrics_of_probabilities_are_refused_on_logits(body, metric, found):
    loss = losses.BinaryCrossentropy(from_logits=True)
    with pytest.raises(PairingError) as caught:
        compile_for_task(body(), BINARY, loss=loss, metrics=[metric()])
    assert caught.value.found == found
    compile_for_task(body(), BINARY, metrics=[metric()])


def test_metrics_of_logits_are_accepted(body):
    own = [metrics.Precision(thresholds=0), metrics.AUC(from_logits=True), "binary_accuracy"]
    loss = losses.BinaryCrossentropy(from_logits=True)
    model = compile_for_task(body(), BINARY, loss=loss, metrics=own)
    due, precision, auc, named = model.bound_metrics
    assert (precision, auc) == tuple(own[:2])
    assert (due.name, named.name) == ("accuracy", "binary_accuracy")
    assert due.threshold == named.threshold == 0


@pytest.mark.parametrize(
    ("task", "metric", "name"),
    [
        (REGRESSION, "mse", "mse"),
        (REGRESSION, metrics.MeanAbsoluteError, "mean_absolute_error"),
        (BINARY, "acc", "acc"),
        (BINARY, "binary_accuracy", "binary_accuracy"),
        (BINARY, metrics.BinaryAccuracy, "binary_accuracy"),
    ],
)
def test_a_metric_is_reported_under_the_callers_name(body, task, metric, name):
    model = compile_for_task(body(), task, metrics=[metric])
    x = np.zeros((4, 8), "float32")
    history = model.fit(x, np.zeros(4), validation_data=(x, np.zeros(4)), verbose=0).history
    assert f"val_{name}" in history
    assert {f"val_{due.name}" for due in task.metrics} <= set(history)


@pytest.mark.parametrize("metric", ["categorical_accuracy", metrics.CategoricalAccuracy])
def test_the_accuracy_of_another_coding_is_refused(body, metric):
    loss = "sparse_categorical_crossentropy"
    with pytest.raises(PairingError, match="found CategoricalAccuracy, which counts something"):
        compile_for_task(body(), MULTICLASS, classes=3, loss=loss, metrics=[metric])


def test_a_single_function_is_a_metric(body):
    model = compile_for_task(body(), REGRESSION, metrics=metrics.mean_squared_logarithmic_error)
    assert len(model.bound_metrics) == 3


def test_a_layer_named_output_is_no_obstacle(body):
    model = body(layers.Dense(7, "relu", name="output"))
    assert compile_for_task(model, BINARY).output_shape == (None, 1)
