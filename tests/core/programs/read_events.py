#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""read_events.py WRITE_EVENTS: runs the program and reads its event file with the package tensorboard; 77 where there is none."""
import subprocess
import sys
import tempfile

try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
except ImportError as problem:
    print(f"skipped: no Python package tensorboard ({problem}) pip install tensorboard")
    sys.exit(77)

with tempfile.TemporaryDirectory() as folder:
    subprocess.run([sys.argv[1], folder], check=True)
    events = EventAccumulator(folder)
    events.Reload()
    tags = events.Tags()["scalars"]
    assert sorted(tags) == ["nonzeros", "objective", "passes", "step"], tags
    objective = events.Scalars("objective")
    assert [e.step for e in objective] == [0, 100, 200, 300], objective
    assert all(abs(e.value - 1 / (1 + k)) < 1e-7 for k, e in enumerate(objective)), objective
    assert [(e.step, e.value) for e in events.Scalars("step")] == [(200, 0.125)]
    assert [e.value for e in events.Scalars("nonzeros")] == [0, 1, 2, 3]
    assert all(e.wall_time > 1.6e9 for e in objective)
print("tensorboard read 4 records and 4 tags")
