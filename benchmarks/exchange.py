#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What does it cost when copies of the weights meet? benchmarks/exchange.cpp counts messages and bytes of every exchange; benchmarks/exchange/
has the rest, each a program: `meeting` on four processes, `staleness` with sleeping workers on four and eight, `slow_link` between two network
namespaces, `scaling` and `prediction` on ranks in virtual time, and `logistic` beside PyTorch's DistributedDataParallel and Decent-DP.

    benchmarks/exchange.py [--output FILE] [--only NAME,NAME] [--pairs 3] [--install]

What needs something that is not here (MPI, root for namespaces, PyTorch) is left out, and says so. PyTorch and Decent-DP are taken where this
Python, Debian's or build/torch has them; --install brings them from PyPI (gigabytes) into build/torch.
"""
import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile

root = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path[:0] = [os.path.join(root, "benchmarks"), os.path.join(root, "benchmarks", "peers"), os.path.join(root, "benchmarks", "exchange")]
sys.dont_write_bytecode = True

import install  # noqa: E402
import networks  # noqa: E402
import peers  # noqa: E402
import two_machines  # noqa: E402

ROWS, COLUMNS, BATCH, EPOCHS = 8192, 500, 256, 10  # of logistic.cpp
environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_rmaps_base_oversubscribe="1",
                   OMPI_MCA_mpi_yield_when_idle="1", OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", PYTHONDONTWRITEBYTECODE="1")


def program(name):
    return os.path.join(root, "build", "bench", "benchmarks", name)


def run(command, **more):
    """What a command prints; raises with it if it fails."""
    done = subprocess.run(command, cwd=root, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=1800,
                          env=more.pop("env", environment), **more)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} exited {done.returncode}\n{done.stdout[-2000:]}")
    return done.stdout


def records_of(command):
    """What a benchmark writes to --output."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "records.json")
        run([*command, "--output", path])
        with open(path, encoding="utf-8") as file:
            return json.load(file)


def record(case, metric, value, goal=None, at_least=False):
    return {"case": case, "metric": metric, "value": value, "goal": goal, **({"at_least": True} if at_least else {})}


def mpirun(count, *command):
    return ["mpirun", "-n", str(count), *command]


# ---- the parts --------------------------------------------------------------------------------------------------------------------------

def counts():
    return records_of([program("exchange")])


def scaling():
    return records_of([program("exchange_scaling")])


def prediction():
    return records_of([program("exchange_prediction")])


def sent(name, steps, folder):
    """Messages and bytes that process 0 sent, as Open MPI's own monitoring counts them; a collective's own messages among them."""
    path = os.path.join(folder, f"{name.replace(' ', '_')}_{steps}")
    run(["mpirun", "-n", "4", "--mca", "pml_monitoring_enable", "2", "--mca", "pml_monitoring_enable_output", "3", "--mca",
         "pml_monitoring_filename", path, program("exchange_meeting"), "--only", name, "--width", "10000", "--steps", str(steps)])
    messages = size = 0
    with open(f"{path}.0.prof", encoding="utf-8") as file:
        for line in file:
            cells = line.split("\t")
            if cells[0] in ("E", "I"):  # what the program sends, and what Open MPI does for its collectives
                size += int(cells[3].split()[0])
                messages += int(cells[4].split()[0])
    return messages, size


def meeting():
    records = records_of(mpirun(4, program("exchange_meeting")))
    per_step = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in ("mean", "plain sum", "ring", "one peer"):
            (few, little), (many, much) = sent(name, 10, folder), sent(name, 110, folder)
            per_step[name] = ((many - few) / 100, (much - little) / 100)
    for name, case in (("mean", "all_reduce"), ("plain sum", "MPI_Allreduce"), ("ring", "ring"), ("one peer", "one peer")):
        records.append(record(f"{case}, 10000 numbers", "messages_per_step", per_step[name][0]))
        records.append(record(f"{case}, 10000 numbers", "kilobytes_per_step", per_step[name][1] / 1000))
    records.append(record("ring, 10000 numbers", "messages_over_all_reduce", per_step["ring"][0] / per_step["mean"][0], 1))
    records.append(record("one peer, 10000 numbers", "messages_over_ring", per_step["one peer"][0] / per_step["ring"][0], 1))
    return records


def staleness():
    return [one for count in (4, 8) for one in records_of(mpirun(count, program("exchange_staleness")))]


def slow_link():
    records = []
    with two_machines.TwoMachines(megabits=20) as machines:
        for width, rate, numbers in ((120, 0.02, 13050), (400, 0.01, 42450)):
            network = ["--width", str(width), "--rate", str(rate), "--loss", "0.1"]
            epochs = run(mpirun(1, program("exchange_slow_link"), *network)).split()
            found = records_of([*machines.mpirun, "-x", "OPENBLAS_NUM_THREADS", "-x", "OMP_NUM_THREADS", "-wdir", root,
                                program("exchange_slow_link"), *network, "--epochs", " ".join(epochs)])
            records += [dict(one, case=f"{one['case']}, {numbers} numbers") for one in found]
    return records


