#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""check.py BUILD WAY [PROGRAMS]: gets gamut as somebody else would, compiles programs of downstream/ against it and runs them.

WAY: install           installs BUILD into BUILD/package/prefix, for the others
     find_package      the installed package through CMake (program ranks: its component mpi, run on two ranks)
     pkg_config        the installed package through pkg-config, without CMake
     messages          what find_package says when something is missing
     add_subdirectory, fetch_content     this source tree inside another project
     conan             `conan create .` with nothing but this machine's packages
     compiled          this source tree with GAMUT_COMPILED, built, installed, and a program that links gamut::compiled
"""
import os
import shutil
import subprocess
import sys

root = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
downstream = os.path.join(root, "tests", "package", "downstream")
data = os.path.join(root, "examples", "data", "breast_cancer.csv")


class Failed(Exception):
    pass


def run(*words, environment=None, expect=0):
    print("+", " ".join(words), flush=True)
    done = subprocess.run(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          env={**os.environ, **(environment or {})})
    print(done.stdout, end="", flush=True)
    if (done.returncode == 0) != (expect == 0):
        raise Failed(f"{words[0]} exited {done.returncode}")
    return done.stdout


def demand(condition, what):
    if not condition:
        raise Failed(what)


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    return folder


def configure(folder, *options, expect=0, source=downstream):
    options += ("-DCMAKE_BUILD_TYPE=Release",)
    if not any(option.startswith("-DCMAKE_CXX_FLAGS_RELEASE=") for option in options):
        options += ("-DCMAKE_CXX_FLAGS_RELEASE=-O0",)  # quicker, and users compile like that, too; find_package: as they run it
    if shutil.which("ccache"):
        options += ("-DCMAKE_CXX_COMPILER_LAUNCHER=ccache",)
    if shutil.which("ninja"):
        options += ("-GNinja",)
    return run("cmake", "-S", source, "-B", folder, *options, expect=expect)


def build_and_run(folder, programs):
    run("cmake", "--build", folder, "--parallel", "2")
    for program in programs:
        if program == "ranks":
            run("timeout", "-k", "5", "60", "mpirun", "-n", "2", os.path.join(folder, "ranks"), environment={"OMP_NUM_THREADS": "1"})
        else:
            run(os.path.join(folder, program), data)


def main():
    build, way = sys.argv[1:3]
    programs = (sys.argv[3] if len(sys.argv) > 3 else "links").split(",")
    here = os.path.join(build, "package")
    prefix = os.path.join(here, "prefix")
    if way == "install":
        fresh(prefix)
        run("cmake", "--install", build, "--prefix", prefix)
        for file in ("include/gamut/gamut.hpp", "share/cmake/gamut/gamutConfig.cmake", "share/pkgconfig/gamut.pc"):
            demand(os.path.exists(os.path.join(prefix, file)), f"{file} was not installed")
        for folder, _, files in os.walk(prefix):  # what is installed may be moved, so nothing in it may name this tree
            for file in files:
                with open(os.path.join(folder, file), encoding="utf-8") as opened:
                    demand(root not in opened.read(), f"{os.path.join(folder, file)} names {root}")
    elif way == "find_package":
        folder = fresh(os.path.join(here, way))
        configure(folder, "-DCMAKE_CXX_FLAGS_RELEASE=-O1", f"-DCMAKE_PREFIX_PATH={prefix}", f"-DPROGRAMS={';'.join(programs)}")
        build_and_run(folder, programs)
    elif way in ("add_subdirectory", "fetch_content"):
        folder = fresh(os.path.join(here, way))
        configure(folder, f"-DWAY={way}", f"-DGAMUT_SOURCE={root}", f"-DPROGRAMS={';'.join(programs)}")
        build_and_run(folder, programs)
    elif way == "compiled":
        built, installed, folder = (os.path.join(here, "compiled", name) for name in ("build", "prefix", "use"))
        fresh(installed)
        configure(built, "-DGAMUT_COMPILED=ON", "-DGAMUT_MPI=OFF", "-DGAMUT_BUILD_TESTS=OFF", "-DGAMUT_BUILD_EXAMPLES=OFF",
                  "-DGAMUT_BUILD_BENCHMARKS=OFF", source=root)
        run("cmake", "--build", built, "--parallel", "2")
        run("cmake", "--install", built, "--prefix", installed)
        configure(fresh(folder), f"-DCMAKE_PREFIX_PATH={installed}", "-DPROGRAMS=compiled")
        build_and_run(folder, ["compiled"])
    elif way == "pkg_config":
        folder = fresh(os.path.join(here, way))
        environment = {"PKG_CONFIG_PATH": os.path.join(prefix, "share", "pkgconfig")}
        flags = run("pkg-config", "--cflags", "gamut", environment=environment).split()
        libraries = run("pkg-config", "--libs", "gamut", environment=environment).split()
        compiler = ["ccache", "g++"] if shutil.which("ccache") else ["g++"]
        links = os.path.join(folder, "links")
        run(*compiler, *flags, "-O1", "-c", os.path.join(downstream, "links.cpp"), "-o", links + ".o")
        run("g++", links + ".o", "-o", links, *libraries)
        run(links)
    elif way == "messages":
        folder = os.path.join(here, way)
        place = f"-DCMAKE_PREFIX_PATH={prefix}"
        cases = {  # what is taken away: what the message has to name
            "-DCMAKE_DISABLE_FIND_PACKAGE_xtensor=ON": ["libxtensor-dev", "Conan: xtensor"],
            "-DCMAKE_DISABLE_FIND_PACKAGE_nlohmann_json=ON": ["nlohmann-json3-dev"],
            "-DGAMUT_RANDOM123_INCLUDE_DIR=GAMUT_RANDOM123_INCLUDE_DIR-NOTFOUND;-DCMAKE_FIND_ROOT_PATH=/nowhere;"
            "-DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY": ["librandom123-dev"],
            "-DPROGRAMS=ranks;-DCMAKE_DISABLE_FIND_PACKAGE_MPI=ON": ["Component mpi", "libopenmpi-dev"],
            "-DPROGRAMS=ranks;-DCMAKE_DISABLE_FIND_PACKAGE_Boost=ON": ["Component mpi", "libboost-mpi-dev", "without_mpi=False"],
        }
        for taken, expected in cases.items():
            said = " ".join(configure(fresh(folder), place, *taken.split(";"), expect=1).split())  # CMake wraps lines
            for part in expected:
                demand(part in said, f"with {taken} the message does not name {part}")
    elif way == "conan":
        conan = os.path.join(root, "build", "venv", "bin", "conan")
        conan = conan if os.path.exists(conan) else shutil.which("conan")
        if conan is None:
            print("skipped: no Conan (scripts/setup installs it into build/venv)")
            return 77
        environment = {"CONAN_HOME": fresh(os.path.join(here, "conan"))}
        run(conan, "config", "install", os.path.join(root, "conan", "config"), environment=environment)
        run(conan, "create", root, environment=environment)
    else:
        print(__doc__)
        return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as failure:
        print(f"FAILED: {failure}")
        sys.exit(1)
