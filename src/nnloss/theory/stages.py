"""Weights of a network at several epochs of its training."""

from __future__ import annotations

from typing import Any

from nnloss._keras import keras


def keep_weights(epochs: int) -> tuple[Any, dict[str, list[Any]]]:
    """Return a callback that keeps the weights early, later and at the end of a training.

    Parameters
    ----------
    epochs : int
        Epochs of the training.

    Returns
    -------
    callback : keras.callbacks.Callback
        For ``fit``.
    kept : dict of str to list of ndarray
        Weights after the first epoch, a tenth of the epochs (at least 2) and the last one, by
        title, such as ``"epoch 10"``. It is filled during the training.
    """
    kept: dict[str, list[Any]] = {}

    def keep(epoch: int, logs: Any) -> None:
        if epoch + 1 in (1, max(2, epochs // 10), epochs):
            kept[f"epoch {epoch + 1}"] = callback.model.get_weights()

    callback = keras.callbacks.LambdaCallback(on_epoch_end=keep)
    return callback, kept
