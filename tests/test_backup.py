"""`Backup`: what is taken up, what is not, and what a backup costs nobody."""

from __future__ import annotations

import json
import logging
import random
import resource
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nnloss import BINARY, Backup, compile_for_task, set_seed
from nnloss._tensorflow import keras
from nnloss.errors import FolderError, NnlossError
from nnloss.training.device_data import shuffle_seed

EPOCHS = 4
X = np.random.default_rng(0).normal(size=(48, 8)).astype("float32")
Y = (X[:, 0] > 0).astype("float32")


class PowerFailure(Exception):
    pass


class Fails(keras.callbacks.Callback):
    """End a training, as if its process were killed, when an epoch begins."""

    watches_batches = False

    def __init__(self, epoch: int) -> None:
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise PowerFailure


def network(*, seed=3, activation="relu", rate=0.3, loss=None, optimizer=None, log=None, **given):
    """Make the model of all tests in the same way; a None for `seed` sets none."""
    if seed is not None:
        set_seed(seed)
    layers = [
        keras.Input((8,)),
        keras.layers.Dense(6, activation),
        keras.layers.BatchNormalization(),
        keras.layers.Dropout(rate),
    ]
    body = keras.Sequential(layers, name="net")
    optimizer = optimizer or keras.optimizers.Adam(0.01)
    return compile_for_task(body, BINARY, loss=loss, optimizer=optimizer, log=log, **given)


def fit(model, *callbacks, epochs=EPOCHS, **given):
    return model.fit(
        X,
        Y,
        batch_size=16,
        epochs=epochs,
        validation_data=(X[:20], Y[:20]),
        callbacks=list(callbacks),
        verbose=0,
        **given,
    )


def stop(model, epoch, *callbacks, **given):
    with pytest.raises(PowerFailure):
        fit(model, Fails(epoch), *callbacks, **given)


def state(model):
    return [np.asarray(each) for each in (*model.variables, *model.optimizer.variables)]


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.fixture(scope="module")
def whole():
    """Train without a backup: the state at the end, and the history."""
    model = network()
    history = fit(model)
    return state(model), history


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """Keep two epochs of the training; what is then in the file."""
    path = tmp_path_factory.mktemp("backup") / "net.backup"
    stop(network(), 2, Backup(path))
    return path.read_bytes()


@pytest.fixture
def path(tmp_path, content):
    path = tmp_path / "net.backup"
    path.write_bytes(content)
    return path


def begin(model, path, training="", epochs=EPOCHS):
    """Do what `fit` does first; the epochs that were taken up."""
    shuffle_seed()
    backup = Backup(path, training)
    backup.set_model(model)
    backup.set_params({"epochs": epochs})
    backup.on_train_begin()
    epochs, model._initial_epoch = backup.epochs, None
    return epochs


def assert_set_aside(path, content, caplog):
    """Exactly one file, one line, and nothing under the old name."""
    (aside,) = path.parent.glob("net.backup.aside-*")
    assert aside.read_bytes() == content
    (message,) = [record.getMessage() for record in caplog.records]
    assert message.endswith(f". The training starts afresh. (set aside as {aside.name})")
    assert "\n" not in message
    assert not path.exists()


def assert_taken_up(path, whole, model=None, *callbacks):
    model = model or network()
    history = fit(model, *callbacks, Backup(path))
    assert same(state(model), whole[0])
    assert history.epoch == whole[1].epoch
    assert list(history.history.items()) == list(whole[1].history.items())
    assert not path.exists()


def test_a_training_goes_on_where_it_was(path, whole):
    assert [each["epoch"] for each in begin(network(), path)] == [1, 2]
    assert_taken_up(path, whole)


def test_a_backup_changes_nothing(tmp_path, whole):
    model = network()
    history = fit(model, Backup(tmp_path / "net.backup"))
    assert same(state(model), whole[0])
    assert history.history == whole[1].history
    assert not list(tmp_path.iterdir())


def test_names_of_layers_and_a_built_optimizer_do_not_matter(path, whole):
    model = network()  # its layers have other numbers in their names than those of the fixture
    model.optimizer.build(model.trainable_variables)
    assert_taken_up(path, whole, model)


# What is in the way of a training


def test_no_bit_can_flip_unnoticed(path, content, caplog):
    model = network()
    model.optimizer.build(model.trainable_variables)
    before, at_first = state(model), random.getstate()
    bits = random.Random(5).sample(range(8 * len(content)), 60)
    for bit in [*range(0, 8 * 40, 7), *bits, 8 * len(content) - 1]:
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        caplog.clear()
        random.setstate(at_first)
        assert begin(model, path) == []
        assert_set_aside(path, damaged, caplog)
        next(path.parent.glob("*.aside-*")).unlink()
    assert same(state(model), before)
    path.write_bytes(content)  # as it was, it is taken
    random.setstate(at_first)
    assert len(begin(model, path)) == 2


