# SPDX-License-Identifier: BSL-1.0
"""Runs the cases: writes the arrays, lets gamut and the others fit them in turn, judges, prints, writes the records and the picture."""
import argparse
import importlib
import json
import os
import re
import select
import shutil
import statistics
import subprocess
import sys
import time

import numpy as np

import install

here = os.path.dirname(os.path.abspath(__file__))
out = os.path.join(install.root, "out", "peers")
MODULES = ["best_subset", "softmax", "convex"]  # those that have cases


def has_cases(name):
    path = os.path.join(here, name + ".py")
    if not os.path.exists(path):
        return False
    with open(path, encoding="utf-8") as file:  # read, not imported: a program of its own may set up a process as it needs it
        return re.search(r"^def cases\(", file.read(), re.MULTILINE) is not None


class Gone(Exception):
    """A worker that ended, or took too long and was ended."""


class Worker:
    """A process that answers lines with lines of JSON."""

    def __init__(self, command, environment):
        self.log = open(os.path.join(out, "workers.log"), "a", encoding="utf-8")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, env=environment)
        self.rest = b""

    def ask(self, text, seconds):
        try:
            self.process.stdin.write(text.encode() + b"\n")
            self.process.stdin.flush()
        except OSError:
            raise Gone("ended") from None
        end = time.monotonic() + seconds
        while b"\n" not in self.rest:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            if not ready:
                self.close(kill=True)
                raise Gone(f"given up after {seconds:.0f} s")
            piece = os.read(self.process.stdout.fileno(), 1 << 20)
            if not piece:
                raise Gone(f"ended with {self.process.wait()}, see out/peers/workers.log")
            self.rest += piece
        line, _, self.rest = self.rest.partition(b"\n")
        answer = json.loads(line)
        if "error" in answer:
            raise Gone(answer["error"])
        return answer

    def close(self, kill=False):
        if kill:
            self.process.kill()
        self.process.stdin.close()
        self.process.wait()
        self.log.close()


