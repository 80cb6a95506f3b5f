# SPDX-License-Identifier: BSL-1.0
"""One library in a process of its own: worker.py MODULE LIBRARY THREADS reads commands from stdin and answers in lines of JSON.
    load DIRECTORY     takes X, y and the options from there
    fit FILE           fits, writes coefficients and intercepts there (raw doubles), says how long it took
`memory` is what the process had at its most beyond what it had before the arrays, one copy of them included."""
import contextlib
import importlib
import json
import os
import sys
import time

import numpy as np

import install

replies = os.fdopen(os.dup(1), "w")  # what a library prints goes to stderr, not among the answers
os.dup2(2, 1)


def reply(**values):
    print(json.dumps(values), file=replies, flush=True)


def memory(name):
    with open("/proc/self/status", encoding="ascii") as file:
        return next(1024.0 * int(line.split()[1]) for line in file if line.startswith(name))


def forget_peak():
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def main():
    module, library, threads = importlib.import_module(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    prepare = module.FITS[library]
    if library in install.LIBRARIES:
        importlib.import_module(install.LIBRARIES[library][1])  # its own size is not the memory of a fit
    before = memory("VmRSS:")
    fit = None
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        try:
            if command == "load":
                fit = X = y = None  # the memory of the last arrays
                with open(os.path.join(argument, "options.json"), encoding="utf-8") as file:
                    options = json.load(file)
                X = np.fromfile(os.path.join(argument, "X.bin")).reshape(options["rows"], options["columns"])
                y = np.fromfile(os.path.join(argument, "y.bin"))
                fit = prepare(X, y, options, threads)
                reply(ready=True)
            elif command == "fit":
                forget_peak()
                processor, start = time.process_time(), time.perf_counter()
                answer = fit()
                seconds, processor = time.perf_counter() - start, time.process_time() - processor
                peak = memory("VmHWM:") - before
                coefficients, intercepts = answer() if callable(answer) else answer
                np.concatenate([np.ravel(np.asarray(coefficients, dtype=float)),
                                np.ravel(np.asarray(intercepts, dtype=float))]).tofile(argument)
                reply(seconds=seconds, processor_seconds=processor, memory=peak)
        except Exception as error:  # whatever a library throws is an answer too
            reply(error=f"{type(error).__name__}: {str(error)[:300]}")


if __name__ == "__main__":
    main()
