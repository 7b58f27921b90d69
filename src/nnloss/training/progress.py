"""Progress display for training: a progress bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from typing import Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column

from nnloss._tensorflow import keras

_LINES = 10  # plain lines per training


class EpochProgress(keras.callbacks.Callback):
    """Keras callback that shows the epochs.

    Use it with ``verbose=0``.

    Parameters
    ----------
    title : str
        Label of the training.
    file : text file, optional
        Where to write; the default is standard error.

    Examples
    --------
    >>> import sys
    >>> import keras
    >>> import numpy as np
    >>> from nnloss import REGRESSION, EpochProgress, compile_for_task, set_seed
    >>> set_seed(0)
    >>> body = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2, "relu")])
    >>> model = compile_for_task(body, REGRESSION)
    >>> x, y = np.ones((32, 1)), np.ones(32)
    >>> lines = EpochProgress("line", sys.stdout)
    >>> history = model.fit(x, y, epochs=2, verbose=0, callbacks=[lines])
    line: epoch 1/2  loss ...
    line: epoch 2/2  loss ...
    """

    def __init__(self, title: str, file: TextIO | None = None) -> None:
        super().__init__()
        self.title = title
        self._file = file or sys.stderr
        self._bar: Progress | None = None
        self._between = "  "  # loss and val_loss

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start the bar in a terminal."""
        console = Console(file=self._file)
        if not console.is_terminal:
            return
        self._between = "\n" if console.width < 80 else "  "  # the bar takes what is left
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("epoch {task.completed}/{task.total}"),
            TextColumn("{task.fields[values]}"),
            TimeRemainingColumn(table_column=Column(no_wrap=True)),
            console=console,
        )
        self._bar.add_task(self.title, total=self._epochs, values="")
        self._bar.start()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Advance the bar, or print a line after every tenth of the training."""
        logs = logs or {}
        shown = [name for name in ("loss", "val_loss") if name in logs]
        values = self._between.join(f"{name} {logs[name]:.4g}" for name in shown)
        if self._bar:
            self._bar.update(self._bar.task_ids[0], completed=epoch + 1, values=values)
            return
        done = epoch + 1
        if done * _LINES // self._epochs > epoch * _LINES // self._epochs:
            print(f"{self.title}: epoch {done}/{self._epochs}  {values}", file=self._file)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Remove the bar."""
        self.stop()

    def stop(self) -> None:
        """Stop the bar and restore the terminal; safe to call after Ctrl-C."""
        if self._bar:
            self._bar.stop()
            self._bar = None

    def __enter__(self) -> EpochProgress:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    @property
    def _epochs(self) -> int:
        return int(self.params.get("epochs") or 1)
