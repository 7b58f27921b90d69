"""Verdicts on the published numbers, from the same training repeated with many seeds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from nnloss.course.published import EDITIONS, PUBLISHED, Edition, Published, decimals
from nnloss.reproduction.prediction import Values, interval, p_value, percentile
from nnloss.reproduction.seed_table import rows_of

REPRODUCED = "reproduced"
NOT_REPRODUCED = "not reproduced"
TYPICAL = "typical"
UNUSUAL = "unusual"
UNDECIDED = "undecided"

COLUMNS = """
    exercise edition quantity published ours mean sd n diverged low high low_999 high_999 least most
    percentile percentile_low percentile_high p p_holm verdict certain epochs batch_size loss
    augment metric interval interval_999 note
""".split()

#: Explanation of the verdicts, for reports; empty lines separate paragraphs.
RULE = """
A number without randomness is reproduced if ours, rounded to the printed digits, is the printed
one, and not reproduced otherwise.

A number that depends on random weights is one run of the course. It is held against n runs of ours
with the same network, loss, epochs and batch size, one for each seed, all rounded to its digits. It
is typical inside the 95 % interval of a single new run (limits belong to it); unusual outside of
that, but inside the range of all seeds or the 99.9 % interval; not reproduced outside of those. It
is undecided with fewer than 2 seeds, or if fewer than 39 all agree and leave no spread to judge by.
A seed that diverged is left out and counted, so the question is about runs that came to an end, as
the course's did.

The intervals go from the r-th smallest to the r-th largest run, which cover a new one with
probability (n + 1 - 2r)/(n + 1) or more, whatever the distribution. That takes 39 seeds for 95 %
and 1,999 for 99.9 %. With fewer it is Student's interval for a new observation, mean ± t sd
sqrt(1 + 1/n), which takes the runs to be normally distributed.

The percentile is that of the published number among our runs, equal ones counted half, with 95 %
limits by Clopper and Pearson. A verdict is certain if both limits agree with it: both between 2.5
and 97.5 for typical, both in the same tail for unusual and not reproduced. That assumes no
distribution; to be certain of a tail it takes 146 seeds or more.

