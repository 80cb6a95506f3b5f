#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""A program that must not compile, and why.

    check.py BUILD FILE     the file's first line says `// expect: <sentence>`; the compiler has to refuse the file, and its
                            first error line has to contain the sentence. With -DGAMUT_MISUSE_FIXED the file has to compile,
                            so that it fails for that reason and no other.
    check.py --self-test BUILD
"""
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import compile as compiler  # noqa: E402

marker = "// expect: "


def check(flags, path):
    """What is wrong with the program at `path`; empty if it is refused as it says."""
    with open(path) as file:
        first = file.readline().rstrip("\n")
    if not first.startswith(marker) or not first[len(marker):].strip():
        return f"{path}:1: the first line is not `{marker}<sentence>`"
    sentence = first[len(marker):].strip()
    fixed = compiler.run(flags + ["-fsyntax-only", "-DGAMUT_MISUSE_FIXED", path])
    if fixed.returncode != 0:
        return f"{path}: does not compile with -DGAMUT_MISUSE_FIXED (it must fail for its own reason only)\n{fixed.stdout}"
    wrong = compiler.run(flags + ["-fsyntax-only", "-fmax-errors=1", path])
    if wrong.returncode == 0:
        return f"{path}: compiles (expected the error: {sentence})"
    error = compiler.first_error(wrong.stdout)
    if sentence not in error:
        return f"{path}: another first error\n  expected: {sentence}\n  got:      {error}\n{wrong.stdout}"
    print(error)
    return ""


def self_test(flags):
    """The driver itself must refuse what it is there to refuse."""
    programs = {  # name: (text, part of the complaint)
        "good": (marker + "needs a prox\n#ifndef GAMUT_MISUSE_FIXED\nstatic_assert(sizeof(int) == 1, \"needs a prox\");\n#endif\n", ""),
        "compiles": (marker + "needs a prox\nint main() {}\n", "compiles (expected"),
        "other_error": (marker + "needs a prox\n#ifndef GAMUT_MISUSE_FIXED\nint x = y;\n#endif\n", "another first error"),
        "later_error": (marker + "needs a prox\n#ifndef GAMUT_MISUSE_FIXED\nint x = y;\nstatic_assert(sizeof(int) == 1, \"needs a prox\");\n#endif\n",
                        "another first error"),
        "control_fails": (marker + "needs a prox\nstatic_assert(sizeof(int) == 1, \"needs a prox\");\n", "does not compile with"),
        "no_sentence": ("int main() {}\n", "the first line is not"),
    }
    failures = 0
    with tempfile.TemporaryDirectory() as directory:
        for name, (text, expected) in programs.items():
            path = os.path.join(directory, name + ".cpp")
            with open(path, "w") as file:
                file.write(text)
            complaint = check(flags, path)
            if (expected == "" and complaint != "") or expected not in complaint:
                failures += 1
                print(f"{name}: expected a complaint with '{expected}', got '{complaint}'")
    return failures


def main():
    if sys.argv[1:2] == ["--self-test"] and len(sys.argv) == 3:
        compiler_alone = compiler.command(sys.argv[2], "tests/misuse/precompiled.cpp")[:1]
        return 1 if self_test(compiler_alone + ["-std=c++20"]) else 0
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    complaint = check(compiler.command(sys.argv[1], "tests/misuse/precompiled.cpp"), sys.argv[2])
    if complaint:
        print(complaint)
    return 1 if complaint else 0


if __name__ == "__main__":
    sys.exit(main())
