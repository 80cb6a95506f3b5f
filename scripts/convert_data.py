#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""scripts/convert_data.py [FOLDER]: makes examples/data/*.csv (or FOLDER/*.csv) from the files in Debian's package python3-sklearn.

The package is downloaded and unpacked in a temporary folder, not installed. Each CSV has a header of column names; the label is the
last column. Numbers are written with the digits they have in the source, except diabetes.csv, which is scaled as scikit-learn's
load_diabetes() scales it: each column less its mean, over its standard deviation and the root of the number of rows.
"""
import csv
import glob
import gzip
import math
import os
import subprocess
import sys
import tempfile

measured = ["radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity", "concave points", "symmetry",
            "fractal dimension"]
cancer_names = [f"mean {m}" for m in measured] + [f"{m} error" for m in measured] + [f"worst {m}" for m in measured]
iris_names = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]
wine_names = ["alcohol", "malic acid", "ash", "alcalinity of ash", "magnesium", "total phenols", "flavanoids",
              "nonflavanoid phenols", "proanthocyanins", "color intensity", "hue", "OD280/OD315", "proline"]
diabetes_names = ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"]


def scaled(rows):
    """Columns of mean 0 and sum of squares 1."""
    columns = []
    for column in zip(*rows):
        mean = math.fsum(column) / len(column)
        centred = [v - mean for v in column]
        length = math.sqrt(math.fsum(v * v for v in centred))
        columns.append([v / length for v in centred])
    return [list(row) for row in zip(*columns)]


def residual_sum_of_squares(rows, y):
    """Of the least-squares fit with an intercept: the normal equations of the centred columns, by elimination with pivots."""
    columns = [[v - math.fsum(c) / len(c) for v in c] for c in zip(*rows)]
    centred = [v - math.fsum(y) / len(y) for v in y]
    p = len(columns)
    a = [[math.fsum(s * t for s, t in zip(columns[i], columns[j])) for j in range(p)]
         + [math.fsum(s * t for s, t in zip(columns[i], centred))] for i in range(p)]
    for i in range(p):
        pivot = max(range(i, p), key=lambda r: abs(a[r][i]))
        a[i], a[pivot] = a[pivot], a[i]
        for r in range(p):
            if r != i:
                factor = a[r][i] / a[i][i]
                a[r] = [s - factor * t for s, t in zip(a[r], a[i])]
    w = [a[i][p] / a[i][i] for i in range(p)]
    return math.fsum((t - math.fsum(w[j] * columns[j][i] for j in range(p))) ** 2 for i, t in enumerate(centred))


def write(path, names, rows, shape):
    if (len(rows), len(names) - 1) != shape or any(len(row) != len(names) for row in rows):
        raise SystemExit(f"{path}: {len(rows)} rows of {len(names) - 1} features (expected {shape[0]} of {shape[1]})")
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)
    print(f"{path}: {shape[0]} x {shape[1]}")


def plain(number):
    """1.000e+00 as 1, 3.2500e-01 as 0.325."""
    value = float(number)
    return str(int(value)) if value == int(value) else repr(value)


def convert(source, target):
    with open(os.path.join(source, "iris.csv"), encoding="utf-8") as file:
        head, *rows = list(csv.reader(file))
    write(os.path.join(target, "iris.csv"), iris_names + ["species"], [r[:-1] + [head[2:][int(r[-1])]] for r in rows], (150, 4))

    with open(os.path.join(source, "breast_cancer.csv"), encoding="utf-8") as file:
        head, *rows = list(csv.reader(file))
    write(os.path.join(target, "breast_cancer.csv"), cancer_names + ["diagnosis"], [r[:-1] + [head[2:][int(r[-1])]] for r in rows],
          (569, 30))

    with open(os.path.join(source, "wine_data.csv"), encoding="utf-8") as file:
        head, *rows = list(csv.reader(file))
    write(os.path.join(target, "wine.csv"), wine_names + ["cultivar"], [r[:-1] + [f"cultivar {int(r[-1]) + 1}"] for r in rows], (178, 13))

    with gzip.open(os.path.join(source, "digits.csv.gz"), "rt", encoding="utf-8") as file:
        rows = [[plain(v) for v in row] for row in csv.reader(file)]
    write(os.path.join(target, "digits.csv"), [f"pixel_{i}_{j}" for i in range(8) for j in range(8)] + ["digit"], rows, (1797, 64))

    with gzip.open(os.path.join(source, "diabetes_data_raw.csv.gz"), "rt", encoding="utf-8") as file:
        raw = [[float(v) for v in line.split()] for line in file if line.strip()]
    with gzip.open(os.path.join(source, "diabetes_target.csv.gz"), "rt", encoding="utf-8") as file:
        y = [float(line) for line in file if line.strip()]
    rows = scaled(raw)
    rss = residual_sum_of_squares(rows, y)
    if abs(rss - 1263985.786) > 1e-3:  # of the full least-squares fit, a published number
        raise SystemExit(f"diabetes: the residual sum of squares is {rss} (expected 1263985.786)")
    write(os.path.join(target, "diabetes.csv"), diabetes_names + ["progression"],
          [[repr(v) for v in row] + [plain(t)] for row, t in zip(rows, y)], (442, 10))


def main():
    if len(sys.argv) > 2 or sys.argv[1:] in (["-h"], ["--help"]):
        print(__doc__)
        return 2
    here = os.path.dirname(os.path.abspath(__file__))
    target = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "..", "examples", "data"))
    os.makedirs(target, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        if subprocess.run(["apt-get", "-o", "APT::Sandbox::User=root", "download", "-qq", "python3-sklearn"], cwd=directory, check=False).returncode != 0:
            print("scripts/convert_data.py: apt-get could not download python3-sklearn (run apt-get update first?)", file=sys.stderr)
            return 1
        subprocess.run(["dpkg", "-x", *glob.glob(os.path.join(directory, "*.deb")), directory], check=True)
        convert(os.path.join(directory, "usr/lib/python3/dist-packages/sklearn/datasets/data"), target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
