"""Figures of a classification: confusion matrices, ROC and precision-recall curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from nnloss.plots.style import (
    BLUE,
    GREY,
    LINE,
    STYLE,
    WIDTH,
    figure_with_panels,
    model_styles,
    row_of_panels,
)


@rc_context(STYLE)
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
        Two panels a row. Counts as numbers; the shade is the share of the actual class, so that
        rare classes are visible. The titles give the share of mistakes and the most frequent one.

    Examples
    --------
    >>> from nnloss import plots
    >>> counts = {"network": [[8, 2], [1, 89]]}
    >>> figure = plots.confusion_matrix(counts, ["abnormal", "normal"])
    >>> print(figure.axes[0].get_title(loc="left"))
    network: 3.00 % wrong,
    most often abnormal taken for normal (2)
    """
    few = len(classes) <= 3
    figure, panels = figure_with_panels(len(counts), 2.1 if few else 4.5, across=2, sharey=True)
    places = range(len(classes))
    for axes, (name, values) in zip(panels, counts.items(), strict=True):
        matrix = np.asarray(values)
        share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
        axes.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto" if few else "equal")
        for actual, predicted in np.ndindex(matrix.shape):
            axes.text(
                predicted,
                actual,
                f"{matrix[actual, predicted]:,}",
                ha="center",
                va="center",
                fontsize=9 if few else 8,
                color="white" if share[actual, predicted] > 0.55 else "black",
            )
        mistakes = matrix - np.diag(np.diag(matrix))
        actual, predicted = divmod(int(np.argmax(mistakes)), len(classes))
        axes.set_title(
            f"{name}: {100 * mistakes.sum() / matrix.sum():.2f} % wrong,\n"
            f"most often {classes[actual]} taken for {classes[predicted]} ({mistakes.max():,})"
            if mistakes.any()
            else f"{name}: none wrong"
        )
        axes.set_xticks(places, classes, rotation=0 if few else 90)
        axes.set_yticks(places, classes)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    figure.supxlabel(
        f"predicted, {matrix.sum():,} test rows (the shade is the share of the actual class)"
    )
    figure.supylabel("actual")
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
            axes.text(column, row + 0.06, spread, ha="center", va="top", fontsize=7.5)
    places = range(len(classes))
    axes.set_xticks(places, classes, rotation=turned, ha="right" if turned else "center")
    axes.set_yticks(places, classes)
    axes.set(xlim=(-0.5, len(classes) - 0.5), ylim=(len(classes) - 0.5, -0.5), aspect="equal")
    axes.set(xlabel="predicted", ylabel="actual")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure


@rc_context(STYLE)
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
        Whole curves above; below, enlarged, the corners where good models are: at most 2 % of false
        positives, at least 90 % of recall and of precision. A dotted line marks guessing.
        The legend gives the areas, the titles the largest one.

    Examples
    --------
    >>> from nnloss import plots
    >>> scores = {"network": [0.1, 0.6, 0.4, 0.9]}
    >>> figure = plots.roc_and_precision_recall([0, 0, 1, 1], scores)
    >>> print(figure.axes[0].get_title(loc="left"))
    ROC: the largest area is 0.7500,
    network
    """
    from sklearn.metrics import (
        average_precision_score,
        precision_recall_curve,
        roc_auc_score,
        roc_curve,
    )

    truth = np.asarray(positive, dtype=bool)
    figure = Figure(figsize=(WIDTH, 6.6), layout="constrained")
    panels = figure.subplots(2, 2)
    areas = {name: roc_auc_score(truth, score) for name, score in scores.items()}
    precisions = {name: average_precision_score(truth, score) for name, score in scores.items()}
    for row, (roc, precision) in enumerate(panels):
        for name, (colour, line) in model_styles(scores).items():
            x, y, _ = roc_curve(truth, scores[name])
            label = f"{name}: AUC {areas[name]:.4f}, average precision {precisions[name]:.4f}"
            roc.plot(x, y, line, color=colour, label=label)
            y, x, _ = precision_recall_curve(truth, scores[name])
            # Steps, as in the average precision, which does not interpolate.
            precision.plot(x, y, line, color=colour, drawstyle="steps-post")
        dotted: dict[str, Any] = {"color": GREY, "linestyle": (0, (1, 3)), "linewidth": 1.2}
        label = f"guessing: AUC 0.5, average precision {truth.mean():.4f}"
        roc.plot((0, 1), (0, 1), label=label, **dotted)
        precision.axhline(truth.mean(), **dotted)
        roc.set(xlabel="false positive rate", ylabel="true positive rate (recall)")
        precision.set(xlabel="recall", ylabel="precision")
        corners = ((0, 0.02), (0.9, 1)), ((0.9, 1), (0.9, 1))
        for axes, ((left, right), (bottom, top)) in zip((roc, precision), corners, strict=True):
            axes.grid()
            if row:
                axes.set(xlim=(left, right), ylim=(bottom, top + 0.002))
                axes.set_title("The same, enlarged")
            else:
                axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
                frame = Rectangle(
                    (left, bottom), right - left, top - bottom, fill=False, edgecolor=GREY
                )
                axes.add_patch(frame)
    for axes, title, found in (
        (panels[0, 0], "ROC: the largest area is", areas),
        (panels[0, 1], "Largest average precision:", precisions),
    ):
        best = max(found, key=found.__getitem__)
        axes.set_title(f"{title} {found[best]:.4f},\n{best}")
    handles = panels[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower left", handlelength=3.5)
    return figure
