"""Training of one small model from many seeds at once.

A single small network leaves a processor idle: most of the time goes into launching operations, not
arithmetic. Here the weights of many seeds are stacked (`batched_layers`), and XLA compiles an epoch
of all of them into one program.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from operator import index
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnloss._tensorflow import keras, tf
from nnloss.datasets import Split
from nnloss.errors import NnlossError
from nnloss.pairing.heads import Completed, complete
from nnloss.pairing.judge import require_targets
from nnloss.pairing.losses import LossChoice
from nnloss.pairing.targets import check_batch
from nnloss.table import Task
from nnloss.table.encoding import as_targets
from nnloss.training import device_data
from nnloss.training.batched_layers import BatchedDropout, NotBatchable, require_batchable, stack
from nnloss.training.initial_states import Start, starts, variables
from nnloss.training.models import compile_for_task
from nnloss.training.seeds import set_seed

logger = logging.getLogger("nnloss")

#: Bytes allowed for the weights and activations of a chunk, as estimated in `ManySeeds`.
MEMORY = 512 * 2**20
#: Maximum number of models in a chunk: the weights of more do not fit into the cache.
MODELS = 100

Progress = Callable[[int, int], None]
Measure = Callable[[Any, Any], Any]
TestMeasure = Callable[[NDArray[Any], NDArray[Any]], float]

# Optimizers that act on each element of a weight separately, so they work on stacked weights.
_ELEMENTWISE = ("SGD", "Adam", "AdamW", "Adamax", "Nadam", "RMSprop", "Adagrad", "Adadelta", "Lion")


def fit_many(
    build: Callable[[], Any],
    split: Split | Sequence[Split],
    seeds: Iterable[int],
    *,
    task: Task,
    epochs: int,
    batch_size: int = 32,
    classes: int | None = None,
    loss: Any = None,
    optimizer: Any = "adam",
    metrics: Mapping[str, Measure] | None = None,
    test_measures: Mapping[str, TestMeasure] | None = None,
    per_epoch: bool | int = False,
    progress: Progress | None = None,
    jit_compile: bool = True,
) -> pd.DataFrame:
    """Train one model from many seeds.

    Each seed has the same initial weights and the same batches as a single run after
    ``nnloss.set_seed(seed)``, bit for bit. Results agree up to rounding, because sums are taken in
    another order. Training amplifies a difference in the last bit from step to step, above all at
    the kink of a ReLU. After 100 epochs on Boston Housing the test loss differs by less than 1e-3
    of its value.

    Parameters
    ----------
    build : callable
        Returns the model without its output layer, as for `compile_for_task`. Called after
        ``set_seed`` for the first seed and the last one; the weights of the others are drawn by
        the initializers alone. It is called for each seed if it uses random numbers otherwise,
        and for each once more if seeds are trained one by one.
    split : Split or sequence of Split
        Inputs ready for the network; `y` holds a quantity or class numbers. One for all seeds, or
        one for each, all of the same sizes; a split that several seeds share is stored once.
    seeds : iterable of int
        Distinct, from 0 to 2**32 - 1.
    task : Task
        `REGRESSION`, `BINARY` or `MULTICLASS`.
    epochs : int
        At least 1.
    batch_size : int, default 32
        Rows per batch; the last one may be smaller.
    classes : int, optional
        Number of classes for `MULTICLASS`. Default: that of `split`.
    loss, optimizer
        As for `compile_for_task`. An optimizer object is copied for each seed by its config.
    metrics : mapping of str to callable, optional
        Metrics in addition to those of the task. Each maps targets and outputs to one value per
        row, over the last axis as Keras' functions do, with TensorFlow operations.
    test_measures : mapping of str to callable, optional
        Measures that are no means over rows, such as a median: from NumPy targets and outputs of
        all test rows to a number, the column ``val_`` plus name.
    per_epoch : bool or int, default False
        Return values for every epoch, or for every `per_epoch` epochs and the last one. The test
        rows are evaluated after each of them, which may take longer than training.
    progress : callable, optional
        Called with the seeds times epochs that are done, and with all of them.
    jit_compile : bool, default True
        Whether XLA compiles an epoch. Without it a short training starts sooner.

    Returns
    -------
    DataFrame
        One row per seed, in the given order. Columns: ``seed``; ``diverged``, whether a value of
        any epoch was not finite; ``loss`` and the task's metrics over the batches of the last
        epoch, as in Keras' history; ``val_loss`` etc. on the test rows after it. With `per_epoch`,
        one row per seed and epoch, and a column ``epoch``, from 1.

    Raises
    ------
    NnlossError
        If `seeds` is empty or has duplicates, `epochs` is below 1, a batch is larger than the data,
        the optimizer cannot be copied, or several splits differ in size or are not one per seed.
    PairingError, TargetError
        As `compile_for_task` and `TaskModel.fit`, before any training.

    Notes
    -----
    Models that `batched_layers` does not support, or optimizers that use a weight as a whole, are
    trained one seed after another; the reason is logged. Like ``set_seed``, this seeds the process
    and requests deterministic operations.

    Examples
    --------
    >>> runs = fit_many(network, split, range(100), task=REGRESSION, epochs=100)
    >>> runs["val_loss"].describe()
    """
    seeds = _checked_seeds(seeds)
    splits, places = _distinct(split, seeds)
    _require_numbers(epochs, batch_size, len(splits[0].x_train), int(per_epoch))
    if classes is None and task.nodes is None:
        classes = len(splits[0].classes) or None
    plan = _Plan(
        build,
        task,
        classes,
        loss,
        optimizer,
        epochs,
        batch_size,
        per_epoch,
        metrics or {},
        test_measures or {},
        jit_compile,
    )
    plan.new_optimizer()  # raises now if it cannot be copied
    first, start = plan.start(seeds[0])
    network = keras.Model(first.inputs, first.outputs)
    start_of = starts(network, start, seeds, lambda seed: plan.start(seed)[1])
    encoded = partial(as_targets, loss=first.choice.known, classes=first.nodes)
    x_train, y_train, x_test, y_test = (
        np.concatenate([getattr(each, name) for each in splits])
        for name in ("x_train", "y_train", "x_test", "y_test")
    )
    given = (x_train, encoded(y_train)), (x_test, encoded(y_test))
    for x, y in given:
        check = partial(require_targets, first.question)
        check_batch((x, y), f"Task '{task.name}'", check, sample=False)
    (x_train, y_train), (x_test, y_test) = device_data.tensors(given)
    data = Data(x_train, y_train, x_test, y_test, len(splits))
    done, frames = 0, []
    for epochs_done, frame in _all(
        plan, first, start_of, data, dict(zip(seeds, places, strict=True))
    ):
        done += epochs_done
        frames += [] if frame is None else [frame]
        if progress:
            progress(done, len(seeds) * epochs)
    frame = pd.concat(frames, ignore_index=True)
    return frame if per_epoch else frame.drop(columns="epoch")


@dataclass(frozen=True)
class _Plan:
    """Arguments of `fit_many`."""

    build: Callable[[], Any]
    task: Task
    classes: int | None
    loss: Any
    optimizer: Any
    epochs: int
    batch_size: int
    per_epoch: bool | int
    metrics: Mapping[str, Measure] = field(default_factory=dict)
    test_measures: Mapping[str, TestMeasure] = field(default_factory=dict)
    jit_compile: bool = True

    @property
    def given(self) -> list[int]:
        """Epochs whose values are returned, from 1."""
        last = [self.epochs]
        if not self.per_epoch:
            return last
        return list(range(int(self.per_epoch), self.epochs, int(self.per_epoch))) + last

    def start(self, seed: int) -> tuple[Completed, Start]:
        """Build a model as a single run does, and return it with its initial state."""
        set_seed(seed)
        made = complete(self.build(), self.task, classes=self.classes, loss=self.loss)
        return made, Start.of(keras.Model(made.inputs, made.outputs))

    def new_optimizer(self) -> Any:
        """Return a copy of the caller's optimizer in its initial state."""
        given = keras.optimizers.get(self.optimizer)
        rule = "fit_many copies the optimizer for each seed, by its config"
        if hasattr(given, "_exclude_from_weight_decay"):
            raise NnlossError(
                rule,
                "found exclude_from_weight_decay, which is not in it",
                "Leave it out, or train each seed with compile_for_task",
            )
        try:
            return type(given).from_config(given.get_config())
        except (NotImplementedError, TypeError, ValueError) as error:
            raise NnlossError(
                rule,
                f"found {type(given).__name__}, which has none: {str(error).splitlines()[0]}",
                "Register its classes with keras.saving.register_keras_serializable, "
                "and give them a get_config",
            ) from error


