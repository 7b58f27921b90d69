"""The course's settings and published numbers, and their comparison with ours.

TMA4268 Statistical Learning (NTNU), module 11. The solution was run three times in R with keras,
without a seed: for the pages of 2023, for the pages of 2024, and once more for the PDF of 2024. The
classical models are deterministic, the networks are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from nnloss.runs.record import RunRecord
from nnloss.table import LOSSES

if TYPE_CHECKING:
    import pandas as pd


#: A year, or "2024-pdf", which has the settings of 2024 and numbers of its own.
Edition = int | str

#: All editions.
EDITIONS: tuple[Edition, ...] = (2023, 2024, "2024-pdf")


@dataclass(frozen=True)
class Published:
    """One published number.

    Parameters
    ----------
    exercise : str
        Name as in a run record.
    edition : int or str
        One of `EDITIONS`.
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

    Examples
    --------
    >>> from nnloss.course.published import PUBLISHED
    >>> number = PUBLISHED[2]
    >>> number.exercise, number.edition, number.quantity, number.value
    ('boston', 2023, 'network: test MSE', 21.91999)
    >>> number.settings
    Settings(epochs=100, batch_size=32)
    """

    exercise: str
    edition: Edition
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
    """Epochs and batch size of a training in one edition.

    Parameters
    ----------
    epochs : int
        Number of epochs.
    batch_size : int
        Rows in a batch.
    """

    epochs: int
    batch_size: int


_SETTINGS: dict[str, tuple[Settings, Settings]] = {  # of 2023 and of 2024
    "boston": (Settings(epochs=100, batch_size=32), Settings(epochs=100, batch_size=64)),
    "cifar10": (Settings(epochs=20, batch_size=64), Settings(epochs=20, batch_size=32)),
    "cifar10_augmented": (Settings(epochs=20, batch_size=64), Settings(epochs=20, batch_size=64)),
    "wafer": (Settings(epochs=100, batch_size=64), Settings(epochs=100, batch_size=64)),
}
#: Keys are exercise and edition; the augmented network has separate settings.
SETTINGS: dict[tuple[str, Edition], Settings] = {
    (name, edition): settings[edition != 2023]
    for name, settings in _SETTINGS.items()
    for edition in EDITIONS
}

#: Units and abbreviations of the losses, by exercise.
UNITS = {
    "boston": "The mean squared error (MSE) is in (1000 USD)²; its root (RMSE) and the mean "
    "absolute error (MAE) are in 1000 USD.",
    "cifar10": "The test loss is the mean categorical cross-entropy (CCE) of an image, in nats.",
    "wafer": "The test loss is the mean cross-entropy of a series in nats: categorical (CCE) with "
    "two softmax outputs, binary (BCE) with one sigmoid output.",
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

_PRINTED: tuple[tuple[str, tuple[str, str], str | None, bool | None, tuple[float, ...]], ...] = (
    ("boston", _LINEAR_MSE, None, None, (23.1956, 23.1956, 23.1956)),
    ("boston", _LINEAR_MAE, None, None, (3.464186, 3.464186, 3.464186)),
    ("boston", _NETWORK_MSE, _MSE, None, (21.91999, 23.34256, 22.64074)),
    ("boston", _NETWORK_MAE, _MSE, None, (2.906326, 3.232276, 3.136051)),
    ("cifar10", _TEST_LOSS, _CCE, False, (1.237937, 1.564002, 1.292574)),
    ("cifar10", _ACCURACY, _CCE, False, (0.6794, 0.6814, 0.6849)),
    ("cifar10", _AUGMENTED_LOSS, _CCE, True, (0.860364, 0.9079457, 0.8508328)),
    ("cifar10", _AUGMENTED_ACCURACY, _CCE, True, (0.7045, 0.6981, 0.7133)),
    ("wafer", _LOGISTIC, None, None, (0.9018494, 0.9018494, 0.9018494)),
    ("wafer", _TEST_LOSS, _CCE, None, (0.01831522, 0.02496975, 0.0195029)),
    ("wafer", _ACCURACY, _CCE, None, (0.9969176, 0.995782, 0.9967554)),
)
#: By exercise, edition and quantity.
PUBLISHED: tuple[Published, ...] = tuple(
    Published(exercise, edition, *quantity, values[place], loss, augment)
    for name in ("boston", "cifar10", "wafer")
    for place, edition in enumerate(EDITIONS)
    for exercise, quantity, loss, augment, values in _PRINTED
    if exercise == name
)


def parse_edition(text: str) -> Edition:
    """Return an edition from its text in a command or a table."""
    return int(text) if text.isdigit() else text


def settings_of(exercise: str, edition: Edition, *, augment: bool = False) -> Settings:
    """Return the course's settings for one training.

    Parameters
    ----------
    exercise : str
        Name as in a run record.
    edition : int or str
        One of `EDITIONS`.
    augment : bool, default False
        Whether the training images are augmented.

    Returns
    -------
    Settings
        Epochs and batch size.

    Examples
    --------
    >>> from nnloss.course.published import settings_of
    >>> settings_of("boston", 2024)
    Settings(epochs=100, batch_size=64)
    """
    return SETTINGS[f"{exercise}_augmented" if augment else exercise, edition]


def decimals(value: float) -> int:
    """Return the number of decimals that a number was printed with.

    R does not print trailing zeros, so they do not count.

    Parameters
    ----------
    value : float
        Published number.

    Returns
    -------
    int
        Digits after the point.

    Examples
    --------
    >>> from nnloss.course.published import decimals
    >>> decimals(21.91999), decimals(0.7045), decimals(0.70)
    (5, 4, 1)
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
    if any("accuracy" not in each["key"] for each in numbers):
        remarks.append(UNITS[record.exercise])
    errors = [each["ours"] for each in numbers if each["key"].endswith("mean_absolute_error")]
    if errors:
        error = round(errors[-1], 2)
        remarks[-1] += f" An MAE of {error:.2f} means {1000 * error:,.0f} dollars."
    fixed = [each["quantity"] for each in numbers if each["key"].startswith("baseline.")]
    if fixed:
        model = fixed[0].partition(":")[0]
        remarks.append(f"The {model} has no randomness and must match the printed digits.")
    if not alike:
        remarks.append(
            f"{'In a quick run the' if record.quick else 'The'} network was trained for "
            f"{record.epochs} epochs in batches of {record.batch_size}, the course's for "
            f"{course.epochs} in batches of {course.batch_size}. Their numbers are not compared."
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