def environment(threads, blas_threads):
    values = dict(os.environ)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
        values[name] = str(threads)
    values["OPENBLAS_NUM_THREADS"] = str(blas_threads)
    values["OMP_WAIT_POLICY"] = "passive"  # threads that spin while they wait take the cores from those that work, if others use them too
    values["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'} intra_op_parallelism_threads={threads}"
    values["PYTHONDONTWRITEBYTECODE"] = "1"
    return values


def ratio(ours, theirs, key="seconds"):
    """Median of the ratios of runs that were made one after the other."""
    return statistics.median(a / max(b, 1e-9) for a, b in zip(ours[key], theirs[key]))


class Frame:
    def __init__(self, options, installed):
        self.options, self.installed = options, installed
        self.workers = {}  # (module, library): Worker, kept while the group stays the same
        self.group = None
        self.arrays = os.path.join(out, "arrays")
        os.makedirs(self.arrays, exist_ok=True)

    def close_workers(self):
        for worker in self.workers.values():
            if worker.process.poll() is None:
                worker.close()
        self.workers = {}

    def write(self, data, options):
        X = np.ascontiguousarray(data["X"], dtype=float)
        X.tofile(os.path.join(self.arrays, "X.bin"))
        np.asarray(data["y"], dtype=float).tofile(os.path.join(self.arrays, "y.bin"))
        with open(os.path.join(self.arrays, "options.json"), "w", encoding="utf-8") as file:
            json.dump({**options, "rows": X.shape[0], "columns": X.shape[1]}, file)

    def start(self, module, case, name, shape):
        threads = self.options.threads
        if name == "gamut":
            command = [os.path.join(install.root, "build", "bench", "benchmarks", "gamut_peer"), "--x", os.path.join(self.arrays, "X.bin"),
                       "--y", os.path.join(self.arrays, "y.bin"), "--rows", str(shape[0]), "--columns", str(shape[1]), *case.gamut,
                       "--threads", str(threads), "--wait", "1", "--weights", os.path.join(self.arrays, "gamut.bin")]
            if self.options.solver:
                command += ["--solver", self.options.solver]
            return Worker(command, environment(threads, 1))
        key = (module.__name__, name)
        if key not in self.workers or self.workers[key].process.poll() is not None:
            python = self.installed["found"].get(name, {}).get("python", sys.executable)
            command = [python, os.path.join(here, "worker.py"), module.__name__, name, str(threads)]
            self.workers[key] = Worker(command, environment(threads, threads))
        self.workers[key].ask(f"load {self.arrays}", case.seconds)
        return self.workers[key]

    def run(self, module, case):
        if not case.group or case.group != self.group:
            self.close_workers()
        self.group = case.group
        data = case.make()
        self.write(data, case.options)
        own = getattr(module, "OWN", {"psfit"})  # what needs no installing
        names = ["gamut"] * bool(case.gamut) + [n for n in case.libraries if n in self.installed["found"] or n in own]
        results, running = {name: {"seconds": [], "processor_seconds": []} for name in names}, {}
        for name in names:
            try:
                running[name] = self.start(module, case, name, data["X"].shape)
                if name in getattr(module, "WARM_UP", ()):
                    running[name].ask(f"fit {os.path.join(self.arrays, name + '.bin')}", case.seconds)
            except Gone as gone:
                results[name]["error"] = str(gone)
        repeats = min(case.repeats, self.options.repeats or case.repeats)
        for _ in range(repeats):
            for name, worker in running.items():
                if "error" in results[name]:
                    continue
                try:
                    answer = worker.ask(f"fit {os.path.join(self.arrays, name + '.bin')}", case.seconds)
                except Gone as gone:
                    results[name]["error"] = str(gone)
                    continue
                results[name]["seconds"].append(answer.pop("seconds"))
                results[name]["processor_seconds"].append(answer.pop("processor_seconds"))
                answer.pop("support", None)  # judged from the weights
                results[name].update(memory=answer.pop("memory"), **{k if k in ("trace", "status", "iterations", "passes") else f"own_{k}": v
                                                                     for k, v in answer.items()})
        if "gamut" in running:
            running["gamut"].close()
        p = data["X"].shape[1]
        for name, result in results.items():
            if "error" in result:
                continue
            raw = np.fromfile(os.path.join(self.arrays, name + ".bin"))
            outputs = len(raw) // p
            result.update(module.judge(data, raw[: p * outputs], raw[p * outputs:], case.options))
        return data, results


def describe_machine(options):
    from threadpoolctl import threadpool_info

    blas = [f"{i['internal_api']} {i['version']} {i.get('architecture', '')}" for i in threadpool_info() if i["user_api"] == "blas"]
    model = ""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "")
    facts = {"processor": model, "cores": os.cpu_count(), "threads": options.threads, "precision": "float64", "numpy's BLAS": ", ".join(blas),
             "load at the start": round(os.getloadavg()[0], 1)}
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        facts[name] = os.environ.get(name, "not set")
    facts["set for each library"] = f"OMP/MKL/NUMBA/OPENBLAS_NUM_THREADS={options.threads} (gamut: OPENBLAS_NUM_THREADS=1, it has its own threads), OMP_WAIT_POLICY=passive"
    return facts


def print_results(case, results):
    print(f"\n{case.name}", flush=True)
    for name, r in results.items():
        if "error" in r and not r.get("seconds"):
            print(f"  {name:<9} {r['error']}")
            continue
        line = f"  {name:<9} {statistics.median(r['seconds']):9.3f} s  {statistics.median(r['processor_seconds']):9.3f} s of processors"
        if "memory" in r:
            line += f"  {r['memory'] / 1e6:8.1f} MB"
        for key, form in (("objective", "{:.8f}"), ("loss", "{:.5f}"), ("support_f1", "{:.3f}"), ("test_accuracy", "{:.3f}"), ("error", "{}")):
            if key in r:
                line += f"  {key} " + form.format(r[key])
        if "support" in r:
            line += f"  size {len(r['support'])}"
        print(line, flush=True)


