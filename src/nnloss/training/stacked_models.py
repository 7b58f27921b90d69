"""Models of the same shape that are trained at once.

A single small network leaves a processor idle: most of the time goes into launching operations, not
arithmetic. Here the weights of many models are stacked (`batched_layers`), and XLA compiles an
epoch of all of them into one program.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnloss._tensorflow import defined_by_keras, keras, tf
from nnloss.pairing.losses import LossChoice
from nnloss.training import device_data
from nnloss.training.batched_layers import BatchedDropout, NotBatchable, require_batchable, stack
from nnloss.training.initial_states import Start, variables

#: Bytes allowed for the weights and activations of a chunk, as estimated in `StackedModels`.
MEMORY = 512 * 2**20
#: Maximum number of models in a chunk: the weights of more do not fit into the cache.
MODELS = 100

Measure = Callable[[Any, Any], Any]
TestMeasure = Callable[[NDArray[Any], NDArray[Any]], float]

# Optimizers that act on each element of a weight separately, so they work on stacked weights.
_ELEMENTWISE = ("SGD", "Adam", "AdamW", "Adamax", "Nadam", "RMSprop", "Adagrad", "Adadelta", "Lion")


@dataclass(frozen=True)
class Data:
    """Tensors (x, y) or (x, y, sample_weight) for training and, unless None, for validation.

    They hold `splits` splits of the same size, one after another.
    """

    train: tuple[Any, ...]
    validation: tuple[Any, ...] | None
    splits: int = 1

    @property
    def train_rows(self) -> int:
        """Number of training rows of a split."""
        return len(self.train[1]) // self.splits

    @property
    def validation_rows(self) -> int:
        """Number of validation rows of a split."""
        return len(self.validation[1]) // self.splits if self.validation else 0

    def of(self, place: int) -> Data:
        """Return one of the splits."""

        def part(arrays: Any, rows: int) -> Any:
            own = slice(place * rows, (place + 1) * rows)
            return keras.tree.map_structure(lambda leaf: leaf[own], arrays)

        validation = self.validation and part(self.validation, self.validation_rows)
        return Data(part(self.train, self.train_rows), validation)


class StackedModels:
    """Models of the same shape that are trained at once.

    `template` is one of them, `measures` maps names to functions of targets and outputs with one
    value per row (``"loss"`` is minimised), and `optimizer` must be new. `seeds` is the number of
    seeds, which are trained in chunks of `models`. Without `jit_compile`, a short training starts
    sooner. Raises `NotBatchable` for an unsupported model, loss or optimizer.
    """

    def __init__(
        self,
        template: Any,
        measures: Mapping[str, Measure],
        data: Data,
        optimizer: Any,
        batch_size: int,
        seeds: int,
        *,
        test_measures: Mapping[str, TestMeasure] | None = None,
        jit_compile: bool = True,
    ) -> None:
        require_batchable(template)
        if len(template.outputs[0].shape) != 2:
            raise NotBatchable(f"an output of shape {template.outputs[0].shape}")
        if not hasattr(data.train[0], "shape"):
            raise NotBatchable("an input in a list or dictionary")
        floats = _floats_per_row(template)
        each = 4 * (4 * template.count_params() + 3 * batch_size * floats)
        chunks = -(-seeds // max(1, min(MODELS, MEMORY // each)))
        #: Models per chunk.
        self.models = -(-seeds // chunks)
        self.data = data
        self.batch_size = batch_size
        self.network = stack(template, self.models)
        self.optimizer = _require_elementwise(optimizer)
        self.optimizer.build(self.network.trainable_variables)
        self._new = [variable.numpy() for variable in self.optimizer.variables]
        self._measures = {name: partial(_by_row, each) for name, each in measures.items()}
        self._test_measures = dict(test_measures or {})
        self._shuffle_seeds: list[int] = []
        self._places = np.zeros((self.models, 1), dtype=np.int32)
        # From the same state, XLA draws other random numbers than TensorFlow.
        drops = any(isinstance(layer, BatchedDropout) for layer in self.network.layers)
        self._train = tf.function(
            self._train_epoch, jit_compile=jit_compile and not drops, autograph=False
        )
        self._evaluate = tf.function(self._sums, jit_compile=jit_compile, autograph=False)
        self._at_once = rows_at_once(template, self.models)

    def load(self, starts: Sequence[Start]) -> None:
        """Set initial states, at most `models`; the last one is repeated to fill the chunk."""
        padded = [*starts, *starts[-1:] * (self.models - len(starts))]
        self._places = np.array([[each.place] for each in padded], dtype=np.int32)
        self._shuffle_seeds = [each.shuffle_seed for each in padded]
        states = zip(*(each.variables for each in padded), strict=True)
        for variable, values in zip(variables(self.network), states, strict=True):
            variable.assign(np.stack(values))
        for variable, value in zip(self.optimizer.variables, self._new, strict=True):
            variable.assign(value)

    def weights(self) -> list[NDArray[np.float32]]:
        """Return copies of the weights, as ``get_weights``, with a first axis for the model."""
        return [weight.numpy() for weight in weights_of(self.network)]

    def train(self, epoch: int) -> dict[str, NDArray[np.float32]]:
        """Train all models for an epoch, counted from 0, which determines the order of rows.

        Returns loss and metrics of shape (models,), averaged over the rows as they were visited.
        """
        rows = self.data.train_rows
        orders = [device_data.order_of_epoch(rows, seed, epoch) for seed in self._shuffle_seeds]
        sums = self._train(np.stack(orders).astype(np.int32) + self._places * rows)
        return {name: value.numpy() / rows for name, value in sums.items()}

    def evaluate(self) -> dict[str, NDArray[np.float32]]:
        """Return loss and metrics of shape (models,), averaged over the validation rows."""
        rows = self.data.validation_rows
        chosen = [
            self._places * rows + np.arange(start, min(start + self._at_once, rows), dtype=np.int32)
            for start in range(0, rows, self._at_once)
        ]
        # A tf.function that each unit of a sweep calls once makes TensorFlow warn about tracing.
        sums = [
            self._evaluate.get_concrete_function(tf.TensorSpec(part.shape, tf.int32))(
                tf.constant(part)
            )
            for part in chosen
        ]
        values = {name: sum(part[name].numpy() for part in sums) / rows for name in sums[0]}
        if self._test_measures:
            own = np.concatenate(chosen, axis=1)
            assert self.data.validation is not None
            targets = self.data.validation[1].numpy()[own]
            outputs = np.concatenate([self._outputs(part).numpy() for part in chosen], axis=1)
            for name, measure in self._test_measures.items():
                each = [measure(y, p) for y, p in zip(targets, outputs, strict=True)]
                values[name] = np.array(each, dtype=np.float32)
        return values

    def _train_epoch(self, order: Any) -> dict[str, Any]:
        rows, size = self.data.train_rows, self.batch_size
        full = rows // size
        names = list(self._measures)

        def body(number: Any, sums: Any) -> Any:
            chosen = tf.slice(order, (0, number * size), (self.models, size))
            added = self._train_step(chosen)
            return number + 1, [total + added[n] for total, n in zip(sums, names, strict=True)]

        zeros = [tf.zeros(self.models) for _ in names]
        _, sums = tf.while_loop(
            lambda number, sums: number < full, body, (0, zeros), parallel_iterations=1
        )
        if rows % size:
            rest = self._train_step(order[:, full * size :])
            sums = [total + rest[name] for total, name in zip(sums, names, strict=True)]
        return dict(zip(names, sums, strict=True))

    def _train_step(self, chosen: Any) -> dict[str, Any]:
        """Train on the next rows of each model; return sums over these rows."""
        x, *targets = [tf.gather(part, chosen) for part in self.data.train]
        weights = self.network.trainable_variables
        with tf.GradientTape() as tape:
            values = self._values(self.network(x, training=True), *targets)
            # The sum over models gives each its own gradient: they share no weights.
            loss = tf.reduce_sum(tf.reduce_mean(values["loss"], axis=1))
        self.optimizer.apply(tape.gradient(loss, [w.value for w in weights]), weights)
        return {name: tf.reduce_sum(value, axis=1) for name, value in values.items()}

    def _sums(self, chosen: Any) -> dict[str, Any]:
        """Return sums over the chosen validation rows of each model."""
        assert self.data.validation is not None
        targets = [tf.gather(part, chosen) for part in self.data.validation[1:]]
        values = self._values(self._outputs(chosen), *targets)
        return {name: tf.reduce_sum(value, axis=1) for name, value in values.items()}

    def _outputs(self, chosen: Any) -> Any:
        """Return the outputs for the chosen validation rows of each model."""
        assert self.data.validation is not None
        return self.network(tf.gather(self.data.validation[0], chosen), training=False)

    def _values(self, predicted: Any, y: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Return loss and metrics of each row; as in Keras, only the loss is weighted."""
        values = {name: measure(y, predicted) for name, measure in self._measures.items()}
        if sample_weight is not None:
            values["loss"] *= sample_weight
        return values


