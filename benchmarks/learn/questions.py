# SPDX-License-Identifier: BSL-1.0
"""The questions that are put to gamut's learners and to others: data, what is asked, and what an answer is worth."""
import gzip
import os
import statistics
from dataclasses import dataclass, field
from typing import Callable, Optional

import numpy as np


@dataclass
class Question:
    name: str  # as it stands in the records
    make: Callable[[], Optional[dict]]  # X, y and perhaps X_test, y_test; None: the data are not at hand
    libraries: list  # keys of fits.FITS; those that are not installed are left out
    gamut: list  # arguments of gamut_learner
    options: dict = field(default_factory=dict)  # handed to the fits (numbers and texts only)
    judge: Optional[Callable] = None  # judge(data, raw numbers, options) -> what should be small; None: nothing can be compared
    goal: Optional[float] = None  # of over_peer
    objective_goal: Optional[float] = 0  # of objective_minus_peer_relative (of errors: of the difference)
    predict_goal: Optional[float] = None
    time: str = "seconds"  # what over_peer compares
    until: bool = False  # gamut's time is that until its objective is the other's
    errors: bool = False  # what is judged is a share of errors: differences, not relative ones
    repeats: int = 5
    tokens: bool = False  # words a second are compared, too
    alone: Optional[Callable] = None  # alone(what gamut measured) -> [(metric, value, goal)], without the others


def data_file(*parts):
    """A file below the folder that GAMUT_DATA_DIR names, or None."""
    path = os.path.join(os.environ.get("GAMUT_DATA_DIR", ""), *parts)
    return path if os.environ.get("GAMUT_DATA_DIR") and os.path.exists(path) else None


# ---- data ------------------------------------------------------------------------------------------------------------------------------

def mixture(n=20000, p=64, kinds=64, apart=0.7, seed=0):
    """Standard normal rows about `kinds` centres with coordinates apart N(0, 1)."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, kinds, n)
    return {"X": apart * rng.standard_normal((kinds, p))[y] + rng.standard_normal((n, p)), "y": y.astype(float)}


def apart(data, every=5):
    """Rows 0, every, 2 every, ... as a test."""
    test = np.arange(len(data["y"])) % every == 0
    return {"X": data["X"][~test], "y": data["y"][~test], "X_test": data["X"][test], "y_test": data["y"][test]}


def mnist():
    images, labels = data_file("mnist10k", "t10k-images-idx3-ubyte.gz"), data_file("mnist10k", "t10k-labels-idx1-ubyte.gz")
    if not images or not labels:
        return None
    with gzip.open(images) as file:
        X = np.frombuffer(file.read(), dtype=np.uint8, offset=16).reshape(-1, 784) / 255.0
    with gzip.open(labels) as file:
        return {"X": X, "y": np.frombuffer(file.read(), dtype=np.uint8, offset=8).astype(float)}


def olivetti():
    import scipy.io

    path = data_file("olivetti", "olivettifaces.mat")
    return {"X": scipy.io.loadmat(path)["faces"].T / 255.0, "y": np.zeros(400)} if path else None


def letters():
    path = data_file("letterrecognition", "letterrecognition.csv.gz")
    if not path:
        return None
    with gzip.open(path, "rt") as file:
        rows = [line.strip().replace('"', "").split(",") for line in file]
    at = next(j for j, cell in enumerate(rows[1]) if cell.isalpha())
    numbers = [j for j in range(len(rows[1])) if j != at]
    return apart({"X": np.array([[float(r[j]) for j in numbers] for r in rows[1:]]), "y": np.array([ord(r[at]) - 65.0 for r in rows[1:]])})


def digits(rows=None):
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return {"X": X[:rows] / 16, "y": y[:rows].astype(float)}


def iris():
    from sklearn.datasets import load_iris

    X, y = load_iris(return_X_y=True)
    return {"X": (X - X.mean(0)) / X.std(0), "y": y.astype(float)}


def docword(*parts):
    """A table of counts as UCI writes it: rows, columns, entries, then `row column count`."""
    import scipy.sparse

    path = data_file(*parts)
    if not path:
        return None
    with gzip.open(path, "rt") as file:
        numbers = np.array(file.read().split(), dtype=int)
    i, j, counts = numbers[3:].reshape(-1, 3).T
    return scipy.sparse.csr_matrix((counts.astype(float), (i - 1, j - 1)), shape=numbers[:2])


def associated_press():
    X = docword("ap", "docword.ap.txt.gz")
    return None if X is None else {"X": X, "y": np.zeros(X.shape[0])}


def documents(n=10000, words=20000, topics=100, length=150, seed=0):
    """What latent Dirichlet allocation says documents are: theta ~ Dirichlet(.1), phi ~ Dirichlet(.05) times Zipf's law."""
    import scipy.sparse

    rng = np.random.default_rng(seed)
    law = 1 / (10 + np.arange(words))
    ends = []
    for _ in range(topics):
        phi = rng.gamma(0.05, size=words) * law
        ends.append(np.cumsum(phi / phi.sum()))
    theta = rng.dirichlet(np.full(topics, 0.1), n)
    rows, columns = [], []
    for d in range(n):
        for k, count in enumerate(rng.multinomial(length, theta[d])):
            if count:
                rows.append(np.full(count, d))
                columns.append(np.minimum(np.searchsorted(ends[k], rng.random(count)), words - 1))
    X = scipy.sparse.coo_matrix((np.ones(n * length), (np.concatenate(rows), np.concatenate(columns))), shape=(n, words)).tocsr()
    X.sum_duplicates()
    return {"X": X, "y": np.zeros(n)}


