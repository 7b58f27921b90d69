"""Training logs and confusion matrices that the course printed.

The two runs of 2024 printed loss and metric after each epoch, on training rows (means over the
batches of the epoch) and on test rows. All three runs printed the confusion matrices of CIFAR-10.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from nnloss.course.published import EDITIONS, Edition, Settings, parse_edition, settings_of
from nnloss.errors import DataError

_HOME = Path(__file__).with_name("printed")
#: Series of a log, and their columns in our curves by metric of the network.
SERIES = {"loss": "train_loss", "metric": "{}", "val_loss": "val_loss", "val_metric": "val_{}"}


@dataclass(frozen=True)
class Network:
    """A network of the course: exercise, training loss, metric in its logs, and augmentation."""

    exercise: str
    loss: str
    metric: str
    augment: bool | None = None

    def settings(self, edition: Edition) -> Settings:
        """Return the epochs and the batch size of an edition."""
        return settings_of(self.exercise, edition, augment=bool(self.augment))


_CCE = "categorical_crossentropy"
#: Networks by their names in the printed tables.
NETWORKS = {
    "boston": Network("boston", "mean_squared_error", "mean_absolute_error"),
    "cifar10": Network("cifar10", _CCE, "accuracy", augment=False),
    "cifar10_augmented": Network("cifar10", _CCE, "accuracy", augment=True),
    "wafer": Network("wafer", _CCE, "accuracy"),
}
_CLASSES = range(10)


def training_logs(
    path: Path = _HOME / "training_logs.csv",
) -> dict[tuple[str, Edition], pd.DataFrame]:
    """Return the logs by network and edition.

    Each is a table with a row per epoch and the columns of `SERIES`. Raise DataError for an unknown
    network or edition, a missing or repeated epoch, or a missing value.
    """
    rule = f"The training logs in '{path.name}' must be complete"
    logs = {}
    for name, edition, rows in _parts(path, ["epoch", *SERIES], rule):
        epochs = NETWORKS[name].settings(edition).epochs
        missing = set(range(1, epochs + 1)).difference(rows["epoch"])
        if missing or len(rows) != epochs:
            found = f"epoch {min(missing)} is missing" if missing else "an epoch is there twice"
            raise DataError(rule, f"{found} for {name}, {edition}", f"Give epochs 1 to {epochs}")
        logs[name, edition] = rows.set_index("epoch").sort_index().astype(float)
    return logs


def confusion_matrices(
    path: Path = _HOME / "confusion_matrices.csv",
) -> dict[tuple[str, Edition], pd.DataFrame]:
    """Return the counts of test images by network and edition.

    Each is a table with a row per actual class and a column per predicted class, both from 0 to 9.
    Raise DataError for an unknown network or edition, or if a cell is missing or repeated.
    """
    rule = f"The confusion matrices in '{path.name}' must be complete"
    matrices = {}
    for name, edition, rows in _parts(path, ["predicted", "actual", "count"], rule):
        cells = rows.set_index(["actual", "predicted"])["count"]
        wanted = pd.MultiIndex.from_product([_CLASSES, _CLASSES], names=cells.index.names)
        if not cells.index.is_unique or set(wanted) != set(cells.index):
            raise DataError(
                rule, f"found {len(cells)} cells for {name}, {edition}", "Give 10 by 10"
            )
        matrices[name, edition] = cells.unstack("predicted").astype(int)
    return matrices


def _parts(path: Path, columns: list[str], rule: str) -> list[tuple[str, Edition, pd.DataFrame]]:
    table = pd.read_csv(path)
    if list(table.columns) != ["edition", "network", *columns]:
        raise DataError(rule, f"found the columns {', '.join(table.columns)}", "Restore the file")
    if table.isna().any(axis=None):
        raise DataError(rule, "a value is missing", "Restore the file")
    parts = []
    for (text, name), rows in table.groupby(["edition", "network"], sort=False):
        edition = parse_edition(str(text))
        if name not in NETWORKS or edition not in EDITIONS:
            known = f"{', '.join(NETWORKS)}; editions {', '.join(map(str, EDITIONS))}"
            raise DataError(rule, f"found {name}, {edition}", f"Known are the networks {known}")
        parts.append((str(name), edition, rows[columns].reset_index(drop=True)))
    return parts
