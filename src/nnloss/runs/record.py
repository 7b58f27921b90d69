"""What a run was and gave: `RunRecord`, the content of ``run.json``."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nnloss.errors import DataError

_ROW = (
    "id", "exercise", "edition", "seed", "quick", "status", "task", "activation", "loss",
    "augment", "parameters", "epochs", "batch_size", "seconds.fit",
)  # fmt: skip


@dataclass(frozen=True)
class RunRecord:
    """Everything that one run was and gave; ``run.json`` holds it.

    Parameters
    ----------
    id : str
        Name of the run's folder, unique and in order of time.
    exercise : str
        Name of the exercise, or of the model.
    status : {"running", "finished", "interrupted", "failed"}
        How far it came.
    command, start, end : str
        What was typed; UTC times in ISO 8601.
    edition : int or None
        Edition of the course whose settings were used.
    quick : bool
        Whether it was a short run, whose numbers mean little.
    seed : int or None
        None if none was set.
    seeds : list of int
        Of a unit of a sweep, which may train many networks.
    seconds : dict
        Wall time by phase.
    versions, machine : dict
        Libraries; processor, cores, threads, and the most memory that the process has held.
    git_commit : str or None
        Of the checkout, if the package runs from one.
    data, split : dict
        Source and sha256; rows for training and test.
    task, activation, loss : str or None
        What `compile_for_task` chose.
    augment : bool or None
        Whether training images were augmented; None where there are no images.
    optimizer : dict
        Its configuration.
    parameters, epochs, epochs_trained, batch_size : int or None
        Of the network and its training.
    weights_sha256 : str or None
        Of all weights: two runs that agree here are the same bit for bit.
    metrics, baseline : dict
        Of the network by data set; of the classical model.
    published : list of dict
        The course's number, ours and the difference.
    claims : list of dict
        What an exercise claims to be the same: both numbers, their difference, the tolerance.
    notes : list of str
        What went wrong without ending the run.
    error : str or None
        Traceback of a failed run.
    """

    id: str
    exercise: str
    status: str = "running"
    command: str = ""
    start: str = ""
    end: str | None = None
    edition: int | None = None
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
    augment: bool | None = None
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
    notes: list[str] = field(default_factory=list)
    error: str | None = None

    def get(self, path: str) -> Any:
        """Look a value up by its dotted path, such as ``"metrics.test.mean_squared_error"``.

        Parameters
        ----------
        path : str
            Keys, joined with dots.

        Returns
        -------
        any
            None if there is no such value.
        """
        value: Any = asdict(self)
        for key in path.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    def row(self) -> dict[str, Any]:
        """Make the row of the results table, its columns named by dotted paths.

        Returns
        -------
        dict of str to scalar
            Settings, time, and all metrics of network and classical model.
        """
        settings = {path: self.get(path) for path in _ROW}
        numbers = dict(_flat({"metrics": self.metrics, "baseline": self.baseline}))
        return {path: _plain(value) for path, value in (settings | numbers).items()}

    def to_json(self) -> str:
        """Write the record as JSON.

        Returns
        -------
        str
            A number that is NaN or infinite is null there, since JSON has neither.
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
            As it was written.

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
    """Turn a value into types that JSON has, a diverged number into null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
