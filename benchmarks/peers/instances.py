# SPDX-License-Identifier: BSL-1.0
"""The instances that all libraries are given: seeded numpy generators. Each returns a dictionary with
X (n x p, row-major, float64), y, kappa, true (the generating support, or None), l2, model ("linear", "logistic", "softmax").

abess_setting   the generator of abess (make_glm_data), which skscope's paper uses too: kappa coefficients at random places, random signs,
                m = 5 sqrt(2 log p / n); linear: |coefficient| ~ U(m, 100 m), noise N(0, 1); logistic: U(2 m, 10 m), the linear predictor
                clipped to [-30, 30]. Rows are N(0, I) or AR(rho): corr(x_j, x_k) = rho^|j-k|.
hard            the rows of the table in the design of the swap search: kappa coefficients of 1, equally spaced (Hastie, Tibshirani,
                Tibshirani 2020, "beta-type 1"), columns equi-correlated or AR, noise such that var(X b) / var(noise) = SNR (population
                variances). l2 = 0, columns as they are, an intercept.
digits, mnist10k  the digits that scikit-learn ships, and ten thousand images of MNIST where the two files are at hand
synthetic_images  54,000 x 784, 10 classes, like MNIST in what matters to a solver: pixels in [0, 1], four fifths of them 0, neighbours
                correlated, a border that is always 0
"""
import os

import numpy as np
from scipy.signal import lfilter


def _columns(rng, n, p, kind, rho):
    """Standard normal columns: iid, "ar" (corr rho^|j-k|) or "equi" (corr rho)."""
    X = rng.standard_normal((n, p))
    if kind == "ar":
        X[:, 1:] *= np.sqrt(1 - rho * rho)
        X = np.ascontiguousarray(lfilter([1.0], [1.0, -rho], X, axis=1))
    elif kind == "equi":
        X *= np.sqrt(1 - rho)
        X += np.sqrt(rho) * rng.standard_normal((n, 1))
    return X


def abess_setting(model, n, p, kappa, kind="iid", rho=0.0, seed=0):
    rng = np.random.default_rng(seed)
    X = _columns(rng, n, p, kind, rho)
    true = np.sort(rng.choice(p, kappa, replace=False))
    m = 5 * np.sqrt(2 * np.log(p) / n)
    low, high = (m, 100 * m) if model == "linear" else (2 * m, 10 * m)
    coefficients = rng.uniform(low, high, kappa) * rng.choice([-1.0, 1.0], kappa)
    eta = X[:, true] @ coefficients
    if model == "linear":
        y = eta + rng.standard_normal(n)
    else:
        y = (rng.uniform(size=n) < 1 / (1 + np.exp(-np.clip(eta, -30, 30)))).astype(float)
    return {"X": X, "y": y, "kappa": kappa, "true": true, "l2": 0.0, "model": model}


def linear(n, p, kappa, kind="iid", rho=0.0, seed=0):
    return abess_setting("linear", n, p, kappa, kind, rho, seed)


def logistic(n, p, kappa, kind="iid", rho=0.0, seed=0):
    return abess_setting("logistic", n, p, kappa, kind, rho, seed)


HARD = {  # name: (n, p, kappa, columns, rho, SNR)
    "equi .7, n500 p1000 k10": (500, 1000, 10, "equi", 0.7, 6.0),
    "AR .7, SNR 6, n100 p1000 k10": (100, 1000, 10, "ar", 0.7, 6.0),
    "AR .35, SNR 2, n100 p1000 k10": (100, 1000, 10, "ar", 0.35, 2.0),
    "equi .5, n200 p500 k25": (200, 500, 25, "equi", 0.5, 6.0),
}
HARD_SEEDS = 20


