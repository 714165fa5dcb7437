#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Federations whose links are slow or cut: server and sites in network namespaces joined by a virtual cable. Needs
root; exits with 77 where that is missing.

usage: sites_network.py CONVOY [unittest arguments]
"""
import os
import pathlib
import subprocess
import sys
import time
import unittest

sys.dont_write_bytecode = True
from federation_kit import Federation, wait_until

CONVOY = str(pathlib.Path(sys.argv.pop(1)).resolve())
HUB, FAR = "10.78.0.1", "10.78.0.2"


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Cable:
    """The hub's namespace and that of all sites, and the cable between them."""

    def __init__(self, rate):
        self.rate = rate
        self.hub, self.far = (f"convoy{os.getpid()}-{name}" for name in ("hub", "far"))

    def __enter__(self):
        ip("netns", "add", self.hub)
        ip("netns", "add", self.far)
        ip("-n", self.hub, "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", self.far)
        for space, address in ((self.hub, HUB), (self.far, FAR)):
            ip("-n", space, "address", "add", address + "/24", "dev", "cable")
            ip("-n", space, "link", "set", "cable", "up")
            ip("-n", space, "link", "set", "lo", "up")
            subprocess.run(["tc", "-n", space, "qdisc", "add", "dev", "cable", "root", "tbf", "rate", self.rate, "burst",
                            "64kb", "latency", "100ms"], check=True)
        return self

    def cut(self):
        ip("-n", self.far, "link", "set", "cable", "down")

    def mend(self):
        ip("-n", self.far, "link", "set", "cable", "up")

    def __exit__(self, *_):
        for space in (self.hub, self.far):
            subprocess.run(["ip", "netns", "del", space], capture_output=True)

    def federation(self, **more):
        return Federation(CONVOY, host=HUB, server_prefix=["ip", "netns", "exec", self.hub],
                          site_prefix=["ip", "netns", "exec", self.far], **more)


def contributions(federation, site):
    return [record["update"] for record in federation.audit()
            if record["event"] == "contribution" and record["site"] == site]


class Network(unittest.TestCase):
    def finish(self, federation):
        for name in federation.names():
            self.assertEqual(federation.sites[name].wait(120), 0, federation.logs())
        self.assertEqual(federation.server.wait(60), 0, federation.logs())
        for name in federation.names():
            ids = contributions(federation, name)
            self.assertEqual(len(ids), len(set(ids)), ids)

    def test_a_link_that_is_cut_for_longer_than_a_deadline(self):
        with Cable("200mbit") as cable, cable.federation(federation="updates = 400", liveness=2.0) as federation:
            federation.serve()
            federation.join_all()
            self.assertTrue(wait_until(lambda: federation.updates() >= 9), federation.logs())
            cable.cut()
            self.assertTrue(wait_until(lambda: any(event["kind"] == "evict" for event in federation.events()), 20),
                            federation.logs())
            time.sleep(4.0)
            before = {name: len(contributions(federation, name)) for name in federation.names()}
            cable.mend()
            self.finish(federation)
            for name in federation.names():
                self.assertGreater(len(contributions(federation, name)), before[name], name)

    def test_the_final_model_takes_longer_than_linger_and_all_sites_get_it(self):
        # 1.1 MB for each of three sites, some 13 s on this link.
        with Cable("2mbit") as cable, cable.federation(hidden=512, layers=2, federation="updates = 3", sites="linger = 2",
                                                       liveness=10.0) as federation:
            job = federation.folder / "job.toml"
            job.write_text(job.read_text().replace("linger = 30\n", ""))
            federation.serve()
            federation.join_all()
            self.finish(federation)
            for name in federation.names():
                self.assertIn(federation.summary()["parameters_hash"], federation.sites[name].text())

    def test_a_site_that_is_killed_while_it_sends_goes_on_where_it_was(self):
        # 5 MB an update, some 2 s on this link.
        with Cable("20mbit") as cable, cable.federation(hidden=1100, layers=2, federation="updates = 9",
                                                        liveness=10.0) as federation:
            federation.serve()
            federation.join_all()
            partial = federation.run / "updates" / "partial" / "site000"

            def half_way():
                files = list(partial.glob("*")) if partial.exists() else []
                return files[0] if files and files[0].stat().st_size > 1_000_000 else None

            file = wait_until(half_way, 60)
            self.assertTrue(file, federation.logs())
            federation.sites["site000"].kill()
            update = file.name.split("~")[0]
            stored = file.stat().st_size
            federation.join("site000")
            self.finish(federation)
            self.assertIn(update, contributions(federation, "site000"), "the update that was cut is the one that counts")
            self.assertGreater(stored, 1_000_000)


if __name__ == "__main__":
    if os.geteuid() != 0 or subprocess.run(["ip", "netns"], capture_output=True).returncode != 0:
        sys.exit(77)
    unittest.main(verbosity=2)
