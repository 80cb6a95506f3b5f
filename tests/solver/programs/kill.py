#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""kill.py ROUNDS SOLVER MPIEXEC PROGRAM: kills the program with SIGKILL at random moments, on 1 to 3 ranks, and starts it again on another number of
them, until it has been killed ROUNDS times; what it says in the end must be what it says when nobody disturbs it.

Half of the times all processes die at once, as in a power cut; otherwise one rank does, and mpirun ends the others. A moment is some random
milliseconds after some random number of further checkpoints, so that every round gets somewhere. SEED=... in the environment chooses the moments.
"""
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

rounds, solver, mpiexec, program = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
seed = int(os.environ.get("SEED", "1"))
chance = random.Random(f"{seed} {solver}")


def start(ranks, folder):
    return subprocess.Popen([mpiexec, "-n", str(ranks), program, solver, folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as listing:
            return [int(word) for word in listing.read().split()]
    except OSError:
        return []


def newest(folder):
    steps = [int(name[5:17]) for name in os.listdir(folder) if name.startswith("step-") and name.endswith(".checkpoint")]
    return max(steps, default=0)


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def finish(process):
    output, errors = process.communicate(timeout=100)
    if process.returncode != 0:
        sys.exit(f"exit code {process.returncode}\n{errors}")
    return output


with tempfile.TemporaryDirectory() as whole, tempfile.TemporaryDirectory() as folder:
    expected = finish(start(2, whole))
    killed, steps = 0, [0]
    ranks = 1
    while killed < rounds:
        ranks = chance.choice([r for r in (1, 2, 3) if r != ranks])
        process = start(ranks, folder)
        goal = newest(folder) + chance.randint(1, 8)
        while newest(folder) < goal and process.poll() is None:
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.02))
        workers = children(process.pid)
        if process.poll() is None and workers:
            if chance.random() < 0.5:
                for worker in workers:
                    kill(worker)
                kill(process.pid)
            else:
                kill(chance.choice(workers))
            process.communicate(timeout=100)
            if process.returncode == 0:  # it had ended while it was to be killed
                break
            killed += 1
            steps.append(newest(folder))
        else:
            finish(process)
            break
    found = finish(start(chance.choice([1, 2, 3]), folder))
    print(f"killed {killed} times, with checkpoints {steps[1:]}")
    if killed < rounds:
        sys.exit(f"ended after {killed} of {rounds} rounds: it is too short to be killed that often")
    if len(set(steps)) < rounds // 2:
        sys.exit(f"hardly got anywhere: {steps}")
    if found != expected:
        a, b = expected.splitlines(), found.splitlines()
        first = next((i for i in range(min(len(a), len(b))) if a[i] != b[i]), min(len(a), len(b)))
        sys.exit(f"differs in line {first}: {a[first:first + 1]} and {b[first:first + 1]}")
