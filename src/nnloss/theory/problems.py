"""Six problems on the same rows: all targets derive from Boston's prices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnloss.datasets import Split
from nnloss.table import Task


def targets(split: Split) -> dict[str, NDArray[Any]]:
    """Return the training targets of each task of the table.

    Parameters
    ----------
    split : Split
        Boston Housing, with prices in 1000 USD.

    Returns
    -------
    dict of str to ndarray
        By name of the task: the price (regression), whether it is above the median (binary), its
        third (multi-class), its whole thousands (counts), whether it exceeds each limit between
        the thirds (two labels), and the price with its logarithm (two quantities).
    """
    y = split.y_train
    thirds = np.quantile(y, [1 / 3, 2 / 3])
    return {
        "regression": y,
        "binary": (y > np.median(y)).astype(int),
        "multiclass": np.digitize(y, thirds),
        "counts": np.floor(y),
        "multilabel": (y[:, np.newaxis] > thirds).astype(int),
        "multioutput": np.column_stack([y, np.log(y)]),
    }


def pair_of(task: Task) -> str:
    """Return a task's output activation and loss, such as "sigmoid + BCE"."""
    loss = task.loss.aliases[0].upper() if task.loss.aliases else task.loss.title
    return f"{'' if task.nodes or not task.domain.by_node else 'k '}{task.activation} + {loss}"
