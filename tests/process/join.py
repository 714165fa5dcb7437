#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sites of a federation that are killed, stopped and checked: what `convoy join` promises to who runs it.

usage: join.py CONVOY [unittest arguments]
"""
import collections
import json
import random
import signal
import subprocess
import sys
import time
import unittest

sys.dont_write_bytecode = True
from federation_kit import Federation, wait_until

CONVOY = sys.argv.pop(1)
TOP_K = '[compression]\nfamily = "top_k"\nlevel = 0.05\n'


class Join(unittest.TestCase):
    def assert_ends_well(self, federation, names=None):
        logs = federation.logs
        for name in names or federation.names():
            self.assertEqual(federation.sites[name].wait(120), 0, name + logs())
        self.assertEqual(federation.server.wait(60), 0, logs())
        contributed = collections.Counter((record["site"], record["update"]) for record in federation.audit()
                                          if record["event"] == "contribution")
        self.assertEqual(set(contributed.values()), {1})
        return contributed

    def uploads(self, federation, name):
        """Ids of updates of which a part has arrived."""
        return [path.name.split("~")[0] for path in federation.run.glob(f"updates/partial/{name}/*~*")
                if path.exists() and path.stat().st_size > 0]

    def test_a_site_that_is_killed_in_its_upload_sends_the_same_update(self):
        # 14 MB an update, so that there is a while in which a part has arrived.
        with Federation(CONVOY, clients=2, hidden=1800, layers=2, federation="updates = 100000", least=1,
                        most=3) as federation:
            federation.serve()
            federation.join_all()
            cut = []
            for _ in range(3):
                end = time.monotonic() + 60
                while time.monotonic() < end and federation.server.alive():
                    found = self.uploads(federation, "site001")
                    if found:
                        federation.sites["site001"].kill()
                        if self.uploads(federation, "site001") == found:  # its last byte had not left
                            cut += found
                            break
                        federation.join("site001")
                self.assertTrue(cut, federation.logs())
                federation.join("site001")
                self.assertTrue(wait_until(lambda: not self.uploads(federation, "site001"), 60), federation.logs())
            self.assertEqual(federation.operator("operate", "finish").returncode, 0, federation.logs())
            contributed = self.assert_ends_well(federation)
            for update in cut:
                self.assertIn(("site001", update), contributed)

    def test_a_site_that_is_killed_at_any_moment_goes_on(self):
        chance = random.Random(11)
        for compression in ("", TOP_K):
            with Federation(CONVOY, clients=2, hidden=300, federation="updates = 120", more=compression) as federation:
                federation.serve()
                federation.join_all()
                for _ in range(12):
                    time.sleep(chance.uniform(0.3, 0.9))
                    if not federation.server.alive() or not federation.sites["site001"].alive():
                        break
                    federation.sites["site001"].kill()
                    federation.join("site001")
                self.assert_ends_well(federation)

    def test_a_stopped_site_is_only_away(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with Federation(CONVOY, clients=2, federation="updates = 60", least=50, most=200) as federation:
                federation.serve()
                federation.join_all()
                self.assertTrue(wait_until(lambda: federation.updates() >= 6), federation.logs())
                federation.sites["site000"].kill(number)
                self.assertEqual(federation.sites["site000"].wait(20), 0, federation.logs())
                self.assertIn("stopped, and is still in the run", federation.sites["site000"].text())
                federation.join("site000")
                self.assert_ends_well(federation)

    def test_a_site_that_leaves_is_gone(self):
        with Federation(CONVOY, clients=2, federation="updates = 60") as federation:
            federation.serve()
            federation.join("site000", "--leave", "--json")
            federation.join("site001")
            self.assertTrue(wait_until(lambda: federation.updates() >= 6), federation.logs())
            federation.sites["site000"].kill(signal.SIGTERM)
            self.assertEqual(federation.sites["site000"].wait(20), 0, federation.logs())
            outcome = json.loads(federation.sites["site000"].text().splitlines()[-1])
            self.assertEqual(outcome["outcome"], "left")
            self.assertEqual(outcome["reason"], "the site has been stopped")
            self.assert_ends_well(federation, ["site001"])

    def test_check_enrols_nobody_and_says_what_is_wrong(self):
        with Federation(CONVOY, clients=2, federation="updates = 10000") as federation:
            def check(*more):
                return subprocess.run(federation.site_words("site000", "--check", *more), cwd=federation.folder,
                                      capture_output=True, text=True, timeout=60)

            away = check()
            self.assertEqual(away.returncode, 1)
            self.assertIn("FAILED  route", away.stdout)
            federation.serve()
            self.assertTrue(wait_until(lambda: federation.status() is not None), federation.logs())
            there = check("--json")
            self.assertEqual(there.returncode, 0, there.stdout + there.stderr)
            self.assertEqual([one["what"] for one in json.loads(there.stdout)["checks"]],
                             ["certificate", "CA and revocation list", "route", "server", "policy", "data"])
            self.assertEqual(federation.status()["sites"], [])
            policy = federation.folder / "policy.toml"
            policy.write_text("[privacy]\nmin_sigma = 1.0\n")
            forbidden = check("--policy", str(policy))
            self.assertEqual(forbidden.returncode, 1)
            self.assertIn("FAILED  policy", forbidden.stdout)
            self.assertNotIn("data", forbidden.stdout)
            # And without --check the site goes, with a reason.
            site = federation.join("site000", "--policy", str(policy))
            self.assertEqual(site.wait(30), 1, site.text())
            self.assertIn("the policy demands differential privacy", site.text())

    def test_what_cannot_work_is_refused_before_anything_is_dialled(self):
        with Federation(CONVOY, clients=1) as federation:
            for words, text in [(["--share", "3/2"], "--share"), (["--policy", "nowhere"], "nowhere"),
                                (["--server", "hub"], "--server"), (["--site", "other"], "other.crt")]:
                base = federation.site_words("site000")
                if words[0] in base:
                    at = base.index(words[0])
                    del base[at:at + 2]
                done = subprocess.run(base + words, cwd=federation.folder, capture_output=True, text=True, timeout=60)
                self.assertEqual(done.returncode, 2, words)
                self.assertIn(text, done.stderr)
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
