#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""How long does a step of training take? benchmarks/networks.cpp beside the same networks in PyTorch on this machine's processor, in single
precision, on random data (beside BLAS by hand: benchmarks/autodiff.py). VGG11 and a residual network of 8 layers are of
benchmarks/networks/pictures.cpp, which also says whether a slim one learns CIFAR-10's pictures, or some of that form.

    benchmarks/networks.py [--output FILE] [--threads 2] [--pairs 15] [--install]

A step is what a user's loop does: take a batch of rows drawn at random, forward, back, momentum. Runs of some steps alternate; a ratio is the
median of the paired ones. PyTorch is taken where this Python, or Debian's, has it; --install brings PyPI's into build/torch (gigabytes: it
comes with what graphics cards need). Without it, what is beside PyTorch is left out.
"""
import argparse
import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

root = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path[:0] = [os.path.join(root, "benchmarks"), os.path.join(root, "benchmarks", "peers")]
sys.dont_write_bytecode = True

import install  # noqa: E402
import peers  # noqa: E402

program = os.path.join(root, "build", "bench", "benchmarks", "networks")
pictures = os.path.join(root, "build", "bench", "benchmarks", "picture_nets")
own_environment = os.path.join(root, "build", "torch")
CASES = [  # name, batch, groups, goal of over_pytorch
    ("mlp", 64, 2, 0.6), ("mlp", 256, 2, 0.6), ("lenet", 64, 2, 1.0),
    ("vgg11", 64, 2, 1.0), ("resnet8", 64, 2, 1.0),
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


def unpacked_digits(folder):
    """The arguments that name MNIST's 10,000 test pictures, unpacked into a folder; empty without GAMUT_DATA_DIR."""
    arguments = []
    for option, name in (("--digits", "t10k-images-idx3-ubyte"), ("--labels", "t10k-labels-idx1-ubyte")):
        packed = os.path.join(os.environ.get("GAMUT_DATA_DIR", ""), "mnist10k", name + ".gz")
        if not os.path.exists(packed):
            print("LeNet on digits: left out (GAMUT_DATA_DIR names no folder with mnist10k/)", flush=True)
            return []
        with gzip.open(packed) as source, open(os.path.join(folder, name), "wb") as target:
            shutil.copyfileobj(source, target)
        arguments += [option, target.name]
    return arguments


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


def compare(timers, pytorch, pairs):
    """timers: by the name of a network; others are those of ''."""
    records = []
    for name, batch, groups, goal in CASES:
        gamut = timers.get(name, timers[""])
        pytorch(name, batch, groups, 2)
        steps = max(2, int(0.1 / max(pytorch(name, batch, groups, 3)["seconds"], 1e-6)))  # a tenth of a second
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
    if not peers.build("benchmark_networks") or not peers.build("benchmark_picture_nets"):
        return 1
    own = os.path.join(root, "out", "bench", "networks_alone.json")
    os.makedirs(os.path.dirname(own), exist_ok=True)
    records = []
    with tempfile.TemporaryDirectory() as folder:
        digits = unpacked_digits(folder)
        for command in [[pictures]] + ([[program, *digits]] if digits else []):
            subprocess.run([*command, "--output", own], env=dict(os.environ, OPENBLAS_NUM_THREADS="1"), check=True)
            with open(own, encoding="utf-8") as file:
                records += json.load(file)
            os.remove(own)

    python, version = find_pytorch(options.install)
    print(f"load {os.getloadavg()[0]:.1f}, {options.threads} threads; " + (f"PyTorch {version}" if python else f"without PyTorch: {version}"), flush=True)
    if python:
        gamut, of_pictures = (Timer([one, "--wait", "1", "--threads", str(options.threads)], options.threads, 1) for one in (program, pictures))
        pytorch = Timer([python, os.path.join(root, "benchmarks", "networks", "in_pytorch.py"), str(options.threads)], options.threads, options.threads)
        records += compare({"": gamut, "vgg11": of_pictures, "resnet8": of_pictures}, pytorch, options.pairs)
        gamut.close()
        of_pictures.close()
        pytorch.close()
    for r in records:
        print(f"{r['case']:<28} {r['metric']:<32} {r['value']:10.4g}" + (f"  (goal {r['goal']:.3g})" if r["goal"] is not None else ""))
    if options.output:
        with open(options.output, "w", encoding="utf-8") as file:
            json.dump(records, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
