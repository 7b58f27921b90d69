"""Figures of a classification: confusion matrices, ROC and precision-recall curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from nnloss.plots.style import BLUE, GREEN, GREY, LINE, ORANGE, PURPLE, row_of_panels


def confusion_matrix(counts: Mapping[str, ArrayLike], classes: Sequence[str]) -> Figure:
    """Draw confusion matrices, one panel per model.

    Parameters
    ----------
    counts : mapping of str to array_like, shape (C, C)
        Counts by actual class (rows) and predicted class (columns), by model name.
    classes : sequence of str
        Class names.

    Returns
    -------
    Figure
        Counts as numbers; the shade is the share of the actual class, so that rare classes are
        visible.
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


def mean_confusion(table: pd.DataFrame) -> Figure:
    """Draw the confusion matrix of one configuration, averaged over seeds.

    Parameters
    ----------
    table : DataFrame
        Columns ``seed``, ``actual``, ``predicted`` and ``count``.

    Returns
    -------
    Figure
        Mean counts and, from two seeds on, their standard deviations; the shade is the share of
        the actual class.
    """
    classes = list(dict.fromkeys(table["actual"]))
    cells = table.set_index(["seed", "actual", "predicted"])["count"].unstack(
        ["actual", "predicted"]
    )
    # A missing cell is a mistake that never occurred.
    cells = cells.reindex(columns=pd.MultiIndex.from_product([classes, classes])).fillna(0)
    mean, sd = (each.to_numpy().reshape(len(classes), -1) for each in (cells.mean(), cells.std()))
    share = mean / np.maximum(mean.sum(axis=1, keepdims=True), 1)
    size = max(2.6, 0.48 * len(classes))
    turned = 45 if len(classes) > 3 else 0
    room = 0.35 + 0.075 * max(len(str(name)) for name in classes)
    below = 0.7 * room + 0.15 if turned else 0.6
    figure = Figure(figsize=(size + room, size + below), layout="constrained")
    (axes,) = row_of_panels(figure, 1)
    for row, column in np.ndindex(mean.shape):
        # Kept light, so that black numbers stay readable.
        shade = (BLUE, 0.5 * share[row, column])
        corner = (column - 0.5, row - 0.5)
        axes.add_patch(Rectangle(corner, 1, 1, facecolor=shade, edgecolor=LINE, linewidth=0.5))
        several = np.isfinite(sd[row, column])
        number, under = f"{mean[row, column]:,.0f}", "bottom" if several else "center"
        axes.text(column, row, number, ha="center", va=under, fontsize=9)
        if several:
            spread = f"± {sd[row, column]:,.{0 if sd[row, column] >= 9.95 else 1}f}"
            axes.text(column, row + 0.06, spread, ha="center", va="top", fontsize=7)
    places = range(len(classes))
    axes.set_xticks(places, classes, rotation=turned, ha="right" if turned else "center")
    axes.set_yticks(places, classes)
    axes.set(xlim=(-0.5, len(classes) - 0.5), ylim=(len(classes) - 0.5, -0.5), aspect="equal")
    axes.set(xlabel="predicted", ylabel="actual")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure


def roc_and_precision_recall(positive: ArrayLike, scores: Mapping[str, ArrayLike]) -> Figure:
    """Draw ROC and precision-recall curves of several models.

    Parameters
    ----------
    positive : array_like of bool, shape (N,)
        True for rows of the positive class.
    scores : mapping of str to array_like, shape (N,)
        Scores by model name; higher means more likely positive.

    Returns
    -------
    Figure
        Two panels; a finely dotted line marks guessing. Line styles repeat after four models.
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
        # Steps, as in the average precision, which does not interpolate.
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
