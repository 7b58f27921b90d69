"""Folder of a sweep: units of work are stored as a whole, and verified when they are read."""

from __future__ import annotations

import json
import logging
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from filelock import FileLock, Timeout

from nnloss._files import (
    create_folder,
    fsync_path,
    read_file,
    replacing,
    require_folder,
    set_aside,
)
from nnloss.course import cifar10
from nnloss.errors import DataError, FolderError
from nnloss.reproduction.units import Configuration, Outcome, Unit
from nnloss.reproduction.verification import KEYS, SUMS, file_of, sha256_of, verified
from nnloss.runs import provenance
from nnloss.runs.record import RunRecord

logger = logging.getLogger("nnloss")

#: Version of the files below; increase it when their meaning or the result of a seed changes.
FORMAT = 1
#: Libraries whose version may change the result of a seed.
_DECISIVE = ("python", "tensorflow", "keras", "numpy")


class SweepFolder:
    """Folder ``<out>/sweep`` with the finished units of a sweep.

    Each unit has a folder, which appears with all its files or not at all: ``run.json``, its tables
    as CSV, and ``SHA256SUMS``, which ``sha256sum --check`` reads.

    Parameters
    ----------
    out : Path
        Folder of all runs.

    Attributes
    ----------
    home : Path
        ``<out>/sweep``.
    under_way : Path
        Folder for backups and progress of unfinished units.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from nnloss.reproduction import Configuration, Outcome, SweepFolder, Unit
    >>> from nnloss import Run
    >>> classical = Configuration("boston")
    >>> with TemporaryDirectory() as out, SweepFolder(Path(out)).opened() as folder:
    ...     with Run.start(out, "boston") as run:
    ...         run.update(baseline={"linear_regression": {"mean_squared_error": 23.2}})
    ...     folder.keep(Unit(classical), Outcome(run.record))
    ...     [str(unit.folder) for unit in folder.done(classical)]
    ['boston/classical']
    """

    def __init__(self, out: Path) -> None:
        self.home = out / "sweep"
        self.under_way = self.home / "under-way"
        self._done: dict[Unit, Outcome] = {}

    @contextmanager
    def opened(self, *, fresh: bool = False) -> Iterator[SweepFolder]:
        """Lock the folder for this process, verify its units, and set damaged ones aside.

        Parameters
        ----------
        fresh : bool, default False
            Whether to set all existing results aside first.

        Yields
        ------
        SweepFolder
            The folder itself.

        Raises
        ------
        FolderError
            If the folder is not writable, another sweep uses it, or other versions wrote it.
        """
        require_folder(self.home)
        create_folder(self.home)
        lock = FileLock(self.home.parent / "sweep.lock")
        holder = self.home.parent / "sweep.holder"
        try:
            lock.acquire(timeout=0)
        except Timeout:
            by = holder.read_text(encoding="utf-8") if holder.exists() else "another process"
            raise FolderError(
                f"One sweep at a time may write to '{self.home}'",
                f"{by} is using it",
                "Wait until it has ended, or choose another folder",
            ) from None
        try:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            with replacing(holder) as path:
                path.write_text(f"process {os.getpid()}, since {now},", encoding="utf-8")
            if fresh and any(self.home.iterdir()):
                logger.info("The previous results are now in %s", set_aside(self.home))
            create_folder(self.under_way)
            self._require_format()
            self._read()
            yield self
        finally:
            holder.unlink(missing_ok=True)
            lock.release()

    def done(self, configuration: Configuration) -> list[Unit]:
        """Return the stored units of a configuration.

        Parameters
        ----------
        configuration : Configuration
            Settings of the training.

        Returns
        -------
        list of Unit
            Sorted by seeds.
        """
        return [unit for unit in self._units() if unit.configuration == configuration]

    def records(self, *, quick: bool) -> list[RunRecord]:
        """Return the records of all units.

        Parameters
        ----------
        quick : bool
            Whether to return those of quick units or of full ones.

        Returns
        -------
        list of RunRecord
            Sorted by exercise, configuration and seeds.
        """
        return [
            self._done[unit].record for unit in self._units() if unit.configuration.quick == quick
        ]

    def keep(self, unit: Unit, outcome: Outcome) -> None:
        """Store the outcome of a unit.

        Parameters
        ----------
        unit : Unit
            What was run.
        outcome : Outcome
            Its record and its tables.

        Raises
        ------
        FolderError
            If it cannot be written, or other versions than the sweep's produced it.
        DataError
            If one of its seeds is already stored.
        """
        self._require_same(outcome.record)
        folder = self.home / unit.folder
        self._require_new(unit)
        temporary = self.under_way / f"{unit.name}.{secrets.token_hex(4)}.unfinished"
        try:
            create_folder(temporary)
            with replacing(temporary / "run.json") as path:
                path.write_text(outcome.record.to_json(), encoding="utf-8")
            for name, table in outcome.tables.items():
                with replacing(temporary / file_of(name)) as path:
                    _write(table, name, path)
            sums = "".join(f"{sha256_of(p)}  {p.name}\n" for p in sorted(temporary.iterdir()))
            with replacing(temporary / SUMS) as path:
                path.write_text(sums, encoding="utf-8")
            self._make_room(folder)
            create_folder(folder.parent)
            try:
                temporary.rename(folder)
                fsync_path(folder.parent)
            except OSError as error:
                raise FolderError(
                    f"'{folder}' must be written",
                    f"the system reports: {error.strerror}",
                    "Make room there, or choose another folder",
                ) from error
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        self._add(folder)  # as the next process will read it
        for left in ("backup", "share", "lock"):
            (self.under_way / f"{unit.name}.{left}").unlink(missing_ok=True)

    def table(self, name: str, *, quick: bool) -> pd.DataFrame:
        """Return a table of all units.

        Parameters
        ----------
        name : {"seeds", "curves", "confusion", "splits"}
            Name of the table, as in `Outcome`.
        quick : bool
            Whether to take quick units or full ones.

        Returns
        -------
        DataFrame
            Columns of the configuration come first; "seeds" also has ``folder``, relative to the
            folder of all runs.
        """
        parts = []
        for unit in self._units():
            tables = self._done[unit].tables
            if unit.configuration.quick != quick or name not in tables:
                continue
            part = tables[name].copy()
            for place, key in enumerate(KEYS):
                part.insert(place, key, getattr(unit.configuration, key))
            part["augment"] = part["augment"].astype(object)
            if name == "seeds":
                part.insert(len(KEYS) + 1, "folder", f"{self.home.name}/{unit.folder}")
            parts.append(part)
        if not parts:
            return pd.DataFrame(columns=[*KEYS, "seed"])
        return pd.concat(parts, ignore_index=True)

    def _units(self) -> list[Unit]:
        return sorted(
            self._done,
            key=lambda unit: (unit.configuration.exercise, unit.configuration.name, unit.seeds),
        )

    def _require_format(self) -> None:
        """Raise an error if the folder has another format; mark a new folder."""
        file = self.home / "sweep.json"
        rule = f"'{self.home}' must be a sweep in format {FORMAT}, or new"
        remedy = "Choose another --out, or start afresh with --fresh"
        if file.exists():
            try:
                found = json.loads(read_file(file))["format"]
            except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
                raise FolderError(rule, f"'{file.name}' cannot be read: {error}", remedy) from error
            if found != FORMAT:
                raise FolderError(rule, f"found format {found}", remedy)
            return
        strangers = [path.name for path in self.home.iterdir() if path != self.under_way]
        if strangers:
            raise FolderError(rule, f"found '{strangers[0]}' and no sweep.json", remedy)
        with replacing(file) as path:
            path.write_text(json.dumps({"format": FORMAT}) + "\n", encoding="utf-8")

    def _require_same(self, record: RunRecord) -> None:
        """Raise an error for a run of other versions or with another augmentation than here."""
        if record.augment and record.augmentation != cifar10.AUGMENTATION:
            raise FolderError(
                "A sweep must go on with the augmentation that it began with",
                f"run '{record.id}' was augmented by {record.augmentation or 'other layers'}, here "
                f"it is {cifar10.AUGMENTATION}",
                "Choose another --out, or start afresh with --fresh",
            )
        here = provenance.versions()
        for name in _DECISIVE:
            if record.versions.get(name) != here.get(name):
                raise FolderError(
                    "A sweep must go on with the versions that it began with",
                    f"run '{record.id}' was made with {name} {record.versions.get(name)}, "
                    f"here is {here.get(name)}",
                    "Install that version, choose another --out, or start afresh with --fresh",
                )

    def read_only(self) -> None:
        """Read and verify the units, written by any version, without changing the folder.

        Raises
        ------
        DataError
            If a unit is damaged.
        """
        self._done = {}
        for folder in self._folders():
            self._add(folder)

    def _add(self, folder: Path) -> None:
        unit, outcome = verified(folder, self.home)
        self._require_new(unit)
        self._done[unit] = outcome

    def _folders(self) -> list[Path]:
        """Return the folders of units, without those set aside."""
        found = [
            path.parent
            # Those of the classical models are <exercise>/<configuration>, others have <seeds> too.
            for depth in ("*/*", "*/*/*")
            for name in (SUMS, "run.json")
            for path in self.home.glob(f"{depth}/{name}")
            if ".aside-" not in str(path.relative_to(self.home))
        ]
        above = {folder.parent for folder in found}  # where such a file is a stranger
        return sorted({*found} - above)

    def _read(self) -> None:
        """Verify every unit, and set damaged ones aside."""
        self._done = {}
        for leftover in self.under_way.glob("*.unfinished"):
            if leftover.is_dir():
                shutil.rmtree(leftover)
        for folder in self._folders():
            try:
                self._add(folder)
            except DataError as error:
                logger.warning("%s It was set aside as %s.", error, set_aside(folder).name)
        for outcome in self._done.values():
            self._require_same(outcome.record)

    def _make_room(self, folder: Path) -> None:
        """Set aside what is not a unit's and stands where its folder must be."""
        parents = [each for each in folder.parents if self.home in each.parents]
        blocked = [each for each in parents if os.path.lexists(each) and not each.is_dir()]
        if os.path.lexists(folder):
            blocked.append(folder)
        for each in blocked:
            logger.warning("'%s' was not a run: set aside as %s", each, set_aside(each).name)

    def _require_new(self, unit: Unit) -> None:
        """Raise an error if a seed of the unit is already stored: it would be counted twice."""
        there = {seed for each in self.done(unit.configuration) for seed in each.seeds}
        twice = there.intersection(unit.seeds)
        if twice:
            raise DataError(
                f"The run in '{unit.folder}' must have seeds that no other has",
                f"seed {min(twice)} is in another one too",
                "It is not needed",
            )


def _write(table: pd.DataFrame, name: str, path: Path) -> None:
    """Write a table, curves with four significant digits, which is enough for a figure."""
    if name == "curves":
        gzip = {"method": "gzip", "mtime": 0}
        table.to_csv(path, index=False, float_format="%.4g", compression=gzip)
    else:
        table.to_csv(path, index=False)
