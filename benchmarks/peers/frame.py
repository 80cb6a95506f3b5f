# SPDX-License-Identifier: BSL-1.0
"""Runs the cases: writes the arrays, lets gamut and the others fit them in turn, judges, prints, writes the records and the picture."""
import argparse
import importlib
import json
import os
import re
import select
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import traceback

import numpy as np

import install
import table

here = os.path.dirname(os.path.abspath(__file__))
out = os.path.join(install.root, "out", "peers")
MODULES = ["best_subset", "convex", "support_vectors", "softmax"]


class Gone(Exception):
    """A worker that ended, or took too long and was ended."""


class Worker:
    """A process that answers lines with lines of JSON."""

    def __init__(self, command, environment):
        self.log = open(os.path.join(out, "workers.log"), "a", encoding="utf-8")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, env=environment,
                                        start_new_session=True)  # an interrupt is for the frame, which ends them
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
        try:
            answer = json.loads(line)
        except ValueError:
            raise Gone(f"answered {line[:100]!r}") from None
        if "error" in answer:
            raise Gone(answer["error"])
        return answer

    def close(self, kill=False):
        if kill:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)  # what it started, too
            except OSError:
                self.process.kill()
        try:
            self.process.stdin.close()
        except OSError:
            pass  # it has ended already
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            return self.close(kill=True)
        self.log.close()


