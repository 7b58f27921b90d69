"""Configurations of a sweep, units of work with some of their seeds, and outcomes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import pandas as pd

from nnloss.runs.record import RunRecord


@dataclass(frozen=True)
class Configuration:
    """Settings of a training without its seed; all its seeds are draws from one distribution.

    Editions of the course with the same settings share their configurations.

    Parameters
    ----------
    exercise : str
        As in a run record.
    loss : str or None
        Name of the training loss; None for the classical models, which have no seed.
    augment : bool or None
        Whether training images are augmented; None where there are no images.
    epochs, batch_size : int or None
        None for the classical models.
    quick : bool
        Whether the training is too short for its numbers to mean much.
    seeds_per_split : int or None
        Seed s is trained on random split ``s // seeds_per_split`` of the rows; None for the split
        of the course.

    Examples
    --------
    >>> from nnloss.reproduction import Configuration
    >>> Configuration("boston", "mean_squared_error", epochs=100, batch_size=32).name
    'mean_squared_error-batch-32-epochs-100'
    """

    exercise: str
    loss: str | None = None
    augment: bool | None = None
    epochs: int | None = None
    batch_size: int | None = None
    quick: bool = False
    seeds_per_split: int | None = None

    @classmethod
    def of(cls, record: RunRecord) -> Configuration:
        """Return the configuration of a run record of a sweep.

        Parameters
        ----------
        record : RunRecord
            Its fields of the same names are taken.

        Returns
        -------
        Configuration
            Settings of the run.
        """
        return cls(**{name: getattr(record, name) for name in cls.__dataclass_fields__})

    @property
    def name(self) -> str:
        """Name of the configuration's folder."""
        if self.loss is None:
            parts = ["classical"]
        else:
            parts = [self.loss, f"batch-{self.batch_size}", f"epochs-{self.epochs}"]
        parts += ["augmented"] * bool(self.augment)
        parts += ["splits"] * bool(self.seeds_per_split) + ["quick"] * self.quick
        return "-".join(parts)


@dataclass(frozen=True)
class Unit:
    """Part of a sweep that is run at once, and stored or lost as a whole.

    Parameters
    ----------
    configuration : Configuration
        Settings of the training.
    seeds : tuple of int
        Consecutive; empty for the classical models.

    Examples
    --------
    >>> from nnloss.reproduction import Configuration, Unit
    >>> mse = Configuration("boston", "mean_squared_error", epochs=100, batch_size=32)
    >>> print(Unit(mse, (0, 1, 2)).folder)
    boston/mean_squared_error-batch-32-epochs-100/seeds-0-2
    """

    configuration: Configuration
    seeds: tuple[int, ...] = ()

    @property
    def folder(self) -> PurePosixPath:
        """Unique folder of the unit, relative to the sweep's."""
        home = PurePosixPath(self.configuration.exercise, self.configuration.name)
        if not self.seeds:
            return home
        first, last = self.seeds[0], self.seeds[-1]
        return home / (f"seed-{first}" if first == last else f"seeds-{first}-{last}")

    @property
    def name(self) -> str:
        """The folder as a single name."""
        return "_".join(self.folder.parts)


@dataclass(frozen=True)
class Outcome:
    """Result of a unit.

    Parameters
    ----------
    record : RunRecord
        Its seeds are the unit's.
    tables : dict of str to DataFrame
        ``seeds`` (one row per seed: the values after the last epoch), ``curves`` (one row per seed
        and epoch) and, for classifiers, ``confusion`` (one row per seed, actual and predicted
        class). On random splits only ``splits``: one row per seed with its split.
    """

    record: RunRecord
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)


def units(
    configuration: Configuration, seeds: Sequence[int], done: Collection[int], size: int
) -> Iterator[Unit]:
    """Yield units of at most `size` consecutive seeds from those not done; `seeds` must ascend."""
    chunk: list[int] = []
    for seed in seeds:
        if chunk and (seed != chunk[-1] + 1 or len(chunk) == size or seed in done):
            yield Unit(configuration, tuple(chunk))
            chunk = []
        if seed not in done:
            chunk.append(seed)
    if chunk:
        yield Unit(configuration, tuple(chunk))
