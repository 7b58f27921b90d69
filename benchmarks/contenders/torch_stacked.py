"""Many seeds of a network at once in PyTorch: ``torch.func``, as its guide on ensembles does it.

The weights of all seeds are stacked; `vmap` runs the network on each seed's own rows, and one Adam
updates the stack, which is Adam for each seed. Each seed draws a new order of rows in each epoch.
Weights start from PyTorch's own distribution.
"""

import os
import time
from typing import Any

import torch
from torch.func import functional_call, stack_module_state, vmap

from benchmarks.contenders import work
from benchmarks.contenders.pytorch import loss_of, network, tensors


def metric(exercise: str, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return the metric of each seed, the mean over rows."""
    if exercise == "boston":
        return (output - target).abs().mean(dim=(1, 2))
    return (output.argmax(dim=2) == target).float().mean(dim=1)


def train(asked: work.Work) -> torch.Tensor:
    """Return loss and metric on training and test rows, in each epoch: (epochs, 4, seeds)."""
    x, y = tensors(asked.exercise, asked.x, asked.y)
    x_test, y_test = tensors(asked.exercise, asked.x_test, asked.y_test)
    weights, _ = stack_module_state([network(asked.exercise) for _ in range(asked.seeds)])
    body, loss = network(asked.exercise).to("meta"), loss_of(asked.exercise)

    def output_and_loss(weights: Any, x: Any, y: Any) -> Any:
        output = functional_call(body, weights, (x,))
        return output, loss(output, y)

    on_own_rows = vmap(output_and_loss)
    on_same_rows = vmap(output_and_loss, in_dims=(0, None, None))
    optimizer = torch.optim.Adam(weights.values(), lr=0.001, eps=1e-7)
    history = []
    for _ in range(asked.epochs):
        order = torch.rand(asked.seeds, len(x)).argsort(dim=1)
        sums = torch.zeros(4, asked.seeds)
        for first in range(0, len(x), asked.batch_size):
            chosen = order[:, first : first + asked.batch_size]
            target = y[chosen]
            output, values = on_own_rows(weights, x[chosen], target)
            optimizer.zero_grad()
            values.sum().backward()
            optimizer.step()
            share = chosen.shape[1] / len(x)
            sums[0] += values.detach() * share
            sums[1] += metric(asked.exercise, output.detach(), target) * share
        with torch.no_grad():
            for first in range(0, len(x_test), work.EVALUATION_BATCH):
                target = y_test[first : first + work.EVALUATION_BATCH]
                rows = x_test[first : first + work.EVALUATION_BATCH]
                output, values = on_same_rows(weights, rows, target)
                share = len(target) / len(x_test)
                sums[2] += values * share
                sums[3] += metric(asked.exercise, output, target) * share
        history.append(sums)
    return torch.stack(history)


if __name__ == "__main__":
    torch.set_num_threads(os.cpu_count() or 1)
    torch.manual_seed(0)
    asked = work.asked()
    start = time.perf_counter()
    history = train(asked)
    work.report(time.perf_counter() - start, val_loss=history[-1, 2].mean())
