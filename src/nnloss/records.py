"""What a run was and gave: `RunRecord`, and the folder that a `Run` owns."""

from __future__ import annotations

import json
import math
import os
import secrets
import time
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from nnloss import provenance
from nnloss.errors import DataError
from nnloss.files import create_folder, replacing, require_folder
from nnloss.results import add_row

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_ROW = (
    "id", "exercise", "edition", "seed", "quick", "status", "task", "activation", "loss",
    "parameters", "epochs", "batch_size", "seconds.fit",
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
    seconds : dict
        Wall time by phase.
    versions, machine : dict
        Libraries; processor, cores and threads.
    git_commit : str or None
        Of the checkout, if the package runs from one.
    data, split : dict
        Source and sha256; rows for training and test.
    task, activation, loss : str or None
        What `compile_for_task` chose.
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
    seconds: dict[str, float] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=dict)
    git_commit: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    split: dict[str, int | None] = field(default_factory=dict)
    task: str | None = None
    activation: str | None = None
    loss: str | None = None
    optimizer: dict[str, Any] = field(default_factory=dict)
    parameters: int | None = None
    epochs: int | None = None
    epochs_trained: int | None = None
    batch_size: int | None = None
    weights_sha256: str | None = None
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    baseline: dict[str, dict[str, float]] = field(default_factory=dict)
    published: list[dict[str, Any]] = field(default_factory=list)
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


class Run:
    """A run under way: its folder, and its record, which grows with the run.

    As a context manager it ends the record: ``finished``, ``interrupted`` (Ctrl-C) or ``failed``
    with the traceback; in each case the table of all runs gets its row.

    Parameters
    ----------
    out : Path
        The folder of all runs.
    record : RunRecord
        What is known at the start.

    See Also
    --------
    Run.start : Makes one.
    """

    def __init__(self, out: Path, record: RunRecord) -> None:
        self.out = out
        self.record = record
        self.folder = out / record.exercise / record.id
        self._began = time.perf_counter()

    @classmethod
    def start(cls, out: str | os.PathLike[str], exercise: str, **known: Any) -> Run:
        """Create the run's folder and the first state of its record.

        Parameters
        ----------
        out : path
            The folder of all runs; created if it is not there.
        exercise : str
            Name of the exercise or model.
        **known
            Fields of `RunRecord`.

        Returns
        -------
        Run
            With status ``running``.

        Raises
        ------
        OutputError
            If the folder cannot be written to.
        """
        out = Path(out)
        require_folder(out)
        now = datetime.now(UTC)
        record = RunRecord(
            id="",
            exercise=_file_name(exercise),
            command=provenance.command(),
            start=now.isoformat(timespec="seconds"),
            versions=provenance.versions(),
            machine=provenance.machine(),
            git_commit=provenance.git_commit(),
        )
        while True:
            run = cls(out, replace(record, id=f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"))
            try:
                create_folder(out, run.record.exercise, run.record.id)
            except FileExistsError:  # another run drew the same name in this second
                continue
            run.update(**known)
            return run

    def update(self, **known: Any) -> None:
        """Add to the record and write it.

        Parameters
        ----------
        **known
            Fields of `RunRecord`. Dictionaries are merged into what is there, other values
            replace it.
        """
        merged = {name: _merged(getattr(self.record, name), value) for name, value in known.items()}
        self.record = replace(self.record, **merged)
        with replacing(self.folder / "run.json") as path:
            text = json.dumps(_plain(asdict(self.record)), indent=2, ensure_ascii=False)
            path.write_text(text + "\n", encoding="utf-8")
        if self.record.status != "running":  # evaluate() may come after the end
            add_row(self.out / "results.csv", self.record.row())

    def save_table(self, name: str, table: pd.DataFrame) -> None:
        """Write a table as ``name.csv``.

        Parameters
        ----------
        name : str
            Without ending.
        table : pandas.DataFrame
            Its index is not written.
        """
        with replacing(self.folder / f"{name}.csv") as path:
            table.to_csv(path, index=False)

    def save_figure(self, name: str, figure: Figure) -> None:
        """Write a figure as ``name.png`` and ``name.svg``.

        Parameters
        ----------
        name : str
            Without ending.
        figure : matplotlib.figure.Figure
            The figure.
        """
        for ending, options in (("png", {"dpi": 150}), ("svg", {"metadata": {"Date": None}})):
            with replacing(self.folder / f"{name}.{ending}") as path:
                figure.savefig(path, **options)

    def save_model(self, model: Any) -> None:
        """Write a model as ``model.keras``.

        Parameters
        ----------
        model : keras.Model
            The model.
        """
        with replacing(self.folder / "model.keras") as path:
            model.save(path)

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        status = "finished"
        text = None
        if kind is not None:
            interrupted = issubclass(kind, KeyboardInterrupt)
            status = "interrupted" if interrupted else "failed"
            text = None if interrupted else "".join(traceback.format_exception(error))
        self.update(
            status=status,
            error=text,
            end=datetime.now(UTC).isoformat(timespec="seconds"),
            seconds={"total": time.perf_counter() - self._began},
        )


def _merged(old: Any, new: Any) -> Any:
    """Lay `new` over `old`, key by key."""
    if isinstance(old, dict) and isinstance(new, Mapping):
        return old | {key: _merged(old.get(key), value) for key, value in new.items()}
    return new


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _plain(value: Any) -> Any:
    """Types that JSON has. It has no NaN and no infinity: a diverged number is null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def _file_name(name: str) -> str:
    """Make a name that is one folder on every system."""
    kept = "".join(c if c.isalnum() or c in "-_" else "-" for c in name)
    return kept or "run"
