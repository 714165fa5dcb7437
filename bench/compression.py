#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains every model dense, then with each family uniform and with L-GreCo, and writes the table of
docs/results/compression.md. Resumable: a run whose summary.json exists is not run again.

  bench/compression.py --program build/bin/convoy --models cnn --seeds 1 2 3 > table.md
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys

MODELS = {
    "cnn": {"job": "fashion_mnist.toml", "steps": 600},
    "resnet20": {"job": "fashion_mnist_resnet20.toml", "steps": 500},
    "transformer": {"job": "text.toml", "steps": 400},
    "resnet18": {"job": "fashion_mnist_resnet20.toml", "steps": 40,
                 "set": ["model.name=\"resnet18\"", "train.batch_size=16"]},
}
# The reference level, and the levels that L-GreCo may choose.
FAMILIES = {
    "quantize": (4, [1, 2, 3, 4, 5, 6, 7, 8]),
    "top_k": (0.01, [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1]),
    "power_sgd": (4, list(range(1, 17))),
}
WARMUP, ADAPT = 50, 50


def variants():
    yield "none", "uniform"
    for family in FAMILIES:
        yield family, "uniform"
        yield family, "lgreco"


def settings(model, family, policy, seed):
    spec = MODELS[model]
    sets = [f"run.seed={seed}", f"train.steps={spec['steps']}", "metrics.every_steps=50",
            f"compression.family={family}", *spec.get("set", [])]
    if family != "none":
        level, candidates = FAMILIES[family]
        warmup = min(WARMUP, spec["steps"] // 4)
        sets += [f"compression.policy={policy}", f"compression.level={level}",
                 f"compression.candidates={candidates}", f"compression.warmup_steps={warmup}",
                 f"compression.adapt_every={ADAPT}"]
    return sets


def run(arguments, model, family, policy, seed):
    folder = arguments.runs / f"{model}-{family}-{policy}-{seed}"
    if not (folder / "summary.json").exists():
        job = pathlib.Path(__file__).parent.parent / "examples" / MODELS[model]["job"]
        command = [arguments.program, "launch", "-n", str(arguments.ranks), "--", "train", str(job),
                   "--run-dir", str(folder), "--json"]
        for assignment in settings(model, family, policy, seed) + arguments.set:
            command += ["--set", assignment]
        print(" ".join(command), file=sys.stderr, flush=True)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    result = json.loads((folder / "summary.json").read_text())
    plans = folder / "plans.jsonl"
    lines = plans.read_text().splitlines() if plans.exists() else []
    result["plans"] = [json.loads(line) for line in lines]
    return result


def spread(values, digits):
    middle = statistics.median(values)
    return f"{middle:.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def row(model, family, policy, results):
    """Of all seeds: medians, with the smallest and largest value."""
    plans = [p for r in results for p in r["plans"] if p["policy"] == "lgreco"]
    # Over all plans of all seeds; a plan above uniform would show as a number below 1.
    against_uniform = spread([p["uniform_over_plan"] for p in plans], 2) if plans else "-"
    against_optimum = f"{max(p['plan_over_optimum'] for p in plans):.5f}" if plans else "-"
    last = [r["plans"][-1]["dense_over_plan"] for r in results if r["plans"]]
    return (f"| {model} | {family} | {policy if family != 'none' else 'dense'} "
            f"| {spread([r['accuracy'] for r in results], 4)} "
            f"| {spread([r['loss'] for r in results], 4)} "
            f"| {spread([r['compression_ratio'] for r in results], 1)} "
            f"| {spread(last, 1) if last else '-'} | {against_uniform} | {against_optimum} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default="build/bin/convoy")
    parser.add_argument("--runs", type=pathlib.Path, default=pathlib.Path("runs/compression"))
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--set", action="append", default=[], help="for all runs, over all else")
    arguments = parser.parse_args()
    print("| model | family | policy | accuracy | loss | ratio of the run | last plan, dense over it "
          "| uniform over plan | worst plan over optimum |")
    print("|---|---|---|---|---|---|---|---|---|")
    for model in arguments.models:
        for family, policy in variants():
            results = [run(arguments, model, family, policy, seed) for seed in arguments.seeds]
            print(row(model, family, policy, results), flush=True)


if __name__ == "__main__":
    main()
