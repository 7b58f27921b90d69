"""Table of the layers of a network."""

from __future__ import annotations

from typing import Any

import pandas as pd


def layer_table(model: Any) -> pd.DataFrame:
    """Return a table of a built Keras model: kind, output shape and parameters of each layer.

    Shapes are those of one row. The last row has the number of all parameters.
    """
    rows = [
        {
            "layer": _kind(layer),
            "output": " x ".join(str(size) for size in layer.output.shape[1:]),
            "parameters": layer.count_params(),
        }
        for layer in model.layers
        if type(layer).__name__ != "InputLayer"
    ]
    return pd.DataFrame([*rows, {"layer": "all", "output": "", "parameters": model.count_params()}])


def _kind(layer: Any) -> str:
    """Return the class of a layer, with its activation if it has one."""
    activation = getattr(layer, "activation", None)
    name = type(layer).__name__
    return f"{name}, {activation.__name__}" if activation else name
