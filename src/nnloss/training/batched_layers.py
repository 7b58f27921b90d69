"""Layers of many models of one shape at once: each weight and each input has an axis for the model.

A tensor of shape (rows, ...) in one model is one of shape (models, rows, ...) here. No number ever
passes from one model to another, so what happens to one (it may diverge) is no matter to the rest.
"""

from __future__ import annotations

import inspect
from functools import reduce
from itertools import product
from typing import Any

from nnloss._tensorflow import defined_by_keras, keras, tf

ops, layers = keras.ops, keras.layers


class NotBatchable(Exception):
    """A model has something in it that this file does not know; the text says what."""


def stack(model: Any, models: int) -> Any:
    """Build a network that is so many copies of a model, each with weights of its own.

    Parameters
    ----------
    model : keras.Model
        Functional, with one input.
    models : int
        How many copies.

    Returns
    -------
    keras.Model
        From inputs of shape (models, rows, ...) to outputs of shape (models, rows, nodes). Its
        layers are in the order of those of `model`; so are the weights of a layer, each with
        `models` as its first axis. Weights are zero.

    Raises
    ------
    NotBatchable
        If a layer or what is set on it is not known here.
    """
    require_batchable(model)
    source = model.inputs[0]
    entry = keras.Input(batch_shape=(models, None, *source.shape[1:]), dtype=source.dtype)
    return keras.models.clone_model(
        # A Sequential or another kind of model would be cloned into its own kind.
        keras.Model(source, model.outputs[0]),
        input_tensors=entry,
        clone_function=lambda layer: _KNOWN[type(layer)](layer, models),
    )


def require_batchable(model: Any) -> None:
    """Check that all of a model is known here.

    Parameters
    ----------
    model : keras.Model
        Functional.

    Raises
    ------
    NotBatchable
        If a layer or what is set on it is not known.
    """
    for layer in model.operations:
        _require_known(layer)
    if len(model.inputs) != 1:
        raise NotBatchable(f"{len(model.inputs)} inputs")
    if model.inputs[0].shape[0] is not None:
        raise NotBatchable("a fixed batch size")


def _require_known(layer: Any) -> None:
    kind = type(layer)
    if kind not in _KNOWN and kind is not layers.InputLayer:
        raise NotBatchable(f"{kind.__name__} '{layer.name}'")
    if any(None in part.shape[1:] for part in keras.tree.flatten(layer.output)):
        raise NotBatchable(f"an axis of unknown length in '{layer.name}'")
    activation = getattr(layer, "activation", None)
    # A function of the caller's own may look at other axes than the last one.
    known = inspect.isfunction(activation) and defined_by_keras(activation)
    if activation is not None and not known:
        raise NotBatchable(f"an activation that is not Keras' own in '{layer.name}'")
    for weight in layer.weights:
        if weight.trainable != layer.trainable and not weight.name.startswith("moving_"):
            raise NotBatchable(f"'{weight.name}' of '{layer.name}', frozen by itself")
    if layer.dtype_policy.name != "float32":
        raise NotBatchable(f"dtype {layer.dtype_policy.name} of '{layer.name}'")
    config = layer.get_config()
    changed = [
        name
        for name, value in config.items()
        if name.endswith(("regularizer", "constraint")) and value is not None
    ]
    changed += [
        f"{name}={config[name]!r}"
        for name, usual in _USUAL.items()
        if name in config and config[name] not in usual
    ]
    if kind is layers.BatchNormalization and layer.axis not in (-1, len(layer.input.shape) - 1):
        changed.append(f"axis={layer.axis}")
    if changed:
        raise NotBatchable(f"{', '.join(changed)} of '{layer.name}'")


# Options that make a layer another one.
_USUAL: dict[str, tuple[Any, ...]] = {
    "data_format": ("channels_last", None),
    "groups": (1,),
    "renorm": (False,),
    "noise_shape": (None,),
    "lora_rank": (None,),
    "quantization_config": (None,),
}


class RowWise(keras.layers.Layer):
    """A layer without weights that treats each row by itself: models and rows become one axis.

    Parameters
    ----------
    source : keras.layers.Layer
        The layer.
    models : int
        How many models.
    """

    def __init__(self, source: Any, models: int) -> None:
        super().__init__(name=source.name)
        self.models = models
        self.layer = type(source).from_config(source.get_config())

    def call(self, inputs: Any, mask: None = None) -> Any:
        """Apply the layer.

        Parameters
        ----------
        inputs : tensor, shape (models, rows, ...), or list of such tensors
            What the layer takes, of each model.
        mask : None
            Some layers are called with it; no layer that makes one is known here.

        Returns
        -------
        tensor, shape (models, rows, ...)
            What it gives.
        """
        folded = keras.tree.map_structure(lambda x: ops.reshape(x, (-1, *x.shape[2:])), inputs)
        result = self.layer(folded)
        return ops.reshape(result, (self.models, -1, *result.shape[1:]))


def _softmax(source: Any, models: int) -> Any:
    if source.axis != -1:
        return RowWise(source, models)
    return _last_axis(source, models)


