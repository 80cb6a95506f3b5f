# SPDX-License-Identifier: BSL-1.0
"""How the build compiles a file: read from compile_commands.json, so that every check compiles as the tests do."""
import json
import os
import shlex
import subprocess


def command(build, source):
    """The compiler and the flags with which `build` compiles a file whose path ends in `source`, without -c, -o, the file."""
    with open(os.path.join(build, "compile_commands.json")) as file:
        entries = json.load(file)
    entry = next((e for e in entries if e["file"].endswith(source)), None)
    if entry is None:
        raise SystemExit(f"no compile command for {source} (is {build} configured?) run cmake --preset default")
    words = shlex.split(entry["command"])
    while words[0].endswith("env") or "=" in words[0] or os.path.basename(words[0]) == "ccache":
        words = words[1:]  # the launcher
    kept, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word in ("-o", "-MF", "-MT", "-MQ"):
            skip = True
        elif word in ("-c", "-MD", "-MMD", "-Winvalid-pch") or word == entry["file"] or word.endswith(source):
            pass
        else:
            kept.append(word)
    return kept


def run(words, directory=None):
    return subprocess.run(words, cwd=directory, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)


def first_error(output):
    """The first line of a compiler's output that reports an error."""
    return next((line for line in output.splitlines() if "error:" in line), "")