def measures_of(choice: LossChoice) -> dict[str, Measure]:
    """Return loss and metrics as functions of targets and outputs, one value per row.

    Raise `NotBatchable` for a loss that is not Keras' own or is not averaged over rows.
    """
    given = choice.given
    name = choice.loss.name if choice.loss else ""
    own = isinstance(given, keras.losses.Loss) and defined_by_keras(type(given))
    loss = given.call if own else getattr(keras.losses, name, None)
    if loss is None or not (own or isinstance(given, str) or given is loss):
        raise NotBatchable(f"the loss {choice.name}, which is not Keras' own")
    if own and given.reduction not in ("sum_over_batch_size", "mean"):
        raise NotBatchable(f"reduction={given.reduction!r} of the loss")
    measures = {"loss": loss}
    assert choice.loss is not None
    for metric in choice.loss.metrics:
        if not hasattr(keras.metrics, metric.function):
            raise NotBatchable(f"the metric {metric.name}")
        options = dict(metric.from_logits) if choice.from_logits else {}
        measures[metric.name] = partial(getattr(keras.metrics, metric.function), **options)
    return measures


def _by_row(measure: Measure, y: Any, predicted: Any) -> Any:
    """Return one value per model and row, without the extra axis of some Keras functions."""
    return tf.reshape(measure(y, predicted), tf.shape(predicted)[:2])


