# SPDX-License-Identifier: BSL-1.0
"""Puts the questions to gamut and to the others in turn, judges, prints, and writes the records."""
import argparse
import json
import os
import re
import statistics
import sys
import tempfile

import numpy as np

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [here, os.path.join(here, "..", "peers")]

import fits  # noqa: E402
import frame  # noqa: E402
import install  # noqa: E402
import table  # noqa: E402
from questions import questions  # noqa: E402

frame.out = out = os.path.join(install.root, "out", "learn")


def write_arrays(folder, data, options):
    X = data["X"]
    entries = X.nnz if hasattr(X, "indptr") else 0
    if entries:
        X.data.astype(float).tofile(os.path.join(folder, "X.bin"))
        X.indices.astype(np.int32).tofile(os.path.join(folder, "indices.bin"))
        X.indptr.astype(np.int64).tofile(os.path.join(folder, "offsets.bin"))
    else:
        np.ascontiguousarray(X, dtype=float).tofile(os.path.join(folder, "X.bin"))
    np.asarray(data["y"], dtype=float).tofile(os.path.join(folder, "y.bin"))
    tests = data.get("X_test", np.zeros((0, X.shape[1])))
    np.ascontiguousarray(tests, dtype=float).tofile(os.path.join(folder, "T.bin"))
    np.asarray(data.get("y_test", []), dtype=float).tofile(os.path.join(folder, "Ty.bin"))
    shape = {"rows": X.shape[0], "columns": X.shape[1], "entries": entries, "test_rows": len(tests)}
    with open(os.path.join(folder, "options.json"), "w", encoding="utf-8") as file:
        json.dump({**options, **shape, "arrays": folder}, file)
    return shape


def start(name, question, folder, shape, installed, threads):
    if name == "gamut":
        command = [os.path.join(install.root, "build", "bench", "benchmarks", "gamut_learner"), "--arrays", folder, "--threads", str(threads)]
        for key, value in shape.items():
            command += [f"--{key}", str(value)]
        return frame.Worker(command + question.gamut, frame.environment(threads, 1))
    values = frame.environment(threads, threads)
    values["PYTHONPATH"] = here
    python = installed["found"][fits.INSTALLED_AS.get(name, name)]["python"]
    worker = frame.Worker([python, os.path.join(here, "..", "peers", "worker.py"), "fits", name, str(threads)], values)
    worker.ask(f"load {folder}", 300)
    return worker


def measure(question, data, folder, installed, options):
    """{library: {"seconds": [...], "objective": [...], ...}} of runs made in turn; the first, which reads programs and pages, is not counted."""
    shape = write_arrays(folder, data, question.options)
    asked = [n for n in question.libraries if fits.INSTALLED_AS.get(n, n) in installed["found"]]
    results, workers = {}, {}
    for name in ["gamut", *asked]:
        results[name] = {}
        try:
            workers[name] = start(name, question, folder, shape, installed, options.threads)
            workers[name].ask(f"fit {os.path.join(folder, name)}.bin", 300)
        except frame.Gone as gone:
            results[name]["error"] = str(gone)
    for _ in range(options.repeats or question.repeats):
        for name, worker in workers.items():
            r = results[name]
            if "error" in r or sum(r.get("seconds", [])) > options.enough:
                continue
            path = f"{os.path.join(folder, name)}.bin"
            try:
                answer = worker.ask(f"fit {path}", 300)
            except frame.Gone as gone:
                r["error"] = str(gone)
                continue
            answer["own_objective"] = answer.pop("objective", None)
            if question.judge:
                answer["objective"] = question.judge(data, np.fromfile(path), question.options)
            for key, value in answer.items():
                r.setdefault(key, []).append(value)
    for worker in workers.values():
        worker.close()
    return results


def paired(question, ours, theirs, key):
    """Median of paired ratios. `until`: of gamut's time until its objective is as low as the other's (of all its time, if it never is)."""
    if not question.until or key != "seconds":
        return table.ratio(ours, theirs, key)
    times = []
    for trace, wanted, seconds in zip(ours["trace"], theirs["objective"], ours["seconds"]):
        reached = table.time_to(trace, wanted * (1 + 1e-9))
        times.append(seconds if reached is None else reached)
    return table.ratio({"seconds": times}, theirs)


