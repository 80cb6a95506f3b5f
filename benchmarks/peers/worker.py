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


def read(folder):
    """X (dense, or compressed rows), y, options."""
    with open(os.path.join(folder, "options.json"), encoding="utf-8") as file:
        options = json.load(file)

    def numbers(name, kind=np.float64):
        return np.fromfile(os.path.join(folder, name), dtype=kind)

    shape = options["rows"], options["columns"]
    if options["entries"]:
        import scipy.sparse

        X = scipy.sparse.csr_matrix((numbers("X.bin"), numbers("indices.bin", np.int32), numbers("offsets.bin", np.int64).astype(np.int32)), shape=shape)
    else:
        X = numbers("X.bin").reshape(shape)
    return X, numbers("y.bin"), options


def main():
    module, library, threads = importlib.import_module(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    prepare = module.FITS[library]
    known = {**install.LIBRARIES, **install.LEARNERS}
    if library in known:
        importlib.import_module(known[library][1])  # its own size is not the memory of a fit
    before = memory("VmRSS:")
    fit = None
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        try:
            if command == "load":
                fit = None  # and the memory of the last arrays
                fit = prepare(*read(argument), threads)  # the arrays live as long as fit needs them
                reply(ready=True)
            elif command == "fit":
                forget_peak()
                processor, start = time.process_time(), time.perf_counter()
                answer = fit()
                seconds, processor = time.perf_counter() - start, time.process_time() - processor
                measured = {"seconds": seconds, "processor_seconds": processor, "memory": memory("VmHWM:") - before}
                answer = answer() if callable(answer) else answer
                if len(answer) == 3:  # measured elsewhere: in a program of another language, or in an earlier run
                    measured.update(answer[2])
                coefficients, intercepts = answer[:2]
                np.concatenate([np.ravel(np.asarray(coefficients, dtype=float)),
                                np.ravel(np.asarray(intercepts, dtype=float))]).tofile(argument)
                reply(**measured)
        except Exception as error:  # whatever a library throws is an answer too
            reply(error=f"{type(error).__name__}: {str(error)[:300]}")


if __name__ == "__main__":
    main()
