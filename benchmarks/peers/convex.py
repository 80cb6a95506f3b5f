#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Lasso, elastic net and sparse logistic regression: gamut's coordinate descent beside scikit-learn, celer, skglm and glum.

    python3 -m venv build/peers && build/peers/bin/pip install scikit-learn celer skglm glum
    build/peers/bin/python benchmarks/peers/convex.py [PROBLEM ...]

Every library gets the same arrays in the layout that it likes best, no intercept, columns as they are. Each stops on its own rule, so
its tolerance is lowered tenfold until the duality gap, computed here, is at most 1e-6 of the objective at zero; the time is that of
the first tolerance that does, the least of some runs. Times are of the processor, which other programs disturb less; all on one
thread.
"""
import os
import subprocess
import sys
import tempfile
import time
import warnings

for variable in "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS":
    os.environ[variable] = "1"

import numpy as np
import scipy.sparse as sp

warnings.filterwarnings("ignore")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GAP = 1e-6


def softplus(z):
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def relative_gap(x, y, classes, l1, l2, w):
    """The objective less the bound of the scaled dual point, over the objective at zero."""
    n = len(y)
    z = x @ w
    if classes:
        loss, null = np.mean(softplus(z) - y * z), np.log(2)
        a = (1 / (1 + np.exp(-z)) - y) / n
    else:
        loss, null = np.mean((z - y) ** 2) / 2, np.mean(y ** 2) / 2
        a = (z - y) / n
    slope = x.T @ a + l2 * w
    t = min(1, l1 / np.abs(slope).max())
    if classes:
        q = np.clip(t * n * a + y, 0, 1)
        entropy = np.where(q > 0, q * np.log(np.maximum(q, 1e-300)), 0) + np.where(
            q < 1, (1 - q) * np.log(np.maximum(1 - q, 1e-300)), 0)
        bound = -np.mean(entropy) - t * t * l2 / 2 * (w @ w)
    else:
        half = n * (a @ a) / 2 + l2 / 2 * (w @ w)
        t = min(t, max(0, -(a @ y) / (2 * half)))
        bound = -t * t * half - t * (a @ y)
    return (loss + l1 * np.abs(w).sum() + l2 / 2 * (w @ w) - bound) / null


def dense(n, p, correlation, classes, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, p))
    for j in range(1, p):  # autoregressive columns
        x[:, j] = correlation * x[:, j - 1] + np.sqrt(1 - correlation ** 2) * x[:, j]
    return x, labels(x, classes, rng)


def sparse(n, p, density, classes, seed=0):
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
    return x, labels(x, classes, rng)


def labels(x, classes, rng):
    n, p = x.shape
    w = np.zeros(p)
    some = rng.choice(min(p, 2000), size=min(100, p // 10), replace=False)
    w[some] = rng.choice([-1, 1], size=len(some)) * (1 + rng.random(len(some)))
    z = x @ w
    z /= z.std()
    if classes:
        return (z + 0.5 * rng.standard_normal(n) > 0).astype(float)
    return z + 0.5 * rng.standard_normal(n)


PROBLEMS = {  # data, classes, l1 over its least value that makes all weights 0, l2 over l1
    "lasso dense 10000x1000": (lambda: dense(10000, 1000, 0.3, False), False, 0.05, 0),
    "lasso dense 500x10000": (lambda: dense(500, 10000, 0.5, False), False, 0.1, 0),
    "lasso correlated 2000x2000": (lambda: dense(2000, 2000, 0.95, False), False, 0.02, 0),
    "lasso sparse 10000x20000": (lambda: sparse(10000, 20000, 0.002, False), False, 0.1, 0),
    "elastic net dense 10000x500": (lambda: dense(10000, 500, 0.9, False), False, 0.02, 0.5),
    "logistic dense 10000x500": (lambda: dense(10000, 500, 0.5, True), True, 0.05, 0),
    "logistic dense 400x5000": (lambda: dense(400, 5000, 0.5, True), True, 0.1, 0),
    "logistic sparse 10000x20000": (lambda: sparse(10000, 20000, 0.002, True), True, 0.1, 0),
}


def peers(x, y, classes, l1, l2):
    """name -> fit(tolerance) -> weights."""
    n = len(y)
    columns = sp.csc_matrix(x) if sp.issparse(x) else np.asfortranarray(x)
    signs = 2 * y - 1
    found = {}
    if not classes:
        alpha, ratio = l1 + l2, l1 / (l1 + l2)
        import sklearn.linear_model as sk
        found["scikit-learn"] = lambda tol: sk.ElasticNet(alpha=alpha, l1_ratio=ratio, fit_intercept=False, tol=tol,
                                                          max_iter=100000).fit(columns, y).coef_
        import celer
        if l2 == 0:
            found["celer"] = lambda tol: celer.Lasso(alpha=l1, fit_intercept=False, tol=tol, max_iter=500).fit(columns, y).coef_
        else:
            found["celer"] = lambda tol: celer.ElasticNet(alpha=alpha, l1_ratio=ratio, fit_intercept=False, tol=tol,
                                                          max_iter=500).fit(columns, y).coef_
        import skglm
        found["skglm"] = lambda tol: skglm.ElasticNet(alpha=alpha, l1_ratio=ratio, fit_intercept=False, tol=tol,
                                                      max_iter=500).fit(columns, y).coef_
    else:
        import celer
        if l2 == 0:
            found["celer"] = lambda tol: celer.LogisticRegression(C=1 / (n * l1), tol=tol, max_iter=500,
                                                                  fit_intercept=False).fit(columns, signs).coef_.ravel()
        import skglm
        found["skglm"] = lambda tol: skglm.SparseLogisticRegression(alpha=l1, fit_intercept=False, tol=tol,
                                                                    max_iter=500).fit(columns, signs).coef_.ravel()
        from sklearn.linear_model import LogisticRegression
        found["liblinear"] = lambda tol: LogisticRegression(penalty="l1", C=1 / (n * l1), solver="liblinear", tol=tol,
                                                            max_iter=1000, fit_intercept=False).fit(
            sp.csr_matrix(x) if sp.issparse(x) else x, y).coef_.ravel()
    if not sp.issparse(x):
        from glum import GeneralizedLinearRegressor
        found["glum"] = lambda tol: GeneralizedLinearRegressor(
            family="binomial" if classes else "normal", alpha=l1 + l2, l1_ratio=l1 / (l1 + l2), fit_intercept=False,
            gradient_tol=tol, max_iter=1000).fit(columns, y).coef_
    return found


def time_of_peer(fit, gap):
    for k in range(3, 13):
        tolerance = 10.0 ** -k
        try:
            begin = time.process_time()
            w = fit(tolerance)
            seconds = time.process_time() - begin
        except Exception as problem:  # a peer that can't do it says so
            return None, str(problem).splitlines()[0][:60]
        if gap(w) <= GAP:
            for _ in range(4 if seconds < 2 else 1):
                begin = time.process_time()
                fit(tolerance)
                seconds = min(seconds, time.process_time() - begin)
            return seconds, f"tol {tolerance:.0e}"
        if seconds > 60:
            return None, "slow"
    return None, "misses the gap"


def time_of_gamut(program, x, y, classes, l1, l2):
    with tempfile.TemporaryDirectory() as temporary:
        folder = os.environ.get("GAMUT_PROBLEMS", temporary)
        entries = x.nnz if sp.issparse(x) else 0
        with open(folder + "/shape.txt", "w") as out:
            out.write(f"{x.shape[0]} {x.shape[1]} {entries}\n")
        y.astype("<f8").tofile(folder + "/y.f64")
        if entries:
            x.indptr.astype("<i8").tofile(folder + "/offsets.i64")
            x.indices.astype("<i4").tofile(folder + "/indices.i32")
            x.data.astype("<f8").tofile(folder + "/values.f64")
        else:
            np.ascontiguousarray(x).tofile(folder + "/x.f64")
        out = subprocess.run([program, folder, "logistic" if classes else "linear", repr(l1), repr(l2), repr(GAP), "5"],
                             check=True, stdout=subprocess.PIPE, text=True).stdout
        runs = [line.split() for line in out.splitlines()]
        best = min(runs, key=lambda run: float(run[0]))
        return float(best[0]), f"{best[1]} iterations, gap {best[2]}, {best[3]} non-zeros"


def main():
    program = os.path.join(ROOT, "build", "peers_convex")
    source = os.path.join(ROOT, "benchmarks", "peers", "convex.cpp")
    subprocess.run(["g++", "-std=c++20", "-O3", "-fopenmp", "-I" + os.path.join(ROOT, "include"), source, "-o", program,
                    "-lopenblas", "-lpthread"], check=True)
    wins = 0
    chosen = [name for name in PROBLEMS if not sys.argv[1:] or any(word in name for word in sys.argv[1:])]
    for name in chosen:
        make, classes, fraction, ridge = PROBLEMS[name]
        x, y = make()
        null_slope = (0.5 - y if classes else -y) / len(y)
        l1 = float(fraction * np.abs(x.T @ null_slope).max())
        l2 = ridge * l1
        ours, how = time_of_gamut(program, x, y, classes, l1, l2)
        print(f"{name}\n    gamut         {ours:8.4f} s  {how}", flush=True)
        best = None
        for peer, fit in peers(x, y, classes, l1, l2).items():
            seconds, how = time_of_peer(fit, lambda w: relative_gap(x, y, classes, l1, l2, np.asarray(w, dtype=float)))
            print(f"    {peer:13s} " + (f"{seconds:8.4f} s  {how}" if seconds else f"       -    {how}"), flush=True)
            if seconds and (best is None or seconds < best):
                best = seconds
        if best:
            print(f"    gamut / best peer: {ours / best:.2f}", flush=True)
            wins += ours <= best
    print(f"at least as fast as the best peer on {wins} of {len(chosen)}")


if __name__ == "__main__":
    main()
