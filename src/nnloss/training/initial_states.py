"""Initial states of many seeds, from one built model.

Keras builds a small model in tens of milliseconds, in which many seeds together train for epochs.
Between seeds only random numbers differ: each random initializer and each dropout takes its own
seed from Python's generator when it is made, and its values are a function of that seed. So the
seeds are taken from a generator in the same state, and the initializers are called without a model.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnloss._tensorflow import keras
from nnloss.training import device_data

logger = logging.getLogger("nnloss")

Generators = tuple[Any, Any]

_OTHERS = "random numbers from Python that are not the seed of a variable"


class _NotDrawable(Exception):
    """Why initial states cannot be had without building the model."""


@dataclass(frozen=True)
class Start:
    """Initial state of a training: variables, shuffling seed, and the layers' configurations.

    `generators` are the states of Python's and NumPy's generators once the model was made, and
    `place` is that of its split in the data.
    """

    variables: list[NDArray[Any]]
    shuffle_seed: int
    layers: list[tuple[type, dict[str, Any]]]
    generators: Generators
    place: int = 0

    @classmethod
    def of(cls, network: Any) -> Start:
        """Copy a new model's initial state, and draw the shuffling seed as `fit` would."""
        generators = random.getstate(), np.random.get_state()
        shuffle_seed = device_data.shuffle_seed()
        shape = [(type(layer), layer.get_config() | {"name": ""}) for layer in network.layers]
        return cls([each.numpy() for each in variables(network)], shuffle_seed, shape, generators)


def variables(network: Any) -> list[Any]:
    """Return weights and generator states, in the same order for a model and its stack."""
    return [variable for _, variable in _by_layer(network)]


def starts(
    network: Any, first: Start, seeds: Sequence[int], build: Callable[[int], Start]
) -> Callable[[int], Start]:
    """Return a function from a seed to its initial state, that of ``build(seed)`` bit for bit.

    `network` is the model of the first seed, and `first` its state. The last seed's model is built
    too, and its state compared with the drawn one. If it differs, or if building takes random
    numbers for anything else, every model is built, and the reason is logged.
    """
    built = {seeds[0]: first}
    if len(seeds) > 2:
        try:
            draws = _Draws(network, first, seeds[0])
            built[seeds[-1]] = build(seeds[-1])
            draws.require(built[seeds[-1]], seeds[-1])
        except _NotDrawable as reason:
            logger.info("A model is built for each seed, because of %s", reason)
        else:
            return lambda seed: built[seed] if seed in built else draws.start(seed)
    return lambda seed: built[seed] if seed in built else build(seed)


class _Draws:
    """Draw initial states as building the model after ``set_seed`` does."""

    def __init__(self, network: Any, first: Start, seed: int) -> None:
        self._first = first
        found = [_drawn_seed(layer, variable) for layer, variable in _by_layer(network)]
        numbers = _taken(seed, first.generators, limit=len(found))
        if not set(numbers) <= {number for _, number in found}:
            raise _NotDrawable(_OTHERS)
        self._count = len(numbers)
        self._sources = [
            (initializer, numbers.index(number)) if number in numbers else None
            for initializer, number in found
        ]

    def start(self, seed: int) -> Start:
        generator = random.Random(seed)
        numbers = [_take(generator) for _ in range(self._count)]
        values = [
            value if source is None else _values(source[0], numbers[source[1]], value)
            for source, value in zip(self._sources, self._first.variables, strict=True)
        ]
        return replace(
            self._first, variables=values, shuffle_seed=device_data.shuffle_seed(generator)
        )

    def require(self, built: Start, seed: int) -> None:
        """Raise `_NotDrawable` unless `built` is the state of this seed."""
        drawn = self.start(seed)
        if drawn.layers != built.layers:
            raise _NotDrawable(f"a different model for seed {seed}")
        if drawn.shuffle_seed != built.shuffle_seed or not all(
            np.array_equal(ours, value)
            for ours, value in zip(drawn.variables, built.variables, strict=True)
        ):
            raise _NotDrawable(f"other initial weights of seed {seed} than its initializers draw")


def _by_layer(network: Any) -> list[tuple[Any, Any]]:
    found = []
    for layer in network.layers:
        found += [(layer, variable) for variable in layer.weights]
        if isinstance(layer, keras.layers.Dropout):
            found.append((layer, layer.seed_generator.state))
    return found


def _drawn_seed(layer: Any, variable: Any) -> tuple[Any, int | None]:
    """Return the initializer of a variable, None for a dropout's state, and its seed, if any."""
    if isinstance(layer, keras.layers.Dropout):
        return None, int(variable.numpy()[0])
    initializer = getattr(layer, f"{variable.name}_initializer", None)
    seed = getattr(initializer, "seed", None)
    return initializer, seed if isinstance(seed, int) else None


def _take(generator: random.Random) -> int:
    """Take a seed as Keras does, ``keras.src.random.seed_generator.make_default_seed``."""
    return generator.randint(1, int(1e9))


def _taken(seed: int, generators: Generators, limit: int) -> list[int]:
    """Return the seeds that were taken since ``set_seed``, at most `limit`."""
    python, (_, key, place, *_) = generators
    generator, numbers = random.Random(seed), list[int]()
    while generator.getstate() != python:
        if len(numbers) == limit:
            raise _NotDrawable(_OTHERS)
        numbers.append(_take(generator))
    _, seeded, begin, *_ = np.random.RandomState(seed).get_state()
    if place != begin or not np.array_equal(key, seeded):
        raise _NotDrawable("random numbers from NumPy")
    return numbers


def _values(initializer: Any, seed: int, like: NDArray[Any]) -> NDArray[Any]:
    if initializer is None:
        return np.array([seed, 0], dtype=like.dtype)
    other = copy(initializer)
    other.seed = seed
    return np.asarray(keras.ops.convert_to_numpy(other(like.shape, dtype=like.dtype.name)))
