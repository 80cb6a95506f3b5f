#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The same question put to other libraries: benchmarks/peers/README.md. Installs them into build/ (the first time), builds gamut's side, and
runs everything on the same arrays.

    benchmarks/peers.py [--output FILE] [--only REGEX] [--full] [--threads N] [--repeats N] [--solver NAME] [--list] [--markdown] [--install]
"""
import os
import shutil
import subprocess
import sys

root = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path.insert(0, os.path.join(root, "benchmarks", "peers"))
sys.dont_write_bytecode = True

import install  # noqa: E402


def build(target="benchmark_peers"):
    """A program in build/bench/benchmarks, as scripts/bench builds the other benchmarks."""
    folder = os.path.join(root, "build", "bench")
    generator = ["-G", "Ninja"] if shutil.which("ninja") and not os.path.exists(os.path.join(folder, "CMakeCache.txt")) else []
    os.makedirs(folder, exist_ok=True)
    for command in (["cmake", "--preset", "bench", *generator], ["cmake", "--build", "build/bench", "--parallel", str(os.cpu_count() or 1), "--target", target]):
        done = subprocess.run(command, cwd=root, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            print(done.stdout)
            return False
    return True


if __name__ == "__main__":
    if not {"--list", "--markdown", "--help", "-h"} & set(sys.argv) and not build():
        sys.exit(1)
    install.install(again="--install" in sys.argv)
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    python = os.path.join(install.shared, "bin", "python")
    os.execv(python, [python, os.path.join(root, "benchmarks", "peers", "frame.py"), *sys.argv[1:]])
