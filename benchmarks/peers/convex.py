# SPDX-License-Identifier: BSL-1.0
"""Lasso, elastic net and sparse logistic regression to a duality gap of 1e-6 of the objective at zero: gamut's coordinate descent beside
scikit-learn, celer, skglm, glmnet (R), adelie, glum and liblinear. No intercept, columns as they are.

Every library gets the arrays in the layout that it likes best (gamut: in its own rows), and stops by its own rule: before its fits are
timed, its tolerance is lowered tenfold, and then by half of that, until the gap that is computed here from its weights is small enough.
What was found is kept in out/peers/tolerances.json, and some in tolerances.json beside this file; it is tried first, and counts only if the
gap is small enough. glum, which holds second derivatives of all columns, is asked where rows outnumber
columns."""
import json
import os
import subprocess
import time

import numpy as np
import scipy.sparse as sp

import install
import refit
import table
from case import Case

GAP = 1e-6
SLOW = 8.0  # seconds: a library whose fit takes longer and has not reached the gap is given up
HERE = os.path.dirname(os.path.abspath(__file__))
TOLERANCES = [os.path.join(HERE, "tolerances.json"), os.path.join(install.root, "out", "peers", "tolerances.json")]  # known, and found since


def softplus(z):
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def objective_and_gap(x, y, logistic, l1, l2, w):
    """The objective, and how far it is above the bound of the scaled dual point, over the objective at zero."""
    n = len(y)
    z = x @ w
    if logistic:
        loss, null = np.mean(softplus(z) - y * z), np.log(2)
        a = (1 / (1 + np.exp(-np.clip(z, -700, 700))) - y) / n
    else:
        loss, null = np.mean((z - y) ** 2) / 2, np.mean(y ** 2) / 2
        a = (z - y) / n
    slope = x.T @ a + l2 * w
    t = min(1, l1 / max(np.abs(slope).max(), 1e-300))
    if logistic:
        q = np.clip(t * n * a + y, 0, 1)
        entropy = np.where(q > 0, q * np.log(np.maximum(q, 1e-300)), 0) + np.where(q < 1, (1 - q) * np.log(np.maximum(1 - q, 1e-300)), 0)
        bound = -np.mean(entropy) - t * t * l2 / 2 * (w @ w)
    else:
        half = n * (a @ a) / 2 + l2 / 2 * (w @ w)
        t = min(t, max(0, -(a @ y) / max(2 * half, 1e-300)))
        bound = -t * t * half - t * (a @ y)
    objective = loss + l1 * np.abs(w).sum() + l2 / 2 * (w @ w)
    return float(objective), float((objective - bound) / null)


# ---- the instances

def dense(n, p, correlation, logistic, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, p))
    for j in range(1, p):  # autoregressive columns
        x[:, j] = correlation * x[:, j - 1] + np.sqrt(1 - correlation ** 2) * x[:, j]
    return {"X": x, **labels(x, logistic, rng)}


def sparse(n, p, density, logistic, seed=0):
    rng = np.random.default_rng(seed)
    popularity = 1 / np.arange(1, p + 1) ** 0.7  # words: a few are frequent
    popularity *= density * p / popularity.sum()
    columns = [rng.choice(n, size=max(2, int(min(0.5, q) * n)), replace=False) for q in popularity]
    indices = np.concatenate(columns)
    offsets = np.concatenate([[0], np.cumsum([len(c) for c in columns])])
    x = sp.csc_matrix((np.abs(rng.standard_normal(len(indices))), indices, offsets), shape=(n, p)).tocsr()
    lengths = np.sqrt(np.asarray(x.multiply(x).sum(1)).ravel())
    x = (sp.diags(1 / np.maximum(lengths, 1e-12)) @ x).tocsr()
    x.sort_indices()
    return {"X": x, **labels(x, logistic, rng)}


