"""The same network in JAX, for one or many seeds: ``vmap`` over seeds, ``scan`` over steps.

All epochs are one compiled program; its compilation counts. Each seed draws a new order of rows in
each epoch; weights start as Keras' do. Adam is written out below.
"""

import itertools
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.contenders import work


def initial(key: Any, shapes: Sequence[tuple[int, ...]]) -> Any:
    """Return kernels and biases: Glorot's uniform distribution, and zeros."""
    weights = []
    for shape, each in zip(shapes, jax.random.split(key, len(shapes)), strict=True):
        limit = (6 / (np.prod(shape[:-2]) * sum(shape[-2:]))) ** 0.5
        kernel = jax.random.uniform(each, shape, minval=-limit, maxval=limit)
        weights.append((kernel, jnp.zeros(shape[-1])))
    return weights


def convolved(x: Any, kernel: Any) -> Any:
    """Return the convolution without padding, in one or two dimensions.

    It is one product with all windows: XLA's own convolution, inside a loop on the processor, took
    more than twice as long.
    """
    *sizes, _, filters = kernel.shape
    places = [before - size + 1 for before, size in zip(x.shape[1:-1], sizes, strict=True)]
    windows = [
        x[:, *(slice(at, at + many) for at, many in zip(offset, places, strict=True))]
        for offset in itertools.product(*map(range, sizes))
    ]
    return jnp.concatenate(windows, axis=-1) @ kernel.reshape(-1, filters)


def pooled(x: Any) -> Any:
    """Return the maxima of windows of two in each dimension; an odd one at the end is left out."""
    for axis in range(1, x.ndim - 1):
        even = x.shape[axis] // 2 * 2
        x = jnp.maximum(
            jax.lax.slice_in_dim(x, 0, even, 2, axis), jax.lax.slice_in_dim(x, 1, even, 2, axis)
        )
    return x


def output(weights: Any, x: Any) -> Any:
    """Return the output before any softmax."""
    for kernel, bias in weights[:-1]:
        if kernel.ndim > 2:
            x = pooled(jax.nn.relu(convolved(x, kernel) + bias))
        else:
            x = jax.nn.relu(x.reshape(len(x), -1) @ kernel + bias)
    kernel, bias = weights[-1]
    return x.reshape(len(x), -1) @ kernel + bias


def loss_and_metric(exercise: str, weights: Any, x: Any, y: Any) -> Any:
    """Return loss and metric, means over rows."""
    found = output(weights, x)
    if exercise == "boston":
        errors = found[:, 0] - y
        return jnp.square(errors).mean(), jnp.abs(errors).mean()
    entropy = -(y * jax.nn.log_softmax(found)).sum(axis=1).mean()
    return entropy, (found.argmax(axis=1) == y.argmax(axis=1)).mean()


def adam(weights: Any, gradients: Any, state: Any) -> Any:
    """Return weights and state after a step; rate and constants are Keras' defaults."""
    step, means, squares = state
    step += 1
    means = jax.tree.map(lambda old, new: 0.9 * old + 0.1 * new, means, gradients)
    squares = jax.tree.map(lambda old, new: 0.999 * old + 0.001 * new**2, squares, gradients)
    rate = 0.001 * jnp.sqrt(1 - 0.999**step) / (1 - 0.9**step)
    weights = jax.tree.map(
        lambda old, mean, square: old - rate * mean / (jnp.sqrt(square) + 1e-7),
        weights, means, squares,
    )  # fmt: skip
    return weights, (step, means, squares)


def trained(asked: work.Work, key: Any, data: Any) -> Any:
    """Return loss and metric of a seed on training and test rows: four of (epochs,)."""
    (x, y), (x_test, y_test) = data
    rows, size = len(x), asked.batch_size
    whole = rows // size * size
    evaluated = partial(loss_and_metric, asked.exercise)

    def step(carried: Any, chosen: Any) -> Any:
        weights, state = carried
        values, gradients = jax.value_and_grad(evaluated, has_aux=True)(
            weights, x[chosen], y[chosen]
        )
        return adam(weights, gradients, state), values

    def epoch(carried: Any, key: Any) -> Any:
        order = jax.random.permutation(key, rows)
        carried, values = jax.lax.scan(step, carried, order[:whole].reshape(-1, size))
        sums = [each.sum() * size for each in values]
        if whole < rows:  # the last batch is smaller
            carried, values = step(carried, order[whole:])
            sums = [old + new * (rows - whole) for old, new in zip(sums, values, strict=True)]
        tested = [jnp.zeros(()), jnp.zeros(())]
        for first in range(0, len(x_test), work.EVALUATION_BATCH):
            part = slice(first, first + work.EVALUATION_BATCH)
            found = evaluated(carried[0], x_test[part], y_test[part])
            share = len(x_test[part]) / len(x_test)
            tested = [old + new * share for old, new in zip(tested, found, strict=True)]
        return carried, (*(each / rows for each in sums), *tested)

    first, later = jax.random.split(key)
    weights = initial(first, work.KERNELS[asked.exercise])
    zeros = jax.tree.map(jnp.zeros_like, weights)
    start = (weights, (0.0, zeros, zeros))
    return jax.lax.scan(epoch, start, jax.random.split(later, asked.epochs))[1]


def train(asked: work.Work) -> Any:
    """Return loss and metric on the training and on the test rows: four of (seeds, epochs)."""
    x, x_test = asked.floats
    keys = jax.random.split(jax.random.key(0), asked.seeds)
    # As an argument: XLA would evaluate what depends on constants while it compiles.
    data = ((x, asked.y), (x_test, asked.y_test))
    return jax.jit(jax.vmap(partial(trained, asked), in_axes=(0, None)))(keys, data)


if __name__ == "__main__":
    asked = work.asked()
    start = time.perf_counter()
    history = jax.block_until_ready(train(asked))
    work.report(time.perf_counter() - start, val_loss=history[2][:, -1].mean())
