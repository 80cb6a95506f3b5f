#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""check.py BUILD FILE.cu: nvcc must compile the file for sm_90. Exits 77 (skipped) where there is no nvcc.

Where there is a GPU as well, a file that defines main is also linked and run, and has to exit 0.
"""
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import compile as compiler  # noqa: E402


def include_flags(words):
    """The include directories and definitions among a compiler's flags; a directory given with -isystem stays one."""
    kept, following = [], None
    for word in words:
        if following:
            kept += [following, word]
            following = None
        elif word in ("-I", "-isystem", "-D"):
            following = word
        elif word.startswith(("-I", "-D")) and "BOOST" not in word:
            kept.append(word)
    return kept


def main():
    build, source = sys.argv[1:]
    nvcc = shutil.which("nvcc") or shutil.which("nvcc", path="/usr/local/cuda/bin")
    if nvcc is None:
        print("skipped: no nvcc (install NVIDIA's CUDA toolkit to compile for the device)")
        return 77
    folder = os.path.join(build, "device_cuda")
    os.makedirs(folder, exist_ok=True)
    target = os.path.join(folder, os.path.splitext(os.path.basename(source))[0])
    flags = ["-std=c++20", "-arch=sm_90", "--expt-relaxed-constexpr", "-O1"]
    flags += include_flags(compiler.command(build, "tests/main.cpp"))
    launcher = [shutil.which("ccache")] if shutil.which("ccache") else []
    done = compiler.run(launcher + [nvcc] + flags + ["-c", source, "-o", target + ".o"])
    print(done.stdout, end="")
    if done.returncode != 0:
        return 1
    with open(source) as file:
        runs = "int main(" in file.read()
    gpu = shutil.which("nvidia-smi") is not None and compiler.run(["nvidia-smi", "-L"]).stdout.startswith("GPU 0")
    if not (runs and gpu):
        print(f"compiled{'' if gpu else '; there is no GPU to run it on'}")
        return 0
    done = compiler.run([nvcc, "-arch=sm_90", target + ".o", "-o", target, "-lopenblas", "-Xcompiler", "-pthread"])
    print(done.stdout, end="")
    if done.returncode != 0:
        return 1
    done = compiler.run([target])
    print(done.stdout, end="")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
