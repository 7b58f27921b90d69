"""Selection of one configuration's rows from the table of seeds."""

from __future__ import annotations

import pandas as pd

from nnloss.course.published import Settings
from nnloss.errors import DataError


def rows_of(
    seeds: pd.DataFrame, exercise: str, loss: str, augment: bool | None, settings: Settings
) -> pd.DataFrame:
    """Return the rows of one configuration, indexed by seed in ascending order.

    `augment` is None where there are no images. An empty table may lack columns. Raise DataError
    if a seed occurs twice, since it would count twice.
    """
    if seeds.empty:
        return seeds
    augmented = seeds["augment"].isna() if augment is None else seeds["augment"].eq(augment)
    rows = seeds[
        seeds["exercise"].eq(exercise)
        & seeds["loss"].eq(loss)
        & augmented
        & seeds["epochs"].eq(settings.epochs)
        & seeds["batch_size"].eq(settings.batch_size)
    ].sort_values("seed")
    twice = rows["seed"][rows["seed"].duplicated()]
    if len(twice):
        raise DataError(
            "A configuration must have each seed once",
            f"seed {twice.iloc[0]} of {exercise} on {loss} appears more than once",
            "Keep one of its rows",
        )
    return rows.set_index("seed")
