# SPDX-License-Identifier: BSL-1.0
"""Best subset of kappa columns, least squares and logistic: gamut against abess, L0Learn, l0bnb, skscope. l2 is 0, the intercept free."""
import json
import os

import numpy as np

import best_known
import install
import instances
import refit
import table
from case import Case

WARM_UP = {"skscope"}  # the first fit compiles; it is not counted
GOALS = {"time_over_abess": 0.25, "objective_minus_abess_relative": 0.0, "peak_memory_over_peer": 1.0}
GAP_GOALS = dict(zip(instances.HARD, [0.0005, 0.005, 0.005, 0.005]))
HERE = os.path.dirname(os.path.abspath(__file__))
KNOWN = [os.path.join(HERE, "best_known.json"), os.path.join(install.root, "out", "peers", "best_known.json")]  # what comes with the project, and what was found since


# ---- the libraries: (X, y, options, threads) -> a function of nothing that fits and returns (coefficients, intercept),
# or returns a function that returns them (and is not timed)

def fit_abess(X, y, options, threads):
    from abess.linear import LinearRegression, LogisticRegression

    kind = {"linear": LinearRegression, "logistic": LogisticRegression}[options["model"]]

    def fit():
        model = kind(support_size=options["kappa"], thread=threads).fit(X, y)
        return model.coef_, model.intercept_

    return fit


def fit_l0learn(X, y, options, threads):
    """L0Learn has a penalty and no cardinality, so it walks along its path up to kappa, then along a finer piece of it if no point
    there has kappa columns. Of the supports of at most kappa columns that it met, the best is its answer (found by a refit which is
    not timed)."""
    import l0learn

    kappa, linear = options["kappa"], options["model"] == "linear"
    common = {"loss": "SquaredError" if linear else "Logistic", "penalty": "L0" if linear else "L0L2", "algorithm": "CDPSI",
              "max_support_size": kappa + 5, "scale_down_factor": 0.95, "max_swaps": 1000}
    if not linear:
        common |= {"num_gamma": 1, "gamma_min": 1e-7, "gamma_max": 1e-7}
    X, target = X.copy(), np.array(y if linear else 2 * y - 1)  # its binding takes only arrays that own their memory
    found = []

    def along(**grid):
        path = l0learn.fit(X, target, **common, **grid)
        sizes, lambdas = np.asarray(path.characteristics()["support_size"]), np.asarray(path.lambda_0[0])
        for i in np.flatnonzero(sizes <= kappa):
            column = path.coeff(lambda_0=lambdas[i], gamma=path.gamma[0], include_intercept=False)
            found.append(np.asarray(column.todense() if hasattr(column, "todense") else column).ravel())
        return sizes, lambdas

    def fit():
        found.clear()
        sizes, lambdas = along(num_lambda=100)
        if not (sizes == kappa).any() and (sizes > kappa).any() and (sizes < kappa).any():
            high, low = lambdas[sizes < kappa].min(), lambdas[sizes > kappa].max()
            if low < high:
                free = {"num_gamma": None} if linear else {}
                along(**{**free, "num_lambda": None, "lambda_grid": [list(np.linspace(high, low, 102)[1:-1])]})
        return choose  # not timed

    def choose():
        supports = {tuple(np.flatnonzero(c)): c for c in found}
        score = refit.least_squares if linear else refit.logistic
        longest = supports if linear else sorted(supports, key=len)[-5:]
        return supports[min(longest, key=lambda s: score(X, y, np.array(s, dtype=int)))], 0.0

    return fit


def fit_l0bnb(X, y, options, threads):
    """Branch and bound for the penalised problem, along a path up to kappa; ended after options["l0bnb_seconds"] per point."""
    np.Inf = np.inf  # it was written for numpy 1
    from l0bnb import fit_path

    fit_path(X[:60, :20], y[:60], lambda_2=1e-6, max_nonzeros=2, time_limit=1)  # compiles

    def fit():
        path = fit_path(X, y, lambda_2=1e-6, max_nonzeros=options["kappa"], time_limit=options["l0bnb_seconds"])
        fitting = [point["B"] for point in path if np.count_nonzero(point["B"]) <= options["kappa"]]
        return lambda: (min(fitting, key=lambda b: refit.least_squares(X, y, np.flatnonzero(b))), 0.0)

    return fit


def fit_skscope(X, y, options, threads):
    import jax
    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp
    from skscope import ScopeSolver

    n, p = X.shape
    on_jax, labels = jnp.asarray(np.column_stack([X, np.ones(n)])), jnp.asarray(y)
    if options["model"] == "linear":
        def loss(w):
            return jnp.mean((labels - on_jax @ w) ** 2) / 2
    else:
        def loss(w):
            eta = on_jax @ w
            return jnp.mean(jnp.logaddexp(0, eta) - labels * eta)

    def fit():
        solver = ScopeSolver(p + 1, options["kappa"] + 1, sample_size=n, preselect=[p])
        w = np.asarray(solver.solve(loss, jit=True))
        return w[:p], w[p]

    return fit


FITS = {"abess": fit_abess, "l0learn": fit_l0learn, "l0bnb": fit_l0bnb, "skscope": fit_skscope}


# ---- the cases

