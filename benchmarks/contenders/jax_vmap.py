"""The same network in JAX, for one or many seeds: ``vmap`` over seeds, ``scan`` over steps.

All epochs are one compiled program; its compilation counts. Each seed draws a new order of rows in
each epoch; weights start as Keras' do. Adam is written out below.
"""

import time
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.contenders import work

#: Shapes of the kernels: (inputs, outputs), or (..., channels, filters) of a convolution.
KERNELS: dict[str, Sequence[tuple[int, ...]]] = {
    "boston": ((13, 64), (64, 32), (32, 1)),
    "wafer": ((8, 1, 16), (5, 16, 32), (3, 32, 64), (1024, 2)),
    "cifar10": ((3, 3, 3, 32), (3, 3, 32, 64), (2304, 64), (64, 10)),
}


def initial(key: Any, shapes: Sequence[tuple[int, ...]]) -> Any:
    """Return kernels and biases: Glorot's uniform distribution, and zeros."""
    weights = []
    for shape, each in zip(shapes, jax.random.split(key, len(shapes)), strict=True):
        limit = (6 / (np.prod(shape[:-2]) * sum(shape[-2:]))) ** 0.5
        kernel = jax.random.uniform(each, shape, minval=-limit, maxval=limit)
        weights.append((kernel, jnp.zeros(shape[-1])))
    return weights


def convolved(x: Any, kernel: Any) -> Any:
    """Return the convolution without padding, in one or two dimensions."""
    letters = "HW"[: x.ndim - 2]
    layout = (f"N{letters}C", f"{letters}IO", f"N{letters}C")
    return jax.lax.conv_general_dilated(
        x, kernel, (1,) * len(letters), "VALID", dimension_numbers=layout
    )


def pooled(x: Any) -> Any:
    """Return the maxima of windows of two in each dimension; an odd one at the end is left out."""
    for axis in range(1, x.ndim - 1):
        half = x.shape[axis] // 2
        x = jax.lax.slice_in_dim(x, 0, 2 * half, axis=axis)
        x = x.reshape(*x.shape[:axis], half, 2, *x.shape[axis + 1 :]).max(axis=axis + 1)
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


def train(asked: work.Work) -> Any:
    """Return loss and metric on the training and on the test rows: four of (seeds, epochs)."""
    x, x_test = (jnp.asarray(part) for part in asked.floats)
    y, y_test = jnp.asarray(asked.y), jnp.asarray(asked.y_test)
    rows, size = len(x), asked.batch_size
    whole = rows // size * size

    def evaluated(weights: Any, x: Any, y: Any) -> Any:
        return loss_and_metric(asked.exercise, weights, x, y)

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

    def one_seed(key: Any) -> Any:
        first, later = jax.random.split(key)
        weights = initial(first, KERNELS[asked.exercise])
        zeros = jax.tree.map(jnp.zeros_like, weights)
        start = (weights, (0.0, zeros, zeros))
        return jax.lax.scan(epoch, start, jax.random.split(later, asked.epochs))[1]

    keys = jax.random.split(jax.random.key(0), asked.seeds)
    # A single seed needs no vmap, which makes grouped convolutions of its convolutions.
    if asked.seeds == 1:
        return [each[None] for each in jax.jit(one_seed)(keys[0])]
    return jax.jit(jax.vmap(one_seed))(keys)


if __name__ == "__main__":
    asked = work.asked()
    start = time.perf_counter()
    history = jax.block_until_ready(train(asked))
    work.report(time.perf_counter() - start, val_loss=history[2][:, -1].mean())
