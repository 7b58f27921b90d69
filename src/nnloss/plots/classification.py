"""Figures of a classification: the confusion matrix, and the curves over all thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from nnloss.plots.style import BLUE, GREEN, GREY, ORANGE, PURPLE, row_of_panels


def confusion_matrix(counts: Mapping[str, ArrayLike], classes: Sequence[str]) -> Figure:
    """Confusion matrices, a panel for each model.

    Parameters
    ----------
    counts : mapping of str to array_like, shape (C, C)
        Rows by actual class (down) and predicted class (across), by name of the model.
    classes : sequence of str
        Names of the classes.

    Returns
    -------
    Figure
        Numbers are counts; the shade is the share of the actual class, so that a rare class is
        seen as well as a frequent one.
    """
    size = max(3.6, 0.62 * len(classes))
    figure = Figure(figsize=((size + 1.4) * len(counts), size + 1.2), layout="constrained")
    for axes, (name, values) in zip(
        row_of_panels(figure, len(counts)), counts.items(), strict=True
    ):
        matrix = np.asarray(values)
        share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
        axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
        for actual, predicted in np.ndindex(matrix.shape):
            axes.text(
                predicted,
                actual,
                f"{matrix[actual, predicted]:,}",
                ha="center",
                va="center",
                fontsize=9,
                color="white" if share[actual, predicted] > 0.55 else "black",
            )
        places = range(len(classes))
        turned = 45 if len(classes) > 3 else 0
        axes.set_xticks(places, classes, rotation=turned, ha="right" if turned else "center")
        axes.set_yticks(places, classes)
        error = 1 - np.trace(matrix) / matrix.sum()
        axes.set(
            xlabel="predicted (shade: share of the row)",
            ylabel="actual",
            title=f"{name}\n{matrix.sum():,} test rows, misclassified {error:.2%}",
        )
    return figure


def roc_and_precision_recall(positive: ArrayLike, scores: Mapping[str, ArrayLike]) -> Figure:
    """ROC curve and precision-recall curve of several models.

    Parameters
    ----------
    positive : array_like of bool, shape (N,)
        Whether a row is of the class looked for.
    scores : mapping of str to array_like, shape (N,)
        The higher, the more a model holds the row for one of that class.

    Returns
    -------
    Figure
        Two panels; finely dotted is a model that guesses. After four models the styles begin anew.
    """
    from sklearn.metrics import (
        average_precision_score,
        precision_recall_curve,
        roc_auc_score,
        roc_curve,
    )

    truth = np.asarray(positive, dtype=bool)
    figure = Figure(figsize=(11, 4.8), layout="constrained")
    roc, precision = row_of_panels(figure, 2)
    styles = cycle(zip((BLUE, ORANGE, GREEN, PURPLE), ("-", "--", "-.", ":"), strict=True))
    for (name, score), (colour, line) in zip(scores.items(), styles, strict=False):
        x, y, _ = roc_curve(truth, score)
        area = roc_auc_score(truth, score)
        roc.plot(x, y, line, color=colour, label=f"{name}: AUC {area:.4f}")
        y, x, _ = precision_recall_curve(truth, score)
        area = average_precision_score(truth, score)
        # Steps, as the average precision counts: between two points no precision is reached.
        precision.plot(
            x, y, line, color=colour, drawstyle="steps-post", label=f"{name}: {area:.4f}"
        )
    roc.plot(
        (0, 1), (0, 1), color=GREY, linestyle=(0, (1, 4)), linewidth=1, label="guessing: AUC 0.5"
    )
    precision.axhline(
        truth.mean(),
        color=GREY,
        linestyle=(0, (1, 4)),
        linewidth=1,
        label=f"guessing: {truth.mean():.4f}",
    )
    roc.set(xlabel="false positive rate", ylabel="true positive rate (recall)", title="ROC")
    precision.set(xlabel="recall", ylabel="precision", title="Precision and recall", ylim=(0, 1.03))
    for axes in (roc, precision):
        axes.grid(alpha=0.3)
    roc.legend(loc="lower right")
    precision.legend(loc="lower left", title="average precision")
    return figure