def _last_axis(source: Any, models: int) -> Any:
    """Copy a layer that treats each number, or the last axis, by itself: more axes do no harm.

    Folding them would hide from Keras' losses the logits that a last Activation was given.
    """
    return type(source).from_config(source.get_config())


class _Weighted(keras.layers.Layer):
    """A layer with weights: those of the source, with an axis for the model in front."""

    def __init__(self, source: Any, models: int) -> None:
        super().__init__(name=source.name, trainable=source.trainable)
        self.models = models
        for variable in source.weights:
            weight = self.add_weight(
                shape=(models, *variable.shape),
                initializer="zeros",
                trainable=variable.trainable,
                name=variable.name,
            )
            setattr(self, variable.name, weight)

    def _wide(self, name: str, rank: int) -> Any:
        """Give a weight of one number a channel the shape (models, 1, ..., channels)."""
        weight = getattr(self, name)
        return ops.reshape(weight, (self.models, *(1,) * (rank - 2), weight.shape[-1]))


class StackedDense(_Weighted):
    """Dense layers.

    Parameters
    ----------
    source : keras.layers.Dense
        The layer.
    models : int
        How many models.
    """

    def __init__(self, source: Any, models: int) -> None:
        super().__init__(source, models)
        self.activation = source.activation
        self.use_bias = source.use_bias

    def call(self, inputs: Any) -> Any:
        """Multiply the rows of each model with its kernel.

        Parameters
        ----------
        inputs : tensor, shape (models, rows, ..., features)
            Inputs of each model.

        Returns
        -------
        tensor, shape (models, rows, ..., units)
            Activations.
        """
        rows = ops.reshape(inputs, (self.models, -1, inputs.shape[-1]))
        result = ops.matmul(rows, self.kernel)
        result = ops.reshape(result, (self.models, -1, *inputs.shape[2:-1], result.shape[-1]))
        if self.use_bias:
            result = result + self._wide("bias", len(result.shape))
        return self.activation(result)


class StackedConv(_Weighted):
    """Convolutions along one or two axes, as products of patches with kernels.

    XLA has a quick product of stacks of matrices and a slow convolution.

    Parameters
    ----------
    source : keras.layers.Conv1D or keras.layers.Conv2D
        The layer, channels last.
    models : int
        How many models.
    """

    def __init__(self, source: Any, models: int) -> None:
        super().__init__(source, models)
        self.activation = source.activation
        self.use_bias = source.use_bias
        self.padding = source.padding
        self.windows = list(
            zip(source.kernel_size, source.strides, source.dilation_rate, strict=True)
        )

    def call(self, inputs: Any) -> Any:
        """Convolve the rows of each model with its kernel.

        Parameters
        ----------
        inputs : tensor, shape (models, rows, ..., channels)
            Inputs of each model.

        Returns
        -------
        tensor, shape (models, rows, ..., filters)
            Activations.
        """
        patches = _shifted(inputs, self.windows, self.padding, 0.0)
        lengths = patches[0].shape[2:-1]
        rows = ops.reshape(
            ops.stack(patches, axis=-2), (self.models, -1, len(patches) * inputs.shape[-1])
        )
        filters = self.kernel.shape[-1]
        result = ops.matmul(rows, ops.reshape(self.kernel, (self.models, -1, filters)))
        result = ops.reshape(result, (self.models, -1, *lengths, filters))
        if self.use_bias:
            result = result + self._wide("bias", len(result.shape))
        return self.activation(result)


class StackedMaxPooling(keras.layers.Layer):
    """Max pooling; XLA has no deterministic gradient of its own for it, and a slow one.

    Parameters
    ----------
    source : keras.layers.MaxPooling1D or keras.layers.MaxPooling2D
        The layer, channels last.
    models : int
        Not used: there are no weights.
    """

    def __init__(self, source: Any, models: int) -> None:
        super().__init__(name=source.name)
        self.padding = source.padding
        self.windows = [
            (size, stride, 1) for size, stride in zip(source.pool_size, source.strides, strict=True)
        ]

    def call(self, inputs: Any) -> Any:
        """Take the largest value of each window.

        Parameters
        ----------
        inputs : tensor, shape (models, rows, ..., channels)
            Inputs of each model.

        Returns
        -------
        tensor, shape (models, rows, ..., channels)
            The largest values.
        """
        # As in Keras, the gradient of a tie goes to the first.
        return reduce(tf.maximum, _shifted(inputs, self.windows, self.padding, inputs.dtype.min))


