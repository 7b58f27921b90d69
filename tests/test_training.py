"""How models are trained: seeded, several steps at once where nobody watches each."""

from __future__ import annotations

import numpy as np
import pytest

from nnloss import REGRESSION, compile_for_task
from nnloss._tensorflow import keras
from nnloss.training import fitting, seeds


@pytest.mark.parametrize(
    ("verbose", "steps", "at_once"),
    [(0, 13, 16), (2, 13, 16), (1, 13, 13), ("auto", 34, 2), (1, 7, 7), (0, -1, 1), (0, -2, 1)],
)
def test_a_progress_bar_ends_at_its_end(verbose, steps, at_once):
    assert fitting.steps_per_execution([], steps, verbose) == at_once


def test_the_seed_is_known_however_it_was_set():
    seeds.set_seed(11)
    assert seeds.current_seed() == 11
    keras.utils.set_random_seed(12)
    assert seeds.current_seed() == 12


def test_a_seed_fixes_weights_shuffling_and_dropout(split):
    def weights(seed):
        seeds.set_seed(seed)
        body = keras.Sequential(
            [keras.Input((13,)), keras.layers.Dense(8, "relu"), keras.layers.Dropout(0.3)]
        )
        model = compile_for_task(body, REGRESSION)
        model.fit(split.x_train, split.y_train, epochs=2, verbose=0)
        return np.concatenate([w.ravel() for w in model.get_weights()])

    assert np.array_equal(weights(0), weights(0))
    assert not np.array_equal(weights(0), weights(1))


@pytest.mark.parametrize(
    ("callback", "at_once"),
    [
        (keras.callbacks.EarlyStopping(), 16),
        (keras.callbacks.ModelCheckpoint("m.keras"), 16),
        (keras.callbacks.ModelCheckpoint("m.keras", save_freq=5), 1),
        (keras.callbacks.BackupAndRestore("backup"), 16),
        (keras.callbacks.BackupAndRestore("backup", save_freq=5), 1),
        (keras.callbacks.TensorBoard("logs"), 16),
        (keras.callbacks.TensorBoard("logs", update_freq=5), 1),
        (keras.callbacks.TensorBoard("logs", write_steps_per_second=True), 1),
        (keras.callbacks.TerminateOnNaN(), 1),
        (keras.callbacks.LambdaCallback(on_epoch_end=print), 16),
        (keras.callbacks.LambdaCallback(on_train_batch_end=print), 1),
    ],
)
def test_who_watches_batches_sees_each_one(callback, at_once):
    assert fitting.steps_per_execution([callback], 40, 0) == at_once


class WatchesValidation(keras.callbacks.Callback):
    def on_test_batch_end(self, batch, logs=None):
        pass


def test_batches_of_the_validation_are_batches_too():
    assert fitting.steps_per_execution([WatchesValidation()], 40, 0) == 1


class OwnCheckpoint(keras.callbacks.ModelCheckpoint):
    def on_train_batch_end(self, batch, logs=None):
        pass


def test_a_callback_of_the_callers_own_is_not_taken_for_the_one_of_keras():
    assert fitting.steps_per_execution([OwnCheckpoint("m.keras")], 40, 0) == 1
