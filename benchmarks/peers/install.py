# SPDX-License-Identifier: BSL-1.0
"""Installs what PyPI and Debian have of the other libraries, and says what could not be had. Standard library only.

build/peers         a virtual environment of this Python, with all libraries that go together
build/peers-NAME    one for a library that wants another numpy than the rest, or an older Python (l0learn's wheels are for 3.10 and older)
"""
import glob
import json
import os
import shutil
import subprocess
import sys

root = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
shared = os.path.join(root, "build", "peers")
found_file = os.path.join(shared, "found.json")
found_learners_file = os.path.join(shared, "found_learners.json")

FRAME = ["numpy", "scipy", "matplotlib"]  # what benchmarks/peers itself is written with
LIBRARIES = {  # name: (package, module, newest Python with wheels, or None for any, what it wants beside it in an environment of its own ...)
    "abess": ("abess", "abess", None),
    "skscope": ("skscope", "skscope", None),
    "l0bnb": ("l0bnb", "l0bnb", None),
    "l0learn": ("l0learn", "l0learn", (3, 10)),
    "sklearn": ("scikit-learn", "sklearn", None),
    "skglm": ("skglm", "skglm", None),
    "celer": ("celer", "celer", None),
    "glum": ("glum", "glum", None),
    "adelie": ("adelie", "adelie", None),
    "liblinear": ("liblinear-official", "liblinear.liblinearutil", None),
}
R_PACKAGES = {"glmnet": "r-cran-glmnet"}
LEARNERS = {  # what benchmarks/learn.py asks
    "sklearn": LIBRARIES["sklearn"],
    "faiss": ("faiss-cpu", "faiss", None),
    "implicit": ("implicit", "implicit", None),
    "tomotopy": ("tomotopy", "tomotopy", None),
    "metric_learn": ("metric-learn", "metric_learn", None, "scikit-learn<1.8"),  # calls what later ones no longer have
}


def run(command, seconds=1800):
    """(whether it went well, what it printed)."""
    try:
        done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, str(error)
    return done.returncode == 0, done.stdout


def last_line(text):
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1].strip()[:200] if lines else "no message"


def python_no_newer_than(newest):
    if newest is None or sys.version_info[:2] <= newest:
        return sys.executable
    for minor in range(newest[1], 7, -1):
        version = f"{newest[0]}.{minor}"
        candidates = [shutil.which(f"python{version}")]
        candidates += sorted(glob.glob(os.path.expanduser(f"~/.pyenv/versions/{version}.*/bin/python")), reverse=True)
        for python in candidates:
            if python and run([python, "-c", f"import sys, venv; assert sys.version.startswith('{version}.')"])[0]:
                return python
    return None


def pip_install(folder, *packages):
    ok, text = run([os.path.join(folder, "bin", "python"), "-m", "pip", "install", "--quiet", "--no-compile", *packages])
    return None if ok else last_line(text)


def environment(python, folder):
    """Makes a virtual environment, unless it is there. What went wrong, or None."""
    if os.path.exists(os.path.join(folder, "bin", "python")):
        return None
    ok, text = run([python, "-m", "venv", folder])
    return None if ok else last_line(text)


def version_of(python, package, module):
    """The installed version of a library that can be imported, else None and why not."""
    code = f"import importlib.metadata as m, importlib as i; i.import_module('{module}'); print('version', m.version('{package}'))"
    ok, text = run([python, "-c", code], 300)
    if ok:
        return next(line.split()[1] for line in text.splitlines() if line.startswith("version ")), None
    return None, last_line(text)


def frame_versions():
    """The frame's packages as they are in the shared environment: no library may put others there."""
    ok, text = run([os.path.join(shared, "bin", "python"), "-m", "pip", "freeze"])
    return [line for line in text.splitlines() if ok and line.split("==")[0] in FRAME]


def install_library(name, library):
    """(what was found, None) or (None, why not)."""
    package, module, newest, *wants = library
    python = python_no_newer_than(newest)
    if python is None:
        return None, f"its wheels are for Python {newest[0]}.{newest[1]} and older, and there is none here"
    why = None
    for folder in ([shared] if python == sys.executable and not wants else []) + [f"{shared}-{name}"]:
        if folder != shared and not os.path.exists(folder) and why is not None and "No matching distribution" in why:
            break  # what is not there for one environment is not there for another
        why = environment(python, folder)
        if why:
            continue
        inside = os.path.join(folder, "bin", "python")
        version, why = version_of(inside, package, module)
        if version is None:
            # wheels for an older Python were made for numpy 1, and crash on a later one
            own = ["numpy<2" if newest else "numpy", "scipy", *wants]
            why = pip_install(folder, package, *(frame_versions() if folder == shared else own))
            if why is None:
                version, why = version_of(inside, package, module)
        if version is not None:
            return {"version": version, "python": inside}, None
    return None, why


def install_r(found, missing):
    for name, package in R_PACKAGES.items():
        check = ["Rscript", "-e", f'cat("version", as.character(packageVersion("{name}")), "\\n")']
        ok, text = run(check) if shutil.which("Rscript") else (False, "")
        if not ok and shutil.which("apt-get") and os.geteuid() == 0:
            run(["apt-get", "update"])
            ok, text = run(["apt-get", "install", "--yes", "--no-install-recommends", package])
            ok, text = run(check) if ok else (False, text)
        elif not ok:
            text = f"apt-get install {package} needs root"
        version = next((line.split()[1] for line in text.splitlines() if line.startswith("version ")), None) if ok else None
        if version:
            found[name] = {"version": version, "python": os.path.join(shared, "bin", "python")}
            print(f"  {name} (R) {version}", flush=True)
        else:
            missing[name] = last_line(text)
            print(f"  {name} (R): cannot be had ({missing[name]})", flush=True)


def install(again=False, libraries=None, found_file=found_file):
    """{"found": {library: {"version", "python"}}, "missing": {library: why}}; what an earlier call found, unless `again`. R's packages go
    with LIBRARIES, which are what is installed if none are named."""
    if os.path.exists(found_file) and not again:
        with open(found_file, encoding="utf-8") as file:
            return json.load(file)
    print("installing the other libraries (once; --install does it again)", flush=True)
    trouble = environment(sys.executable, shared) or pip_install(shared, *FRAME)
    if trouble:
        raise SystemExit(f"benchmarks/peers: {shared} cannot be made ({trouble})")
    found, missing = {}, {}
    for name, library in (libraries or LIBRARIES).items():
        what, why = install_library(name, library)
        if what:
            found[name] = what
            print(f"  {name} {what['version']}", flush=True)
        else:
            missing[name] = why
            print(f"  {name}: cannot be had ({why})", flush=True)
    if libraries is None:
        install_r(found, missing)
    result = {"found": found, "missing": missing}
    with open(found_file, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
    return result


if __name__ == "__main__":
    install(again=True)
