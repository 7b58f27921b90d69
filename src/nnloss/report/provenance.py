"""Provenance of a sweep, from the records of its units."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from nnloss.report.wording import EXERCISES, count
from nnloss.runs.record import RunRecord


def provenance(records: Sequence[RunRecord]) -> list[tuple[str, list[str]]]:
    """Return headings from command to notes with their distinct answers; skip empty ones."""
    rows = [
        ("Command", _different(record.command for record in records)),
        ("Time", _time(records)),
        ("Seeds", _seeds(records)),
        ("Machine", _different(_machine(record.machine) for record in records)),
        ("Versions", _different(_pairs(record.versions) for record in records)),
        ("Commit", _different(record.git_commit or "" for record in records)),
        ("Data", _different(_data(record) for record in records)),
        ("Not finished", _different(_unfinished(record) for record in records)),
        ("Notes", _different(note for record in records for note in record.notes)),
    ]
    return [(name, answers) for name, answers in rows if answers]


def _different(answers: Iterable[str]) -> list[str]:
    return [answer for answer in dict.fromkeys(answers) if answer]


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items() if value is not None)


def _machine(machine: dict[str, Any]) -> str:
    """Return a description without the memory, which differs between units."""
    threads = machine.get("threads")
    parts = [
        str(machine.get("cpu") or ""),
        count(machine["cores"], "core") if machine.get("cores") else "",
        f"threads limited to {threads}" if threads else "threads not limited",
        str(machine.get("system") or ""),
    ]
    return ", ".join(part for part in parts if part) if machine else ""


def _data(record: RunRecord) -> str:
    sums = ", ".join(
        f"{name.replace('_', ' ')} {value}"
        for name, value in record.data.items()
        if name.endswith("sha256") and value
    )
    title = EXERCISES.get(record.exercise, record.exercise)
    source = record.data.get("source")
    return f"{title}: {source}; {sums}" if source or sums else ""


def _time(records: Sequence[RunRecord]) -> list[str]:
    if not records:
        return []
    starts = [record.start for record in records if record.start]
    ends = [record.end for record in records if record.end]
    total = sum(record.seconds.get("total", 0.0) for record in records)
    texts = [f"{count(len(records), 'unit')} of work, {_span(total)} of computing in all"]
    if starts and ends:
        texts.append(f"from {_minute(min(starts))} to {_minute(max(ends))}")
    peaks = [record.machine.get("peak_memory_MB") for record in records]
    known = [peak for peak in peaks if peak]
    if known:
        texts.append(f"at most {max(known):,} MB of memory in a process")
    return texts


def _minute(time: str) -> str:
    return f"{time[:16].replace('T', ' ')} UTC"


def _span(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    parts = pd.Timedelta(seconds=round(seconds)).components
    hours = 24 * parts.days + parts.hours
    return f"{hours} h {parts.minutes} min" if hours else f"{parts.minutes} min {parts.seconds} s"


def _seeds(records: Sequence[RunRecord]) -> list[str]:
    found: dict[str, set[int]] = {}
    for record in records:
        found.setdefault(record.exercise, set()).update(record.seeds)
    return [
        f"{EXERCISES.get(name, name)}: {min(held)} to {max(held)}, {len(held):,} in all"
        for name, held in found.items()
        if held
    ]


def _unfinished(record: RunRecord) -> str:
    return "" if record.status == "finished" else f"{record.id}: {record.status}"
