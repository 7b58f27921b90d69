"""What a sweep consists of: configurations, and units of work with some of their seeds."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import pandas as pd

from nnloss.runs.record import RunRecord


@dataclass(frozen=True)
class Configuration:
    """A training but for its seed; all seeds of it are draws from one distribution.

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
        Of the training.
    quick : bool
        Whether it is a short one, whose numbers mean little.
    """

    exercise: str
    loss: str | None = None
    augment: bool | None = None
    epochs: int | None = None
    batch_size: int | None = None
    quick: bool = False

    @classmethod
    def of(cls, record: RunRecord) -> Configuration:
        """Read the configuration of a run.

        Parameters
        ----------
        record : RunRecord
            Of a run of a sweep.

        Returns
        -------
        Configuration
            The run's.
        """
        return cls(**{name: getattr(record, name) for name in cls.__dataclass_fields__})

    @property
    def name(self) -> str:
        """Name of its folder."""
        if self.loss is None:
            parts = ["classical"]
        else:
            parts = [self.loss, f"batch-{self.batch_size}", f"epochs-{self.epochs}"]
        parts += ["augmented"] * bool(self.augment) + ["quick"] * self.quick
        return "-".join(parts)


@dataclass(frozen=True)
class Unit:
    """A piece of a sweep that is done at once, and kept or lost as a whole.

    Parameters
    ----------
    configuration : Configuration
        What is trained.
    seeds : tuple of int
        From which seeds, one after another without a gap; none for the classical models.
    """

    configuration: Configuration
    seeds: tuple[int, ...] = ()

    @property
    def folder(self) -> PurePosixPath:
        """Folder of what it leaves, relative to the sweep's; no other unit has it."""
        home = PurePosixPath(self.configuration.exercise, self.configuration.name)
        if not self.seeds:
            return home
        first, last = self.seeds[0], self.seeds[-1]
        return home / (f"seed-{first}" if first == last else f"seeds-{first}-{last}")

    @property
    def name(self) -> str:
        """The folder, as one name."""
        return "_".join(self.folder.parts)


@dataclass(frozen=True)
class Outcome:
    """What a unit gave.

    Parameters
    ----------
    record : RunRecord
        How it was done; its `seeds` are the unit's.
    tables : dict of str to DataFrame
        ``seeds`` (a row a seed: the values after the last epoch), ``curves`` (a row a seed and
        epoch) and ``confusion`` (a row a seed, actual and predicted class) where there is one.
    """

    record: RunRecord
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)


def units(
    configuration: Configuration, seeds: Sequence[int], done: Collection[int], size: int
) -> Iterator[Unit]:
    """Cut the seeds that are not done into units.

    Parameters
    ----------
    configuration : Configuration
        What is trained; without a loss there are no seeds, and one unit.
    seeds : sequence of int
        All that are wanted, ascending.
    done : collection of int
        Those that are there.
    size : int
        Seeds in a unit, at most.

    Yields
    ------
    Unit
        Seeds without a gap.
    """
    chunk: list[int] = []
    for seed in seeds:
        if chunk and (seed != chunk[-1] + 1 or len(chunk) == size or seed in done):
            yield Unit(configuration, tuple(chunk))
            chunk = []
        if seed not in done:
            chunk.append(seed)
    if chunk:
        yield Unit(configuration, tuple(chunk))
