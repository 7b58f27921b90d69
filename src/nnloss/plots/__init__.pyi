from .classification import confusion_matrix, mean_confusion, roc_and_precision_recall
from .examples import images, series
from .hidden_states import map_by_class, states_by_target
from .regression import predicted_vs_actual, squared_against_absolute
from .reproduction import (
    MANY,
    bands,
    distributions,
    paired_differences,
    printed_logs,
    split_differences,
    training_bands,
)
from .surfaces import landscapes, profiles
from .theory import gradients, pitfalls, twins
from .training import history, train_test_gap

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