def make_case(name, make, model, kappa, libraries, **more):
    return Case(name=name, make=make, libraries=libraries, options={"model": model, "kappa": kappa, "l0bnb_seconds": 1},
                gamut=["--model", model, "--kappa", str(kappa), "--trace", "1"], **more)


def cases():
    result = []
    for name, make in instances.SMALL.items():
        model = "linear" if name.startswith("squared") else "logistic"
        small = " n500 " in name
        libraries = ["abess", "l0learn", "skscope"] + (["l0bnb"] if small and model == "linear" else [])
        result.append(make_case(name, make, model, int(name.rsplit("k", 1)[1]), libraries, repeats=9 if small else 5, enough=6 if small else 15,
                                slow=("l0learn",) if model == "logistic" and not small else ()))
    for name, make in instances.BIG.items():
        result.append(make_case(name, make, "linear" if name.startswith("squared") else "logistic", 100, ["abess", "l0learn"], slow=("l0learn",), seconds=600, enough=20))
    for row, (_, _, kappa, *_) in instances.HARD.items():
        for seed in range(instances.HARD_SEEDS):
            result.append(make_case(f"{row}, seed {seed}", lambda row=row, seed=seed: instances.hard(row, seed), "linear", kappa,
                                    ["abess", "l0learn"], repeats=1, seconds=30, group=row))
    return result


def judge(data, coefficients, intercept, options):
    """What a library found is worth what the best weights on its support are worth."""
    support = np.flatnonzero(coefficients)
    if len(support) > options["kappa"]:
        return {"error": f"{len(support)} columns (kappa is {options['kappa']})"}
    score = refit.least_squares if options["model"] == "linear" else refit.logistic
    verdict = {"objective": score(data["X"], data["y"], support), "support": support.tolist(),
               "support_f1": refit.f1(support, data["true"])}
    return verdict


known = {}


def after(case, data, results):
    """For the hard instances: the best that anyone found, a long search included (kept, because it is slow)."""
    if not case.group:
        return
    if not known:
        for file in KNOWN:
            if os.path.exists(file):
                with open(file, encoding="utf-8") as text:
                    known.update(json.load(text))
    supports = [r["support"] for r in results.values() if "support" in r]
    found = known.get(case.name)
    if found is None:
        _, support = best_known.search(data["X"], data["y"], case.options["kappa"], supports)
        found = known[case.name] = support.tolist()
    for support in supports:
        if refit.least_squares(data["X"], data["y"], support) < refit.least_squares(data["X"], data["y"], found) * (1 - 1e-12):
            found = known[case.name] = support
    with open(KNOWN[-1], "w", encoding="utf-8") as file:
        file.write("{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(support)}" for name, support in sorted(known.items())) + "\n}\n")
    for r in results.values():
        if "objective" in r:
            r["best_known"] = refit.least_squares(data["X"], data["y"], found)


def records(case, results, ratio):
    if case.group:
        return []  # one of many: see summary
    made, ours, abess = [], results.get("gamut", {}), results.get("abess", {})

    def add(metric, value):
        made.append({"case": case.name, "metric": metric, "value": value, "goal": GOALS.get(metric)})

    if "objective" in ours and "objective" in abess:
        add("time_over_abess", ratio(ours, abess))
        add("objective_minus_abess_relative", (ours["objective"] - abess["objective"]) / abs(abess["objective"]))
    if "objective" in ours:
        add("support_f1", ours["support_f1"])
        lean = table.leanest(results)
        if lean:
            add("peak_memory_over_peer", ours["memory"] / max(lean, 1))
    return made


def summary(everything, ratio):
    """The rows of the table of hard instances: over the seeds, the mean gap to the best known and how often it was hit, of each
    library, and on how many seeds gamut was worse: at its end, and when the other was done."""
    made = []
    for row in instances.HARD:
        of_row = [results for case, results in everything if case.group == row]

        def add(metric, value, goal=None, row=row):
            made.append({"case": row, "metric": metric, "value": float(value), "goal": goal})

        for name in ["gamut", "abess", "l0learn"]:
            mine = [r[name] for r in of_row if "best_known" in r.get(name, {})]
            if not mine:
                continue
            gaps = [r["objective"] / r["best_known"] - 1 for r in mine]
            suffix = "" if name == "gamut" else f"_{name}"
            add(f"gap_to_best_known{suffix}", np.mean(gaps), GAP_GOALS[row] if name == "gamut" else None)
            add(f"hit_rate{suffix}", np.mean([gap < 1e-9 for gap in gaps]))
            add(f"support_f1{suffix}", np.mean([r["support_f1"] for r in mine]))
            both = [(r["gamut"], r[name]) for r in of_row if "objective" in r.get("gamut", {}) and "objective" in r.get(name, {})]
            if name == "gamut" or not both:
                continue
            add(f"seeds_worse_than_{name}", sum(g["objective"] > o["objective"] * (1 + 1e-9) for g, o in both), 0)
            then = [(table.at_time(g.get("trace", []), o["seconds"][0]), o["objective"]) for g, o in both]
            add(f"seeds_worse_than_{name}_in_its_time", sum(g is None or g > o * (1 + 1e-9) for g, o in then), 0)
            add(f"time_over_{name}", np.median([ratio(g, o) for g, o in both]))
            if name == "abess":
                add("objective_minus_abess_relative", np.mean([g["objective"] / o["objective"] - 1 for g, o in both]), 0.0)
    return made
