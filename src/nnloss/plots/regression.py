"""Figures of a regression: predictions against targets, and shares of the total error."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from nnloss.plots.style import (
    ABSOLUTE,
    GREY,
    SQUARED,
    STYLE,
    figure_with_panels,
    model_styles,
)


@rc_context(STYLE)
def predicted_vs_actual(
    actual: ArrayLike,
    predictions: Mapping[str, ArrayLike],
    *,
    limits: tuple[float, float],
    unit: str,
    names: ArrayLike | None = None,
    kind: str = "row",
) -> Figure:
    """Draw predictions against targets, one panel per model.

    Parameters
    ----------
    actual : array_like, shape (N,)
        Targets.
    predictions : mapping of str to array_like, shape (N,)
        Predictions by model name.
    limits : (float, float)
        Limits of both axes.
    unit : str
        Unit of the target.
    names : array_like, shape (N,), optional
        Row labels; by default the rows are counted from 0.
    kind : str, default "row"
        Description of `names`.

    Returns
    -------
    Figure
        The dashed diagonal marks perfect predictions. A ring and a label mark the largest error,
        whose share in the squared error is in the title. A note counts points outside the limits.

    Examples
    --------
    >>> from nnloss import plots
    >>> predictions = {"network": [21.0, 28.0, 50.0]}
    >>> figure = plots.predicted_vs_actual(
    ...     [20.0, 30.0, 40.0], predictions, limits=(0, 60), unit="1000 USD"
    ... )
    >>> print(figure.axes[0].get_title(loc="left"))
    network: MAE 4.33,
    MSE 35.00, 95 % of it from row 2
    """
    y = np.asarray(actual)
    rows = np.arange(len(y)) if names is None else np.asarray(names)
    styles = model_styles(predictions)
    figure, panels = figure_with_panels(len(predictions), 4.2, sharey=True)
    for axes, (name, values) in zip(panels, predictions.items(), strict=True):
        p = np.asarray(values)
        colour = styles[name][0]
        error = abs(y - p)
        worst = int(np.argmax(error))
        axes.plot(limits, limits, color=GREY, linestyle="--", linewidth=1)
        axes.scatter(y, p, s=20, color=colour, alpha=0.6, edgecolors="white", linewidths=0.4)
        axes.set(
            xlim=limits,
            ylim=limits,
            aspect="equal",
            xlabel=f"actual, {unit}",
            title=f"{name}: MAE {error.mean():.2f},\nMSE {np.mean(error**2):.2f}, "
            f"{100 * error[worst] ** 2 / np.sum(error**2):.0f} % of it from {kind} {rows[worst]}",
        )
        at = float(y[worst]), float(np.clip(p[worst], *limits))
        along, up = ((place - limits[0]) / (limits[1] - limits[0]) for place in at)
        axes.plot(*at, "o", markersize=9, mfc="none", color=colour)
        # Away from the diagonal, where there are few points and there is room.
        left = along > (0.37 if up > along else 0.63)
        axes.annotate(
            f"{kind} {rows[worst]}:\npredicted {p[worst]:.1f},\nactual {y[worst]:.1f}",
            at,
            xytext=(-8 if left else 8, 0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="top" if up > 0.9 else "bottom" if up < 0.1 else "center",
        )
        outside = int(np.sum((p < limits[0]) | (p > limits[1])))
        if outside:
            note = f"outside the axes: {outside}"
            axes.text(0.97, 0.03, note, transform=axes.transAxes, ha="right")
        axes.grid()
    panels[0].set_ylabel(f"predicted, {unit}")
    return figure


@rc_context(STYLE)
def squared_against_absolute(
    names: ArrayLike,
    actual: ArrayLike,
    predictions: Mapping[str, ArrayLike],
    *,
    kind: str = "row",
    worst: int = 5,
) -> Figure:
    """Draw the share of the worst rows in the squared and in the absolute error, by their number.

    Parameters
    ----------
    names : array_like, shape (N,)
        Row labels.
    actual : array_like, shape (N,)
        Targets.
    predictions : mapping of str to array_like, shape (N,)
        Predictions by model name.
    kind : str, default "row"
        Description of `names`.
    worst : int, default 5
        Number of rows to name and to sum up in the title.

    Returns
    -------
    Figure
        One panel per model with two cumulative curves; dots mark the `worst` rows. The dashed
        diagonal is the curve of equal errors.

    Examples
    --------
    >>> from nnloss import plots
    >>> predictions = {"network": [21.0, 28.0, 50.0]}
    >>> figure = plots.squared_against_absolute(
    ...     ["a", "b", "c"], [20.0, 30.0, 40.0], predictions, worst=1
    ... )
    >>> print(figure.axes[0].get_title(loc="left"))
    network: 1 of 3 test rows
    make 95 % of the squared error
    """
    y, rows = np.asarray(actual), np.asarray(names)
    worst = min(worst, len(y))
    figure, panels = figure_with_panels(len(predictions), 3.6, sharey=True)
    number = np.arange(len(y) + 1)
    for axes, (model, values) in zip(panels, predictions.items(), strict=True):
        size = np.abs(y - np.asarray(values))
        order = np.argsort(-size)
        shares = {}
        third = len(y) // 3
        for label, error, colour, line, below in (
            ("squared error", size**2, SQUARED, "-", False),
            ("absolute error", size, ABSOLUTE, "-.", True),
        ):
            share = 100 * np.append(0, np.cumsum(error[order])) / np.sum(error)
            shares[label] = share[worst]
            axes.plot(number, share, line, color=colour, label=label, linewidth=2)
            axes.plot(worst, share[worst], "o", color=colour)
            axes.annotate(
                f"{share[worst]:.0f} %",
                (worst, share[worst]),
                xytext=(6, -2),
                textcoords="offset points",
                va="top",
            )
            # The curves are concave: above to the left and below to the right is room.
            axes.annotate(
                label,
                (third, share[third]),
                xytext=(6, -3) if below else (-2, 3),
                textcoords="offset points",
                ha="left" if below else "right",
                va="top" if below else "bottom",
            )
        axes.plot((0, len(y)), (0, 100), color=GREY, linestyle="--", linewidth=1)
        axes.text(
            0.97,
            0.03,
            f"the {worst} worst, {kind}:\n" + ", ".join(str(row) for row in rows[order[:worst]]),
            transform=axes.transAxes,
            ha="right",
        )
        axes.set(
            xlim=(0, len(y)),
            ylim=(0, 105),
            xlabel="number of test rows, worst first",
            title=f"{model}: {worst} of {len(y)} test rows\nmake "
            f"{shares['squared error']:.0f} % of the squared error",
        )
        axes.grid()
    panels[0].set_ylabel("share of the total error, %")
    return figure
