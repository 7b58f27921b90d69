"""A sweep over seeds: what is done is kept, the rest is done, whoever does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace

from nnloss.reproduction.cluster import on_a_cluster
from nnloss.reproduction.folder import SweepFolder
from nnloss.reproduction.local import Work, on_this_machine
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
    """Do what of a sweep is not done.

    Parameters
    ----------
    folder : SweepFolder
        Opened.
    wanted : mapping of Configuration to int
        How many seeds, from 0; the classical models have none.
    work : callable
        Does a unit; see `nnloss.reproduction.local.Work`.
    size : callable
        Seeds in a unit of a configuration, at most.
    cost : callable
        About how many seconds a seed of a configuration takes; only the ratios count.
    jobs : int, default 1
        Processes of this machine.
    scheduler : str, optional
        Address of a Dask scheduler, whose workers do it instead.

    Raises
    ------
    NnlossError
        If a result cannot be kept, a process was killed, or the cluster cannot be used. What is
        done is kept.
    """
    todo = missing(folder, wanted, size)
    if not todo:
        return
    # The longest first: else the last one may run alone while the other processes have nothing.
    todo.sort(key=lambda unit: -seconds(unit, cost))
    # The classical models have one unit, however many seeds the networks have.
    everything = sum(cost(each) * (seeds if each.loss else 1) for each, seeds in wanted.items())
    done = (
        on_a_cluster(work, todo, folder.under_way, scheduler)
        if scheduler
        else on_this_machine(work, todo, folder.under_way, min(jobs, len(todo)))
    )
    estimates = {unit: seconds(unit, cost) for unit in todo}
    # Closed, the workers stop: the error that a unit cannot be kept does not wait for them.
    with closing(done), SweepProgress(estimates, everything, folder.under_way) as progress:
        for unit, outcome in done:
            record = replace(outcome.record, command=provenance.command())
            folder.keep(unit, replace(outcome, record=record))
            progress.finished(unit)


def missing(
    folder: SweepFolder, wanted: Mapping[Configuration, int], size: Callable[[Configuration], int]
) -> list[Unit]:
    """List the units that are to be done.

    Parameters
    ----------
    folder, wanted, size
        As for `sweep`.

    Returns
    -------
    list of Unit
        None of whose seeds is there.
    """
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
    """Estimate how long a unit takes.

    Parameters
    ----------
    unit : Unit
        Any.
    cost : callable
        As for `sweep`.

    Returns
    -------
    float
        Cost of a seed, times its seeds.
    """
    return cost(unit.configuration) * max(1, len(unit.seeds))
