"""Recording of a `TaskModel`'s training in a run."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Mapping
from os import PathLike
from types import FrameType
from typing import Any

import numpy as np
import pandas as pd

from nnloss._files import digest
from nnloss._tensorflow import keras
from nnloss.errors import printable
from nnloss.runs.run import Run
from nnloss.training.backup import Backup
from nnloss.training.seeds import current_seed

logger = logging.getLogger("nnloss")


class _Epochs(keras.callbacks.Callback):
    """First callback of a ``fit``, which collects the values of each epoch.

    An epoch counts even if a later callback raises an error at its end: its steps are done.
    """

    watches_batches = False

    def __init__(self) -> None:
        super().__init__()
        self._logs: list[tuple[int, dict[str, Any]]] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Collect the values of an epoch."""
        # Not a copy: all callbacks have one dict, to which the later ones may add.
        self._logs.append((epoch + 1, {} if logs is None else logs))

    @property
    def values(self) -> list[dict[str, Any]]:
        """The number and the values of each epoch."""
        return [
            {"epoch": number}
            | {
                key: printable(each) if isinstance(each, str) else each
                for key, each in logs.items()
            }
            for number, logs in self._logs
        ]


class FitRecorder(keras.callbacks.Callback):
    """Callback and context manager that records a ``fit`` in a run, however it ends.

    `log` is a folder, in which a run is started and ended with ``fit``, or a `Run`, which stays
    open. `backup` provides the epochs before an interruption. `description` holds fields of
    `nnloss.RunRecord` that are known before training.
    """

    run: Run
    #: The batch hooks only check for Ctrl-C, so several steps may run at once.
    watches_batches = False

    def __init__(
        self,
        log: str | PathLike[str] | Run,
        name: str,
        backup: Backup | None = None,
        **description: Any,
    ) -> None:
        super().__init__()
        self._log = log
        self._name = name
        self._backup = backup
        self._description = description
        self._restored: list[dict[str, Any]] = []
        self._trained = _Epochs()
        self._began = 0.0
        self._interrupted = False
        self._handler: Any = None

    def __enter__(self) -> FitRecorder:
        if isinstance(self._log, Run):
            self.run = self._log
        else:
            self.run = Run.start(self._log, self._name, seed=current_seed())
        self.run.update(**self._description)
        self._began = time.perf_counter()
        # A KeyboardInterrupt in a destructor is lost, and inside TensorFlow it can crash the
        # process. So Ctrl-C only sets a flag, and the callback hooks raise.
        if threading.current_thread() is threading.main_thread():
            self._handler = signal.getsignal(signal.SIGINT)
            if callable(self._handler):
                signal.signal(signal.SIGINT, self._on_interrupt)
        return self

    def among(self, callbacks: list[Any]) -> list[Any]:
        """Return the callbacks of ``fit``: the caller's between those of the record."""
        return [self._trained, *callbacks, self]

    @property
    def _epochs(self) -> list[dict[str, Any]]:
        return [*self._restored, *self._trained.values]

    def _on_interrupt(self, number: int, frame: FrameType | None) -> None:
        if self._interrupted:  # pressed twice: interrupt at once
            self._handler(number, frame)
        self._interrupted = True

    def _stop_if_interrupted(self) -> None:
        if self._interrupted:
            raise KeyboardInterrupt

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Copy the epochs restored by the backup."""
        if self._backup:
            self._restored = list(self._backup.epochs)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Raise KeyboardInterrupt if Ctrl-C was pressed."""
        self._stop_if_interrupted()

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Raise KeyboardInterrupt if Ctrl-C was pressed."""
        self._stop_if_interrupted()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Raise KeyboardInterrupt if Ctrl-C was pressed."""
        self._stop_if_interrupted()

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if callable(self._handler):
            signal.signal(signal.SIGINT, self._handler)
        try:
            self._record(kind, error, trace)
        except Exception as lost:  # whatever it is: the training is worth more than its record
            logger.warning("The training was not recorded: %s", lost)

    def evaluated(self, values: Mapping[str, Any], rows: int | None) -> None:
        """Record the values of ``evaluate`` after this ``fit``."""
        try:
            self.run.update(metrics={"test": _scalars(values)}, split={"test": rows})
        except Exception as lost:
            logger.warning("The evaluation was not recorded: %s", lost)

    def _record(self, kind: Any, error: Any, trace: Any) -> None:
        if self._epochs:
            self._save()
        if self.run is self._log:
            return
        # Nobody else adds metrics to this run, so use those of the last epoch.
        last = _scalars(self._epochs[-1]) if self._epochs else {}
        validation = {k[4:]: v for k, v in last.items() if k.startswith("val_")}
        training = {k: v for k, v in last.items() if k != "epoch" and not k.startswith("val_")}
        self.run.update(metrics={"last_epoch": training, "validation": validation})
        self.run.__exit__(kind, error, trace)

    def _save(self) -> None:
        """Append the epochs to those of an earlier ``fit`` of the run, and save the model."""
        before = self.run.record
        epochs = pd.DataFrame(self._epochs)
        if before.epochs_trained:
            epochs = pd.concat([pd.read_csv(self.run.folder / "history.csv"), epochs])
        self.run.save_table("history", epochs)
        notes = before.notes
        diverged = [
            each["epoch"]
            for each in self._epochs
            if not np.isfinite(pd.to_numeric(each.get("loss", 0.0), errors="coerce"))
        ]
        if diverged and not any(each.startswith("training diverged") for each in notes):
            note = f"training diverged: the loss is not finite from epoch {diverged[0]} on"
            logger.warning("Model '%s': %s", self._name, note)
            notes = [*notes, note]
        self.run.update(
            notes=notes,
            seconds={
                "fit": before.seconds.get("fit", 0) + time.perf_counter() - self._began,
            },
            epochs_trained=len(epochs),
            weights_sha256=digest(*self.model.get_weights()),
        )
        try:
            self.run.save_model(self.model)
        except (NotImplementedError, TypeError, ValueError) as error:
            # Keep the rest of the training even if a layer cannot be saved.
            logger.warning("The model was trained, but not saved: %s", error)
            self.run.update(notes=[*notes, f"model not saved: {error}"])


def _scalars(values: Mapping[str, Any]) -> dict[str, float]:
    """Return the values that are one number; metrics of each class and texts are left out."""
    return {
        name: float(value)
        for name, value in values.items()
        if np.ndim(value) == 0 and np.issubdtype(np.asarray(value).dtype, np.number)
    }
