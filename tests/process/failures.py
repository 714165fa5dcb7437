#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real processes that are killed, stopped and interrupted while they train.

usage: failures.py CONVOY [unittest arguments]
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
[run]
seed = 3
[data]
name = "synthetic"
samples = 4000
[model]
name = "mlp"
[train]
steps = {steps}
batch_size = 16
[communication]
timeout_s = {timeout}
[checkpoint]
every_steps = {every}
[metrics]
every_steps = 20
"""

OPEN_MPI_4 = "(Open MPI) 4." in subprocess.run(
    ["mpirun", "--version"], capture_output=True, text=True, check=True).stdout

MPIRUN = ["mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none"]


def rank_processes(marker):
    """rank -> pid of the processes of a run, told by the run directory on their command line."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            command = (entry / "cmdline").read_bytes().split(b"\0")
            environment = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if marker.encode() not in command:
            continue
        for variable in environment:
            if variable.startswith(b"OMPI_COMM_WORLD_RANK="):
                found[int(variable.split(b"=")[1])] = int(entry.name)
    return found


def leftovers(marker):
    """Living processes that carry the run directory on their command line."""
    result = subprocess.run(["pgrep", "-f", "--", marker], capture_output=True, text=True)
    return [int(pid) for pid in result.stdout.split() if int(pid) != os.getpid()]


class Run:
    """A training job under way; `with` cleans up whatever is left of it."""

    def __init__(self, launcher, steps=10**6, timeout=60, every=0, more=()):
        self.folder = tempfile.mkdtemp(prefix="convoy-failures-")
        self.run_dir = os.path.join(self.folder, "run")
        job = os.path.join(self.folder, "job.toml")
        pathlib.Path(job).write_text(JOB.format(steps=steps, timeout=timeout, every=every))
        self.log_path = os.path.join(self.folder, "log")
        self.log = open(self.log_path, "w")
        command = launcher + ["train", job, "--run-dir", self.run_dir, *more]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT,
                                        stdin=subprocess.DEVNULL, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pid in leftovers(self.run_dir) + [self.process.pid]:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def output(self):
        return pathlib.Path(self.log_path).read_text()

    def wait_until_training(self):
        deadline = time.monotonic() + 60
        metrics = pathlib.Path(self.run_dir, "metrics.jsonl")
        while time.monotonic() < deadline:
            if metrics.exists() and metrics.stat().st_size > 0:
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError("training did not start:\n" + self.output())

    def wait(self, seconds):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"still running after {seconds} s:\n" + self.output()) from error

    def summary(self):
        return json.loads(pathlib.Path(self.run_dir, "summary.json").read_text())

    def checkpoints(self):
        folder = pathlib.Path(self.run_dir, "checkpoints")
        return sorted(p.parent.name for p in folder.glob("step-*/manifest.json"))


def launch(ranks):
    return [CONVOY, "launch", "-n", str(ranks), "--"]


def mpirun(ranks):
    return MPIRUN + ["-n", str(ranks), CONVOY]