def picture(everything, records, path):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    named = {}
    for case, results in everything:
        if case.group or len(results) < 2:
            continue
        for name, r in results.items():
            if r.get("seconds"):
                named.setdefault(name, {})[case.name] = statistics.median(r["seconds"])
    names = [case.name for case, results in everything if not case.group and len(results) > 1 and results.get("gamut", {}).get("seconds")]
    gaps = [r for r in records if r["metric"].startswith("gap_to_best_known")]
    figure, axes = plt.subplots(1, 2 if gaps else 1, figsize=(15 if gaps else 9, 1.5 + 0.45 * max(len(names), 6)), squeeze=False)
    left = axes[0][0]
    for name in sorted(named, key=lambda n: n != "gamut"):
        points = [(named[name][c], i) for i, c in enumerate(names) if c in named[name]]
        left.plot([x for x, _ in points], [y for _, y in points], "o" if name == "gamut" else "x", label=name, markersize=8)
    left.set_yticks(range(len(names)), names)
    left.invert_yaxis()
    left.set_xscale("log")
    left.set_xlabel("seconds of a fit (median)")
    left.grid(alpha=0.3)
    if names:
        left.legend()
    if gaps:
        right = axes[0][1]
        rows = list(dict.fromkeys(r["case"] for r in gaps))
        for name in dict.fromkeys(r["metric"] for r in gaps):
            points = [(max(100 * r["value"], 1e-3), rows.index(r["case"])) for r in gaps if r["metric"] == name]
            label = name.removeprefix("gap_to_best_known").strip("_") or "gamut"
            right.plot([x for x, _ in points], [y for _, y in points], "o" if label == "gamut" else "x", label=label, markersize=8)
        right.set_yticks(range(len(rows)), rows)
        right.invert_yaxis()
        right.set_xscale("log")
        right.set_xlabel("objective beyond the best known, % (mean over seeds; .001 stands for less)")
        right.grid(alpha=0.3)
        right.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main():
    parser = argparse.ArgumentParser(prog="benchmarks/peers.py", description="gamut beside other libraries, on the same arrays.")
    parser.add_argument("--output", help="where the records go (JSON); out/peers has more")
    parser.add_argument("--only", default="", help="a regular expression: only the cases whose name it is found in")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--repeats", type=int, default=0, help="at most so many alternating runs (0: as each case says)")
    parser.add_argument("--solver", default="", help="gamut_peer's solver (its default, if none is named)")
    parser.add_argument("--list", action="store_true", help="only names the cases")
    parser.add_argument("--install", action="store_true", help="tries again to install what is missing")
    options = parser.parse_args()

    os.makedirs(out, exist_ok=True)
    open(os.path.join(out, "workers.log"), "w", encoding="utf-8").close()
    installed = install.install()
    modules = [importlib.import_module(name) for name in MODULES if has_cases(name)]
    cases = [(module, case) for module in modules for case in module.cases() if re.search(options.only, case.name)]
    if options.list:
        print("\n".join(case.name for _, case in cases))
        return 0
    facts = describe_machine(options)
    for name, value in facts.items():
        print(f"{name}: {value}")
    print("libraries: " + ", ".join(f"{name} {what['version']}" for name, what in installed["found"].items()))
    for name, why in installed["missing"].items():
        print(f"  without {name}: {why}")

    cache_file = os.path.join(out, "best_known.json")
    cache = {}
    if os.path.exists(cache_file):
        with open(cache_file, encoding="utf-8") as file:
            cache = json.load(file)
    frame, everything, records = Frame(options, installed), {module.__name__: [] for module in modules}, []
    try:
        for module, case in cases:
            data, results = frame.run(module, case)
            if hasattr(module, "after"):
                module.after(case, data, results, cache)
                with open(cache_file, "w", encoding="utf-8") as file:
                    json.dump(cache, file, indent=1)
            del data
            if case.group:
                print(".", end="", flush=True)
            else:
                print_results(case, results)
            everything[module.__name__].append((case, results))
            new = module.records(case, results, ratio)
            for name, r in results.items():
                if name != "gamut" and results.get("gamut", {}).get("seconds") and r.get("seconds") and not case.group:
                    new.append({"case": case.name, "metric": f"processor_time_over_{name}", "goal": None,
                                "value": ratio(results["gamut"], r, "processor_seconds")})
            records += new
    finally:
        frame.close_workers()
        shutil.rmtree(frame.arrays, ignore_errors=True)
    for module in modules:
        if hasattr(module, "summary"):
            records += module.summary(everything[module.__name__], ratio)
    flat = [pair for module in modules for pair in everything[module.__name__]]
    with open(os.path.join(out, "results.json"), "w", encoding="utf-8") as file:
        json.dump({"machine": facts, "libraries": installed, "records": records,
                   "cases": [{"case": case.name, "options": case.options, "results": results} for case, results in flat]}, file, indent=1)
    if options.output:
        with open(options.output, "w", encoding="utf-8") as file:
            json.dump(records, file, indent=1)
            file.write("\n")
    else:
        print()
        for r in records:
            goal = "" if r["goal"] is None else f"  (goal {r['goal']:.4g}{'' if r['value'] <= r['goal'] else ', missed'})"
            print(f"{r['case']:<36} {r['metric']:<34} {r['value']:12.6g}{goal}")
    picture(flat, records, os.path.join(out, "peers.png"))
    print(f"\nall of it: {os.path.relpath(out, install.root)}/results.json, the picture: {os.path.relpath(out, install.root)}/peers.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
