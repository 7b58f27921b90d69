"""Figures of a run, from its tables; no file is written here.

Units on the axes are the caller's to name.
"""

from nnloss.plots.classification import confusion_matrix, mean_confusion, roc_and_precision_recall
from nnloss.plots.demonstrations import (
    gradients,
    landscapes,
    map_by_class,
    pitfalls,
    profiles,
    states_by_target,
    twins,
)
from nnloss.plots.examples import images, series
from nnloss.plots.regression import predicted_vs_actual, squared_against_absolute
from nnloss.plots.sweeps import (
    MANY,
    bands,
    distributions,
    paired_differences,
    training_bands,
)
from nnloss.plots.training import history, train_test_gap

__all__ = [
    "MANY",
    "bands",
    "confusion_matrix",
    "distributions",
    "gradients",
    "history",
    "images",
    "landscapes",
    "map_by_class",
    "mean_confusion",
    "paired_differences",
    "pitfalls",
    "predicted_vs_actual",
    "profiles",
    "roc_and_precision_recall",
    "series",
    "squared_against_absolute",
    "states_by_target",
    "train_test_gap",
    "training_bands",
    "twins",
]
