#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks the rules of the house that a script can check; prints file:line: what is wrong, exits 1 if anything is.

    scripts/check_layers.py [ROOT]        check the tree (default: the one this script is in)
    scripts/check_layers.py --self-test   check that each rule notices a file that breaks it

Rules: includes point down the layers, or stay in their folder, and never in a circle; a third-party header is included by one leaf
file only; no standard header that is dear to compile; `#pragma once`; the namespace is the folder; folders are one deep (and
one detail/); every public header is named in fwd.hpp and included by a test; every source file has its SPDX line.
"""
import os
import re
import subprocess
import sys
import tempfile

layers = {"core": 0, "autodiff": 1, "backend": 2, "communicator": 2, "data": 3, "model": 4, "penalty": 4, "criterion": 4, "topology": 4, "consistency": 4, "compressor": 4, "update": 4, "exchange": 4.2, "table": 4.2, "network": 4.4, "quadratic": 4.5, "solver": 5, "learn": 6.6, "shrink": 6.7}
root_files = {"version": 0, "fwd": 0, "fitted": 6, "fitted_path": 6.2, "fitted_network": 6.2, "fit_of": 6.2, "evaluate": 6.4, "validation": 6.4, "estimator": 6.5, "model_file": 6.5, "network": 6.6, "network_file": 6.6, "cross_validate": 6.7, "draw": 6.8, "compiled": 6.8, "compiled_mpi": 6.9, "gamut": 7, "learn": 7, "shrink": 7}  # directly in include/gamut

# prefix of a third-party header: the only file that may include it
leaves = {
    "xtensor/": "backend/host.hpp", "xtensor-blas/": "backend/host.hpp", "xtl/": "backend/host.hpp", "xflens/": "backend/host.hpp",
    "cblas.h": "backend/host.hpp", "lapacke.h": "backend/host.hpp", "xsimd/": "backend/host.hpp",
    "thrust/": "backend/device.hpp", "cub/": "backend/device.hpp", "cuda": "backend/device.hpp", "cublas": "backend/device.hpp",
    "cusparse": "backend/device.hpp", "cusolver": "backend/device.hpp",
    "boost/": "communicator/detail/mpi_calls.hpp", "mpi.h": "communicator/detail/mpi_calls.hpp",
    "Random123/": "core/random.hpp", "blosc.h": "compressor/lossless.hpp",
}
one_leaf_anywhere = ["nlohmann/"]
dear = {"iostream", "functional", "ranges", "regex"}
standard = set("""algorithm any array atomic barrier bit bitset charconv chrono compare complex concepts condition_variable coroutine
deque exception execution filesystem forward_list fstream future initializer_list iomanip ios iosfwd istream iterator latch limits list locale
map memory memory_resource mutex new numbers numeric optional ostream queue random ratio scoped_allocator semaphore set shared_mutex
source_location span sstream stack stdexcept stop_token streambuf string string_view strstream syncstream system_error thread tuple
type_traits typeindex typeinfo unordered_map unordered_set utility valarray variant vector version
cassert cctype cerrno cfenv cfloat cinttypes climits clocale cmath csetjmp csignal cstdarg cstddef cstdint cstdio cstdlib cstring ctime
cuchar cwchar cwctype immintrin.h x86intrin.h
cxxabi.h dirent.h fcntl.h poll.h pthread.h sched.h signal.h sys/mman.h sys/resource.h sys/stat.h sys/sysinfo.h sys/types.h ucontext.h unistd.h""".split())
only_in = {"omp.h": "backend"}  # a compiler's own header, for one folder

include_line = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
namespace_line = re.compile(r"^\s*(?:inline\s+)?namespace\s+([A-Za-z_][\w:]*)\s*\{")
source_endings = (".hpp", ".cpp", ".cu", ".py", ".cmake", "CMakeLists.txt")


def tracked_files(root):
    """Every file that git tracks or would track; without git, every file outside build/ and out/."""
    def git(*words):
        return subprocess.run(["git", "-C", root, *words], text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    listing = git("ls-files", "--cached", "--others", "--exclude-standard")
    if listing.returncode == 0 and os.path.realpath(git("rev-parse", "--show-toplevel").stdout.strip()) == os.path.realpath(root):
        return sorted({f for f in listing.stdout.splitlines() if os.path.isfile(os.path.join(root, f))})
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [f for f in folders if f not in ("build", "out", ".git", "__pycache__")]
        found += [os.path.relpath(os.path.join(folder, f), root) for f in files]
    return sorted(found)


def layer_of(path):
    """The layer of a path below include/gamut, or None if there is none."""
    folder, _, _ = path.partition("/")
    if "/" in path:
        return layers.get(folder)
    return root_files.get(path.removesuffix(".hpp"))


def without_comments(text):
    """The text with comments blanked, lines kept."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0)) if match.group(0).startswith("/") else match.group(0)
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)


