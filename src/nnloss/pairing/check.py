"""The function `check_pairing`, for any Keras model with its losses and targets."""

from __future__ import annotations

from functools import partial
from os import PathLike
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any

from nnloss._keras import keras, own_methods
from nnloss.errors import PairingError
from nnloss.pairing.findings import Finding, PairingReport
from nnloss.pairing.judge import Question, judge, judge_alone
from nnloss.pairing.losses import recognise, require_task
from nnloss.pairing.saved import Saved, read_model
from nnloss.pairing.tracing import values_of
from nnloss.table import Task


def check_pairing(
    model: Any, loss: Any = None, y: Any = None, *, metrics: Any = None, task: Task | None = None
) -> PairingReport:
    """Check whether the outputs, losses and targets of a Keras model fit each other.

    The model is not trained, run or changed, and a wrong model does not raise an error; use
    `compile_for_task` for that. It works on every Keras backend.

    Parameters
    ----------
    model : keras.Model, callable or path
        A built functional or sequential model with any number of outputs of any rank. It must be
        compiled unless `loss` is given. A function without arguments is called to build the model.
        From a ``.keras`` file only the description is read, and no code in it is run.
    loss : str, keras.losses.Loss or callable, or list or dict of these, optional
        As in ``compile``. Default: the loss of the compiled model.
    y : array_like, or list or dict of array_like, optional
        Targets, rows first, one array for each output. Default: targets are not checked.
    metrics : list, or list or dict of lists, optional
        As in ``compile``. Default: the metrics of the compiled model, unless `loss` is given.
    task : Task, optional
        Needed only for a custom task, whose losses are then recognised. Default: the task of a
        `TaskModel`, else the task of the loss.

    Returns
    -------
    PairingReport
        Its verdict is ``"right"``, ``"wrong"`` or ``"unknown"``; its findings have the rule, what
        was found and what to do for each output. Lambda layers, custom layers, losses and methods,
        and outputs without a loss are unknown.

    Raises
    ------
    PairingError
        If `model` is not a Keras model, or Keras does not know `loss`.
    DataError
        If `model` is a file that cannot be read.

    See Also
    --------
    compile_for_task : Complete a model for a task; what is wrong raises an error.

    Examples
    --------
    >>> import keras
    >>> from nnloss import check_pairing
    >>> head = keras.layers.Dense(2, "softmax", name="head")
    >>> model = keras.Sequential([keras.Input((8,)), head], name="net")
    >>> report = check_pairing(model, "binary_crossentropy")
    >>> report.verdict
    'wrong'
    >>> print(report)
    net: wrong
      output 'head', wrong: The loss 'binary_crossentropy' needs a sigmoid output; output 'head' of
        model 'net' ends in Dense(2, activation='softmax'), which makes one choice and not yes/no
        answers. End in sigmoid, or use loss='categorical_crossentropy' if the targets are one-hot.
    >>> check_pairing(model, "categorical_crossentropy").verdict
    'right'

    Targets are checked where they are given:

    >>> check_pairing(model, "categorical_crossentropy", [[1, 0], [1, 1]]).verdict
    'wrong'
    """
    if task is not None:
        require_task(task, "check_pairing")
    given: list[Any] = []
    if isinstance(model, (str, PathLike)):
        model = read_model(Path(model), compiled=loss is None)
    if isinstance(model, Saved):
        model, loss, given = model.model, model.loss if loss is None else loss, model.metrics
    elif isinstance(model, FunctionType | MethodType | partial):
        model = model()
    if not isinstance(model, keras.Model):
        raise PairingError(
            "check_pairing needs a Keras model, a function that makes one, or a .keras file",
            f"found {type(model).__name__}",
            "Give a keras.Model",
        )
    opaque = _not_inspectable(model, given=loss is not None)
    if opaque:
        return PairingReport(model.name, (opaque,))
    if loss is None and getattr(model, "compiled", False):
        loss = getattr(model._compile_loss, "_user_loss", None)
        given = _compiled_metrics(model)
    task = task or getattr(model, "task", None)
    try:
        losses = [None if each in ([], ()) else each for each in _by_output(loss, model, "loss")]
        targets = _by_output(y, model, "y")
        given = given if metrics is None else [metrics]
        measured = [_by_output(each, model, "metrics") for each in given]
    except PairingError as error:
        found = Finding("", "wrong", error.rule, error.found, error.remedy)
        return PairingReport(model.name, (found,))
    trained = any(each is not None for each in losses)
    findings = [
        _finding(model, name, output, each, more, labels, task, trained=trained)
        for name, output, asked, labels, *more in zip(
            _names(model), model.outputs, losses, targets, *measured, strict=True
        )
        for each in (asked if isinstance(asked, (list, tuple)) else [asked])
    ]
    return PairingReport(model.name, tuple(findings))


