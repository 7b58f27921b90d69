"""What a `TaskModel` leaves in a run when it is trained."""

from __future__ import annotations

import logging
import signal
import threading
import time
from os import PathLike
from types import FrameType, TracebackType
from typing import Any

import pandas as pd

from nnloss._files import digest
from nnloss._tensorflow import keras
from nnloss.runs.run import Run
from nnloss.training.backup import Backup
from nnloss.training.seeds import current_seed

logger = logging.getLogger("nnloss")


class FitRecorder(keras.callbacks.Callback):
    """Write what a ``fit`` was and gave into a run.

    It is a callback, which sees the epochs, and a context manager around ``fit``, so that what was
    trained is kept however ``fit`` ends.

    Parameters
    ----------
    log : path or Run
        A folder: a run is started there, and ended with ``fit``. A run: it is left open.
    name : str
        Name of the model.
    backup : Backup, optional
        Another callback of this ``fit``, which knows the epochs of a process that was killed.
    **description
        Fields of `nnloss.RunRecord` that are known before the training.

    Attributes
    ----------
    run : Run
        After the start.
    """

    run: Run
    #: It only looks for Ctrl-C there, and can do so after several.
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
        self._epochs: list[dict[str, Any]] = []
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
        # A KeyboardInterrupt that falls into a destructor is lost, and one inside TensorFlow can
        # crash the process. So Ctrl-C is noted, and raised where a callback is called.
        if threading.current_thread() is threading.main_thread():
            self._handler = signal.getsignal(signal.SIGINT)
            if callable(self._handler):
                signal.signal(signal.SIGINT, self._on_interrupt)
        return self

    def _on_interrupt(self, number: int, frame: FrameType | None) -> None:
        if self._interrupted:  # asked twice: at once, whatever happens
            self._handler(number, frame)
        self._interrupted = True

    def _stop_if_interrupted(self) -> None:
        if self._interrupted:
            raise KeyboardInterrupt

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Take the epochs that the backup had, if there are any.

        Parameters
        ----------
        logs : dict, optional
            Not used.
        """
        if self._backup:
            self._epochs = list(self._backup.epochs)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Stop here if Ctrl-C was pressed.

        Parameters
        ----------
        batch : int
            Not used.
        logs : dict, optional
            Not used.
        """
        self._stop_if_interrupted()

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Stop here if Ctrl-C was pressed.

        Parameters
        ----------
        batch : int
            Not used.
        logs : dict, optional
            Not used.
        """
        self._stop_if_interrupted()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Take the values of an epoch.

        Parameters
        ----------
        epoch : int
            From 0.
        logs : dict, optional
            Loss and metrics, with ``val_`` in front for the validation data.
        """
        self._epochs.append({"epoch": epoch + 1} | (logs or {}))
        self._stop_if_interrupted()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if callable(self._handler):
            signal.signal(signal.SIGINT, self._handler)
        if self._epochs:
            self._save()
        if self.run is self._log:
            return
        # Nobody else judges this run, so its last epoch must do.
        last = self._epochs[-1] if self._epochs else {}
        validation = {k[4:]: v for k, v in last.items() if k.startswith("val_")}
        training = {k: v for k, v in last.items() if k != "epoch" and not k.startswith("val_")}
        self.run.update(metrics={"last_epoch": training, "validation": validation})
        self.run.__exit__(kind, error, trace)

    def _save(self) -> None:
        """Add the epochs to those of an earlier ``fit`` of the same run, and keep the model."""
        before = self.run.record
        epochs = pd.DataFrame(self._epochs)
        if before.epochs_trained:
            epochs = pd.concat([pd.read_csv(self.run.folder / "history.csv"), epochs])
        self.run.save_table("history", epochs)
        self.run.update(
            seconds={
                "fit": before.seconds.get("fit", 0) + time.perf_counter() - self._began,
            },
            epochs_trained=len(epochs),
            weights_sha256=digest(*self.model.get_weights()),
        )
        try:
            self.run.save_model(self.model)
        except (NotImplementedError, TypeError, ValueError) as error:
            # A layer that cannot be saved is no reason to lose the training.
            logger.warning("The model was trained, but not saved: %s", error)
            self.run.update(notes=[*before.notes, f"model not saved: {error}"])
