"""`Backup`: a training that was killed goes on from its last epoch, bit for bit."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import random
import re
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnloss._files import digest, remove_unfinished, replacing, require_folder, set_aside
from nnloss._tensorflow import keras
from nnloss.errors import DataError, NnlossError
from nnloss.runs import provenance

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
        The file, of which one training at a time may make use. Its folder is created.
    training : str
        What is trained, as far as the model does not tell: data, batch size.
    keep : bool, default False
        Leave the file when the training has ended. Who removes it after the results are saved
        does not lose the training to a process that is killed in between; until then `fit` gives
        the trained model again, without an epoch.

    Attributes
    ----------
    epochs : list of dict
        ``epoch``, from 1, and its values, of all epochs: also of those before the process was
        killed. The History that `fit` returns has them too.

    Notes
    -----
    The file is used where `fit` begins as it began before: the same `training`, model, loss and
    optimizer, versions of the libraries, initial state, and state of Python's random generator,
    which is what the order of the rows is drawn from. A file that is damaged, or of a training
    that began otherwise, is set aside under another name with a warning, and the training begins
    anew. Without ``set_seed`` no two trainings begin alike.

    Put it last among the callbacks, so that it keeps what they have changed. What it does not know
    begins anew where a training is taken up: callbacks that remember earlier epochs
    (``EarlyStopping``, ``ReduceLROnPlateau``), random numbers that come from elsewhere than a
    ``keras.random.SeedGenerator`` of a layer, and a dataset or generator that has an order of its
    own; such a training may end with other weights.
    """

    #: Epochs are enough: steps may run several at once.
    watches_batches = False

    def __init__(
        self, path: str | PathLike[str], training: str = "", *, keep: bool = False
    ) -> None:
        super().__init__()
        self.path = Path(path)
        self.training = training
        self.keep = keep
        self.epochs: list[dict[str, Any]] = []
        self._begin = b""
        self._restored = 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Take up the state that was kept, if there is one.

        Parameters
        ----------
        logs : dict, optional
            Not used.

        Raises
        ------
        FolderError
            If the file's folder cannot be written to.
        """
        require_folder(self.path.parent)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        remove_unfinished(self.path)
        if not self.model.optimizer.built:
            self.model.optimizer.build(self.model.trainable_variables)
        self._begin = self._how_it_begins()
        self.epochs = []
        if self.path.exists():
            try:
                state, self.epochs = self._read()
            except DataError as error:
                logger.warning("%s (set aside as %s)", error, set_aside(self.path).name)
            else:
                for variable, value in zip(self._variables(), state.values(), strict=True):
                    variable.assign(value)
                self.model._initial_epoch = self.epochs[-1]["epoch"]
        self._restored = len(self.epochs)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Let a later `fit` begin where its caller says.

        Parameters
        ----------
        epoch : int
            Not used.
        logs : dict, optional
            Not used.
        """
        self.model._initial_epoch = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the state.

        Parameters
        ----------
        epoch : int
            From 0.
        logs : dict, optional
            Loss and metrics.

        Raises
        ------
        FolderError
            If it cannot be written; the file is then that of the epoch before.
        """
        values = {name: np.asarray(value).tolist() for name, value in (logs or {}).items()}
        self.epochs.append({"epoch": epoch + 1} | values)
        file = io.BytesIO()
        arrays: dict[str, Any] = self._state() | {"epochs": np.array(json.dumps(self.epochs))}
        np.savez(file, **arrays)
        content = file.getvalue()
        with replacing(self.path) as path:
            path.write_bytes(self._checksum(content) + content)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Give the History the epochs before the process was killed; remove the file.

        Parameters
        ----------
        logs : dict, optional
            Not used.
        """
        self.model._initial_epoch = None  # there may have been no epoch left
        before: dict[str, list[Any]] = {}
        for each in self.epochs[: self._restored]:
            for name, value in each.items():
                before.setdefault(name, []).append(value)
        history = self.model.history
        history.epoch = [epoch - 1 for epoch in before.pop("epoch", [])] + history.epoch
        history.history = {
            name: before.get(name, []) + history.history.get(name, [])
            for name in [*before, *history.history]
        }
        if not self.keep:
            self.path.unlink(missing_ok=True)

    def _variables(self) -> list[Any]:
        # `variables`, unlike `weights`, has the states of random generators.
        return [*self.model.variables, *self.model.optimizer.variables]

    def _state(self) -> State:
        return {f"v{n}": np.asarray(variable) for n, variable in enumerate(self._variables())}

    def _how_it_begins(self) -> bytes:
        """Sum up what makes a training the same, before its first epoch."""
        try:
            model = keras.saving.serialize_keras_object(self.model)
        except (NotImplementedError, TypeError, ValueError) as error:
            raise NnlossError(
                "Backup needs a model that Keras can describe",
                " ".join(str(error).split()).rstrip("."),
                "Give its layers a get_config",
            ) from error
        # Keras ends names with how many of a kind the process has made before.
        described = re.sub(r'_\d+"', '"', json.dumps(model, sort_keys=True, default=str))
        state = digest(*self._state().values())
        facts = [self.training, described, provenance.versions(), state, random.getstate()]
        return json.dumps(facts).encode()

    def _checksum(self, content: bytes) -> bytes:
        """Sum up the file and the begin of its training: it agrees in no other training."""
        return hashlib.sha256(self._begin + content).digest()

    def _read(self) -> tuple[State, list[dict[str, Any]]]:
        """Read the file, and check that it is whole and of this training."""
        rule = f"'{self.path.name}' must be a whole backup of this training"
        remedy = "The training begins anew"
        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise DataError(rule, f"the system says: {error.strerror}", remedy) from error
        if self._checksum(content[32:]) != content[:32]:
            raise DataError(rule, "it is damaged, or of a training that began otherwise", remedy)
        with np.load(io.BytesIO(content[32:]), allow_pickle=False) as arrays:
            state = dict(arrays)
        epochs = json.loads(str(state.pop("epochs")))
        trained, wanted = epochs[-1]["epoch"], self.params["epochs"]
        if trained > wanted:
            raise DataError(rule, f"it has {trained} epochs, and {wanted} are wanted", remedy)
        return state, epochs
