"""HTML page about a sweep: verdicts, figures of each exercise, provenance and folders.

Figures, style and script are inside the page; it loads nothing.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
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
from nnloss.report.provenance import provenance
from nnloss.report.wording import (
    EXERCISES,
    MISSING,
    between,
    configurations,
    count,
    names,
    number,
    printed,
    probability,
    quantity,
)
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


def page(
    seeds: pd.DataFrame,
    curves: pd.DataFrame,
    confusion: pd.DataFrame,
    classical: Mapping[str, Mapping[str, Mapping[str, float]]],
    verdicts: pd.DataFrame,
    comparisons: pd.DataFrame,
    records: Sequence[RunRecord],
    *,
    title: str,
    rule: str = "",
    summary: str = "",
    comparison_rule: str = "",
    quick: bool = False,
) -> str:
    """Return the report of a sweep as one HTML page. Each of the tables may be empty.

    Parameters
    ----------
    seeds : DataFrame
        One row per configuration and seed: ``exercise``, ``loss``, ``augment``, ``epochs``,
        ``batch_size``, ``seed``, ``diverged``, ``folder`` (relative to the page), ``train_loss``
        and the metrics of the last epoch.
    curves : DataFrame
        The same by ``epoch``, without ``folder``.
    confusion : DataFrame
        ``count`` by configuration, ``seed``, ``actual`` and ``predicted`` class.
    classical : mapping
        Results by exercise, classical model and metric.
    verdicts : DataFrame
        Result of `nnloss.reproduction.verdicts.verdicts`.
    comparisons : DataFrame
        Result of `nnloss.reproduction.comparisons.compare`.
    records : sequence of RunRecord
        One per unit of the sweep.
    title : str
    rule, comparison_rule : str, optional
        Explanations of verdicts and comparisons; empty lines separate paragraphs.
    summary : str, optional
        Summary of the verdicts.
    quick : bool, default False
        Whether the sweep was short; the page then says that its numbers mean little.

    Returns
    -------
    str
        HTML text.
    """
    tables = {
        "seeds": seeds,
        "curves": curves,
        "confusion": confusion,
        "verdicts": verdicts,
        "comparisons": comparisons,
    }
    run = {name for table in tables.values() if len(table) for name in table["exercise"]}
    exercises = [
        _exercise(
            f"exercise-{place}",
            name,
            _of(name, tables),
            classical.get(name, {}),
            [record for record in records if record.exercise == name],
        )
        for place, name in enumerate(sorted(run | set(classical), key=_order), 1)
    ]
    runs = configurations(seeds)
    judged = [_verdict(row) for row in _rows(verdicts)]
    counts = Counter(row["verdict"] for row in judged)
    template = _environment().get_template("report.html")
    script = _source("report.js")
    return template.render(
        title=title,
        quick=quick,
        facts=[
            count(len(seeds), "training"),
            count(len(runs), "configuration"),
            count(len(exercises), "exercise"),
        ],
        counts=[(_SIGNS[name], name, counts[name]) for name in _SIGNS if name in counts],
        summary=summary,
        rule=_paragraphs(rule),
        comparison_rule=_paragraphs(comparison_rule),
        verdicts=judged,
        exercises=exercises,
        provenance=provenance(records),
        style=_source("report.css"),
        script=script,
        # The page allows this script only, and may not load anything.
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
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


def _of(name: str, tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the rows of one exercise; an empty table may lack the column."""
    return {
        key: table[table["exercise"].eq(name)] if len(table) else table
        for key, table in tables.items()
    }


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def _order(name: str) -> tuple[bool, int, str]:
    known = list(EXERCISES)
    return name not in known, known.index(name) if name in known else 0, name


def _paragraphs(text: str) -> list[str]:
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]


def _exercise(
    prefix: str,
    name: str,
    tables: Mapping[str, pd.DataFrame],
    classical: Mapping[str, Mapping[str, float]],
    records: Sequence[RunRecord],
) -> dict[str, Any]:
    seeds, comparisons = tables["seeds"], tables["comparisons"]
    return {
        "id": prefix,
        "title": EXERCISES.get(name, name),
        "classical": [
            (
                model.replace("_", " "),
                [(quantity(f"val_{metric}"), number(value)) for metric, value in metrics.items()],
            )
            for model, metrics in classical.items()
        ],
        "distributions": figures.distributions(seeds, tables["verdicts"], prefix),
        "comparisons": [_comparison(row) for row in _rows(comparisons)],
        "differences": figures.comparisons(seeds, comparisons, prefix),
        "training": figures.training(tables["curves"], prefix),
        "confusions": figures.confusions(tables["confusion"], prefix),
        "folders": _folders(seeds, records),
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
        "published_text": printed(row["published"]),
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
        "first_text": number(row["first_mean"], spread),
        "second_text": number(row["second_mean"], spread),
        "difference_text": number(row["difference"], spread),
        "interval_text": between(row["low"], row["high"]),
        "share_text": MISSING if pd.isna(row["share"]) else f"{row['share']:.0%}",
        "p_text": probability(row["wilcoxon_p"]),
        "better_text": better,
    }


def _folders(seeds: pd.DataFrame, records: Sequence[RunRecord]) -> list[dict[str, Any]]:
    """Return the folders of an exercise with their seeds, each folder once."""
    runs = configurations(seeds)
    called = names(runs)
    rows = []
    for each, part in runs.items():
        for folder, held in part.groupby("folder", sort=False):
            first, last = held["seed"].min(), held["seed"].max()
            text = f"{first}" if first == last else f"{first} to {last}"
            diverged = int(held["diverged"].sum())
            rows.append(_folder(called[each], str(folder), first, text, diverged))
    for record in records:
        if not record.seeds:
            place = f"sweep/{Unit(Configuration.of(record)).folder}"
            rows.append(_folder("classical models", place, "", MISSING, 0))
    return rows


def _folder(name: str, folder: str, first: Any, seeds: str, diverged: int) -> dict[str, Any]:
    return {
        "configuration": name,
        "folder": folder,
        # Always relative, whatever the name: no scheme, no host.
        "href": "./" + quote(folder.lstrip("/"), errors="replace"),
        "first": first,
        "seeds": seeds,
        "diverged": diverged,
    }
