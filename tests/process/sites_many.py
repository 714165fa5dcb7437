#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A hundred sites, each a process of its own, on one machine: all join in time and none is evicted. Takes some 10 GB of
memory; exits with 77 where there is less.

usage: sites_many.py CONVOY [unittest arguments]
"""
import os
import pathlib
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
                return federation.server.text().count("has joined") >= SITES

            self.assertTrue(wait_until(joined, 180), federation.logs())
            print(f"all joined after {time.monotonic() - began:.1f} s", file=sys.stderr)
            for name in federation.names():
                self.assertEqual(federation.sites[name].wait(300), 0, name + federation.logs())
            self.assertEqual(federation.server.wait(60), 0, federation.logs())
            events = federation.events()
            self.assertFalse([event for event in events if event["kind"] == "evict"])
            clients = {event["client"] for event in events if event["kind"] == "arrive"}
            self.assertEqual(len(clients), SITES, "every site has contributed")


if __name__ == "__main__":
    if os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES") < 11 * 10**9:
        sys.exit(77)
    unittest.main(verbosity=2)
