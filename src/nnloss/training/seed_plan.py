"""Training of many seeds by one plan: all at once, or one after another."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnloss._tensorflow import keras
from nnloss.errors import NnlossError
from nnloss.pairing.heads import Completed, complete
from nnloss.table import Task
from nnloss.training.batched_layers import NotBatchable
from nnloss.training.initial_states import Start
from nnloss.training.models import compile_for_task
from nnloss.training.seeds import set_seed
from nnloss.training.stacked_models import Data, Measure, StackedModels, TestMeasure, measures_of

logger = logging.getLogger("nnloss")

#: By seed, the weights of a model as ``get_weights`` returns them.
Weights = dict[int, list[NDArray[Any]]]


@dataclass(frozen=True)
class Step:
    """Seeds times epochs done since the last step, and tables and weights once they are ready."""

    done: int
    frames: list[pd.DataFrame] = field(default_factory=list)
    weights: Weights = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """Arguments of `fit_many`."""

    build: Callable[[], Any]
    task: Task
    classes: int | None
    loss: Any
    optimizer: Any
    epochs: int
    batch_size: int
    per_epoch: bool | int = False
    metrics: Mapping[str, Measure] = field(default_factory=dict)
    test_measures: Mapping[str, TestMeasure] = field(default_factory=dict)
    strict: bool = True
    patience: int | None = None
    restore_best_weights: bool = False
    return_weights: bool = False
    jit_compile: bool = True

    @property
    def given(self) -> list[int]:
        """Epochs whose values are returned, from 1, without early stopping."""
        last = [self.epochs]
        if not self.per_epoch:
            return last
        return list(range(int(self.per_epoch), self.epochs, int(self.per_epoch))) + last

    @property
    def evaluated(self) -> list[int]:
        """Epochs after which the validation rows are evaluated, from 1."""
        return list(range(1, self.epochs + 1)) if self.patience else self.given

    def start(self, seed: int) -> tuple[Completed, Start]:
        """Build a model as a single run does, and return it with its initial state."""
        set_seed(seed)
        made = complete(
            self.build(), self.task, classes=self.classes, loss=self.loss, strict=self.strict
        )
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

    def train(
        self,
        first: Completed,
        start_of: Callable[[int], Start],
        data: Data,
        places: Mapping[int, int],
    ) -> Iterator[Step]:
        """Train all seeds at once, or those that cannot be stacked one after another.

        `places` maps the seeds to their splits.
        """
        left = dict(places)
        try:
            models = StackedModels(
                keras.Model(first.inputs, first.outputs),
                measures_of(first.choice) | dict(self.metrics),
                data,
                self.new_optimizer(),
                self.batch_size,
                len(places),
                test_measures=self.test_measures,
                jit_compile=self.jit_compile,
            )
            layers = start_of(next(iter(places))).layers
            while left:
                chunk = list(left)[: models.models]
                starts = [replace(start_of(seed), place=left[seed]) for seed in chunk]
                for seed, start in zip(chunk, starts, strict=True):
                    if start.layers != layers:
                        raise NotBatchable(f"a different model for seed {seed}")
                models.load(starts)
                yield from _together(self, models, chunk)
                left = {seed: left[seed] for seed in left if seed not in chunk}
        except NotBatchable as reason:
            logger.info("Seeds are trained one after another, because of %s", reason)
            for seed, place in left.items():
                yield _alone(self, data.of(place), seed)

    def rows(self, epoch: Any, last: Any, chosen: Any) -> Any:
        """Return whether the values of an epoch are returned.

        `last` is the last epoch of a model, `chosen` the one whose weights are returned.
        """
        wanted = epoch == chosen
        if self.per_epoch:
            wanted |= (epoch <= last) & (np.isin(epoch, self.given) | (epoch == last))
        return wanted


def _together(plan: Plan, models: StackedModels, seeds: list[int]) -> Iterator[Step]:
    """Train the seeds of a chunk, which are loaded, as a stack."""
    stopping = _Stopping(models.models, plan)
    frames, finite, epoch = [], np.ones(models.models, dtype=bool), 0
    weights: list[NDArray[Any]] = []
    while stopping.active.any():
        epoch += 1
        values = models.train(epoch - 1)
        if epoch in plan.evaluated:
            if models.data.validation:
                values |= {f"val_{name}": value for name, value in models.evaluate().items()}
            frame = pd.DataFrame({k: v[: len(seeds)] for k, v in values.items()}, dtype=float)
            frame.insert(0, "epoch", epoch)
            frame.insert(0, "seed", seeds)
            frames.append(frame)
        finite &= np.isfinite(list(values.values())).all(axis=0) | ~stopping.active
        kept = stopping.after(epoch, values)
        if plan.return_weights and kept.any():
            new = models.weights()
            weights = weights or new
            for ours, value in zip(weights, new, strict=True):
                ours[kept] = value[kept]
        yield Step(len(seeds))
    table = pd.concat(frames)
    table.insert(1, "diverged", ~finite[table.index])
    last, chosen = stopping.last[table.index], stopping.chosen[table.index]
    table = table[plan.rows(table["epoch"].to_numpy(), last, chosen)]
    yield Step(
        len(seeds) * (plan.epochs - epoch),
        [table.sort_index(kind="stable")],  # by model, then by epoch
        {seed: [each[place] for each in weights] for place, seed in enumerate(seeds)},
    )


class _Stopping:
    """Early stopping of each of several models, as by ``keras.callbacks.EarlyStopping``.

    `active` models have not stopped. `last` is the last epoch of each, and `chosen` the one whose
    values and weights are returned. Without patience, all train to the last epoch.
    """

    def __init__(self, models: int, plan: Plan) -> None:
        self._plan = plan
        self._best, self._wait = np.full(models, np.inf), np.zeros(models, dtype=int)
        self.active = np.ones(models, dtype=bool)
        self.last, self.chosen = np.zeros((2, models), dtype=int)

    def after(self, epoch: int, values: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
        """Update after an epoch, and return which models' weights are to be kept."""
        losses = values["val_loss"] if self._plan.patience else np.zeros(len(self.active))
        improved = self.active & ((epoch == 1) | (losses < self._best))
        self._best[improved] = losses[improved]
        self._wait = np.where(improved, 0, self._wait + 1)
        self.last[self.active] = epoch
        stops = self.active & (
            (self._wait >= (self._plan.patience or math.inf)) | (epoch == self._plan.epochs)
        )
        self.active = self.active & ~stops
        kept = improved if self._plan.restore_best_weights else stops
        self.chosen[kept] = epoch
        return kept


