"""`compile_for_task`: give a Keras model the output layer, loss and metrics of its task."""

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
    """Complete and compile a model with the output layer, loss and metrics of a task.

    A model that ends in a hidden layer (relu, tanh, pooling, Flatten, Dropout, normalisation, ...)
    gets the output layer. One that ends in a right output keeps it. What `check_pairing` would call
    wrong is refused.

    Parameters
    ----------
    model : keras.Model
        A built functional or sequential model with one output. The returned model shares its
        layers and weights.
    task : Task
        One of `TASKS`, or of your own.
    classes : int, optional
        Number of output nodes, at least 2, where the task leaves it open: classes of `MULTICLASS`,
        labels of `MULTILABEL`, quantities of `MULTIOUTPUT`. May be left out where the model already
        ends in its output layer.
    loss : str, keras.losses.Loss or callable, optional
        One of ``task.losses``; default the canonical one. With ``from_logits=True`` the output
        layer is linear.
    optimizer : str or keras.optimizers.Optimizer, default "adam"
        As in ``compile``.
    metrics : sequence of str or keras.metrics.Metric, optional
        Reported besides those of the task.
    log : path or Run, optional
        A folder: each ``fit`` leaves a run record in ``log/<name of the model>/<run id>/`` and a
        row in ``log/results.csv``. An open `nnloss.runs.Run`: it is written into.
    head : {"auto", "add", "keep"}, default "auto"
        Whether to add the output layer. "auto" reads it off the model.
    strict : bool, default True
        Whether to refuse what cannot be known, such as a loss or layer of your own. If False, a
        warning is logged instead.

    Returns
    -------
    TaskModel
        Compiled. What was chosen is logged to ``logging.getLogger("nnloss")`` as one INFO line.

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
    """A Keras model that knows its task: made by `compile_for_task`.

    It is a functional ``keras.Model`` in every respect, and quick on arrays (`on_device`).
    Besides, ``compile`` refuses a loss or a metric that does not fit, ``fit`` and ``evaluate``
    check inputs and targets before the first step, and a run record is left if a `log` was given.
    ``save`` writes an ordinary Keras model, which loads where this package is not installed;
    ``keras.models.clone_model`` gives one too.

    Parameters
    ----------
    inputs, outputs : keras.KerasTensor or nested structure of them
        As for ``keras.Model``; one output.
    task : Task
        What the output layer belongs to.
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
        """Return the output with a loss, for the judge."""
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
            Further arguments of ``keras.Model.compile``. ``jit_compile`` is False unless given:
            XLA cannot compile every layer, short trainings are over before it has paid, and without
            it results are the same bits wherever the saved model is loaded.

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
        """The metrics of the task, and the caller's."""
        return tuple(self._compiled.metrics)

    @property
    def nodes(self) -> int:
        """Units of the output layer."""
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
        """Train, as ``keras.Model.fit``; inputs and targets are checked first.

        Of arrays every row is checked, of a generator each batch as it comes, of a
        ``tf.data.Dataset`` or ``PyDataset`` the first batch. To look at it starts the dataset once
        more: a shuffled one then goes on with its next order, a source that can be read only once
        loses that batch.

        Parameters
        ----------
        x, y, batch_size, epochs, verbose, callbacks, validation_split, validation_data, shuffle, \
class_weight, sample_weight, initial_epoch, steps_per_epoch, validation_steps, \
validation_batch_size, validation_freq
            As in Keras. Arrays may hold float64; they are trained on as ``keras.config.floatx()``.
            ``validation_batch_size`` defaults to 1024 for arrays where it cannot change the values:
            a mean loss, metrics that are Keras objects or names, no fixed batch size.

        Returns
        -------
        keras.callbacks.History
            As in Keras: its ``history`` has a list of values an epoch for each metric.

        Raises
        ------
        TargetError
            If inputs or targets do not fit the task; nothing is trained or written then.
        """
        if batch_size is not None and batch_size < 1:
            raise NnlossError(
                "fit needs batches", f"found batch_size={batch_size}", "Give 1 or more"
            )
        rule = self._rule
        x = fitting.checked(x, y, sample_weight, **rule)
        if validation_data is not None:
            validation_data = fitting.checked_validation(validation_data, **rule)
        callbacks = fitting.listed(callbacks)
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
        """Evaluate, as ``keras.Model.evaluate``; inputs and targets are checked first.

        With a `log`, the values go into the record of the last ``fit`` as ``metrics.test``,
        whichever rows they were measured on.

        Parameters
        ----------
        x, y, batch_size, verbose, sample_weight, steps, callbacks, return_dict
            As in Keras; ``batch_size`` defaults to 1024 for arrays where that cannot change the
            values, see `fit`.
        **kwargs
            What Keras passes when ``fit`` validates.

        Returns
        -------
        list of float or dict of str to float
            Loss and metrics, means over rows.

        Raises
        ------
        TargetError
            If inputs or targets do not fit the task.
        """
        if kwargs:  # from inside fit, which has checked and fed already
            return super().evaluate(
                x, y, batch_size, verbose, sample_weight, steps, callbacks, return_dict, **kwargs
            )
        x = fitting.checked(x, y, sample_weight, **self._rule)
        rows = len(y) if hasattr(y, "__len__") else None
        result = super().evaluate(
            x, y, batch_size, verbose, sample_weight, steps, callbacks, return_dict
        )
        if self._recorded:
            values = {name: float(value) for name, value in self.get_metrics_result().items()}
            self._recorded.run.update(metrics={"test": values}, split={"test": rows})
        return result

    def to_keras(self) -> Any:
        """Give the same layers, weights and compiled state as an ordinary Keras model.

        Returns
        -------
        keras.Model
            Functional; it shares layers, weights and optimizer with this model.
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

        `compile_for_task` makes a loaded model a `TaskModel` again and keeps its output layer.

        Parameters
        ----------
        filepath, overwrite, **kwargs
            As in ``keras.Model.save``.
        """
        self.to_keras().save(filepath, overwrite=overwrite, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Describe the model for ``keras.saving.save_model`` and ``from_config``.

        Returns
        -------
        dict
            The functional model and the name of the task.
        """
        model = keras.Model(self.input, self.outputs[0], name=self.name)
        return {"model": keras.saving.serialize_keras_object(model), "task": self.task.name}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> TaskModel:
        """Rebuild a model from `get_config`; Keras compiles it and loads its weights.

        Parameters
        ----------
        config : dict
            From `get_config`.
        custom_objects : dict, optional
            Classes of the caller's own, by name.

        Returns
        -------
        TaskModel
            Not compiled, with new weights.
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
        """Compile as the model was when it was saved.

        Parameters
        ----------
        config : dict
            From ``get_compile_config``.
        """
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