def environment(threads, blas_threads):
    values = dict(os.environ)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
        values[name] = str(threads)
    values["OPENBLAS_NUM_THREADS"] = str(blas_threads)
    values["OMP_WAIT_POLICY"] = "passive"  # threads that spin while they wait take the cores from those that work, if others use them too
    values["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'} intra_op_parallelism_threads={threads}"
    values["PYTHONDONTWRITEBYTECODE"] = "1"
    values["PYTHONWARNINGS"] = "ignore"
    return values


class Frame:
    def __init__(self, options, installed):
        self.options, self.installed = options, installed
        self.workers = {}  # (module, library): Worker, kept while the group stays the same
        self.running = []  # all workers of now
        self.together = None
        self.arrays = tempfile.mkdtemp(prefix="arrays-", dir=out)

    def close_workers(self, kill=False):
        for worker in self.running:
            if worker.process.poll() is None or kill:
                worker.close(kill)
        self.workers, self.running = {}, []

    def path(self, name):
        return os.path.join(self.arrays, name)

    def write(self, data, options):
        X = data["X"]
        entries = X.nnz if hasattr(X, "indptr") else 0
        if entries:
            X.data.astype(float).tofile(self.path("X.bin"))
            X.indices.astype(np.int32).tofile(self.path("indices.bin"))
            X.indptr.astype(np.int64).tofile(self.path("offsets.bin"))
        else:
            np.ascontiguousarray(X, dtype=float).tofile(self.path("X.bin"))
        np.asarray(data["y"], dtype=float).tofile(self.path("y.bin"))
        options = {**options, "rows": X.shape[0], "columns": X.shape[1], "entries": entries}
        with open(self.path("options.json"), "w", encoding="utf-8") as file:
            json.dump(options, file)
        return options

    def start(self, module, case, name, shape):
        threads = self.options.threads
        if name == "gamut":
            command = [os.path.join(install.root, "build", "bench", "benchmarks", "gamut_peer"), "--arrays", self.arrays,
                       "--rows", str(shape["rows"]), "--columns", str(shape["columns"]), "--entries", str(shape["entries"]),
                       "--threads", str(threads), "--wait", "1", "--weights", self.path("gamut.bin")]
            if self.options.solver and "--penalty" not in case.gamut:
                command += ["--solver", self.options.solver]  # the first one counts
            worker = Worker(command + list(case.gamut), environment(threads, 1))
            self.running.append(worker)
            return worker
        key = (module.__name__, name)
        if key not in self.workers or self.workers[key].process.poll() is not None:
            python = self.installed["found"].get(name, {}).get("python", sys.executable)
            command = [python, os.path.join(here, "worker.py"), module.__name__, name, str(threads)]
            self.workers[key] = Worker(command, environment(threads, threads))
            self.running.append(self.workers[key])
        self.workers[key].ask(f"load {self.arrays}", max(case.seconds, 300))
        return self.workers[key]

    def run(self, module, case):
        together = case.group or case.keep
        if not together or together != self.together:
            self.close_workers()
        self.together = together
        data = case.make()
        options = case.options = {**case.options, **data.get("options", {}), "case": case.name, "arrays": self.arrays}
        case.gamut = case.gamut + data.get("gamut", [])
        shape = self.write(data, options)
        own = getattr(module, "OWN", ())  # what needs no installing
        asked = [n for n in case.libraries if self.options.full or n not in case.slow]
        names = ["gamut"] * bool(case.gamut) + [n for n in asked if n in self.installed["found"] or n in own]
        results, running = {name: {"seconds": [], "processor_seconds": []} for name in names}, {}
        for name in names:
            try:
                running[name] = self.start(module, case, name, shape)
                if name in getattr(module, "WARM_UP", ()):
                    running[name].ask(f"fit {self.path(name + '.bin')}", case.seconds)
            except Gone as gone:
                results[name]["error"] = str(gone)
        repeats = min(case.repeats, self.options.repeats or case.repeats)
        for _ in range(repeats):
            for name, worker in running.items():
                result = results[name]
                if "error" in result or (sum(result["seconds"]) > case.enough and not self.options.full):
                    continue
                try:
                    answer = worker.ask(f"fit {self.path(name + '.bin')}", case.seconds)
                except Gone as gone:
                    result["error"] = str(gone)
                    continue
                result["seconds"].append(answer.pop("seconds"))
                result["processor_seconds"].append(answer.pop("processor_seconds"))
                result.update(memory=answer.pop("memory"), **{k if k in ("trace", "status", "iterations", "passes", "tolerance") else f"own_{k}": v
                                                              for k, v in answer.items()})
        if "gamut" in running:
            running["gamut"].close()
            self.running.remove(running["gamut"])
        p = shape["columns"]
        for name, result in results.items():
            if "error" in result or not result["seconds"]:
                continue
            raw = np.fromfile(self.path(name + ".bin"))
            outputs = len(raw) // p
            try:
                result.update(module.judge(data, raw[: p * outputs], raw[p * outputs:], options))
            except Exception as error:  # what a library returned can be anything
                result["error"] = f"cannot be judged: {type(error).__name__}: {error}"
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


SHOWN = (("objective", "{:.8g}"), ("gap", "{:.1e}"), ("loss_as_returned", "{:.5f}"), ("support_f1", "{:.3f}"), ("test_accuracy", "{:.3f}"),
         ("status", "{}"), ("error", "{}"))


def print_results(results):
    for name, r in results.items():
        if not r.get("seconds"):
            print(f"  {name:<9} {r.get('error', 'no time left')}", flush=True)
            continue
        line = f"  {name:<9} {statistics.median(r['seconds']):9.4f} s  {statistics.median(r['processor_seconds']):9.4f} s of processors"
        if "memory" in r:
            line += f"  {r['memory'] / 1e6:8.1f} MB"
        print(line + "".join(f"  {key} {form.format(r[key])}" for key, form in SHOWN if key in r), flush=True)


def picture(everything, records, path):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    named, names = {}, []
    for case, results in everything:
        if case.group or len(results) < 2 or not results.get("gamut", {}).get("seconds"):
            continue
        names.append(case.name)
        for name, r in results.items():
            if r.get("seconds") and "error" not in r:
                named.setdefault(name, {})[case.name] = statistics.median(r["seconds"])
    gaps = [r for r in records if r["metric"].startswith("gap_to_best_known")]
    figure, axes = plt.subplots(1, 2 if gaps else 1, figsize=(17 if gaps else 10, 1.8 + 0.32 * max(len(names), 8)), squeeze=False,
                                gridspec_kw={"width_ratios": [3, 2]} if gaps else {})
    left = axes[0][0]
    marks = "sDv^<>PX*hpd"
    for i, name in enumerate(sorted(named, key=lambda n: (n != "gamut", n))):
        points = [(named[name][c], i) for i, c in enumerate(names) if c in named[name]]
        left.plot([x for x, _ in points], [y for _, y in points], "o" if name == "gamut" else marks[i % len(marks)], label=name, linestyle="",
                  color="black" if name == "gamut" else f"C{(i - 1) % 10}", markersize=9 if name == "gamut" else 6, alpha=1 if name == "gamut" else .8,
                  zorder=3 if name == "gamut" else 2)
    left.set_yticks(range(len(names)), names, fontsize=8)
    left.set_ylim(len(names) - 0.4, -0.6)
    left.set_xscale("log")
    left.set_xlabel("seconds of a fit (median)")
    left.grid(alpha=0.3)
    left.set_title("time on the same arrays")
    if names:
        left.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8)
    if gaps:
        right = axes[0][1]
        rows = list(dict.fromkeys(r["case"] for r in gaps))
        for i, name in enumerate(dict.fromkeys(r["metric"] for r in gaps)):
            points = [(max(100 * r["value"], 1e-4), rows.index(r["case"])) for r in gaps if r["metric"] == name]
            label = name.removeprefix("gap_to_best_known").strip("_") or "gamut"
            right.plot([x for x, _ in points], [y for _, y in points], "o" if label == "gamut" else marks[i], label=label, linestyle="",
                       color="black" if label == "gamut" else f"C{i - 1}", markersize=9 if label == "gamut" else 7)
        for r in gaps:
            if r.get("goal"):
                right.plot([100 * r["goal"]], [rows.index(r["case"])], "|", color="red", markersize=22)
        right.plot([], [], "|", color="red", label="goal of gamut", markersize=14)
        right.set_yticks(range(len(rows)), rows, fontsize=8)
        right.set_ylim(len(rows) - 0.5, -0.5)
        right.set_xscale("log")
        right.set_xlabel("objective beyond the best known, % (1e-4: that or less)")
        right.grid(alpha=0.3)
        right.set_title("hard instances: mean over seeds")
        right.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def write_json(path, what):
    with open(path + ".part", "w", encoding="utf-8") as file:
        json.dump(what, file, indent=1)
        file.write("\n")
    os.replace(path + ".part", path)  # whole, or not at all


