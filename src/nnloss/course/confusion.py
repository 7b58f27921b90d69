"""Confusion matrix of a classifier."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from nnloss.datasets import Split

Array = np.ndarray[Any, np.dtype[Any]]


def confusion(split: Split, predicted: Array) -> pd.DataFrame:
    """Count test rows by actual class (rows) and predicted class (columns)."""
    from sklearn.metrics import confusion_matrix

    numbers = range(len(split.classes))
    counts = confusion_matrix(split.y_test, predicted, labels=numbers)
    return pd.DataFrame(counts, index=split.classes, columns=split.classes)
