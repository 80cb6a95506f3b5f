# SPDX-License-Identifier: BSL-1.0
"""benchmarks/peers: its files compile, and its arithmetic on measured numbers gives known answers. The exact refits that judge all
libraries are checked against closed forms where numpy is there (this python's, or that of build/peers)."""
import glob
import importlib.util
import json
import os
import subprocess
import sys
import unittest

root = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
peers = os.path.join(root, "benchmarks", "peers")


def load(name):
    spec = importlib.util.spec_from_file_location(f"peers_{name}", os.path.join(peers, f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


table = load("table")


class Files(unittest.TestCase):
    def test_all_compile(self):
        files = glob.glob(os.path.join(peers, "*.py")) + [os.path.join(root, "benchmarks", "peers.py")]
        self.assertGreater(len(files), 10)
        for path in files:
            with open(path, encoding="utf-8") as file:
                compile(file.read(), path, "exec")

    def test_known_supports_fit_their_instances(self):
        with open(os.path.join(peers, "best_known.json"), encoding="utf-8") as file:
            known = json.load(file)
        rows = {}
        for name, support in known.items():
            row, _, seed = name.rpartition(", seed ")
            rows.setdefault(row, set()).add(int(seed))
            columns = int(row.split(" p")[1].split()[0])
            kappa = int(row.rsplit("k", 1)[1])
            self.assertEqual(len(set(support)), kappa, name)
            self.assertTrue(all(0 <= j < columns for j in support), name)
        self.assertEqual({row: len(seeds) for row, seeds in rows.items()}, {row: 20 for row in rows})
        self.assertEqual(len(rows), 4)

    def test_readme_names_every_metric_with_its_goal(self):
        with open(os.path.join(peers, "README.md"), encoding="utf-8") as file:
            readme = file.read()
        for metric in ("time_over_abess", "objective_minus_abess_relative", "time_over_best_convex_peer", "support_f1", "peak_memory_over_peer"):
            self.assertIn(f"`{metric}`", readme)


class Numbers(unittest.TestCase):
    def test_ratio_is_the_median_of_pairs_not_the_ratio_of_medians(self):
        ours, theirs = {"seconds": [1.0, 2.0, 9.0]}, {"seconds": [2.0, 8.0, 3.0]}
        self.assertEqual(table.ratio(ours, theirs), 0.5)  # of .5, .25, 3; the medians' ratio is 2/3

    def test_ratio_takes_the_pairs_there_are(self):
        self.assertEqual(table.ratio({"seconds": [1.0, 2.0, 3.0]}, {"seconds": [4.0]}), 0.25)

    def test_fastest_has_an_answer_and_is_not_gamut(self):
        results = {"gamut": {"seconds": [0.1], "objective": 1.0}, "slow": {"seconds": [3.0], "objective": 1.0},
                   "wrong": {"seconds": [0.2], "error": "the gap is 1"}, "good": {"seconds": [9.0, 1.0, 1.0], "objective": 1.0}, "gone": {"seconds": []}}
        self.assertEqual(table.fastest(results), "good")
        self.assertIsNone(table.fastest({"gamut": results["gamut"]}))

    def test_leanest(self):
        self.assertEqual(table.leanest({"gamut": {"memory": 1}, "a": {"memory": 5}, "b": {"memory": 3}, "c": {}}), 3)
        self.assertIsNone(table.leanest({"gamut": {"memory": 1}}))

    def test_traces(self):
        trace = [[0.1, 1.0, 500], [0.5, 4.0, 10], [0.7, 3.0, 10], [0.9, 2.0, 10]]
        self.assertIsNone(table.at_time(trace, 0.05))
        self.assertEqual(table.at_time(trace, 0.6), 1.0)
        self.assertEqual(table.at_time(trace, 0.75, 10), 3.0)
        self.assertEqual(table.time_to(trace, 3.5), 0.1)
        self.assertEqual(table.time_to(trace, 3.5, 10), 0.7)  # too many non-zeros are no answer
        self.assertIsNone(table.time_to(trace, 1.5, 10))

    def test_marks(self):
        self.assertEqual(table.mark({"value": 9.0}), "")
        self.assertEqual(table.mark({"value": 1.0, "goal": 1.0, "limit": 1.5}), "")
        self.assertEqual(table.mark({"value": 1.2, "goal": 1.0, "limit": 1.5}), "missed")
        self.assertEqual(table.mark({"value": 1.6, "goal": 1.0, "limit": 1.5}), "beyond the limit")
        self.assertEqual(table.mark({"value": float("nan"), "goal": 1.0}), "missed")

    def test_markdown_has_a_row_for_each_case_and_record(self):
        text = table.markdown({"processor": "P", "threads": 2}, {"found": {"a": {"version": "1"}}},
                              [{"case": "c", "metric": "m", "value": 2.0, "goal": 1.0}],
                              [{"case": "c", "results": {"gamut": {"seconds": [1, 3, 2]}, "a": {"seconds": [], "error": "gone"}}},
                               {"case": "one of many", "group": "g", "results": {"gamut": {"seconds": [1]}}}])
        self.assertIn("| c | 2 | - |", text)
        self.assertIn("| c | `m` | 2 | at most 1 | missed |", text)
        self.assertNotIn("one of many", text)


JUDGE = r"""
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
import best_known, refit

# orthogonal columns: y = mean + sum of projections, so the best support and its objective are known
H = np.array([[1, 1], [1, -1]])
X = np.kron(np.kron(H, H), H)[:, 1:].astype(float)
y = np.array([3, -1, 4, 1, -5, 9, 2, -6], dtype=float)
rss = {0: 166.875, 1: 100.75, 2: 45.625, 3: 24.5, 4: 9.375, 5: 3.25, 6: 0.125, 7: 0}
order = np.argsort(-np.abs(X.T @ y))
for kappa, expected in rss.items():
    assert abs(refit.least_squares(X, y, order[:kappa]) - expected / 16) < 1e-12, kappa
for kappa in (2, 3, 4):
    value, support = best_known.search(X, y, kappa, perturbations=5)
    assert abs(value - rss[kappa] / 16) < 1e-9 and set(support) == set(order[:kappa]), kappa

# a ridge on one centred column: w = c / (g + l2)
x = X[:, :1]
g, c, yy = 1.0, float(x[:, 0] @ y) / 8, float(((y - y.mean()) ** 2).mean())
assert abs(refit.least_squares(x, y, [0], l2=0.5) - 0.5 * (yy - c * c / (g + 0.5))) < 1e-12

# logistic on a binary column: the fit says the frequencies of both halves
x = np.repeat([0.0, 1.0], 8)[:, None]
y = np.array([1, 0, 0, 0, 0, 0, 1, 0] + [1, 1, 1, 0, 1, 1, 0, 1], dtype=float)
entropy = lambda q: -q * np.log(q) - (1 - q) * np.log(1 - q)
assert abs(refit.logistic(x, y, [0]) - (entropy(.25) + entropy(.75)) / 2) < 1e-12
assert abs(refit.logistic(x, y, []) - entropy(.5)) < 1e-12

# softmax with two classes and one weight row is the logistic fit of the weights' difference
W = np.array([[0.3, -0.1]])
loss, objective = refit.softmax(x, y.astype(int), W, np.zeros(2))
assert abs(loss - refit.logistic(x, y, [0])) < 1e-9 and loss == objective
assert refit.f1([1, 2, 3], [2, 3, 4, 5]) == 2 * 2 / 7
print("the judge is right")
"""


class Judge(unittest.TestCase):
    def test_refits_give_known_answers(self):
        for python in (os.path.join(root, "build", "peers", "bin", "python"), sys.executable):
            if os.path.exists(python) and subprocess.run([python, "-c", "import numpy"], capture_output=True, check=False).returncode == 0:
                break
        else:
            self.skipTest("numpy is not there (scripts/bench peers installs it in build/peers)")
        done = subprocess.run([python, "-c", JUDGE, peers], capture_output=True, text=True, check=False,
                              env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"})
        self.assertEqual(done.stdout.strip(), "the judge is right", done.stderr)


if __name__ == "__main__":
    unittest.main()
