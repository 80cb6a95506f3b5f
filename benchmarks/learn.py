#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""gamut's learners beside other libraries' on the same arrays: benchmarks/learn/README.md. Installs those from PyPI into build/ (the first
time), builds gamut's side, and runs everything.

    benchmarks/learn.py [--output FILE] [--only REGEX] [--threads N] [--repeats N] [--list] [--markdown] [--install]
"""
import os
import sys

root = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path[:0] = [os.path.join(root, "benchmarks"), os.path.join(root, "benchmarks", "peers")]
sys.dont_write_bytecode = True

import install  # noqa: E402
import peers  # noqa: E402

if __name__ == "__main__":
    quick = {"--list", "--markdown", "--help", "-h"} & set(sys.argv)
    if not quick and not peers.build("benchmark_learners"):
        sys.exit(1)
    install.install("--install" in sys.argv, install.LEARNERS, install.found_learners_file)
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    python = os.path.join(install.shared, "bin", "python")
    os.execv(python, [python, os.path.join(root, "benchmarks", "learn", "compare.py"), *sys.argv[1:]])
