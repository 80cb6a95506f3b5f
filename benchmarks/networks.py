#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""How long does a step of training take? benchmarks/networks.cpp beside the same networks in PyTorch on this machine's processor, in single
precision, on random data. (Beside one that is written by hand with BLAS: benchmarks/autodiff.py.)

    benchmarks/networks.py [--output FILE] [--threads 2] [--pairs 15] [--install]

A step is what a user's loop does: take a batch of rows drawn at random, forward, back, momentum. Runs of some steps alternate; a ratio is the
median of the paired ones. PyTorch is taken where this Python, or Debian's, has it; --install brings PyPI's into build/torch (gigabytes: it
comes with what graphics cards need). Without it, what is beside PyTorch is left out.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

root = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path[:0] = [os.path.join(root, "benchmarks"), os.path.join(root, "benchmarks", "peers")]
sys.dont_write_bytecode = True

import install  # noqa: E402
import peers  # noqa: E402

program = os.path.join(root, "build", "bench", "benchmarks", "networks")
own_environment = os.path.join(root, "build", "torch")
CASES = [  # name, batch, groups, goal of over_pytorch
    ("mlp", 64, 2, 0.6), ("mlp", 256, 2, 0.6), ("lenet", 64, 2, 1.0),
    ("mlp", 64, 4, None), ("mlp", 256, 4, None), ("lenet", 64, 4, None),  # as many groups as there are unless a model says otherwise
]


def find_pytorch(may_install):
    """(a Python that has it, its version), or (None, why not)."""
    inside = os.path.join(own_environment, "bin", "python")
    if may_install and not os.path.exists(inside):
        why = install.environment(sys.executable, own_environment) or install.pip_install(own_environment, "torch", "numpy")
        if why:
            return None, why
    for python in (inside, sys.executable, "/usr/bin/python3"):
        if os.path.exists(python):
            ok, text = install.run([python, "-c", "import torch; print('version', torch.__version__)"], 300)
            if ok:
                return python, text.split("version ")[1].split()[0]
    return None, "no Python here has torch; --install brings it from PyPI"


class Timer:
    """A process that answers `NAME BATCH GROUPS STEPS` with seconds and processor_seconds per step."""

    def __init__(self, command, threads, blas_threads):
        values = dict(os.environ, OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(blas_threads),
                      OMP_WAIT_POLICY="passive")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=values)

    def __call__(self, name, batch, groups, steps):
        print(name, batch, groups, steps, file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def compare(gamut, pytorch, pairs):
    records = []
    for name, batch, groups, goal in CASES:
        steps = max(5, int(0.1 / max(pytorch(name, batch, groups, 20)["seconds"], 1e-6)))  # a tenth of a second
        gamut(name, batch, groups, steps)
        ours, theirs = [], []
        for _ in range(pairs):
            ours.append(gamut(name, batch, groups, steps))
            theirs.append(pytorch(name, batch, groups, steps))
        case = f"{name} float batch {batch}" + ("" if goal else f", {groups} groups")

        def add(metric, value, goal=None, case=case):
            records.append({"case": case, "metric": metric, "value": value, "goal": goal})

        for key, metric in (("seconds", "over_pytorch"), ("processor_seconds", "processor_over_pytorch")):
            add(metric, statistics.median(a[key] / b[key] for a, b in zip(ours, theirs)), goal if key == "seconds" else None)
        add("milliseconds_per_step", 1e3 * statistics.median(a["seconds"] for a in ours))
        add("milliseconds_per_step_pytorch", 1e3 * statistics.median(b["seconds"] for b in theirs))
    return records


def main():
    parser = argparse.ArgumentParser(prog="benchmarks/networks.py", description="A step of training beside PyTorch.")
    parser.add_argument("--output", help="where the records go (JSON)")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--pairs", type=int, default=15, help="alternating runs")
    parser.add_argument("--install", action="store_true", help="brings PyTorch from PyPI")
    options = parser.parse_args()
    if not peers.build("benchmark_networks"):
        return 1
    records = []
    python, version = find_pytorch(options.install)
    print(f"load {os.getloadavg()[0]:.1f}, {options.threads} threads; " + (f"PyTorch {version}" if python else f"without PyTorch: {version}"), flush=True)
    if python:
        gamut = Timer([program, "--threads", str(options.threads)], options.threads, 1)
        pytorch = Timer([python, os.path.join(root, "benchmarks", "networks", "in_pytorch.py"), str(options.threads)], options.threads, options.threads)
        records += compare(gamut, pytorch, options.pairs)
        gamut.close()
        pytorch.close()
    for r in records:
        print(f"{r['case']:<28} {r['metric']:<32} {r['value']:10.4g}" + (f"  (goal {r['goal']:.3g})" if r["goal"] is not None else ""))
    if options.output:
        with open(options.output, "w", encoding="utf-8") as file:
            json.dump(records, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