@dataclass(frozen=True)
class Data:
    """Tensors for training and test, with encoded targets.

    They hold `splits` splits of the same size, one after another.
    """

    x_train: Any
    y_train: Any
    x_test: Any
    y_test: Any
    splits: int = 1

    @property
    def train_rows(self) -> int:
        """Number of training rows of a split."""
        return len(self.x_train) // self.splits

    @property
    def test_rows(self) -> int:
        """Number of test rows of a split."""
        return len(self.x_test) // self.splits

    def of(self, place: int) -> Data:
        """Return one of the splits."""
        train, test = (
            slice(place * rows, (place + 1) * rows) for rows in (self.train_rows, self.test_rows)
        )
        return Data(self.x_train[train], self.y_train[train], self.x_test[test], self.y_test[test])


def _distinct(
    split: Split | Sequence[Split], seeds: Sequence[int]
) -> tuple[list[Split], list[int]]:
    """Return the distinct splits, and for each seed the place of its own among them."""
    if isinstance(split, Split):
        return [split], [0] * len(seeds)
    rule = "fit_many needs one split for all seeds, or one of the same sizes for each"
    if len(split) != len(seeds):
        found = f"found {len(split)} splits and {len(seeds)} seeds"
        raise NnlossError(rule, found, "Give as many splits as seeds")
    distinct = list({id(each): each for each in split}.values())
    sizes = {tuple(each.sizes.values()) for each in distinct}
    if len(sizes) > 1:
        texts = " and ".join(f"{train} + {test} rows" for train, test in sorted(sizes)[:2])
        raise NnlossError(rule, f"found {texts}", "Make them of the same sizes")
    place = {id(each): number for number, each in enumerate(distinct)}
    return distinct, [place[id(each)] for each in split]


