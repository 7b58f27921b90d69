"""Run in progress: creates its folder, and writes its record, tables, figures and model."""

from __future__ import annotations

import logging
import os
import secrets
import time
import traceback
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnloss._files import create_folder, replacing, require_folder
from nnloss.runs import provenance
from nnloss.runs.record import RunRecord
from nnloss.runs.results import add_row, read_rows

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

logger = logging.getLogger("nnloss")


class Run:
    """Run in progress, with its folder and record.

    Leaving the context sets the status to ``finished``, ``interrupted`` (Ctrl-C) or ``failed``
    (with the traceback) and adds the run to the table of all runs.

    Parameters
    ----------
    out : Path
        Folder of all runs.
    record : RunRecord
        Initial record.

    Attributes
    ----------
    folder : Path
        Folder of the run, ``<out>/<exercise>/<id>``.

    See Also
    --------
    Run.start : Create a run.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from nnloss import Run, RunRecord
    >>> with TemporaryDirectory() as out:
    ...     with Run.start(out, "boston", seed=0) as run:
    ...         run.update(metrics={"test": {"mean_squared_error": 21.9}})
    ...     record = RunRecord.read(run.folder / "run.json")
    >>> record.status, record.get("metrics.test.mean_squared_error")
    ('finished', 21.9)
    """

    def __init__(self, out: Path, record: RunRecord) -> None:
        self.out = out
        self.record = record
        self.folder = out / record.exercise / record.id
        self._began = time.perf_counter()

    @classmethod
    def start(cls, out: str | os.PathLike[str], exercise: str, **known: Any) -> Run:
        """Create a run with its folder, its record and status ``running``.

        Parameters
        ----------
        out : path
            Folder of all runs; created if missing.
        exercise : str
            Name of the exercise or model.
        **known
            Fields of `RunRecord`.

        Returns
        -------
        Run
            To be used as a context.

        Raises
        ------
        FolderError
            If the folder is not writable, or its ``results.csv`` is not a table of runs.
        """
        out = Path(out)
        require_folder(out)
        read_rows(out / "results.csv")
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
                create_folder(out, run.record.exercise, run.record.id, exist_ok=False)
            except FileExistsError:  # another run drew the same name in this second
                continue
            run.update(**known)
            return run

    def update(self, **known: Any) -> None:
        """Update fields of the record and write it.

        Parameters
        ----------
        **known
            Fields of `RunRecord`. Dictionaries are merged with the existing ones; other values are
            replaced.
        """
        self._write(**known)
        if self.record.status != "running":  # evaluate() may follow the end
            add_row(self.out / "results.csv", self.record.row())

    def save_table(self, name: str, table: pd.DataFrame) -> None:
        """Write a table as a CSV file, without its index.

        Parameters
        ----------
        name : str
            Name of the file, without its ending.
        table : DataFrame
            Table to write.
        """
        with replacing(self.folder / f"{name}.csv") as path:
            table.to_csv(path, index=False)

    def save_figure(self, name: str, figure: Figure, caption: str) -> None:
        """Write a figure as PNG and SVG files, and its caption into the record.

        Parameters
        ----------
        name : str
            Name of the files, without their ending.
        figure : Figure
            Figure to write.
        caption : str
            What it shows.
        """
        layout = figure.get_layout_engine()
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # else each file computes it again
        for ending, options in (("png", {"dpi": 150}), ("svg", {"metadata": {"Date": None}})):
            with replacing(self.folder / f"{name}.{ending}") as path:
                figure.savefig(path, **options)
        figure.set_layout_engine(layout)
        self._write(figures={name: caption})  # which are not in the table of runs

    def save_model(self, model: Any) -> None:
        """Write a model as ``model.keras``.

        Parameters
        ----------
        model : keras.Model
            Model to write.
        """
        with replacing(self.folder / "model.keras") as path:
            model.save(path)

    def _write(self, **known: Any) -> None:
        """Update fields of the record and write it, but not its row of the table."""
        merged = {name: _merged(getattr(self.record, name), value) for name, value in known.items()}
        self.record = replace(self.record, **merged)
        with replacing(self.folder / "run.json") as path:
            path.write_text(self.record.to_json(), encoding="utf-8")

    def __enter__(self) -> Run:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        status = "finished"
        text = None
        if kind is not None:
            interrupted = issubclass(kind, KeyboardInterrupt)
            status = "interrupted" if interrupted else "failed"
            text = None if interrupted else "".join(traceback.format_exception(error))
            logger.info("Run %s; partial results are in %s", status, self.folder)
        self.update(
            status=status,
            error=text,
            end=datetime.now(UTC).isoformat(timespec="seconds"),
            seconds={"total": time.perf_counter() - self._began},
            machine={"peak_memory_MB": provenance.peak_memory()},
        )


def _merged(old: Any, new: Any) -> Any:
    """Return `old` updated with `new`, recursively."""
    if isinstance(old, dict) and isinstance(new, Mapping):
        return old | {key: _merged(old.get(key), value) for key, value in new.items()}
    return new


def _file_name(name: str) -> str:
    """Return a name, cut to 100 bytes, that is valid as one folder on every system."""
    kept = "".join(c if c.isalnum() or c in "-_" else "-" for c in name)
    return kept.encode()[:100].decode(errors="ignore") or "run"
