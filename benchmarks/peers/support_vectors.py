#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Linear support vector machines and logistic regression by their duals: gamut beside liblinear (-s 3, 1, 7, through scikit-learn).

    python3 -m venv build/peers && build/peers/bin/pip install scikit-learn
    build/peers/bin/python benchmarks/peers/support_vectors.py FILE ...          FILE: in LIBSVM's format, two classes

No intercept, columns as they are, one thread, processor seconds, the least of three runs. gamut stops at a gap of 1e-8. liblinear has no gap, so its tolerance is
lowered tenfold until its objective is within 1e-8 of gamut's lower bound, or 20,000 iterations are used up; the last run is shown, with how far off it is.
"""
import os
import subprocess
import sys
import tempfile
import time
import warnings

for variable in "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS":
    os.environ[variable] = "1"

import numpy as np
import scipy.sparse as sp
from sklearn.datasets import load_svmlight_file
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

warnings.filterwarnings("ignore")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def objective(x, y, w, C, loss):
    margin = y * (x @ w)
    rest = np.maximum(0, 1 - margin)
    losses = {"hinge": rest, "squared_hinge": rest ** 2, "logistic": np.logaddexp(0, -margin)}[loss]
    return w @ w / 2 + C * losses.sum()


def liblinear(x, y, C, loss, tolerance):
    options = dict(C=C, dual=True, fit_intercept=False, tol=tolerance, max_iter=20000, random_state=0)
    machine = LogisticRegression(solver="liblinear", **options) if loss == "logistic" else LinearSVC(loss=loss, **options)
    seconds = []
    for _ in range(3):
        begin = time.process_time()
        machine.fit(x, y)
        seconds.append(time.process_time() - begin)
    return min(seconds), int(np.max(machine.n_iter_)), objective(x, y, machine.coef_.ravel(), C, loss)


def main():
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "support_vectors")
        subprocess.run(["g++", "-std=c++20", "-O3", "-fopenmp", "-I", os.path.join(ROOT, "include"),
                        os.path.join(ROOT, "benchmarks/peers/support_vectors.cpp"), "-o", program, "-lopenblas", "-llapack", "-lpthread"],
                       check=True)
        for file in sys.argv[1:]:
            x, y = load_svmlight_file(file)
            x.indices, x.indptr = x.indices.astype(np.int32), x.indptr.astype(np.int32)
            y = np.where(y == y.max(), 1, -1)
            for loss in "hinge", "squared_hinge", "logistic":
                for C in 1.0, 0.01:
                    def gamut(blocks, repeats):
                        lines = subprocess.run([program, file, loss, str(C), "1e-8", str(blocks), str(repeats)], check=True, text=True,
                                               stdout=subprocess.PIPE).stdout.splitlines()
                        return min([float(v) for v in line.split()] for line in lines)
                    seconds, rounds, passes, gap, found = gamut(1, 3)
                    bound = found - gap * abs(found)
                    for tolerance in 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7:
                        theirs, iterations, reached = liblinear(x, y, C, loss, tolerance)
                        if reached - bound <= 1e-8 * reached:
                            break
                    print(f"{os.path.basename(file):20} {loss:14} C {C:5}   gamut {seconds:8.4f} s, gap {gap:8.1e}, {passes:5.0f} passes   "
                          f"liblinear {theirs:8.4f} s, {(reached - bound) / reached:8.1e} off, {iterations:6} iterations", flush=True)


main()
