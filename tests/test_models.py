"""TaskModel: saves, loads, trains and records like the Keras model that it is."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import re
import shutil
import signal
from pathlib import PurePath

import numpy as np
import pandas as pd
import pytest

from nnloss import (
    BINARY,
    MULTICLASS,
    REGRESSION,
    NnlossError,
    Run,
    RunRecord,
    TargetError,
    TaskModel,
    compile_for_task,
)
from nnloss._tensorflow import keras, tf
from nnloss.training.seeds import set_seed

TASKS = {"regression": REGRESSION, "binary": BINARY, "multiclass": MULTICLASS}


@pytest.fixture
def data():
    """Make inputs, and targets for each task, that a linear model can learn."""
    x = np.random.default_rng(1).normal(size=(120, 8))
    score = x @ np.arange(8.0)
    classes = np.digitize(score, [-6, 6])
    return x, {"regression": score, "binary": (score > 0) * 1, "multiclass": np.eye(3)[classes]}


def compiled(body, name, **given):
    classes = 3 if name == "multiclass" else None
    return compile_for_task(body(), TASKS[name], classes=classes, **given)


@pytest.mark.parametrize("name", TASKS)
def test_it_learns(body, data, name):
    set_seed(0)
    x, y = data
    model = compiled(body, name, optimizer=keras.optimizers.Adam(0.01))
    history = model.fit(x, y[name], epochs=60, verbose=0).history
    assert history["loss"][-1] < 0.3 * history["loss"][0]


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("way", ["method", "function"])
def test_a_saved_model_predicts_the_same_bits(body, data, name, way, tmp_path):
    x, y = data
    model = compiled(body, name)
    model.fit(x, y[name], verbose=0)
    path = tmp_path / "model.keras"
    model.save(path) if way == "method" else keras.saving.save_model(model, path)
    loaded = keras.saving.load_model(path)
    assert isinstance(loaded, TaskModel) == (way == "function")
    assert int(loaded.optimizer.iterations) == int(model.optimizer.iterations) > 0
    assert np.array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    assert loaded.evaluate(x, y[name], verbose=0, return_dict=True) == pytest.approx(
        model.evaluate(x, y[name], verbose=0, return_dict=True), rel=1e-5
    )


def test_a_saved_model_needs_nothing_of_ours(body, data, tmp_path, python):
    x, y = data
    model = compiled(body, "binary")
    model.fit(x, y["binary"], verbose=0)
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "p.npy", model.predict(x, verbose=0))
    code = (
        "import sys, numpy as np, keras\n"
        f"model = keras.saving.load_model(r'{tmp_path}/model.keras')\n"
        f"p = model.predict(np.load(r'{tmp_path}/x.npy'), verbose=0)\n"
        f"print(np.array_equal(p, np.load(r'{tmp_path}/p.npy')), 'nnloss' in sys.modules)\n"
    )
    assert python("-c", code).stdout.split() == ["True", "False"]


def test_a_loaded_model_becomes_a_task_model_again(body, data, tmp_path):
    x, y = data
    model = compiled(body, "regression")
    model.fit(x, y["regression"], verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    again = compile_for_task(loaded, REGRESSION, optimizer=loaded.optimizer)
    assert int(again.optimizer.iterations) == int(model.optimizer.iterations) > 0
    assert np.array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_a_copy_is_an_ordinary_model(body):
    model = compiled(body, "binary")
    assert keras.models.clone_model(model).count_params() == model.count_params()
    assert isinstance(TaskModel.from_config(model.get_config()), TaskModel)


def test_the_body_keeps_its_weights(body):
    model = body()
    weights = model.get_weights()
    result = compile_for_task(model, BINARY)
    assert all(np.array_equal(a, b) for a, b in zip(weights, result.get_weights(), strict=False))
    assert result.layers[1] is model.layers[0]


@pytest.mark.parametrize("name", TASKS)
def test_history_is_that_of_plain_keras_on_the_same_batches(body, data, name):
    x, y = data
    model = compiled(body, name, optimizer="sgd")
    plain = keras.models.clone_model(model.to_keras())
    plain.set_weights(model.get_weights())
    plain.compile(
        "sgd", TASKS[name].loss.name, metrics=[m for m in compiled(body, name).bound_metrics]
    )
    given = {
        "epochs": 3,
        "batch_size": 50,
        "shuffle": False,
        "verbose": 0,
        "validation_data": (x[:30], y[name][:30]),
        "sample_weight": np.linspace(0.5, 2, len(x)),
    }
    ours = model.fit(x, y[name], **given).history
    theirs = plain.fit(x, y[name], **given).history
    assert list(ours) == list(theirs)
    for key, values in theirs.items():
        assert ours[key] == pytest.approx(values, rel=1e-4), key


def test_evaluate_gives_the_list_that_keras_gives(body, data):
    x, y = data
    model = compiled(body, "regression")
    plain = model.to_keras()
    model.fit(x, y["regression"], verbose=0)
    assert model.evaluate(x, y["regression"], verbose=0) == pytest.approx(
        plain.evaluate(x, y["regression"], verbose=0, batch_size=120), rel=1e-5
    )
    assert len(model.test_on_batch(x, y["regression"])) == 3


def test_another_compile_forgets_the_metrics_before(body, data):
    x, y = data
    model = compiled(body, "binary", metrics=[keras.metrics.AUC(name="auc")])
    model.fit(x, y["binary"], verbose=0)
    model.compile()
    assert list(model.fit(x, y["binary"], verbose=0).history) == ["accuracy", "loss"]


def test_steps_at_once_end_with_their_fit(body, data):
    x, y = data
    model = compiled(body, "binary")
    model.fit(x, y["binary"], batch_size=10, verbose=0)
    done = int(model.optimizer.iterations)

    def endless():
        while True:
            yield x[:10], y["binary"][:10]

    model.fit(endless(), steps_per_epoch=5, epochs=2, verbose=0)
    assert int(model.optimizer.iterations) == done + 10
    model.fit(x, y["binary"], batch_size=10, steps_per_epoch=2, verbose=0)
    assert int(model.optimizer.iterations) == done + 12


@pytest.mark.parametrize("kind", ["arrays", "dataset"])
def test_validation_steps_count_batches(body, data, kind):
    x, y = data
    model = compiled(body, "regression", optimizer=keras.optimizers.SGD(0.0))
    test = (x[50:], y["regression"][50:])
    if kind == "dataset":
        test = tf.data.Dataset.from_tensor_slices(test).batch(10)
    given = {"batch_size": 10, "validation_steps": 2, "verbose": 0}
    history = model.fit(x, y["regression"], validation_data=test, **given).history
    first = model.evaluate(x[50:70], y["regression"][50:70], verbose=0)[0]
    assert history["val_loss"] == pytest.approx([first], rel=1e-4)


def test_functions_are_traced_once_for_several_fits(body, data):
    x, y = data
    model = compiled(body, "regression")
    model.fit(x, y["regression"], verbose=0)
    traced = dict(model._compiled.functions)
    model.predict(x, verbose=0)
    model.fit(x, y["regression"], verbose=0)
    assert model._compiled.functions == traced


def test_a_callers_compile_options_are_kept(body, data, tmp_path):
    x, y = data
    model = compiled(body, "binary")
    model.compile(steps_per_execution=2, weighted_metrics=["accuracy"], loss_weights=2.0)
    model.fit(x, y["binary"], verbose=0)
    assert model.steps_per_execution == 2
    model.save(tmp_path / "model.keras")
    ours = model.evaluate(x, y["binary"], verbose=0, return_dict=True)
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.evaluate(x, y["binary"], verbose=0, return_dict=True) == pytest.approx(
        ours, rel=1e-5
    )
    assert "weighted_accuracy" in ours


@pytest.mark.parametrize("wrap", [list, tuple, lambda parts: {"a": parts[0], "b": parts[1]}])
def test_a_model_may_have_several_inputs(data, wrap):
    x, y = data
    a, b = keras.Input((8,), name="a"), keras.Input((2,), name="b")
    hidden = keras.layers.Concatenate()([a, b])
    model = compile_for_task(keras.Model(wrap([a, b]), hidden), REGRESSION)
    inputs = wrap([x, x[:, :2]])
    model.fit(inputs, y["regression"], verbose=0, validation_data=(inputs, y["regression"]))
    assert model.predict(inputs, verbose=0).shape == (120, 1)
    assert len(model.evaluate(inputs, y["regression"], verbose=0)) == 3


def test_a_sum_over_rows_is_evaluated_as_keras_does(body, data):
    x, y = data
    loss = keras.losses.MeanSquaredError(reduction="sum")
    model = compiled(body, "regression", loss=loss)
    ours = model.evaluate(x, y["regression"], verbose=0)
    assert ours == pytest.approx(model.to_keras().evaluate(x, y["regression"], verbose=0), rel=1e-5)


def test_a_fixed_batch_size_is_respected(data):
    x, y = data
    hidden = keras.layers.LSTM(4, stateful=True)
    body = keras.Sequential([keras.Input(batch_shape=(20, 4, 2)), hidden])
    model = compile_for_task(body, REGRESSION)
    inputs = x.reshape(120, 4, 2)
    given = {"validation_data": (inputs[:40], y["regression"][:40]), "verbose": 0}
    model.fit(inputs, y["regression"], batch_size=20, **given)


def test_weights_that_do_not_fit_are_refused(body, data):
    x, y = data
    model = compiled(body, "binary")
    with pytest.raises(TargetError, match="found 5 rows in sample_weight and 120 in y"):
        model.fit(x, y["binary"], sample_weight=np.ones(5), verbose=0)
    with pytest.raises(TargetError, match="found NaN in 120 of 120 rows of sample_weight"):
        model.fit(x, y["binary"], sample_weight=np.full(120, np.nan), verbose=0)
    for size in (0, 16.5, "all"):
        with pytest.raises(NnlossError, match=f"found batch_size={size}. Give 1 or more."):
            model.fit(x, y["binary"], batch_size=size, verbose=0)


def test_two_inputs_in_two_arguments_are_refused(body, data):
    x, y = data
    with pytest.raises(NnlossError) as caught:
        compiled(body, "binary").fit(x, x, y["binary"], verbose=0)
    assert str(caught.value) == (
        "fit needs a batch size of at least 1; found an array of shape (120,), the third "
        "argument. Give several inputs as one x: fit([x1, x2], y)."
    )


def test_text_may_be_an_input():
    text = keras.layers.TextVectorization(max_tokens=9, output_mode="multi_hot")
    words = np.array(["good", "bad", "good good", "bad bad"])
    text.adapt(words)
    body = keras.Sequential([keras.Input((), dtype="string"), text])
    model = compile_for_task(body, BINARY)
    model.fit(words, np.array([1, 0, 1, 0]), verbose=0)


def test_class_weights_and_validation_split_are_respected(body, data):
    x, y = data
    model = compiled(body, "binary")
    given = {"epochs": 2, "shuffle": False, "verbose": 0}
    start = model.get_weights()
    weighted = model.fit(x, y["binary"], class_weight={0: 10.0, 1: 0.1}, **given)
    model.set_weights(start)
    plain = model.fit(x, y["binary"], **given)
    assert weighted.history["loss"][0] != pytest.approx(plain.history["loss"][0], rel=0.01)
    assert "val_loss" in model.fit(x, y["binary"], validation_split=0.25, **given).history


def test_data_may_come_as_batches(body, data):
    x, y = data
    model = compiled(body, "binary")
    batches = tf.data.Dataset.from_tensor_slices((x, y["binary"])).batch(30)
    assert len(model.fit(batches, epochs=2, verbose=0).history["loss"]) == 2

    def generator():
        while True:
            yield x[:30], y["binary"][:30]

    model.fit(generator(), steps_per_epoch=3, verbose=0, validation_data=batches)
    assert model.evaluate(batches, verbose=0, return_dict=True)["loss"] > 0


class Watcher(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.batches, self.epochs = 0, []

    def on_train_batch_end(self, batch, logs=None):
        self.batches += 1

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append(sorted(logs))


def test_callbacks_see_every_batch_and_epoch(body, data, tmp_path):
    x, y = data
    watcher = Watcher()
    model = compiled(body, "regression")
    given = {"epochs": 3, "batch_size": 30, "validation_data": (x, y["regression"]), "verbose": 0}
    model.fit(x, y["regression"], callbacks=watcher, **given)
    names = ["loss", "mean_absolute_error", "mean_squared_error"]
    assert watcher.batches == 3 * 4
    assert watcher.epochs == [sorted([*names, *(f"val_{name}" for name in names)])] * 3


@pytest.mark.parametrize("wrap", [lambda c: c, lambda c: [c], keras.callbacks.CallbackList])
def test_hooks_on_the_object_are_called_for_each_batch(body, data, wrap):
    x, y = data
    seen = []
    callback = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(batch)
    )
    callbacks = wrap([callback]) if wrap is keras.callbacks.CallbackList else wrap(callback)
    compiled(body, "binary").fit(x, y["binary"], batch_size=30, callbacks=callbacks, verbose=0)
    assert seen == [0, 1, 2, 3]


def test_keras_own_callbacks_work(body, data, tmp_path):
    x, y = data
    model = compiled(body, "regression", optimizer=keras.optimizers.SGD(1e-30))
    callbacks = [
        keras.callbacks.EarlyStopping(patience=1),
        keras.callbacks.ModelCheckpoint(tmp_path / "best.keras"),
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
        keras.callbacks.LearningRateScheduler(lambda epoch: 1e-30),
    ]
    given = {"validation_data": (x, y["regression"]), "callbacks": callbacks, "verbose": 0}
    history = model.fit(x, y["regression"], epochs=9, **given)
    assert len(history.epoch) < 9  # nothing was learned, so it stopped early
    assert len(pd.read_csv(tmp_path / "log.csv")) == len(history.epoch)
    assert keras.saving.load_model(tmp_path / "best.keras").count_params() == model.count_params()


def test_steps_run_at_once_do_not_change_predictions(body, data):
    x, y = data
    model = compiled(body, "regression")
    model.fit(x, y["regression"], verbose=0)
    assert max(steps for _, steps, *_ in model._compiled.functions) > 1
    assert model.predict(x, batch_size=7, verbose=0) == pytest.approx(
        model.predict(x, batch_size=120, verbose=0), rel=1e-5
    )


def test_a_callback_may_predict_and_evaluate(body, data):
    x, y = data
    model = compiled(body, "regression")
    rows = [len(model.predict(x, batch_size=10, verbose=0))]
    losses = []

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            rows.append(len(self.model.predict(x, batch_size=10, verbose=0)))
            losses.append(self.model.evaluate(x, y["regression"], verbose=0)[0])

    history = model.fit(
        x,
        y["regression"],
        validation_data=(x, y["regression"]),
        epochs=2,
        callbacks=Look(),
        verbose=0,
    ).history
    rows.append(len(model.predict(x, batch_size=10, verbose=0)))
    assert rows == [120] * 4
    assert losses == pytest.approx(history["val_loss"], rel=1e-5)


def test_a_log_folder_gets_a_record(body, data, tmp_path):
    x, y = data
    set_seed(3)
    model = compiled(body, "multiclass", log=tmp_path)
    model.fit(x[:90], y["multiclass"][:90], epochs=2, batch_size=30, verbose=0)
    test = model.evaluate(x[90:], y["multiclass"][90:], verbose=0, return_dict=True)
    (folder,) = (tmp_path / "net").iterdir()
    record = RunRecord.read(folder / "run.json")
    assert (record.status, record.task, record.activation, record.loss) == (
        "finished", "multiclass", "softmax", "categorical_crossentropy",
    )  # fmt: skip
    assert (record.seed, record.epochs, record.batch_size, record.parameters) == (3, 2, 30, 195)
    assert record.split == {"train": 90, "test": 30}
    assert record.metrics["test"] == pytest.approx(test)
    assert record.seconds["fit"] > 0
    history = pd.read_csv(folder / "history.csv")
    assert history.columns.tolist() == ["epoch", "accuracy", "loss"]
    assert history["epoch"].tolist() == [1, 2]
    loaded = keras.saving.load_model(folder / "model.keras")
    assert np.array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    table = pd.read_csv(tmp_path / "results.csv")
    assert table["id"].tolist() == [folder.name]
    assert table["metrics.test.accuracy"].tolist() == pytest.approx([test["accuracy"]])


def test_history_of_a_rare_validation_is_kept(body, data, tmp_path):
    x, y = data
    model = compiled(body, "binary", log=tmp_path)
    given = {"validation_data": (x, y["binary"]), "validation_freq": 2, "verbose": 0}
    model.fit(x, y["binary"], epochs=3, **given)
    (folder,) = (tmp_path / "net").iterdir()
    assert pd.read_csv(folder / "history.csv")["val_loss"].isna().tolist() == [True, False, True]


def test_rows_split_off_for_validation_are_recorded(body, data, tmp_path):
    x, y = data
    compiled(body, "binary", log=tmp_path).fit(x, y["binary"], validation_split=0.25, verbose=0)
    record = RunRecord.read(next(tmp_path.glob("net/*/run.json")))
    assert record.split == {"train": 90, "validation": 30}


def test_the_bar_of_keras_does_not_run_past_its_end(body, data, capsys):
    x, y = data
    compiled(body, "binary").fit(x, y["binary"], batch_size=10, verbose=1)
    shown = re.findall(r"(\d+)/12", capsys.readouterr().out)
    assert shown
    assert max(map(int, shown)) == 12


def test_each_fit_is_a_run_of_its_own(body, data, tmp_path):
    x, y = data
    model = compiled(body, "binary", log=tmp_path)
    model.fit(x, y["binary"], verbose=0)
    model.fit(x, y["binary"], verbose=0)
    assert len(list((tmp_path / "net").iterdir())) == 2
    assert len(pd.read_csv(tmp_path / "results.csv")) == 2


class Unsavable(keras.layers.Dense):
    def get_config(self):
        raise NotImplementedError("no config")


def test_a_model_that_cannot_be_saved_is_trained_and_noted(data, tmp_path):
    x, y = data
    hidden = Unsavable(4, "relu")
    body = keras.Sequential([keras.Input((8,)), hidden, keras.layers.Dense(3, "relu")], name="net")
    model = compile_for_task(body, BINARY, log=tmp_path)
    assert len(model.fit(x, y["binary"], verbose=0).history["loss"]) == 1
    record = RunRecord.read(next(tmp_path.glob("net/*/run.json")))
    assert record.status == "finished"
    assert record.notes == ["model not saved: no config"]


def test_a_second_fit_into_one_run_goes_on(body, data, tmp_path):
    x, y = data
    with Run.start(tmp_path, "mine") as run:
        model = compiled(body, "binary", log=run)
        model.fit(x, y["binary"], epochs=2, verbose=0)
        model.fit(x, y["binary"], epochs=5, initial_epoch=2, verbose=0)
    history = pd.read_csv(run.folder / "history.csv")
    assert history["epoch"].tolist() == [1, 2, 3, 4, 5]
    assert run.record.epochs_trained == 5


def test_an_open_run_is_written_into_and_left_open(body, data, tmp_path):
    x, y = data
    with Run.start(tmp_path, "mine", seed=7) as run:
        model = compiled(body, "binary", log=run)
        model.fit(x, y["binary"], verbose=0)
        assert run.record.status == "running"
        assert run.record.loss == "binary_crossentropy"
    assert RunRecord.read(run.folder / "run.json").status == "finished"
    assert not (tmp_path / "net").exists()


@keras.saving.register_keras_serializable()
def unknown_loss(y, p):
    return keras.ops.mean((y - p) ** 4, axis=-1)


class Stop(keras.callbacks.Callback):
    def __init__(self, error):
        super().__init__()
        self.error = error

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            raise self.error


@pytest.mark.parametrize(
    ("error", "status"),
    [(KeyboardInterrupt(), "interrupted"), (RuntimeError("out of luck"), "failed")],
    ids=["Ctrl-C", "an error"],
)
def test_what_was_trained_before_a_stop_is_kept(body, data, tmp_path, error, status):
    x, y = data
    model = compiled(body, "binary", log=tmp_path)
    with pytest.raises(type(error)):
        model.fit(x, y["binary"], epochs=9, callbacks=[Stop(error)], verbose=0)
    (folder,) = (tmp_path / "net").iterdir()
    record = json.loads((folder / "run.json").read_text())
    assert record["status"] == status
    assert ("out of luck" in (record["error"] or "")) == (status == "failed")
    assert record["epochs"] == 9
    assert len(pd.read_csv(folder / "history.csv")) == record["epochs_trained"] >= 1


def test_an_epoch_at_whose_end_a_callback_fails_is_recorded(body, data, tmp_path):
    x, y = data
    adding = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: logs.update(extra=7.0 + epoch)
    )
    model = compiled(body, "binary", log=tmp_path)
    with pytest.raises(RuntimeError):
        model.fit(x, y["binary"], epochs=9, callbacks=[adding, Stop(RuntimeError())], verbose=0)
    (folder,) = (tmp_path / "net").iterdir()
    assert RunRecord.read(folder / "run.json").epochs_trained == 2
    assert pd.read_csv(folder / "history.csv")["extra"].tolist() == [7.0, 8.0]
    steps = keras.saving.load_model(folder / "model.keras").optimizer.iterations
    assert int(steps) == 2 * 4


def test_a_metric_of_each_class_is_in_the_history_and_no_number_of_the_record(body, data, tmp_path):
    x, y = data
    metrics = [keras.metrics.F1Score()]  # a value for each class
    model = compiled(body, "multiclass", log=tmp_path, metrics=metrics)
    model.fit(x, y["multiclass"], epochs=2, verbose=0)
    model.evaluate(x, y["multiclass"], verbose=0)
    (folder,) = (tmp_path / "net").iterdir()
    record = RunRecord.read(folder / "run.json")
    assert record.metrics["test"].keys() == {"loss", "accuracy"}
    assert record.metrics["last_epoch"].keys() == {"loss", "accuracy"}
    assert "f1_score" in pd.read_csv(folder / "history.csv")


@pytest.mark.parametrize(
    "value", [None, "much", "\udcff", object()], ids=["None", "text", "surrogate", "object"]
)
def test_what_a_callback_adds_to_the_logs_costs_no_training(body, data, tmp_path, value):
    x, y = data
    adding = keras.callbacks.LambdaCallback(on_epoch_end=lambda _, logs: logs.update(odd=value))
    model = compiled(body, "binary", log=tmp_path)
    model.fit(x, y["binary"], verbose=0, callbacks=[adding])
    (path,) = tmp_path.glob("net/*/run.json")
    assert RunRecord.read(path).status == "finished"


def test_a_training_that_diverges_is_noted(body, data, tmp_path, caplog):
    x, y = data
    model = compiled(body, "regression", log=tmp_path, optimizer=keras.optimizers.SGD(1e30))
    model.fit(x, y["regression"], epochs=3, verbose=0)
    record = RunRecord.read(next(tmp_path.glob("net/*/run.json")))
    (note,) = record.notes
    assert re.fullmatch("training diverged: the loss is not finite from epoch [12] on", note)
    assert record.status == "finished"
    assert f"Model 'net': {note}" in caplog.messages


@pytest.mark.parametrize(
    "way",
    [copy.copy, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))],
    ids=["copy", "deepcopy", "pickle"],
)
@pytest.mark.parametrize("log", ["folder", "run"])
def test_a_copy_keeps_the_log(body, data, tmp_path, way, log):
    x, y = data
    run = Run.start(tmp_path, "mine")
    model = way(compiled(body, "binary", log=tmp_path if log == "folder" else run))
    model.fit(x, y["binary"], verbose=0)
    assert RunRecord.read(next(tmp_path.glob("net/*/run.json"))).epochs_trained == 1
    assert RunRecord.read(run.folder / "run.json").epochs_trained is None


def test_a_copy_may_break_the_rules_that_the_model_may(body):
    model = compile_for_task(body(), BINARY, loss=unknown_loss, strict=False)
    assert copy.copy(model)._strict is False


def test_a_training_whose_log_disappears_is_not_lost(body, data, tmp_path, caplog):
    x, y = data
    gone = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: shutil.rmtree(tmp_path / "runs", ignore_errors=True)
    )
    model = compiled(body, "binary", log=tmp_path / "runs")
    history = model.fit(x, y["binary"], epochs=2, callbacks=[gone], verbose=0).history
    model.evaluate(x, y["binary"], verbose=0)
    assert len(history["loss"]) == 2
    told = [text for text in caplog.messages if "was not recorded" in text]
    assert [text.partition(":")[0] for text in told] == [
        "The training was not recorded", "The evaluation was not recorded",
    ]  # fmt: skip


@pytest.mark.parametrize("log", [5, b"runs", "a\0b", "", PurePath("a\0b")], ids=repr)
def test_a_log_that_is_no_folder_is_refused_at_once(body, log):
    with pytest.raises(NnlossError, match="log must be the name of a folder, or an open") as caught:
        compiled(body, "binary", log=log)
    assert "\n" not in str(caught.value)
    assert "\0" not in str(caught.value)


class CtrlC(keras.callbacks.Callback):
    """Press Ctrl-C in the second epoch."""

    def __init__(self, times):
        super().__init__()
        self.times, self.went_on = times, False

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)
            self.went_on = True


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_stops_at_a_callback_and_the_second_one_at_once(body, data, tmp_path, times):
    x, y = data
    before, pressed = signal.getsignal(signal.SIGINT), CtrlC(times)
    model = compiled(body, "binary", log=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y["binary"], epochs=9, callbacks=[pressed], verbose=0)
    assert pressed.went_on == (times == 1)
    record = RunRecord.read(next(tmp_path.glob("net/*/run.json")))
    assert (record.status, record.epochs_trained) == ("interrupted", 1)
    assert signal.getsignal(signal.SIGINT) is before


def test_nothing_is_written_without_a_log(body, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x, y = data
    model = compiled(body, "binary")
    model.fit(x, y["binary"], verbose=0)
    model.evaluate(x, y["binary"], verbose=0)
    assert list(tmp_path.iterdir()) == []


def test_logging_is_left_to_the_application():
    assert logging.getLogger("nnloss").handlers == []
