# SPDX-License-Identifier: BSL-1.0
"""How the others are asked (benchmarks/peers/worker.py runs this in their own processes). The r-th call of a fit has the seed r."""
import itertools
import os
import time

import numpy as np

FITS = {}  # filled below: library -> prepare(X, y, options, threads)
INSTALLED_AS = {"implicit_cg": "implicit", "sklearn_randomised": "sklearn", "sklearn_batches": "sklearn", "metric_learn_itml": "metric_learn",
                "metric_learn_mmc": "metric_learn", "metric_learn_nca": "metric_learn"}


def test_rows(options):
    X = np.fromfile(os.path.join(options["arrays"], "T.bin"))
    return X.reshape(-1, options["columns"])


def seeds():
    return itertools.count()


def learner(estimator, attribute):
    """A fit of estimator(seed), whose answer is an attribute."""
    def prepare(X, y, options, threads):
        counted = seeds()

        def fit():
            found = estimator(options, threads, next(counted)).fit(X, y)
            return lambda: (getattr(found, attribute), [])
        return fit
    return prepare


def classifier(estimator):
    """A fit, then the classes of the test rows."""
    def prepare(X, y, options, threads):
        counted, T = seeds(), test_rows(options)

        def fit():
            found = estimator(options, threads, next(counted)).fit(X, y)

            def answer():
                start, processor = time.perf_counter(), time.process_time()
                classes = found.predict(T)
                seconds, processor = time.perf_counter() - start, time.process_time() - processor
                return classes, [], {"predict_seconds": seconds, "predict_processor_seconds": processor}
            return answer
        return fit
    return prepare


def sklearn_k_means(options, threads, seed):
    from sklearn.cluster import KMeans
    return KMeans(options["k"], n_init=1, max_iter=300, tol=0, random_state=seed)  # as gamut: to a local minimum


def sklearn_nmf(options, threads, seed):
    from sklearn.decomposition import NMF
    return NMF(options["k"], init="random", solver="cd", random_state=seed)


def sklearn_dictionary(options, threads, seed):
    from sklearn.decomposition import DictionaryLearning
    # one job: starting processes for these few rows costs more than they bring
    return DictionaryLearning(options["k"], alpha=options["lambda"], fit_algorithm="cd", transform_algorithm="lasso_cd", random_state=seed)


def sklearn_dictionary_by_batches(options, threads, seed):
    from sklearn.decomposition import MiniBatchDictionaryLearning
    return MiniBatchDictionaryLearning(options["k"], alpha=options["lambda"], fit_algorithm="cd", transform_algorithm="lasso_cd", random_state=seed)


def sklearn_pca(solver):
    def estimator(options, threads, seed):
        from sklearn.decomposition import PCA
        return PCA(options["k"], svd_solver=solver, random_state=seed)
    return estimator


def sklearn_forest(options, threads, seed):
    from sklearn.ensemble import RandomForestClassifier
    return RandomForestClassifier(100, n_jobs=threads, random_state=seed)


def sklearn_nearest(options, threads, seed):
    from sklearn.neighbors import KNeighborsClassifier
    return KNeighborsClassifier(5, algorithm="brute", n_jobs=threads)


def by_task(**prepare_of):
    return lambda X, y, options, threads: prepare_of[options["task"]](X, y, options, threads)


FITS["sklearn"] = by_task(
    k_means=learner(sklearn_k_means, "cluster_centers_"), nonnegative_factorisation=learner(sklearn_nmf, "components_"),
    sparse_coding=learner(sklearn_dictionary, "components_"), principal_components=learner(sklearn_pca("auto"), "components_"),
    random_forest=classifier(sklearn_forest), nearest=classifier(sklearn_nearest))
FITS["sklearn_randomised"] = learner(sklearn_pca("randomized"), "components_")
FITS["sklearn_batches"] = learner(sklearn_dictionary_by_batches, "components_")


def faiss_k_means(X, y, options, threads):
    import faiss

    faiss.omp_set_num_threads(threads)
    x, counted = np.ascontiguousarray(X, dtype=np.float32), seeds()  # it knows single precision only

    def fit():
        found = faiss.Kmeans(x.shape[1], options["k"], niter=25, seed=next(counted) + 1, max_points_per_centroid=len(x))
        found.train(x)
        return found.centroids, []
    return fit


FITS["faiss"] = faiss_k_means


def implicit_als(by_conjugate_gradients):
    def prepare(X, y, options, threads):
        from implicit.als import AlternatingLeastSquares

        counted = seeds()
        X = X.copy()
        X.data = 1 + options["alpha"] * X.data  # what it calls confidence

        def fit():
            found = AlternatingLeastSquares(factors=options["rank"], regularization=options["lambda"], alpha=1.0, dtype=np.float64,
                                            use_native=True, use_cg=by_conjugate_gradients, iterations=options["sweeps"], num_threads=threads,
                                            random_state=next(counted))
            found.fit(X, show_progress=False)
            return np.vstack([found.user_factors, found.item_factors]), []
        return fit
    return prepare


FITS["implicit"], FITS["implicit_cg"] = implicit_als(False), implicit_als(True)


def tomotopy_topics(X, y, options, threads):
    """Tokens with the topics that they end with; the time is that of the sweeps alone."""
    import tomotopy

    counted, X = seeds(), X.tocsr()
    documents = [np.repeat(X.indices[a:b], X.data[a:b].astype(int)) for a, b in zip(X.indptr, X.indptr[1:])]
    texts = [[str(w) for w in words] for words in documents]

    def fit():
        model = tomotopy.LDAModel(k=options["k"], alpha=options["alpha"], eta=options["beta"], seed=next(counted) + 1)
        model.optim_interval = 0  # the priors stay, as gamut's do
        for words in texts:
            model.add_doc(words)
        processor, start = time.process_time(), time.perf_counter()
        model.train(options["sweeps"], workers=threads)
        seconds, processor = time.perf_counter() - start, time.process_time() - processor

        def answer():
            number = np.array([int(word) for word in model.vocabs])
            tokens = [(number[np.asarray(one.words)], np.full(len(one.words), d), np.asarray(one.topics)) for d, one in enumerate(model.docs)]
            return np.concatenate([np.concatenate(part) for part in zip(*tokens)]), [], {"seconds": seconds, "processor_seconds": processor}
        return answer
    return fit


FITS["tomotopy"] = tomotopy_topics


def metric(name, **arguments):
    def estimator(options, threads, seed):
        import metric_learn

        if name == "NCA":
            arguments["n_components"] = options.get("rank")
        return getattr(metric_learn, name)(random_state=seed, **arguments)
    return learner(estimator, "components_")


FITS["metric_learn_itml"] = metric("ITML_Supervised")
FITS["metric_learn_mmc"] = metric("MMC_Supervised")
FITS["metric_learn_nca"] = metric("NCA")
