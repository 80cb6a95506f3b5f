# SPDX-License-Identifier: BSL-1.0
"""Two network namespaces of this machine, with a cable between them that is as slow as one likes, and what starts an MPI job over it. They are
gone when the with statement ends."""
import os
import shutil
import subprocess
import tempfile


def _do(*command):
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ({done.stdout.strip()[-200:]})")


def why_not():
    """Why there can be none here, or None."""
    for tool in ("ip", "tc"):
        if not shutil.which(tool):
            return f"there is no {tool} (Debian: iproute2)"
    try:
        with TwoMachines(20):
            return None
    except RuntimeError as error:
        return f"network namespaces need root, and a kernel with veth and tbf: {error}"


class TwoMachines:
    """`mpirun` is the beginning of a command that starts two ranks, one on each machine, which talk over the link alone."""

    network, addresses = "10.97.31.0/24", ("10.97.31.1", "10.97.31.2")

    def __init__(self, megabits):
        self.megabits = megabits
        self.names = [f"gamut-{os.getpid()}-{which}" for which in "ab"]
        self.made, self.folder = [], None

    def __enter__(self):
        try:
            for name in self.names:
                _do("ip", "netns", "add", name)
                self.made.append(name)
            a, b = self.names
            _do("ip", "link", "add", "cable", "netns", a, "type", "veth", "peer", "name", "cable", "netns", b)
            for name, address in zip(self.names, self.addresses):
                _do("ip", "-n", name, "addr", "add", f"{address}/24", "dev", "cable")
                for device in ("lo", "cable"):
                    _do("ip", "-n", name, "link", "set", device, "up")
                _do("ip", "netns", "exec", name, "tc", "qdisc", "add", "dev", "cable", "root", "tbf", "rate", f"{self.megabits}mbit", "burst", "16kb",
                    "latency", "400ms")
            self.folder = tempfile.mkdtemp(prefix="gamut-", dir="/tmp")
            agent = os.path.join(self.folder, "agent")
            with open(agent, "w", encoding="utf-8") as file:  # called as ssh would be: HOST COMMAND...
                file.write(f'#!/bin/sh\nshift\nexec ip netns exec {b} sh -c "$*"\n')
            os.chmod(agent, 0o755)
            self.mpirun = ["ip", "netns", "exec", a, "mpirun", "--mca", "plm_rsh_agent", agent, "--host", ",".join(f"{x}:1" for x in self.addresses),
                           "--mca", "pml", "ob1", "--mca", "btl", "tcp,self", "--mca", "btl_tcp_if_include", self.network, "--mca", "oob_tcp_if_include",
                           self.network, "-n", "2"]
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in self.made:  # the cable goes with them
            subprocess.run(["ip", "netns", "delete", name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)
