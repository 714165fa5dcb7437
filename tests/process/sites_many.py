#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A hundred sites, each a process of its own, on one machine: all join in time and none is evicted. Exits with 77 where
less than 8 GB of memory are to be had.

usage: sites_many.py CONVOY [unittest arguments]
"""
import pathlib
import re
import sys
import time
import unittest

sys.dont_write_bytecode = True
from federation_kit import Federation, wait_until

CONVOY = str(pathlib.Path(sys.argv.pop(1)).resolve())
SITES = 100


class Many(unittest.TestCase):
    def test_a_hundred_sites_join_and_none_is_evicted(self):
        with Federation(CONVOY, SITES, federation="updates = 300\nfirst_round_timeout = 0", liveness=30.0, every=0) as federation:
            federation.serve()
            began = time.monotonic()
            federation.join_all()

            def joined():
                """Some may have come twice."""
                return set(re.findall(r"site (\S+) at \S+ has joined", federation.server.text()))

            self.assertTrue(wait_until(lambda: joined() == set(federation.names()), 180), federation.logs())
            print(f"all joined after {time.monotonic() - began:.1f} s", file=sys.stderr)
            for name in federation.names():
                self.assertEqual(federation.sites[name].wait(300), 0, name + federation.logs())
            self.assertEqual(federation.server.wait(60), 0, federation.logs())
            events = federation.events()
            self.assertFalse([event for event in events if event["kind"] == "evict"])
            clients = {event["client"] for event in events if event["kind"] == "arrive"}
            self.assertEqual(len(clients), SITES, "every site has contributed")


def available():
    """Bytes, with what the system keeps of files and gives up at once."""
    found = re.search(r"MemAvailable:\s+(\d+) kB", pathlib.Path("/proc/meminfo").read_text())
    return 1024 * int(found[1])


if __name__ == "__main__":
    if available() < 8 * 10**9:
        sys.exit(77)
    unittest.main(verbosity=2)
