#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench/cluster/with: training on emulated hosts, and that nothing of them is left. Needs root; exits
with 77 where hosts cannot be emulated.

usage: cluster.py WITH CONVOY [unittest arguments]
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

CONVOY = sys.argv.pop(2)
WITH = sys.argv.pop(1)

JOB = """
[data]
name = "synthetic"
samples = 2000
[model]
name = "mlp"
[train]
steps = 20
batch_size = 16
[communication]
timeout_s = 60
"""


def with_hosts(*words, **options):
    return subprocess.run([WITH, *words], text=True, capture_output=True, timeout=90, **options)


def traces():
    """What an emulated host could leave behind: namespaces, devices, folders."""
    spaces = set()
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        for kind in ("net", "uts"):
            try:
                spaces.add(os.readlink(entry / "ns" / kind))
            except OSError:
                continue
    return spaces, set(os.listdir("/sys/class/net")), set(pathlib.Path("/tmp").glob("cv-*"))


class Cluster(unittest.TestCase):
    def setUp(self):
        before = traces()
        self.addCleanup(lambda: self.assertEqual(traces(), before))
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_names_a_program_that_does_not_exist(self):
        for words in (["2", "1gbit"], ["--alone", "2", "1gbit"]):
            result = with_hosts(*words, "--", "/nowhere/program")
            self.assertEqual(result.returncode, 127)
            self.assertEqual(result.stderr, "with: there is no program /nowhere/program\n")

    def test_trains_on_two_hosts_over_tcp(self):
        job = self.folder / "job.toml"
        job.write_text(JOB)
        hashes = []
        for transport in ("auto", "mpi"):
            run_dir = self.folder / transport
            ended = with_hosts("2", "1gbit", "--", CONVOY, "train", str(job), "--run-dir", str(run_dir),
                               "--set", f"communication.transport={transport}")
            self.assertEqual(ended.returncode, 0, ended.stderr)
            summary = json.loads((run_dir / "summary.json").read_text())
            self.assertEqual((summary["ranks"], summary["steps"]), (2, 20))
            hashes.append(summary["parameters_hash"])
        self.assertEqual(hashes[0], hashes[1], "the transport has changed a bit")

    def test_adds_up_inside_hosts_first(self):
        job = self.folder / "job.toml"
        job.write_text(JOB)
        summaries = []
        for hierarchical in ("false", "true"):
            run_dir = self.folder / hierarchical
            ended = with_hosts("--ranks", "4", "2", "1gbit", "--", CONVOY, "train", str(job), "--run-dir",
                               str(run_dir), "--set", f"communication.hierarchical={hierarchical}",
                               "--set", "run.verify_replicas_every=5", "--set", "compression.family=half",
                               "--set", "compression.warmup_steps=0")
            self.assertEqual(ended.returncode, 0, ended.stderr)
            summaries.append(json.loads((run_dir / "summary.json").read_text()))
        flat, nodes = summaries
        self.assertEqual((nodes["ranks"], nodes["steps"]), (4, 20))
        self.assertAlmostEqual(flat["loss"], nodes["loss"], delta=0.05)
        # Other sums, other bits: it was not ignored.
        self.assertNotEqual(flat["parameters_hash"], nodes["parameters_hash"])

    def test_info_says_what_data_travels_on(self):
        ended = with_hosts("2", "1gbit", "--", CONVOY, "info", "--json")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        info = json.loads(ended.stdout)
        self.assertEqual(info["hosts"], ["node1", "node2"])
        self.assertEqual(info["transport"], "mpi" if info["fast_fabric"] else "tcp")

    def test_passes_exit_codes_on(self):
        self.assertEqual(with_hosts("--alone", "1", "100mbit", "--", "sh", "-c", "exit 5").returncode, 5)
        self.assertEqual(with_hosts("2", "1gbit", "--", CONVOY, "train", "/no/job.toml").returncode, 2)

    def test_refuses_what_is_no_rate(self):
        ended = with_hosts("2", "fast", "--", "true")
        self.assertNotEqual(ended.returncode, 0)
        self.assertIn('"fast" is no rate', ended.stderr)

    def test_ends_on_a_signal(self):
        process = subprocess.Popen([WITH, "--alone", "2", "1gbit", "--", "sh", "-c", "echo up; sleep 100"],
                                   stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.assertEqual(process.stdout.readline(), "up\n")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=20), 128 + signal.SIGTERM)

    def test_leaves_nothing_when_it_is_killed(self):
        process = subprocess.Popen([WITH, "--alone", "2", "1gbit", "--", "sh", "-c", "echo up; sleep 2"],
                                   stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.assertEqual(process.stdout.readline(), "up\n")
        folders = set(pathlib.Path("/tmp").glob("cv-*"))
        process.kill()
        process.wait()
        time.sleep(3)
        for folder in folders:  # the one thing that nobody can remove then
            subprocess.run(["rm", "-r", folder], check=True)


if __name__ == "__main__":
    probe = with_hosts("--alone", "1", "1gbit", "--", "true")
    if probe.returncode == 77:
        print("skipped: " + probe.stderr.strip())
        sys.exit(77)
    unittest.main(verbosity=2)