p is two-sided and by the method of the 95 % interval: at most 0.05 outside of it and nowhere else,
and by ranks never less than 2/(n + 1). Of the 33 numbers 24 are random, so that 1.2 of them are
expected outside their interval by chance, even if each is a run like ours. p is therefore corrected
by Holm's method for the random numbers that were asked; the 9 others have no p. Holm's method holds
for dependent tests too, and these are: a run of the course gave two numbers, and editions with
equal settings share our seeds. The verdict itself is that of the single number, without correction.
""".strip()


def verdicts(
    seeds: pd.DataFrame,
    classical: Mapping[str, Mapping[str, Mapping[str, float]]],
    *,
    editions: Iterable[Edition] = EDITIONS,
) -> pd.DataFrame:
    """Judge the published numbers by the rule in `RULE`.

    Parameters
    ----------
    seeds : DataFrame
        One row per configuration and seed: ``exercise``, ``loss``, ``augment``, ``epochs``,
        ``batch_size``, ``seed``, ``diverged`` and the metrics of the last epoch. May be empty.
    classical : mapping
        Results by exercise, classical model and metric, as ``baseline`` in a run record.
    editions : iterable of int or str, optional
        Editions of the course; all by default.

    Returns
    -------
    DataFrame
        One row per published number whose exercise is in one of the tables. ``ours`` is the result
        of a classical model. A network has ``mean``, ``sd``, ``n`` (seeds that count),
        ``diverged``, the 95 % and 99.9 % intervals of a single run and their methods, the range,
        ``percentile`` with its limits, ``p`` and ``p_holm``. ``certain`` says whether the verdict
        is the same at both limits of the percentile; ``metric`` is the column of `seeds`; ``note``
        names seeds that diverged and reasons for "undecided". Missing numbers are NaN; the metric
        of a classical model is None.

    Raises
    ------
    DataError
        If a configuration has a seed twice.

    Examples
    --------
    The linear regression on Boston Housing has no randomness:

    >>> import pandas as pd
    >>> from nnloss.reproduction import verdicts
    >>> classical = {"boston": {"linear_regression": {"mean_squared_error": 23.19560}}}
    >>> judged = verdicts.verdicts(pd.DataFrame(), classical, editions=[2023])
    >>> judged["verdict"].tolist()  # the other numbers of the edition were not run
    ['reproduced', 'undecided', 'undecided', 'undecided']
    """
    run = set(classical) | (set() if seeds.empty else set(seeds["exercise"]))
    wanted = set(editions)
    asked = [each for each in PUBLISHED if each.exercise in run and each.edition in wanted]
    rows = [_classical(each, classical) if each.loss is None else _random(each, seeds)
            for each in asked]  # fmt: skip
    table = pd.DataFrame(rows, columns=COLUMNS)
    tested = table["p"].notna()
    if tested.any():
        from statsmodels.stats.multitest import multipletests  # takes 1 s: not needed for --help

        table.loc[tested, "p_holm"] = multipletests(table.loc[tested, "p"], method="holm")[1]
    integers = dict.fromkeys(("epochs", "batch_size"), "Int64")
    return table.astype({"certain": bool, **integers})


def judge(values: Values, published: float) -> dict[str, Any]:
    """Judge one published run by many of ours, by the rule in `RULE`.

    Parameters
    ----------
    values : ndarray of float
        Values of our runs, finite and rounded like the published one.
    published : float
        Value of the course's run.

    Returns
    -------
    dict
        Keys are columns of `verdicts`.

    Examples
    --------
    >>> import numpy as np
    >>> from nnloss.reproduction.verdicts import judge
    >>> ours = np.linspace(20, 22, 101)
    >>> judge(ours, 21.9)["verdict"], judge(ours, 25.0)["verdict"]
    ('typical', 'not reproduced')
    """
    n, place = len(values), percentile(values, published)
    narrow, wide = interval(values), interval(values, 1000)
    least, most = (values.min(), values.max()) if n else (math.nan, math.nan)
    if math.isnan(narrow.low):
        verdict, certain = UNDECIDED, False
    elif published in narrow:
        verdict, certain = TYPICAL, place.inside
    else:
        verdict = UNUSUAL if least <= published <= most or published in wide else NOT_REPRODUCED
        certain = place.outside
    return {
        "mean": values.mean() if n else math.nan,
        "sd": values.std(ddof=1) if n > 1 else math.nan,
        "n": n,
        "low": narrow.low,
        "high": narrow.high,
        "interval": narrow.method,
        "low_999": wide.low,
        "high_999": wide.high,
        "interval_999": wide.method,
        "least": least,
        "most": most,
        "percentile": place.value,
        "percentile_low": place.low,
        "percentile_high": place.high,
        "p": p_value(values, published),
        "verdict": verdict,
        "certain": certain,
    }


def summary(table: pd.DataFrame) -> str:
    """Return a paragraph that summarises the result of `verdicts`.

    Parameters
    ----------
    table : DataFrame
        Result of `verdicts`.

    Returns
    -------
    str
        How many numbers hold, what chance explains, what remains after Holm's correction, and what
        the number of seeds leaves open.
    """
    if table.empty:
        return "No published number was selected."
    fixed, random = table[table["loss"].isna()], table[table["loss"].notna()]
    parts = []
    if len(fixed):
        exact = int(fixed["verdict"].eq(REPRODUCED).sum())
        parts.append(
            f"{exact} of {_count(fixed, 'number')} without randomness "
            f"{'is' if exact == 1 else 'are'} reproduced to the printed digit."
        )
    judged = random[random["verdict"].ne(UNDECIDED)]
    if len(judged):
        parts += [_by_chance(judged), _left_open(judged)]
    if len(random) > len(judged):
        parts.append(f"Undecided: {_names(random[random['verdict'].eq(UNDECIDED)])}.")
    incomplete = random[random["diverged"] > 0]
    if len(incomplete):
        most = incomplete["diverged"].max()
        parts.append(f"Seeds that diverged, {most} at most, are left out of {_names(incomplete)}.")
    return " ".join(part for part in parts if part)


def _by_chance(judged: pd.DataFrame) -> str:
    n, outside = len(judged), int(judged["verdict"].ne(TYPICAL).sum())
    expected = 0.05 * n
    chance = f"about {expected:.0f}" if expected >= 0.5 else "hardly any"
    text = (
        f"{outside} of {_count(judged, 'number')} from random weights "
        f"{'falls' if outside == 1 else 'fall'} outside the 95 % range of our runs; "
        f"{chance} would by chance."
    )
    if not outside:
        return text
    survives = judged[judged["p_holm"] <= 0.05]
    remains = "none remains"
    if len(survives):
        remains = f"{len(survives)} remain{'s' * (len(survives) == 1)}: {_names(survives)}"
    return f"{text} After Holm's correction for {n} questions {remains}."


def _left_open(tested: pd.DataFrame) -> str:
    unsettled = tested[~tested["certain"]]
    return (
        f"More seeds could change {_count(unsettled, 'verdict')}: {_exercises(unsettled)}."
        if len(unsettled)
        else ""
    )


def _count(rows: pd.DataFrame, noun: str) -> str:
    return f"{len(rows)} {noun}{'s' * (len(rows) != 1)}"


def _names(rows: pd.DataFrame) -> str:
    return "; ".join(
        f"{row['exercise']} {row['edition']} {row['quantity']}" for row in rows.to_dict("records")
    )


def _exercises(rows: pd.DataFrame) -> str:
    """Return the count of numbers and the seeds of each exercise, in words."""
    texts = []
    for exercise, part in rows.groupby("exercise", sort=False):
        seeds = " to ".join(f"{n:,}" for n in sorted({part["n"].min(), part["n"].max()}))
        texts.append(f"{len(part)} of {exercise} ({seeds} seeds)")
    return ", ".join(texts)


def _known(number: Published) -> dict[str, Any]:
    settings = number.settings
    return {
        "exercise": number.exercise,
        "edition": number.edition,
        "quantity": number.quantity,
        "published": number.value,
        "loss": number.loss,
        "augment": number.augment,
        "metric": number.metric,
        "epochs": settings and settings.epochs,
        "batch_size": settings and settings.batch_size,
        "n": 0,
        "diverged": 0,
        "note": "",
    }


def _classical(
    number: Published, classical: Mapping[str, Mapping[str, Mapping[str, float]]]
) -> dict[str, Any]:
    _, model, metric = number.key.split(".")
    ours = classical.get(number.exercise, {}).get(model, {}).get(metric)
    if ours is None:
        lack = {"verdict": UNDECIDED, "certain": False, "note": "the model was not fitted"}
        return _known(number) | lack
    same = round(float(ours), decimals(number.value)) == number.value
    verdict = REPRODUCED if same else NOT_REPRODUCED
    return _known(number) | {"ours": float(ours), "verdict": verdict, "certain": True}


def _random(number: Published, seeds: pd.DataFrame) -> dict[str, Any]:
    values, diverged = _runs(number, seeds)
    found = judge(values, number.value)
    note = _note(len(values), diverged, found["verdict"])
    return _known(number) | found | {"diverged": diverged, "note": note}


def _runs(number: Published, seeds: pd.DataFrame) -> tuple[Values, int]:
    """Return our values, rounded like the published one, and the number of diverged seeds."""
    assert number.loss is not None, "a classical model has no seeds"
    assert number.settings is not None, "a network has settings"
    rows = rows_of(seeds, number.exercise, number.loss, number.augment, number.settings)
    if rows.empty:
        return np.empty(0), 0
    counts = ~rows["diverged"].astype(bool) & np.isfinite(rows[number.metric])
    # Rounded as printed, equal accuracies are equal numbers.
    digits = decimals(number.value)
    values = [round(float(value), digits) for value in rows.loc[counts, number.metric]]
    return np.array(values), int((~counts).sum())


def _note(n: int, diverged: int, verdict: str) -> str:
    notes = []
    if diverged:
        notes.append(f"{diverged} of {n + diverged} seeds diverged and are left out")
    if verdict == UNDECIDED:
        notes.append("fewer than 2 seeds" if n < 2 else f"all {n} seeds agree")
    return "; ".join(notes)
