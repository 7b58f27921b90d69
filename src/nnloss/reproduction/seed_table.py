"""The table of a sweep, a row for each configuration and seed: which rows belong together."""

from __future__ import annotations

import pandas as pd

from nnloss.course.published import Settings
from nnloss.errors import DataError


def rows_of(
    seeds: pd.DataFrame, exercise: str, loss: str, augment: bool | None, settings: Settings
) -> pd.DataFrame:
    """Choose the rows of one configuration.

    Parameters
    ----------
    seeds : DataFrame
        With columns ``exercise``, ``loss``, ``augment``, ``epochs``, ``batch_size`` and ``seed``;
        an empty table may lack them.
    exercise : str
        As in a run record.
    loss : str
        The training loss.
    augment : bool or None
        Whether the training images were augmented; None where there are no images.
    settings : Settings
        Of the training.

    Returns
    -------
    DataFrame
        In the order of the seeds, which are its index.

    Raises
    ------
    DataError
        If a seed is there twice: it would count twice.
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
            f"seed {twice.iloc[0]} of {exercise} on {loss} is there more than once",
            "Leave out all but one of its rows",
        )
    return rows.set_index("seed")
