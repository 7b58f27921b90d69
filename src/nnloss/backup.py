"""`Backup`: a training that was killed goes on from its last epoch, bit for bit."""

from __future__ import annotations

import hashlib
import io
import json
import logging
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnloss._tensorflow import keras
from nnloss.errors import DataError
from nnloss.files import replacing, set_aside
from nnloss.training import current_seed

logger = logging.getLogger("nnloss")

State = dict[str, NDArray[Any]]


class Backup(keras.callbacks.Callback):
    """A Keras callback that keeps the state of a training, and takes it up again.

    After each epoch the weights, the state of the optimizer and of every random generator of the
    layers, and the values of all epochs are written to one file. `fit`, called again on a model
    made in the same way after the same ``set_seed``, goes on from there and ends with the same
    weights as if it had never been stopped: the order of the rows of a `TaskModel` depends on seed
    and epoch alone, and augmentation and dropout on the generators. ``BackupAndRestore`` of Keras
    leaves the generators out, and writes weights and epoch to two files, between which a process
    can be killed.

    Parameters
    ----------
    path : path
        The file; its folder must exist. It is removed when the training has ended.
    training : str
        What is trained, as far as model and seed do not tell: data, batch size, versions. A file
        of another training is not used.

    Attributes
    ----------
    epochs : list of dict
        ``epoch``, from 1, and its values, of all epochs: also of those before the process was
        killed. The History that `fit` returns has them too.

    Notes
    -----
    A file that is damaged, or of another training, is set aside under another name with a warning,
    and the training begins anew.
    """

    #: Epochs are enough: steps may run several at once.
    watches_batches = False

    def __init__(self, path: str | PathLike[str], training: str = "") -> None:
        super().__init__()
        self.path = Path(path)
        self.training = training
        self.epochs: list[dict[str, Any]] = []
        self._restored = 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Take up the state that was kept, if there is one.

        Parameters
        ----------
        logs : dict, optional
            Not used.
        """
        if not self.model.optimizer.built:
            self.model.optimizer.build(self.model.trainable_variables)
        self.epochs = []
        if self.path.exists():
            try:
                state, self.epochs = self._read()
            except DataError as error:
                logger.warning("%s (set aside as %s)", error, set_aside(self.path).name)
            else:
                for variable, value in zip(self._variables(), state.values(), strict=True):
                    variable.assign(value)
                self.model._initial_epoch = len(self.epochs)
        self._restored = len(self.epochs)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the state.

        Parameters
        ----------
        epoch : int
            From 0.
        logs : dict, optional
            Loss and metrics.
        """
        self.epochs.append({"epoch": epoch + 1} | {k: float(v) for k, v in (logs or {}).items()})
        file = io.BytesIO()
        arrays: dict[str, Any] = self._state() | {"what": self._what(self.epochs)}
        np.savez(file, **arrays)
        content = file.getvalue()
        with replacing(self.path) as path:
            path.write_bytes(hashlib.sha256(content).digest() + content)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Give the History the epochs before the process was killed; remove the file.

        Parameters
        ----------
        logs : dict, optional
            Not used.
        """
        before = self.epochs[: self._restored]
        history = self.model.history
        history.epoch = [each["epoch"] - 1 for each in before] + history.epoch
        for name in {name for each in before for name in each if name != "epoch"}:
            values = [each[name] for each in before if name in each]
            history.history[name] = values + history.history.get(name, [])
        self.path.unlink(missing_ok=True)

    def _variables(self) -> list[Any]:
        # `variables`, unlike `weights`, has the states of random generators.
        return [*self.model.variables, *self.model.optimizer.variables]

    def _state(self) -> State:
        return {f"v{n}": np.asarray(variable) for n, variable in enumerate(self._variables())}

    def _what(self, epochs: list[dict[str, Any]]) -> NDArray[Any]:
        """Write down which training this is, and the values of its epochs."""
        return np.array(json.dumps({"training": self._identity(), "epochs": epochs}))

    def _identity(self) -> str:
        config = json.dumps(self.model.optimizer.get_config(), sort_keys=True, default=str)
        return f"{self.training}; seed {current_seed()}; {config}"

    def _read(self) -> tuple[State, list[dict[str, Any]]]:
        """Read the file, and check that it is whole and of this training."""
        rule = f"'{self.path.name}' must be a whole backup of this training"
        remedy = "The training begins anew"
        content = self.path.read_bytes()
        if hashlib.sha256(content[32:]).digest() != content[:32]:
            raise DataError(rule, "its checksum does not agree", remedy)
        with np.load(io.BytesIO(content[32:]), allow_pickle=False) as arrays:
            state = dict(arrays)
        what = json.loads(str(state.pop("what")))
        if what["training"] != self._identity():
            raise DataError(rule, f"it is of '{what['training']}'", remedy)
        expected = [(tuple(v.shape), str(v.dtype)) for v in self._variables()]
        found = [(value.shape, str(value.dtype)) for value in state.values()]
        if expected != found:
            raise DataError(rule, "its arrays have other shapes", remedy)
        return state, what["epochs"]
