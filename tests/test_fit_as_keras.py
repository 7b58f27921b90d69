"""`TaskModel.fit` is quicker than Keras' and nothing else: both are given the same batches."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nnloss import BINARY, MULTICLASS, REGRESSION, compile_for_task
from nnloss._tensorflow import keras, tf
from nnloss.training import device_data

TASKS = {"regression": REGRESSION, "binary": BINARY, "multiclass": MULTICLASS}
ROWS, SEED, EPOCHS = 110, 5, 3


@pytest.fixture
def data():
    """Make inputs, and targets for each task."""
    x = np.random.default_rng(1).normal(size=(ROWS, 8)).astype(np.float32)
    score = x @ np.arange(8.0, dtype=np.float32)
    classes = np.digitize(score, [-6, 6])
    return x, {"regression": score, "binary": (score > 0) * 1, "multiclass": np.eye(3)[classes]}


@pytest.fixture(autouse=True)
def _order_is_known(monkeypatch):
    monkeypatch.setattr(device_data, "shuffle_seed", lambda: SEED)


@pytest.fixture
def twins(body):
    """Compile a model for a task, and the same one by plain Keras, with the same weights."""

    def make(name, **options):
        classes = 3 if name == "multiclass" else None
        keras.utils.set_random_seed(0)
        ours = compile_for_task(body(keras.layers.Dropout(0.2)), TASKS[name], classes=classes)
        keras.utils.set_random_seed(0)
        other = compile_for_task(body(keras.layers.Dropout(0.2)), TASKS[name], classes=classes)
        xla = options.get("jit_compile", False)  # it draws other numbers for Dropout
        plain = keras.Model(other.input, other.outputs[0])
        metrics = list(other.bound_metrics)
        ours.compile("adam", **options)
        plain.compile("adam", TASKS[name].loss.name, metrics=metrics, jit_compile=xla)
        return ours, plain

    return make


class InOrder(keras.utils.PyDataset):
    """The batches that ours takes, one by one as Keras takes them."""

    def __init__(self, arrays, size, shuffle=True, batches=None):
        super().__init__()
        self.arrays, self.size, self.shuffle, self.batches = arrays, size, shuffle, batches
        self.rows, self.epoch = len(arrays[0]), 0

    def __len__(self):
        return self.batches or -(-self.rows // self.size)

    def __getitem__(self, number):
        order = np.arange(self.rows)
        if self.shuffle:
            order = device_data.order_of_epoch(self.rows, SEED, self.epoch)
        rows = order[number * self.size : (number + 1) * self.size]
        return tuple(array[rows] for array in self.arrays)

    @property
    def follows(self):
        """A callback that tells which epoch it is."""
        return keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs: setattr(self, "epoch", epoch)
        )


def fitted(model, x, *y, callbacks=(), **options):
    """Give the history of a fit as a table."""
    if isinstance(x, InOrder):
        callbacks = [*callbacks, x.follows]
        options["shuffle"] = False  # it is in order already
    options = {"epochs": EPOCHS, "verbose": 0} | options
    history = model.fit(x, *y, callbacks=list(callbacks), **options).history
    return pd.DataFrame({name: pd.Series(values) for name, values in history.items()})


def same(ours, theirs):
    assert list(ours) == list(theirs)
    for name in theirs:
        assert ours[name].to_numpy() == pytest.approx(
            theirs[name].to_numpy(), rel=2e-5, nan_ok=True
        ), name


@pytest.mark.parametrize(
    ("name", "size"), [("regression", 16), ("binary", 55), ("multiclass", 200), ("regression", 1)]
)
def test_shuffled_arrays(twins, data, name, size):
    (x, targets), (ours, plain) = data, twins(name)
    y = targets[name]
    test = (x[:30], y[:30])
    history = fitted(ours, x, y, batch_size=size, validation_data=test)
    same(history, fitted(plain, InOrder((x, y), size), validation_data=test))
    for one, other in zip(ours.get_weights(), plain.get_weights(), strict=True):
        assert one == pytest.approx(other, abs=1e-5)


WAYS = {
    "not shuffled": {"shuffle": False},
    "steps given by the caller": {"compile": {"steps_per_execution": 3}},
    "compiled by XLA": {"compile": {"jit_compile": True}},
    "eager": {"compile": {"run_eagerly": True}, "shuffle": False},
    "a bar": {"verbose": 1},
    "validation now and then": {"validation_freq": 3},
    "validation in small batches": {"validation_batch_size": 7},
    "a callback that watches": {"callbacks": [keras.callbacks.TerminateOnNaN()]},
}


@pytest.mark.parametrize("way", WAYS)
def test_ways_of_fitting(twins, data, way):
    options = dict(WAYS[way])
    x, y = data[0], data[1]["binary"]
    ours, plain = twins("binary", **options.pop("compile", {}))
    shuffle = options.pop("shuffle", True)
    options |= {"validation_data": (x[:30], y[:30])}
    history = fitted(ours, x, y, batch_size=16, shuffle=shuffle, **options)
    batches = InOrder((x, y), 16, shuffle)
    theirs = fitted(plain, batches, **options)
    same(history, theirs)


@pytest.mark.parametrize("name", ["binary", pytest.param("multiclass", marks=pytest.mark.slow)])
def test_class_weights(twins, data, name):
    (x, targets), (ours, plain) = data, twins(name)
    y = targets[name]
    options = {"class_weight": {0: 5.0, 1: 0.25}}
    history = fitted(ours, x, y, batch_size=16, **options)
    weights = np.where(y[:, 0] if y.ndim > 1 else y == 0, 5.0, 1.0)
    weights = np.where(y[:, 1] if y.ndim > 1 else y == 1, 0.25, weights)
    same(history, fitted(plain, InOrder((x, y, weights), 16)))
    # And what Keras makes of it is that too.
    ours, plain = twins(name)
    options |= {"batch_size": 16, "shuffle": False}
    same(fitted(ours, x, y, **options), fitted(plain, x, y, **options))


def test_sample_weights(twins, data):
    x, y = data[0], data[1]["regression"]
    ours, plain = twins("regression")
    weights = np.linspace(0.1, 3, ROWS)
    test = (x[:30], y[:30], weights[:30])
    history = fitted(ours, x, y, batch_size=16, sample_weight=weights, validation_data=test)
    batches = InOrder((x, y, weights), 16)
    same(history, fitted(plain, batches, validation_data=test))


def test_rows_split_off_for_validation(twins, data):
    x, y = data[0], data[1]["regression"]
    share = 0.3
    ours, plain = twins("regression")
    options = {"sample_weight": np.linspace(0.1, 3, ROWS), "shuffle": False, "batch_size": 16}
    options |= {"validation_split": share}
    same(fitted(ours, x, y, **options), fitted(plain, x, y, **options))
    ours, plain = twins("regression")
    rows = int(np.floor(ROWS * (1 - share)))
    history = fitted(ours, x, y, validation_split=share, batch_size=16)
    batches = InOrder((x[:rows], y[:rows]), 16)
    test = (x[rows:], y[rows:])
    same(history, fitted(plain, batches, validation_data=test))


def test_a_share_that_leaves_nothing_is_what_keras_says(twins, data):
    x, y = data[0], data[1]["regression"]
    with pytest.raises(ValueError, match="not sufficient to split"):
        twins("regression")[0].fit(x, y, validation_split=0.999, verbose=0)


def test_both_weights_are_what_keras_says(twins, data):
    x, y = data[0], data[1]["binary"]
    with pytest.raises(ValueError, match=r"class_weight.*sample_weight"):
        twins("binary")[0].fit(x, y, class_weight={0: 2.0}, sample_weight=np.ones(ROWS), verbose=0)


def test_an_epoch_has_its_order_wherever_training_starts(twins, data):
    x, y = data[0], data[1]["binary"]
    ours, plain = twins("binary")
    history = fitted(ours, x, y, batch_size=16, initial_epoch=2)
    theirs = fitted(plain, InOrder((x, y), 16), initial_epoch=2)
    same(history, theirs)
    assert len(history) == EPOCHS - 2


SOURCES = {
    "tf.data": lambda x, y: tf.data.Dataset.from_tensor_slices((x, y)).batch(16),
    "tf.data of unknown length": lambda x, y: (
        tf.data.Dataset.from_tensor_slices((x, y)).filter(lambda *row: True).batch(16)
    ),
    "PyDataset": lambda x, y: InOrder((x, y), 16, shuffle=False),
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("weights", [None, pytest.param({0: 3.0, 1: 0.5}, marks=pytest.mark.slow)])
def test_sources_of_batches(twins, data, source, weights):
    x, y = data[0], data[1]["binary"]
    ours, plain = twins("binary")
    options = {"validation_data": SOURCES[source](x, y), "class_weight": weights, "shuffle": False}
    same(
        fitted(ours, SOURCES[source](x, y), **options),
        fitted(plain, SOURCES[source](x, y), **options),
    )


def test_some_batches_of_each_order(twins, data):
    x, y = data[0], data[1]["regression"]
    ours, plain = twins("regression")
    history = fitted(ours, x, y, batch_size=16, steps_per_epoch=6)
    same(history, fitted(plain, InOrder((x, y), 16, batches=6)))
    for one, other in zip(ours.get_weights(), plain.get_weights(), strict=True):
        assert one == pytest.approx(other, abs=1e-5)


def test_a_generator(twins, data):
    x, y = data[0], data[1]["regression"]

    def endless():
        number = 0
        while True:
            rows = device_data.order_of_epoch(ROWS, 0, number)[:16]
            yield x[rows], y[rows]
            number += 1

    ours, plain = twins("regression")
    options = {"steps_per_epoch": 5, "validation_data": (x, y), "shuffle": False}
    same(fitted(ours, endless(), **options), fitted(plain, endless(), **options))


@pytest.mark.parametrize("board", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_callbacks_of_keras(twins, data, tmp_path, board):
    x, y = data[0], data[1]["regression"]

    def callbacks(folder):
        made = keras.callbacks
        return [
            made.EarlyStopping(patience=2, monitor="val_loss", restore_best_weights=True),
            made.LearningRateScheduler(lambda epoch: 0.3 / (epoch + 1)),
            made.ModelCheckpoint(folder / "best.weights.h5", save_weights_only=True),
            made.ModelCheckpoint(folder / "{epoch}.keras"),
            made.CSVLogger(folder / "log.csv"),
            *([made.TensorBoard(folder / "board")] if board else []),
        ]

    histories = []
    for model, name in zip(twins("regression"), ("ours", "plain"), strict=True):
        folder = tmp_path / name
        folder.mkdir()
        source = (x, y) if name == "ours" else (InOrder((x, y), 16),)
        options = {"batch_size": 16} if name == "ours" else {}
        options |= {"epochs": 30, "validation_data": (x[:40], y[:40])}
        histories.append(fitted(model, *source, callbacks=callbacks(folder), **options))
        assert bool(list(folder.rglob("events*"))) is board
    same(*histories)
    assert 2 < len(histories[0]) < 30  # it was stopped early
    same(*(pd.read_csv(tmp_path / name / "log.csv") for name in ("ours", "plain")))
    assert sorted(path.name for path in (tmp_path / "ours").iterdir()) == sorted(
        path.name for path in (tmp_path / "plain").iterdir()
    )
    saved = [
        keras.saving.load_model(tmp_path / name / "3.keras").predict(x, verbose=0)
        for name in ("ours", "plain")
    ]
    assert saved[0] == pytest.approx(saved[1], rel=1e-3, abs=1e-3)


class Evaluates(keras.callbacks.Callback):
    """Evaluate, predict and train on a batch in the midst of a fit."""

    def __init__(self, x, y):
        super().__init__()
        self.x, self.y, self.seen = x, y, []

    def on_epoch_end(self, epoch, logs=None):
        before = self.model.get_weights()
        self.model.train_on_batch(self.x[:4], self.y[:4])
        self.model.set_weights(before)
        whole = self.model.evaluate(self.x, self.y, verbose=0)[0]
        batch = self.model.test_on_batch(self.x, self.y)[0]
        residual = self.model.predict(self.x, verbose=0).ravel() - self.y
        self.seen.append((logs["val_loss"], whole, float(batch), float(np.mean(residual**2))))


def test_a_callback_may_use_the_model(twins, data):
    x, y = data[0], data[1]["regression"]
    callback = Evaluates(x, y)
    fitted(twins("regression")[0], x, y, validation_data=(x, y), callbacks=[callback])
    for values in callback.seen:
        assert values == pytest.approx((values[0],) * 4, rel=1e-5)


class Halves(keras.metrics.Metric):
    """A metric of the caller's own, with something that is not a variable."""

    def __init__(self, name="halves", **kwargs):
        super().__init__(name=name, **kwargs)
        self.total = self.add_weight(name="total", initializer="zeros")
        self.resets = 0

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total.assign_add(0.5)

    def result(self):
        return self.total

    def reset_state(self):
        self.resets += 1
        self.total.assign(0.0)


