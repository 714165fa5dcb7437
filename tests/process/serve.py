#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `convoy serve` promises to who starts it: what it needs, what it refuses, and what a failed start leaves.

usage: serve.py CONVOY [unittest arguments]
"""
import os
import pathlib
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
from federation_kit import Federation, wait_until

CONVOY = str(pathlib.Path(sys.argv.pop(1)).resolve())
TABLE = '[data]\nname = "csv"\ncolumns = ["age", "dose"]\nlabel = "outcome"\nlabels = ["well", "ill"]\n'
HERE = ["--set", "sites.evaluate=clients"]


class Serve(unittest.TestCase):
    def start(self, federation, *more):
        """A server that is to fail at once."""
        server = federation.serve(*more)
        code = server.wait(60)
        text = server.text()
        server.log.write_text("")
        return code, text

    def use_table(self, federation, data=TABLE):
        job = federation.folder / "job.toml"
        text = job.read_text().replace('name = "synthetic"\nsamples = 600\n', "")
        job.write_text(text.replace("[data]\n", data))

    def test_the_data_of_the_sites_are_not_needed_here(self):
        with Federation(CONVOY, clients=2, federation="updates = 6\nvalidation = 0.2") as federation:
            self.use_table(federation)
            for number, name in enumerate(federation.names()):
                rows = [f"{40 + (7 * i + number) % 40},{i % 9},{('well', 'ill')[i % 9 > 4]}" for i in range(90)]
                (federation.folder / f"{name}.csv").write_text("age,dose,outcome\n" + "\n".join(rows) + "\n")
            federation.serve(*HERE)
            for name in federation.names():
                federation.join(name, "--data", f"{name}.csv")
            for name in federation.names():
                self.assertEqual(federation.sites[name].wait(90), 0, federation.logs())
            self.assertEqual(federation.server.wait(60), 0, federation.logs())
            summary = federation.summary()
            self.assertGreater(summary["loss"], 0.0, "judged by the sites' own validation")
            self.assertTrue(0.0 <= summary["accuracy"] <= 1.0, summary)

    def test_columns_and_classes_are_needed_even_where_the_server_has_data(self):
        with Federation(CONVOY, clients=2) as federation:
            self.use_table(federation, f'[data]\nname = "csv"\npath = "{federation.folder}/table.csv"\nlabel = "outcome"\n')
            (federation.folder / "table.csv").write_text("age,outcome\n" + "1,well\n2,ill\n" * 10)
            code, text = self.start(federation)
            self.assertEqual(code, 2, text)
            self.assertIn("data.columns", text)

    def test_a_start_that_fails_leaves_nothing_and_can_be_tried_again(self):
        with Federation(CONVOY, clients=1, federation="updates = 3") as federation:
            key = federation.folder / "hub.key"
            os.chmod(key, 0o644)
            code, text = self.start(federation)
            self.assertEqual(code, 2, text)
            self.assertIn("hub.key", text)
            self.assertFalse(federation.run.exists(), "a folder is left")
            os.chmod(key, 0o600)
            for sets in (["model.name=cnn"], ["sites.roster=[\"site000\", \"site000\"]"], ["sites.roster=[\"b c\"]"],
                         ["model.name=resnet20", "data.name=cifar10", "sites.evaluate=clients", "privacy.mode=per_sample",
                          "privacy.epsilon=3"]):
                code, text = self.start(federation, *[word for one in sets for word in ("--set", one)])
                self.assertEqual(code, 2, text)
                self.assertFalse(federation.run.exists(), f"{sets}: {text}")
            federation.serve()
            federation.join_all()
            self.assertEqual(federation.server.wait(60), 0, federation.logs())

    def test_a_second_start_harms_no_run(self):
        with Federation(CONVOY, clients=1, federation="updates = 100000") as federation:
            federation.serve()
            federation.join_all()
            self.assertTrue(wait_until(lambda: federation.updates() >= 3), federation.logs())
            again = subprocess.run([CONVOY, "serve", "job.toml", "--run-dir", str(federation.run), "--listen", "127.0.0.1:0",
                                    "--certs", str(federation.folder), "--name", "hub"], cwd=federation.folder,
                                   capture_output=True, text=True, timeout=60)
            self.assertEqual(again.returncode, 2)
            self.assertIn("holds a run already", again.stderr)
            before = federation.updates()
            self.assertTrue(wait_until(lambda: federation.updates() >= before + 3), federation.logs())


if __name__ == "__main__":
    unittest.main(verbosity=2)
