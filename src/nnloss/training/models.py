"""Keras models completed with the output layer, loss and metrics of their task."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
from nnloss.training import fitting
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
        a row to ``log/results.csv``. An open `Run`: ``fit`` writes to it.
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
    NnlossError
        If `log` is neither a folder nor a run.

    See Also
    --------
    check_pairing : Check any Keras model without changing it.
    fit_many : Train a small model from many seeds.

    Examples
    --------
    You bring the hidden layers and name the problem:

    >>> import keras
    >>> from nnloss import MULTICLASS, REGRESSION, compile_for_task
    >>> body = keras.Sequential([keras.Input((13,)), keras.layers.Dense(64, "relu")])
    >>> model = compile_for_task(body, REGRESSION)
    >>> model.output_shape, model.layers[-1].activation.__name__
    ((None, 1), 'linear')

    The same body for three classes, with logits as outputs:

    >>> loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    >>> model = compile_for_task(body, MULTICLASS, classes=3, loss=loss)
    >>> model.output_shape, model.layers[-1].activation.__name__
    ((None, 3), 'linear')

    What does not belong together is rejected:

    >>> compile_for_task(body, REGRESSION, loss="binary_crossentropy")
    Traceback (most recent call last):
        ...
    nnloss.errors.PairingError: Task 'regression' needs the loss 'mean_squared_error' or
    'mean_absolute_error'; found 'binary_crossentropy', which is not a likelihood of this task.
    Leave the loss out, or use loss='mean_squared_error'.
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

    A functional `keras.Model`, fast on arrays. In addition, `TaskModel.compile` raises an error for
    a loss or metric that does not fit the task, `TaskModel.fit` and `TaskModel.evaluate` check
    inputs and targets before the first step, and a run is recorded if `log` is given.
    `TaskModel.save` writes an ordinary Keras model, which loads without this package.
    `keras.models.clone_model` returns an ordinary model too.

    Parameters
    ----------
    inputs, outputs : keras.KerasTensor or nested structure of them
        As for ``keras.Model``; one output.
    task : Task
        Task of the output layer.
    name : str, optional
        Name of the model.
    log : path or Run, optional
        As in `compile_for_task`.
    strict : bool, default True
        As in `compile_for_task`.

    Attributes
    ----------
    task : Task
        Task of the output layer.

    Examples
    --------
    >>> import keras
    >>> import numpy as np
    >>> from nnloss import BINARY, compile_for_task, set_seed
    >>> set_seed(0)
    >>> body = keras.Sequential([keras.Input((1,)), keras.layers.Dense(8, "relu")])
    >>> model = compile_for_task(body, BINARY)
    >>> x = np.linspace(-3, 3, 200)[:, np.newaxis]
    >>> history = model.fit(x, x[:, 0] > 0, epochs=20, verbose=0)
    >>> history.history["loss"][-1] < history.history["loss"][0]
    True
    >>> list(model.evaluate(x, x[:, 0] > 0, verbose=0, return_dict=True))
    ['accuracy', 'loss']

    Labels of -1 and 1 are refused before the first step:

    >>> model.fit(x, np.sign(x[:, 0]), verbose=0)
    Traceback (most recent call last):
        ...
    nnloss.errors.TargetError: The loss 'binary_crossentropy' needs targets that are 0 or 1, of
    shape (N,) or (N, 1); found values -1, 1 in y of shape (200,), first bad rows 0, 1, 2, 3, 4,
    .... Use (y + 1) // 2.
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
        _require_log(log)
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
            Further arguments of `keras.Model.compile`. ``jit_compile`` defaults to False: XLA
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

    def to_keras(self) -> Any:
        """Return an ordinary functional Keras model that is compiled in the same way.

        Returns
        -------
        keras.Model
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

        To turn the loaded model into a `TaskModel`, pass it to `compile_for_task`, which keeps its
        output layer.

        Parameters
        ----------
        filepath, overwrite, **kwargs
            As in `keras.Model.save`.
        """
        self.to_keras().save(filepath, overwrite=overwrite, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Return the functional model, the task's name and ``strict``, for serialisation."""
        model = keras.Model(self.input, self.outputs[0], name=self.name)
        return {
            "model": keras.saving.serialize_keras_object(model),
            "task": self.task.name,
            "strict": self._strict,
        }

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
        strict = config.get("strict", True)
        return cls(model.input, model.outputs[0], task, name=model.name, strict=strict)

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what ``pickle`` and ``copy`` need: Keras' description of the model, and the log.

        A copy of a model that writes to an open `Run` starts runs of its own beside that one.
        """
        log = self._log.out if isinstance(self._log, Run) else self._log
        return _copied, (*super().__reduce__(), log)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile with the result of ``get_compile_config``."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)  # so that its state can be loaded

    def _checked(self, x: Any, y: Any = None, sample_weight: Any = None) -> Any:
        check = partial(require_targets, self._question)
        return fitting.check_data(
            x, y, sample_weight, subject=f"Task '{self.task.name}'", check=check
        )

    @contextmanager
    def _recorded_fit(self, callbacks: list[Any], **settings: Any) -> Iterator[list[Any]]:
        if self._log is None:
            yield callbacks
            return
        choice = self._choice
        self._recorded = FitRecorder(
            self._log,
            self.name,
            task=self.task.name,
            activation="linear" if choice.from_logits else self.task.activation,
            loss=choice.loss.name if choice.loss else None,
            optimizer=keras.saving.serialize_keras_object(self.optimizer)["config"],
            parameters=self.count_params(),
            backup=next((each for each in callbacks if isinstance(each, Backup)), None),
            **settings,
        )
        with self._recorded:
            yield self._recorded.among(callbacks)

    def _record_test(self, rows: int | None) -> None:
        if self._recorded:
            self._recorded.evaluated(self.get_metrics_result(), rows)


def _copied(build: Any, arguments: tuple[Any, ...], log: Log) -> TaskModel:
    model: TaskModel = build(*arguments)
    model._log = log
    return model


def _require_log(log: Any) -> None:
    """Raise NnlossError if a log is neither a folder's name nor a run."""
    if log is None or isinstance(log, Run):
        return
    name = os.fspath(log) if isinstance(log, PathLike) else log
    if not isinstance(name, str) or not name or "\0" in name:
        raise NnlossError(
            "log must be the name of a folder, or an open nnloss.Run",
            f"found {log!r:.80}",
            'Give a name, such as log="runs"',
        )
