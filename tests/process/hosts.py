#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`convoy launch --hosts` over two emulated hosts: network and hostname namespaces joined by a virtual
cable, with a script in the place of ssh. Needs root; exits with 77 where that is missing.

usage: hosts.py CONVOY [unittest arguments]
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

CONVOY = sys.argv.pop(1)

JOB = """
[data]
name = "synthetic"
samples = 2000
[model]
name = "mlp"
[train]
steps = {steps}
batch_size = 16
[metrics]
every_steps = 5
[communication]
timeout_s = 60
"""

AGENT = """#!/bin/sh
# Called by mpirun as: agent HOST COMMAND...
host=$1
shift
echo "$host" >> {folder}/asked
exec nsenter --net=/run/netns/{prefix}$host --uts={folder}/uts.$host sh -c "$*"
"""


def call(*words):
    subprocess.run(words, check=True)


class TwoHosts:
    """Hosts with the addresses 10.77.0.1 and 10.77.0.2, and the names alpha and beta."""

    names = {"10.77.0.1": "alpha", "10.77.0.2": "beta"}

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="convoy-hosts-")
        self.prefix = f"convoy{os.getpid()}-"
        self.agent = os.path.join(self.folder, "agent")
        pathlib.Path(self.agent).write_text(AGENT.format(folder=self.folder, prefix=self.prefix))
        os.chmod(self.agent, 0o755)

    def __enter__(self):
        try:
            self.make()
        except (OSError, subprocess.CalledProcessError):
            self.__exit__()
            raise
        return self

    def make(self):
        for address, name in self.names.items():
            call("ip", "netns", "add", self.prefix + address)
            uts = self.uts(address)
            pathlib.Path(uts).touch()
            call("unshare", f"--uts={uts}", "hostname", name)
        a, b = (self.prefix + address for address in self.names)
        call("ip", "-n", a, "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", b)
        for address in self.names:
            space = self.prefix + address
            call("ip", "-n", space, "address", "add", address + "/24", "dev", "cable")
            for device in ("cable", "lo"):
                call("ip", "-n", space, "link", "set", device, "up")

    def __exit__(self, *_):
        for address in self.names:
            subprocess.run(["ip", "netns", "delete", self.prefix + address], stderr=subprocess.DEVNULL)
            subprocess.run(["umount", self.uts(address)], stderr=subprocess.DEVNULL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def uts(self, address):
        return os.path.join(self.folder, "uts." + address)

    def start(self, address, command, **options):
        """Runs a command on one of the hosts."""
        enter = ["nsenter", f"--net=/run/netns/{self.prefix}{address}", f"--uts={self.uts(address)}"]
        # Open MPI 4 and 5 call the same setting by two names.
        agent = {"OMPI_MCA_plm_rsh_agent": self.agent, "PRTE_MCA_plm_ssh_agent": self.agent}
        return subprocess.Popen(enter + command, env={**os.environ, **agent}, text=True,
                                cwd=self.folder, stdin=subprocess.DEVNULL, **options)


class Hosts(unittest.TestCase):
    def setUp(self):
        self.hosts = TwoHosts()
        self.hosts.__enter__()
        self.addCleanup(self.hosts.__exit__)
        self.run_dir = os.path.join(self.hosts.folder, "run")
        self.job = os.path.join(self.hosts.folder, "job.toml")

    def train(self, steps, hosts=("10.77.0.1", "10.77.0.2"), run_dir=None):
        pathlib.Path(self.job).write_text(JOB.format(steps=steps))
        command = [CONVOY, "launch", "-n", "2"] + (["--hosts", ",".join(hosts)] if hosts else [])
        command += ["--", "train", self.job, "--run-dir", run_dir or self.run_dir]
        process = self.hosts.start("10.77.0.1", command, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        return process

    def finish(self, process):
        output = process.communicate(timeout=90)[0]
        self.assertEqual(process.returncode, 0, output)
        return output

    def summary(self, run_dir=None):
        return json.loads(pathlib.Path(run_dir or self.run_dir, "summary.json").read_text())

    def carried_bytes(self):
        text = subprocess.run(
            ["nsenter", f"--net=/run/netns/{self.hosts.prefix}10.77.0.1", "cat", "/proc/net/dev"],
            check=True, capture_output=True, text=True).stdout
        line = next(line for line in text.splitlines() if "cable:" in line)
        return int(line.split(":")[1].split()[8])

    def wait_until_training(self, process):
        metrics = pathlib.Path(self.run_dir, "metrics.jsonl")
        deadline = time.monotonic() + 60
        while not (metrics.exists() and metrics.stat().st_size > 0):
            self.assertIsNone(process.poll(), "ended by itself")
            self.assertLess(time.monotonic(), deadline, "training did not start")
            time.sleep(0.05)

    def ranks(self):
        """rank -> process id, whatever the host: process ids are not emulated."""
        found = {}
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                variables = (entry / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            for variable in variables:
                if variable.startswith(b"OMPI_COMM_WORLD_RANK=") and self.run_dir.encode() in words:
                    found[int(variable.split(b"=")[1])] = int(entry.name)
        return found

    def test_two_hosts_train_to_the_bits_of_one(self):
        self.finish(self.train(40))
        asked = pathlib.Path(self.hosts.folder, "asked").read_text()
        self.assertEqual(asked, "10.77.0.2\n", "mpirun has started one rank elsewhere")
        two = self.summary()
        self.assertEqual(two["ranks"], 2)
        self.assertGreater(self.carried_bytes(), two["bytes_sent"] / 2, "the cable has carried it")
        alone = os.path.join(self.hosts.folder, "alone")
        self.finish(self.train(40, hosts=(), run_dir=alone))
        self.assertEqual(two["parameters_hash"], self.summary(alone)["parameters_hash"])

    def test_ctrl_c_reaches_the_ranks_of_both(self):
        process = self.train(10**6)
        self.wait_until_training(process)
        process.send_signal(signal.SIGINT)
        self.finish(process)
        self.assertTrue(self.summary()["interrupted"])
        self.assertEqual(len(list(pathlib.Path(self.run_dir).glob("checkpoints/step-*"))), 1)

    def test_a_killed_rank_of_the_other_host_ends_the_job(self):
        process = self.train(10**6)
        self.wait_until_training(process)
        os.kill(self.ranks()[1], signal.SIGKILL)
        output = process.communicate(timeout=20)[0]
        self.assertNotEqual(process.returncode, 0, output)
        deadline = time.monotonic() + 10
        while self.ranks() and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertEqual(self.ranks(), {}, output)
        self.assertRegex(output, r"rank 1\b|rank=1|,1\]")


if __name__ == "__main__":
    if os.geteuid() != 0 or not shutil.which("ip"):
        print("skipped: emulated hosts need root and iproute2")
        sys.exit(77)
    unittest.main(verbosity=2)