def _shifted(inputs: Any, windows: list[Any], padding: str, filling: float) -> list[Any]:
    """Give what lies at each place of a window, for all windows along the middle axes.

    Parameters
    ----------
    inputs : tensor, shape (models, rows, ..., channels)
        Inputs of each model.
    windows : list of (size, stride, dilation)
        For each middle axis.
    padding : {"valid", "same", "causal"}
        As in Keras.
    filling : float
        What is added at the ends.

    Returns
    -------
    list of tensor, shape (models, rows, ..., channels)
        One for each place, the last axis fastest; the middle axes number the windows.
    """
    spans = [(size - 1) * dilation + 1 for size, _, dilation in windows]
    axes = list(zip(inputs.shape[2:-1], spans, windows, strict=True))
    pads = [_padding(padding, length, span, stride) for length, span, (_, stride, _) in axes]
    inputs = tf.pad(inputs, [(0, 0), (0, 0), *pads, (0, 0)], constant_values=filling)
    counts = [
        (before + length + after - span) // stride + 1
        for (before, after), (length, span, (_, stride, _)) in zip(pads, axes, strict=True)
    ]
    return [
        inputs[
            (
                slice(None),
                slice(None),
                *(
                    slice(place * dilation, place * dilation + (count - 1) * stride + 1, stride)
                    for place, count, (_, stride, dilation) in zip(
                        places, counts, windows, strict=True
                    )
                ),
            )
        ]
        for places in product(*(range(size) for size, _, _ in windows))
    ]


def _padding(padding: str, length: int, span: int, stride: int) -> tuple[int, int]:
    """Places to add before and after an axis, as TensorFlow does."""
    if padding == "valid":
        return 0, 0
    if padding == "causal":
        return span - 1, 0
    needed = max((-(-length // stride) - 1) * stride + span - length, 0)
    return needed // 2, needed - needed // 2


class StackedBatchNormalization(_Weighted):
    """Batch normalisation: each model has its own batch, so its own moments.

    Parameters
    ----------
    source : keras.layers.BatchNormalization
        The layer, channels last.
    models : int
        How many models.
    """

    def __init__(self, source: Any, models: int) -> None:
        super().__init__(source, models)
        self.epsilon, self.momentum = source.epsilon, source.momentum
        self.center, self.scale = source.center, source.scale

    def call(self, inputs: Any, training: bool = False, mask: None = None) -> Any:
        """Normalise the rows of each model.

        Parameters
        ----------
        inputs : tensor, shape (models, rows, ..., channels)
            Inputs of each model.
        training : bool, default False
            Use the moments of the batch, and move the kept ones towards them.
        mask : None
            As for `RowWise`.

        Returns
        -------
        tensor, shape (models, rows, ..., channels)
            Normalised.
        """
        rank = len(inputs.shape)
        mean, variance = self._wide("moving_mean", rank), self._wide("moving_variance", rank)
        if training and self.trainable:
            mean, variance = ops.moments(inputs, axes=tuple(range(1, rank - 1)), keepdims=True)
            for kept, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
                new = ops.reshape(new, kept.shape)
                kept.assign(kept * self.momentum + new * (1.0 - self.momentum))
        factor = ops.rsqrt(variance + self.epsilon)
        if self.scale:
            factor = factor * self._wide("gamma", rank)
        shift = -mean * factor
        if self.center:
            shift = shift + self._wide("beta", rank)
        return inputs * factor + shift


class BatchedDropout(keras.layers.Layer):
    """Dropout: each model has its own generator, in the state in which its layer has it.

    Parameters
    ----------
    source : keras.layers.Dropout
        The layer.
    models : int
        How many models.
    """

    def __init__(self, source: Any, models: int) -> None:
        super().__init__(name=source.name)
        self.rate = source.rate
        self.state = self.add_weight(
            shape=(models, 2), dtype="int64", initializer="zeros", trainable=False, name="state"
        )

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Drop some of the values.

        Parameters
        ----------
        inputs : tensor, shape (models, rows, ...)
            Inputs of each model.
        training : bool, default False
            Drop; otherwise inputs pass unchanged.

        Returns
        -------
        tensor, shape (models, rows, ...)
            Values that were kept are larger by 1 / (1 - rate).
        """
        if not training or not self.rate:
            return inputs
        # What keras.random.dropout does with the state of a SeedGenerator.
        seeds = tf.cast(tf.math.floormod(self.state.value, tf.int32.max - 1), tf.int32)
        self.state.assign(tf.add(self.state.value, [[0, 1]]))
        return tf.map_fn(
            lambda pair: tf.nn.experimental.stateless_dropout(
                pair[0], rate=self.rate, seed=pair[1]
            ),
            (inputs, seeds),
            fn_output_signature=tf.float32,
        )


_ROW_WISE = (
    layers.Flatten, layers.Reshape, layers.Permute, layers.Rescaling,
    layers.AveragePooling1D, layers.AveragePooling2D,
    layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D,
    layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D,
    layers.ZeroPadding1D, layers.ZeroPadding2D, layers.Cropping1D, layers.Cropping2D,
    layers.Add, layers.Subtract, layers.Multiply, layers.Average, layers.Maximum,
    layers.Concatenate,
)  # fmt: skip

_KNOWN: dict[type, Any] = {
    **dict.fromkeys(_ROW_WISE, RowWise),
    **dict.fromkeys((layers.Activation, layers.ReLU, layers.LeakyReLU, layers.ELU), _last_axis),
    layers.Softmax: _softmax,
    layers.Dense: StackedDense,
    layers.Conv1D: StackedConv,
    layers.Conv2D: StackedConv,
    layers.MaxPooling1D: StackedMaxPooling,
    layers.MaxPooling2D: StackedMaxPooling,
    layers.BatchNormalization: StackedBatchNormalization,
    layers.Dropout: BatchedDropout,
}