def blogs():
    X, path = docword("poliblog", "docword.poliblog.txt.gz"), data_file("poliblog", "ratings.txt")
    if X is None or not path:
        return None
    with open(path, encoding="ascii") as file:
        y = np.array([float(line) for line in file])
    test = np.arange(len(y)) % 5 == 0
    return {"X": X[~test], "y": y[~test], "X_test": X[test].toarray(), "y_test": y[test]}


def labelled_documents(n=1500, seed=0):
    """Documents of which a class has a topic of its own, with a fifth of the words; the others are of ten common topics."""
    import scipy.sparse

    rng = np.random.default_rng(seed)
    y = rng.integers(0, 4, n)
    phi = rng.dirichlet(np.full(1000, 0.05), 14)
    X = np.zeros((n, 1000))
    for d in range(n):
        theta = np.concatenate([np.zeros(4), 0.8 * rng.dirichlet(np.full(10, 0.3))])
        theta[y[d]] = 0.2
        X[d] = rng.multinomial(60, theta @ phi)
    split = apart({"X": X, "y": y.astype(float)})
    return {**split, "X": scipy.sparse.csr_matrix(split["X"])}


def ratings(n=5000, p=2000, entries=200000, rank=10, seed=0):
    """1 to 5 stars of a product of normal factors and noise, at different places drawn at random."""
    import scipy.sparse

    rng = np.random.default_rng(seed)
    u, v = rng.standard_normal((n, rank)) / np.sqrt(rank), rng.standard_normal((p, rank))
    place = rng.choice(n * p, entries, replace=False)
    i, j = place // p, place % p
    stars = np.clip(np.round(3 + np.einsum("er,er->e", u[i], v[j]) + 0.3 * rng.standard_normal(entries)), 1, 5)
    return {"X": scipy.sparse.csr_matrix((stars, (i, j)), shape=(n, p)), "y": np.zeros(n)}


def parts(n=2000, p=400, rank=20, seed=0):
    """Sparse nonnegative parts and codes, with noise of at least 0."""
    rng = np.random.default_rng(seed)
    codes, basis = rng.exponential(1, (n, rank)) * (rng.random((n, rank)) < 0.3), rng.exponential(1, (rank, p)) * (rng.random((rank, p)) < 0.2)
    return {"X": codes @ basis + 0.1 * rng.random((n, p)), "y": np.zeros(n)}


