# SPDX-License-Identifier: BSL-1.0
"""benchmarks/networks.cpp in PyTorch: in_pytorch.py THREADS answers lines `NAME BATCH GROUPS STEPS` with seconds per
step, and processor seconds."""
import json
import os
import sys
import time

replies = os.fdopen(os.dup(1), "w")  # what a library prints is no answer
os.dup2(2, 1)

import torch  # noqa: E402
from torch import nn  # noqa: E402


def network(name):
    if name == "mlp":
        return nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 10))
    return nn.Sequential(nn.Unflatten(1, (1, 28, 28)), nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(),
                         nn.MaxPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))


class Stepper:
    def __init__(self, name, batch):
        self.batch, self.model, self.loss = batch, network(name), nn.CrossEntropyLoss()
        self.momentum = torch.optim.SGD(self.model.parameters(), lr=0.01, momentum=0.9)
        self.x, self.y = torch.randn(50 * batch, 784), torch.arange(50 * batch) % 10
        self.order, self.at = torch.randperm(50 * batch), 0

    def __call__(self, steps):
        start, processor = time.perf_counter(), time.process_time()
        for _ in range(steps):
            if self.at == len(self.order):
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
