#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""All-reduce over TCP between two emulated hosts at 1 Gbit/s: the share of the line that it uses, idle and
while all cores compute, and how much it slows them. Needs root and cores that nobody else uses; exits with
77 where hosts cannot be emulated.

usage: line_rate.py WITH CONVOY [unittest arguments]
"""

import json
import subprocess
import sys
import unittest

CONVOY = sys.argv.pop(2)
WITH = sys.argv.pop(1)

# Timings are noisy: one run of these must have all that is wanted.
ATTEMPTS = 4
IDLE_SHARE = 0.97
COMPUTING_SHARE = 0.95
SLOWDOWN = 1.08
# Plain sockets may slow the cores more than that: on one machine these are the switch between the hosts
# too. Then ours may cost so much on top.
SLOWDOWN_BY_SOCKETS = 1.05


def measure():
    result = subprocess.run([WITH, "2", "1gbit", "--", CONVOY, "bench", "allreduce", "--sizes", "64MB", "--json"],
                            text=True, capture_output=True, timeout=120, check=True)
    report = json.loads(result.stdout)
    rows = {row["cores"]: row for row in report["rows"]}
    return (rows["idle"]["line_rate_share"], rows["computing"]["line_rate_share"],
            rows["computing"]["compute_slowdown"], report["stream_compute_slowdown"])


class LineRate(unittest.TestCase):
    def test_is_reached_while_all_cores_compute(self):
        seen = []
        for _ in range(ATTEMPTS):
            idle, computing, slowdown, by_sockets = measure()
            seen.append(tuple(round(value, 3) for value in (idle, computing, slowdown, by_sockets)))
            print("idle share, computing share, slowdown, that by plain sockets:", *seen[-1])
            bearable = max(SLOWDOWN, by_sockets * SLOWDOWN_BY_SOCKETS)
            if idle >= IDLE_SHARE and computing >= COMPUTING_SHARE and slowdown <= bearable:
                return
        self.fail(f"(idle share, computing share, slowdown, that by plain sockets) of all runs: {seen}")


if __name__ == "__main__":
    probe = subprocess.run([WITH, "--alone", "1", "1gbit", "--", "true"], text=True, capture_output=True)
    if probe.returncode == 77:
        print("skipped: " + probe.stderr.strip())
        sys.exit(77)
    unittest.main(verbosity=2)
