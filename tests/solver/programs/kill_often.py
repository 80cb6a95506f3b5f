#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""kill_often.py ROUNDS SOLVER PROGRAM: kills the program with SIGKILL at ROUNDS random moments, most often while it writes a checkpoint, and starts
it again on another number of ranks. Every start must find a whole checkpoint that is no older than the newest one that was seen whole before, and
what it says in the end must be what it says when nobody disturbs it. SEED=... in the environment chooses the moments.
"""
import os
import random
import subprocess
import sys
import tempfile
import time

rounds, solver, program = int(sys.argv[1]), sys.argv[2], sys.argv[3]
chance = random.Random(f"{os.environ.get('SEED', '1')} {solver}")
iterations = 10 * rounds + 20


def start(ranks, folder):
    return subprocess.Popen([program, solver, folder, str(iterations), str(ranks)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    output, errors = process.communicate(timeout=100)
    if process.returncode != 0:
        sys.exit(f"exit code {process.returncode}\n{errors}")
    return output


def newest(folder):
    steps = [int(name[5:17]) for name in os.listdir(folder) if name.startswith("step-") and name.endswith(".checkpoint")]
    return max(steps, default=0)


with tempfile.TemporaryDirectory() as whole, tempfile.TemporaryDirectory() as folder:
    expected = finish(start(2, whole))
    steps, ranks, torn = [0], 1, 0
    for _ in range(rounds):
        ranks = chance.choice([r for r in (1, 2, 3) if r != ranks])
        process = start(ranks, folder)
        goal = newest(folder) + chance.randint(1, 4)
        while newest(folder) < goal and process.poll() is None:
            time.sleep(0.0005)
        time.sleep(chance.uniform(0, 0.004))
        process.kill()
        _, errors = process.communicate(timeout=100)
        if process.returncode >= 0:
            sys.exit(f"ended by itself after {len(steps) - 1} of {rounds} rounds, exit code {process.returncode}\n{errors}")
        if newest(folder) < max(steps[-1], goal):
            sys.exit(f"a checkpoint is gone: {newest(folder)} after {steps}")
        torn += any(not name.endswith(".checkpoint") for name in os.listdir(folder))
        steps.append(newest(folder))
    found = finish(start(chance.choice([1, 2, 3]), folder))
    print(f"killed {rounds} times, {torn} of them while a file was written, with checkpoints {steps[1:]}")
    if found != expected:
        a, b = expected.splitlines(), found.splitlines()
        first = next((i for i in range(min(len(a), len(b))) if a[i] != b[i]), min(len(a), len(b)))
        sys.exit(f"differs in line {first}: {a[first:first + 1]} and {b[first:first + 1]}")