def check(root):
    complaints = []
    files = tracked_files(root)
    texts = {}
    for file in files:
        if file.endswith(source_endings) or file.startswith(("scripts/", ".ci/", "include/")):
            with open(os.path.join(root, file), encoding="utf-8") as opened:
                texts[file] = opened.read()
            if "SPDX-License-Identifier: BSL-1.0" not in "\n".join(texts[file].split("\n")[:2]):
                complaints.append(f"{file}:1: no `SPDX-License-Identifier: BSL-1.0` in its first two lines")

    headers = {f.removeprefix("include/gamut/"): texts[f] for f in files if f.startswith("include/gamut/")}
    graph, users = {}, {}
    for path, text in headers.items():
        where = f"include/gamut/{path}"
        folder = path.split("/")[0] if "/" in path else ""
        layer = layer_of(path)
        depth = path.count("/")
        if not path.endswith(".hpp"):
            complaints.append(f"{where}:1: not a .hpp file")
            continue
        if layer is None:
            complaints.append(f"{where}:1: has no layer (add its folder to the table in scripts/check_layers.py and docs/structure.md)")
            continue
        if depth > 1 and not (depth == 2 and path.split("/")[1] == "detail"):
            complaints.append(f"{where}:1: too deep (one folder below include/gamut, and one detail/ in it)")
        code = without_comments(text)
        if not re.search(r"^#pragma once$", code, flags=re.M):
            complaints.append(f"{where}:1: no #pragma once")
        graph[path] = []
        namespaces = []
        for number, line in enumerate(code.split("\n"), 1):
            at = f"{where}:{number}"
            match = namespace_line.match(line)
            if match:
                namespaces.append((number, match.group(1)))
            match = include_line.match(line)
            if not match:
                continue
            name = match.group(2)
            if name.startswith("gamut/"):
                target = name.removeprefix("gamut/")
                graph[path].append(target)
                if target not in headers:
                    complaints.append(f"{at}: includes {name}, which does not exist")
                    continue
                target_layer = layer_of(target)
                target_folder = target.split("/")[0] if "/" in target else ""
                if target_layer is None or target_folder == folder and folder:
                    pass
                elif target_layer >= layer and path not in ("gamut.hpp", "learn.hpp"):
                    complaints.append(f"{at}: includes {name} (layer {target_layer}) from layer {layer}; includes point down only")
                if "/detail/" in target and target_folder != folder:
                    complaints.append(f"{at}: includes {name}, which is private to {target_folder}/")
                continue
            if match.group(1) == '"':
                complaints.append(f'{at}: includes "{name}" (relative) write <gamut/...>')
                continue
            if name in dear:
                complaints.append(f"{at}: includes <{name}>, which is dear to compile in every user's file")
                continue
            if name in only_in:
                if folder != only_in[name]:
                    complaints.append(f"{at}: includes <{name}> (only {only_in[name]}/ may)")
                continue
            if name in standard:
                continue
            prefix = next((p for p in leaves if name.startswith(p)), None)
            if prefix:
                if path != leaves[prefix]:
                    complaints.append(f"{at}: includes <{name}> (only {leaves[prefix]} may)")
                continue
            prefix = next((p for p in one_leaf_anywhere if name.startswith(p)), None)
            if prefix:
                users.setdefault(prefix, set()).add(path)
                continue
            complaints.append(f"{at}: includes <{name}>, which is neither standard nor a third party's header listed in scripts/check_layers.py")
        own = f"gamut::{folder}" if folder else "gamut"
        if path not in ("gamut.hpp", "learn.hpp", "shrink.hpp") and not any(n == own or n.startswith(own + "::") for _, n in namespaces):
            complaints.append(f"{where}:1: no `namespace {own}` (the namespace is the folder)")
        if path not in ("fwd.hpp", "gamut.hpp", "learn.hpp", "shrink.hpp"):
            for number, name in namespaces:
                if name.startswith("gamut") and not (name == own or name.startswith(own + "::")):
                    complaints.append(f"{where}:{number}: opens namespace {name} (this folder's is {own})")
    for prefix, paths in users.items():
        if len(paths) > 1:
            complaints.append(f"include/gamut/{sorted(paths)[1]}:1: includes {prefix} as {sorted(paths)[0]} does (one leaf file only)")

    done, path_now = set(), []

    def visit(node):
        if node in path_now:
            circle = path_now[path_now.index(node):] + [node]
            complaints.append(f"include/gamut/{node}:1: includes itself: {' -> '.join(circle)}")
            return
        if node in done or node not in graph:
            return
        path_now.append(node)
        for target in graph[node]:
            visit(target)
        path_now.pop()
        done.add(node)

    for node in sorted(graph):
        visit(node)

    tests = "\n".join(t for f, t in texts.items() if f.startswith("tests/") and f.endswith((".cpp", ".hpp", ".cu")))
    words = headers.get("fwd.hpp")
    if words is None:
        complaints.append("include/gamut/fwd.hpp:1: does not exist (every public name on one page)")
    for path in sorted(headers):
        if "/detail/" in path or path in ("fwd.hpp", "gamut.hpp", "learn.hpp", "shrink.hpp"):
            continue
        if f"gamut/{path}>" not in tests:
            complaints.append(f"include/gamut/{path}:1: no test includes it")
        name = path.split("/")[-1].removesuffix(".hpp")
        if words is not None and "/" in path and name != "concept" and not re.search(rf"\b{name}\b", words):
            complaints.append(f"include/gamut/{path}:1: fwd.hpp does not name {name}")
    return complaints


