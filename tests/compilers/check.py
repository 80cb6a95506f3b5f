#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Every header and every example, without a warning, by a compiler of the user's choice.

    check.py COMPILER ROOT [FLAG...]     -fsyntax-only -Wall -Wextra -Wconversion -Wshadow -Werror, in one translation unit: all headers,
                                         then each example in a namespace of its own (an estimator is compiled once for all of them)
    check.py --self-test COMPILER        a warning in a header must be noticed
"""
import glob
import os
import re
import subprocess
import sys
import tempfile

warnings = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"]
include_line = re.compile(r'^\s*#\s*include\s*<([^>"]+)>')


def without(name):
    """Headers that want a component of their own: Thrust is checked by tests/device, Blosc by tests/lossless."""
    return re.search(r"/backend/(detail/)?device|/compressor/lossless", name)


def program(root):
    """The translation unit."""
    headers = sorted(os.path.relpath(h, os.path.join(root, "include"))
                     for h in glob.glob(os.path.join(root, "include/gamut/**/*.hpp"), recursive=True) if not without(h))
    examples = sorted(glob.glob(os.path.join(root, "examples/*.cpp")))
    if not headers or not examples:
        raise SystemExit(f"no headers or no examples below {root}")
    others, bodies = set(), []
    for path in examples:
        with open(path, encoding="utf-8") as file:
            lines = file.read().split("\n")
        others.update(m.group(1) for m in map(include_line.match, lines) if m)
        name = os.path.splitext(os.path.basename(path))[0]
        body = "\n".join("" if include_line.match(line) else line for line in lines)
        body = body.rstrip()
        if not body.endswith("}"):
            raise SystemExit(f"{path}: main is not its last function")
        body = body[:-1] + "return 0;\n}"  # only the global main may do without
        bodies.append(f'namespace example_{name} {{\n#line 1 "{path}"\n{body}\n}}')
    first = "".join(f"#include <{h}>\n" for h in [*headers, *sorted(others - set(headers))])
    return first + "\n".join(bodies) + "\n"


def compiles(compiler, text, flags):
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "all.cpp")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        done = subprocess.run([compiler, "-std=c++20", "-fsyntax-only", *flags, *warnings, path], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
    return done.returncode == 0, done.stdout


def self_test(compiler):
    with tempfile.TemporaryDirectory() as root:
        os.makedirs(os.path.join(root, "include/gamut"))
        os.makedirs(os.path.join(root, "examples"))
        failures = 0
        for header, good in (("inline int f(int a) { return a; }\n", True), ("inline int f(int a, long b) { return int(a) + b; }\n", False)):
            with open(os.path.join(root, "include/gamut/a.hpp"), "w", encoding="utf-8") as file:
                file.write("#pragma once\n" + header)
            with open(os.path.join(root, "examples/use.cpp"), "w", encoding="utf-8") as file:
                file.write("#include <cstdio>\n#include <gamut/a.hpp>\nint main() { std::puts(\"\"); }\n")
            fine, said = compiles(compiler, program(root), ["-I", os.path.join(root, "include")])
            if fine != good:
                print(f"expected {'no ' if good else 'a '}complaint:\n{said}")
                failures += 1
    return failures


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--self-test":
        return 1 if self_test(sys.argv[2]) else 0
    if len(sys.argv) < 3 or sys.argv[1].startswith("-"):
        print(__doc__)
        return 2
    root = os.path.abspath(sys.argv[2])
    fine, said = compiles(sys.argv[1], program(root), ["-I", os.path.join(root, "include"), *sys.argv[3:]])
    print(said or "no warning")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