@pytest.mark.parametrize("kind", ["metrics", "weighted_metrics"])
def test_a_metric_of_the_callers_own_is_used_as_keras_does(body, data, kind):
    x, y = data[0], data[1]["binary"]
    resets, evaluated = [], []
    for plain in (False, True):
        halves = Halves()
        model = compile_for_task(body(), BINARY)
        model.compile(**{kind: [halves]})
        model = model.to_keras() if plain else model
        history = fitted(model, x, y, batch_size=11)
        assert history["halves"].tolist() == [5.0] * EPOCHS
        evaluated.append(model.evaluate(x, y, verbose=0, return_dict=True)["halves"])
        resets.append(halves.resets)
    assert resets[0] == resets[1]
    assert evaluated == [2.0, 2.0]  # four batches of 32 rows


def test_a_callback_may_update_a_metric_after_a_batch(body, data):
    x, y = data[0], data[1]["binary"]
    halves = Halves()
    model = compile_for_task(body(), BINARY)
    model.compile(metrics=[halves])
    update = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: halves.total.assign_add(1.0)
    )
    history = fitted(model, x, y, batch_size=11, callbacks=[update])
    assert history["halves"].tolist() == [15.0] * EPOCHS  # ten batches


def test_metrics_are_read_again_after_a_reset(body, data):
    x, y = data[0], data[1]["regression"]
    model = compile_for_task(body(), REGRESSION)
    losses = []

    def reset(epoch, logs):
        model.reset_metrics()
        losses.append(float(model.get_metrics_result()["loss"]))

    fitted(model, x, y, callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=reset)])
    assert losses == [0.0] * EPOCHS
    fitted(model, x, y)
    assert float(model.get_metrics_result()["loss"]) > 0
    for metric in model.metrics:
        metric.reset_state()
    assert float(model.get_metrics_result()["loss"]) == 0


