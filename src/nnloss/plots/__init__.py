"""How does a result look?

Each function draws tables or arrays as a matplotlib Figure and writes no file. The caller names
the units. Imports nothing from the rest of nnloss.
"""

from nnloss.plots.classification import confusion_matrix, mean_confusion, roc_and_precision_recall
from nnloss.plots.examples import images, series
from nnloss.plots.hidden_states import map_by_class, states_by_target
from nnloss.plots.landscapes import landscapes, profiles
from nnloss.plots.regression import predicted_vs_actual, squared_against_absolute
from nnloss.plots.reproduction import (
    MANY,
    bands,
    distributions,
    paired_differences,
    printed_logs,
    split_differences,
    training_bands,
)
from nnloss.plots.theory import gradients, pitfalls, twins
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
    "printed_logs",
    "profiles",
    "roc_and_precision_recall",
    "series",
    "split_differences",
    "squared_against_absolute",
    "states_by_target",
    "train_test_gap",
    "training_bands",
    "twins",
]
