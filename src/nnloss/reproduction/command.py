"""Command that trains all exercises with many seeds and judges each published number."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import nnloss
from nnloss import commandline as cli
from nnloss._files import replacing
from nnloss.commandline import heading, paragraph, table
from nnloss.course.published import EDITIONS, UNITS, Edition, decimals, parse_edition, settings_of
from nnloss.errors import NnlossError
from nnloss.reproduction import comparisons, experiments, printed, verdicts
from nnloss.reproduction import splits as splits_study
from nnloss.reproduction.cluster import connect
from nnloss.reproduction.folder import SweepFolder
from nnloss.reproduction.local import one_thread
from nnloss.reproduction.results import JUDGED, Results
from nnloss.reproduction.sweep import sweep
from nnloss.runs import provenance

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Do the published numbers hold?"

Exercise = Annotated[
    Literal["boston", "cifar10", "wafer", "all"],
    cli.option(
        "Exercise whose networks are trained: boston, cifar10, wafer or all.",
        "EXERCISE",
        group="Course",
    ),
]
Editions = Annotated[
    Literal["2023", "2024", "2024-pdf", "both", "all"],
    cli.option(
        "Edition of the course, with its settings and numbers: 2023, 2024, 2024-pdf, both (2023 "
        "and 2024) or all.",
        "EDITION",
        group="Course",
    ),
]
Seeds = Annotated[
    int | None,
    cli.option(
        "Seeds of each network, from 0. Default: "
        + ", ".join(f"{seeds:,} for {name}" for name, seeds in experiments.SEEDS.items())
        + ".",
        "N",
        cli.whole_number(1, 1_000_000),
        group="Training",
    ),
]
Splits = Annotated[
    int | None,
    cli.option(
        f"Random splits of Boston Housing, {experiments.SEEDS_PER_SPLIT} seeds each, on which MAE "
        "is compared with MSE. Default: none.",
        "N",
        cli.whole_number(2, 10_000),
        group="Training",
    ),
]
Jobs = Annotated[
    int | None,
    cli.option(
        "Processes on this machine, of up to 2.5 GB each. Default: one for each core.",
        "J",
        cli.whole_number(1, 1024),
        group="Machines",
    ),
]
Scheduler = Annotated[
    str | None,
    cli.option(
        "Address of a Dask scheduler whose workers train instead of this machine.",
        "ADDRESS",
        group="Machines",
    ),
]
Resume = Annotated[
    bool,
    cli.flag(
        "--resume/--fresh",
        "Resume from the results in the folder, or set them aside and start afresh.",
        group="Files",
    ),
]


def main(
    exercise: Exercise = "all",
    edition: Editions = "all",
    seeds: Seeds = None,
    splits: Splits = None,
    jobs: Jobs = None,
    scheduler: Scheduler = None,
    out: cli.Out = Path("runs"),
    data_dir: cli.DataDir = None,
    resume: Resume = True,
    quick: cli.Quick = False,
) -> None:
    """Train the networks from many seeds, and judge the published numbers by them.

    Example: python -m nnloss reproduce --exercise boston --seeds 200
    """
    names = list(experiments.SEEDS) if exercise == "all" else [exercise]
    several: dict[str, Sequence[Edition]] = {"all": EDITIONS, "both": (2023, 2024)}
    editions = several.get(edition) or [parse_edition(edition)]
    default = experiments.QUICK_SEEDS if quick else experiments.SEEDS
    wanted = {
        each: seeds or default[each.exercise]
        for each in experiments.configurations(names, editions, quick=quick)
    }
    if splits:
        if "boston" not in names:
            raise NnlossError(
                "Random splits are made of Boston Housing",
                f"found --splits {splits} and --exercise {exercise}",
                "Leave out --splits, or give --exercise boston",
            )
        for each in experiments.on_random_splits(editions, quick=quick):
            wanted[each] = splits * experiments.SEEDS_PER_SPLIT
    data_dir = data_dir and data_dir.absolute()
    cli.require_folder(out)
    work = partial(experiments.train_unit, data_dir=data_dir)
    # Problems with the data or the cluster are reported before anything is written.
    if scheduler is not None:
        connect(scheduler, work).close()
    else:
        one_thread()
        for name in names:
            experiments.load(name, data_dir)
    with SweepFolder(out).opened(fresh=not resume) as folder:
        trainings = sum(wanted[each] for each in wanted if each.loss)
        if quick:
            paragraph(cli.quick_run(how_quick(names)))
        paragraph(f"The sweep has {trainings:,} trainings. What is already in {out} is kept.")
        sweep(
            folder,
            wanted,
            work,
            size=lambda each: experiments.SEEDS_IN_UNIT[each.exercise],
            cost=experiments.cost,
            jobs=jobs or provenance.cores(),
            scheduler=scheduler,
        )
        results = Results.read(folder, editions, quick=quick)
        write(results, folder, quick=quick)
    show(results, quick=quick)
    if quick:
        paragraph(cli.quick_run(how_quick(names)))
    cli.closing(
        {"sweep": folder.home},
        out / "report.html",
        f"python -m nnloss reproduce --exercise {names[0]} --edition 2023" if quick else None,
    )


def how_quick(exercises: Sequence[str]) -> str:
    """Return the epochs of a quick sweep in words."""
    return ", ".join(
        f"{experiments.QUICK_EPOCHS[name]} of {settings_of(name, EDITIONS[0]).epochs} epochs of "
        f"{name}"
        for name in exercises
    )


def write(results: Results, folder: SweepFolder, *, quick: bool) -> None:
    """Write the table of seeds, those of what is judged, the figures of splits, and the report."""
    from nnloss.report import figures  # matplotlib: not needed for --help

    page = nnloss.report.page(results, title=TITLE, quick=quick)
    for name in ("seeds", *JUDGED):
        with replacing(folder.home / f"{name}.csv") as path:
            getattr(results, name).to_csv(path, index=False)
    for batch_size, rows in results.split_comparisons.groupby("batch_size"):
        figure = figures.split_study(results.splits, rows)
        with replacing(folder.home / f"splits-batch-{batch_size}.png") as path:
            figure.savefig(path, format="png", dpi=150)
    with replacing(folder.home.parent / "report.html") as path:
        path.write_text(page, encoding="utf-8")


def show(results: Results, *, quick: bool) -> None:
    """Print the verdicts and, unless the sweep was quick, what else is judged."""
    heading(TITLE)
    for (name, edition), rows in results.verdicts.groupby(["exercise", "edition"], sort=False):
        seeds = "" if quick else f", {rows['n'].max():,} seeds"
        rows_of(rows, verdict, f"{name}, edition {edition}{seeds}")
    paragraph(
        "Our number is the mean over the seeds where there is randomness, and 95 % of single runs "
        "fall in the range beside it. A question mark says that more seeds could change the "
        "verdict."
    )
    for unit in dict.fromkeys(UNITS[name] for name in results.verdicts["exercise"]):
        paragraph(unit)
    if quick:
        paragraph("Quick networks are not the course's: their numbers are not judged.")
        return
    paragraph(verdicts.summary(results.verdicts))
    if len(results.logs) + len(results.matrices):
        heading("Are the course's training logs and confusion matrices like ours?")
        rows_of(results.logs, log)
        rows_of(results.matrices, matrix)
        for text in printed.RULE.split("\n\n"):
            paragraph(text)
    if len(results.comparisons):
        heading("What does the choice of loss, or augmentation, change?")
        by = ["exercise", "edition", "question"]
        for (name, edition, question), rows in results.comparisons.groupby(by, sort=False):
            rows_of(rows, comparison, f"{name}, edition {edition}: {question}")
        paragraph(comparisons.RULE)
    if len(results.split_comparisons):
        heading("Does MAE beat MSE beyond the course's split of Boston Housing?")
        for size, rows in results.split_comparisons.groupby("batch_size"):
            rows_of(rows, split_comparison, f"MAE minus MSE as training loss, batches of {size}")
        for text in splits_study.conclusion(results.split_comparisons), splits_study.RULE:
            paragraph(text)


def rows_of(
    frame: pd.DataFrame,
    texts: Callable[[pd.Series[Any]], dict[str, Any]],
    title: str | None = None,
) -> None:
    """Print a table whose rows are the texts of a frame's rows, by column; none if it is empty."""
    import pandas as pd

    if len(frame):
        table(pd.DataFrame(texts(row) for _, row in frame.iterrows()), title)


