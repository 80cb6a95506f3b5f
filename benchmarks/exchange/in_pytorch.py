# SPDX-License-Identifier: BSL-1.0
"""benchmarks/exchange/logistic.cpp in PyTorch, one of several processes: in_pytorch.py METHOD FILE ROWS COLUMNS BATCH EPOCHS, where METHOD is ddp
(DistributedDataParallel) or a topology of Decent-DP, and RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT are as torch.distributed has them. The first
prints the microseconds of a step, of the EPOCHS between a first and a last one, and the objective at the end."""
import json
import os
import sys
import time

import numpy
import torch
import torch.distributed as dist


def main():
    method, file = sys.argv[1:3]
    rows, columns, batch, epochs = map(int, sys.argv[3:])
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    rank, size = dist.get_rank(), dist.get_world_size()
    numbers = torch.from_numpy(numpy.fromfile(file, dtype=numpy.float32))
    x, y = numbers[: rows * columns].view(rows, columns), numbers[rows * columns:].view(rows, 1)
    mine = slice(rank * rows // size, (rank + 1) * rows // size)
    own_x, own_y, each = x[mine].clone(), y[mine].clone(), batch // size
    linear = torch.nn.Linear(columns, 1)
    torch.nn.init.zeros_(linear.weight)
    torch.nn.init.zeros_(linear.bias)
    loss = torch.nn.BCEWithLogitsLoss()
    if method == "ddp":
        model = torch.nn.parallel.DistributedDataParallel(linear)
        descent = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=1e-3)
    else:
        from decent_dp.ddp import DecentralizedDataParallel

        model = DecentralizedDataParallel(linear, lambda named: torch.optim.SGD([p for _, p in named], lr=0.1, weight_decay=1e-3), topology=method)
        descent = None  # it takes steps itself, within backward
    model.train()
    times = []
    for epoch in range(epochs + 2):
        if epoch in (1, epochs + 1):
            dist.barrier()
            times.append(time.perf_counter())
        order = torch.randperm(len(own_x))
        for at in range(0, len(order), each):
            which = order[at: at + each]
            if descent:
                descent.zero_grad(set_to_none=True)
            loss(model(own_x[which]), own_y[which]).backward()
            if descent:
                descent.step()
    seconds = (times[1] - times[0]) / (epochs * (len(own_x) // each))
    with torch.no_grad():
        if method != "ddp":
            for p in linear.parameters():
                dist.all_reduce(p.data)
                p.data /= size
        objective = loss(linear(x), y) + 5e-4 * (linear.weight ** 2).sum()
    if rank == 0:
        print(json.dumps({"microseconds": 1e6 * seconds, "objective": float(objective)}), flush=True)
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
