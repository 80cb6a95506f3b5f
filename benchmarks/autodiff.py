#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What does automatic differentiation cost? Gradients of networks beside the same written by hand with BLAS, what they allocate
(benchmarks/autodiff.cpp), and sweeps of models of one product beside the sweep of the commit before formulas could have several.

    benchmarks/autodiff.py [--output FILE] [--pairs 21]

over_before: processor seconds of a logistic or softmax gradient over rows of 32 MB, medians of paired runs, one thread; both programs are
benchmarks/autodiff/sweeps.cpp, compiled alike, with headers of now and of then. Left out where this clone does not have that commit.
"""
import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tarfile

root = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path.insert(0, os.path.join(root, "benchmarks"))
sys.dont_write_bytecode = True

import peers  # noqa: E402

before = "76c9848d7c2b"
CASES = [("logistic", 64, 2), ("logistic", 512, 2), ("softmax", 64, 10), ("softmax", 512, 10)]


class Sweeps:
    """A process of sweeps.cpp, compiled with the headers in a folder."""

    def __init__(self, name, include):
        program = os.path.join(root, "build", "bench", f"sweeps_{name}")
        command = [os.environ.get("CXX", "g++"), "-std=c++20", "-O3", "-DNDEBUG", "-fopenmp", "-I", include,
                   os.path.join(root, "benchmarks", "autodiff", "sweeps.cpp"), "-o", program, "-lopenblas"]
        subprocess.run(command, check=True)
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1"))

    def __call__(self, model, columns, classes, repeats):
        print(model, columns, classes, repeats, file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def headers_of_then():
    """A folder of that commit's headers, or None."""
    folder = os.path.join(root, "build", "before", before)
    if not os.path.isdir(os.path.join(folder, "include")):
        packed = subprocess.run(["git", "archive", before, "include"], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if packed.returncode != 0:
            return None
        with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as files:
            files.extractall(folder)
    return os.path.join(folder, "include")


def beside_then(pairs):
    include = headers_of_then()
    if include is None:
        print(f"sweeps are not set beside those of before: this clone has no commit {before}")
        return []
    now, then = Sweeps("now", os.path.join(root, "include")), Sweeps("then", include)
    records = []
    for model, columns, classes in CASES:
        name = f"{model} {columns} columns" + ("" if classes == 2 else f", {classes} classes")
        first = [sweep(model, columns, classes, 1) for sweep in (now, then)]
        repeats = max(1, int(0.1 / max(first[0]["seconds"], 1e-6)))
        ratios = [now(model, columns, classes, repeats)["seconds"] / then(model, columns, classes, repeats)["seconds"] for _ in range(pairs)]
        records.append({"case": name, "metric": "over_before", "value": statistics.median(ratios), "goal": 1.02})
        records.append({"case": name, "metric": "other_bits", "value": int(first[0]["bits"] != first[1]["bits"]), "goal": 0})
    now.close()
    then.close()
    return records


def main():
    parser = argparse.ArgumentParser(prog="benchmarks/autodiff.py", description="What automatic differentiation costs.")
    parser.add_argument("--output", help="where the records go (JSON)")
    parser.add_argument("--pairs", type=int, default=21, help="alternating runs of the sweeps")
    options = parser.parse_args()
    if not peers.build("benchmark_autodiff"):
        return 1
    by_hand = os.path.join(root, "out", "bench", "autodiff_by_hand.json")
    os.makedirs(os.path.dirname(by_hand), exist_ok=True)
    subprocess.run([os.path.join(root, "build", "bench", "benchmarks", "autodiff"), "--output", by_hand],
                   env=dict(os.environ, OPENBLAS_NUM_THREADS="1"), check=True)
    with open(by_hand, encoding="utf-8") as file:
        records = json.load(file)
    os.remove(by_hand)
    then = beside_then(options.pairs)
    for r in then:
        print(f"{r['case']:<28} {r['metric']:<18} {r['value']:8.3f}  (goal {r['goal']:.3g})")
    if options.output:
        with open(options.output, "w", encoding="utf-8") as file:
            json.dump(records + then, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
