"""Many seeds of one small model, trained at once.

A single small network leaves a processor idle: most of its time goes into starting operations, not
into arithmetic. Here the weights of many seeds are stacked (`batched_layers`), and XLA compiles
an epoch of all of them into one program.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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
from nnloss.training.models import compile_for_task
from nnloss.training.seeds import set_seed

logger = logging.getLogger("nnloss")

#: Bytes that weights and activations of a chunk may take, by the estimate in `ManySeeds`.
MEMORY = 512 * 2**20
#: Models in a chunk, at most: beyond it their weights no longer fit into the processor's cache.
MODELS = 100

Progress = Callable[[int, int], None]
Measure = Callable[[Any, Any], Any]

# They treat each number of a weight by itself, so they can treat many models' numbers at once.
_ELEMENTWISE = ("SGD", "Adam", "AdamW", "Adamax", "Nadam", "RMSprop", "Adagrad", "Adadelta", "Lion")


def fit_many(
    build: Callable[[], Any],
    split: Split,
    seeds: Iterable[int],
    *,
    task: Task,
    epochs: int,
    batch_size: int = 32,
    classes: int | None = None,
    loss: Any = None,
    optimizer: Any = "adam",
    metrics: Mapping[str, Measure] | None = None,
    per_epoch: bool | int = False,
    progress: Progress | None = None,
    jit_compile: bool = True,
) -> pd.DataFrame:
    """Train one model from many seeds.

    A seed gives what a single run gives after ``nnloss.set_seed(seed)``: the same initial weights
    and the same batches in the same order, bit for bit; then the same numbers but for rounding.
    Sums are taken in another order here, and training multiplies a difference of the last bit from
    step to step; a ReLU close to its kink decides the rest. After 100 epochs on Boston Housing the
    test loss differs by less than 1e-3 of its value.

    Parameters
    ----------
    build : callable
        Makes the body, as for `compile_for_task`; called for each seed in turn, after ``set_seed``
        (for the first one again where seeds have to be trained one after another).
    split : Split
        Inputs as the network takes them; `y` a quantity, or the numbers of classes.
    seeds : iterable of int
        From 0 to 2**32 - 1, each once.
    task : Task
        `REGRESSION`, `BINARY` or `MULTICLASS`.
    epochs : int
        At least 1.
    batch_size : int, default 32
        Rows in a batch; the last one may be smaller.
    classes : int, optional
        Number of classes, for `MULTICLASS`; default that of `split`.
    loss, optimizer
        As for `compile_for_task`. An optimizer object is copied for each seed, by its config.
    metrics : mapping of str to callable, optional
        Reported besides those of the task: functions of targets and outputs, made of TensorFlow
        operations, that give a value a row as Keras' functions do, over their last axis.
    per_epoch : bool or int, default False
        Give the values of every epoch, or of every so many and the last one; the test rows are
        evaluated after these, which may take longer than to train.
    progress : callable, optional
        Called with the seeds times epochs that are done, and with all of them.
    jit_compile : bool, default True
        Whether XLA compiles an epoch. Without it a short training starts sooner.

    Returns
    -------
    DataFrame
        One row a seed, in the order given: ``seed``, ``diverged`` (a value was not finite, in
        whichever epoch), ``loss`` and the metrics of the task over the batches of the last epoch,
        as in Keras' history, ``val_loss`` and so on on the test rows after it. With `per_epoch`,
        one row a seed and epoch, and a column ``epoch``, from 1.

    Raises
    ------
    NnlossError
        If there is no seed, one twice, no epoch, a batch is larger than the data, or the optimizer
        cannot be copied.
    PairingError, TargetError
        As `compile_for_task` and `TaskModel.fit`; nothing is trained then.

    Notes
    -----
    What `batched_layers` does not know (a layer, a regularizer, an optimizer that looks at whole
    weights) is trained one seed after another, and the reason is logged. As ``set_seed`` does, it
    seeds the process and asks for deterministic operations.

    Examples
    --------
    >>> runs = fit_many(network, split, range(100), task=REGRESSION, epochs=100)
    >>> runs["val_loss"].describe()
    """
    seeds = _checked_seeds(seeds)
    _require_numbers(epochs, batch_size, len(split.x_train), int(per_epoch))
    if classes is None and task.nodes is None:
        classes = len(split.classes) or None
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
        jit_compile,
    )
    plan.new_optimizer()  # so that one that cannot be copied is found out now
    first, start = plan.start(seeds[0])
    assert first.choice.loss is not None, "complete has required a loss of the task"
    given = (
        (split.x_train, as_targets(split.y_train, first.choice.loss, first.nodes)),
        (split.x_test, as_targets(split.y_test, first.choice.loss, first.nodes)),
    )
    for x, y in given:
        check = partial(require_targets, first.question)
        check_batch((x, y), f"Task '{task.name}'", check, sample=False)
    data = Data(*device_data.tensors(given[0]), *device_data.tensors(given[1]))
    done, frames = 0, []
    for epochs_done, frame in _all(plan, first, start, data, seeds):
        done += epochs_done
        frames += [] if frame is None else [frame]
        if progress:
            progress(done, len(seeds) * epochs)
    frame = pd.concat(frames, ignore_index=True)
    return frame if per_epoch else frame.drop(columns="epoch")


@dataclass(frozen=True)
class _Plan:
    """What was asked for."""

    build: Callable[[], Any]
    task: Task
    classes: int | None
    loss: Any
    optimizer: Any
    epochs: int
    batch_size: int
    per_epoch: bool | int
    metrics: Mapping[str, Measure] = field(default_factory=dict)
    jit_compile: bool = True

    @property
    def given(self) -> list[int]:
        """The epochs whose values are given, from 1."""
        last = [self.epochs]
        if not self.per_epoch:
            return last
        return list(range(int(self.per_epoch), self.epochs, int(self.per_epoch))) + last

    def start(self, seed: int) -> tuple[Completed, Start]:
        """Make a new model as a single run does, and note what its training starts with."""
        set_seed(seed)
        made = complete(self.build(), self.task, classes=self.classes, loss=self.loss)
        return made, Start.of(keras.Model(made.inputs, made.outputs))

    def new_optimizer(self) -> Any:
        """Make an optimizer in the state in which the caller's was given."""
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
class Start:
    """What a training starts with: variables, the seed to shuffle by; and what the layers are."""

    variables: list[NDArray[Any]]
    shuffle_seed: int
    layers: list[tuple[type, dict[str, Any]]]

    @classmethod
    def of(cls, network: Any) -> Start:
        """Note the start of a model that was made just now.

        Parameters
        ----------
        network : keras.Model
            Made after ``set_seed``; the seed to shuffle by is the next number that `fit` draws.

        Returns
        -------
        Start
            Of copies.
        """
        shuffle_seed = device_data.shuffle_seed()
        shape = [(type(layer), layer.get_config() | {"name": ""}) for layer in network.layers]
        return cls([variable.numpy() for variable in _variables(network)], shuffle_seed, shape)


