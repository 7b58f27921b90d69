"""The course's settings and published numbers, and their comparison with ours.

TMA4268 Statistical Learning (NTNU), module 11, solutions of 2023 and 2024: one run each in R with
keras, without a seed. The classical models are deterministic, the networks are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from nnloss.runs.record import RunRecord
from nnloss.table import LOSSES

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Published:
    """One published number.

    Parameters
    ----------
    exercise : str
        Name as in a run record.
    edition : int
        Year of the solution.
    quantity : str
        Description in words.
    key : str
        Dotted path of our number in the run record.
    value : float
        Value as printed.
    loss : str or None
        Training loss; None for a model without training.
    augment : bool or None
        Whether the training images were augmented; None without images.
    """

    exercise: str
    edition: int
    quantity: str
    key: str
    value: float
    loss: str | None = None
    augment: bool | None = None

    @property
    def settings(self) -> Settings | None:
        """Settings of the training; None without one."""
        if self.loss is None:
            return None
        return settings_of(self.exercise, self.edition, augment=bool(self.augment))

    @property
    def metric(self) -> str | None:
        """Name of our metric in a training history; None without a training."""
        return None if self.loss is None else "val_" + self.key.removeprefix("metrics.test.")


@dataclass(frozen=True)
class Settings:
    """Epochs and batch size of a training in one edition."""

    epochs: int
    batch_size: int


#: Keys are exercise and edition; the augmented network has separate settings.
SETTINGS: dict[tuple[str, int], Settings] = {
    ("boston", 2023): Settings(epochs=100, batch_size=32),
    ("boston", 2024): Settings(epochs=100, batch_size=64),
    ("cifar10", 2023): Settings(epochs=20, batch_size=64),
    ("cifar10", 2024): Settings(epochs=20, batch_size=32),
    ("cifar10_augmented", 2023): Settings(epochs=20, batch_size=64),
    ("cifar10_augmented", 2024): Settings(epochs=20, batch_size=64),
    ("wafer", 2023): Settings(epochs=100, batch_size=64),
    ("wafer", 2024): Settings(epochs=100, batch_size=64),
}

_MSE = "mean_squared_error"
_CCE = "categorical_crossentropy"
_NETWORK_MSE = ("network: test MSE", "metrics.test.mean_squared_error")
_NETWORK_MAE = ("network: test MAE", "metrics.test.mean_absolute_error")
_LINEAR_MSE = ("linear regression: test MSE", "baseline.linear_regression.mean_squared_error")
_LINEAR_MAE = ("linear regression: test MAE", "baseline.linear_regression.mean_absolute_error")
_LOGISTIC = ("logistic regression: test accuracy", "baseline.logistic_regression.accuracy")
_TEST_LOSS = ("network: test loss", "metrics.test.loss")
_ACCURACY = ("network: test accuracy", "metrics.test.accuracy")
_AUGMENTED_LOSS = ("augmented: test loss", "metrics.test.loss")
_AUGMENTED_ACCURACY = ("augmented: test accuracy", "metrics.test.accuracy")

PUBLISHED: tuple[Published, ...] = (
    Published("boston", 2023, *_LINEAR_MSE, 23.1956),
    Published("boston", 2023, *_LINEAR_MAE, 3.464186),
    Published("boston", 2023, *_NETWORK_MSE, 21.91999, _MSE),
    Published("boston", 2023, *_NETWORK_MAE, 2.906326, _MSE),
    Published("boston", 2024, *_LINEAR_MSE, 23.1956),
    Published("boston", 2024, *_LINEAR_MAE, 3.464186),
    Published("boston", 2024, *_NETWORK_MSE, 23.34256, _MSE),
    Published("boston", 2024, *_NETWORK_MAE, 3.232276, _MSE),
    Published("cifar10", 2023, *_TEST_LOSS, 1.237937, _CCE, augment=False),
    Published("cifar10", 2023, *_ACCURACY, 0.6794, _CCE, augment=False),
    Published("cifar10", 2023, *_AUGMENTED_LOSS, 0.860364, _CCE, augment=True),
    Published("cifar10", 2023, *_AUGMENTED_ACCURACY, 0.7045, _CCE, augment=True),
    Published("cifar10", 2024, *_TEST_LOSS, 1.564002, _CCE, augment=False),
    Published("cifar10", 2024, *_ACCURACY, 0.6814, _CCE, augment=False),
    Published("cifar10", 2024, *_AUGMENTED_LOSS, 0.9079457, _CCE, augment=True),
    Published("cifar10", 2024, *_AUGMENTED_ACCURACY, 0.6981, _CCE, augment=True),
    Published("wafer", 2023, *_LOGISTIC, 0.9018494),
    Published("wafer", 2023, *_TEST_LOSS, 0.01831522, _CCE),
    Published("wafer", 2023, *_ACCURACY, 0.9969176, _CCE),
    Published("wafer", 2024, *_LOGISTIC, 0.9018494),
    Published("wafer", 2024, *_TEST_LOSS, 0.02496975, _CCE),
    Published("wafer", 2024, *_ACCURACY, 0.995782, _CCE),
)


def settings_of(exercise: str, edition: int, *, augment: bool = False) -> Settings:
    """Return the course's settings for one training.

    `exercise` is named as in a run record; `edition` is the year of the solution.
    """
    return SETTINGS[f"{exercise}_augmented" if augment else exercise, edition]


def decimals(value: float) -> int:
    """Return the number of decimals that a number was printed with.

    R does not print trailing zeros, so they do not count.
    """
    digits = format(Decimal(repr(float(value))), "f")  # without an exponent
    return len(digits.partition(".")[2].rstrip("0"))


def compare(record: RunRecord) -> list[dict[str, Any]]:
    """Compare a run that has its metrics with the published numbers of its exercise and edition.

    Each has the keys ``quantity``, ``key``, ``ours``, ``published`` and ``difference`` (ours minus
    published). Numbers for another loss or another augmentation are left out.
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
        and number.augment in (None, record.augment)
        and (ours := record.get(number.key)) is not None
    ]


