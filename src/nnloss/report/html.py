"""HTML page about a sweep: answer, verdicts, figures of each exercise, provenance and folders.

Figures, style and script are inside the page; it loads nothing.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import quote

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from nnloss.course.published import decimals
from nnloss.errors import printable
from nnloss.report import figures
from nnloss.report.answer import answer
from nnloss.report.provenance import provenance
from nnloss.report.wording import (
    EXERCISES,
    MISSING,
    NETWORK_TITLES,
    between,
    configurations,
    count,
    names,
    number,
    probability,
    quantity,
)
from nnloss.report.wording import (
    printed as printed_number,
)
from nnloss.reproduction import comparisons, printed, splits, verdicts
from nnloss.reproduction.results import TABLES, Results
from nnloss.reproduction.units import Configuration, Unit
from nnloss.runs.record import RunRecord

#: A sign beside each word, so that verdicts can be distinguished at a glance without colour.
_SIGNS = {
    "reproduced": "=",
    "typical": "✓",
    "unusual": "~",
    "not reproduced": "×",
    "undecided": "?",
}


def page(results: Results, *, title: str, quick: bool = False) -> str:
    """Return the report of a sweep as one HTML page.

    Parameters
    ----------
    results : Results
        Each of its tables may be empty.
    title : str
        Title of the page.
    quick : bool, default False
        Whether the sweep was short; the page then says that its numbers are not judged.

    Returns
    -------
    str
        HTML text.

    Examples
    --------
    >>> from nnloss import report
    >>> from nnloss.reproduction.results import Results
    >>> classical = {"boston": {"linear_regression": {"mean_squared_error": 23.19560}}}
    >>> text = report.page(Results.of({}, classical, editions=[2023]), title="A sweep")
    >>> text.count("<h1"), "A sweep" in text
    (1, True)
    """
    tables = {name: getattr(results, name) for name in TABLES}
    run = {name for table in tables.values() if len(table) for name in table["exercise"]}
    run |= {name for name in results.verdicts.get("exercise", ())} | set(results.classical)
    exercises = [
        _exercise(f"exercise-{place}", name, results)
        for place, name in enumerate(sorted(run, key=_order), 1)
    ]
    script = _source("report.js")
    return (
        _environment()
        .get_template("report.html")
        .render(
            title=title,
            quick=quick,
            answer=answer(results, quick=quick),
            facts=[
                count(results.trainings, "training"),
                count(
                    len({Configuration.of(record) for record in results.records}), "configuration"
                ),
                count(len(exercises), "exercise"),
            ],
            summary="" if quick else verdicts.summary(results.verdicts),
            rule=_paragraphs(verdicts.RULE),
            printed_rule=_paragraphs(printed.RULE),
            comparison_rule=_paragraphs(comparisons.RULE),
            split_rule=_paragraphs(splits.RULE),
            verdicts=[_verdict(row) for row in _rows(results.verdicts)],
            logs=figures.printed_logs(results.printed_logs, results.logs),
            matrices=[_matrix(row) for row in _rows(results.matrices)],
            comparisons=[_comparison(row) for row in _rows(results.comparisons)],
            splits=[_split(row) for row in _rows(results.split_comparisons)],
            split_conclusion=splits.conclusion(results.split_comparisons),
            split_figures=figures.splits(results.splits, results.split_comparisons),
            exercises=exercises,
            provenance=provenance(results.records),
            style=_source("report.css"),
            script=script,
            # The page allows this script only, and may not load anything.
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        )
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("nnloss.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )


def _shown(value: Any) -> Any:
    """Escape what a page cannot hold: control characters and lone surrogates."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return "".join(each if each == "\n" else printable(each) for each in value)
    return value


def _source(name: str) -> Markup:
    """Return our own style or script, which must not be escaped."""
    loader = _environment().loader
    assert loader is not None, "templates are in the package"
    return Markup(loader.get_source(_environment(), name)[0])