@dataclass(frozen=True)
class Data:
    """Tensors, targets encoded."""

    x_train: Any
    y_train: Any
    x_test: Any
    y_test: Any


def _checked_seeds(seeds: Iterable[int]) -> list[int]:
    given = [index(seed) for seed in seeds]
    rule = "fit_many needs seeds from 0 to 2**32 - 1, each once"
    if not given:
        raise NnlossError(rule, "found none", "Give for example range(100)")
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


#: Seeds times epochs that were done since the last time, and a table if it is ready.
Steps = Iterator[tuple[int, pd.DataFrame | None]]


def _all(plan: _Plan, first: Completed, start: Start, data: Data, seeds: Sequence[int]) -> Steps:
    """Train at once what can be, and the rest one after another."""
    left = list(seeds)
    try:
        ensemble = ManySeeds(
            keras.Model(first.inputs, first.outputs),
            _measures(first.choice) | dict(plan.metrics),
            data,
            plan.new_optimizer(),
            plan.batch_size,
            len(seeds),
            jit_compile=plan.jit_compile,
        )
        for done, frame in _together(plan, ensemble, start, seeds):
            yield done, frame
            if frame is not None:
                left = left[frame["seed"].nunique() :]
    except NotBatchable as reason:
        logger.info("Seeds are trained one after another, because of %s", reason)
        yield from _one_by_one(plan, data, left)