def _checked_seeds(seeds: Iterable[int]) -> list[int]:
    given = [index(seed) for seed in seeds]
    rule = "fit_many needs seeds from 0 to 2**32 - 1, each once"
    if not given:
        raise NnlossError(rule, "found none", "Give, for example, range(100)")
    wrong = [seed for seed in given if not 0 <= seed < 2**32]
    twice = [seed for seed, times in Counter(given).items() if times > 1]
    if wrong or twice:
        found = f"found {wrong[0]}" if wrong else f"found {twice[0]} more than once"
        raise NnlossError(rule, found, "Leave it out")
    return given


def _require_numbers(epochs: int, batch_size: int, rows: int, per_epoch: int) -> None:
    if epochs < 1:
        raise NnlossError("fit_many needs epochs", f"found epochs={epochs}", "Give 1 or more")
    if per_epoch < 0:
        raise NnlossError(
            "fit_many gives the values of every so many epochs",
            f"found per_epoch={per_epoch}",
            "Give True, or 1 or more",
        )
    if rows and not 1 <= batch_size <= rows:
        raise NnlossError(
            f"fit_many needs batches of 1 to {rows} rows, as many as there are for training",
            f"found batch_size={batch_size}",
            f"Give {rows} or less" if batch_size > rows else "Give 1 or more",
        )


#: Seeds times epochs done since the last item, and a table once it is ready.
Steps = Iterator[tuple[int, pd.DataFrame | None]]


def _all(
    plan: _Plan,
    first: Completed,
    start_of: Callable[[int], Start],
    data: Data,
    places: Mapping[int, int],
) -> Steps:
    """Train all seeds at once, or those that cannot be stacked one after another.

    `places` maps the seeds to their splits.
    """
    left = list(places)
    try:
        ensemble = ManySeeds(
            keras.Model(first.inputs, first.outputs),
            _measures(first.choice) | dict(plan.metrics),
            data,
            plan.new_optimizer(),
            plan.batch_size,
            len(places),
            test_measures=plan.test_measures,
            jit_compile=plan.jit_compile,
        )
        for done, frame in _together(plan, ensemble, start_of, places):
            yield done, frame
            if frame is not None:
                left = left[frame["seed"].nunique() :]
    except NotBatchable as reason:
        logger.info("Seeds are trained one after another, because of %s", reason)
        yield from _one_by_one(plan, data, {seed: places[seed] for seed in left})


def _one_by_one(plan: _Plan, data: Data, places: Mapping[int, int]) -> Steps:
    """Train each seed as a separate model."""
    for seed, place in places.items():
        own = data.of(place)
        set_seed(seed)
        model = compile_for_task(
            plan.build(),
            plan.task,
            classes=plan.classes,
            loss=plan.loss,
            optimizer=plan.new_optimizer(),
            metrics=[
                keras.metrics.MeanMetricWrapper(each, name=name)
                for name, each in plan.metrics.items()
            ],
        )
        history = model.fit(
            own.x_train,
            own.y_train,
            batch_size=plan.batch_size,
            epochs=plan.epochs,
            validation_data=(own.x_test, own.y_test),
            validation_freq=plan.given,
            callbacks=[_TestMeasures(plan, own)],
            verbose=0,
        ).history
        # Training values exist for all epochs, test values only for the given ones.
        given = [epoch - 1 for epoch in plan.given]
        frame = pd.DataFrame(
            {
                name: values if name.startswith("val_") else [values[epoch] for epoch in given]
                for name, values in history.items()
            }
        )
        finite = all(np.isfinite(values).all() for values in history.values())
        frame.insert(0, "epoch", plan.given)
        frame.insert(0, "diverged", not finite)
        frame.insert(0, "seed", seed)
        yield plan.epochs, frame


