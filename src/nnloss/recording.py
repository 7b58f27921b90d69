"""What a `TaskModel` leaves in a run when it is trained."""

from __future__ import annotations

import time
from os import PathLike
from types import TracebackType
from typing import Any

import pandas as pd

from nnloss._tensorflow import keras
from nnloss.files import digest
from nnloss.runs import Run
from nnloss.training import current_seed


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
    **description
        Fields of `nnloss.RunRecord` that are known before the training.

    Attributes
    ----------
    run : Run
        After the start.
    """

    run: Run

    def __init__(self, log: str | PathLike[str] | Run, name: str, **description: Any) -> None:
        super().__init__()
        self._log = log
        self._name = name
        self._description = description
        self._epochs: list[dict[str, Any]] = []
        self._began = 0.0

    def __enter__(self) -> FitRecorder:
        if isinstance(self._log, Run):
            self.run = self._log
        else:
            self.run = Run.start(self._log, self._name, seed=current_seed())
        self.run.update(**self._description)
        self._began = time.perf_counter()
        return self

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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        seconds = time.perf_counter() - self._began
        self.run.update(seconds={"fit": seconds}, epochs_trained=len(self._epochs))
        if self._epochs:
            self.run.save_table("history", pd.DataFrame(self._epochs))
            self.run.save_model(self.model)
            self.run.update(weights_sha256=digest(*self.model.get_weights()))
        if self.run is self._log:
            return
        # Nobody else judges this run, so its last epoch must do.
        last = self._epochs[-1] if self._epochs else {}
        validation = {k[4:]: v for k, v in last.items() if k.startswith("val_")}
        training = {k: v for k, v in last.items() if k != "epoch" and not k.startswith("val_")}
        self.run.update(metrics={"last_epoch": training, "validation": validation})
        self.run.__exit__(kind, error, trace)
