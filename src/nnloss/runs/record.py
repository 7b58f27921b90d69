"""`RunRecord`, the content of ``run.json``."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nnloss.errors import DataError

_ROW = (
    "id", "exercise", "edition", "seed", "quick", "status", "task", "activation", "loss",
    "augment", "parameters", "epochs", "batch_size", "seconds.fit",
)  # fmt: skip


@dataclass(frozen=True)
class RunRecord:
    """Settings and results of a run, stored in ``run.json``.

    Parameters
    ----------
    id : str
        Name of the run's folder, unique and in order of time.
    exercise : str
        Name of the exercise or model.
    status : {"running", "finished", "interrupted", "failed"}
        State of the run.
    command, start, end : str
        Command line; UTC times in ISO 8601.
    edition : int, str or None
        Edition of the course that the settings come from.
    quick : bool
        Whether the run was shortened, so that its numbers mean little.
    seed : int or None
        None if no seed was set.
    seeds : list of int
        Seeds of the networks in a unit of a sweep.
    seconds : dict
        Wall time by phase.
    versions, machine : dict
        Library versions; processor, cores, threads, peak memory of the process.
    git_commit : str or None
        Commit of the checkout, if the package runs from one.
    data, split : dict
        Source and sha256; number of training and test rows.
    task, activation, loss : str or None
        Choices of `compile_for_task`.
    seeds_per_split : int or None
        Number of seeds that share a random split of the rows; None for the fixed split.
    augment : bool or None
        Whether training images were augmented; None without images.
    augmentation : dict
        Settings of the augmentation; empty without one.
    optimizer : dict
        Configuration of the optimizer.
    parameters, epochs, epochs_trained, batch_size : int or None
        Of the network and its training.
    weights_sha256 : str or None
        Checksum of all weights: equal for two runs that agree bit for bit.
    metrics, baseline : dict
        Of the network by data set; of the classical model.
    published : list of dict
        The course's numbers, ours and the differences.
    claims : list of dict
        Numbers that an exercise claims to be equal, with their difference and the tolerance.
    figures : dict of str to str
        Caption by name of the figure's files, in the order in which they were drawn.
    notes : list of str
        Problems that did not end the run.
    error : str or None
        Traceback of a failed run.

    See Also
    --------
    Run : Write a record.

    Examples
    --------
    >>> from nnloss import RunRecord
    >>> record = RunRecord("20240101T120000-abc123", "boston", seed=0, epochs=100)
    >>> record.status, record.get("epochs"), record.get("metrics.test.loss")
    ('running', 100, None)
    """

    id: str
    exercise: str
    status: str = "running"
    command: str = ""
    start: str = ""
    end: str | None = None
    edition: int | str | None = None
    quick: bool = False
    seed: int | None = None
    seeds: list[int] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=dict)
    git_commit: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    split: dict[str, int | None] = field(default_factory=dict)
    task: str | None = None
    activation: str | None = None
    loss: str | None = None
    seeds_per_split: int | None = None
    augment: bool | None = None
    augmentation: dict[str, Any] = field(default_factory=dict)
    optimizer: dict[str, Any] = field(default_factory=dict)
    parameters: int | None = None
    epochs: int | None = None
    epochs_trained: int | None = None
    batch_size: int | None = None
    weights_sha256: str | None = None
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    baseline: dict[str, dict[str, float]] = field(default_factory=dict)
    published: list[dict[str, Any]] = field(default_factory=list)
    claims: list[dict[str, Any]] = field(default_factory=list)
    figures: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    error: str | None = None

    def get(self, path: str) -> Any:
        """Return a value by its path.

        Parameters
        ----------
        path : str
            Keys joined by dots, such as ``"metrics.test.mean_squared_error"``.

        Returns
        -------
        Any
            The value; None if there is none.
        """
        value: Any = asdict(self)
        for key in path.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    def row(self) -> dict[str, Any]:
        """Return the run's row of the table of all runs.

        Returns
        -------
        dict of str to str, int, float, bool or None
            Settings, times, and all metrics of the network and the classical model, by path.
        """
        settings = {path: self.get(path) for path in _ROW}
        numbers = dict(_flat({"metrics": self.metrics, "baseline": self.baseline}))
        return {path: _plain(value) for path, value in (settings | numbers).items()}

    def to_json(self) -> str:
        """Return the record as JSON.

        Returns
        -------
        str
            Indented, with null for NaN and infinity.
        """
        return json.dumps(_plain(asdict(self)), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def read(cls, path: Path) -> RunRecord:
        """Read a ``run.json``.

        Parameters
        ----------
        path : Path
            The file.

        Returns
        -------
        RunRecord
            The record in it.

        Raises
        ------
        DataError
            If the file is missing, damaged or not a record.
        """
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise DataError(
                f"'{path}' must be a run record", f"reading it gave: {error}", "Run it again"
            ) from error


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _plain(value: Any) -> Any:
    """Return a value in types that JSON has; NaN and infinity become None."""
    import numpy as np

    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