class Failures(unittest.TestCase):
    def assert_all_gone(self, run, seconds=10):
        deadline = time.monotonic() + seconds
        while leftovers(run.run_dir) and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertEqual(leftovers(run.run_dir), [], run.output())

    @staticmethod
    def said(run):
        return [line for line in run.output().splitlines() if line.startswith("convoy: ")]

    def test_a_killed_rank_ends_the_job_and_is_named(self):
        for launcher in (launch, mpirun):
            with self.subTest(launcher=launcher.__name__), Run(launcher(3)) as run:
                run.wait_until_training()
                os.kill(rank_processes(run.run_dir)[1], signal.SIGKILL)
                start = time.monotonic()
                self.assertNotEqual(run.wait(10), 0, run.output())
                self.assert_all_gone(run, 10 - (time.monotonic() - start))
                self.assertRegex(run.output(), r"rank 1\b|rank=1|,1\]")

    def test_a_stopped_rank_becomes_an_error_that_names_it(self):
        with Run(launch(3), timeout=2) as run:
            run.wait_until_training()
            os.kill(rank_processes(run.run_dir)[2], signal.SIGSTOP)
            self.assertEqual(run.wait(15), 1, run.output())
            self.assert_all_gone(run)
            self.assertRegex(run.output(), r"rank [01]/3.*rank 2")
            self.assertIn("2.0 s", run.output())

    def test_what_all_ranks_meet_is_said_once(self):
        with Run(launch(3), more=["--set", "train.optimizer.lr=1e30"]) as run:
            self.assertEqual(run.wait(60), 1, run.output())
            self.assert_all_gone(run)
            self.assertEqual(len(self.said(run)), 1, run.output())
            self.assertRegex(self.said(run)[0], r"rank 0 of 3: the loss of rank \d is not finite in step")

    def test_what_one_rank_meets_is_not_repeated_by_the_others(self):
        with Run(launch(3), steps=3000) as run:
            run.wait_until_training()
            os.mkdir(os.path.join(run.run_dir, "model.pt"))  # rank 0 wants to write there
            self.assertEqual(run.wait(60), 1, run.output())
            self.assertEqual(len(self.said(run)), 1, run.output())
            self.assertRegex(self.said(run)[0], r"rank 0 of 3: .*model.pt")

    def test_ctrl_c_leaves_a_checkpoint_and_success(self):
        for name in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(signal=name), Run(launch(2)) as run:
                run.wait_until_training()
                run.process.send_signal(name)
                self.assertEqual(run.wait(30), 0, run.output())
                self.assert_all_gone(run)
                self.assertEqual(len(run.checkpoints()), 1)
                self.assertTrue(run.summary()["interrupted"])

    def test_an_interrupted_run_goes_on_to_the_same_bits(self):
        with Run(launch(2), steps=3000) as whole:
            self.assertEqual(whole.wait(120), 0, whole.output())
            expected = whole.summary()["parameters_hash"]
        with Run(launch(2), steps=3000) as broken:
            broken.wait_until_training()
            broken.process.send_signal(signal.SIGINT)
            self.assertEqual(broken.wait(60), 0, broken.output())
            self.assertTrue(broken.summary()["interrupted"], "too fast to be interrupted")
            subprocess.run(launch(2) + ["train", "--resume", broken.run_dir], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.assertEqual(broken.summary()["parameters_hash"], expected)

    def test_sigusr1_under_plain_mpirun_leaves_a_checkpoint(self):
        with Run(mpirun(2)) as run:
            run.wait_until_training()
            os.kill(rank_processes(run.run_dir)[1], signal.SIGUSR1)
            self.assertEqual(run.wait(30), 0, run.output())
            self.assertEqual(len(run.checkpoints()), 1)

    def test_sigterm_under_plain_mpirun_keeps_the_last_checkpoint(self):
        with Run(mpirun(2), every=10) as run:
            run.wait_until_training()
            run.process.send_signal(signal.SIGTERM)
            self.assertNotEqual(run.wait(15), 0)
            self.assert_all_gone(run)
            self.assertGreaterEqual(len(run.checkpoints()), 1)
            if OPEN_MPI_4:  # mpirun 5 passes on nothing that a rank writes after the signal
                self.assertIn("SIGTERM", run.output())

    def test_a_killed_launcher_leaves_no_orphans(self):
        with Run(launch(2)) as run:
            run.wait_until_training()
            run.process.kill()
            self.assert_all_gone(run, 15)

    def test_a_full_disk_is_named_and_older_checkpoints_stay(self):
        mount = tempfile.mkdtemp(prefix="convoy-full-")
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", mount])
        if mounted.returncode != 0:
            self.skipTest("mounting a small tmpfs needs root")
        try:
            run_dir = os.path.join(mount, "run")
            job = os.path.join(mount, "job.toml")
            pathlib.Path(job).write_text(JOB.format(steps=10**6, timeout=60, every=200))
            process = subprocess.run(
                launch(2) + ["train", job, "--run-dir", run_dir, "--set", "checkpoint.keep=1000"],
                capture_output=True, text=True, timeout=120)
            self.assertEqual(process.returncode, 1, process.stderr)
            self.assertIn("No space left on device", process.stderr)
            whole = list(pathlib.Path(run_dir, "checkpoints").glob("step-*/manifest.json"))
            self.assertGreaterEqual(len(whole), 1)
        finally:
            subprocess.run(["umount", mount], check=True)
            os.rmdir(mount)


if __name__ == "__main__":
    unittest.main(verbosity=2)