def falling(n=20000, p=200, seed=0):
    """Normal rows whose k-th standard deviation along a random basis is k^-1/2."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.standard_normal((p, p)))[0]
    return {"X": (rng.standard_normal((n, p)) / np.sqrt(np.arange(1, p + 1))) @ basis, "y": np.zeros(n)}


# ---- what answers are worth ------------------------------------------------------------------------------------------------------------

def squares_to_centres(data, raw, options):
    X = data["X"]
    centres = raw.reshape(-1, X.shape[1])
    d2 = (X ** 2).sum(1)[:, None] - 2 * X @ centres.T + (centres ** 2).sum(1)
    return float(((X - centres[d2.argmin(1)]) ** 2).sum())


def choices(data, raw, options):
    """1/2 sum over all entries c (p - u'v)^2 + lambda / 2 (|U|^2 + |V|^2), p: whether it is given, c: 1 + alpha times how much"""
    X = data["X"].tocoo()
    factors = raw.reshape(-1, options["rank"])
    u, v = factors[: X.shape[0]], factors[X.shape[0]:]
    x = np.einsum("er,er->e", u[X.row], v[X.col])
    loss = ((u.T @ u) * (v.T @ v)).sum() + ((1 + options["alpha"] * X.data) * (1 - x) ** 2 - x ** 2).sum()
    return float(loss / 2 + options["lambda"] / 2 * (factors ** 2).sum())


def nonnegative_error(data, raw, options):
    """1/2 |X - WH|^2 for these parts H and the best W >= 0 (200 rounds of coordinate descent)."""
    X = data["X"]
    H = raw.reshape(-1, X.shape[1])
    G, Z = H @ H.T, X @ H.T
    W = np.maximum(Z, 0) / np.maximum(np.diag(G).sum(), 1e-300)
    for _ in range(200):
        for k in range(len(H)):
            if G[k, k] > 0:
                W[:, k] = np.maximum(0, W[:, k] + (Z[:, k] - W @ G[:, k]) / G[k, k])
    return float(((X - W @ H) ** 2).sum() / 2) if (H >= 0).all() else float("inf")


def coding_cost(data, raw, options):
    """sum 1/2 |x - c'D|^2 + lambda |c|_1 at the best codes for this dictionary, with atoms scaled to at most 1."""
    from sklearn.decomposition import sparse_encode

    X = data["X"]
    D = raw.reshape(-1, X.shape[1])
    D = D / np.maximum(1, np.sqrt((D ** 2).sum(1)))[:, None]
    codes = sparse_encode(X, D, algorithm="lasso_cd", alpha=options["lambda"], max_iter=10000)
    return float(((X - codes @ D) ** 2).sum() / 2 + options["lambda"] * np.abs(codes).sum())


def squares_beside(data, raw, options):
    """What lies beside the subspace, of the rows about their mean."""
    X = data["X"] - data["X"].mean(0)
    q = np.linalg.qr(raw.reshape(-1, X.shape[1]).T)[0]
    return float((X ** 2).sum() - ((X @ q) ** 2).sum())


def couples_in_wrong_order(data, raw, options):
    """How often a pair of one class is not nearer than one of different classes (1 - area under the curve), over at most 200,000 pairs."""
    X, y = data["X"], data["y"]
    rows = X @ raw.reshape(-1, X.shape[1]).T
    i, j = np.triu_indices(len(X), 1)
    if len(i) > 200000:
        taken = np.random.default_rng(0).choice(len(i), 200000, replace=False)
        i, j = i[taken], j[taken]
    d2, same = ((rows[i] - rows[j]) ** 2).sum(1), y[i] == y[j]
    order = np.argsort(d2, kind="stable")
    rank = np.empty(len(order))
    rank[order] = np.arange(1, len(order) + 1)
    s = same.sum()
    return float((rank[same].sum() - s * (s + 1) / 2) / (s * (len(same) - s)))


def negative_likelihood(data, raw, options):
    """-log p(words, topics) per word, Griffiths and Steyvers, PNAS 2004: of all tokens (words, documents, topics), or gamut's own number."""
    from scipy.special import gammaln

    if raw.size == 1:
        return float(raw[0])
    word, document, topic = raw.astype(int).reshape(3, -1)
    (n, v), k, alpha, beta = data["X"].shape, options["k"], options["alpha"], options["beta"]

    def rising(a, counts):
        return (gammaln(a + counts) - gammaln(a)).sum()

    of_word, of_document = np.bincount(topic * v + word, minlength=k * v), np.bincount(document * k + topic, minlength=n * k)
    log = rising(beta, of_word) - rising(v * beta, np.bincount(topic, minlength=k))
    log += rising(alpha, of_document) - rising(k * alpha, np.bincount(document, minlength=n))
    return float(-log / word.size)


def slowdown(measured):
    times = [many / few for many, few in zip(measured["sweep_seconds"], measured["fewer_sweep_seconds"])]
    return [("slowdown_1000_topics", statistics.median(times), 1.5)]


def two_steps(measured):
    """Beside topics without labels and a support vector machine on them."""
    ours, theirs = statistics.mean(measured["objective"]), statistics.mean(measured["two_steps_error"])
    return [("error", ours, None), ("error_minus_two_steps", ours - theirs, 0),
            ("over_two_steps", statistics.median(a / b for a, b in zip(measured["seconds"], measured["two_steps_seconds"])), None)]


def wrong_classes(data, raw, options):
    return float((raw != data["y_test"]).mean())


# ---- the questions ---------------------------------------------------------------------------------------------------------------------

def questions():
    def ask(name, *arguments):
        return ["--learner", name, *[str(a) for a in arguments]]

    some = 0.002  # a local minimum is as good as another's within so much, on the mean of the runs
    k_means = dict(libraries=["sklearn", "faiss"], judge=squares_to_centres, goal=0.5, objective_goal=some, until=True)
    nmf = dict(libraries=["sklearn"], judge=nonnegative_error, goal=0.5, objective_goal=some, until=True)
    pca = dict(libraries=["sklearn", "sklearn_randomised"], judge=squares_beside, goal=0.5, objective_goal=1e-6)
    metric = dict(judge=couples_in_wrong_order, goal=0.5,
                  objective_goal=0.005, errors=True)
    topics = dict(libraries=["tomotopy"], judge=negative_likelihood, goal=0.5, objective_goal=some, until=True, tokens=True, repeats=3)

    def k(topics, sweeps):
        return {"task": "topics", "k": topics, "alpha": 0.1, "beta": 0.01, "sweeps": sweeps}
    nearest = dict(libraries=["sklearn"], judge=wrong_classes, goal=0.5, errors=True, objective_goal=0.001, time="predict_seconds")
    return [
        Question("k_means mixture 20000x64 k 64", mixture, gamut=ask("k_means", "--clusters", 64), options={"task": "k_means", "k": 64}, **k_means),
        Question("k_means MNIST 10000x784 k 10", mnist, gamut=ask("k_means", "--clusters", 10), options={"task": "k_means", "k": 10}, **k_means),
        Question("factorisation of choices 5000x2000, 200k, rank 16, 10 sweeps", ratings, ["implicit", "implicit_cg"],
                 ask("factorisation", "--rank", 16, "--lambda", 2, "--alpha", 1, "--sweeps", 10),
                 {"task": "factorisation", "rank": 16, "lambda": 2.0, "alpha": 1.0, "sweeps": 10}, choices, goal=0.7, objective_goal=some),
        Question("nonnegative_factorisation 2000x400 k 20", parts, gamut=ask("nonnegative_factorisation", "--rank", 20),
                 options={"task": "nonnegative_factorisation", "k": 20}, **nmf),
        Question("nonnegative_factorisation olivetti k 25", olivetti, gamut=ask("nonnegative_factorisation", "--rank", 25),
                 options={"task": "nonnegative_factorisation", "k": 25}, **nmf),
        Question("sparse_coding digits 1797x64 k 32", digits, ["sklearn", "sklearn_batches"],
                 ask("sparse_coding", "--atoms", 32, "--lambda", 0.5), {"task": "sparse_coding", "k": 32, "lambda": 0.5}, coding_cost, goal=0.5,
                 objective_goal=some, until=True, repeats=3),
        Question("metric iris 150x4", iris, ["metric_learn_itml", "metric_learn_mmc", "metric_learn_nca"], ask("metric"), {"task": "metric"}, **metric),
        # MMC takes minutes for 64 columns
        Question("metric digits 600x64 rank 16", lambda: digits(600), ["metric_learn_itml", "metric_learn_nca"], ask("metric", "--rank", 16),
                 {"task": "metric", "rank": 16}, repeats=3, **metric),
        Question("random_forest mixture 8000x20, 10 classes", lambda: apart(mixture(10000, 20, 10, 0.8)), ["sklearn"], ask("random_forest"),
                 {"task": "random_forest"}, wrong_classes, goal=1.0, objective_goal=0.005, predict_goal=0.5, errors=True, repeats=3),
        Question("random_forest letters 16000x16", letters, ["sklearn"], ask("random_forest"), {"task": "random_forest"}, wrong_classes, goal=1.0,
                 objective_goal=0.005, predict_goal=0.5, errors=True, repeats=3),
        Question("topics ap k 100", associated_press, gamut=ask("topics", "--count", 100, "--sweeps", 200), options=k(100, 200), **topics),
        Question("topics 10000 documents k 100", documents, gamut=ask("topics", "--count", 100, "--sweeps", 100), options=k(100, 100), **topics),
        Question("topics ap k 1000 metropolis", associated_press, [], ask("topics", "--count", 1000, "--fewer", 100, "--sweeps", 10, "--samples", 1, "--sampling", "metropolis"),
                 alone=slowdown),
        Question("topics 10000 documents k 1000 metropolis", documents, [],
                 ask("topics", "--count", 1000, "--fewer", 100, "--sweeps", 10, "--samples", 1, "--sampling", "metropolis"), alone=slowdown, repeats=3),
        Question("supervised_topics poliblog k 20", blogs, [], ask("supervised_topics"), judge=wrong_classes, errors=True, alone=two_steps, repeats=3),
        Question("supervised_topics 1200 documents, 4 classes", labelled_documents, [], ask("supervised_topics", "--count", 14), judge=wrong_classes,
                 errors=True, alone=two_steps, repeats=3),
        Question("principal_components 20000x200 k 10", falling, gamut=ask("principal_components", "--components", 10),
                 options={"task": "principal_components", "k": 10}, **pca),
        Question("principal_components olivetti k 20", olivetti, gamut=ask("principal_components", "--components", 20),
                 options={"task": "principal_components", "k": 20}, **pca),
        Question("nearest mixture 16000x64, 4000 asked", lambda: apart(mixture()), gamut=ask("nearest"), options={"task": "nearest"}, **nearest),
        Question("nearest MNIST 8000x784, 2000 asked", lambda: apart(mnist()) if mnist() else None, gamut=ask("nearest"),
                 options={"task": "nearest"}, **nearest),
    ]
