"""Answer of a sweep in two sentences, for the top of the page."""

from __future__ import annotations

import pandas as pd

from nnloss.report.wording import EXERCISES, count
from nnloss.reproduction.results import Results
from nnloss.reproduction.verdicts import REPRODUCED, TYPICAL, UNDECIDED

COURSE = "TMA4268 Statistical Learning (NTNU, module 11)"


def answer(results: Results, *, quick: bool = False) -> str:
    """Return how much of the course's record holds."""
    table = results.verdicts
    if quick:
        return f"{count(results.trainings, 'quick training')}, not judged."
    judged = table[table["verdict"].ne(UNDECIDED)] if len(table) else table
    if judged.empty:
        return f"No published number of {COURSE} is judged yet."
    exact, typical = (int(judged["verdict"].eq(name).sum()) for name in (REPRODUCED, TYPICAL))
    text = (
        f"Of the {count(len(judged), 'number')} published by {COURSE}, {exact + typical} hold: "
        f"{exact} exactly, {typical} as a typical run of ours"
    )
    other = judged[~judged["verdict"].isin([REPRODUCED, TYPICAL])]
    text += f"; {len(other)} do not{_where(other)}." if len(other) else "."
    parts = (results.logs, "training logs"), (results.matrices, "confusion matrices")
    as_a_whole = [
        f"{int(rows['verdict'].eq(TYPICAL).sum())} of its {len(rows)} {noun}"
        for rows, noun in parts
        if len(rows)
    ]
    if as_a_whole:
        text += f" Typical as a whole: {' and '.join(as_a_whole)}."
    return text


def _where(rows: pd.DataFrame) -> str:
    """Return the exercises of rows, as an addition to a sentence."""
    names = [EXERCISES.get(name, name).split(" ", 1)[-1] for name in rows["exercise"].unique()]
    one = ", all of " if len(rows) > 1 else ", of "
    return (one if len(names) == 1 else ", of ") + " and ".join(names)