def comparison_table(record: RunRecord, course: Settings) -> tuple[pd.DataFrame, list[str]]:
    """Return a table of our numbers and the published ones, and remarks on the comparison.

    `record` has its field ``published``, and `course` the settings of these numbers. Numbers are
    text with the published decimals; those of a network trained with other settings are left out.
    """
    import pandas as pd

    ours = (record.epochs, record.batch_size)
    alike = ours == (course.epochs, course.batch_size) and not record.quick
    numbers = [each for each in record.published if alike or each["key"].startswith("baseline.")]
    rows = []
    for each in numbers:
        digits = decimals(each["published"])
        rounded = round(each["ours"], digits)
        rows.append(
            {
                "quantity": each["quantity"],
                "ours": f"{rounded:.{digits}f}",
                "published": f"{each['published']:.{digits}f}",
                "difference": f"{round(rounded - each['published'], digits) + 0.0:.{digits}f}",
            }
        )
    remarks = []
    fixed = [each["quantity"] for each in numbers if each["key"].startswith("baseline.")]
    if fixed:
        model = fixed[0].partition(":")[0]
        remarks.append(f"The {model} has no randomness and must match the printed digits.")
    if not alike:
        remarks.append(
            f"{'In a quick run the' if record.quick else 'The'} network was trained for "
            f"{record.epochs} epochs in batches of "
            f"{record.batch_size}, the course's for {course.epochs} in batches of "
            f"{course.batch_size}: no comparison."
        )
    elif any(each["key"].startswith("metrics.") for each in numbers):
        remarks.append(
            f"The networks start from random weights: ours is the run with seed {record.seed}, "
            "the course's one run without a seed."
        )
    else:
        title = LOSSES[record.loss].title if record.loss else "this loss"
        remarks.append(f"The course has no network trained on {title}.")
    return pd.DataFrame(rows), remarks