def hard(row, seed):
    """One instance of a row of the table (a key of HARD, or its position)."""
    n, p, kappa, kind, rho, snr = HARD[row] if isinstance(row, str) else list(HARD.values())[row]
    rng = np.random.default_rng(1000 + seed)
    X = _columns(rng, n, p, kind, rho)
    true = np.floor(np.arange(kappa) * (p / kappa)).astype(int)
    if kind == "equi":
        signal = kappa * (1 - rho) + rho * kappa * kappa
    else:
        signal = (rho ** np.abs(true[:, None] - true[None, :])).sum()
    y = X[:, true].sum(axis=1) + np.sqrt(signal / snr) * rng.standard_normal(n)
    return {"X": X, "y": y, "kappa": kappa, "true": true, "l2": 0.0, "model": "linear"}


BIG = {
    "squared n5000 p10000 k100 iid": lambda seed=0: linear(5000, 10000, 100, seed=seed),
    "squared n5000 p10000 k100 AR .7": lambda seed=0: linear(5000, 10000, 100, "ar", 0.7, seed),
    "logistic n5000 p10000 k100 iid": lambda seed=0: logistic(5000, 10000, 100, seed=seed),
    "logistic n5000 p10000 k100 AR .7": lambda seed=0: logistic(5000, 10000, 100, "ar", 0.7, seed),
}
SMALL = {
    f"{name} n{n} p{p} k{k}": (lambda seed=0, f=f, n=n, p=p, k=k: f(n, p, k, seed=seed))
    for name, f in (("squared", linear), ("logistic", logistic)) for n, p, k in ((500, 1000, 10), (2500, 5000, 50))
}


def digits():
    """The digits that scikit-learn ships: rows with i mod 5 != 0, pixels / 16, no intercept. l2 = 1e-4 of the mean loss."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    train = np.arange(len(y)) % 5 != 0
    return {"X": X[train] / 16, "y": y[train].astype(float), "X_test": X[~train] / 16, "y_test": y[~train]}


def mnist10k(folder):
    """The 10,000 test images of MNIST from the two .gz files in `folder`: rows with i mod 5 != 0, pixels / 255."""
    import gzip

    with gzip.open(os.path.join(folder, "t10k-images-idx3-ubyte.gz")) as file:
        X = np.frombuffer(file.read(), dtype=np.uint8, offset=16).reshape(-1, 784) / 255.0
    with gzip.open(os.path.join(folder, "t10k-labels-idx1-ubyte.gz")) as file:
        y = np.frombuffer(file.read(), dtype=np.uint8, offset=8)
    train = np.arange(len(y)) % 5 != 0
    return {"X": X[train], "y": y[train].astype(float), "X_test": X[~train], "y_test": y[~train]}


def synthetic_images(n=54000, side=28, classes=10, bumps=80, spread=0.9, seed=0):
    """Images of `classes` kinds. A picture is a sum of `bumps` Gaussian bumps (random centres off the border, 1.5 to 3 pixels wide) whose heights are
    its class's (N(0, spread^2) each, drawn once) plus N(0, 1), lowered by a threshold that leaves a fifth of the inner pixels positive, cut to
    [0, 1]. The outermost four pixels of every side are 0."""
    rng = np.random.default_rng(seed)
    grid = np.arange(side)
    centres, widths = rng.uniform(5, side - 5, (bumps, 2)), rng.uniform(1.5, 3, bumps)
    basis = np.exp(-((grid[None, :, None] - centres[:, 0, None, None]) ** 2 + (grid[None, None, :] - centres[:, 1, None, None]) ** 2)
                   / (2 * widths[:, None, None] ** 2))
    inner = np.zeros((side, side))
    inner[4:-4, 4:-4] = 1
    basis = (basis * inner).reshape(bumps, side * side)
    heights = spread * rng.standard_normal((classes, bumps))
    y = rng.integers(0, classes, n)
    X = (heights[y] + rng.standard_normal((n, bumps))) @ basis
    inside = inner.ravel() > 0
    X -= np.quantile(X[:2000, inside], 1 - 0.2 * side * side / inside.sum())
    X[:, ~inside] = 0
    np.clip(X, 0, 1, out=X)
    return {"X": X, "y": y.astype(float)}
