"""Prediction of one model with the weights of many seeds."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnloss._tensorflow import keras, tf
from nnloss.errors import NnlossError
from nnloss.training import device_data
from nnloss.training.batched_layers import NotBatchable, stack
from nnloss.training.stacked_models import MEMORY, MODELS, rows_at_once, weights_of

logger = logging.getLogger("nnloss")


def predict_many(
    model: Any, weights: Mapping[int, Sequence[NDArray[Any]]], x: Any
) -> NDArray[np.float32]:
    """Return the outputs of one model with the weights of many seeds.

    Parameters
    ----------
    model : keras.Model
        As `compile_for_task` makes it from the body and the task of `fit_many`. Its own weights do
        not matter and stay as they are.
    weights : mapping of int to list of ndarray
        From `fit_many` with ``return_weights=True``.
    x : array_like of shape (N, ...)
        Inputs.

    Returns
    -------
    ndarray of float32 of shape (seeds, N, nodes)
        Outputs, in the order of `weights`. A model that `fit_many` cannot stack predicts one seed
        after another; the reason is logged.

    Raises
    ------
    NnlossError
        If `weights` is empty or not of this model, or if `x` is not an array or has no rows.

    Examples
    --------
    >>> import keras
    >>> import numpy as np
    >>> from nnloss import REGRESSION, compile_for_task, fit_many, predict_many
    >>> def network():
    ...     return keras.Sequential([keras.Input((1,)), keras.layers.Dense(4, "relu")])
    >>> x = np.linspace(-1, 1, 64)[:, np.newaxis]
    >>> options = {"task": REGRESSION, "epochs": 2, "jit_compile": False}
    >>> runs, weights = fit_many(
    ...     network, x, 2 * x[:, 0], seeds=range(3), return_weights=True, **options
    ... )
    >>> outputs = predict_many(compile_for_task(network(), REGRESSION), weights, x)
    >>> outputs.shape
    (3, 64, 1)
    >>> mean, sd = outputs.mean(axis=0), outputs.std(axis=0)
    """
    _require_weights(model, weights)
    given = list(weights.values())
    template = keras.Model(model.inputs, model.outputs)
    most = max(1, min(MODELS, MEMORY // (4 * max(1, template.count_params()))))
    chunks = -(-len(given) // most)
    models = -(-len(given) // chunks)
    rows = _rows(x)
    try:
        network = stack(template, models)
    except NotBatchable as reason:
        logger.info("Seeds predict one after another, because of %s", reason)
        single = keras.models.clone_model(template)
        return np.stack([_alone(single, own, x) for own in given])
    x, step = device_data.tensors(x), rows_at_once(template, models)

    def outputs(part: Any) -> Any:
        copies = tf.broadcast_to(part, (models, *part.shape))
        return network(copies, training=False)

    predicted = []
    for begin in range(0, len(given), models):
        chunk = given[begin : begin + models]
        padded = [*chunk, *chunk[-1:] * (models - len(chunk))]
        for weight, values in zip(weights_of(network), zip(*padded, strict=True), strict=True):
            weight.assign(np.stack(values))
        parts = [outputs(x[first : first + step]).numpy() for first in range(0, rows, step)]
        predicted.append(np.concatenate(parts, axis=1)[: len(chunk)])
    return np.concatenate(predicted)


def _alone(model: Any, weights: Sequence[NDArray[Any]], x: Any) -> NDArray[np.float32]:
    model.set_weights(weights)
    outputs: NDArray[np.float32] = model.predict(x, verbose=0)
    return outputs


def _rows(x: Any) -> int:
    """Return the number of rows of arrays; raise NnlossError without any."""
    leaves = keras.tree.flatten(x)
    if not device_data.in_memory(x) or any(leaf is None for leaf in leaves):
        found = f"found {type(x).__name__}"
    elif not leaves or not all(len(leaf) for leaf in leaves):
        found = "found none"
    else:
        return len(leaves[0])
    raise NnlossError("predict_many needs arrays with rows", found, "Give a NumPy array")


def _require_weights(model: Any, weights: Mapping[int, Sequence[NDArray[Any]]]) -> None:
    rule = "predict_many needs the weights of its model"
    if not weights:
        raise NnlossError(rule, "found none", "Give those of fit_many(..., return_weights=True)")
    due = [tuple(each.shape) for each in model.weights]
    for seed, own in weights.items():
        found = [np.shape(each) for each in own]
        if found != due:
            raise NnlossError(
                rule,
                f"found shapes {found} for seed {seed}; the model has {due}",
                "Give the model that compile_for_task makes from the same body and task",
            )