def test_a_function_of_a_batch_is_evaluated_on_keras_batches(body, data):
    def rmse(y_true, y_pred):
        return keras.ops.sqrt(keras.ops.mean((y_true - y_pred) ** 2))

    x, y = data[0], data[1]["regression"][:, None]
    model = compile_for_task(body(), REGRESSION)
    model.compile(weighted_metrics=[rmse])
    plain = model.to_keras()
    options = {"verbose": 0, "return_dict": True}
    assert model.evaluate(x, y, **options) == pytest.approx(plain.evaluate(x, y, **options))


@pytest.mark.slow
def test_a_model_of_a_strategy_is_trained_by_keras(body, data):
    x, y = data[0], data[1]["regression"]
    histories = []
    for plain in (False, True):
        with tf.distribute.OneDeviceStrategy("/cpu:0").scope():
            keras.utils.set_random_seed(0)
            model = compile_for_task(body(), REGRESSION)
            model = model.to_keras() if plain else model
        histories.append(fitted(model, x, y, shuffle=False, validation_data=(x, y)))
    same(*histories)


def test_sparse_rows_are_split_by_keras(data):
    x, y = tf.sparse.from_dense(data[0]), data[1]["regression"]
    keras.utils.set_random_seed(0)
    body = keras.Sequential([keras.Input((8,), sparse=True), keras.layers.Dense(4, "relu")])
    model = compile_for_task(body, REGRESSION)
    options = {"shuffle": False, "validation_split": 0.25}
    start = model.get_weights()
    ours = fitted(model, x, y, **options)
    plain = compile_for_task(body, REGRESSION).to_keras()
    plain.set_weights(start)
    same(ours, fitted(plain, x, y, **options))


def test_an_optional_input_may_be_left_out(data):
    x, y = data[0], data[1]["regression"]
    given = keras.Input((8,), name="a")
    left_out = keras.Input((8,), name="b", optional=True)
    body = keras.Model({"a": given, "b": left_out}, keras.layers.Dense(4, "relu")(given))
    history = fitted(compile_for_task(body, REGRESSION), {"a": x, "b": None}, y)
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]


def test_the_same_seed_gives_the_same_bits(twins, data):
    x, y = data[0], data[1]["multiclass"]
    weights = []
    for _ in range(2):
        model = twins("multiclass")[0]
        fitted(model, x, y, validation_data=(x, y))
        weights.append(np.concatenate([array.ravel() for array in model.get_weights()]))
    assert np.array_equal(*weights)


def test_many_models_are_trained_without_a_warning_about_tracing(body, data, caplog):
    x, y = data[0], data[1]["regression"]
    for _ in range(8):
        model = compile_for_task(body(), REGRESSION)
        fitted(model, x, y, validation_data=(x, y))
        model.evaluate(x, y, verbose=0)
    assert "retracing" not in caplog.text
