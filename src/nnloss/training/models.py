"""Keras models completed with the output layer, loss and metrics of their task."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from os import PathLike
from typing import Any

from nnloss._tensorflow import keras
from nnloss.errors import NnlossError, PairingError
from nnloss.pairing import metrics as task_metrics
from nnloss.pairing.heads import Head, complete, require
from nnloss.pairing.judge import Question, judge, require_targets
from nnloss.pairing.losses import LossChoice, recognise
from nnloss.pairing.tracing import values_of
from nnloss.runs.run import Run
from nnloss.table import TASKS, Task
from nnloss.training import device_data, fitting
from nnloss.training.backup import Backup
from nnloss.training.on_device import OnDeviceModel
from nnloss.training.recording import FitRecorder

logger = logging.getLogger("nnloss")

Log = str | PathLike[str] | Run | None


def compile_for_task(
    model: Any,
    task: Task,
    *,
    classes: int | None = None,
    loss: Any = None,
    optimizer: Any = "adam",
    metrics: Sequence[Any] = (),
    log: Log = None,
    head: Head = "auto",
    strict: bool = True,
) -> TaskModel:
    """Add the output layer, loss and metrics of a task to a model and compile it.

    A model that ends in a hidden layer (relu, tanh, pooling, Flatten, Dropout, normalisation, ...)
    gets the output layer. A model with a suitable output layer keeps it. A pairing that
    `check_pairing` calls wrong raises an error.

    Parameters
    ----------
    model : keras.Model
        A built functional or sequential model with one output. The returned model shares its layers
        and weights.
    task : Task
        One of `TASKS` or your own.
    classes : int, optional
        Number of output nodes, at least 2, where the task leaves it open: classes of `MULTICLASS`,
        labels of `MULTILABEL`, quantities of `MULTIOUTPUT`. Not needed if the model already has its
        output layer.
    loss : str, keras.losses.Loss or callable, optional
        One of ``task.losses``. Default: the canonical loss. With ``from_logits=True`` the output
        layer is linear.
    optimizer : str or keras.optimizers.Optimizer, default "adam"
        As in ``compile``.
    metrics : sequence of str or keras.metrics.Metric, optional
        Metrics in addition to those of the task.
    log : path or Run, optional
        A folder: each ``fit`` writes a run record to ``log/<name of the model>/<run id>/`` and adds
        a row to ``log/results.csv``. An open `nnloss.runs.Run`: ``fit`` writes to it.
    head : {"auto", "add", "keep"}, default "auto"
        Whether to add the output layer. "auto" infers it from the model.
    strict : bool, default True
        Raise an error for anything that cannot be checked, such as a custom loss or layer. If
        False, log a warning instead.

    Returns
    -------
    TaskModel
        The compiled model. An INFO line of ``logging.getLogger("nnloss")`` states the choices.

    Raises
    ------
    PairingError
        If the model, its output layer, the loss or a metric does not fit the task.

    Examples
    --------
    >>> body = keras.Sequential([keras.Input((13,)), keras.layers.Dense(64, "relu")])
    >>> model = compile_for_task(body, REGRESSION)
    >>> model.output_shape
    (None, 1)
    """
    completed = complete(model, task, classes=classes, loss=loss, head=head, strict=strict)
    result = TaskModel(
        completed.inputs, completed.outputs, task, name=model.name, log=log, strict=strict
    )
    result.compile(optimizer=optimizer, loss=loss, metrics=metrics)
    had = type(model.optimizer).__name__ if getattr(model, "compiled", False) else None
    logger.info(
        "Task '%s': %s; loss %s; optimizer %s%s; metrics %s; %s parameters",
        task.name,
        completed.text,
        completed.choice.what,
        type(result.optimizer).__name__,
        f" (the compiled model had {had})" if had else "",
        ", ".join(task_metrics.name_of(metric) for metric in result.bound_metrics),
        f"{result.count_params():,}",
    )
    return result


@keras.saving.register_keras_serializable(package="nnloss")
class TaskModel(OnDeviceModel):
    """Keras model with a task, built by `compile_for_task`.

    A functional ``keras.Model``, fast on arrays. In addition, ``compile`` raises an error for a
    loss or metric that does not fit the task, ``fit`` and ``evaluate`` check inputs and targets
    before the first step, and a run is recorded if `log` is given. ``save`` writes an ordinary
    Keras model, which loads without this package. ``keras.models.clone_model`` returns an ordinary
    model too.

    Parameters
    ----------
    inputs, outputs : keras.KerasTensor or nested structure of them
        As for ``keras.Model``; one output.
    task : Task
        Task of the output layer.
    name : str, optional
        Name of the model.
    log, strict
        See `compile_for_task`.
    """

    def __init__(
        self,
        inputs: Any,
        outputs: Any,
        task: Task,
        *,
        name: str | None = None,
        log: Log = None,
        strict: bool = True,
    ) -> None:
        super().__init__(inputs=inputs, outputs=outputs, name=name)
        self.task = task
        self._log = log
        self._strict = strict
        self._recorded: FitRecorder | None = None
        self._question = self._asked(None)

    def _asked(self, loss: Any) -> Question:
        """Return the output and a loss as a question for `judge`."""
        values = values_of(self.outputs[0])
        choice = recognise(loss, self.task, values)
        nodes = self.task.nodes or max(values.units(choice.axis) or 0, 2)
        return Question("", f"model '{self.name}'", values, choice, self.task, nodes)

    @property
    def _choice(self) -> LossChoice:
        return self._question.choice

    def compile(
        self, optimizer: Any = "adam", loss: Any = None, metrics: Any = None, **kwargs: Any
    ) -> None:
        """Compile with a loss and metrics of the task.

        Parameters
        ----------
        optimizer, loss, metrics
            As in `compile_for_task`.
        **kwargs
            Further arguments of ``keras.Model.compile``. ``jit_compile`` defaults to False: XLA
            cannot compile every layer and does not pay off in short trainings. Without it, a saved
            model gives bit-identical results wherever it is loaded.

        Raises
        ------
        PairingError
            If the output layer, the loss or a metric does not fit the task.
        """
        question = self._asked(loss)
        due = (question.choice.loss or self.task.loss).metrics
        bound = task_metrics.bind(metrics, question.choice, due)
        finding = judge(question, bound)
        require(finding, strict=self._strict)
        if finding.verdict == "right" and finding.remedy:
            logger.warning("Model '%s': %s", self.name, finding.remedy)
        kwargs.setdefault("jit_compile", False)
        super().compile(
            optimizer=optimizer, loss=question.choice.given, metrics=list(bound), **kwargs
        )
        self._question = question

    @property
    def bound_metrics(self) -> tuple[Any, ...]:
        """Metrics of the task, followed by the caller's."""
        return tuple(self._compiled.metrics)

    @property
    def nodes(self) -> int:
        """Number of units of the output layer."""
        return int(self._question.values.units() or 0)

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
        """Train, as ``keras.Model.fit``, after checking inputs and targets.

        Every row of arrays is checked, each batch of a generator as it is drawn, and the first
        batch of a ``tf.data.Dataset`` or ``PyDataset``. This starts the dataset once more: a
        shuffled one continues with its next order, and a source that can be read only once loses
        that batch. Arguments not listed here are as in Keras.

        Parameters
        ----------
        x, y, validation_data
            As in Keras. float64 arrays are cast to ``keras.config.floatx()``.
        validation_batch_size : int, optional
            Default for arrays: 1024 if that cannot change the values, that is with a mean loss,
            Keras' own metrics and no fixed batch size.

        Returns
        -------
        keras.callbacks.History
            ``history`` maps each metric to its list of values per epoch.

        Raises
        ------
        TargetError
            If inputs or targets do not fit the task. Nothing is trained or written then.
        """
        if batch_size is not None and batch_size < 1:
            raise NnlossError(
                "fit needs a batch size of at least 1",
                f"found batch_size={batch_size}",
                "Give 1 or more",
            )
        rule = self._rule
        x = fitting.check_data(x, y, sample_weight, **rule)
        if validation_data is not None:
            validation_data = fitting.check_validation_data(validation_data, **rule)
        callbacks = fitting.as_list(callbacks)
        rows = len(y) if hasattr(y, "__len__") else None
        split = {"train": rows}
        if rows is not None and validation_split and validation_data is None:
            trained = device_data.rows_before(rows, validation_split)
            split = {"train": trained, "validation": rows - trained}
        size = 32 if batch_size is None and rows is not None else batch_size
        backup = next((each for each in callbacks if isinstance(each, Backup)), None)
        recorder = self._recorder(epochs=epochs, batch_size=size, split=split, backup=backup)
        with recorder or nullcontext():
            return super().fit(
                x,
                y,
                batch_size=batch_size,
                epochs=epochs,
                verbose=verbose,
                callbacks=[*callbacks, recorder] if recorder else callbacks,
                validation_split=validation_split,
                validation_data=validation_data,
                shuffle=shuffle,
                class_weight=class_weight,
                sample_weight=sample_weight,
                initial_epoch=initial_epoch,
                steps_per_epoch=steps_per_epoch,
                validation_steps=validation_steps,
                validation_batch_size=validation_batch_size,
                validation_freq=validation_freq,
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
        """Evaluate, as ``keras.Model.evaluate``, after checking inputs and targets.

        With `log`, the values are stored as ``metrics.test`` in the record of the last ``fit``,
        regardless of the rows.

        Parameters
        ----------
        x, y, batch_size, verbose, sample_weight, steps, callbacks, return_dict
            As in Keras. ``batch_size`` has the default of ``validation_batch_size`` in `fit`.
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
        x = fitting.check_data(x, y, sample_weight, **self._rule)
        rows = len(y) if hasattr(y, "__len__") else None
        result = super().evaluate(
            x, y, batch_size, verbose, sample_weight, steps, callbacks, return_dict
        )
        if self._recorded:
            values = {name: float(value) for name, value in self.get_metrics_result().items()}
            self._recorded.run.update(metrics={"test": values}, split={"test": rows})
        return result

    def to_keras(self) -> Any:
        """Return an ordinary functional Keras model that is compiled in the same way.

        It shares layers, weights and optimizer with this model.
        """
        model = keras.Model(self.input, self.outputs[0], name=self.name)
        model.compile(
            optimizer=self.optimizer,
            loss=self._choice.given,
            metrics=list(self._compiled.metrics),
            **self._compiled.options,
        )
        return model

    def save(self, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
        """Save as an ordinary Keras model, which loads without this package.

        Arguments are as in ``keras.Model.save``. To turn the loaded model into a `TaskModel`, pass
        it to `compile_for_task`, which keeps its output layer.
        """
        self.to_keras().save(filepath, overwrite=overwrite, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Return the functional model and the task's name, for serialisation."""
        model = keras.Model(self.input, self.outputs[0], name=self.name)
        return {"model": keras.saving.serialize_keras_object(model), "task": self.task.name}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> TaskModel:
        """Build a model, not compiled and with new weights, from `get_config`.

        Raises
        ------
        PairingError
            If the task is neither in `TASKS` nor in `custom_objects`.
        """
        model = keras.saving.deserialize_keras_object(config["model"], custom_objects)
        name = config["task"]
        task = TASKS.get(name) or keras.saving.get_registered_object(name, custom_objects)
        if not isinstance(task, Task):
            raise PairingError(
                "A saved TaskModel needs its task",
                f"found '{name}', which is not in nnloss.TASKS",
                f"Load it with custom_objects={{'{name}': task}}",
            )
        return cls(model.input, model.outputs[0], task, name=model.name)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile with the result of ``get_compile_config``."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)  # so that its state can be loaded

    @property
    def _rule(self) -> dict[str, Any]:
        return {
            "subject": f"Task '{self.task.name}'",
            "check": partial(require_targets, self._question),
        }

    def _recorder(self, **settings: Any) -> FitRecorder | None:
        if self._log is None:
            return None
        choice = self._choice
        self._recorded = FitRecorder(
            self._log,
            self.name,
            task=self.task.name,
            activation="linear" if choice.from_logits else self.task.activation,
            loss=choice.loss.name if choice.loss else None,
            optimizer=keras.saving.serialize_keras_object(self.optimizer)["config"],
            parameters=self.count_params(),
            **settings,
        )
        return self._recorded
