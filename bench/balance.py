#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Three ranks, one of which takes three times as long for a sample: throughput with equal parts and
with parts by speed. The ideal ratio is (1 + 1 + 1/3) / (3 * 1/3) = 2.33.

  bench/balance.py --program build/bin/convoy
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile

SETTINGS = ["train.steps=120", "train.batch_size=64", "metrics.every_steps=40", "model.name=mlp",
            "train.balance_every=10", "data.limit=30000", "data.validation=0.02",
            "train.emulate_sample_seconds=[0.002,0.002,0.006]"]


def throughput(arguments, balance, folder):
    """Samples per second of the last 40 steps, and the parts that they had."""
    job = pathlib.Path(__file__).parent.parent / "examples" / "fashion_mnist.toml"
    command = [arguments.program, "launch", "-n", "3", "--", "train", str(job), "--json",
               "--run-dir", str(folder), "--set", f"train.balance={balance}"]
    for setting in SETTINGS:
        command += ["--set", setting]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    last = [line for line in lines if line["kind"] == "train"][-1]
    return last["samples_per_second"], last.get("parts")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default="build/bin/convoy")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        for repeat in range(arguments.repeats):
            equal, _ = throughput(arguments, "equal", pathlib.Path(folder, f"equal{repeat}"))
            speed, parts = throughput(arguments, "speed", pathlib.Path(folder, f"speed{repeat}"))
            ratios.append(speed / equal)
            print(json.dumps({"equal": equal, "speed": speed, "ratio": speed / equal,
                              "parts": parts}), flush=True)
    print(json.dumps({"median_ratio": statistics.median(ratios), "least": min(ratios),
                      "largest": max(ratios)}))


if __name__ == "__main__":
    main()
