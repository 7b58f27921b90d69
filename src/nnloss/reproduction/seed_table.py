"""Selection of one configuration's rows from a table of a sweep."""

from __future__ import annotations

import pandas as pd

from nnloss.course.published import Settings
from nnloss.errors import DataError


def of_configuration(
    table: pd.DataFrame, exercise: str, loss: str, augment: bool | None, settings: Settings
) -> pd.DataFrame:
    """Return the rows of one configuration; `augment` is None where there are no images.

    An empty table may lack columns.
    """
    if table.empty:
        return table
    augmented = table["augment"].isna() if augment is None else table["augment"].eq(augment)
    return table[
        table["exercise"].eq(exercise)
        & table["loss"].eq(loss)
        & augmented
        & table["epochs"].eq(settings.epochs)
        & table["batch_size"].eq(settings.batch_size)
    ]


def rows_of(
    seeds: pd.DataFrame, exercise: str, loss: str, augment: bool | None, settings: Settings
) -> pd.DataFrame:
    """Return the rows of one configuration in the table of seeds, indexed by seed, ascending.

    Raise DataError if a seed occurs twice, since it would count twice.
    """
    if seeds.empty:
        return seeds
    rows = of_configuration(seeds, exercise, loss, augment, settings).sort_values("seed")
    twice = rows["seed"][rows["seed"].duplicated()]
    if len(twice):
        raise DataError(
            "A configuration must have each seed once",
            f"seed {twice.iloc[0]} of {exercise} on {loss} appears more than once",
            "Keep one of its rows",
        )
    return rows.set_index("seed")
