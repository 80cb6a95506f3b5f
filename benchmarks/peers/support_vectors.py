# SPDX-License-Identifier: BSL-1.0
"""Support vector machines and logistic regression by their duals: gamut beside liblinear (-s 3, 1, 7), the original and scikit-learn's.
The objective is |w|^2 / 2 + C sum of the losses over all rows, no intercept, columns as they are.

gamut stops at a certified gap of 1e-8. liblinear has no gap, so before it is timed its tolerance is lowered tenfold until the objective,
computed here, is within 1e-8 of the least that any of its tolerances gives (kept in out/peers/tolerances.json). Real rows (LIBSVM's a8a,
some of rcv1) are read from the folder that GAMUT_DATA_DIR names, and left out without it."""
import os
import time

import numpy as np
import scipy.sparse as sp

import convex
import table
from case import Case

WITHIN = 1e-8
LOSSES = ("hinge", "squared_hinge", "logistic")
ITERATIONS = 20000  # of scikit-learn's liblinear; the original sets its own limit


def objective(x, y, w, C, loss):
    margin = y * (x @ w)
    rest = np.maximum(0, 1 - margin)
    losses = {"hinge": rest, "squared_hinge": rest ** 2, "logistic": np.logaddexp(0, -margin)}[loss]
    return float(w @ w / 2 + C * losses.sum())


def libsvm_file(path):
    from sklearn.datasets import load_svmlight_file

    x, y = load_svmlight_file(path)
    x = sp.csr_matrix(x, dtype=float)
    x.sort_indices()
    return {"X": x, "y": np.where(y == y.max(), 1.0, -1.0)}


def vw_file(path):
    """Lines "label |f index:value ..." (Vowpal Wabbit's)."""
    y, offsets, indices, values = [], [0], [], []
    with open(path, encoding="ascii") as file:
        for line in file:
            label, _, entries = line.partition(" |f ")
            pairs = sorted((int(j), float(v)) for j, v in (entry.split(":") for entry in entries.split()))
            y.append(float(label))
            indices += [j for j, _ in pairs]
            values += [v for _, v in pairs]
            offsets.append(len(indices))
    x = sp.csr_matrix((values, np.array(indices, dtype=np.int32), offsets))
    return {"X": x[:, np.unique(x.indices)], "y": np.array(y)}


def words():
    data = convex.sparse(10000, 5000, 0.008, True, seed=1)
    return {"X": data["X"], "y": 2 * data["y"] - 1}


def make(data, loss, C):
    made = data()
    strength = 1 / (len(made["y"]) * C)
    return {**made, "options": {"loss": loss, "C": C}, "gamut": ["--l2", repr(strength)]}


def cases():
    sources = {"sparse 10000x5000": words}
    folder = os.environ.get("GAMUT_DATA_DIR", "")
    for name, file, read in (("a8a", "adult/a8a", libsvm_file), ("rcv1 1000 rows", "rcv1_small/rcv1_small.dat", vw_file)):
        path = os.path.join(folder, file)
        if folder and os.path.isfile(path):
            sources[name] = lambda path=path, read=read: read(path)
    return [Case(name=f"{loss} dual, {name}", make=lambda data=data, loss=loss: make(data, loss, 1.0), libraries=["liblinear", "sklearn"], repeats=7,
                 seconds=60, enough=10, keep="support_vectors",
                 gamut=["--penalty", "l2", "--model", loss, "--intercept", "0", "--standardize", "0", "--tolerance", repr(WITHIN)])
            for name, data in sources.items() for loss in LOSSES]


def with_liblinear(X, y, options):
    from liblinear import liblinearutil

    problem = liblinearutil.problem(y, X, bias=-1)
    kind = {"hinge": 3, "squared_hinge": 1, "logistic": 7}[options["loss"]]

    def fit(tolerance):
        model = liblinearutil.train(problem, f"-s {kind} -c {options['C']!r} -e {tolerance!r} -B -1 -q")
        sign = 1 if model.get_labels()[0] == 1 else -1
        return lambda: sign * np.array(model.w[: X.shape[1]])

    return fit


def with_sklearn(X, y, options):
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import LinearSVC

    def fit(tolerance):
        common = {"C": options["C"], "dual": True, "fit_intercept": False, "tol": tolerance, "max_iter": ITERATIONS, "random_state": 0}
        machine = LogisticRegression(solver="liblinear", **common) if options["loss"] == "logistic" else LinearSVC(loss=options["loss"], **common)
        machine.fit(X, y)
        return lambda: machine.coef_.ravel()

    return fit


def tune(key, fit, value):
    """The largest of 10^-1, 10^-2, ... with an objective within 1e-8 of the least of all; if none but the last has it, that."""
    fit(0.1)
    known = convex.cached_tolerance(key)
    if known is not None:
        return known
    found, used = {}, 0.0
    for k in range(1, 11):
        start = time.perf_counter()
        w = fit(10.0 ** -k)
        used += time.perf_counter() - start
        found[10.0 ** -k] = value(w())
        if used > 15:
            break
    least = min(found.values())
    return convex.cached_tolerance(key, max(t for t, v in found.items() if v <= least * (1 + WITHIN)))


def prepared(name, library):
    def prepare(X, y, options, threads):
        X = sp.csr_matrix(X)
        fit = library(X, y, options)
        tolerance = tune(f"{options['case']}, {name}", fit, lambda w: objective(X, y, w, options["C"], options["loss"]))

        def timed():
            w = fit(tolerance)
            return lambda: (w(), [], {"tolerance": tolerance})

        return timed

    return prepare


FITS = {"liblinear": prepared("liblinear", with_liblinear), "sklearn": prepared("sklearn", with_sklearn)}


def judge(data, coefficients, intercepts, options):
    return {"objective": objective(data["X"], data["y"], np.ravel(coefficients), options["C"], options["loss"])}


def records(case, results, ratio):
    made, ours = [], results.get("gamut", {})
    theirs = {name: r for name, r in results.items() if name != "gamut" and "objective" in r}
    if "objective" not in ours or not theirs:
        return made

    def add(metric, value, goal=None):
        made.append({"case": case.name, "metric": metric, "value": float(value), "goal": goal})

    least = min(r["objective"] for r in theirs.values())
    there = {name: r for name, r in theirs.items() if r["objective"] <= least * (1 + WITHIN)}
    best = table.fastest(there)
    add("time_over_liblinear", ratio(ours, results[best]), 1.0)
    add("objective_minus_liblinear_relative", (ours["objective"] - least) / least, WITHIN)
    lean = table.leanest(results)
    if lean:
        add("peak_memory_over_peer", ours["memory"] / max(lean, 1), 1.0)
    return made
