#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""kill_once.py KILLS ITERATIONS KIND MPIEXEC PROGRAM: KILLS times, each in a folder of its own: starts the program under mpirun on 1 to 3 ranks, kills
mpirun and all ranks with SIGKILL at a random moment, and starts it again on another number of them. Each must end in the bits of the run that
nobody disturbed, and none may find a torn file. Every other kill waits, from its moment on, for a file that is being written.
SEED=... in the environment chooses the moments.
"""
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

kills, iterations, kind, mpiexec, program = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5]
chance = random.Random(f"{os.environ.get('SEED', '1')} {kind}")
memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # a killed process loses nothing there, and no disk's fsync is waited for


def start(ranks, folder):
    return subprocess.Popen([mpiexec, "-n", str(ranks), program, kind, folder, str(iterations)],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    output, errors = process.communicate(timeout=250)
    if process.returncode != 0 or "gamut:" in errors:  # what it says of a checkpoint that it passes over
        sys.exit(f"exit code {process.returncode}\n{errors}")
    return output


def steps_in(folder):
    return [int(name[5:17]) for name in os.listdir(folder) if name.startswith("step-") and name.endswith(".checkpoint")]


def is_writing(folder):
    return any(name.startswith("step-") and not name.endswith(".checkpoint") for name in os.listdir(folder))


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def kill_all(process):
    with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="ascii") as listing:
        workers = [int(word) for word in listing.read().split()]
    for worker in workers:
        kill(worker)
    kill(process.pid)
    process.communicate(timeout=250)


with tempfile.TemporaryDirectory(dir=memory) as whole:
    expected = finish(start(2, whole))
done, torn, found_at = 0, 0, []
while done < kills:
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        before = chance.choice([1, 2, 3])
        after = chance.choice([r for r in (1, 2, 3) if r != before])
        goal, aims_at_a_write = chance.randint(0, iterations - 2), chance.random() < 0.5
        process = start(before, folder)
        while max(steps_in(folder), default=0) < goal and process.poll() is None:
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.4) if goal == 0 else chance.uniform(0, 0.01))
        while aims_at_a_write and not is_writing(folder) and process.poll() is None:
            time.sleep(0.0001)
        if process.poll() is not None:  # it had ended before: another moment
            finish(process)
            continue
        kill_all(process)
        if process.returncode == 0:
            continue
        done += 1
        torn += is_writing(folder)
        found_at.append(max(steps_in(folder), default=0))
        found = finish(start(after, folder))
        if found != expected:
            a, b = expected.splitlines(), found.splitlines()
            first = next((i for i in range(min(len(a), len(b))) if a[i] != b[i]), min(len(a), len(b)))
            sys.exit(f"kill {done}, on {before} ranks at step {found_at[-1]}, then on {after}: differs in line {first}: "
                     f"{a[first:first + 1]} and {b[first:first + 1]}")
print(f"{kind}: {done} of {kills} runs that were killed ended in the bits of one that was not; {torn} while a file was written; "
      f"with checkpoints {sorted(found_at)}")
