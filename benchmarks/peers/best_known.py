# SPDX-License-Identifier: BSL-1.0
"""The best objective known of a small least-squares best-subset problem: many starts, each brought to a support that no exchange of one
chosen column for another improves (exact gains, from the Gram matrix). A heuristic, and a slow one: it only serves as a common zero."""
import numpy as np


def half_mean_square(X, y, support):
    """min over w, b of 1/(2n) sum (y - X_S w - b)^2, by a QR factorisation of the columns of S."""
    support = np.asarray(support, dtype=int)
    Z = X[:, support] - X[:, support].mean(axis=0)
    r = y - y.mean()
    if support.size:
        Q, _ = np.linalg.qr(Z)
        r = r - Q @ (Q.T @ r)
        r = r - Q @ (Q.T @ r)
    return 0.5 * float(r @ r) / len(y)


class Gram:
    """Centred Gram matrix G = X'X/n, c = X'y/n, of columns scaled to deviation 1 (which no least-squares support sees)."""

    def __init__(self, X, y):
        X = X - X.mean(axis=0)
        scale = np.sqrt((X * X).mean(axis=0))
        X = X / np.where(scale > 0, scale, 1)
        y = y - y.mean()
        self.G, self.c, self.yy = X.T @ X / len(y), X.T @ y / len(y), float(y @ y) / len(y)

    def solve(self, S):
        """Q = G_SS^-1, w = Q c_S and the objective."""
        Q = np.linalg.inv(self.G[np.ix_(S, S)] + 1e-12 * np.eye(len(S)))
        w = Q @ self.c[S]
        return Q, w, 0.5 * (self.yy - float(self.c[S] @ w))

    def exchange(self, S, limit=1000):
        """Best exchange of one column after another until none improves. Returns the support and its objective.
        With M = G_:S Q, d = c - G_:S w, v_j = G_jj - sum_s M_js G_js, putting j in the place of s changes the objective by
            w_s^2 / (2 Q_ss)  -  (d_j + M_js w_s / Q_ss)^2 / (2 (v_j + M_js^2 / Q_ss))."""
        S = np.array(S)
        Q, w, objective = self.solve(S)
        for _ in range(limit):
            columns = self.G[:, S]
            M = columns @ Q
            d = self.c - columns @ w
            v = np.maximum(self.G.diagonal() - (M * columns).sum(axis=1), 0)
            q = Q.diagonal()
            below = v[:, None] + M * M / q
            change = w * w / (2 * q) - np.where(below > 1e-9, (d[:, None] + M * (w / q)) ** 2 / np.maximum(2 * below, 1e-18), 0)
            change[S] = np.inf
            j, s = np.unravel_index(np.argmin(change), change.shape)
            if change[j, s] >= -1e-13 * self.yy:
                break
            trial = S.copy()
            trial[s] = j
            Q_trial, w_trial, value = self.solve(trial)
            if not value < objective:
                break
            S, Q, w, objective = trial, Q_trial, w_trial, value
        return S, objective

    def forward(self, kappa):
        """The support that adding the best column again and again ends with."""
        S = np.array([int(np.argmax(self.c ** 2 / self.G.diagonal()))])
        while len(S) < kappa:
            Q, w, _ = self.solve(S)
            columns = self.G[:, S]
            v = self.G.diagonal() - ((columns @ Q) * columns).sum(axis=1)
            gain = np.where(v > 1e-9, (self.c - columns @ w) ** 2 / np.maximum(v, 1e-9), 0)
            gain[S] = -1
            S = np.append(S, int(np.argmax(gain)))
        return S


def search(X, y, kappa, starts=(), perturbations=300, seed=0):
    """Exchanges from forward selection, from the columns of the largest correlations, and from `starts`, then from perturbations of
    the best: a quarter to a half of its columns replaced by others, half of the time random ones. Returns (objective, support)."""
    gram, rng, p = Gram(X, y), np.random.default_rng(seed), X.shape[1]
    candidates = [gram.forward(kappa), np.argsort(-np.abs(gram.c))[:kappa]]
    candidates += [np.asarray(s, dtype=int) for s in starts if len(s) == kappa]
    local = [gram.exchange(s) for s in candidates]
    best, value = min(local, key=lambda pair: pair[1])
    current, current_value = best, value
    for round_ in range(perturbations):
        leave = rng.choice(kappa, int(rng.integers(max(1, kappa // 4), kappa // 2 + 1)), replace=False)
        kept = np.delete(current, leave)
        Q, w, _ = gram.solve(kept)
        score = (gram.c - gram.G[:, kept] @ w) ** 2
        score[kept] = -1
        pool = np.argsort(-score)[: 10 * kappa] if round_ % 2 else np.setdiff1d(np.arange(p), kept)
        S, v = gram.exchange(np.concatenate([kept, rng.choice(pool, len(leave), replace=False)]))
        if v < current_value * (1 + 0.02 * rng.random()):  # a little worse will do as the next place to start from
            current, current_value = S, v
        if v < value * (1 - 1e-12):
            best, value = S, v
    best = np.sort(best)
    return half_mean_square(X, y, best), best