def self_test():
    good = "// SPDX-License-Identifier: BSL-1.0\n#pragma once\n"

    def header(folder, body="", extra=""):
        return good + body + f"\nnamespace gamut{'::' if folder else ''}{folder} {{\n{extra}\n}}\n"

    house = {
        "include/gamut/core/error.hpp": header("core", "#include <string>\n// #include <iostream>"),
        "include/gamut/penalty/l1.hpp": header("penalty", "#include <gamut/core/error.hpp>"),
        "include/gamut/backend/host.hpp": header("backend", "#include <xtensor/xtensor.hpp>"),
        "include/gamut/fwd.hpp": header("", extra="namespace core { struct error; }  // l1 host"),
        "tests/all.cpp": "// SPDX-License-Identifier: BSL-1.0\n#include <gamut/core/error.hpp>\n#include <gamut/penalty/l1.hpp>\n"
                         "#include <gamut/backend/host.hpp>\n",
    }
    broken = {  # the complaint: the file that earns it
        "includes point down only": ("include/gamut/core/error.hpp", header("core", "#include <gamut/penalty/l1.hpp>")),
        "includes itself": ("include/gamut/core/error.hpp", header("core", "#include <gamut/core/error.hpp>")),
        "does not exist": ("include/gamut/core/error.hpp", header("core", "#include <gamut/core/nothing.hpp>")),
        "dear to compile": ("include/gamut/core/error.hpp", header("core", "#include <iostream>")),
        "only backend/host.hpp may": ("include/gamut/penalty/l1.hpp", header("penalty", "#include <xtensor/xtensor.hpp>")),
        "only communicator/detail/mpi_calls.hpp may": ("include/gamut/penalty/l1.hpp", header("penalty", "#include <mpi.h>")),
        "neither standard nor": ("include/gamut/penalty/l1.hpp", header("penalty", "#include <eigen3/Eigen/Core>")),
        "(relative)": ("include/gamut/penalty/l1.hpp", header("penalty", '#include "l2.hpp"')),
        "no #pragma once": ("include/gamut/penalty/l1.hpp", header("penalty").replace("#pragma once", "")),
        "SPDX-License-Identifier": ("include/gamut/penalty/l1.hpp", header("penalty").replace("SPDX", "")),
        "no `namespace gamut::penalty`": ("include/gamut/penalty/l1.hpp", header("core")),
        "opens namespace gamut::core": ("include/gamut/penalty/l1.hpp", header("penalty", extra="}\nnamespace gamut::core {")),
        "too deep": ("include/gamut/penalty/more/l3.hpp", header("penalty")),
        "has no layer": ("include/gamut/utils/l3.hpp", header("utils")),
        "no test includes it": ("include/gamut/penalty/l3.hpp", header("penalty")),
        "fwd.hpp does not name l3": ("include/gamut/penalty/l3.hpp", header("penalty")),
        "private to core/": ("include/gamut/penalty/l1.hpp", header("penalty", "#include <gamut/core/detail/x.hpp>")),
    }
    failures = []
    with tempfile.TemporaryDirectory() as directory:
        def complaints_with(changes):
            folder = tempfile.mkdtemp(dir=directory)
            for path, text in {**house, "include/gamut/core/detail/x.hpp": header("core"), **changes}.items():
                os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
                with open(os.path.join(folder, path), "w", encoding="utf-8") as opened:
                    opened.write(text)
            return check(folder)

        if complaints_with({}):
            failures.append(f"a good house: {complaints_with({})}")
        for expected, (path, text) in broken.items():
            complaints = complaints_with({path: text})
            if not any(expected in c for c in complaints):
                failures.append(f"'{expected}' was not noticed; got {complaints}")
    for failure in failures:
        print(failure)
    return failures


def main():
    if sys.argv[1:] == ["--self-test"]:
        return 1 if self_test() else 0
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
    complaints = check(os.path.abspath(root))
    for complaint in sorted(complaints):
        print(complaint)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