def markdown():
    with open(os.path.join(out, "results.json"), encoding="utf-8") as file:
        found = json.load(file)
    print(table.markdown(found["machine"], found["libraries"], found["records"], found["cases"]))


class Collection:
    """What has been measured so far, written after every case."""

    def __init__(self, modules, facts, installed, output):
        self.modules, self.facts, self.installed, self.output = modules, facts, installed, output
        self.everything = {module.__name__: [] for module in modules}
        self.records = []

    def add(self, module, case, results):
        self.everything[module.__name__].append((case, results))
        new = module.records(case, results, table.ratio)
        ours = results.get("gamut", {})
        for name, r in results.items():
            if name != "gamut" and ours.get("seconds") and r.get("seconds") and "objective" in r and not case.group:
                new.append({"case": case.name, "metric": f"processor_time_over_{name}", "goal": None,
                            "value": table.ratio(ours, r, "processor_seconds")})
        self.records += new
        return new

    def all_records(self):
        records = list(self.records)
        for module in self.modules:
            if hasattr(module, "summary"):
                records += module.summary(self.everything[module.__name__], table.ratio)
        return records

    def pairs(self):
        return [pair for module in self.modules for pair in self.everything[module.__name__]]

    def write(self, finished, seconds):
        records = self.all_records()
        write_json(os.path.join(out, "results.json"), {
            "machine": self.facts, "finished": finished, "seconds": round(seconds, 1), "libraries": self.installed, "records": records,
            "cases": [{"case": case.name, "group": case.group, "options": case.options, "results": results} for case, results in self.pairs()]})
        if self.output:
            write_json(self.output, records)
        return records