def records_of(question, results):
    ours = results["gamut"]
    others = {name: r for name, r in results.items() if name != "gamut" and "error" not in r and r.get("seconds")}
    new = []

    def add(metric, value, goal=None, **more):
        new.append({"case": question.name, "metric": metric, "value": value, "goal": goal, **more})

    if "error" in ours:
        return []
    for found in question.alone(ours) if question.alone else []:
        add(*found)
    add("memory_mib", statistics.median(ours["memory"]) / 2**20)
    if not others:
        return new
    over = {name: paired(question, ours, r, question.time) for name, r in others.items()}
    worst = max(over, key=over.get)
    add("over_peer", over[worst], question.goal)
    for name, value in over.items():
        if len(over) > 1:
            add(f"over_{name}", value)
    if question.tokens:  # as many sweeps over as many words
        add("tokens_per_second_over_peer", 1 / max(table.ratio(ours, r) for r in others.values()), 2, at_least=True)
    if question.until:
        add("whole_fit_over_peer", max(table.ratio(ours, r) for r in others.values()))
    add("processor_over_peer", max(table.ratio(ours, r, "processor_seconds") for r in others.values()))
    if question.predict_goal:
        add("predict_over_peer", max(table.ratio(ours, r, "predict_seconds") for r in others.values()), question.predict_goal)
    if "predict_processor_seconds" in ours:
        add("predict_processor_over_peer", max(table.ratio(ours, r, "predict_processor_seconds") for r in others.values()))
    if question.judge:
        best = min(others, key=lambda name: statistics.mean(others[name]["objective"]))
        a, b = statistics.mean(ours["objective"]), statistics.mean(others[best]["objective"])
        if question.errors:
            add("error_minus_peer", a - b, question.objective_goal)
        else:
            add("objective_minus_peer_relative", (a - b) / b, question.objective_goal)
    add("memory_over_peer", statistics.median(ours["memory"]) / max(1, min(statistics.median(r["memory"]) for r in others.values())))
    return new


def main():
    parser = argparse.ArgumentParser(prog="benchmarks/learn.py", description="gamut's learners beside other libraries', on the same arrays.")
    parser.add_argument("--output", help="where the records go (JSON); out/learn/results.json has more")
    parser.add_argument("--only", default="", help="a regular expression: only the questions whose name it is found in")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--repeats", type=int, default=0, help="so many counted runs (0: as each question says)")
    parser.add_argument("--enough", type=float, default=20, help="no more runs of a library that has used so many seconds in a question")
    parser.add_argument("--list", action="store_true", help="only names the questions")
    parser.add_argument("--markdown", action="store_true", help="only prints the last results as a table")
    parser.add_argument("--install", action="store_true", help="tries again to install what is missing")
    options = parser.parse_args()
    if options.markdown:
        with open(os.path.join(out, "results.json"), encoding="utf-8") as file:
            found = json.load(file)
        print(table.markdown(found["machine"], found["libraries"], found["records"], found["cases"]))
        return 0
    asked = [q for q in questions() if re.search(options.only, q.name)]
    if options.list:
        print("\n".join(q.name for q in asked))
        return 0

    os.makedirs(out, exist_ok=True)
    installed = install.install(False, install.LEARNERS, install.found_learners_file)
    facts, cases, records = frame.describe_machine(options), [], []
    for name, value in facts.items():
        print(f"{name}: {value}")
    print("libraries: " + ", ".join(f"{name} {what['version']}" for name, what in installed["found"].items()))
    for name, why in installed["missing"].items():
        print(f"  without {name}: {why}")
    for question in asked:
        data = question.make()
        if data is None:
            print(f"\n{question.name}: left out (GAMUT_DATA_DIR names no folder with its data)", flush=True)
            continue
        print(f"\n{question.name} (load {os.getloadavg()[0]:.1f})", flush=True)
        with tempfile.TemporaryDirectory(prefix="arrays-", dir=out) as folder:
            results = measure(question, data, folder, installed, options)
        for name, r in results.items():
            if "error" in r:
                print(f"  {name:<20} {r['error']}")
                continue
            shown = {key: f"{statistics.median(r[key]):.4g}" for key in ("seconds", "processor_seconds", "predict_seconds", "memory") if key in r}
            if "objective" in r:
                shown["objective"] = f"{statistics.mean(r['objective']):.8g}"
            print(f"  {name:<20} " + "  ".join(f"{key} {value}" for key, value in shown.items()), flush=True)
        new = records_of(question, results)
        records += new
        for r in new:
            print(f"    {r['metric']} {table.number(r['value'])}  {table.goal_text(r)} {table.mark(r)}".rstrip(), flush=True)
        cases.append({"case": question.name, "results": results})
        for path, content in ((options.output, records), (os.path.join(out, "results.json"), {
                "machine": facts, "libraries": installed, "records": records, "cases": cases})):
            if path:
                with open(path, "w", encoding="utf-8") as file:
                    json.dump(content, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
