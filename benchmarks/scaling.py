#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""How much quicker are more ranks? Fits of four learners by MPI processes with a thread each, 1 and 2 in turn: medians of paired ratios of
seconds. And on simulated ranks, 1 to 256, virtual seconds: what ranks compute is measured, messages cost what a network model says
(benchmarks/scaling/worked.hpp); the curves are drawn as out/bench/scaling.svg.

    benchmarks/scaling.py [--output FILE] [--only REGEX] [--repeats N] [--most RANKS] [--without-mpi] [--without-simulation]
"""
import argparse
import json
import math
import os
import re
import statistics
import subprocess
import sys

root = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path[:0] = [os.path.join(root, "benchmarks"), os.path.join(root, "benchmarks", "peers")]
sys.dont_write_bytecode = True

import peers  # noqa: E402

LEARNERS = ["k_means", "topics", "random_forest", "factorisation"]
NETWORKS = {"50 us, 1 GB/s": (50e-6, 1e9), "2 us, 10 GB/s": (2e-6, 1e10)}
program = os.path.join(root, "build", "bench", "benchmarks", "scaled")
environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMPI_MCA_mpi_yield_when_idle": "1",
               "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def run(*command):
    done = subprocess.run(command, env=environment, text=True, stdout=subprocess.PIPE, timeout=500, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def strong(learner, repeats):
    """Paired runs on 1 and 2 ranks; the first pair, which reads programs and pages, is not counted."""
    pairs = []
    for _ in range(repeats + 1):
        pairs.append([run("mpirun", "--oversubscribe", "-n", str(ranks), program, learner) for ranks in (1, 2)])
    return {key: statistics.median(one[key] / two[key] for one, two in pairs[1:]) for key in ("seconds", "processor_seconds")}


def simulated(learner, most, network, repeats=3):
    """Virtual seconds by ranks: the least of some runs, for what disturbs a measurement adds to it."""
    ranks = [2 ** e for e in range(int(math.log2(most)) + 1)]
    latency, bandwidth = NETWORKS[network]
    return {n: min(run(program, learner, "--ranks", str(n), "--latency", str(latency), "--bandwidth", str(bandwidth))["virtual_seconds"]
                   for _ in range(repeats)) for n in ranks}


def picture(curves):
    """Speed over ranks, both in powers of two; a dashed line for what cannot be surpassed."""
    colours, most = ["#1f6fb4", "#d1662b", "#3a923a", "#8a5bb0"], max(max(c) for c in curves.values())
    scale = 380 / math.log2(most)

    def x(n):
        return 60 + scale * math.log2(n)

    def y(speed):
        return 420 - scale * math.log2(max(speed, 0.5))
    s = ["<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 760 480' font-family='sans-serif' font-size='12'><rect width='760' height='480' fill='white'/>",
         "<text x='60' y='22'>times as fast as one rank, by simulated ranks (virtual seconds)</text>",
         f"<line x1='{x(1)}' y1='{y(1)}' x2='{x(most)}' y2='{y(most)}' stroke='#999' stroke-dasharray='5 4'/>"]
    for e in range(int(math.log2(most)) + 1):
        s.append(f"<text x='{x(2**e):.0f}' y='445' text-anchor='middle'>{2**e}</text><text x='50' y='{y(2**e) + 4:.0f}' text-anchor='end'>{2**e}</text>")
    ends = sorted(((y(c[1] / c[max(c)]), key) for key, c in curves.items()))
    place = {}
    for at, key in ends:
        place[key] = max(at, max(place.values(), default=0) + 15)
    for (learner, network), c in curves.items():
        colour, dash = colours[LEARNERS.index(learner)], " stroke-dasharray='2 3'" if network != next(iter(NETWORKS)) else ""
        points = " ".join(f"{x(n):.1f},{y(c[1] / seconds):.1f}" for n, seconds in c.items())
        s.append(f"<polyline fill='none' stroke='{colour}' stroke-width='1.8'{dash} points='{points}'/>")
        s.append(f"<text x='{x(max(c)) + 12:.0f}' y='{place[learner, network] + 4:.0f}' fill='{colour}'>{learner}, {network}</text>")
    return "\n".join(s) + "</svg>\n"


def main():
    parser = argparse.ArgumentParser(prog="benchmarks/scaling.py", description="Learners on more ranks.")
    parser.add_argument("--output")
    parser.add_argument("--only", default="")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--most", type=int, default=256)
    parser.add_argument("--without-mpi", action="store_true")
    parser.add_argument("--without-simulation", action="store_true")
    options = parser.parse_args()
    if not peers.build("benchmark_scaled"):
        return 1
    records, curves = [], {}

    def add(case, metric, value, goal=None, **more):
        records.append({"case": case, "metric": metric, "value": value, "goal": goal, **more})
        print(f"{case:<34} {metric:<28} {value:.4g}", flush=True)
        if options.output:
            with open(options.output, "w", encoding="utf-8") as file:
                json.dump(records, file, indent=1)

    os.makedirs(os.path.join(root, "out", "bench"), exist_ok=True)
    for learner in [name for name in LEARNERS if re.search(options.only, name)]:
        if not options.without_mpi:
            add(learner, "load_before", os.getloadavg()[0])
            found = strong(learner, options.repeats)
            add(learner, "speed_2_ranks_over_1", found["seconds"], 1.7, at_least=True)
            add(learner, "processor_1_rank_over_2", found["processor_seconds"])
        for network in [] if options.without_simulation else NETWORKS:
            curve = curves[learner, network] = simulated(learner, options.most, network)
            for n, seconds in curve.items():
                add(f"{learner} ({network})", f"simulated_speed_{n}_ranks", curve[1] / seconds)
            with open(os.path.join(root, "out", "bench", "scaling.svg"), "w", encoding="utf-8") as file:
                file.write(picture(curves))
    return 0


if __name__ == "__main__":
    sys.exit(main())
