#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""How long does a user's file with one fit take to compile at -O3? The median of five, without any compiler cache.
On a machine that does other things as well, processor_seconds says what it would be alone.

    benchmarks/compile_time.py [--output FILE] [--repeats N]
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

root = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

one_fit = """
#include <gamut/gamut.hpp>

int main(int, char** argv) {
    using namespace gamut;
    estimator sparse{.model = model::logistic{}, .penalty = penalty::l0{.kappa = 10, .l2 = 1e-3}};
    auto fit = sparse.fit(data::libsvm{argv[1]});
    return fit.objective < 1 ? 0 : 1;
}
"""
cases = {  # case: (program, goal in seconds)
    "one fit": (one_fit, 8),
    "gamut.hpp alone": ("#include <gamut/gamut.hpp>\n", None),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    records = []
    with tempfile.TemporaryDirectory() as directory:
        for case, (text, goal) in cases.items():
            source = os.path.join(directory, "user.cpp")
            with open(source, "w", encoding="utf-8") as file:
                file.write(text)
            command = ["g++", "-std=c++20", "-O3", "-fopenmp", "-I", os.path.join(root, "include"), "-c", source,
                       "-o", os.path.join(directory, "user.o")]
            seconds, processor = [], []
            for _ in range(options.repeats):
                start, before = time.monotonic(), os.times()
                done = subprocess.run(command, check=False)
                after = os.times()
                seconds.append(time.monotonic() - start)
                processor.append(after.children_user + after.children_system - before.children_user - before.children_system)
                if done.returncode != 0:
                    return 1
            records.append({"case": case, "metric": "seconds", "value": round(statistics.median(seconds), 3), "goal": goal})
            records.append({"case": case, "metric": "processor_seconds", "value": round(statistics.median(processor), 3), "goal": None})
    text = json.dumps(records, indent=1)
    if options.output:
        with open(options.output, "w", encoding="utf-8") as file:
            file.write(text + "\n")
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
