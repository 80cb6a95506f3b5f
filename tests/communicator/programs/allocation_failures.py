#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""allocation_failures.py PLACES MPIEXEC PROGRAM: rank 1 of 3 processes runs out of memory, at PLACES of its allocations in each scenario. Nobody may
be left alone: all ranks say the same error, and the job ends with code 70, or 3 where they agreed upon it and could go on."""
import re
import subprocess
import sys
import time

places, mpiexec, program = int(sys.argv[1]), sys.argv[2], sys.argv[3]
tried, closed, slowest = 0, 0, 0.0


def run(scenario, k):
    return subprocess.run([mpiexec, "-n", "3", program, str(scenario), str(k)], capture_output=True, text=True, timeout=100)


for scenario in range(5):
    whole = run(scenario, 0)
    allocations = re.search(r"allocations (\d+)", whole.stdout)
    if whole.returncode != 0 or not allocations:
        sys.exit(f"scenario {scenario}: exit code {whole.returncode}\n{whole.stdout}{whole.stderr}")
    total = int(allocations[1])
    for place in range(places):
        k = 1 + (total - 1) * (2 * place + 1) // (2 * places)
        begin = time.monotonic()
        ended = run(scenario, k)
        slowest = max(slowest, time.monotonic() - begin)
        said = dict(re.findall(r"rank (\d): (out of memory: rank 1: .*)", ended.stdout))
        if ended.returncode not in (3, 70) or len(said) != 3 or len(set(said.values())) != 1:
            sys.exit(f"scenario {scenario}, allocation {k} of {total}: exit code {ended.returncode} (70 or 3 is due), said {said}\n{ended.stdout}{ended.stderr}")
        tried += 1
        closed += ended.returncode == 70
if closed == 0:
    sys.exit("no place was outside of what ranks agree upon")
print(f"{tried} places, one error on all ranks at each, {closed} of them with code 70, at most {slowest:.1f} s with the start")
