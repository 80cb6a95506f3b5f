# SPDX-License-Identifier: BSL-1.0
"""benchmarks/learn and benchmarks/networks: their files compile, the judges give answers that are known in closed form, and times are compared as
their README says (where numpy is there: this python's, or that of build/peers)."""
import glob
import os
import subprocess
import sys
import unittest

root = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
benchmarks = os.path.join(root, "benchmarks")

JUDGES = r"""
import os, sys
sys.path[:0] = [os.path.join(sys.argv[1], name) for name in ("learn", "peers")]
import numpy as np
import compare
import questions as q

def close(a, b):
    assert abs(a - b) <= 1e-12 * max(1, abs(b)), (a, b)

# rows 0, 2 and 10, 14: about 1 and 12 they have squares 1 + 1 + 4 + 4; a third centre takes nobody
line = {"X": np.array([[0.0], [2.0], [10.0], [14.0]]), "y": np.array([0.0, 0.0, 1.0, 1.0])}
close(q.squares_to_centres(line, np.array([1.0, 12.0, -9.0]), {}), 10)
# rows (t, 0): nothing lies beside the first axis, all of it (25 + ... = 4 t^2 about the mean) beside the second
flat = {"X": np.array([[-1.0, 0.0], [1.0, 0.0], [3.0, 0.0]]), "y": np.zeros(3)}
close(q.squares_beside(flat, np.array([2.0, 0.0]), {}), 0)
close(q.squares_beside(flat, np.array([0.0, 3.0]), {}), 8)
# 1/2 (x - wh)^2 with w >= 0: the row that points away from the part keeps all of its square
close(q.nonnegative_error({"X": np.array([[3.0, 0.0], [0.0, 2.0]])}, np.array([1.0, 0.0]), {}), 2)
assert q.nonnegative_error({"X": np.eye(2)}, np.array([-1.0, 0.0]), {}) == float("inf")
# one entry 3 of factors 1 and 2, lambda 1/2: (3 - 2)^2 / 2 + (1 + 4) / 4
import scipy.sparse
close(q.given_entries({"X": scipy.sparse.csr_matrix(np.array([[3.0]]))}, np.array([1.0, 2.0]), {"rank": 1, "lambda": 0.5}), 1.75)
# pairs: one of a class (0, 2: 2; 10, 14: 4), distances between classes 8, 10, 12, 14: none in the wrong order; with the axis turned to 0, half
close(q.couples_in_wrong_order(line, np.array([1.0]), {}), 0)
mixed = {"X": np.array([[0.0], [1.0], [3.0]]), "y": np.array([0.0, 1.0, 0.0])}  # same 3; others 1 and 2: always wrong
close(q.couples_in_wrong_order(mixed, np.array([1.0]), {}), 1)
close(q.wrong_classes({"y_test": np.array([1, 2, 3, 4])}, np.array([1.0, 2.0, 0.0, 0.0]), {}), 0.5)

# one word of two kinds, one document, two tokens in one topic of two: p = (beta (beta + 1)) / (2 beta (2 beta + 1)) alpha (alpha + 1) / (2 alpha (2 alpha + 1))
alpha, beta = 0.3, 0.7
p = beta * (beta + 1) / (2 * beta * (2 * beta + 1)) * alpha * (alpha + 1) / (2 * alpha * (2 * alpha + 1))
tokens = np.array([1.0, 1.0, 0.0, 0.0, 1.0, 1.0])  # words, documents, topics
close(q.negative_likelihood({"X": np.zeros((1, 2))}, tokens, {"k": 2, "alpha": alpha, "beta": beta}), -np.log(p) / 2)
close(q.negative_likelihood({"X": np.zeros((1, 2))}, np.array([9.5]), {}), 9.5)
close(q.slowdown({"sweep_seconds": [3.0, 8.0, 4.0], "fewer_sweep_seconds": [2.0, 4.0, 4.0]})[0][1], 1.5)

# until: the first iteration that is as good as the other's end; all of the time where there is none
until, whole = q.Question("a", None, [], [], until=True), q.Question("b", None, [], [])
ours = {"seconds": [4.0], "trace": [[[1.0, 9.0, 0], [2.0, 5.0, 0], [4.0, 3.0, 0]]], "objective": [3.0], "processor_seconds": [4.0], "memory": [1.0]}
for wanted, expected in ((9.0, 0.1), (6.0, 0.2), (3.0, 0.4), (2.0, 0.4)):
    close(compare.paired(until, ours, {"seconds": [10.0], "objective": [wanted]}, "seconds"), expected)
close(compare.paired(whole, ours, {"seconds": [10.0], "objective": [9.0]}, "seconds"), 0.4)
others = {"quick": {"seconds": [2.0], "objective": [6.0], "processor_seconds": [2.0], "memory": [2.0]},
          "slow": {"seconds": [8.0], "objective": [2.0], "processor_seconds": [8.0], "memory": [4.0]}, "gone": {"error": "why"}}
until.judge, until.goal = q.squares_to_centres, 0.5
found = {r["metric"]: r["value"] for r in compare.records_of(until, {"gamut": ours, **others})}
close(found["over_peer"], 1.0)  # 2 s until 6 beside 2 s; 4 s beside 8 s
close(found["over_slow"], 0.5)
close(found["objective_minus_peer_relative"], 0.5)  # beside the best
close(found["memory_over_peer"], 0.5)
words = q.Question("c", None, [], [], tokens=True, alone=lambda measured: [("twice", 2 * measured["seconds"][0], None)])
found = {r["metric"]: r for r in compare.records_of(words, {"gamut": ours, **others})}
close(found["tokens_per_second_over_peer"]["value"], 0.5)  # 4 s beside 2 s, the worst
assert found["tokens_per_second_over_peer"]["at_least"] and compare.table.mark(found["tokens_per_second_over_peer"]) == "missed"
close(found["twice"]["value"], 8)
close({r["metric"]: r["value"] for r in compare.records_of(words, {"gamut": ours})}["twice"], 8)  # without peers, too
print("the judges are right")
"""


class Files(unittest.TestCase):
    def test_all_compile(self):
        files = glob.glob(os.path.join(benchmarks, "learn", "*.py")) + glob.glob(os.path.join(benchmarks, "networks", "*.py"))
        files += [os.path.join(benchmarks, "learn.py"), os.path.join(benchmarks, "networks.py")]
        self.assertGreater(len(files), 5)
        for path in files:
            with open(path, encoding="utf-8") as file:
                compile(file.read(), path, "exec")

    def test_readme_names_every_metric(self):
        with open(os.path.join(benchmarks, "learn", "README.md"), encoding="utf-8") as file:
            readme = file.read()
        for metric in ("over_peer", "objective_minus_peer_relative", "error_minus_peer", "predict_over_peer", "processor_over_peer", "memory_over_peer",
                       "whole_fit_over_peer"):
            self.assertIn(f"`{metric}`", readme)


class Judges(unittest.TestCase):
    def test_judges_give_known_answers(self):
        for python in (os.path.join(root, "build", "peers", "bin", "python"), sys.executable):
            if os.path.exists(python) and subprocess.run([python, "-c", "import numpy, scipy"], capture_output=True, check=False).returncode == 0:
                break
        else:
            self.skipTest("numpy and scipy are not there (scripts/bench learn installs them in build/peers)")
        done = subprocess.run([python, "-c", JUDGES, benchmarks], capture_output=True, text=True, check=False,
                              env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"})
        self.assertEqual(done.stdout.strip(), "the judges are right", done.stderr)


if __name__ == "__main__":
    unittest.main()