def _one_by_one(plan: _Plan, data: Data, seeds: Sequence[int]) -> Steps:
    """Train each seed as a model of its own."""
    for seed in seeds:
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
            data.x_train,
            data.y_train,
            batch_size=plan.batch_size,
            epochs=plan.epochs,
            validation_data=(data.x_test, data.y_test),
            validation_freq=plan.given,
            verbose=0,
        ).history
        # What is measured while training is there for all epochs, on the test rows for the given.
        places = [epoch - 1 for epoch in plan.given]
        frame = pd.DataFrame(
            {
                name: values if name.startswith("val_") else [values[place] for place in places]
                for name, values in history.items()
            }
        )
        finite = all(np.isfinite(values).all() for values in history.values())
        frame.insert(0, "epoch", plan.given)
        frame.insert(0, "diverged", not finite)
        frame.insert(0, "seed", seed)
        yield plan.epochs, frame


def _together(plan: _Plan, ensemble: ManySeeds, start: Start, seeds: Sequence[int]) -> Steps:
    """Train the seeds in chunks of one size: the last one may repeat its last seed."""
    for begin in range(0, len(seeds), ensemble.models):
        chunk = seeds[begin : begin + ensemble.models]
        # The first seed has been started, to see what is to be stacked.
        starts = [start if seed == seeds[0] else plan.start(seed)[1] for seed in chunk]
        for seed, each in zip(chunk, starts, strict=True):
            if each.layers != start.layers:
                raise NotBatchable(f"another model for seed {seed} than for seed {seeds[0]}")
        ensemble.load(starts)
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
    """Models of one shape that are trained at once.

    Parameters
    ----------
    template : keras.Model
        One of them.
    measures : mapping of str to callable
        Functions of targets and outputs that give a value a row; ``"loss"`` is trained on.
    data : Data
        What they are trained and evaluated on.
    optimizer : keras.optimizers.Optimizer
        A new one.
    batch_size, seeds : int
        Rows in a batch; how many seeds there are.
    jit_compile : bool, default True
        Whether XLA compiles an epoch; without it a short training starts sooner.

    Raises
    ------
    NotBatchable
        If something in the model, the loss or the optimizer is not known.
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
        jit_compile: bool = True,
    ) -> None:
        require_batchable(template)
        floats = _floats_per_row(template)
        each = 4 * (4 * template.count_params() + 3 * batch_size * floats)
        chunks = -(-seeds // max(1, min(MODELS, MEMORY // each)))
        #: Models in a chunk.
        self.models = -(-seeds // chunks)
        self.data = data
        self.batch_size = batch_size
        self.network = stack(template, self.models)
        self.optimizer = _require_elementwise(optimizer)
        self.optimizer.build(self.network.trainable_variables)
        self._new = [variable.numpy() for variable in self.optimizer.variables]
        self._measures = {name: partial(_by_row, each) for name, each in measures.items()}
        self._shuffle_seeds: list[int] = []
        # XLA draws other random numbers than TensorFlow does from the same state.
        drops = any(isinstance(layer, BatchedDropout) for layer in self.network.layers)
        self._train = tf.function(
            self._train_epoch, jit_compile=jit_compile and not drops, autograph=False
        )
        self._evaluate = tf.function(self._sums, jit_compile=jit_compile, autograph=False)
        rows = len(data.x_test)
        self._test_rows = min(rows, max(1, MEMORY // (4 * 2 * floats * self.models)))

    def load(self, starts: Sequence[Start]) -> None:
        """Start with new models.

        Parameters
        ----------
        starts : sequence of Start
            Not more than `models`; if there are fewer, the last one is repeated.
        """
        padded = [*starts, *starts[-1:] * (self.models - len(starts))]
        self._shuffle_seeds = [each.shuffle_seed for each in padded]
        states = zip(*(each.variables for each in padded), strict=True)
        for variable, values in zip(_variables(self.network), states, strict=True):
            variable.assign(np.stack(values))
        for variable, value in zip(self.optimizer.variables, self._new, strict=True):
            variable.assign(value)

    def train(self, epoch: int) -> dict[str, NDArray[np.float32]]:
        """Train all models for an epoch.

        Parameters
        ----------
        epoch : int
            From 0; it gives the order of the rows.

        Returns
        -------
        dict of str to ndarray, shape (models,)
            Loss and metrics, means over the rows as they were visited.
        """
        rows = len(self.data.x_train)
        orders = [device_data.order_of_epoch(rows, seed, epoch) for seed in self._shuffle_seeds]
        sums = self._train(np.stack(orders).astype(np.int32))
        return {name: value.numpy() / rows for name, value in sums.items()}

    def evaluate(self) -> dict[str, NDArray[np.float32]]:
        """Evaluate all models on the test rows.

        Returns
        -------
        dict of str to ndarray, shape (models,)
            Loss and metrics, means over the rows.
        """
        rows = len(self.data.x_test)
        sums = [
            self._evaluate(
                self.data.x_test[start : start + self._test_rows],
                self.data.y_test[start : start + self._test_rows],
            )
            for start in range(0, rows, self._test_rows)
        ]
        return {name: sum(part[name].numpy() for part in sums) / rows for name in sums[0]}

    def _train_epoch(self, order: Any) -> dict[str, Any]:
        rows, size = len(self.data.x_train), self.batch_size
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
        """Take a step with the rows that each model has next; give sums over these rows."""
        x, y = tf.gather(self.data.x_train, chosen), tf.gather(self.data.y_train, chosen)
        weights = self.network.trainable_variables
        with tf.GradientTape() as tape:
            predicted = self.network(x, training=True)
            values = {name: measure(y, predicted) for name, measure in self._measures.items()}
            # The sum over models: no model's loss has a gradient in the weights of another.
            loss = tf.reduce_sum(tf.reduce_mean(values["loss"], axis=1))
        self.optimizer.apply(tape.gradient(loss, [w.value for w in weights]), weights)
        return {name: tf.reduce_sum(value, axis=1) for name, value in values.items()}

    def _sums(self, x: Any, y: Any) -> dict[str, Any]:
        """Add up over the rows, which all models see."""
        x, y = (tf.broadcast_to(part, (self.models, *part.shape)) for part in (x, y))
        predicted = self.network(x, training=False)
        return {
            name: tf.reduce_sum(measure(y, predicted), axis=1)
            for name, measure in self._measures.items()
        }


def _variables(network: Any) -> list[Any]:
    """Weights and states of generators, layer by layer: in one order for a model and its stack."""
    found = []
    for layer in network.layers:
        found += layer.weights
        if isinstance(layer, keras.layers.Dropout):
            found.append(layer.seed_generator.state)
    return found


def _measures(choice: LossChoice) -> dict[str, Measure]:
    """Loss and metrics as functions of targets and outputs, one value a model and row."""
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
    """One value a model and row; some of Keras' functions keep an axis of length 1."""
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
    """Numbers that a row becomes on its way through a model, patches of convolutions among them."""
    total = 0
    for layer in template.layers:
        for output in keras.tree.flatten(layer.output):
            size = math.prod(output.shape[1:])
            window = math.prod(getattr(layer, "kernel_size", ()))
            channels = layer.input.shape[-1] / output.shape[-1] if window > 1 else 0
            total += math.ceil(size * (1 + window * channels))
    return total
