"""Callback that resumes an interrupted training from its last epoch, bit for bit."""

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

from nnloss._files import (
    digest,
    read_file,
    remove_unfinished,
    replacing,
    require_folder,
    set_aside,
)
from nnloss._tensorflow import keras
from nnloss.errors import DataError, NnlossError
from nnloss.runs import provenance

logger = logging.getLogger("nnloss")

State = dict[str, NDArray[Any]]


class Backup(keras.callbacks.Callback):
    """Keras callback that saves the state of a training after each epoch and restores it.

    The file holds the weights, the states of the optimizer and of the layers' random generators,
    and the values of all epochs. Calling ``fit`` again, on a model built in the same way after the
    same `set_seed`, resumes from there and ends with the same weights as an uninterrupted run.
    This works because a `TaskModel` shuffles its rows by seed and epoch alone, and augmentation and
    dropout use the layers' generators. `keras.callbacks.BackupAndRestore` omits the generators and
    writes two files, so that a process killed between them leaves them inconsistent.

    Parameters
    ----------
    path : path
        File, used by one training at a time. Its folder is created.
    training : str
        Description of what the model does not show, such as data and batch size.
    keep : bool, default False
        Keep the file after the training. Delete it once the results are saved, so that no process
        killed in between loses the training. Until then ``fit`` returns the trained model without
        training.

    Attributes
    ----------
    epochs : list of dict
        ``epoch``, from 1, and its values, for all epochs, including those before an interruption.
        The History returned by ``fit`` contains them too.

    Notes
    -----
    The file is used only if ``fit`` starts from the same state: `training`, model, loss, optimizer,
    library versions, initial weights, and the state of Python's random generator, which seeds the
    shuffling. Otherwise, or if the file is damaged, it is renamed with a warning and training
    starts afresh. Without `set_seed` no two trainings start from the same state. A folder that
    cannot be written raises `FolderError`, a model that Keras cannot describe `NnlossError`.

    Put this callback last, so that it saves what the others have changed. A resumed training may
    end with other weights if it uses callbacks that remember earlier epochs (``EarlyStopping``,
    ``ReduceLROnPlateau``), random numbers from elsewhere than a layer's
    `keras.random.SeedGenerator`, or a dataset or generator with its own order. These start afresh.

    Examples
    --------
    A training that ended after two epochs goes on in the third:

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import keras
    >>> import numpy as np
    >>> from nnloss import REGRESSION, Backup, compile_for_task, set_seed
    >>> def fitted(epochs, path):
    ...     set_seed(0)
    ...     body = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2, "relu")])
    ...     model, backup = compile_for_task(body, REGRESSION), Backup(path, keep=True)
    ...     data = np.ones((32, 1)), np.ones(32)
    ...     return model.fit(*data, epochs=epochs, verbose=0, callbacks=[backup]).epoch
    >>> with TemporaryDirectory() as folder:
    ...     fitted(2, Path(folder) / "backup")
    ...     fitted(3, Path(folder) / "backup")
    [0, 1]
    [0, 1, 2]
    """

    #: Uses no batch hooks, so several steps may run at once.
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
        """Restore the saved state, if any.

        Raises
        ------
        FolderError
            If the file's folder is not writable.
        """
        require_folder(self.path.parent)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        remove_unfinished(self.path)
        if not self.model.optimizer.built:
            self.model.optimizer.build(self.model.trainable_variables)
        self._begin = self._fingerprint()
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
        """Clear the restored epoch, so that a later `fit` starts at its `initial_epoch`."""
        self.model._initial_epoch = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Save the state.

        Raises
        ------
        FolderError
            If writing fails. The file of the previous epoch is then left in place.
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
        """Add the epochs before the interruption to the History; delete the file."""
        self.model._initial_epoch = None  # there may have been no epochs left
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
        # Unlike `weights`, `variables` includes the states of random generators.
        return [*self.model.variables, *self.model.optimizer.variables]

    def _state(self) -> State:
        return {f"v{n}": np.asarray(variable) for n, variable in enumerate(self._variables())}

    def _fingerprint(self) -> bytes:
        """Return a description of the initial state, which identifies the training."""
        try:
            model = keras.saving.serialize_keras_object(self.model)
        except (NotImplementedError, TypeError, ValueError) as error:
            raise NnlossError(
                "Backup needs a model that Keras can describe",
                " ".join(str(error).split()).rstrip("."),
                "Give its layers a get_config",
            ) from error
        # Keras numbers the names of layers by how many the process has created.
        described = re.sub(r'_\d+"', '"', json.dumps(model, sort_keys=True, default=str))
        state = digest(*self._state().values())
        facts = [self.training, described, provenance.versions(), state, random.getstate()]
        return json.dumps(facts).encode()

    def _checksum(self, content: bytes) -> bytes:
        """Return a checksum of the file and the training it belongs to."""
        return hashlib.sha256(self._begin + content).digest()

    def _read(self) -> tuple[State, list[dict[str, Any]]]:
        """Read the file and check that it is intact and belongs to this training."""
        rule = f"'{self.path.name}' must be an intact backup of this training"
        remedy = "The training starts afresh"
        try:
            content = read_file(self.path)
        except OSError as error:
            raise DataError(rule, f"the system reports: {error.strerror}", remedy) from error
        if self._checksum(content[32:]) != content[:32]:
            raise DataError(rule, "it is damaged, or from another training", remedy)
        with np.load(io.BytesIO(content[32:]), allow_pickle=False) as arrays:
            state = dict(arrays)
        epochs = json.loads(str(state.pop("epochs")))
        trained, wanted = epochs[-1]["epoch"], self.params["epochs"]
        if trained > wanted:
            raise DataError(rule, f"it has {trained} epochs, and {wanted} are wanted", remedy)
        return state, epochs