def _alone(plan: Plan, data: Data, seed: int) -> Step:
    """Train a seed as a separate model."""
    set_seed(seed)
    model = compile_for_task(
        plan.build(),
        plan.task,
        classes=plan.classes,
        loss=plan.loss,
        optimizer=plan.new_optimizer(),
        metrics=[
            keras.metrics.MeanMetricWrapper(each, name=name) for name, each in plan.metrics.items()
        ],
        strict=plan.strict,
    )
    callbacks = [_TestMeasures(plan, data)]
    stopping = keras.callbacks.EarlyStopping(
        patience=plan.patience or 0, restore_best_weights=plan.restore_best_weights
    )
    x, y, *weights = data.train
    history = model.fit(
        x,
        y,
        sample_weight=weights[0] if weights else None,
        batch_size=plan.batch_size,
        epochs=plan.epochs,
        validation_data=data.validation,
        validation_freq=plan.evaluated,
        callbacks=[*callbacks, stopping] if plan.patience else callbacks,
        verbose=0,
    ).history
    last = len(history["loss"])
    chosen = stopping.best_epoch + 1 if plan.restore_best_weights else last
    # Training values exist for all epochs, validation values only for the evaluated ones.
    epochs = [range(1, last + 1), [epoch for epoch in plan.evaluated if epoch <= last]]
    frame = pd.DataFrame(
        {
            name: pd.Series(values, index=epochs[name.startswith("val_")])
            for name, values in history.items()
        }
    )
    finite = all(np.isfinite(values).all() for values in history.values())
    frame.insert(0, "epoch", frame.index)
    frame.insert(0, "diverged", not finite)
    frame.insert(0, "seed", seed)
    frame = frame[plan.rows(frame["epoch"].to_numpy(), last, chosen)]
    return Step(plan.epochs, [frame], {seed: model.get_weights()} if plan.return_weights else {})


class _TestMeasures(keras.callbacks.Callback):  # type: ignore[misc]
    """Add the measures of all validation rows to the logs of the evaluated epochs."""

    def __init__(self, plan: Plan, data: Data) -> None:
        super().__init__()
        self._plan, self._data = plan, data

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        validation, measures = self._data.validation, self._plan.test_measures
        if logs is not None and validation and measures and epoch + 1 in self._plan.evaluated:
            outputs = self.model.predict(validation[0], verbose=0)
            for name, measure in measures.items():
                logs[f"val_{name}"] = measure(validation[1].numpy(), outputs)
