#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs schedules of all algorithms in virtual time (no training) and prints the tables of
docs/results/federated.md, "Schedules only". Two minutes on one core.

  bench/scheduling.py --program build/bin/schedules > tables.md
"""
import argparse
import collections
import json
import statistics
import subprocess

# Local steps per second relative to FedAvg, as the specification quotes them (20 draws).
REFERENCE = {("homogeneous", 5): 0.97, ("homogeneous", 10): 0.97, ("homogeneous", 20): 0.96,
             ("normal", 5): 1.23, ("normal", 10): 1.50, ("normal", 20): 1.59,
             ("exponential", 5): 4.4, ("exponential", 10): 7.0, ("exponential", 20): 9.9}


def run(program, draws, *options):
    """cell (distribution, clients) -> list of {algorithm: result}, one for each draw."""
    command = [program, "--draws", str(draws), *options]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    cells = collections.defaultdict(dict)
    for line in output.splitlines():
        result = json.loads(line)
        cell = cells[(result["distribution"], result["clients"])]
        cell.setdefault(result["draw"], {})[result["algorithm"]] = result
    return {cell: list(by_draw.values()) for cell, by_draw in cells.items()}


def quartiles(values, digits=2):
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def speedups(draws, algorithm):
    return [draw[algorithm]["steps_per_second"] / draw["fedavg"]["steps_per_second"]
            for draw in draws]


def medians(draws, algorithms, key, scale=1.0, digits=1):
    return " / ".join(f"{scale * statistics.median(draw[a][key] for draw in draws):.{digits}f}"
                      for a in algorithms)


def print_speeds(cells):
    print("| speeds, clients | figure to compare with | fedcompass | initial = min | affine | fedasync, "
          "fedbuff |")
    print("|---|---|---|---|---|---|")
    for cell, draws in cells.items():
        columns = [quartiles(speedups(draws, name)) for name in
                   ("fedcompass", "fedcompass, initial = min", "fedcompass, affine", "fedasync")]
        print(f"| {cell[0]}, {cell[1]} | {REFERENCE.get(cell, '')} | {' | '.join(columns)} |")


def print_waiting(cells):
    names = ("fedavg", "fedcompass", "fedbuff", "fedasync")
    print("| speeds, clients | idle time, % | mean staleness | late, % | updates lost |")
    print("|---|---|---|---|---|")
    for cell, draws in cells.items():
        late = statistics.median(d["fedcompass"]["late"] / d["fedcompass"]["received"]
                                 for d in draws)
        lost = sum(result["lost"] for draw in draws for result in draw.values())
        print(f"| {cell[0]}, {cell[1]} | {medians(draws, names, 'idle_share', 100.0)} | "
              f"{medians(draws, names, 'mean_staleness', 1.0, 2)} | {100 * late:.2f} | {lost} |")


def print_affine(cells):
    names = ("fedcompass", "fedcompass, affine")
    print("| speeds, clients | error of predictions, % | late, % | steps per second over FedAvg |")
    print("|---|---|---|---|")
    for cell, draws in cells.items():
        late = " / ".join(
            f"{100 * statistics.median(d[n]['late'] / d[n]['received'] for d in draws):.2f}"
            for n in names)
        speed = " / ".join(f"{statistics.median(speedups(draws, n)):.2f}" for n in names)
        print(f"| {cell[0]}, {cell[1]} | {medians(draws, names, 'arrival_error', 100.0)} | {late} | "
              f"{speed} |")


def print_start(cells):
    names = ("fedcompass", "fedcompass, initial = min")
    print("| speeds, clients | local steps per second, first round max / min | versions |")
    print("|---|---|---|")
    for cell, draws in cells.items():
        print(f"| {cell[0]}, {cell[1]} | {medians(draws, names, 'steps_per_second')} | "
              f"{medians(draws, names, 'versions', 1.0, 0)} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default="build/bin/schedules")
    parser.add_argument("--draws", type=int, default=60)
    arguments = parser.parse_args()
    plain = run(arguments.program, arguments.draws)
    print_speeds(plain)
    print()
    print_waiting(plain)
    print()
    print_affine(run(arguments.program, arguments.draws, "--fixed-share", "0.2"))
    print()
    print_start(run(arguments.program, arguments.draws, "--seconds", "120"))


if __name__ == "__main__":
    main()
