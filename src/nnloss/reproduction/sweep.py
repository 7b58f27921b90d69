"""Sweep over seeds: finished units are kept, and the others are run here or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace

from nnloss.reproduction.cluster import run_on_cluster
from nnloss.reproduction.folder import SweepFolder
from nnloss.reproduction.local import Work, run_locally
from nnloss.reproduction.progress import SweepProgress
from nnloss.reproduction.units import Configuration, Unit, units
from nnloss.runs import provenance


def sweep(
    folder: SweepFolder,
    wanted: Mapping[Configuration, int],
    work: Work,
    *,
    size: Callable[[Configuration], int],
    cost: Callable[[Configuration], float],
    jobs: int = 1,
    scheduler: str | None = None,
) -> None:
    """Run the missing units of a sweep, and store their outcomes in the open folder.

    `wanted` maps each configuration to a number of seeds, from 0. `size` returns the largest number
    of seeds in a unit, `cost` the approximate seconds per seed. With a `scheduler`, the workers of
    that Dask cluster replace the `jobs` processes. Raise NnlossError if an outcome cannot be
    stored, a process was killed, or the cluster cannot be used; stored units are kept.
    """
    todo = missing(folder, wanted, size)
    if not todo:
        return
    # Longest first: otherwise the last unit may run alone while the other processes are idle.
    todo.sort(key=lambda unit: -seconds(unit, cost))
    # The classical models have one unit, however many seeds the networks have.
    everything = sum(cost(each) * (seeds if each.loss else 1) for each, seeds in wanted.items())
    done = (
        run_on_cluster(work, todo, folder.under_way, scheduler)
        if scheduler
        else run_locally(work, todo, folder.under_way, min(jobs, len(todo)))
    )
    estimates = {unit: seconds(unit, cost) for unit in todo}
    # Closing stops the workers, so that an error in storing a unit is raised at once.
    with closing(done), SweepProgress(estimates, everything, folder.under_way) as progress:
        for unit, outcome in done:
            record = replace(outcome.record, command=provenance.command())
            folder.keep(unit, replace(outcome, record=record))
            progress.finished(unit)


def missing(
    folder: SweepFolder, wanted: Mapping[Configuration, int], size: Callable[[Configuration], int]
) -> list[Unit]:
    """Return the units still to be run."""
    todo: list[Unit] = []
    for configuration, seeds in wanted.items():
        done = folder.done(configuration)
        if configuration.loss is None:
            todo += [] if done else [Unit(configuration)]
        else:
            there = {seed for unit in done for seed in unit.seeds}
            todo += units(configuration, range(seeds), there, size(configuration))
    return todo


def seconds(unit: Unit, cost: Callable[[Configuration], float]) -> float:
    """Return the estimated seconds of a unit."""
    return cost(unit.configuration) * max(1, len(unit.seeds))
