# SPDX-License-Identifier: Apache-2.0
"""bench/peers: PyTorch's DDP with two ranks on loopback and a tiny network; what the comparison says of
failures. usage: peers.py SOURCE_FOLDER. Skipped (77) where there is no python3-torch."""
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
from federation_kit import free_port

PEERS = pathlib.Path(sys.argv.pop(1)) / "bench" / "peers"
sys.path.insert(0, str(PEERS))
PYTHON = __import__("variants").PYTHON


def load_compare():
    loader = importlib.machinery.SourceFileLoader("compare", str(PEERS / "compare"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("compare", loader))
    loader.exec_module(module)
    return module


compare = load_compare()


def run_ranks(world, started, *options):
    """Starts ranks [0, started) of `world`; what each has said: (code, output, errors)."""
    words = [PYTHON, str(PEERS / "ddp_step.py"), "--model", "tiny", "--steps", "8", "--interface", "lo",
             "--init", f"tcp://127.0.0.1:{free_port()}", *options]
    children = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                 env={**os.environ, "OMPI_COMM_WORLD_RANK": str(rank),
                                      "OMPI_COMM_WORLD_SIZE": str(world)})
                for rank in range(started)]
    said = [child.communicate(timeout=60) for child in children]
    return [(child.returncode, *words) for child, words in zip(children, said)]


class Ddp(unittest.TestCase):
    def test_measures_every_hook_on_two_ranks(self):
        for hook in ("plain", "fp16", "power_sgd"):
            with self.subTest(hook):
                first, second = run_ranks(2, 2, "--hook", hook)
                self.assertEqual((first[0], second[0]), (0, 0), first[2] + second[2])
                self.assertEqual(second[1], "")
                report = json.loads(first[1])
                self.assertEqual((report["hook"], report["ranks"], report["steps"]), (hook, 2, 8))
                alone, together = (report[key]["seconds"] for key in ("alone", "together"))
                self.assertGreater(alone, 0)
                self.assertGreater(together, alone)  # a tiny network is all communication
                self.assertAlmostEqual(report["efficiency"], alone / together)

    def test_gives_up_when_a_rank_is_missing(self):
        code, output, errors = run_ranks(2, 1, "--timeout", "3")[0]
        self.assertNotEqual(code, 0)
        self.assertEqual(output, "")

    def test_trains_our_resnet18(self):
        count = ("import networks; m = networks.make('resnet18'); "
                 "print(sum(p.numel() for p in m.parameters()), len(list(m.parameters())))")
        done = subprocess.run([PYTHON, "-B", "-c", count], cwd=PEERS, capture_output=True, text=True)
        self.assertEqual(done.stdout.split(), ["11173962", "62"], done.stderr)


class Compare(unittest.TestCase):
    def test_records_the_line_that_says_why(self):
        said = "\n".join(["warming up", "ddp_step: rank 1: RuntimeError: message size mismatch",
                          "-----", "mpirun has exited due to process rank 1"])
        self.assertIn("message size mismatch", compare.last_error(said))
        self.assertEqual(compare.last_error("a\nb\n\n"), "b")
        self.assertEqual(compare.last_error(""), "no word")

    def test_ends_what_hangs(self):
        report, failure = compare.run(["sh", "-c", "echo stuck >&2; sleep 60"], 0.5)
        self.assertIsNone(report)
        self.assertEqual(failure, "not done after 0.5 s: stuck")

    def test_tells_a_report_from_a_failure(self):
        self.assertEqual(compare.run(["sh", "-c", "echo '{\"steps\": 3}'"], 10), ({"steps": 3}, None))
        self.assertEqual(compare.run(["sh", "-c", "echo '{}'; echo no >&2; exit 4"], 10),
                         (None, "exit 4: no"))
        self.assertEqual(compare.run(["true"], 10), (None, "exit 0: no word"))

    def test_takes_medians_over_rounds(self):
        def report(alone, together):
            return {"statistic": "median", "steps": 8, "efficiency": alone / together,
                    "efficiency_spread": 0.01, "alone": {"seconds": alone, "spread": 0.1},
                    "together": {"seconds": together, "spread": 0.2}}
        variant = compare.VARIANTS["ddp"]
        row = compare.summarize(variant, [(report(1.0, 2.0), None), (None, "exit 1: no"),
                                          (report(2.0, 2.0), None), (report(4.0, 5.0), None)])
        self.assertEqual((row["alone"], row["together"], row["efficiency"]), (2.0, 2.0, 0.8))
        self.assertEqual((row["rounds"], row["steps"], row["failures"]), (3, 24, ["exit 1: no"]))
        self.assertIn("failed: exit 1: no", compare.text_of(row))
        self.assertNotIn("efficiency", compare.summarize(variant, [(None, "exit 1: no")]))


if __name__ == "__main__":
    if subprocess.run([PYTHON, "-c", "import torch.distributed"], stderr=subprocess.DEVNULL).returncode:
        print("skipped: no python3-torch")
        sys.exit(77)
    unittest.main(verbosity=2)
