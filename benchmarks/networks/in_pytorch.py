# SPDX-License-Identifier: BSL-1.0
"""benchmarks/networks.cpp and networks/pictures.cpp --wait 1 in PyTorch: in_pytorch.py THREADS answers lines `NAME BATCH GROUPS STEPS` with seconds per
step, and processor seconds."""
import json
import os
import sys
import time

replies = os.fdopen(os.dup(1), "w")  # what a library prints is no answer
os.dup2(2, 1)

import torch  # noqa: E402
from torch import nn  # noqa: E402


def vgg11(width):
    layers, channels = [], 3
    for block in ((width,), (2 * width,), (4 * width,) * 2, (8 * width,) * 2, (8 * width,) * 2):
        for wanted in block:
            layers += [nn.Conv2d(channels, wanted, 3, padding=1), nn.ReLU()]
            channels = wanted
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels, 10))


class Block(nn.Module):
    """f(x) + x, or + a projection of x where it has another shape."""

    def __init__(self, channels, wanted):
        super().__init__()
        step = 1 if wanted == channels else 2
        self.layers = nn.Sequential(nn.Conv2d(channels, wanted, 3, step, 1), nn.BatchNorm2d(wanted), nn.ReLU(), nn.Conv2d(wanted, wanted, 3, 1, 1), nn.BatchNorm2d(wanted))
        self.shortcut = nn.Identity() if step == 1 else nn.Sequential(nn.Conv2d(channels, wanted, 1, step), nn.BatchNorm2d(wanted))

    def forward(self, x):
        return torch.relu(self.layers(x) + self.shortcut(x))


def resnet8(width):
    blocks = [Block(a, b) for a, b in ((1, 1), (1, 2), (2, 4)) for a, b in [(a * width, b * width)]]
    return nn.Sequential(nn.Conv2d(3, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(), *blocks, nn.AvgPool2d(8), nn.Flatten(), nn.Linear(4 * width, 10))


def network(name):
    if name in ("vgg11", "resnet8"):
        layers = vgg11(64) if name == "vgg11" else resnet8(16)
        return nn.Sequential(nn.Unflatten(1, (3, 32, 32)), layers)
    if name == "mlp":
        return nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 10))
    return nn.Sequential(nn.Unflatten(1, (1, 28, 28)), nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(),
                         nn.MaxPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))


class Stepper:
    def __init__(self, name, batch):
        self.batch, self.model, self.loss = batch, network(name), nn.CrossEntropyLoss()
        self.momentum = torch.optim.SGD(self.model.parameters(), lr=0.01, momentum=0.9)
        rows, columns = (2000, 3072) if name in ("vgg11", "resnet8") else (50 * batch, 784)
        self.x, self.y = torch.randn(rows, columns), torch.arange(rows) % 10
        self.order, self.at = torch.randperm(rows), 0

    def __call__(self, steps):
        start, processor = time.perf_counter(), time.process_time()
        for _ in range(steps):
            if self.at + self.batch > len(self.order):
                self.order, self.at = torch.randperm(len(self.order)), 0
            rows = self.order[self.at: self.at + self.batch]
            self.at += self.batch
            self.momentum.zero_grad(set_to_none=True)
            self.loss(self.model(self.x[rows]), self.y[rows]).backward()
            self.momentum.step()
        seconds, processor = time.perf_counter() - start, time.process_time() - processor
        return {"seconds": seconds / steps, "processor_seconds": processor / steps}


def main():
    torch.set_num_threads(int(sys.argv[1]))
    known = {}
    for line in sys.stdin:
        name, batch, _, steps = line.split()
        if (name, batch) not in known:
            known[name, batch] = Stepper(name, int(batch))
        print(json.dumps(known[name, batch](int(steps))), file=replies, flush=True)


if __name__ == "__main__":
    main()
