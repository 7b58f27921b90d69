"""Captions of the figures of the exercises, by the name of the figure's file."""

from __future__ import annotations

CAPTIONS = {
    "examples": "Examples of the training rows by class.",
    "history": (
        "Loss and metric by epoch. Solid: training rows, averaged over the batches of each epoch "
        "while the weights change; dashed: test rows. Where the lines part, the network learns "
        "what does not carry over."
    ),
    "predicted_vs_actual": (
        "Predicted against actual value of the test rows. On the dashed diagonal they are equal; "
        "the ring marks the worst row."
    ),
    "losses": (
        "Share of the worst test rows in the total error. Squaring lets few rows dominate; on the "
        "dashed line all errors are equal."
    ),
    "confusion_matrix": (
        "Test rows by actual and predicted class; the shade is the share of the actual class. Off "
        "the diagonal are mistakes."
    ),
    "roc_and_precision_recall": (
        "ROC and precision-recall curves on the test rows; below, the framed corners enlarged. "
        "Dotted: guessing. Where a class is rare, precision shows what ROC hides."
    ),
    "all_models": (
        "ROC and precision-recall curves of all models on the test rows; below, the framed corners "
        "enlarged. Dotted: guessing."
    ),
    "most_confused": (
        "The most frequent mistakes, with their number among the test images; in each row the "
        "surest first."
    ),
    "train_test_gap": (
        "Accuracy by epoch without and with augmentation. The black bar is the gap: from the test "
        "images to the training images as they are (star)."
    ),
}
