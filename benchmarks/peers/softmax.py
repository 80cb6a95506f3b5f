# SPDX-License-Identifier: BSL-1.0
"""Softmax with kappa weights per class (or kappa features): gamut against levels that others reached, and against PsFiT's method (psfit.py).

gamut's solver is swap on the digits, and prune where there are thousands of weights.

digits      l2 1e-4, no intercept; training log-loss at most .1903 / .0878 / .0515 at kappa 5 / 10 / 20 per class, in 2 s each
MNIST 10k   the reference levels in GAMUT_DATA_DIR/answers/softmax_kappa*_mnist10k.json, each reached or beaten in 3 s; left out without that
images      54,000 x 784 made-up images, kappa 20 / 40 (and, with --full, 30) per class: the loss that PsFiT's method has after 50 s, in at most 3 s.
            That method runs once: its curve and its weights are kept in out/peers, until its file or the instances' changes
"""
import hashlib
import json
import os

import numpy as np

import install
import instances
import psfit
import refit
import table
from case import Case

PSFIT_SECONDS = 50
QUICK = ["--first", "40", "--iterations", "6", "--rounds", "4"]  # of prune, on MNIST: four fifths of the time of its defaults, at most 2 % above them
HURRIED = ["--keep", ".3", "--first", "10", "--iterations", "4", "--rounds", "0"]  # of prune, on the images: some 25 passes; its defaults take 150 and
# end at half the loss
DIGITS = {5: 0.1903, 10: 0.0878, 20: 0.0515}  # kappa per class: training log-loss


def fit_psfit(X, y, options, threads):
    """Runs once: what it had after its seconds is kept."""
    with open(psfit.__file__, "rb") as method, open(instances.__file__, "rb") as generators:
        version = hashlib.sha256(method.read() + generators.read()).hexdigest()[:12]
    path = os.path.join(install.root, "out", "peers", f"psfit_kappa{options['kappa']}_{options['psfit_seconds']}s_{threads}threads_{version}.npz")

    def fit():
        if not os.path.exists(path):
            Y, _, trace = psfit.fit(X, y, options["kappa"], seconds=options["psfit_seconds"], threads=threads)
            np.savez(path, Y=Y, trace=np.array(trace))
        with np.load(path) as kept:
            Y, trace = kept["Y"], kept["trace"]
        return Y, [], {"trace": trace.tolist(), "seconds": float(trace[-1, 0]), "processor_seconds": float(trace[-1, 0]) * threads}

    return fit


FITS = {"psfit": fit_psfit}
OWN = {"psfit"}


def mnist_levels(folder):
    """(name, over, kappa, objective: sum of losses + 10/2 |W|^2) of every level in the answers."""
    levels = {}
    for file, over in (("softmax_kappa_percolumn_mnist10k.json", "per_output"), ("softmax_kappa_mnist10k.json", "rows")):
        path = os.path.join(folder, "answers", file)
        if not os.path.exists(path):
            continue
        with open(path, encoding="utf-8") as text:
            answers = json.load(text)["answers"]
        for level in answers["backward_elimination"] if isinstance(answers, dict) else answers:
            key = (over, level.get("kappa_per_class", level.get("kappa")))
            levels[key] = min(level["objective"], levels.get(key, np.inf))
    return [(over, kappa, objective) for (over, kappa), objective in sorted(levels.items())]


def softmax_case(name, make, kappa, over, l2, intercept, **more):
    options = {"kappa": kappa, "over": over, "l2": l2, "intercept": intercept, "psfit_seconds": PSFIT_SECONDS, **more.pop("options", {})}
    solver = more.pop("solver", "swap")
    return Case(name=name, make=make, options=options, **more,
                gamut=["--solver", solver, "--model", "softmax", "--kappa", str(kappa), "--over", over, "--l2", repr(l2),
                       "--intercept", str(int(intercept)), "--standardize", "0"])