def _require_elementwise(optimizer: Any) -> Any:
    name = type(optimizer).__name__
    if type(optimizer) not in [getattr(keras.optimizers, known) for known in _ELEMENTWISE]:
        raise NotBatchable(f"the optimizer {name}")
    for option in ("clipnorm", "global_clipnorm", "loss_scale_factor"):
        if getattr(optimizer, option, None):
            raise NotBatchable(f"{option} of the optimizer {name}")
    return optimizer


def weights_of(network: Any) -> list[Any]:
    """Return the weights of a model or its stack in the order of ``get_weights``."""
    return [
        weight
        for layer in network.layers
        if not isinstance(layer, BatchedDropout)  # its state is not a weight of Keras' layer
        for weight in layer.weights
    ]


def rows_at_once(template: Any, models: int) -> int:
    """Return how many rows of each of so many models may be evaluated at once."""
    return max(1, MEMORY // (4 * 2 * _floats_per_row(template) * models))


def _floats_per_row(template: Any) -> int:
    """Return how many numbers a row turns into in a model, convolution patches included."""
    total = 0
    for layer in template.layers:
        for output in keras.tree.flatten(layer.output):
            size = math.prod(output.shape[1:])
            window = math.prod(getattr(layer, "kernel_size", ()))
            channels = layer.input.shape[-1] / output.shape[-1] if window > 1 else 0
            total += math.ceil(size * (1 + window * channels))
    return total
