"""The arithmetic limit: seconds in which this machine multiplies as often as the training needs.

Counts multiplications and additions of dense and convolutional layers: forward, and backward for
weights and inputs, on the training rows, and forward on the validation rows, in each epoch. Not
counted is all else: activations, poolings, the loss, Adam (about ten operations per parameter and
step), batches, Python. The rate is the best of this process on large float32 matrices. Small
matrices do not reach it, and only a convolution by an algorithm with fewer multiplications could be
faster than this limit.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from math import prod

import numpy as np

from benchmarks.contenders import work

#: For each layer with weights, how often a row meets its kernel.
TIMES = {"boston": (1, 1, 1), "wafer": (145, 68, 32, 1), "cifar10": (30 * 30, 13 * 13, 1, 1)}
#: For each layer with weights: its number of weights, biases aside, and how often a row meets them.
LAYERS = {
    name: tuple((prod(shape), each) for shape, each in zip(kernels, TIMES[name], strict=True))
    for name, kernels in work.KERNELS.items()
}


def operations(
    layers: Sequence[tuple[int, int]], rows: int, validation_rows: int, epochs: int = 1
) -> int:
    """Return the floating-point operations of a training; a multiplication and an addition are two.

    Backward costs as much as forward for the weights and, except in the first layer, for the
    inputs.
    """
    forward = [2 * weights * times for weights, times in layers]
    backward = 2 * sum(forward) - forward[0]
    return epochs * (rows * (sum(forward) + backward) + validation_rows * sum(forward))


def rate(size: int = 2048, repeats: int = 10) -> float:
    """Measure operations per second in the product of two square float32 matrices, on all cores."""
    random = np.random.default_rng(0)
    left, right = (random.random((size, size), dtype=np.float32) for _ in range(2))
    took = []
    for _ in range(repeats):
        start = time.perf_counter()
        left @ right
        took.append(time.perf_counter() - start)
    return 2 * size**3 / min(took)


if __name__ == "__main__":
    asked = work.asked()
    needed = operations(LAYERS[asked.exercise], len(asked.x), len(asked.x_test), asked.epochs)
    work.report(asked.seeds * needed / rate())
