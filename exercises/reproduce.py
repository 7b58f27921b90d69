"""Do the published numbers hold? All exercises from many seeds, and a verdict on each number."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from exercises import commandline as cli
from exercises import experiments
from exercises.display import paragraph
from nnloss import provenance
from nnloss.sweepfolder import SweepFolder
from nnloss.sweeps import sweep

Exercise = Annotated[
    Literal["boston", "cifar10", "wafer", "all"], cli.option("Which exercise's numbers.")
]
Editions = Annotated[
    Literal["2023", "2024", "both"], cli.option("Edition of the course: its settings and numbers.")
]
Seeds = Annotated[
    int | None,
    cli.option(
        "Seeds of each network. Default: 1000 for Boston, 40 for Wafer, 5 for CIFAR-10.",
        "N",
        cli.whole_number(1, 2**32),
    ),
]
Jobs = Annotated[
    int | None,
    cli.option(
        "Processes on this machine, of up to 2.5 GB each. Default: one for each core.",
        "J",
        cli.whole_number(1, 1024),
    ),
]
Scheduler = Annotated[
    str | None,
    cli.option("A Dask scheduler, whose workers train instead of this machine.", "ADDRESS"),
]
Resume = Annotated[
    bool,
    cli.typer.Option(
        "--resume/--fresh",
        help="Go on with what is there, or set it aside and begin anew.",
    ),
]


def main(
    exercise: Exercise = "all",
    edition: Editions = "both",
    seeds: Seeds = None,
    jobs: Jobs = None,
    scheduler: Scheduler = None,
    out: cli.Out = Path("runs"),
    data_dir: cli.DataDir = None,
    resume: Resume = True,
    quick: cli.Quick = False,
) -> None:
    """Train every network from many seeds, and judge the published numbers by them."""
    names = list(experiments.SEEDS) if exercise == "all" else [exercise]
    editions = (2023, 2024) if edition == "both" else (int(edition),)
    default = experiments.QUICK_SEEDS if quick else experiments.SEEDS
    wanted = {
        each: seeds or default[each.exercise]
        for each in experiments.configurations(names, editions, quick=quick)
    }
    folder = SweepFolder(out)
    with folder.opened(fresh=not resume):
        sweep(
            folder,
            wanted,
            partial(experiments.experiment, data_dir=data_dir and data_dir.absolute()),
            size=lambda each: experiments.SEEDS_IN_UNIT[each.exercise],
            cost=experiments.cost,
            jobs=jobs or provenance.cores(),
            scheduler=scheduler,
        )
    paragraph(f"{len(wanted)}")


if __name__ == "__main__":
    cli.run(main)
