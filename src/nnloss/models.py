"""`compile_for_task`: give a Keras model the output layer, loss and metrics of its task."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from os import PathLike
from typing import Any

from nnloss import feeding, training
from nnloss import metrics as task_metrics
from nnloss._tensorflow import keras
from nnloss.backup import Backup
from nnloss.errors import NnlossError
from nnloss.fedmodel import FedModel
from nnloss.heads import read_head
from nnloss.losses import LossChoice
from nnloss.pairing import (
    dense,
    output_nodes,
    require_head,
    require_hidden,
    require_loss,
    require_model,
    require_right,
)
from nnloss.recording import FitRecorder
from nnloss.runs import Run
from nnloss.table import TASKS, Task

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
) -> TaskModel:
    """Complete and compile a model with the output layer, loss and metrics of a task.

    A model that ends in a hidden layer (relu, tanh, pooling, Flatten, Dropout, normalisation, ...)
    gets the output layer. One that ends in exactly the task's output layer keeps it. Anything else
    is refused.

    Parameters
    ----------
    model : keras.Model
        A built functional or sequential model with one output of shape (N, features). The
        returned model shares its layers and weights.
    task : Task
        `REGRESSION`, `BINARY` or `MULTICLASS`.
    classes : int, optional
        Number of classes, at least 2, for `MULTICLASS` only. May be left out where the model
        already ends in its output layer.
    loss : str, keras.losses.Loss or callable, optional
        One of ``task.losses``; default the canonical one. With ``from_logits=True`` the output
        layer is linear.
    optimizer : str or keras.optimizers.Optimizer, default "adam"
        As in ``compile``.
    metrics : sequence of str or keras.metrics.Metric, optional
        Reported besides those of the task.
    log : path or Run, optional
        A folder: each ``fit`` leaves a run record in ``log/<name of the model>/<run id>/`` and a
        row in ``log/results.csv``. An open `nnloss.records.Run`: it is written into.

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
    completed = complete(model, task, classes=classes, loss=loss)
    result = TaskModel(completed.inputs, completed.outputs, task, name=model.name, log=log)
    result.compile(optimizer=optimizer, loss=loss, metrics=metrics)
    had = type(model.optimizer).__name__ if getattr(model, "compiled", False) else None
    logger.info(
        "Task '%s': %s; loss %s; optimizer %s%s; metrics %s; %s parameters",
        task.name,
        completed.text,
        completed.choice.name,
        type(result.optimizer).__name__,
        f" (the compiled model had {had})" if had else "",
        ", ".join(task_metrics.name_of(metric) for metric in result.bound_metrics),
        f"{result.count_params():,}",
    )
    return result


@dataclass(frozen=True)
class Completed:
    """A body with the output layer of its task: `inputs`, `outputs`, the loss, what was done."""

    inputs: Any
    outputs: Any
    choice: LossChoice
    nodes: int
    text: str


def complete(model: Any, task: Task, *, classes: int | None = None, loss: Any = None) -> Completed:
    """Add the output layer of a task to a model, unless it is there.

    Parameters
    ----------
    model, task, classes, loss
        As for `compile_for_task`.

    Returns
    -------
    Completed
        From which ``keras.Model(inputs, outputs)`` is made.

    Raises
    ------
    PairingError
        If the model, its output layer or the loss does not fit the task.
    """
    require_model(model, task)
    head = read_head(model)
    choice = LossChoice.read(loss, task)
    nodes = output_nodes(task, classes, head)
    keep = head.is_output(nodes)
    if keep:
        require_head(head, task, nodes, choice, model.name)
    require_loss(choice, task)
    if keep:
        require_right(model, choice)
    activation = "linear" if choice.from_logits else task.activation
    outputs = model.outputs[0]
    if not keep:
        require_hidden(model, head, task, nodes)
        name = None if any(layer.name == "output" for layer in model.layers) else "output"
        outputs = keras.layers.Dense(nodes, activation=activation, name=name)(outputs)
    # A Sequential has no `input` before it was called; a functional model's keeps its structure.
    inputs = model.inputs[0] if isinstance(model, keras.Sequential) else model.input
    text = f"kept {head.text}" if keep else f"added {dense(nodes, activation)}"
    return Completed(inputs, outputs, choice, nodes, text)


@keras.saving.register_keras_serializable(package="nnloss")
class TaskModel(FedModel):
    """A Keras model that knows its task: made by `compile_for_task`.

    It is a functional ``keras.Model`` in every respect, and quick on arrays (`nnloss.fedmodel`).
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
    log : path or Run, optional
        See `compile_for_task`.
    """

    def __init__(
        self, inputs: Any, outputs: Any, task: Task, *, name: str | None = None, log: Log = None
    ) -> None:
        super().__init__(inputs=inputs, outputs=outputs, name=name)
        self.task = task
        self._log = log
        self._recorded: FitRecorder | None = None
        self._choice = LossChoice.read(None, task)

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
        choice = LossChoice.read(loss, self.task)
        head = read_head(self)
        nodes = output_nodes(self.task, None, head)
        require_head(head, self.task, nodes, choice, self.name)
        require_loss(choice, self.task)
        bound = task_metrics.bind(metrics, self.task, choice)
        kwargs.setdefault("jit_compile", False)
        super().compile(optimizer=optimizer, loss=choice.given, metrics=list(bound), **kwargs)
        self._choice = choice

    @property
    def bound_metrics(self) -> tuple[Any, ...]:
        """The metrics of the task, and the caller's."""
        return tuple(self._compiled.metrics)

    @property
    def nodes(self) -> int:
        """Units of the output layer."""
        return int(self.output_shape[-1])

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
        x = training.checked(x, y, sample_weight, **rule)
        if validation_data is not None:
            validation_data = training.checked_validation(validation_data, **rule)
        callbacks = training.listed(callbacks)
        rows = len(y) if hasattr(y, "__len__") else None
        split = {"train": rows}
        if rows is not None and validation_split and validation_data is None:
            trained = feeding.rows_before(rows, validation_split)
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
        x = training.checked(x, y, sample_weight, **self._rule)
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
        return cls(model.input, model.outputs[0], TASKS[config["task"]], name=model.name)

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
        return {"task": self.task, "loss": self._choice.loss, "nodes": self.nodes}

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
