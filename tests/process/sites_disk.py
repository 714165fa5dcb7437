#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A server of sites whose disk fills up. Needs the right to mount; exits with 77 where that is missing.

usage: sites_disk.py CONVOY [unittest arguments]
"""
import collections
import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
from federation_kit import Federation, wait_until

CONVOY = str(pathlib.Path(sys.argv.pop(1)).resolve())
MIB = 1 << 20


class SmallDisk:
    """A file system of 96 MiB, of which a part can be taken away."""

    def __init__(self, folder):
        self.folder = folder
        self.ballast = folder / "ballast"

    def __enter__(self):
        self.folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", self.folder], check=True)
        return self

    def leave_free(self, count):
        self.ballast.unlink(missing_ok=True)
        free = os.statvfs(self.folder).f_bavail * os.statvfs(self.folder).f_frsize
        with open(self.ballast, "wb") as file:
            if count > 0:
                os.posix_fallocate(file.fileno(), 0, max(1, free - count))
                return
            with contextlib.suppress(OSError):  # whoever writes beside takes some of it
                while True:
                    os.write(file.fileno(), bytes(4096))

    def empty(self):
        self.ballast.unlink()

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.folder], check=True)


class Disk(unittest.TestCase):
    def check_end(self, federation):
        for name in federation.names():
            self.assertEqual(federation.sites[name].wait(90), 0, federation.logs())
        self.assertEqual(federation.server.wait(60), 0, federation.logs())
        counts = federation.summary()["schedule"]
        self.assertEqual(counts["received"], counts["aggregated"] + counts["refused"] + counts["pending"], counts)
        self.assertEqual(counts["refused"], 0)
        contributed = collections.Counter((record["site"], record["update"]) for record in federation.audit()
                                          if record["event"] == "contribution")
        self.assertEqual(len(contributed), counts["aggregated"] + counts["pending"])
        self.assertEqual(set(contributed.values()), {1})

    def test_updates_wait_while_the_disk_is_nearly_full(self):
        with Federation(CONVOY, federation="updates = 100000") as federation, SmallDisk(federation.folder / "disk") as disk:
            federation.run = disk.folder / "run"
            federation.serve()
            federation.join_all()
            self.assertTrue(wait_until(lambda: federation.updates() >= 6), federation.logs())
            disk.leave_free(32 * MIB)  # less than the server's reserve
            self.assertTrue(wait_until(lambda: "must stay free on the server's disk" in federation.server.text()), federation.logs())
            time.sleep(1.0)
            before = federation.updates()
            time.sleep(2.0)
            self.assertEqual(federation.updates(), before)
            self.assertTrue(federation.server.alive(), federation.logs())
            disk.empty()
            self.assertTrue(wait_until(lambda: federation.updates() >= before + 6), federation.logs())
            self.assertEqual(federation.operator("operate", "finish").returncode, 0, federation.logs())
            self.check_end(federation)

    def test_a_full_disk_ends_the_server_and_loses_nothing(self):
        with Federation(CONVOY, federation="updates = 100000") as federation, SmallDisk(federation.folder / "disk") as disk:
            federation.run = disk.folder / "run"
            federation.serve()
            federation.join_all()
            self.assertTrue(wait_until(lambda: federation.updates() >= 6), federation.logs())
            disk.leave_free(0)
            end = time.monotonic() + 60
            while federation.server.alive() and time.monotonic() < end:  # the logs' last blocks have room for some
                federation.operator("operate", "pause")
                federation.operator("operate", "resume")
            self.assertEqual(federation.server.wait(1), 1, federation.logs())
            self.assertIn("No space left on device", federation.server.text())
            again = federation.serve()
            self.assertEqual(again.wait(60), 1, again.text())
            disk.empty()
            before = federation.updates()
            federation.serve()
            # A pause that was logged holds, though nobody was told so.
            self.assertTrue(wait_until(lambda: federation.operator("operate", "resume").returncode == 0), federation.logs())
            self.assertTrue(wait_until(lambda: federation.updates() >= before + 6), federation.logs())
            self.assertEqual(federation.operator("operate", "finish").returncode, 0, federation.logs())
            self.check_end(federation)


def may_mount():
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], capture_output=True)
        if done.returncode == 0:
            subprocess.run(["umount", folder], check=True)
        return done.returncode == 0


if __name__ == "__main__":
    if not may_mount():
        print("no right to mount")
        sys.exit(77)
    unittest.main(verbosity=2)