def main():
    parser = argparse.ArgumentParser(prog="benchmarks/peers.py", description="gamut beside other libraries, on the same arrays.")
    parser.add_argument("--output", help="where the records go (JSON); out/peers has more")
    parser.add_argument("--only", default="", help="a regular expression: only the cases whose name it is found in")
    parser.add_argument("--full", action="store_true", help="all cases, and as many runs of slow libraries as of quick ones")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--repeats", type=int, default=0, help="at most so many alternating runs (0: as each case says)")
    parser.add_argument("--solver", default="", help="gamut_peer's solver for penalty::l0 (as each case says, if none is named)")
    parser.add_argument("--list", action="store_true", help="only names the cases")
    parser.add_argument("--markdown", action="store_true", help="only prints the last results as a table")
    parser.add_argument("--install", action="store_true", help="tries again to install what is missing")
    options = parser.parse_args()
    if options.markdown:
        return markdown()

    started = time.monotonic()
    os.makedirs(out, exist_ok=True)
    open(os.path.join(out, "workers.log"), "w", encoding="utf-8").close()
    modules = [importlib.import_module(name) for name in MODULES]
    cases = [(module, case) for module in modules for case in module.cases() if re.search(options.only, case.name)]
    if options.list:
        print("\n".join(case.name + (" (--full)" if case.full else "") for _, case in cases))
        return 0
    cases = [(module, case) for module, case in cases if options.full or not case.full]
    installed = install.install()
    facts = describe_machine(options)
    for name, value in facts.items():
        print(f"{name}: {value}")
    print("libraries: " + ", ".join(f"{name} {what['version']}" for name, what in installed["found"].items()))
    for name, why in installed["missing"].items():
        print(f"  without {name}: {why}")

    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # an interrupt, too, keeps what there is
    frame, collection, group, interrupted = Frame(options, installed), Collection(modules, facts, installed, options.output), "", False
    try:
        for number, (module, case) in enumerate(cases, 1):
            if not case.group or case.group != group:
                print(f"\n[{time.monotonic() - started:4.0f} s, {number} of {len(cases)}] {case.group or case.name}", flush=True)
            group = case.group
            try:
                data, results = frame.run(module, case)
                if hasattr(module, "after"):
                    module.after(case, data, results)
                del data
                new = collection.add(module, case, results)
            except Exception:  # a case that cannot be made or written must not end the others
                print(f"  {case.name} failed:\n" + traceback.format_exc(), flush=True)
                frame.close_workers(kill=True)
                continue
            if case.group:
                print(".", end="", flush=True)
            else:
                print_results(results)
                for r in new:
                    if r["goal"] is not None:
                        print(f"    {r['metric']} {table.number(r['value'])} ({table.goal_text(r)}) {table.mark(r)}", flush=True)
            if not case.group or number % 5 == 0:
                collection.write(False, time.monotonic() - started)
    except KeyboardInterrupt:
        interrupted = True
        print("\ninterrupted: what was measured so far is written", flush=True)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        frame.close_workers(kill=interrupted)
        shutil.rmtree(frame.arrays, ignore_errors=True)
    seconds = time.monotonic() - started
    records = collection.write(not interrupted, seconds)
    if not options.output:
        print()
        for r in records:
            goal = f"  ({table.goal_text(r)}) {table.mark(r)}" if r["goal"] is not None else ""
            print(f"{r['case']:<44} {r['metric']:<34} {r['value']:12.6g}{goal}")
    picture(collection.pairs(), records, os.path.join(out, "peers.png"))
    print(f"\n{seconds:.0f} s; all of it: {os.path.relpath(out, install.root)}/results.json, the picture: {os.path.relpath(out, install.root)}/peers.png, "
          "as a table: benchmarks/peers.py --markdown")
    return 130 if interrupted else 0


if __name__ == "__main__":
    sys.exit(main())
