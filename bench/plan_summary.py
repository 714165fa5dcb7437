#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Says where the bytes and the error of L-GreCo's plans are: for each layer of a run's plans.jsonl its
share of the values, of the plan's bytes and of its error, and the levels that it got.

  bench/plan_summary.py runs/x/plans.jsonl --layers 6
"""
import argparse
import collections
import json
import pathlib


def lines_of(path):
    plans = [json.loads(line) for line in path.read_text().splitlines()]
    return [plan for plan in plans if plan["policy"] == "lgreco"]


def summarize(plans):
    """One row a layer: [name, share of values, of bytes, of error, levels], means over the plans."""
    layers = collections.defaultdict(lambda: {"numel": 0, "bytes": 0.0, "error": 0.0, "levels": []})
    for plan in plans:
        total_error = sum(layer["error"] for layer in plan["layers"]) or 1.0
        for layer in plan["layers"]:
            entry = layers[layer["name"]]
            entry["numel"] = layer["numel"]
            entry["bytes"] += layer["wire_bytes"] / plan["bytes"] / len(plans)
            entry["error"] += layer["error"] / total_error / len(plans)
            entry["levels"].append(layer["level"])
    numel = sum(entry["numel"] for entry in layers.values())
    return [[name, entry["numel"] / numel, entry["bytes"], entry["error"], entry["levels"]]
            for name, entry in layers.items()]


def levels_text(levels):
    """The levels that a layer got, each with how often."""
    counts = collections.Counter(map(str, levels)).most_common(4)
    return ", ".join(level if count == len(levels) else f"{level} ({count}x)"
                     for level, count in counts)


def print_table(path, plans, most):
    rows = sorted(summarize(plans), key=lambda row: -row[1])
    print(f"{path}: {len(plans)} plans, uniform over plan "
          f"{sum(plan['uniform_over_plan'] for plan in plans) / len(plans):.2f} in the mean")
    print("\n| layer | values | bytes | error | levels |\n|---|---|---|---|---|")
    for name, values, size, error, levels in rows[:most]:
        print(f"| {name} | {values:.1%} | {size:.1%} | {error:.1%} | {levels_text(levels)} |")
    rest = rows[most:]
    if rest:
        values, size, error = (sum(row[i] for row in rest) for i in (1, 2, 3))
        print(f"| {len(rest)} more | {values:.1%} | {size:.1%} | {error:.1%} | |")
    print()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("plans", type=pathlib.Path, nargs="+", help="plans.jsonl of runs")
    parser.add_argument("--layers", type=int, default=6, help="the largest so many, the rest summed")
    arguments = parser.parse_args()
    for path in arguments.plans:
        plans = lines_of(path)
        if plans:
            print_table(path, plans, arguments.layers)


if __name__ == "__main__":
    main()
