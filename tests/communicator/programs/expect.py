# SPDX-License-Identifier: BSL-1.0
"""expect.py CODE SECONDS TEXT COMMAND...: runs the command; succeeds if it ends within the time with that exit code and
every part of TEXT (parts are separated by |) in its output."""
import subprocess
import sys

code, seconds, text, command = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3], sys.argv[4:]
process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
try:
    output, _ = process.communicate(timeout=seconds)
except subprocess.TimeoutExpired:
    process.terminate()
    try:
        output, _ = process.communicate(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
    sys.exit(f"still running after {seconds} s\n{output}")
missing = [part for part in text.split("|") if part not in output]
if process.returncode != code or missing:
    sys.exit(f"exit code {process.returncode} (expected {code}), missing in the output: {missing}\n{output}")
