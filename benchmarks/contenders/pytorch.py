"""The same network, optimizer, batches and evaluation in PyTorch, on all cores.

Eager, or with the option ``compile`` through ``torch.compile``, whose compilations count. Weights
start from PyTorch's own distribution, not from Keras' (Glorot).
"""

import os
import time
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.contenders import work


def tensors(exercise: str, x: work.Array, y: work.Array) -> tuple[torch.Tensor, torch.Tensor]:
    """Return inputs with channels first, and class numbers, as PyTorch expects them."""
    if exercise == "boston":
        return torch.from_numpy(x), torch.from_numpy(y).reshape(-1, 1)
    x = np.ascontiguousarray(np.moveaxis(work.as_floats(exercise, x), -1, 1))
    return torch.from_numpy(x), torch.from_numpy(y.argmax(axis=1))


def network(exercise: str) -> Any:
    """Return the network of an exercise with new weights."""
    if exercise == "boston":
        return nn.Sequential(
            nn.Linear(13, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1)
        )
    if exercise == "wafer":
        return nn.Sequential(
            nn.Conv1d(1, 16, 8),
            nn.ReLU(),
            nn.MaxPool1d(2),
            nn.Conv1d(16, 32, 5),
            nn.ReLU(),
            nn.MaxPool1d(2),
            nn.Conv1d(32, 64, 3),
            nn.ReLU(),
            nn.MaxPool1d(2),
            nn.Flatten(),
            nn.Linear(1024, 2),
        )
    return nn.Sequential(
        nn.Conv2d(3, 32, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(2304, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )


def loss_of(exercise: str) -> Any:
    """Return the loss of an exercise, the mean over rows."""
    return nn.MSELoss() if exercise == "boston" else nn.CrossEntropyLoss()


def hits(exercise: str, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return the sum of the metric over the rows of a batch."""
    if exercise == "boston":
        return (output - target).abs().sum()
    return (output.argmax(dim=1) == target).sum()


def train(asked: work.Work) -> list[list[float]]:
    """Return loss and metric on the training and on the test rows, in each epoch."""
    x, y = tensors(asked.exercise, asked.x, asked.y)
    x_test, y_test = tensors(asked.exercise, asked.x_test, asked.y_test)
    model = network(asked.exercise)
    if "compile" in asked.options:
        model = torch.compile(model)
    loss = loss_of(asked.exercise)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, eps=1e-7)
    history = []
    for _ in range(asked.epochs):
        order = torch.randperm(len(x))
        sums = [torch.zeros(()) for _ in range(4)]
        for first in range(0, len(x), asked.batch_size):
            chosen = order[first : first + asked.batch_size]
            target = y[chosen]
            output = model(x[chosen])
            value = loss(output, target)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            sums[0] += value.detach() * len(chosen)
            sums[1] += hits(asked.exercise, output.detach(), target)
        with torch.no_grad():
            for first in range(0, len(x_test), work.EVALUATION_BATCH):
                target = y_test[first : first + work.EVALUATION_BATCH]
                output = model(x_test[first : first + work.EVALUATION_BATCH])
                sums[2] += loss(output, target) * len(target)
                sums[3] += hits(asked.exercise, output, target)
        sizes = (len(x), len(x), len(x_test), len(x_test))
        history.append([float(value) / size for value, size in zip(sums, sizes, strict=True)])
    return history


if __name__ == "__main__":
    torch.set_num_threads(os.cpu_count() or 1)
    torch.manual_seed(0)
    asked = work.asked()
    # Compilations are kept on disk; those of the last round would make this one look faster.
    with TemporaryDirectory() as folder:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = folder
        start = time.perf_counter()
        history = train(asked)
        work.report(time.perf_counter() - start, val_loss=history[-1][2])
