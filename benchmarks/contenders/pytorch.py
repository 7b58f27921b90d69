"""The same network, optimizer, batches and evaluation in PyTorch: eager, on all cores."""

import json
import os
import sys
import time

import numpy as np
import torch
from torch import nn

EVALUATION_BATCH = 1024

exercise, path, epochs, rows = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
arrays = np.load(path)
batch_size = int(arrays["batch_size"])


def tensors(part: str, rows: int | None) -> tuple[torch.Tensor, torch.Tensor]:
    """Return inputs with channels first, and class numbers, as PyTorch expects them."""
    x, y = arrays[f"x_{part}"][:rows], arrays[f"y_{part}"][:rows]
    if exercise == "boston":
        return torch.from_numpy(x), torch.from_numpy(y).reshape(-1, 1)
    if exercise == "cifar10":
        x = x.astype("float32") / 255
    x = np.ascontiguousarray(np.moveaxis(x, -1, 1))
    return torch.from_numpy(x), torch.from_numpy(y.argmax(axis=1))


def hits(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return the sum of the metric over a batch."""
    if exercise == "boston":
        return (output - target).abs().sum()
    return (output.argmax(dim=1) == target).sum()


x, y = tensors("train", rows)
x_test, y_test = tensors("test", None)

torch.set_num_threads(os.cpu_count() or 1)
torch.manual_seed(0)
start = time.perf_counter()
if exercise == "boston":
    model = nn.Sequential(
        nn.Linear(13, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1)
    )
elif exercise == "wafer":
    model = nn.Sequential(
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
else:
    model = nn.Sequential(
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
loss = nn.MSELoss() if exercise == "boston" else nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.001, eps=1e-7)
history = []
for _ in range(epochs):
    order = torch.randperm(len(x))
    sums = [torch.zeros(()) for _ in range(4)]
    for first in range(0, len(x), batch_size):
        chosen = order[first : first + batch_size]
        target = y[chosen]
        output = model(x[chosen])
        value = loss(output, target)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        sums[0] += value.detach() * len(chosen)
        sums[1] += hits(output.detach(), target)
    with torch.no_grad():
        for first in range(0, len(x_test), EVALUATION_BATCH):
            target = y_test[first : first + EVALUATION_BATCH]
            output = model(x_test[first : first + EVALUATION_BATCH])
            sums[2] += loss(output, target) * len(target)
            sums[3] += hits(output, target)
    sizes = (len(x), len(x), len(x_test), len(x_test))
    history.append([float(value) / size for value, size in zip(sums, sizes, strict=True)])
seconds = time.perf_counter() - start
print(json.dumps({"training": seconds, "val_loss": history[-1][2]}))
