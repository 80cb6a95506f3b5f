#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""merge.py MERGE_TRACES: traces with known times, merged as they are, aligned, and with one that was torn when its run was killed."""
import json
import os
import subprocess
import sys
import tempfile


def trace(rank, ahead):
    """Two collectives, left at 1100 and 1300 by everybody's true clock; this machine's is ahead."""
    head = [{"ph": "M", "name": "process_name", "pid": rank, "tid": 0, "args": {"name": f"rank {rank}"}}]
    waits = [{"ph": "X", "name": "barrier", "pid": rank, "tid": 1, "ts": begin + ahead, "dur": end - begin, "args": {"bytes": 0, "number": n}}
             for n, (begin, end) in enumerate([(1000 + 10 * rank, 1100), (1200, 1300)])]
    return head + waits


def write(path, events, torn=0):
    text = "[\n" + ",\n".join(json.dumps(e) for e in events) + "\n]\n"
    with open(path, "w", encoding="utf-8") as out:
        out.write(text[:len(text) - torn] if torn else text)


def merge(*words):
    out = os.path.join(folder, "all.json")
    subprocess.run([sys.executable, sys.argv[1], folder, out, *words], check=True)
    with open(out, encoding="utf-8") as opened:
        events = json.load(opened)["traceEvents"]
    return {(e["pid"], e["args"]["number"]): (e["ts"], e["dur"]) for e in events if e["ph"] == "X"}


with tempfile.TemporaryDirectory() as folder:
    write(os.path.join(folder, "trace-0.json"), trace(0, 0))
    write(os.path.join(folder, "trace-1.json"), trace(1, 500))
    assert merge() == {(0, 0): (0, 100), (0, 1): (200, 100), (1, 0): (510, 90), (1, 1): (700, 100)}, merge()
    assert merge("--align") == {(0, 0): (0, 100), (0, 1): (200, 100), (1, 0): (10, 90), (1, 1): (200, 100)}, merge("--align")
    write(os.path.join(folder, "trace-2.json.partial"), trace(2, 0), torn=20)
    assert merge() == {(0, 0): (0, 100), (0, 1): (200, 100), (1, 0): (510, 90), (1, 1): (700, 100), (2, 0): (20, 80)}, merge()
    empty = os.path.join(folder, "none")
    os.mkdir(empty)
    refused = subprocess.run([sys.executable, sys.argv[1], empty, "x.json"], stderr=subprocess.PIPE, text=True, check=False)
    assert refused.returncode != 0 and "no traces" in refused.stderr
print("merged")
