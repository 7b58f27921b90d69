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
from nnloss.course.published import EDITIONS, Edition, decimals, parse_edition
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
    Literal["boston", "cifar10", "wafer", "all"], cli.option("Exercise whose networks are trained.")
]
Editions = Annotated[
    Literal["2023", "2024", "2024-pdf", "both", "all"],
    cli.option("Edition of the course: its settings and numbers; both are the years."),
]
Seeds = Annotated[
    int | None,
    cli.option(
        "Seeds of each network, from 0. Default: "
        + ", ".join(f"{seeds:,} for {name}" for name, seeds in experiments.SEEDS.items())
        + ".",
        "N",
        cli.whole_number(1, 1_000_000),
    ),
]
Splits = Annotated[
    int | None,
    cli.option(
        f"Random splits of Boston Housing, {experiments.SEEDS_PER_SPLIT} seeds each, on which MAE "
        "is compared with MSE. Default: none.",
        "N",
        cli.whole_number(2, 10_000),
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
    cli.option(
        "Address of a Dask scheduler whose workers train instead of this machine.", "ADDRESS"
    ),
]
Resume = Annotated[
    bool,
    cli.typer.Option(
        "--resume/--fresh",
        help="Resume from the results in the folder, or set them aside and start afresh.",
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
    """Train the networks from many seeds, and judge the published numbers by them."""
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
        paragraph(f"{trainings:,} trainings, less those already in {out}.")
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
    paragraph(f"Report: {out / 'report.html'}. Tables and runs: {folder.home}.")


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
        rows_of(rows, verdict, title=f"{name} {edition}, {rows['n'].max():,} seeds")
    paragraph(
        "Ours is the mean over the seeds, where there is randomness. A question mark: more seeds "
        "could change the verdict."
    )
    if quick:
        paragraph("Quick networks are not the course's: their numbers are not judged.")
        return
    paragraph(verdicts.summary(results.verdicts))
    if len(results.logs) + len(results.matrices):
        heading("Are its training logs and confusion matrices like ours, as a whole?")
        rows_of(results.logs, log, wrapped="outside the band")
        rows_of(results.matrices, matrix, wrapped="largest differences")
        paragraph(printed.RULE.partition("\n\n")[0])
    if len(results.comparisons):
        heading("What does the choice of loss, or augmentation, change?")
        rows_of(results.comparisons, comparison, wrapped="comparison")
        paragraph(comparisons.RULE)
    if len(results.split_comparisons):
        heading("Does MAE beat MSE beyond the course's split of Boston Housing?")
        rows_of(results.split_comparisons, split_comparison)
        for text in splits_study.conclusion(results.split_comparisons), splits_study.RULE:
            paragraph(text)


def rows_of(
    frame: pd.DataFrame, texts: Callable[[pd.Series[Any]], dict[str, Any]], **options: Any
) -> None:
    """Print a table whose rows are the texts of a frame's rows, by column; none if it is empty."""
    import pandas as pd

    if len(frame):
        table(pd.DataFrame(texts(row) for _, row in frame.iterrows()), **options)


def verdict(row: pd.Series[Any]) -> dict[str, Any]:
    """Return the printed row of a verdict, as texts by column."""
    digits = decimals(row["published"])
    random = row["n"] > 0
    return {
        "quantity": row["quantity"],
        "published": f"{row['published']:.{digits}f}",
        "ours": number(row["mean"]) if random else with_decimals(row["ours"], digits),
        "95 % of runs": f"{number(row['low'])} to {number(row['high'])}" if row["n"] > 1 else "",
        "verdict": row["verdict"] + ("" if row["certain"] or not random else " ?"),
    }


def comparison(row: pd.Series[Any]) -> dict[str, Any]:
    """Return the printed row of a comparison, as texts by column."""
    p = row["wilcoxon_p"]
    return {
        "comparison": f"{row['exercise']} {row['edition']}: {row['second']} for {row['first']}",
        "in": row["title"],
        "n": row["n"],
        "difference": f"{row['difference']:+.4g}",
        "95 %": f"{row['low']:+.3g} to {row['high']:+.3g}",
        "p": f"{p:.2g}",
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
        "distance": f"{row['rank']} of {row['n'] + 1}",
        "p": f"{row['p']:.2g}",
        "verdict": row["verdict"],
        "largest differences": row["cells"],
    }


def split_comparison(row: pd.Series[Any]) -> dict[str, Any]:
    """Return the printed row of the study of splits, as texts by column."""
    return {
        "MAE minus MSE": row["title"],
        "batch": row["batch_size"],
        "splits": f"{row['splits']:,}",
        "difference": f"{row['difference']:+.3g}",
        "95 %": f"{row['low']:+.2g} to {row['high']:+.2g}",
        "MAE better": f"{row['mae_better']}",
        "course": number(row["course_difference"]),
    }


def number(value: float) -> str:
    """Return a number with four significant digits; empty for NaN."""
    return "" if math.isnan(value) else f"{value:.4g}"


def with_decimals(value: float, digits: int) -> str:
    """Return a number with `digits` decimals; empty for NaN."""
    return "" if math.isnan(value) else f"{value:.{digits}f}"