def verdict(row: pd.Series[Any]) -> dict[str, Any]:
    """Return the printed row of a verdict, as texts by column."""
    digits = decimals(row["published"])
    random = row["n"] > 0
    return {
        "quantity": row["quantity"],
        "published": f"{row['published']:.{digits}f}",
        "ours": number(row["mean"]) if random else number(row["ours"], f".{digits}f"),
        "95 % of runs": interval(row, ".4g"),
        "verdict": row["verdict"] + ("" if row["certain"] or not random else " ?"),
    }


def comparison(row: pd.Series[Any]) -> dict[str, Any]:
    """Return the printed row of a comparison, as texts by column."""
    return {
        "metric": row["title"],
        "seeds": f"{row['n']:,}",
        "difference": f"{row['difference']:+.4g}",
        "95 % interval": interval(row, "+.3g"),
        "p": number(row["wilcoxon_p"], ".2g"),
        "share": f"{row['share']:.0%}",
        "better": row[row["better"]] if row["better"] in ("first", "second") else "neither",
    }


def log(row: pd.Series[Any]) -> dict[str, Any]:
    """Return the printed row of a training log, as texts by column."""
    return {
        "log": f"{row['network']} {row['edition']}",
        "seeds": f"{row['n']:,}",
        "p": f"{row['p']:.2g}",
        "verdict": row["verdict"],
        "outside the band": row["outside"],
    }


def matrix(row: pd.Series[Any]) -> dict[str, Any]:
    """Return the printed row of a confusion matrix, as texts by column."""
    return {
        "matrix": f"{row['network']} {row['edition']}",
        "rank of its distance": f"{row['rank']} of {row['n'] + 1}",
        "p": f"{row['p']:.2g}",
        "verdict": row["verdict"],
        "largest differences (in standard deviations, sd)": row["cells"],
    }


def split_comparison(row: pd.Series[Any]) -> dict[str, Any]:
    """Return the printed row of the study of splits, as texts by column."""
    return {
        "metric": row["title"],
        "difference": f"{row['difference']:+.3g}",
        "95 % interval": interval(row, "+.2g"),
        "MAE better": f"{row['mae_better']} of {row['splits']:,} splits",
        "course's split": number(row["course_difference"]),
    }


def number(value: float, form: str = ".4g") -> str:
    """Return a number with four significant digits, or in another form; empty for NaN."""
    return "" if math.isnan(value) else format(value, form)


def interval(row: pd.Series[Any], form: str) -> str:
    """Return the interval of a row; empty for NaN, which a single seed gives."""
    ends = [number(row[end], form) for end in ("low", "high")]
    return " to ".join(ends) if all(ends) else ""