def _finding(
    model: Any, name: str, output: Any, loss: Any, metrics: Any, y: Any, task: Task | None,
    *, trained: bool,
) -> Finding:  # fmt: skip
    """Judge one output with one loss."""
    values, where = values_of(output), f"output '{name}' of model '{model.name}'"
    ends = f"{where} ends in {values.text}"
    if loss is None:
        if trained:
            return Finding(name, "right", "An output without a loss is not trained", ends)
        return judge_alone(name, ends, values) or Finding(
            name,
            "unknown",
            "An output is judged with its loss",
            f"{ends}, and there is no loss",
            "Compile the model, or give the loss",
        )
    choice = recognise(loss, task, values, y)
    question = Question(name, where, values, choice, task, task.nodes if task else None)
    return judge(question, _flat(metrics), y)


def _flat(metrics: Any) -> list[Any]:
    if isinstance(metrics, (list, tuple)):
        return [each for part in metrics for each in _flat(part)]
    return [] if metrics is None else [metrics]


def _compiled_metrics(model: Any) -> list[Any]:
    """Return the metrics and the weighted metrics of a compiled model, as given."""
    compiled = getattr(model, "_compile_metrics", None)
    return [getattr(compiled, f"_user_{kind}metrics", None) for kind in ("", "weighted_")]


def _not_inspectable(model: Any, *, given: bool) -> Finding | None:
    """Return a finding if the outputs or the loss of a model cannot be inspected, else None."""
    rule = "The outputs of a model must be visible to be judged"
    own = own_methods(model, "call", "train_step", "compute_loss")
    if "call" in own:
        return Finding(
            "",
            "unknown",
            rule,
            f"{type(model).__name__} '{model.name}' overrides call",
            "Give a functional model: keras.Model(inputs, model(inputs)) of its layers",
        )
    if own and not given:
        return Finding(
            "",
            "unknown",
            "The loss of a model must be visible to be judged",
            f"{type(model).__name__} '{model.name}' has its own {' and '.join(own)}",
            "Give the loss that it uses: check_pairing(model, loss=...)",
        )
    if not getattr(model, "outputs", None):
        return Finding(
            "",
            "unknown",
            rule,
            f"model '{model.name}' ({type(model).__name__}) has no output yet",
            "Start it with keras.Input(shape=...), or call model.build(input_shape)",
        )
    return None


def _names(model: Any) -> list[str]:
    """Return the names of the outputs: the keys of dicts, else Keras' names."""
    paths = _paths(model)
    if isinstance(getattr(model, "_outputs_struct", None), dict) or _nested(paths):
        return ["/".join(map(str, path)) for path in paths]
    return list(getattr(model, "output_names", None) or [model.outputs[0]._keras_history[0].name])


def _paths(model: Any) -> list[tuple[Any, ...]]:
    """Return the path of keys and positions to each output in nested dicts and lists."""
    structure = getattr(model, "_outputs_struct", None)
    return [path for path, _ in keras.tree.flatten_with_path(structure)]


def _nested(paths: list[tuple[Any, ...]]) -> bool:
    return any(len(path) > 1 for path in paths)


def _follow(given: Any, path: tuple[Any, ...], what: str, name: str) -> Any:
    """Return the entry for an output of a nested structure; a single value applies to all of it."""
    for step in path:
        if not isinstance(given, (dict, list, tuple)):
            break
        try:
            given = given.get(step) if isinstance(given, dict) else given[step]
        except (IndexError, TypeError) as error:
            raise PairingError(
                f"The structure of {what} must be that of the outputs",
                f"found nothing for the output '{name}'",
                "Nest the same dicts and lists, or check each output on its own",
            ) from error
    return given


def _by_output(given: Any, model: Any, what: str) -> list[Any]:
    """Return one entry for each output, from a single value, a list or a dict."""
    names, count, paths = _names(model), len(model.outputs), _paths(model)
    flat = isinstance(given, (list, tuple)) and len(given) == count
    if _nested(paths) and not flat:
        return [_follow(given, path, what, name) for path, name in zip(paths, names, strict=True)]
    if isinstance(given, dict):
        known = {*names, *getattr(model, "output_names", ())}
        unknown = [str(key) for key in given if key not in known]
        if unknown:
            raise PairingError(
                f"The keys of {what} must be names of outputs: {', '.join(names)}",
                f"found '{unknown[0]}'",
                "Name the output's layer, or use a list",
            )
        keras_names = getattr(model, "output_names", names)
        return [given.get(a, given.get(b)) for a, b in zip(names, keras_names, strict=True)]
    if count == 1 or given is None:  # a list may hold rows, or several losses of one output
        single = isinstance(given, (list, tuple)) and len(given) == 1
        if single and what == "y":
            single = len(getattr(given[0], "shape", ())) > 0
        return [given[0] if single else given] * count
    if not isinstance(given, (list, tuple)):
        if what == "loss":
            return [given] * count
        given = [given]
    if len(given) != count:
        raise PairingError(
            f"A model with {count} outputs needs {what} for each of them",
            f"found {len(given)}",
            f"Give a list of {count}, or a dict",
        )
    return list(given)