class _TestMeasures(keras.callbacks.Callback):  # type: ignore[misc]
    """Add the measures of all test rows to the logs of the given epochs."""

    def __init__(self, plan: _Plan, data: Data) -> None:
        super().__init__()
        self._plan, self._data = plan, data

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if logs is not None and self._plan.test_measures and epoch + 1 in self._plan.given:
            outputs = self.model.predict(self._data.x_test, verbose=0)
            for name, measure in self._plan.test_measures.items():
                logs[f"val_{name}"] = measure(self._data.y_test.numpy(), outputs)


def _together(
    plan: _Plan, ensemble: ManySeeds, start_of: Callable[[int], Start], places: Mapping[int, int]
) -> Steps:
    """Train the seeds in chunks of one size; the last chunk may repeat its last seed."""
    seeds = list(places)
    layers = start_of(seeds[0]).layers
    for begin in range(0, len(seeds), ensemble.models):
        chunk = seeds[begin : begin + ensemble.models]
        chosen = [replace(start_of(seed), place=places[seed]) for seed in chunk]
        for seed, each in zip(chunk, chosen, strict=True):
            if each.layers != layers:
                raise NotBatchable(f"a different model for seed {seed} than for seed {seeds[0]}")
        ensemble.load(chosen)
        frames, finite = [], np.ones(ensemble.models, dtype=bool)
        for epoch in range(plan.epochs):
            values = ensemble.train(epoch)
            if epoch + 1 in plan.given:
                values |= {f"val_{name}": value for name, value in ensemble.evaluate().items()}
                frame = pd.DataFrame({k: v[: len(chunk)] for k, v in values.items()}, dtype=float)
                frame.insert(0, "epoch", epoch + 1)
                frame.insert(0, "seed", chunk)
                frames.append(frame)
            finite &= np.isfinite(list(values.values())).all(axis=0)
            yield len(chunk), None
        table = pd.concat(frames)
        table.insert(1, "diverged", ~finite[table.index])
        yield 0, table.sort_index(kind="stable")  # by model, then by epoch


class ManySeeds:
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
        self._test_rows = min(data.test_rows, max(1, MEMORY // (4 * 2 * floats * self.models)))

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

    def train(self, epoch: int) -> dict[str, NDArray[np.float32]]:
        """Train all models for an epoch, counted from 0, which determines the order of rows.

        Returns loss and metrics of shape (models,), averaged over the rows as they were visited.
        """
        rows = self.data.train_rows
        orders = [device_data.order_of_epoch(rows, seed, epoch) for seed in self._shuffle_seeds]
        sums = self._train(np.stack(orders).astype(np.int32) + self._places * rows)
        return {name: value.numpy() / rows for name, value in sums.items()}

    def evaluate(self) -> dict[str, NDArray[np.float32]]:
        """Return loss and metrics of shape (models,), averaged over the test rows."""
        rows = self.data.test_rows
        chosen = [
            self._places * rows
            + np.arange(start, min(start + self._test_rows, rows), dtype=np.int32)
            for start in range(0, rows, self._test_rows)
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
            targets = self.data.y_test.numpy()[own]
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
        x, y = tf.gather(self.data.x_train, chosen), tf.gather(self.data.y_train, chosen)
        weights = self.network.trainable_variables
        with tf.GradientTape() as tape:
            predicted = self.network(x, training=True)
            values = {name: measure(y, predicted) for name, measure in self._measures.items()}
            # The sum over models gives each its own gradient: they share no weights.
            loss = tf.reduce_sum(tf.reduce_mean(values["loss"], axis=1))
        self.optimizer.apply(tape.gradient(loss, [w.value for w in weights]), weights)
        return {name: tf.reduce_sum(value, axis=1) for name, value in values.items()}

    def _sums(self, chosen: Any) -> dict[str, Any]:
        """Return sums over the chosen test rows of each model."""
        y, predicted = tf.gather(self.data.y_test, chosen), self._outputs(chosen)
        return {
            name: tf.reduce_sum(measure(y, predicted), axis=1)
            for name, measure in self._measures.items()
        }

    def _outputs(self, chosen: Any) -> Any:
        """Return the outputs for the chosen test rows of each model."""
        return self.network(tf.gather(self.data.x_test, chosen), training=False)


def _measures(choice: LossChoice) -> dict[str, Measure]:
    """Return loss and metrics as functions of targets and outputs, one value per row."""
    assert choice.loss is not None, "complete has required a loss of the task"
    if isinstance(choice.given, keras.losses.Loss):
        if choice.given.reduction not in ("sum_over_batch_size", "mean"):
            raise NotBatchable(f"reduction={choice.given.reduction!r} of the loss")
        loss = choice.given.call
    else:
        loss = getattr(keras.losses, choice.loss.name)
    measures = {"loss": loss}
    for metric in choice.loss.metrics:
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
