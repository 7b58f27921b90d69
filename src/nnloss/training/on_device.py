"""Keras model that trains and evaluates fast on arrays.

`keras.Model.fit` hands over every batch from Python, resets and reads each metric separately, and
traces its step twice. On the networks of the course that takes many times longer than the
arithmetic. Here TensorFlow loops over the batches of a `DeviceDataset`; the computation stays the
same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from nnloss._tensorflow import defined_by_keras, keras, tf
from nnloss.training import device_data, fitting


@dataclass(frozen=True)
class _Compiled:
    """Arguments of ``compile``, hidden from Keras, which tracks metrics in attributes.

    `functions` caches the traced training and evaluation by `_Execution.key`, `datasets` the
    data on the device, and `on_metrics` the operations on all metrics. `latest` has the values of
    the metrics if no step or reset came after them.
    """

    loss: Any = None
    metrics: Sequence[Any] = ()
    options: dict[str, Any] = field(default_factory=dict)
    functions: dict[Any, Any] = field(default_factory=dict)
    datasets: list[device_data.DeviceDataset] = field(default_factory=list)
    on_metrics: dict[str, Any] = field(default_factory=dict)
    latest: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Execution:
    """Number of steps run at once, and the datasets that provide the rows."""

    steps: int = 1
    train: device_data.DeviceDataset | None = None
    test: device_data.DeviceDataset | None = None

    def key(self, kind: str) -> tuple[Any, ...]:
        """Return what a traced function depends on; `kind` is "train" or "test"."""
        dataset = getattr(self, kind)
        return kind, self.steps, dataset, dataset and dataset.single


class OnDeviceModel(keras.Model):
    """Keras model with fast `fit` and `evaluate` on arrays, and Keras' own otherwise.

    Callbacks see every epoch with the same values as in Keras. If one has a batch hook, steps run
    one by one. Arrays are fed from the device unless there is a distribution strategy, eager
    execution or ``steps_per_epoch``.

    XLA is used only with ``jit_compile=True``, which Keras ignores after `set_seed`: some compiled
    operations are not deterministic. Compilation takes longer than short steps save, as
    ``python -m benchmarks`` measures.
    """

    # Set by Keras.
    steps_per_execution: int
    train_function: Any
    test_function: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._compiled = _Compiled()
        self._execution = _Execution()

    def compile(
        self, optimizer: Any = "rmsprop", loss: Any = None, metrics: Any = None, **kwargs: Any
    ) -> None:
        """Compile, as ``keras.Model.compile``."""
        super().compile(optimizer=optimizer, loss=loss, metrics=metrics, **kwargs)
        self._compiled = _Compiled(loss, tuple(metrics or ()), kwargs)

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Sequence[int] = 1,
    ) -> Any:
        """Train, as `keras.Model.fit`; a `TaskModel` first checks inputs and targets.

        It checks every row of arrays, each batch of a generator as it is drawn, and the first batch
        of a ``tf.data.Dataset`` or ``PyDataset``. This starts the dataset once more: a shuffled one
        continues with its next order, and a source that can be read only once loses that batch.

        Parameters
        ----------
        x, y
            As in Keras. Arrays of float64 are cast to `keras.config.floatx`.
        batch_size, epochs, verbose, callbacks, validation_split
            As in Keras.
        validation_data
            As in Keras, and cast as `x`.
        shuffle, class_weight, sample_weight, initial_epoch
            As in Keras.
        steps_per_epoch : int, optional
            As in Keras; but of shuffled arrays every epoch takes the first batches of a new order.
            Keras goes on in the old order until it has drawn all rows.
        validation_steps
            As in Keras.
        validation_batch_size : int, optional
            Default for arrays: 1024 if that cannot change the values, that is with a mean loss,
            Keras' own metrics and no fixed batch size.
        validation_freq
            As in Keras.

        Returns
        -------
        keras.callbacks.History
            Its ``history`` maps each metric to the list of its values by epoch.

        Raises
        ------
        TargetError
            If inputs or targets do not fit the task. Nothing is trained or written then.
        NnlossError
            If `batch_size` or `class_weight` is not valid.
        """
        fitting.require_batch_size(batch_size)
        x = self._checked(x, y, sample_weight)
        if isinstance(validation_data, (tuple, list)) and len(validation_data) in (2, 3):
            validation_data = (self._checked(*validation_data), *validation_data[1:])
        elif validation_data is not None:
            validation_data = self._checked(validation_data)
        callbacks = fitting.as_list(callbacks)
        size = batch_size or 32
        rows = _rows(y)
        split = {"train": rows}
        if rows and validation_split and validation_data is None:
            trained = device_data.rows_before(rows, validation_split)
            split = {"train": trained, "validation": rows - trained}
            if 0 < trained < rows and device_data.in_memory(x, y, sample_weight):  # else Keras'
                (x, y, sample_weight), validation_data = device_data.split_rows(
                    (x, y, sample_weight), trained
                )
                validation_split = 0.0
        arguments: dict[str, Any] = {
            "y": y,
            "batch_size": batch_size,
            "shuffle": shuffle,
            "class_weight": class_weight,
            "sample_weight": sample_weight,
            "validation_split": validation_split,
        }
        with ExitStack() as stack:
            callbacks = stack.enter_context(
                self._recorded_fit(
                    callbacks,
                    epochs=epochs,
                    batch_size=batch_size if rows is None else size,
                    split=split,
                )
            )
            train = test = None
            weights = device_data.row_weights(y, class_weight, sample_weight)
            batches = -(-(split["train"] or 0) // size)
            enough = not steps_per_epoch or (shuffle and steps_per_epoch <= batches)
            if self._feeds(x, y, *weights) and not validation_split and enough:
                train = stack.enter_context(
                    self._fed((x, y, *weights), size, shuffle, steps_per_epoch)
                )
                steps_per_epoch = None  # the dataset has as many
                arguments = {"shuffle": False}  # the dataset shuffles
                if shuffle:
                    callbacks = [device_data.Shuffle(train), *callbacks]
            if isinstance(validation_data, (tuple, list)) and self._feeds(*validation_data):
                if validation_steps:  # counts batches of Keras' own size
                    validation_batch_size = validation_batch_size or size
                else:
                    validation_batch_size = validation_batch_size or self._evaluation_batch or size
                    test = stack.enter_context(self._fed(validation_data, validation_batch_size))
            # Several steps at once run to the end of the data, which must be the end of the epoch.
            steps = self.steps_per_execution
            if not (steps_per_epoch or validation_steps):
                if train:
                    steps = self._at_once(callbacks, train.batches, verbose)
                elif isinstance(x, tf.data.Dataset):
                    steps = self._at_once(callbacks, int(x.cardinality()), verbose)
            if train:
                x, steps_per_epoch = train.dataset(steps), train.batches
            if test:
                validation_data, validation_steps = test.dataset(steps), test.batches
            # Building it in the first step would trace that step twice.
            if (train or test) and not self.optimizer.built:
                self.optimizer.build(self.trainable_variables)
            stack.enter_context(self._running(_Execution(steps, train, test)))
            return super().fit(
                x,
                epochs=epochs,
                verbose=verbose,
                callbacks=callbacks,
                validation_data=validation_data,
                initial_epoch=initial_epoch,
                steps_per_epoch=steps_per_epoch,
                validation_steps=validation_steps,
                validation_batch_size=validation_batch_size,
                validation_freq=validation_freq,
                **arguments,
            )

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Evaluate, as `keras.Model.evaluate`; a `TaskModel` first checks inputs and targets.

        If it has a log, the values are stored as ``metrics.test`` in the record of the last
        training, regardless of the rows.

        Parameters
        ----------
        x, y, batch_size, verbose, sample_weight, steps, callbacks, return_dict
            As in Keras. The default of `batch_size` is that of ``validation_batch_size`` in
            `TaskModel.fit`.
        **kwargs
            Used by Keras for validation in ``fit``.

        Returns
        -------
        list of float or dict of str to float
            Loss and metrics, averaged over rows.

        Raises
        ------
        TargetError
            If inputs or targets do not fit the task.
        """
        if kwargs:  # called by fit, which has already checked and loaded the data
            return super().evaluate(
                x, y, batch_size, verbose, sample_weight, steps, callbacks, return_dict, **kwargs
            )
        x, rows = self._checked(x, y, sample_weight), _rows(y)
        test, at_once = None, self.steps_per_execution
        with ExitStack() as stack:
            if self._feeds(x, y, sample_weight) and not steps:
                size = batch_size or self._evaluation_batch or 32
                test = stack.enter_context(self._fed((x, y, sample_weight), size))
                at_once = self._at_once(fitting.as_list(callbacks), test.batches, verbose)
                x, y, batch_size, sample_weight = test.dataset(at_once), None, None, None
                steps = test.batches
            stack.enter_context(self._running(_Execution(at_once, None, test)))
            result = super().evaluate(
                x, y, batch_size, verbose, sample_weight, steps, callbacks, return_dict
            )
            self._record_test(rows)
        return result

    def _checked(self, x: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Check data before the first step and return `x`, in a `TaskModel`."""
        return x

    @contextmanager
    def _recorded_fit(self, callbacks: list[Any], **settings: Any) -> Iterator[list[Any]]:
        """Provide the callbacks of a ``fit``, which a `TaskModel` may record."""
        yield callbacks

    def _record_test(self, rows: int | None) -> None:
        """Record the values of ``evaluate``, in a `TaskModel`."""

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        """Predict, as ``keras.Model.predict``, even inside a callback of ``fit``."""
        # One step at a time, so that a model loaded from a file gives the same bits.
        with self._running(_Execution(1)):
            return super().predict(*args, **kwargs)

    def train_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        """Train on one batch, as ``keras.Model.train_on_batch``."""
        with self._running(_Execution(1)):
            return super().train_on_batch(*args, **kwargs)

    def test_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        """Evaluate one batch, as ``keras.Model.test_on_batch``."""
        with self._running(_Execution(1)):
            return super().test_on_batch(*args, **kwargs)

    def make_train_function(self, force: bool = False) -> Any:
        """Build ``train_function``, as ``keras.Model`` does."""
        dataset = self._execution.train
        if dataset is None or (self.train_function is not None and not force):
            return super().make_train_function(force)
        self.train_function = self._over(dataset, self.train_step)
        return self.train_function

    def make_test_function(self, force: bool = False) -> Any:
        """Build ``test_function``, as ``keras.Model`` does."""
        dataset = self._execution.test
        if dataset is None or (self.test_function is not None and not force):
            return super().make_test_function(force)
        self.test_function = self._over(dataset, self.test_step)
        return self.test_function

    def reset_metrics(self) -> None:
        """Reset all metrics, as ``keras.Model`` does."""
        self._compiled.latest.clear()
        self._on_metrics("reset", super().reset_metrics)

    def get_metrics_result(self) -> dict[str, Any]:
        """Return the values of all metrics and the loss by name."""
        values: dict[str, Any] = self._compiled.latest
        if tf.inside_function() or not values:
            values = self._on_metrics("result", super().get_metrics_result)
        return dict(values)

    @property
    def _metrics_are_keras(self) -> bool:
        weighted = self._compiled.options.get("weighted_metrics") or ()
        return all(
            isinstance(each, str)
            or (isinstance(each, keras.metrics.Metric) and defined_by_keras(type(each)))
            for each in (*self._compiled.metrics, *keras.tree.flatten(weighted))
        )

    @property
    def _evaluation_batch(self) -> int | None:
        """Batch size for evaluation if the mean does not depend on it, else None."""
        reduction = getattr(self._compiled.loss, "reduction", "sum_over_batch_size")
        free = all(each.shape[0] is None for each in self.inputs)
        large = reduction == "sum_over_batch_size" and self._metrics_are_keras and free
        return fitting.EVALUATION_BATCH if large else None

    def _over(self, dataset: device_data.DeviceDataset, step: Any) -> Any:
        if self.jit_compile:
            step = tf.function(step, jit_compile=True, reduce_retracing=True, autograph=False)
        steps, latest = self.steps_per_execution, self._compiled.latest
        each_batch = dataset.each_batch(step, steps, self.get_metrics_result)

        def execution(iterator: Any) -> Any:
            values = each_batch(next(iterator))
            if steps > 1:  # no callback can update a metric in between
                latest.update(values)
            return values

        return execution

    def _feeds(self, x: Any = None, y: Any = None, *weights: Any) -> bool:
        """Return whether x and y are arrays, without a strategy or eager execution."""
        plain = not tf.distribute.has_strategy() and not self.run_eagerly
        # A model built under a strategy keeps it.
        plain = plain and self.distribute_strategy is tf.distribute.get_strategy()
        given = keras.tree.flatten([x, y])  # an optional input may be None
        return (
            plain
            and all(leaf is not None for leaf in given)
            and device_data.in_memory(x, y, *weights)
        )

    @contextmanager
    def _fed(
        self,
        parts: Sequence[Any],
        batch_size: int,
        shuffle: bool = False,
        batches: int | None = None,
    ) -> Iterator[device_data.DeviceDataset]:
        """Load arrays into a dataset, one that has already been traced if possible."""
        given = device_data.tensors(tuple(part for part in parts if part is not None))
        datasets = self._compiled.datasets
        dataset = next((each for each in datasets if each.serves(given, shuffle)), None)
        if dataset is None:
            dataset = device_data.DeviceDataset(given, shuffle)
            datasets.append(dataset)
        with dataset.load(given, batch_size, batches):
            yield dataset

    def _at_once(self, callbacks: Sequence[Any], batches: int, verbose: Any) -> int:
        """Return how many steps to run at once; the caller's own number is kept."""
        if "steps_per_execution" in self._compiled.options:
            return self.steps_per_execution
        return fitting.steps_per_execution(callbacks, batches, verbose)

    @contextmanager
    def _running(self, execution: _Execution) -> Iterator[None]:
        """Run steps with another execution inside the context."""
        before = replace(self._execution, steps=self.steps_per_execution)
        self._switch_to(execution)
        try:
            yield
        finally:
            self._switch_to(before)

    def _switch_to(self, execution: _Execution) -> None:
        """Restore the functions traced for an execution, if any."""
        self._compiled.latest.clear()
        functions, before = self._compiled.functions, self._execution
        functions[before.key("train")] = self.train_function
        functions[before.key("test")] = self.test_function
        self._execution, self.steps_per_execution = execution, execution.steps
        self.train_function = functions.get(execution.key("train"))
        self.test_function = functions.get(execution.key("test"))

    def _on_metrics(self, name: str, function: Any) -> Any:
        """Call a function of all metrics as one operation, which saves 2 ms per epoch."""
        if tf.inside_function() or self.run_eagerly:
            return function()
        built = all(getattr(each, "built", True) for each in self.metrics)
        if not built or not self._metrics_are_keras:
            return function()
        traced = self._compiled.on_metrics
        if name not in traced:
            traced[name] = device_data.traced(function)
        return traced[name]()


def _rows(y: Any) -> int | None:
    """Return the number of rows of targets, or None for other sources."""
    leaf: Any = next(iter(keras.tree.flatten(y)), None)
    return len(leaf) if hasattr(leaf, "__len__") else None