def labels(x, logistic, rng):
    n, p = x.shape
    w = np.zeros(p)
    some = rng.choice(min(p, 2000), size=min(100, p // 10), replace=False)
    w[some] = rng.choice([-1, 1], size=len(some)) * (1 + rng.random(len(some)))
    z = x @ w
    z /= z.std()
    y = z + 0.5 * rng.standard_normal(n)
    return {"y": (y > 0).astype(float) if logistic else y, "true": np.sort(some)}


PROBLEMS = {  # data, logistic, l1 over its least value that makes all weights 0, l2 over l1
    "lasso dense 10000x1000": (lambda: dense(10000, 1000, 0.3, False), False, 0.05, 0),
    "lasso dense 500x10000": (lambda: dense(500, 10000, 0.5, False), False, 0.1, 0),
    "lasso AR .95 2000x2000": (lambda: dense(2000, 2000, 0.95, False), False, 0.02, 0),
    "lasso sparse 10000x20000": (lambda: sparse(10000, 20000, 0.002, False), False, 0.1, 0),
    "elastic net AR .9 10000x500": (lambda: dense(10000, 500, 0.9, False), False, 0.02, 0.5),
    "L1 logistic dense 10000x500": (lambda: dense(10000, 500, 0.5, True), True, 0.05, 0),
    "L1 logistic dense 400x5000": (lambda: dense(400, 5000, 0.5, True), True, 0.1, 0),
    "L1 logistic sparse 10000x20000": (lambda: sparse(10000, 20000, 0.002, True), True, 0.1, 0),
}


def make_problem(name):
    make, logistic, fraction, ridge = PROBLEMS[name]
    data = make()
    x, y = data["X"], data["y"]
    l1 = float(fraction * np.abs(x.T @ ((0.5 - y if logistic else -y) / len(y))).max())
    return {**data, "options": {"l1": l1, "l2": ridge * l1, "logistic": logistic},
            "gamut": ["--l1", repr(l1), "--l2", repr(ridge * l1)]}


def cases():
    result = []
    for name, (_, logistic, _, _) in PROBLEMS.items():
        libraries = ["sklearn", "celer", "skglm", "glmnet", "adelie"]
        if logistic:
            libraries = ["celer", "skglm", "glmnet", "adelie", "liblinear"]
        rows, columns = (int(number) for number in name.rsplit(" ", 1)[1].split("x"))
        if rows > columns:
            libraries.append("glum")
        result.append(Case(name=name, make=lambda name=name: make_problem(name), libraries=libraries, repeats=7, seconds=60, enough=10, keep="convex",
                           gamut=["--penalty", "elastic_net", "--model", "logistic" if logistic else "linear", "--intercept", "0",
                                  "--standardize", "0", "--tolerance", repr(GAP)]))
    return result


# ---- the libraries: each a function of (X, y, options, threads) that returns fit(tolerance) -> weights

def columns_first(X):
    return sp.csc_matrix(X) if sp.issparse(X) else np.asfortranarray(X)


def with_sklearn(X, y, options, threads):
    import sklearn.linear_model as sk

    X, l1, l2 = columns_first(X), options["l1"], options["l2"]
    return lambda tolerance: sk.ElasticNet(alpha=l1 + l2, l1_ratio=l1 / (l1 + l2), fit_intercept=False, tol=tolerance, max_iter=100000).fit(X, y).coef_


def with_celer(X, y, options, threads):
    import celer

    X, l1, l2 = columns_first(X), options["l1"], options["l2"]
    common = {"fit_intercept": False, "max_iter": 500}
    if options["logistic"]:
        signs = 2 * y - 1
        return lambda tolerance: celer.LogisticRegression(C=1 / (len(y) * l1), tol=tolerance, **common).fit(X, signs).coef_.ravel()
    if l2 > 0:
        return lambda tolerance: celer.ElasticNet(alpha=l1 + l2, l1_ratio=l1 / (l1 + l2), tol=tolerance, **common).fit(X, y).coef_
    return lambda tolerance: celer.Lasso(alpha=l1, tol=tolerance, **common).fit(X, y).coef_


def with_skglm(X, y, options, threads):
    import skglm

    X, l1, l2 = columns_first(X), options["l1"], options["l2"]
    common = {"fit_intercept": False, "max_iter": 500}
    if options["logistic"]:
        signs = 2 * y - 1
        return lambda tolerance: skglm.SparseLogisticRegression(alpha=l1, tol=tolerance, **common).fit(X, signs).coef_.ravel()
    return lambda tolerance: skglm.ElasticNet(alpha=l1 + l2, l1_ratio=l1 / (l1 + l2), tol=tolerance, **common).fit(X, y).coef_


def with_glum(X, y, options, threads):
    from glum import GeneralizedLinearRegressor

    X, l1, l2 = columns_first(X), options["l1"], options["l2"]
    return lambda tolerance: GeneralizedLinearRegressor(family="binomial" if options["logistic"] else "normal", alpha=l1 + l2,
                                                        l1_ratio=l1 / (l1 + l2), fit_intercept=False, gradient_tol=tolerance,
                                                        max_iter=1000).fit(X, y).coef_


def with_adelie(X, y, options, threads):
    import adelie as ad

    X, l1, l2 = columns_first(X), options["l1"], options["l2"]
    matrix = (ad.matrix.sparse if sp.issparse(X) else ad.matrix.dense)(X, method="naive", n_threads=threads)
    glm = (ad.glm.binomial if options["logistic"] else ad.glm.gaussian)(np.asarray(y, dtype=float), dtype=np.float64)

    def fit(tolerance):
        more = {"irls_tol": tolerance} if options["logistic"] else {}
        state = ad.grpnet(matrix, glm, alpha=l1 / (l1 + l2), lmda_path=np.array([l1 + l2]), intercept=False, early_exit=False, progress_bar=False,
                          tol=tolerance, n_threads=threads, **more)
        return np.asarray(state.betas[-1].todense()).ravel() if state.betas.shape[0] else np.zeros(X.shape[1])

    return fit


def with_liblinear(X, y, options, threads):
    """-s 6: L1-regularised logistic regression, no bias."""
    from liblinear import liblinearutil

    problem = liblinearutil.problem(y, sp.csr_matrix(X), bias=-1)
    problem.set_bias(-1)

    def fit(tolerance):
        model = liblinearutil.train(problem, f"-s 6 -c {1 / (len(y) * options['l1'])!r} -e {tolerance!r} -B -1 -q")
        sign = 1 if model.get_labels()[0] == 1 else -1
        return lambda: sign * np.array(model.w[: X.shape[1]])

    return fit


class Glmnet:
    """glmnet.R in a process of its own, which reads the arrays that the frame wrote. Alone on the penalty, or at the end of a path of ten."""

    def __init__(self, X, y, options, threads):
        folder = options["arrays"]
        n, p = X.shape
        self.weights, self.p = os.path.join(folder, "glmnet.coefficients"), p
        alpha = options["l1"] / (options["l1"] + options["l2"])
        command = ["Rscript", "--vanilla", os.path.join(HERE, "glmnet.R"), folder, str(n), str(p), str(X.nnz if sp.issparse(X) else 0),
                   "binomial" if options["logistic"] else "gaussian", repr(options["l1"]), repr(options["l2"]), repr(alpha)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.steps, self.measured = 1, {}
        self.process.stdout.readline()  # it is ready

    def __call__(self, tolerance):
        self.process.stdin.write(f"{tolerance!r} {self.steps} {self.weights}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if len(answer) != 3:
            raise RuntimeError("Rscript ended: see out/peers/workers.log")
        self.measured = dict(zip(("seconds", "processor_seconds", "memory"), map(float, answer)))
        return np.fromfile(self.weights)

    def __del__(self):
        self.process.stdin.close()
        self.process.wait()


def cached_tolerance(key, value=None):
    found = {}
    for path in TOLERANCES:
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                found.update(json.load(file))
    if value is None:
        return found.get(key)
    found[key] = value
    with open(TOLERANCES[-1], "w", encoding="utf-8") as file:
        json.dump(found, file, indent=1)
        file.write("\n")
    return value


def tune(key, fit, is_good):
    """The largest of 10^-1.5, 10^-2, 10^-2.5, ... at which weights are good; the seconds of a fit there."""
    def attempt(tolerance):
        start = time.perf_counter()
        w = fit(tolerance)
        seconds = time.perf_counter() - start
        return is_good(w() if callable(w) else w), seconds

    attempt(0.1)  # what it compiles does not count
    known = cached_tolerance(key)
    if known is not None:
        good, seconds = attempt(known)
        if good:
            return known, seconds
    slow = 0
    for k in range(2, 17):
        tolerance = 10.0 ** -k
        good, seconds = attempt(tolerance)
        if good:
            if seconds < 2:
                looser = 10.0 ** (0.5 - k)
                good, quicker = attempt(looser)
                if good:
                    tolerance, seconds = looser, quicker
            return cached_tolerance(key, tolerance), seconds
        slow += seconds > SLOW
        if slow > 1:  # the first may have been spent on compiling
            raise RuntimeError(f"misses the gap after {seconds:.0f} s, with tolerance {tolerance:.0e}")
    raise RuntimeError("misses the gap with every tolerance")


def prepared(name, library):
    def prepare(X, y, options, threads):
        def is_good(w):
            return objective_and_gap(X, y, options["logistic"], options["l1"], options["l2"], np.asarray(w, dtype=float))[1] <= GAP

        fit = library(X, y, options, threads)
        key = f"{options['case']}, {name}"
        if name == "glmnet":
            times = {}
            for fit.steps in (1, 10):
                tolerance = tune(f"{key}, {fit.steps}", fit, is_good)[0]
                times[fit.steps] = (fit.measured["seconds"], tolerance)
            fit.steps = min(times, key=times.get)
            tolerance = times[fit.steps][1]
            return lambda: (fit(tolerance), [], {**fit.measured, "tolerance": tolerance})
        tolerance = tune(key, fit, is_good)[0]

        def timed():
            w = fit(tolerance)
            return lambda: (w() if callable(w) else w, [], {"tolerance": tolerance})

        return timed

    return prepare


LIBRARIES = {"sklearn": with_sklearn, "celer": with_celer, "skglm": with_skglm, "glum": with_glum, "adelie": with_adelie, "liblinear": with_liblinear,
             "glmnet": Glmnet}
FITS = {name: prepared(name, library) for name, library in LIBRARIES.items()}


# ---- what it is worth

def judge(data, coefficients, intercepts, options):
    w = np.ravel(coefficients)
    objective, gap = objective_and_gap(data["X"], data["y"], options["logistic"], options["l1"], options["l2"], w)
    verdict = {"gap": gap, "nonzeros": int(np.count_nonzero(w)), "support_f1": refit.f1(np.flatnonzero(w), data["true"])}
    if gap > GAP * (1 + 1e-6):
        return {**verdict, "error": f"the gap is {gap:.1e}"}
    return {**verdict, "objective": objective}


def records(case, results, ratio):
    made, ours = [], results.get("gamut", {})
    best = table.fastest(results)
    if "objective" not in ours:
        return made
    if best:
        made.append({"case": case.name, "metric": "time_over_best_convex_peer", "value": ratio(ours, results[best]), "goal": 1.0, "limit": 1.5, "peer": best})
    made.append({"case": case.name, "metric": "duality_gap", "value": ours["gap"], "goal": GAP})
    made.append({"case": case.name, "metric": "support_f1", "value": ours["support_f1"], "goal": None})
    lean = table.leanest(results)
    if lean:
        made.append({"case": case.name, "metric": "peak_memory_over_peer", "value": ours["memory"] / max(lean, 1), "goal": 1.0})
    return made


def summary(everything, ratio):
    """On how many of the problems the best of the others is quicker."""
    ratios = [r["value"] for case, results in everything for r in records(case, results, ratio) if r["metric"] == "time_over_best_convex_peer"]
    if len(ratios) < len(PROBLEMS):
        return []
    name = f"L1 and elastic net, {len(ratios)} problems"
    return [{"case": name, "metric": "problems_where_the_best_peer_is_quicker", "value": float(sum(r > 1 for r in ratios)), "goal": 2.0},
            {"case": name, "metric": "largest_time_over_best_convex_peer", "value": max(ratios), "goal": 1.5}]
