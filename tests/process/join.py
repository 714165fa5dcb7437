#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sites of a federation that are killed, stopped and checked: what `convoy join` promises to who runs it.

usage: join.py CONVOY [unittest arguments]
"""
import collections
import json
import random
import shutil
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
            self.assertTrue(wait_until(lambda: not federation.sites[name].alive(), 120), name + " hangs" + logs())
            self.assertEqual(federation.sites[name].wait(), 0, name + logs())
        self.assertEqual(federation.server.wait(60), 0, logs())
        contributed = collections.Counter((record["site"], record["update"]) for record in federation.audit()
                                          if record["event"] == "contribution")
        self.assertEqual(set(contributed.values()), {1})
        return contributed

    def uploads(self, federation, name):
        """Ids of updates of which a part has arrived."""
        return [path.name.split("~")[0] for path in federation.run.glob(f"updates/partial/{name}/*~*")
                if path.exists() and path.stat().st_size > 0]

    def finish(self, federation, names=None):
        """The run lasts until all kills are over."""
        self.assertEqual(federation.operator("operate", "finish").returncode, 0, federation.logs())
        return self.assert_ends_well(federation, names)

    def cut_in_upload(self, federation, name):
        """Kills the site until that was in the middle of an upload, whose id it returns; the site is down then."""
        end = time.monotonic() + 100
        while time.monotonic() < end:
            found = self.uploads(federation, name)
            if not found:
                continue
            federation.sites[name].kill()
            time.sleep(0.2)  # for what had left already
            if self.uploads(federation, name) == found:
                return found[0]
            federation.join(name)
        return None

    def test_a_site_that_is_killed_in_its_upload_sends_the_same_update(self):
        with Federation(CONVOY, clients=2, hidden=150000, federation="updates = 100000", least=1, most=3) as federation:
            federation.serve()
            federation.join_all()
            cut = []
            for _ in range(3):
                cut.append(self.cut_in_upload(federation, "site001"))
                self.assertIsNotNone(cut[-1], federation.logs())
                federation.join("site001")
                self.assertTrue(wait_until(lambda: cut[-1] not in self.uploads(federation, "site001"), 60),
                                federation.logs())
                before = federation.updates()
                self.assertTrue(wait_until(lambda: federation.updates() >= before + 4, 60), federation.logs())
            contributed = self.finish(federation)
            for update in cut:
                self.assertIn(("site001", update), contributed)

    def test_a_site_that_is_killed_at_any_moment_goes_on(self):
        chance = random.Random(11)
        for compression in ("", TOP_K):
            with Federation(CONVOY, clients=2, hidden=4000, federation="updates = 100000",
                            more=compression) as federation:
                federation.serve()
                federation.join_all()
                for _ in range(12):
                    time.sleep(chance.uniform(0.3, 0.9))
                    federation.sites["site001"].kill()
                    federation.join("site001")
                before = sum(1 for record in federation.audit() if record["site"] == "site001")
                self.assertTrue(wait_until(lambda: sum(1 for record in federation.audit()
                                                       if record["site"] == "site001") > before + 3, 60),
                                federation.logs())
                self.finish(federation)

    def test_a_server_that_was_put_back_gets_what_it_has_forgotten(self):
        """Its site has been told that the update arrived, and has no other round meanwhile."""
        with Federation(CONVOY, clients=1, hidden=1000, federation="updates = 100000", least=1500, most=1500,
                        more=TOP_K) as federation:
            backup = federation.folder / "backup"
            order = lambda word: wait_until(lambda: federation.operator("operate", word).returncode == 0)
            federation.serve()
            federation.join("site000")
            self.assertTrue(wait_until(lambda: federation.updates() >= 2, 60), federation.logs())
            for _ in range(5):  # until the pause and the copy fall into a round
                self.assertTrue(order("pause"), federation.logs())
                federation.server.kill(signal.SIGINT)
                self.assertEqual(federation.server.wait(30), 0, federation.logs())
                shutil.rmtree(backup, ignore_errors=True)
                shutil.copytree(federation.run, backup)
                before = federation.updates()
                federation.serve()
                if wait_until(lambda: federation.updates() > before, 10):
                    break
                self.assertTrue(order("resume"), federation.logs())
                self.assertTrue(wait_until(lambda: federation.updates() > before, 60), federation.logs())
            time.sleep(0.5)  # for the acknowledgement
            self.assertEqual(federation.updates(), before + 1, "a run that stands still goes on")
            federation.server.kill(signal.SIGINT)
            self.assertEqual(federation.server.wait(30), 0, federation.logs())
            shutil.rmtree(federation.run)
            shutil.copytree(backup, federation.run)
            federation.serve()
            self.assertTrue(order("resume"), federation.logs())
            self.assertTrue(wait_until(lambda: federation.updates() >= before + 3, 60), federation.logs())
            self.assertIn("the server asks for round", federation.sites["site000"].text())
            self.finish(federation)

    def test_a_stopped_site_is_only_away(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with Federation(CONVOY, clients=2, federation="updates = 100000", least=50, most=200) as federation:
                federation.serve()
                federation.join_all()
                self.assertTrue(wait_until(lambda: federation.updates() >= 6), federation.logs())
                federation.sites["site000"].kill(number)
                self.assertEqual(federation.sites["site000"].wait(20), 0, federation.logs())
                self.assertIn("stopped, and is still in the run", federation.sites["site000"].text())
                self.assertRegex(federation.server.text(),
                                 r"site site000 at 127.0.0.1:\d+ has gone: the site has been stopped")
                federation.join("site000")
                before = federation.updates()
                self.assertTrue(wait_until(lambda: federation.updates() >= before + 6), federation.logs())
                self.finish(federation)

    def test_a_site_that_leaves_is_gone(self):
        with Federation(CONVOY, clients=2, federation="updates = 100000") as federation:
            federation.serve()
            federation.join("site000", "--leave", "--json")
            federation.join("site001")
            self.assertTrue(wait_until(lambda: federation.updates() >= 6), federation.logs())
            federation.sites["site000"].kill(signal.SIGTERM)
            self.assertEqual(federation.sites["site000"].wait(20), 0, federation.logs())
            outcome = json.loads(federation.sites["site000"].text().splitlines()[-1])
            self.assertEqual(outcome["outcome"], "left")
            self.assertEqual(outcome["reason"], "the site has been stopped")
            self.finish(federation, ["site001"])

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
                             ["certificate", "CA and revocation list", "state folder", "model file", "route", "server", "policy", "data"])
            self.assertEqual(federation.status()["sites"], [])
            policy = federation.folder / "policy.toml"
            policy.write_text("[privacy]\nmin_sigma = 1.0\n")
            forbidden = check("--policy", str(policy))
            self.assertEqual(forbidden.returncode, 1)
            self.assertIn("FAILED  policy", forbidden.stdout)
            self.assertNotIn("data", forbidden.stdout)
            # And without --check the site goes, with a reason.
            site = federation.join("site000", "--policy", str(policy))
            self.assertEqual(site.wait(30), 2, site.text())
            self.assertIn("the policy demands differential privacy", site.text())

    def test_a_ledger_that_cannot_be_made_is_named_before_the_site_joins(self):
        privacy = '[privacy]\nmode = "per_sample"\nrate = 0.05\nepsilon = 100.0\nledger = "the-sites-have-their-own"\n'
        with Federation(CONVOY, clients=1, federation="updates = 4", more=privacy) as federation:
            federation.serve()
            self.assertTrue(wait_until(lambda: federation.status() is not None), federation.logs())
            policy = federation.folder / "policy.toml"
            policy.write_text(f'[privacy]\nledger = "{federation.folder}/job.toml/ledgers"\n')
            done = subprocess.run(federation.site_words("site000", "--policy", str(policy), "--check"),
                                  cwd=federation.folder, capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn("FAILED  privacy ledger", done.stdout)
            site = federation.join("site000", "--policy", str(policy))
            self.assertEqual(site.wait(30), 2, site.text())
            self.assertIn(f"cannot make the folder {federation.folder}/job.toml", site.text())
            self.assertEqual(federation.status()["sites"], [])
            policy.write_text(f'[privacy]\nledger = "{federation.folder}/ledgers"\n')
            federation.join("site000", "--policy", str(policy))
            self.assert_ends_well(federation)
            state = federation.folder / "state" / "site000"
            for path in [federation.folder / "ledgers", *(federation.folder / "ledgers").iterdir(), state,
                         *state.iterdir()]:
                self.assertEqual(path.stat().st_mode & 0o077, 0, path)

    def test_sites_whose_budgets_are_spent_end_well_the_last_one_too(self):
        privacy = '[privacy]\nmode = "per_sample"\nrate = 0.02\nsigma = 0.9\nepsilon = 2.0\nledger = "theirs"\n'
        with Federation(CONVOY, federation="updates = 100000", more=privacy) as federation:
            federation.serve()
            for name, bound in zip(federation.names(), ("max_epsilon = 1.7", "max_epsilon = 1.7", "")):
                policy = federation.folder / f"{name}.toml"
                policy.write_text(f'[privacy]\nledger = "ledger-{name}"\n{bound}\n')
                federation.join(name, "--policy", str(policy))
            self.assert_ends_well(federation)
            for name in federation.names():
                self.assertIn("has left: the privacy budget is spent", federation.sites[name].text())
                self.assertNotIn("has not answered", federation.sites[name].text())
            left = [record["site"] for record in federation.audit() if record["event"] == "leave"]
            self.assertEqual(sorted(left), federation.names())

    def test_a_ledger_in_the_state_folder_is_refused(self):
        with Federation(CONVOY, clients=1) as federation:
            policy = federation.folder / "policy.toml"
            policy.write_text(f'[privacy]\nledger = "{federation.folder}/state/site000/ledgers"\n')
            site = federation.join("site000", "--policy", str(policy))
            self.assertEqual(site.wait(30), 2, site.text())
            self.assertIn("must lie outside --state", site.text())

    def test_what_cannot_work_is_refused_before_anything_is_dialled(self):
        with Federation(CONVOY, clients=1) as federation:
            for words, text in [(["--share", "3/2"], "--share"), (["--policy", "nowhere"], "nowhere"),
                                (["--server", "hub"], "--server"), (["--site", "other"], "other.crt"),
                                (["--set", "run.device=mixed"], "run.device=mixed"),
                                (["--state", "job.toml/state"], "--state: cannot make the folder"),
                                (["--model", "nowhere/model.pt"], "--model: cannot write")]:
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
