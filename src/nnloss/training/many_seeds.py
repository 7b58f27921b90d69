"""Training of one small model from many seeds."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from operator import index
from typing import Any

import numpy as np
import pandas as pd

from nnloss._tensorflow import keras
from nnloss.datasets import Split
from nnloss.errors import NnlossError
from nnloss.pairing.heads import Completed, require
from nnloss.pairing.judge import judge_output, require_targets
from nnloss.pairing.targets import check_batch
from nnloss.table import Task
from nnloss.table.encoding import as_targets
from nnloss.training import device_data
from nnloss.training.initial_states import starts
from nnloss.training.seed_plan import Plan, Weights
from nnloss.training.stacked_models import Data, Measure, TestMeasure

Progress = Callable[[int, int], None]


def fit_many(
    build: Callable[[], Any],
    x: Any,
    y: Any = None,
    *,
    seeds: Iterable[int] = (),
    task: Task,
    epochs: int,
    batch_size: int = 32,
    validation_data: tuple[Any, ...] | None = None,
    class_weight: Mapping[int, float] | None = None,
    sample_weight: Any = None,
    patience: int | None = None,
    restore_best_weights: bool = False,
    return_weights: bool = False,
    classes: int | None = None,
    loss: Any = None,
    optimizer: Any = "adam",
    metrics: Mapping[str, Measure] | None = None,
    test_measures: Mapping[str, TestMeasure] | None = None,
    strict: bool = True,
    per_epoch: bool | int = False,
    progress: Progress | None = None,
    jit_compile: bool = True,
) -> Any:
    """Train one model from many seeds.

    Each seed has the same initial weights and the same batches as a single run after
    `set_seed`, bit for bit. Results agree up to rounding, because sums are taken in
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
    x : array_like of shape (N, ...), Split, or sequence of Split
        Inputs ready for the network. A `Split` brings targets and validation rows. Several are one
        for each seed, all of the same sizes; a split that several seeds share is stored once.
    y : array_like of shape (N,) or (N, nodes), optional
        Targets: a quantity or class numbers, or encoded as for ``fit``. None for a `Split`.
    seeds : iterable of int
        Distinct, from 0 to 2**32 - 1.
    task : Task
        As for `compile_for_task`.
    epochs : int
        At least 1.
    batch_size : int, default 32
        Rows per batch; the last one may be smaller.
    validation_data : tuple (x, y) or (x, y, sample_weight), optional
        Rows to evaluate. Without them there are no ``val_`` columns.
    class_weight : mapping of int to float, optional
        Weight of a row in the training loss by its class, 1 for a class without an entry.
    sample_weight : array_like of shape (N,), optional
        Weight of each row in the training loss. As in Keras, the weighted loss is divided by the
        number of rows, and metrics are not weighted.
    patience : int, optional
        Stop a seed once its ``val_loss`` has not improved for so many epochs, as
        `keras.callbacks.EarlyStopping`. A stack trains until its last seed stops.
    restore_best_weights : bool, default False
        With `patience`, return values and weights of each seed's best epoch, not of its last one.
    return_weights : bool, default False
        Whether to return the trained weights too.
    classes : int, optional
        Number of nodes if `task` leaves it open. Default for a `Split` with classes: their number.
    loss : str, keras.losses.Loss or callable, optional
        As for `compile_for_task`.
    optimizer : str or keras.optimizers.Optimizer, default "adam"
        As for `compile_for_task`. An object is copied for each seed by its config, with a
        learning-rate schedule, if it has one.
    metrics : mapping of str to callable, optional
        Metrics in addition to those of the task. Each maps targets and outputs to one value per
        row, over the last axis as Keras' functions do, with TensorFlow operations.
    test_measures : mapping of str to callable, optional
        Measures that are no means over rows, such as a median: from NumPy targets and outputs of
        all validation rows to a number, the column ``val_`` plus name.
    strict : bool, default True
        As for `compile_for_task`.
    per_epoch : bool or int, default False
        Return values for every epoch, or for every `per_epoch` epochs and the last one. The
        validation rows are evaluated after each of them, which may take longer than training.
    progress : callable, optional
        Called with the seeds times epochs that are done, and with all of them.
    jit_compile : bool, default True
        Whether XLA compiles an epoch. Without it a short training starts sooner.

    Returns
    -------
    runs : DataFrame
        One row per seed, in the given order. Columns: ``seed``; ``diverged``, whether a value of
        any epoch was not finite; ``loss`` and the task's metrics over the batches of the last
        epoch, as in Keras' history; ``val_loss`` etc. on the validation rows after it. With
        `per_epoch`, one row per seed and epoch, and a column ``epoch``, from 1. With `patience`,
        ``epoch`` is the one that the values are from.
    weights : dict of int to list of ndarray
        Only with `return_weights`: for each seed what ``get_weights`` returns for the model that
        `compile_for_task` makes. `predict_many` uses them.

    Raises
    ------
    NnlossError
        If `seeds` is empty or has duplicates, `epochs` or `patience` is below 1, a batch is larger
        than the data, the optimizer cannot be copied, several splits differ in size or are not one
        per seed, or an argument contradicts another.
    PairingError, TargetError
        As `compile_for_task` and `TaskModel.fit`, before any training.

    See Also
    --------
    predict_many : Predict with the weights of all seeds.

    Notes
    -----
    Models and losses that cannot be stacked, such as recurrent layers, attention and losses of your
    own, or optimizers that use a weight as a whole, are trained one seed after another; the reason
    is logged. Like `set_seed`, this seeds the process and requests deterministic operations.

    Examples
    --------
    A straight line from three seeds:

    >>> import keras
    >>> import numpy as np
    >>> from nnloss import REGRESSION, fit_many
    >>> def network():
    ...     return keras.Sequential([keras.Input((1,)), keras.layers.Dense(4, "relu")])
    >>> x = np.linspace(-1, 1, 64)[:, np.newaxis]
    >>> options = {"task": REGRESSION, "epochs": 2, "jit_compile": False}
    >>> runs = fit_many(network, x, 2 * x[:, 0], seeds=range(3), **options)
    >>> runs.columns.tolist()
    ['seed', 'diverged', 'loss', 'mean_squared_error', 'mean_absolute_error']
    >>> runs["seed"].tolist(), int(runs["loss"].nunique())
    ([0, 1, 2], 3)
    """
    if _are_splits(x) and y is not None and seeds == ():
        warnings.warn(
            "fit_many takes the seeds by name: fit_many(build, split, seeds=...)",
            DeprecationWarning,
            stacklevel=2,
        )
        seeds, y = y, None
    seeds = _checked_seeds(seeds)
    splits, places = list[Split](), [0] * len(seeds)
    if _are_splits(x):
        own = {"y": y, "validation_data": validation_data, "sample_weight": sample_weight}
        _require_absent("a Split", own)
        splits, places = _distinct(x, seeds)
        x, y, *rest = (
            np.concatenate([getattr(each, name) for each in splits])
            for name in ("x_train", "y_train", "x_test", "y_test")
        )
        validation_data = tuple(rest)
        if classes is None and task.nodes is None:
            classes = len(splits[0].classes) or None
    if class_weight is not None:
        _require_absent("class_weight", {"sample_weight": sample_weight})
    _require_arrays(x, y, sample_weight, validation_data)
    number = max(1, len(splits))
    _require_numbers(epochs, batch_size, 0 if y is None else len(y) // number, int(per_epoch))
    _require_patience(patience, restore_best_weights, validation_data)
    plan = Plan(
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
        strict,
        patience,
        restore_best_weights,
        return_weights,
        jit_compile,
    )
    plan.new_optimizer()  # raises now if it cannot be copied
    first, start = plan.start(seeds[0])
    require(judge_output(first.question), strict=strict)
    network = keras.Model(first.inputs, first.outputs)
    start_of = starts(network, start, seeds, lambda seed: plan.start(seed)[1])
    checked = partial(_checked, first, task)
    train = checked(x, y, sample_weight, class_weight)
    data = Data(train, validation_data and checked(*validation_data), number)
    done, frames, weights = 0, [], Weights()
    for step in plan.train(first, start_of, data, dict(zip(seeds, places, strict=True))):
        done += step.done
        frames += step.frames
        weights |= step.weights
        if progress:
            progress(done, len(seeds) * epochs)
    runs = pd.concat(frames, ignore_index=True)
    if not (per_epoch or patience):
        runs = runs.drop(columns="epoch")
    return (runs, weights) if return_weights else runs


def _are_splits(x: Any) -> bool:
    return isinstance(x, Split) or (
        isinstance(x, (list, tuple)) and bool(x) and all(isinstance(each, Split) for each in x)
    )


def _checked(
    first: Completed,
    task: Task,
    x: Any,
    y: Any,
    sample_weight: Any = None,
    class_weight: Mapping[int, float] | None = None,
) -> tuple[Any, ...]:
    """Return inputs, encoded targets and weights, if any, as tensors, once they are checked."""
    loss = first.choice.loss
    if y is not None and loss is not None:
        y = as_targets(y, loss, first.nodes)
    (weights,) = device_data.row_weights(y, class_weight, sample_weight)
    check = partial(require_targets, first.question)
    check_batch((x, y, weights), f"Task '{task.name}'", check, sample=False)
    if weights is None:
        return tuple(device_data.tensors((x, y)))
    if np.ndim(weights) != 1:
        raise NnlossError(
            "fit_many needs one weight per row",
            f"found sample_weight of shape {np.shape(weights)}",
            "Give an array of shape (N,)",
        )
    return tuple(device_data.tensors((x, y, np.asarray(weights, np.float32))))


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


def _require_patience(patience: int | None, restore: bool, validation_data: Any) -> None:
    if patience is None and not restore:
        return
    rule = "Early stopping needs patience of at least 1 epoch, and validation rows"
    if patience is None or patience < 1:
        raise NnlossError(rule, f"found patience={patience}", "Give, for example, patience=10")
    if validation_data is None:
        raise NnlossError(rule, "found no validation_data", "Give validation_data=(x, y)")


def _require_absent(given: str, others: Mapping[str, Any]) -> None:
    """Raise NnlossError if an argument is given that contradicts another one."""
    for name, value in others.items():
        if value is not None:
            raise NnlossError(
                f"fit_many takes {given} or {name}, not both", "found both", "Leave out one"
            )


def _require_arrays(x: Any, y: Any, sample_weight: Any, validation_data: Any) -> None:
    rule = "fit_many needs arrays"
    if validation_data is not None and (
        not isinstance(validation_data, (list, tuple)) or len(validation_data) not in (2, 3)
    ):
        found = f"found {type(validation_data).__name__} as validation_data"
        raise NnlossError(rule, found, "Give (x, y) or (x, y, sample_weight)")
    named = {"x": x, "y": y, "sample_weight": sample_weight, "validation_data": validation_data}
    for name, value in named.items():
        if not device_data.in_memory(value):
            kinds = {type(leaf).__name__ for leaf in keras.tree.flatten(value)}
            found = f"found {' and '.join(sorted(kinds))} in {name}"
            raise NnlossError(rule, found, "Convert it with numpy.asarray")
