#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Federations over the internet under fire: real servers and sites that are killed, stand still and are cut off.

usage: sites.py CONVOY [unittest arguments]
"""
import collections
import pathlib
import random
import shutil
import signal
import socket
import ssl
import sys
import time
import unittest

sys.dont_write_bytecode = True
from federation_kit import Federation, FederationTest, Program, free_port, wait_until

CONVOY = str(pathlib.Path(sys.argv.pop(1)).resolve())


class Sites(FederationTest):
    def test_three_sites_train_one_model_and_all_of_them_get_it(self):
        with Federation(CONVOY, federation="updates = 12") as federation:
            federation.serve()
            federation.join_all()
            summary = self.check_end(federation)
            self.assertEqual(summary["updates"], 12)
            for name in federation.names():
                self.assertIn(summary["parameters_hash"], federation.sites[name].text())

    def test_a_site_that_is_killed_in_training_comes_back_and_contributes(self):
        with Federation(CONVOY, federation="updates = 200") as federation:
            federation.serve()
            federation.join_all()
            self.assertTrue(wait_until(lambda: federation.updates() >= 10), federation.logs())
            for _ in range(3):
                federation.sites["site001"].kill()
                before = federation.updates()
                wait_until(lambda: federation.updates() >= before + 3)
                federation.join("site001")
            summary = self.check_end(federation)
            self.assertEqual(summary["updates"], 200)

    def kill_the_server_twenty_times(self, every):
        """@param every  updates between two checkpoints; 0: all of it is in the log"""
        chance = random.Random(7)
        with Federation(CONVOY, federation="updates = 100000", every=every) as federation:
            federation.serve()
            federation.join_all()
            self.assertTrue(wait_until(lambda: federation.updates() >= 3), federation.logs())
            for kill in range(20):
                time.sleep(chance.uniform(0.05, 0.6))
                self.assertTrue(federation.server.alive(), federation.logs())
                federation.server.kill()
                self.assertEqual(federation.server.wait(), -signal.SIGKILL)
                acknowledged = len(federation.acknowledged())
                federation.serve()
                if kill % 4 != 3:  # else the next one may come before the sites are back
                    self.assertTrue(wait_until(lambda: len(federation.acknowledged()) > acknowledged, 60),
                                    federation.logs())
            self.assertEqual(any(federation.run.glob("checkpoints/*")), every > 0)
            self.assertTrue(wait_until(lambda: federation.operator("operate", "finish").returncode == 0),
                            federation.logs())
            summary = self.check_end(federation)
            end = summary["at_end"]
            self.assertEqual(end["pending"], 0, end)
            self.assertEqual(end["received"], end["aggregated"] + end["refused"], end)
            stands = collections.Counter((record["site"], record["update"]) for record in federation.audit()
                                         if record["event"] in ("contribution", "refusal"))
            acknowledged = federation.acknowledged()
            self.assertGreater(len(acknowledged), 20)
            self.assertEqual({stands[update] for update in acknowledged}, {1})
            arrived = collections.Counter((event["client"], event["round"]) for event in federation.events()
                                          if event["kind"] == "arrive")
            self.assertEqual(set(arrived.values()), {1})
            self.assertEqual(len(arrived), len(stands))
            # The log and the payloads give the same model again, from the initial one.
            shutil.rmtree(federation.run / "checkpoints", ignore_errors=every == 0)
            self.assertEqual(federation.serve("--set", "sites.linger=0").wait(60), 0, federation.logs())
            self.assertEqual(federation.summary()["parameters_hash"], summary["parameters_hash"])

    def test_twenty_kills_of_the_server_lose_nothing(self):
        self.kill_the_server_twenty_times(every=0)

    def test_twenty_kills_of_the_server_between_checkpoints_lose_nothing(self):
        self.kill_the_server_twenty_times(every=7)

    def test_a_dead_site_is_evicted_and_the_others_go_on(self):
        with Federation(CONVOY, federation="updates = 100000", liveness=2.0) as federation:
            federation.serve()
            federation.join_all()
            self.assertTrue(wait_until(lambda: federation.updates() >= 6), federation.logs())
            federation.sites["site002"].kill()
            self.assertTrue(wait_until(lambda: any(event["kind"] == "evict" for event in federation.events()), 20))
            before = federation.updates()
            self.assertTrue(wait_until(lambda: federation.updates() >= before + 4), federation.logs())
            self.assertTrue(wait_until(lambda: "nobody waits for site site002 any more" in federation.server.text()),
                            federation.logs())
            federation.join("site002")
            arrived = lambda: sum(1 for event in federation.events() if event["kind"] == "arrive" and event["client"] == 2)
            before = arrived()
            self.assertTrue(wait_until(lambda: arrived() >= before + 2), federation.logs())
            self.assertEqual(federation.operator("operate", "finish").returncode, 0, federation.logs())
            self.check_end(federation)

    def test_a_second_instance_is_refused_while_the_first_lives(self):
        with Federation(CONVOY, federation="updates = 10000") as federation:
            federation.serve()
            federation.join_all()
            self.assertTrue(wait_until(lambda: federation.updates() >= 3), federation.logs())
            words = federation.site_words("site000")
            words[words.index("--state") + 1] = str(federation.folder / "other")
            again = Program(words,
                            federation.folder / "second.log")
            federation.programs.append(again)
            self.assertEqual(again.wait(60), 1, again.text())
            self.assertIn("second instance", again.text() + federation.server.text())
            self.assertTrue(federation.sites["site000"].alive())

    def test_a_stranger_gets_no_further_than_the_handshake(self):
        with Federation(CONVOY, federation="updates = 10000") as federation:
            federation.serve()
            federation.join_all()
            self.assertTrue(wait_until(lambda: federation.updates() >= 3), federation.logs())
            address = (federation.host, federation.port)
            # Never say a word; from where nobody else dials, whose turn they would take.
            open_ones = [socket.create_connection(address, source_address=("127.0.0.9", 0)) for _ in range(40)]
            with socket.create_connection(address) as plain:
                plain.sendall(b"GET / HTTP/1.1\r\n\r\n" * 100)
            context = ssl.create_default_context(cafile=str(federation.folder / "ca.crt"))
            context.check_hostname = False
            with self.assertRaises((ssl.SSLError, ConnectionError, OSError)):
                with socket.create_connection(address) as raw, context.wrap_socket(raw) as wrapped:
                    wrapped.sendall(b"x" * 100)
                    if wrapped.recv(1) == b"":
                        raise ConnectionError("closed")
            before = federation.updates()
            self.assertTrue(wait_until(lambda: federation.updates() >= before + 5), federation.logs())
            for one in open_ones:
                one.close()

    def test_a_revoked_site_is_cut_off(self):
        with Federation(CONVOY, federation="updates = 10000", liveness=3.0) as federation:
            federation.serve()
            federation.join_all()
            self.assertTrue(wait_until(lambda: federation.updates() >= 3), federation.logs())
            federation.certs("revoke", "site001")
            self.assertTrue(wait_until(lambda: not federation.sites["site001"].alive(), 40), federation.logs())
            self.assertEqual(federation.sites["site001"].wait(1), 2)
            self.assertTrue(federation.sites["site000"].alive())

    def test_operators_pause_resume_remove_and_finish(self):
        with Federation(CONVOY, federation="updates = 10000") as federation:
            federation.serve("--set", "run.name=lung study")  # no name that a message could carry
            self.assertTrue(wait_until(lambda: federation.status() is not None), federation.logs())
            self.assertEqual(federation.status()["awaited_sites"], 3)
            federation.join_all()
            self.assertTrue(wait_until(lambda: federation.updates() >= 5), federation.logs())
            self.assertEqual([site["name"] for site in federation.status()["sites"]], federation.names())
            self.assertEqual(federation.status()["awaited_sites"], 0)
            self.assertEqual(federation.operator("operate", "pause").returncode, 0)
            time.sleep(1.0)
            before = federation.updates()
            time.sleep(1.0)
            self.assertLessEqual(federation.updates(), before + 1)
            self.assertEqual(federation.operator("operate", "resume").returncode, 0)
            self.assertTrue(wait_until(lambda: federation.updates() >= before + 5), federation.logs())
            self.assertEqual(federation.operator("operate", "remove", "site002").returncode, 0)
            self.assertTrue(wait_until(lambda: not federation.sites["site002"].alive()), federation.logs())
            self.assertEqual(federation.sites["site002"].wait(1), 2, federation.logs())
            states = {site["name"]: site["state"] for site in federation.status()["sites"]}
            self.assertEqual(states["site002"], "removed")
            self.assertEqual(federation.join("site002").wait(30), 2)
            self.assertIn("an operator has removed site002 from this run", federation.sites["site002"].text())
            self.assertEqual(federation.operator("operate", "finish").returncode, 0)
            self.check_end(federation, ["site000", "site001"])

    def test_ctrl_c_of_the_server_can_be_resumed(self):
        with Federation(CONVOY, federation="updates = 150") as federation:
            federation.serve()
            federation.join_all()
            self.assertTrue(wait_until(lambda: federation.updates() >= 10), federation.logs())
            federation.server.kill(signal.SIGINT)
            self.assertEqual(federation.server.wait(30), 0, federation.logs())
            self.assertIn("convoy serve --resume", federation.server.text())
            federation.serve()
            self.check_end(federation)
            self.assertRegex(federation.server.text(), r"going on with the run: version \d+, \d+ updates received, 3 sites")
            self.assertIn("the final model is ready; it waits 30 s and longer for site000", federation.server.text())

    def test_a_second_server_of_the_same_run_is_refused_and_harms_nothing(self):
        with Federation(CONVOY, federation="updates = 100000", every=50) as federation:
            federation.serve()
            federation.join_all()
            self.assertTrue(wait_until(lambda: federation.updates() >= 60), federation.logs())  # behind a checkpoint
            first, port = federation.server, federation.port
            federation.port = free_port()
            second = federation.serve()
            self.assertEqual(second.wait(30), 2, second.text())
            self.assertIn("in use by another process", second.text())
            federation.server, federation.port = first, port
            before = federation.updates()
            self.assertGreaterEqual(before, 60, "its events are still there")
            self.assertTrue(wait_until(lambda: federation.updates() >= before + 60), federation.logs())  # behind the next one
            first.kill()
            federation.serve()
            self.assertTrue(wait_until(lambda: federation.updates() >= before + 70), federation.logs())
            self.assertEqual(federation.operator("operate", "finish").returncode, 0, federation.logs())
            summary = self.check_end(federation)
            events = federation.events()
            end = [event["kind"] for event in events].index("shutdown")  # what arrives behind it is refused, not counted
            arrived = [(event["client"], event["round"]) for event in events[:end] if event["kind"] == "arrive"]
            self.assertEqual(len(set(arrived)), len(arrived), "no event is there twice")
            self.assertEqual(len(arrived), summary["schedule"]["received"], "no event has been cut off")

    def test_a_site_that_becomes_fifty_times_slower_still_contributes(self):
        with Federation(CONVOY, federation="updates = 80", least=20, most=60) as federation:
            federation.serve()
            federation.join_all()
            self.assertTrue(wait_until(lambda: federation.updates() >= 9), federation.logs())
            slow = federation.sites["site000"]

            def contributions():
                return sum(1 for record in federation.audit()
                           if record["event"] == "contribution" and record["site"] == "site000")

            before = contributions()
            while federation.server.alive() and not federation.run.joinpath("summary.json").exists():
                slow.kill(signal.SIGSTOP)
                time.sleep(0.098)
                slow.kill(signal.SIGCONT)
                time.sleep(0.002)
            self.assertGreater(contributions(), before, federation.logs())
            self.check_end(federation)


if __name__ == "__main__":
    unittest.main(verbosity=2)