def find_pytorch(may_install):
    """(a Python with torch, its version, why it has no Decent-DP or None), or (None, why not, None)."""
    python, version = networks.find_pytorch(may_install)
    if not python:
        return None, version, None
    if may_install and python.startswith(networks.own_environment):
        install.pip_install(networks.own_environment, "decent-dp", "numpy")
    ok, text = install.run([python, "-c", "import decent_dp.ddp"], 300)
    return python, version, None if ok else install.last_line(text)


def in_pytorch(python, method, file):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [python, os.path.join(root, "benchmarks", "exchange", "in_pytorch.py"), method, file, *map(str, (ROWS, COLUMNS, BATCH, EPOCHS))]
    ranks = [subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=dict(environment, RANK=str(rank), WORLD_SIZE="4", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port),
                                       GLOO_SOCKET_IFNAME="lo", CUDA_VISIBLE_DEVICES=""))
             for rank in range(4)]
    try:
        said = [rank.communicate(timeout=900) for rank in ranks]
    finally:
        for rank in ranks:
            rank.kill()
    if any(rank.returncode for rank in ranks):
        raise RuntimeError(f"{method} failed: {said[0][1][-1500:]}")
    return json.loads(said[0][0].strip().splitlines()[-1])


def logistic(options):
    python, version, without_decent_dp = find_pytorch(options.install)
    methods = [("ddp", "PyTorch DDP", "one copy")]
    if not python:
        print(f"without PyTorch: {version}", flush=True)
        methods = []
    elif without_decent_dp:
        print(f"without Decent-DP: {without_decent_dp}", flush=True)
    else:
        methods.append(("one-peer-exp", "Decent-DP", "gossip"))
    ours, theirs = [], {method: [] for method, _, _ in methods}
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "problem")
        run([program("exchange_logistic"), "--write", file])
        for _ in range(options.pairs):
            ours.append({(r["case"], r["metric"]): r["value"] for r in records_of(mpirun(4, program("exchange_logistic"), "--epochs", str(EPOCHS)))})
            for method, _, _ in methods:
                theirs[method].append(in_pytorch(python, method, file))
    records = [record(f"logistic, {case}", metric, statistics.median(one[case, metric] for one in ours)) for case, metric in ours[0]]
    for method, name, case in methods:
        for metric, key in (("microseconds_per_step", "microseconds"), ("objective", "objective")):
            records.append(record(f"logistic, {name}", metric, statistics.median(one[key] for one in theirs[method])))
        ratios = [a[case, "microseconds_per_step"] / b["microseconds"] for a, b in zip(ours, theirs[method])]
        records.append(record(f"logistic, {case} beside {name}", "over_peer", statistics.median(ratios), 0.5))
    return records


PARTS = {  # name: (what runs it, its target)
    "counts": (counts, "benchmark_exchange"), "scaling": (scaling, "benchmark_exchange_scaling"),
    "prediction": (prediction, "benchmark_exchange_prediction"), "meeting": (meeting, "benchmark_exchange_meeting"),
    "staleness": (staleness, "benchmark_exchange_staleness"), "slow_link": (slow_link, "benchmark_exchange_slow_link"),
    "logistic": (logistic, "benchmark_exchange_logistic"),
}


def why_not(part):
    """Why a part cannot be run here, or None."""
    if part in ("meeting", "staleness", "slow_link", "logistic") and not shutil.which("mpirun"):
        return "there is no mpirun"
    return two_machines.why_not() if part == "slow_link" else None


def main():
    parser = argparse.ArgumentParser(prog="benchmarks/exchange.py", description="What it costs when copies of the weights meet.")
    parser.add_argument("--output", help="where the records go (JSON)")
    parser.add_argument("--only", default=",".join(PARTS), help=f"some of {','.join(PARTS)}")
    parser.add_argument("--pairs", type=int, default=3, help="alternating runs beside other libraries")
    parser.add_argument("--install", action="store_true", help="brings PyTorch and Decent-DP from PyPI")
    options = parser.parse_args()
    records, failed = [], False
    for part in options.only.split(","):
        if part not in PARTS:
            parser.error(f"no part {part} (there are: {', '.join(PARTS)})")
        why = why_not(part)
        if why:
            print(f"{part} is left out: {why}", flush=True)
            continue
        work, target = PARTS[part]
        if not peers.build(target):
            print(f"{part} cannot be built", file=sys.stderr, flush=True)
            failed = True
            continue
        print(f"{part} (load {os.getloadavg()[0]:.1f})", flush=True)
        try:
            found = work(options) if part == "logistic" else work()
        except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
            print(f"{part} failed: {error}", file=sys.stderr, flush=True)
            failed = True
            continue
        for r in found:
            goal = "" if r["goal"] is None else f"  (goal {'at least ' if r.get('at_least') else ''}{r['goal']:.3g})"
            print(f"  {r['case']:<34} {r['metric']:<26} {r['value']:10.4g}{goal}", flush=True)
        records += found
    if options.output:
        with open(options.output, "w", encoding="utf-8") as file:
            json.dump(records, file, indent=1)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