def _of(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of one exercise; an empty table may lack the column."""
    return table[table["exercise"].eq(name)] if len(table) else table


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def _order(name: str) -> tuple[bool, int, str]:
    known = list(EXERCISES)
    return name not in known, known.index(name) if name in known else 0, name


def _paragraphs(text: str) -> list[str]:
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]


def _exercise(prefix: str, name: str, results: Results) -> dict[str, Any]:
    seeds = _of(name, results.seeds)
    return {
        "id": prefix,
        "title": EXERCISES.get(name, name),
        "classical": [
            (
                model.replace("_", " "),
                [(quantity(f"val_{metric}"), number(value)) for metric, value in metrics.items()],
            )
            for model, metrics in results.classical.get(name, {}).items()
        ],
        "distributions": figures.distributions(seeds, _of(name, results.verdicts), prefix),
        "differences": figures.comparisons(seeds, _of(name, results.comparisons), prefix),
        "training": figures.training(_of(name, results.curves), prefix),
        "confusions": figures.confusions(_of(name, results.confusion), prefix),
        "folders": _folders(
            seeds, [record for record in results.records if record.exercise == name]
        ),
    }


def _verdict(row: Mapping[str, Any]) -> dict[str, Any]:
    spread = row["sd"]
    random = not pd.isna(row["mean"])
    ours = number(row["mean"], spread)
    if not random and not pd.isna(row["ours"]):
        ours = f"{row['ours']:.{decimals(row['published'])}f}"
    limits = between(row["percentile_low"], row["percentile_high"], 10)
    return {
        **row,
        "sign": _SIGNS.get(row["verdict"], ""),
        "exercise_title": EXERCISES.get(row["exercise"], row["exercise"]),
        "published_text": printed_number(row["published"]),
        "ours_value": row["mean"] if random else row["ours"],
        "ours_text": ours,
        "sd_text": "" if pd.isna(spread) else number(spread, spread),
        "interval_text": between(row["low"], row["high"], spread),
        "percentile_text": number(row["percentile"], 10),
        "limits_text": "" if limits == MISSING else limits,
        "p_text": probability(row["p_holm"]),
        "open": random and not row["certain"] and row["verdict"] != "undecided",
        "strip": _strip(row),
    }


def _strip(row: Mapping[str, Any]) -> dict[str, float] | None:
    """Return positions from 0 to 100 of the published number and of ours."""
    needed = ("least", "most", "published", "mean")
    if any(pd.isna(row[key]) for key in needed):
        return None
    keys = (*needed, *(key for key in ("low", "high") if not pd.isna(row[key])))
    low, high = min(row[key] for key in keys), max(row[key] for key in keys)
    return {key: 3 + 94 * (row[key] - low) / (high - low or 1) for key in keys}


def _comparison(row: Mapping[str, Any]) -> dict[str, Any]:
    width = row["high"] - row["low"]
    spread = width if width and not pd.isna(width) else float("nan")
    better = {"first": row["first"], "second": row["second"]}.get(row["better"], row["better"])
    return {
        **row,
        "exercise_title": EXERCISES.get(row["exercise"], row["exercise"]),
        "first_text": number(row["first_mean"], spread),
        "second_text": number(row["second_mean"], spread),
        "difference_text": number(row["difference"], spread),
        "interval_text": between(row["low"], row["high"]),
        "share_text": MISSING if pd.isna(row["share"]) else f"{row['share']:.0%}",
        "p_text": probability(row["wilcoxon_p"]),
        "better_text": better,
    }


def _matrix(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **row,
        "sign": _SIGNS.get(row["verdict"], ""),
        "title": NETWORK_TITLES.get(row["network"], row["network"]),
        "rank_text": f"{row['rank']} of {row['n'] + 1:,}",
        "p_text": probability(row["p"]),
    }


def _split(row: Mapping[str, Any]) -> dict[str, Any]:
    spread = row["high"] - row["low"]
    return {
        **row,
        "mse_text": number(row["mse"], spread),
        "mae_text": number(row["mae"], spread),
        "difference_text": number(row["difference"], spread),
        "interval_text": between(row["low"], row["high"]),
        "course_text": number(row["course_difference"], spread),
    }


def _folders(seeds: pd.DataFrame, records: Sequence[RunRecord]) -> list[dict[str, Any]]:
    """Return the folders of an exercise with their seeds, each folder once."""
    runs = configurations(seeds)
    called = names(runs)
    rows = []
    for each, part in runs.items():
        for folder, held in part.groupby("folder", sort=False):
            diverged = int(held["diverged"].sum())
            rows.append(_folder(called[each], str(folder), list(held["seed"]), diverged))
    for record in records:
        place = f"sweep/{Unit(Configuration.of(record), tuple(record.seeds)).folder}"
        if not record.seeds:
            rows.append(_folder("classical models", place, [], 0))
        elif record.seeds_per_split:
            rows.append(_folder("random splits", place, record.seeds, 0))
    return rows


def _folder(name: str, folder: str, seeds: Sequence[int], diverged: int) -> dict[str, Any]:
    first, last = (min(seeds), max(seeds)) if seeds else ("", MISSING)
    return {
        "configuration": name,
        "folder": folder,
        # Always relative, whatever the name: no scheme, no host.
        "href": "./" + quote(folder.lstrip("/"), errors="replace"),
        "first": first,
        "seeds": f"{first} to {last}" if len(seeds) > 1 else f"{last}",
        "diverged": diverged,
    }
