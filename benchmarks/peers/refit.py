# SPDX-License-Identifier: BSL-1.0
"""Exact refits on a support, so that no library grades itself: the objective of a support is the least the loss can be on it.
All losses are means over rows (least squares: half), plus l2/2 |w|^2; the intercept is free or absent."""
import numpy as np


def f1(support, true):
    """2 |S and T| / (|S| + |T|)."""
    return 2 * len(np.intersect1d(support, true)) / max(1, len(support) + len(true))


def least_squares(X, y, support, l2=0.0, intercept=True):
    Z, r = X[:, np.sort(np.asarray(support, dtype=int))], y
    if intercept:
        Z, r = Z - Z.mean(axis=0), y - y.mean()
    n = len(y)
    if l2 > 0:  # as rows of their own
        Z, r = np.vstack([Z, np.sqrt(n * l2) * np.eye(Z.shape[1])]), np.concatenate([r, np.zeros(Z.shape[1])])
    if Z.shape[1]:
        Q, _ = np.linalg.qr(Z)
        r = r - Q @ (Q.T @ r)
        r = r - Q @ (Q.T @ r)
    return 0.5 * float(r @ r) / n


def logistic(X, y, support, l2=0.0, intercept=True, iterations=100):
    """Newton with halving, from 0. y is 0 or 1."""
    Z = X[:, np.sort(np.asarray(support, dtype=int))]
    penalty = np.full(Z.shape[1] + intercept, l2)
    if intercept:
        Z = np.column_stack([Z, np.ones(len(y))])
        penalty[-1] = 0

    def value(w):
        eta = Z @ w
        return float(np.mean(np.logaddexp(0, eta) - y * eta)) + 0.5 * float(penalty @ (w * w))

    w = np.zeros(Z.shape[1])
    now = value(w)
    for _ in range(iterations):
        probability = 1 / (1 + np.exp(-np.clip(Z @ w, -700, 700)))
        gradient = Z.T @ (probability - y) / len(y) + penalty * w
        if np.abs(gradient).max(initial=0) < 1e-12:
            break
        curvature = probability * (1 - probability)
        H = (Z * curvature[:, None]).T @ Z / len(y) + np.diag(penalty + 1e-14)
        step = np.linalg.solve(H, gradient)
        length = 1.0
        while length > 1e-8 and not value(w - length * step) < now:
            length /= 2
        if length <= 1e-8:
            break
        w, now = w - length * step, value(w - length * step)
    return now


def softmax(X, y, W, b=None, l2=0.0, iterations=60):
    """On the entries of W (p x c) that are not 0, started from it: truncated Newton. y holds 0..c-1; b is None without an intercept.
    Returns (mean log-loss, the same + l2/2 |W|^2)."""
    n, c = len(y), W.shape[1]
    mask, intercept = W != 0, b is not None
    rows = np.flatnonzero(mask.any(axis=1))
    Z, mask = X[:, rows], mask[rows]
    if intercept:
        Z, mask = np.column_stack([Z, np.ones(n)]), np.vstack([mask, np.ones((1, c), dtype=bool)])
    penalty = np.full((len(mask), 1), l2)
    V = np.vstack([W[rows], np.reshape(b, (1, c))]) if intercept else W[rows].copy()
    if intercept:
        penalty[-1] = 0
    each = np.arange(n)

    def value(V):
        eta = Z @ V
        top = eta.max(axis=1, keepdims=True)
        spread = np.exp(eta - top)
        total = spread.sum(axis=1, keepdims=True)
        loss = float(np.mean(np.log(total[:, 0]) + top[:, 0] - eta[each, y]))
        return loss, loss + 0.5 * float((penalty * V * V).sum()), spread / total

    loss, now, P = value(V)
    for _ in range(iterations):
        R = P.copy()
        R[each, y] -= 1
        gradient = mask * (Z.T @ R / n + penalty * V)
        size = np.linalg.norm(gradient)
        if size < 1e-9:
            break

        def hessian(D):
            M = Z @ D
            M = P * M - P * (P * M).sum(axis=1, keepdims=True)
            return mask * (Z.T @ M / n + penalty * D)

        step, r = np.zeros_like(V), -gradient  # conjugate gradients
        d, rr = r.copy(), float((r * r).sum())
        for _ in range(100):
            h = hessian(d)
            curvature = float((d * h).sum())
            if curvature <= 1e-16 * float((d * d).sum()):
                break
            a = rr / curvature
            step, r = step + a * d, r - a * h
            before, rr = rr, float((r * r).sum())
            if np.sqrt(rr) < min(0.1, np.sqrt(size)) * size:
                break
            d = r + rr / before * d
        length = 1.0
        while length > 1e-6:
            trial = value(V + length * step)
            if trial[1] < now:
                break
            length /= 2
        if length <= 1e-6:
            break
        V = V + length * step
        gained = now - trial[1]
        loss, now, P = trial
        if gained < 1e-11 * abs(now):
            break
    return loss, now
