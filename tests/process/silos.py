#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sites that are MPI jobs: they train one model with others, and one rank that is killed ends its site.

usage: silos.py CONVOY [unittest arguments]
"""
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import time
import unittest

sys.dont_write_bytecode = True
from federation_kit import Federation, Program, wait_until

CONVOY = str(pathlib.Path(sys.argv.pop(1)).resolve())
MPIRUN = ["mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "--mca", "mpi_yield_when_idle", "1",
          "-n"]


def children(pid):
    """All processes below it."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *children(int(child))]
    return found


def rank_pids(site):
    """The processes of convoy below mpirun, by rank."""
    ranks = {}
    for pid in children(site.process.pid):
        try:
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            entries = pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[:1] != [CONVOY.encode()]:
            continue
        for entry in entries:
            if entry.startswith(b"OMPI_COMM_WORLD_RANK="):
                ranks[int(entry.split(b"=")[1])] = pid
    return ranks


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Silos(unittest.TestCase):
    def join(self, federation, name, ranks, *more):
        return federation.join(name, *more, prefix=[*MPIRUN, str(ranks)] if ranks > 1 else [])

    def launch(self, federation, name, ranks, *more):
        site = Program([CONVOY, "launch", "-n", str(ranks), "--", *federation.site_words(name, *more)[1:]],
                       federation.folder / f"{name}.log", folder=federation.folder)
        federation.sites[name] = site
        federation.programs.append(site)
        return site

    def check_end(self, federation):
        for name in federation.names():
            self.assertEqual(federation.sites[name].wait(90), 0, name + federation.logs())
        self.assertEqual(federation.server.wait(60), 0, federation.logs())
        summary = federation.summary()
        for name in federation.names():
            self.assertIn(summary["parameters_hash"], federation.sites[name].text())
        return summary

    def test_silos_of_two_one_and_three_ranks_train_one_model(self):
        with Federation(CONVOY, federation="updates = 15") as federation:
            federation.serve()
            for name, ranks in zip(federation.names(), (2, 1, 3)):
                self.join(federation, name, ranks)
            summary = self.check_end(federation)
            self.assertEqual(summary["updates"], 15)
            self.assertGreater(summary["accuracy"], 0.5)

    def test_launch_starts_a_silo(self):
        with Federation(CONVOY, clients=1, federation="updates = 4") as federation:
            federation.serve()
            name = federation.names()[0]
            self.launch(federation, name, 2, "--set", "compression.family=quantize")
            self.check_end(federation)

    def contributions(self, federation, site="site000"):
        return [record for record in federation.audit() if record["event"] == "contribution" and record["site"] == site]

    def kill_rank(self, federation, rank):
        """One rank of the silo of three: all of it ends."""
        silo = federation.sites["site000"]
        pids = rank_pids(silo)
        self.assertEqual(sorted(pids), [0, 1, 2])
        os.kill(pids[rank], signal.SIGKILL)
        self.assertNotEqual(silo.wait(30), 0)
        gone = lambda: not any(pathlib.Path(f"/proc/{pid}").exists() for pid in pids.values())
        self.assertTrue(wait_until(gone, 10), "ranks outlive their silo")

    def come_back(self, federation, *more):
        """The same site is there again, and what it sends counts."""
        before = len(self.contributions(federation))
        self.join(federation, "site000", 3, *more)
        self.assertTrue(wait_until(lambda: len(self.contributions(federation)) >= before + 3, 60), federation.logs())

    def begin(self, federation, *more):
        federation.serve()
        self.join(federation, "site000", 3, *more)
        self.join(federation, "site001", 1)
        self.assertTrue(wait_until(lambda: len(self.contributions(federation)) >= 2, 60), federation.logs())

    def finish(self, federation):
        self.assertEqual(federation.operator("operate", "finish").returncode, 0, federation.logs())
        self.check_end(federation)
        ids = [record["update"] for record in self.contributions(federation)]
        self.assertEqual(len(ids), len(set(ids)))

    def test_a_killed_rank_ends_its_silo_which_comes_back(self):
        with Federation(CONVOY, clients=2, federation="updates = 100000") as federation:
            self.begin(federation)
            for rank in (2, 0):
                self.kill_rank(federation, rank)
                self.come_back(federation)
            self.finish(federation)

    def test_a_killed_rank_ends_its_silo_also_with_compression(self):
        top_k = '[compression]\nfamily = "top_k"\nlevel = 0.05\nmin_numel = 1\n'
        inside = ["--set", "compression.family=top_k", "--set", "compression.level=0.05"]
        with Federation(CONVOY, clients=2, federation="updates = 100000", more=top_k) as federation:
            self.begin(federation, *inside)
            for rank in (1, 0):
                self.kill_rank(federation, rank)
                self.come_back(federation, *inside)
            self.finish(federation)
            sizes = re.findall(r"(\d+) bytes to send", federation.sites["site000"].text())
            self.assertLess(max(map(int, sizes)), 1000, "a dense update has 2,792 and its list of tensors")

    def test_a_killed_rank_takes_nothing_off_the_ledger(self):
        privacy = '[privacy]\nmode = "per_sample"\nclip = 1.0\nsigma = 1.0\nrate = 0.05\nepsilon = 100.0\n'
        privacy += 'ledger = "the-sites-have-their-own"\n'
        with Federation(CONVOY, clients=2, federation="updates = 100000", least=2, most=5, more=privacy) as federation:
            ledgers = federation.folder / "ledgers"
            policy = federation.folder / "site000.toml"
            policy.write_text(f'[privacy]\nledger = "{ledgers}"\n')
            other = federation.folder / "site001.toml"
            other.write_text(f'[privacy]\nledger = "{federation.folder}/others"\n')

            def ledger():
                files = list(ledgers.iterdir())
                self.assertEqual(len(files), 1)
                return files[0]

            def steps():
                done = subprocess.run([CONVOY, "privacy", "--ledger", str(ledger()), "--json"], capture_output=True,
                                      text=True, check=True)
                return json.loads(done.stdout)["steps"]

            federation.serve()
            self.join(federation, "site000", 3, "--policy", str(policy))
            self.join(federation, "site001", 1, "--policy", str(other))
            self.assertTrue(wait_until(lambda: len(self.contributions(federation)) >= 2, 60), federation.logs())
            for rank in (2, 0):
                self.kill_rank(federation, rank)
                text, spent = ledger().read_bytes(), steps()
                self.assertGreaterEqual(spent, sum(record["steps"] for record in self.contributions(federation)))
                self.come_back(federation, "--policy", str(policy))
                self.assertTrue(ledger().read_bytes().startswith(text), "what was spent stays")
                self.assertGreater(steps(), spent)
            self.finish(federation)
            records = self.contributions(federation)
            self.assertGreaterEqual(steps(), sum(record["steps"] for record in records))
            spent = [record["epsilon"] for record in records]
            self.assertEqual(spent, sorted(set(spent)), "every update has cost something")

    def test_a_silo_that_stays_away_is_evicted_and_comes_back(self):
        with Federation(CONVOY, clients=2, federation="updates = 100000", liveness=2.0) as federation:
            self.begin(federation)
            evicted = lambda: any(event["kind"] == "evict" and event["client"] == 0 for event in federation.events())
            self.assertFalse(evicted())
            self.kill_rank(federation, 1)
            self.assertTrue(wait_until(evicted, 60), federation.logs())
            before = len(self.contributions(federation, "site001"))
            self.assertTrue(wait_until(lambda: len(self.contributions(federation, "site001")) >= before + 2, 60),
                            federation.logs())
            self.come_back(federation)
            self.finish(federation)

    def test_ranks_that_wait_use_hardly_any_processor(self):
        """The server waits for a second site, and nobody trains."""
        with Federation(CONVOY, clients=2, federation="updates = 6") as federation:
            federation.serve()
            silo = self.join(federation, "site000", 3)
            self.assertTrue(wait_until(lambda: "joined run" in silo.text() or len(rank_pids(silo)) == 3))
            time.sleep(4.0)
            pids = rank_pids(silo)
            before = {rank: cpu_seconds(pid) for rank, pid in pids.items()}
            time.sleep(5.0)
            used = {rank: cpu_seconds(pid) - before[rank] for rank, pid in pids.items()}
            print("processor seconds in 5 s of waiting:", used, file=sys.stderr)
            self.assertLess(max(used.values()), 0.5, used)
            self.join(federation, "site001", 1)
            self.check_end(federation)

    def test_privacy_is_that_of_the_whole_silo(self):
        privacy = '[privacy]\nmode = "per_sample"\nclip = 1.0\nsigma = 1.0\nrate = 0.05\nepsilon = 100.0\n'
        privacy += 'ledger = "the-sites-have-their-own"\n'
        with Federation(CONVOY, clients=2, federation="updates = 8", more=privacy) as federation:
            federation.serve()
            for name, ranks in zip(federation.names(), (2, 1)):
                policy = federation.folder / f"{name}.toml"
                policy.write_text(f'[privacy]\nledger = "{federation.folder}/ledgers-{name}"\n')
                self.join(federation, name, ranks, "--policy", str(policy))
            self.check_end(federation)
            for name in federation.names():
                self.assertEqual(len(list((federation.folder / f"ledgers-{name}").iterdir())), 1)
                self.assertIn("epsilon", federation.sites[name].text())

    def test_a_site_stops_together_and_goes_on(self):
        with Federation(CONVOY, clients=2, federation="updates = 100000") as federation:
            federation.serve()
            silo = self.launch(federation, "site000", 2)
            self.join(federation, "site001", 1)
            self.assertTrue(wait_until(lambda: federation.updates() >= 5), federation.logs())
            silo.process.send_signal(signal.SIGINT)
            self.assertEqual(silo.wait(40), 0, silo.text())
            self.assertIn("stopped, and is still in the run", silo.text())
            rounds = silo.text().count("steps from version")  # of one log, which goes on
            silo = self.join(federation, "site000", 2)
            self.assertTrue(wait_until(lambda: silo.text().count("steps from version") > rounds + 3), federation.logs())
            self.assertEqual(federation.operator("operate", "finish").returncode, 0)
            self.check_end(federation)

    def test_a_rank_without_its_data_is_named(self):
        """Every rank has words of its own here, by a shell: Debian 13's mpirun crashes at -n 1 ... : -n 1 ..."""
        with Federation(CONVOY, clients=1, federation="updates = 4") as federation:
            federation.serve()
            first = federation.site_words("site000")
            second = [*first]
            second[second.index("--share") + 1] = "1/2"
            by_rank = f'[ "$OMPI_COMM_WORLD_RANK" = 0 ] && exec {shlex.join(first)}; exec {shlex.join(second)}'
            federation.sites["site000"] = silo = Program(
                ["sh", "-c", by_rank], federation.folder / "site000.log", [*MPIRUN, "2"], federation.folder)
            federation.programs.append(silo)
            self.assertEqual(silo.wait(60), 2, silo.text())
            self.assertIn("rank 1 of the site has other samples than rank 0", silo.text())


if __name__ == "__main__":
    unittest.main(verbosity=2)
