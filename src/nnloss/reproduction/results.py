"""Tables of a sweep, with everything that is judged by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from nnloss.course.published import EDITIONS, Edition
from nnloss.reproduction import comparisons, printed, splits, verdicts
from nnloss.reproduction.folder import SweepFolder
from nnloss.runs.record import RunRecord

#: Tables that units leave.
TABLES = ("seeds", "curves", "confusion", "splits")
#: Tables of what is judged.
JUDGED = ("verdicts", "logs", "matrices", "comparisons", "split_comparisons")


@dataclass(frozen=True)
class Results:
    """Results of a sweep. Each table may be empty, and may then lack columns.

    Parameters
    ----------
    seeds : DataFrame
        One row per configuration and seed: ``exercise``, ``loss``, ``augment``, ``epochs``,
        ``batch_size``, ``seed``, ``diverged``, ``folder`` (relative to the folder of all runs),
        ``train_loss`` and the metrics of the last epoch.
    curves : DataFrame
        The same by ``epoch``, without ``folder``.
    confusion : DataFrame
        ``count`` by configuration, ``seed``, ``actual`` and ``predicted`` class.
    splits : DataFrame
        As `seeds`, on random splits, with the number of the ``split``.
    classical : mapping
        Results by exercise, classical model and metric.
    records : sequence of RunRecord
        One per unit.
    printed_logs : mapping
        Training logs of the course and ours, by exercise and edition.
    verdicts : DataFrame
        Result of `nnloss.reproduction.verdicts.verdicts`.
    logs, matrices : DataFrame
        Verdicts on the printed training logs and confusion matrices.
    comparisons : DataFrame
        Result of `nnloss.reproduction.comparisons.compare`.
    split_comparisons : DataFrame
        The same over random splits.
    """

    seeds: pd.DataFrame
    curves: pd.DataFrame
    confusion: pd.DataFrame
    splits: pd.DataFrame
    classical: Mapping[str, Mapping[str, Mapping[str, float]]]
    records: Sequence[RunRecord]
    printed_logs: Mapping[tuple[str, Edition], printed.Log]
    verdicts: pd.DataFrame
    logs: pd.DataFrame
    matrices: pd.DataFrame
    comparisons: pd.DataFrame
    split_comparisons: pd.DataFrame

    @property
    def trainings(self) -> int:
        """Number of trained networks."""
        return len(self.seeds) + len(self.splits)

    @classmethod
    def of(
        cls,
        tables: Mapping[str, pd.DataFrame],
        classical: Mapping[str, Mapping[str, Mapping[str, float]]],
        records: Sequence[RunRecord] = (),
        *,
        editions: Iterable[Edition] = EDITIONS,
    ) -> Results:
        """Judge the course by tables of a sweep.

        Parameters
        ----------
        tables : mapping of str to DataFrame
            Tables by name, as in `Outcome`; a missing one is empty.
        classical : mapping
            Results by exercise, classical model and metric.
        records : sequence of RunRecord, optional
            One per unit.
        editions : iterable of int or str, optional
            Editions of the course; all by default.

        Returns
        -------
        Results
            Tables and verdicts.
        """
        editions = tuple(editions)
        given = {name: tables.get(name, pd.DataFrame()) for name in TABLES}
        seeds, logs = given["seeds"], printed.logs(given["curves"], editions)
        return cls(
            **given,
            classical=classical,
            records=records,
            printed_logs=logs,
            verdicts=verdicts.verdicts(seeds, classical, editions=editions),
            logs=printed.log_verdicts(logs),
            matrices=printed.matrix_verdicts(given["confusion"], editions),
            comparisons=comparisons.compare(seeds, editions=editions),
            split_comparisons=splits.compare_splits(given["splits"], seeds, editions=editions),
        )

    @classmethod
    def read(cls, folder: SweepFolder, editions: Iterable[Edition], *, quick: bool) -> Results:
        """Judge the course by the units in an open folder.

        Parameters
        ----------
        folder : SweepFolder
            Folder that is open or was read.
        editions : iterable of int or str
            Editions of the course.
        quick : bool
            Whether to take quick units or full ones.

        Returns
        -------
        Results
            Tables and verdicts.
        """
        records = folder.records(quick=quick)
        tables = {name: folder.table(name, quick=quick) for name in TABLES}
        classical = {record.exercise: record.baseline for record in records if record.baseline}
        return cls.of(tables, classical, records, editions=editions)
