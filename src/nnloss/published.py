"""The numbers that the course published, and ours beside them.

TMA4268 Statistical Learning (NTNU), module 11, solutions of 2023 and 2024: one run each in R with
keras, no seed. The linear regression has no randomness, the networks have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nnloss.records import RunRecord


@dataclass(frozen=True)
class Published:
    """One number of the course's solution.

    Parameters
    ----------
    exercise : str
        As in a run record.
    edition : int
        Year of the solution.
    quantity : str
        What it is, in words.
    key : str
        Dotted path of our number in the run record.
    value : float
        As printed.
    loss : str or None
        The training loss that it holds for; None where nothing was trained.
    """

    exercise: str
    edition: int
    quantity: str
    key: str
    value: float
    loss: str | None = None


@dataclass(frozen=True)
class Settings:
    """Settings of an exercise in one edition.

    Parameters
    ----------
    epochs, batch_size : int
        Of the training.
    """

    epochs: int
    batch_size: int


SETTINGS: dict[tuple[str, int], Settings] = {
    ("boston", 2023): Settings(epochs=100, batch_size=32),
    ("boston", 2024): Settings(epochs=100, batch_size=64),
}

_NETWORK_MSE = ("network: test MSE", "metrics.test.mean_squared_error")
_NETWORK_MAE = ("network: test MAE", "metrics.test.mean_absolute_error")
_LINEAR_MSE = ("linear regression: test MSE", "baseline.linear_regression.mean_squared_error")
_LINEAR_MAE = ("linear regression: test MAE", "baseline.linear_regression.mean_absolute_error")

PUBLISHED: tuple[Published, ...] = (
    Published("boston", 2023, *_LINEAR_MSE, 23.1956),
    Published("boston", 2023, *_LINEAR_MAE, 3.464186),
    Published("boston", 2023, *_NETWORK_MSE, 21.91999, "mean_squared_error"),
    Published("boston", 2023, *_NETWORK_MAE, 2.906326, "mean_squared_error"),
    Published("boston", 2024, *_LINEAR_MSE, 23.1956),
    Published("boston", 2024, *_LINEAR_MAE, 3.464186),
    Published("boston", 2024, *_NETWORK_MSE, 23.34256, "mean_squared_error"),
    Published("boston", 2024, *_NETWORK_MAE, 3.232276, "mean_squared_error"),
)


def compare(record: RunRecord) -> list[dict[str, Any]]:
    """Our numbers beside the published ones of the same exercise and edition.

    Parameters
    ----------
    record : RunRecord
        A run with its metrics.

    Returns
    -------
    list of dict
        With ``quantity``, ``key``, ``ours``, ``published`` and ``difference`` (ours minus
        published). A number that holds for another training loss is left out.
    """
    return [
        {
            "quantity": number.quantity,
            "key": number.key,
            "ours": ours,
            "published": number.value,
            "difference": ours - number.value,
        }
        for number in PUBLISHED
        if (number.exercise, number.edition) == (record.exercise, record.edition)
        and number.loss in (None, record.loss)
        and (ours := record.get(number.key)) is not None
    ]
