"""Layers that apply many models of the same shape at once, along a first axis for the model.

A tensor of shape (rows, ...) in one model becomes one of shape (models, rows, ...) here. No number
passes from one model to another, so a model that diverges does not affect the others.
"""

from __future__ import annotations

import inspect
from functools import reduce
from itertools import product
from typing import Any

from nnloss._tensorflow import defined_by_keras, keras, tf

ops, layers = keras.ops, keras.layers


class NotBatchable(Exception):
    """Error for a model that this module cannot stack; the message names the obstacle."""


def stack(model: Any, models: int) -> Any:
    """Build a network of `models` copies of a functional model, each with its own weights.

    The model has one input. The network maps inputs of shape (models, rows, ...) to outputs of
    shape (models, rows, nodes). Layers and weights keep their order; each weight has `models` as
    its first axis and starts at zero. Raises `NotBatchable` for unsupported layers or options.
    """
    require_batchable(model)
    source = model.inputs[0]
    entry = keras.Input(batch_shape=(models, None, *source.shape[1:]), dtype=source.dtype)
    return keras.models.clone_model(
        # clone_model would keep a Sequential or subclassed model's type.
        keras.Model(source, model.outputs[0]),
        input_tensors=entry,
        clone_function=lambda layer: _KNOWN[type(layer)](layer, models),
    )


def require_batchable(model: Any) -> None:
    """Raise `NotBatchable` if a functional model has unsupported layers or options."""
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
    # A user-defined function may depend on axes other than the last one.
    known = inspect.isfunction(activation) and defined_by_keras(activation)
    if activation is not None and not known:
        raise NotBatchable(f"an activation that is not Keras' own in '{layer.name}'")
    for weight in layer.weights:
        if weight.trainable != layer.trainable and not weight.name.startswith("moving_"):
            raise NotBatchable(
                f"'{weight.name}' of '{layer.name}', frozen separately from its layer"
            )
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


# Supported values of options that change what a layer computes.
_USUAL: dict[str, tuple[Any, ...]] = {
    "data_format": ("channels_last", None),
    "groups": (1,),
    "renorm": (False,),
    "noise_shape": (None,),
    "lora_rank": (None,),
    "quantization_config": (None,),
}


class RowWise(keras.layers.Layer):
    """Weightless layer that treats each row by itself: models and rows become one axis."""

    def __init__(self, source: Any, models: int) -> None:
        super().__init__(name=source.name)
        self.models = models
        self.layer = type(source).from_config(source.get_config())

    def call(self, inputs: Any, mask: None = None) -> Any:
        """Apply the layer to inputs of shape (models, rows, ...), or to a list of them."""
        folded = keras.tree.map_structure(lambda x: ops.reshape(x, (-1, *x.shape[2:])), inputs)
        result = self.layer(folded)
        return ops.reshape(result, (self.models, -1, *result.shape[1:]))


def _softmax(source: Any, models: int) -> Any:
    if source.axis != -1:
        return RowWise(source, models)
    return _last_axis(source, models)


def _last_axis(source: Any, models: int) -> Any:
    """Copy a layer that acts on single numbers or on the last axis, so more axes do no harm."""
    # RowWise would hide the logits of a final Activation from Keras' losses.
    return type(source).from_config(source.get_config())


class _Weighted(keras.layers.Layer):
    """Layer with the weights of a source layer, stacked along a first axis for the model."""

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
        """Reshape a weight per channel to (models, 1, ..., channels)."""
        weight = getattr(self, name)
        return ops.reshape(weight, (self.models, *(1,) * (rank - 2), weight.shape[-1]))


class BatchedDense(_Weighted):
    """Stacked Dense layers."""

    def __init__(self, source: Any, models: int) -> None:
        super().__init__(source, models)
        self.activation = source.activation
        self.use_bias = source.use_bias

    def call(self, inputs: Any) -> Any:
        """Map (models, rows, ..., features) to (models, rows, ..., units)."""
        rows = ops.reshape(inputs, (self.models, -1, inputs.shape[-1]))
        result = ops.matmul(rows, self.kernel)
        result = ops.reshape(result, (self.models, -1, *inputs.shape[2:-1], result.shape[-1]))
        if self.use_bias:
            result = result + self._wide("bias", len(result.shape))
        return self.activation(result)


class BatchedConv(_Weighted):
    """Stacked Conv1D or Conv2D layers, channels last, as products of patches with kernels.

    XLA multiplies stacks of matrices fast but is slow at convolutions.
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
        """Map (models, rows, ..., channels) to (models, rows, ..., filters)."""
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


class BatchedMaxPooling(keras.layers.Layer):
    """Stacked MaxPooling1D or MaxPooling2D layers, channels last.

    XLA's own gradient is slow and not deterministic.
    """

    def __init__(self, source: Any, models: int) -> None:
        super().__init__(name=source.name)
        self.padding = source.padding
        self.windows = [
            (size, stride, 1) for size, stride in zip(source.pool_size, source.strides, strict=True)
        ]

    def call(self, inputs: Any) -> Any:
        """Return the maximum of each window of (models, rows, ..., channels)."""
        # As in Keras, the first of several equal values receives the gradient.
        return reduce(tf.maximum, _shifted(inputs, self.windows, self.padding, inputs.dtype.min))


def _shifted(inputs: Any, windows: list[Any], padding: str, filling: float) -> list[Any]:
    """Return the values at each position of a window, for all windows along the middle axes.

    `inputs` has shape (models, rows, ..., channels), `windows` a (size, stride, dilation) per
    middle axis. `filling` pads the ends. The result has one tensor per position, the last axis
    fastest; its middle axes number the windows.
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
    """Return the padding before and after an axis, as in TensorFlow."""
    if padding == "valid":
        return 0, 0
    if padding == "causal":
        return span - 1, 0
    needed = max((-(-length // stride) - 1) * stride + span - length, 0)
    return needed // 2, needed - needed // 2


class BatchedBatchNormalization(_Weighted):
    """Stacked BatchNormalization layers, channels last; moments per model."""

    def __init__(self, source: Any, models: int) -> None:
        super().__init__(source, models)
        self.epsilon, self.momentum = source.epsilon, source.momentum
        self.center, self.scale = source.center, source.scale

    def call(self, inputs: Any, training: bool = False, mask: None = None) -> Any:
        """Normalise (models, rows, ..., channels) for each model."""
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
    """Stacked Dropout layers, each with the generator state of its source layer."""

    def __init__(self, source: Any, models: int) -> None:
        super().__init__(name=source.name)
        self.rate = source.rate
        self.state = self.add_weight(
            shape=(models, 2), dtype="int64", initializer="zeros", trainable=False, name="state"
        )

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Drop values in training and scale the others by 1 / (1 - rate)."""
        if not training or not self.rate:
            return inputs
        # As keras.random.dropout uses the state of a SeedGenerator.
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
    layers.Dense: BatchedDense,
    layers.Conv1D: BatchedConv,
    layers.Conv2D: BatchedConv,
    layers.MaxPooling1D: BatchedMaxPooling,
    layers.MaxPooling2D: BatchedMaxPooling,
    layers.BatchNormalization: BatchedBatchNormalization,
    layers.Dropout: BatchedDropout,
}