def cases():
    result = []
    for kappa, loss in DIGITS.items():
        result.append(softmax_case(f"softmax digits kappa {kappa}", instances.digits, kappa, "per_output", 1e-4, False, libraries=[],
                                   options={"goal_loss": loss, "goal_seconds": 2}))
    folder = os.environ.get("GAMUT_DATA_DIR", "")
    mnist = os.path.join(folder, "mnist10k")
    if folder and os.path.isdir(mnist):
        for over, kappa, objective in mnist_levels(folder):
            kind = "per class" if over == "per_output" else "pixels"
            result.append(softmax_case(f"softmax MNIST 10k kappa {kappa} {kind}", lambda: instances.mnist10k(mnist), kappa, over, 10 / 8000, True,
                                       libraries=[], repeats=1, solver="prune", options={"goal_objective": objective, "goal_seconds": 3}))
            result[-1].gamut += QUICK
    else:
        print("softmax MNIST 10k: left out (GAMUT_DATA_DIR names no folder with mnist10k/)", flush=True)
    for kappa in (20, 40, 30):
        result.append(softmax_case(f"softmax images kappa {kappa} per class", instances.synthetic_images, kappa, "per_output", 0.0, False,
                                   libraries=["psfit"], repeats=1, seconds=900, solver="prune", full=kappa == 30))
        result[-1].gamut += ["--trace", "1", "--seconds", str(PSFIT_SECONDS), *HURRIED]
    return result


def judge(data, coefficients, intercept, options):
    X, y = data["X"], data["y"].astype(int)
    W = np.reshape(coefficients, (X.shape[1], -1))
    used = {"per_output": (W != 0).sum(axis=0).max(), "rows": (W != 0).any(axis=1).sum(), "entries": np.count_nonzero(W)}[options["over"]]
    if used > options["kappa"]:
        return {"error": f"{used} non-zeros (kappa is {options['kappa']})"}
    b = np.asarray(intercept) if options["intercept"] else None
    returned = psfit.log_loss(X, y, W) if b is None else psfit.log_loss(np.column_stack([X, np.ones(len(y))]), y, np.vstack([W, b]))
    penalised = returned + 0.5 * options["l2"] * float((W * W).sum())
    # as others' levels, those of the weights themselves; a refit says what the support is worth, where it takes seconds
    loss, objective = refit.softmax(X, y, W, b, options["l2"]) if X.size < 1e6 else (returned, penalised)
    verdict = {"loss": loss, "objective": objective, "loss_as_returned": returned, "nonzeros": int(np.count_nonzero(W)),
               "most_nonzeros": options["kappa"] * (1 if options["over"] == "entries" else W.shape[1]),
               "objective_as_returned": penalised}
    if "X_test" in data:
        eta = data["X_test"] @ W + (0 if b is None else b)
        verdict["test_accuracy"] = float(np.mean(eta.argmax(axis=1) == data["y_test"]))
    return verdict


def records(case, results, ratio):
    made, ours, options = [], results.get("gamut", {}), case.options
    if "objective" not in ours:
        return made

    def add(metric, value, goal=None):
        made.append({"case": case.name, "metric": metric, "value": float(value), "goal": goal})

    seconds = float(np.median(ours["seconds"]))
    if "goal_loss" in options:
        add("loss", ours["loss_as_returned"], options["goal_loss"])
    if "goal_objective" in options:
        add("objective_over_level", ours["objective_as_returned"] * 8000 / options["goal_objective"], 1 + 1e-9)
    if "goal_seconds" in options:
        add("seconds", seconds, options["goal_seconds"])
    if "test_accuracy" in ours:
        add("test_accuracy", ours["test_accuracy"])
    theirs = results.get("psfit", {})
    if "loss_as_returned" in theirs:
        add("loss_psfit_50s", theirs["loss_as_returned"])
        add("loss_over_psfit_50s", ours["loss_as_returned"] / theirs["loss_as_returned"], 1.0)
        reached = table.time_to(ours.get("trace", []), theirs["loss_as_returned"], ours["most_nonzeros"])
        if ours["loss_as_returned"] <= theirs["loss_as_returned"]:
            add("seconds_to_psfit_50s_loss", reached or seconds, 3.0)
        add("seconds", seconds)
        add("peak_memory_over_peer", ours["memory"] / theirs["memory"])
    return made