@pytest.mark.parametrize("kept", [0, 1, 31, 32, 33, 1000, -1])
def test_half_a_backup_is_none(path, content, kept, caplog):
    path.write_bytes(content[:kept])
    assert begin(network(), path) == []
    assert_set_aside(path, content[:kept], caplog)


def test_another_file_is_set_aside_and_the_training_begins_anew(path, whole, caplog):
    path.write_bytes(b"PK and not a backup\n" * 100)
    assert_taken_up(path, whole)
    assert_set_aside(path, b"PK and not a backup\n" * 100, caplog)


def test_a_folder_in_its_place_is_set_aside(tmp_path, whole, caplog):
    (tmp_path / "net.backup").mkdir()
    assert_taken_up(tmp_path / "net.backup", whole)
    assert "Is a directory" in caplog.text


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 4},
        {"activation": "tanh"},
        {"rate": 0.4},
        {"loss": "mse"},
        {"optimizer": "sgd"},
        {"optimizer": keras.optimizers.Adam(0.02)},
        {"optimizer": keras.optimizers.Adam(0.01, beta_2=0.99)},
    ],
    ids=["seed", "activation", "rate", "loss", "optimizer", "learning rate", "beta"],
)
def test_another_model_does_not_take_it(path, content, other, caplog):
    if other.get("loss") == "mse":
        other = {"loss": keras.losses.BinaryCrossentropy(label_smoothing=0.1)}
    assert begin(network(**other), path) == []
    assert_set_aside(path, content, caplog)


def test_another_training_does_not_take_it(path, content, caplog):
    assert begin(network(), path, "other data") == []
    assert_set_aside(path, content, caplog)


def test_another_order_of_the_rows_does_not_take_it(path, content, caplog):
    model = network()
    random.random()
    assert begin(model, path) == []
    assert_set_aside(path, content, caplog)


def test_other_initial_weights_do_not_take_it(path, content, caplog):
    model = network()
    model.layers[1].set_weights([each + 1 for each in model.layers[1].get_weights()])
    assert begin(model, path) == []
    assert_set_aside(path, content, caplog)


def test_other_versions_do_not_take_it(path, content, caplog, monkeypatch):
    monkeypatch.setattr("nnloss.runs.provenance.versions", lambda: {"keras": "4.0"})
    assert begin(network(), path) == []
    assert_set_aside(path, content, caplog)


def test_without_a_seed_trainings_begin_otherwise(tmp_path, caplog):
    path = tmp_path / "net.backup"
    stop(network(seed=None), 1, Backup(path))
    content = path.read_bytes()
    assert begin(network(seed=None), path) == []
    assert_set_aside(path, content, caplog)


def test_more_epochs_than_are_wanted_are_not_taken(path, content, caplog):
    assert begin(network(), path, epochs=1) == []
    assert "it has 2 epochs, and 1 are wanted" in caplog.text
    assert_set_aside(path, content, caplog)


def test_a_later_fit_is_not_taken_for_the_first(tmp_path, caplog):
    path = tmp_path / "net.backup"
    model, backup = network(), Backup(path)
    first = fit(model, backup, epochs=1)
    stop(model, 2, backup)
    assert len(first.history["loss"]) == 1
    content = path.read_bytes()
    assert begin(network(), path) == []
    assert_set_aside(path, content, caplog)


# The end of a training, and `fit` again


def test_the_end_can_be_kept_until_the_results_are_saved(path, whole):
    fit(network(), Backup(path, keep=True))
    model, backup = network(), Backup(path, keep=True)
    no_epoch_is_left = [Fails(epoch) for epoch in range(EPOCHS)]
    history = fit(model, *no_epoch_is_left, backup)
    assert same(state(model), whole[0])
    assert list(history.history.items()) == list(whole[1].history.items())
    assert history.epoch == list(range(EPOCHS))
    assert [each["epoch"] for each in backup.epochs] == list(range(1, EPOCHS + 1))
    assert_taken_up(path, whole, model := network(), *no_epoch_is_left)
    assert fit(model, epochs=1).epoch == [0]


def test_a_second_fit_begins_where_it_says(path, whole):
    model, backup = network(), Backup(path)
    stop(model, 3, backup)  # taken up, and stopped again
    assert fit(model, epochs=1).epoch == [0]
    path.unlink()
    model = network()
    fit(model, backup)
    assert fit(model, backup, epochs=2).epoch == [0, 1]
    assert len(backup.epochs) == 2


def test_a_training_that_begins_later(tmp_path):
    path = tmp_path / "net.backup"
    expected = network()
    history = fit(expected, epochs=6, initial_epoch=2)
    stop(network(), 4, Backup(path), epochs=6, initial_epoch=2)
    model = network()
    found = fit(model, Backup(path), epochs=6, initial_epoch=2)
    assert same(state(model), state(expected))
    assert found.epoch == [2, 3, 4, 5]
    assert found.history == history.history


