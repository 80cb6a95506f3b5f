#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Does staleness pay? A factorisation by stochastic gradients through a table, its workers slowed in turn: worker r of P takes 1 + d times as
long in the clocks c with c mod P = r. How many times as long bulk-synchronous workers (slack 0) take to the same objective as workers
with some slack, on simulated ranks and by MPI processes that sleep for their work, beside what theory says:

    benchmarks/staleness.py [--output FILE] [--without-mpi] [--work SECONDS]
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

import peers  # noqa: E402

# (P, d): slack -> times as fast as slack 0; Ho et al. 2013 give the reason: delays that go round are hidden
THEORY = {(4, 1): {1: 1.60, 3: 1.60}, (4, 4): {1: 2.00, 3: 2.50}, (8, 4): {1: 2.00, 3: 3.33}}
program = os.path.join(root, "build", "bench", "benchmarks", "stale")
environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMPI_MCA_mpi_yield_when_idle": "1",
               "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def run(*command):
    done = subprocess.run([str(part) for part in command], env=environment, text=True, stdout=subprocess.PIPE, timeout=500, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def epochs_to(objective, points):
    """Between two runs of different length (of the last two, if it is beyond them)."""
    points = sorted(points)
    for (e0, _, f0), (e1, _, f1) in zip(points, points[1:]):
        if f1 <= objective or e1 == points[-1][0]:
            return e0 + (e1 - e0) * (f0 - objective) / (f0 - f1)
    raise ValueError("one run is not enough")


def main():
    parser = argparse.ArgumentParser(prog="benchmarks/staleness.py", description="Time to an equal objective, with and without slack.")
    parser.add_argument("--output")
    parser.add_argument("--without-mpi", action="store_true")
    parser.add_argument("--work", type=float, default=0.05, help="seconds of a clock's work by processes")
    options = parser.parse_args()
    if not peers.build("benchmark_stale"):
        return 1
    records = []

    def add(case, metric, value, goal=None):
        records.append({"case": case, "metric": metric, "value": value, "goal": goal})
        print(f"{case:<34} {metric:<28} {value:.4g}", flush=True)
        if options.output:
            with open(options.output, "w", encoding="utf-8") as file:
                json.dump(records, file, indent=1)

    def compare(where, workers, delay, command, epochs, slacks):
        def runs(slack, lengths):
            return run(*command, "--delay", delay, "--slack", slack, "--epochs", ",".join(map(str, lengths)))
        def seconds_each(points):
            return statistics.median(seconds / length for length, seconds, _ in points)
        lengths = [epochs - 1, epochs, epochs + 1, epochs + 2]
        waiting = runs(0, lengths[1:2] if where == "simulated" else lengths[:3])  # a clock of processes is not always as long
        objective = {length: value for length, _, value in waiting}[epochs]
        for slack, expected in slacks.items():
            points = runs(slack, lengths)
            case = f"{where}, P {workers}, d {delay}, slack {slack}"
            speed = seconds_each(waiting) * epochs / (seconds_each(points) * epochs_to(objective, points))
            add(case, "speed_over_slack_0", speed)
            add(case, "objective_over_slack_0", points[1][2] / objective)  # after as many clocks
            add(case, "relative_to_theory", abs(speed / expected - 1), 0.1)

    for (workers, delay), slacks in THEORY.items():
        compare("simulated", workers, delay, [program, "--workers", workers], 25, slacks)
    if not options.without_mpi:
        for (workers, delay), slacks in THEORY.items():
            if workers == 4:
                compare("processes", workers, delay,
                        ["mpirun", "--oversubscribe", "-n", workers, program, "--mpi", 1, "--work", options.work, "--rate", 0.05], 5, slacks)
    return 0


if __name__ == "__main__":
    sys.exit(main())
