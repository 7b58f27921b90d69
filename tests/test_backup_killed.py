"""A training is killed thirty times and ends as if nothing had happened.

Each attempt is a process of its own, forked from one that has imported TensorFlow and has not run
any operation: TensorFlow starts its threads with the first one.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnloss
from nnloss._tensorflow import keras

#: What the process is at when it is killed; all but the first two are steps of the writing.
MOMENTS = ["starting", "training", "half written", "written", "synced", "replaced"]


def model() -> Any:
    """Build the layers of the exercise that draw random numbers, and some that keep state."""
    body = keras.Sequential(
        [
            keras.Input((8, 8, 3), dtype="uint8"),
            keras.layers.Rescaling(1 / 255),
            keras.layers.RandomRotation(10 / 360, fill_mode="nearest"),
            keras.layers.RandomTranslation(0.1, 0.1, fill_mode="nearest"),
            keras.layers.RandomFlip("horizontal"),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(8, activation="relu"),
        ]
    )
    return nnloss.compile_for_task(body, nnloss.MULTICLASS, classes=3)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_while_writing(moment: str) -> None:
    """Let this process die in the next writing of the backup."""
    write, replace = Path.write_bytes, os.replace

    def half(path: Path, content: bytes) -> int:
        write(path, content[: len(content) // 2])
        die()
        raise AssertionError

    def replaced(old: Any, new: Any) -> None:
        replace(old, new)
        die()

    if moment == "half written":
        Path.write_bytes = half  # type: ignore[method-assign]
    elif moment == "written":
        os.fsync = lambda opened: die()
    elif moment == "synced":
        os.replace = lambda old, new: die()  # type: ignore[assignment]
    elif moment == "replaced":
        os.replace = replaced  # type: ignore[assignment]


class Doomed(keras.callbacks.Callback):
    """Tell each epoch; after some epochs die in the writing, or wait to be killed."""

    watches_batches = False

    def __init__(self, moment: str, epochs: int, told: Connection) -> None:
        super().__init__()
        self.moment, self.left, self.told = moment, epochs, told

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.told.send((epoch, self.left == 0))
        if self.left == 0:
            die_while_writing(self.moment)
        elif self.left < 0:
            assert self.moment in MOMENTS[:2], "it should be dead"
            signal.pause()
        self.left -= 1


def train(
    folder: Path, result: Path, epochs: int, doom: tuple[str, int, Connection] | None
) -> None:
    """Train with a backup, in a process of its own; leave everything that came of it."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (256, 8, 8, 3)).astype("uint8")
    y = nnloss.encode(rng.integers(0, 3, 256), nnloss.MULTICLASS, 3)
    nnloss.set_seed(4)
    network = model()
    history = network.fit(
        x,
        y,
        batch_size=32,
        epochs=epochs,
        validation_data=(x[:64], y[:64]),
        callbacks=[*([Doomed(*doom)] if doom else []), nnloss.Backup(folder / "backup")],
        verbose=0,
    )
    variables = [*network.variables, *network.optimizer.variables]
    arrays = {str(number): np.asarray(variable) for number, variable in enumerate(variables)}
    values = json.dumps({"epoch": history.epoch, "history": history.history})
    np.savez(result, values=np.array(values), **arrays)


def trained(context: Any, folder: Path, result: Path, epochs: int) -> dict[str, Any]:
    """Train until the end, and read what came of it."""
    process = context.Process(target=train, args=(folder, result, epochs, None))
    process.start()
    process.join()
    assert process.exitcode == 0
    with np.load(result) as arrays:
        return dict(arrays)


@pytest.mark.parametrize("kills", [6, pytest.param(30, marks=pytest.mark.slow)])
def test_a_training_that_is_killed_ends_with_the_same_bits(tmp_path, kills):
    epochs = 2 * kills + 1  # it cannot end before the last kill: at most two are done between
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["nnloss.training.models", "nnloss.training.backup", "pytest"])
    interrupted, whole = tmp_path / "interrupted", tmp_path / "whole"
    rng = np.random.default_rng(30)
    begun: list[int] = []
    ends: list[str] = []
    while len(ends) < kills:
        moment = MOMENTS[len(ends) % len(MOMENTS)]
        told, telling = context.Pipe(duplex=False)
        doom = (moment, int(rng.integers(0, 3)), telling)
        process = context.Process(target=train, args=(interrupted, tmp_path / "none", epochs, doom))
        process.start()
        telling.close()
        if moment == "starting":
            time.sleep(rng.uniform(0, 0.5))
            process.kill()
        elif moment == "training":
            first, here = told.recv()
            while not here:
                here = told.recv()[1]
            time.sleep(rng.uniform(0, 0.2))
            process.kill()
            begun.append(first)
        else:
            begun.append(told.recv()[0])
        process.join()
        assert process.exitcode == -signal.SIGKILL, moment
        ends.append(moment)

    assert len(ends) == kills
    # Each attempt went on from what those before had done, and most of them did something.
    assert begun == sorted(begun)
    assert begun[0] == 0
    assert len(set(begun)) > kills / 4
    assert (interrupted / "backup").exists()

    expected = trained(context, whole, tmp_path / "whole.npz", epochs)
    found = trained(context, interrupted, tmp_path / "interrupted.npz", epochs)
    assert json.loads(str(found.pop("values"))) == json.loads(str(expected.pop("values")))
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, strict=True)
    assert not list(interrupted.iterdir())