@pytest.mark.parametrize(
    "steered",
    [
        lambda: (
            keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.02, 2, 0.5)),
            [],
        ),
        lambda: (
            keras.optimizers.SGD(0.1, momentum=0.9),
            [keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.7)],
        ),
    ],
    ids=["schedule", "callback"],
)
def test_a_learning_rate_that_changes(tmp_path, steered):
    path = tmp_path / "net.backup"

    def training():
        optimizer, callbacks = steered()
        return network(optimizer=optimizer), callbacks

    expected, callbacks = training()
    history = fit(expected, *callbacks)
    model, callbacks = training()
    stop(model, 2, *callbacks, Backup(path))
    model, callbacks = training()
    assert_taken_up(path, (state(expected), history), model, *callbacks)


def test_a_training_that_diverges(tmp_path):
    def model():
        return network(optimizer=keras.optimizers.SGD(float("inf")))

    path, expected = tmp_path / "net.backup", model()
    history = fit(expected)
    assert np.isnan(history.history["loss"]).any()
    stop(model(), 2, Backup(path))
    resumed = model()
    found = fit(resumed, Backup(path))
    for name, values in history.history.items():
        np.testing.assert_array_equal(found.history[name], values)
    for one, other in zip(state(resumed), state(expected), strict=True):
        np.testing.assert_array_equal(one, other)


def test_values_that_are_not_one_number(tmp_path):
    def model():
        set_seed(3)
        model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(2, "sigmoid")])
        metric = keras.metrics.F1Score(threshold=0.5)
        model.compile("adam", "binary_crossentropy", metrics=[metric])
        return model

    two, backup = np.stack([Y, 1 - Y], axis=1), Backup(tmp_path / "net.backup")
    with pytest.raises(PowerFailure):
        model().fit(X, two, epochs=3, callbacks=[Fails(2), backup], verbose=0)
    resumed = Backup(backup.path)
    history = model().fit(X, two, epochs=3, callbacks=[resumed], verbose=0)
    assert resumed.epochs[:2] == backup.epochs
    assert np.shape(history.history["f1_score"]) == (3, 2)


def test_the_record_of_a_run_has_all_epochs(tmp_path, path, whole):
    model = network(log=tmp_path / "runs")
    stop(model, 3, Backup(path))  # begun without a log, taken up with one, stopped again
    fit(network(log=tmp_path / "runs"), Backup(path))
    (failed, finished) = sorted(
        tmp_path.glob("runs/net/*/run.json"), key=lambda each: each.stat().st_mtime
    )
    for record, epochs in ((failed, 3), (finished, EPOCHS)):
        assert json.loads(record.read_text())["epochs_trained"] == epochs
        table = pd.read_csv(record.with_name("history.csv"))
        assert table["epoch"].tolist() == list(range(1, epochs + 1))
        for name, values in whole[1].history.items():
            np.testing.assert_allclose(table[name], values[:epochs], rtol=1e-15)


# Where it cannot be written


class SmallDisk(keras.callbacks.Callback):
    """Allow files of 1,000 bytes from an epoch on."""

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 2:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))


def test_a_full_disk_stops_the_training_and_harms_no_backup(path, whole):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with pytest.raises(FolderError) as caught:
            fit(network(), SmallDisk(), Backup(path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(caught.value) == (
        f"'{path}' must be written; the system reports: File too large. "
        "Make room there, or choose another folder."
    )
    assert list(path.parent.iterdir()) == [path]
    assert len(begin(network(), path)) == 2
    assert_taken_up(path, whole)


def test_a_folder_that_cannot_be_is_refused_before_the_first_epoch(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FolderError, match=r"'.*file' is a file"):
        fit(network(), Fails(0), Backup(tmp_path / "file" / "net.backup"))


def test_a_folder_that_is_not_there_is_made(tmp_path, whole):
    stop(network(), 1, Backup(tmp_path / "new" / "net.backup"))
    assert_taken_up(tmp_path / "new" / "net.backup", whole)


def test_what_killed_processes_left_half_written_is_removed(path, content):
    for name in (".net.0123abcd.backup", ".net.a.0123abcd.backup", "net.backup.aside-0123abcd"):
        (path.parent / name).touch()
    begin(network(), path)
    assert {each.name for each in path.parent.iterdir()} == {
        ".net.a.0123abcd.backup",  # another file's: that of net.a.backup
        "net.backup.aside-0123abcd",
        "net.backup",
    }


def test_a_model_that_keras_cannot_describe_is_refused(tmp_path):
    class Scaled(keras.layers.Layer):
        def __init__(self, factor):
            super().__init__()
            self.factor = factor

        def call(self, x):
            return self.factor.value * x

    class Factor:
        value = 2.0

    body = keras.Sequential([keras.Input((8,)), Scaled(Factor()), keras.layers.Dense(4, "relu")])
    with pytest.raises(NnlossError, match=r"^Backup needs a model that Keras can describe; .*get"):
        fit(compile_for_task(body, BINARY), Backup(Path(tmp_path / "net.backup")))


@pytest.fixture(autouse=True)
def _warnings(caplog):
    caplog.set_level(logging.WARNING, logger="nnloss")
