#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains every model dense, then with each family uniform and with L-GreCo, and writes the table of
docs/results/compression.md. Resumable: a run whose summary.json exists is not run again.

  bench/compression.py --program build/bin/convoy --models cnn --seeds 1 2 3 > table.md
"""
import argparse
import json
import pathlib
import shutil
import statistics
import subprocess
import sys

MODELS = {
    "cnn": {"job": "fashion_mnist.toml", "steps": 800},
    "resnet20": {"job": "fashion_mnist_resnet20.toml", "steps": 400,
                 "set": ["train.schedule={name=\"cosine\",warmup_steps=50}"]},
    "transformer": {"job": "text.toml", "steps": 300},
    # Short: a step takes half a second, and 10,000 images would take longer to evaluate than to train.
    "resnet18": {"job": "fashion_mnist_resnet20.toml", "steps": 50,
                 "set": ["model.name=\"resnet18\"", "train.batch_size=16", "data.validation=0.05",
                         "train.optimizer.lr=0.02",
                         "train.schedule={name=\"cosine\",warmup_steps=10}"],
                 "references": {"top_k": [0.05]}},
}
# The levels that L-GreCo may choose.
CANDIDATES = {
    "quantize": [1, 2, 3, 4, 5, 6, 7, 8],
    "top_k": [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1],
    "power_sgd": list(range(1, 17)),
}
REFERENCES = {"quantize": [4], "top_k": [0.01, 0.05], "power_sgd": [4]}


class Variant:
    """One row: how gradients travel. `extra` are settings over all else, `note` says them."""

    def __init__(self, family, policy, level=None, note="", extra=()):
        self.family, self.policy, self.level = family, policy, level
        self.note, self.extra = note, list(extra)

    def label(self):
        parts = [self.family, self.policy, "" if self.level is None else str(self.level), self.note]
        return "-".join(part for part in parts if part)

    def settings(self, model):
        if self.family == "none":
            return ["compression.family=none", *self.extra]
        steps = MODELS[model]["steps"]
        return [f"compression.family={self.family}", f"compression.policy={self.policy}",
                f"compression.level={self.level}",
                f"compression.candidates={CANDIDATES[self.family]}",
                f"compression.warmup_steps={max(10, steps // 8)}",
                f"compression.adapt_every={50 if steps >= 200 else 20}", *self.extra]


def variants(model):
    yield Variant("none", "dense")
    references = REFERENCES | MODELS[model].get("references", {})
    for family, levels in references.items():
        for level in levels:
            yield Variant(family, "uniform", level)
            yield Variant(family, "lgreco", level)


def ablations():
    """What alpha, the candidates and the metric change."""
    # Ten densities a decade (Renard numbers).
    mantissas = [10, 12.5, 16, 20, 25, 31.5, 40, 50, 63, 80]
    fine = [round(m * scale, 7) for scale in (1e-4, 1e-3) for m in mantissas] + [0.1]
    for level in (0.01, 0.05):
        yield Variant("top_k", "lgreco", level, "fine", [f"compression.candidates={fine}"])
    for family, level, half_to_twice in [("top_k", 0.05, [0.02, 0.05, 0.1]),
                                         ("power_sgd", 4, [2, 3, 4, 5, 6, 7, 8])]:
        for alpha in [0.5, 2.0]:
            yield Variant(family, "lgreco", level, f"alpha={alpha}", [f"compression.alpha={alpha}"])
        yield Variant(family, "lgreco", level, "l2", ["compression.error_metric=l2"])
        yield Variant(family, "lgreco", level, "half-to-twice",
                      [f"compression.candidates={half_to_twice}"])


def settings(model, variant, seed):
    spec = MODELS[model]
    return [f"run.seed={seed}", f"train.steps={spec['steps']}", "metrics.every_steps=50",
            *spec.get("set", []), *variant.settings(model)]


def run(arguments, model, variant, seed):
    folder = arguments.runs / f"{model}-{variant.label()}-{seed}"
    if not (folder / "summary.json").exists():
        job = pathlib.Path(__file__).parent.parent / "examples" / MODELS[model]["job"]
        command = [arguments.program, "launch", "-n", str(arguments.ranks), "--", "train", str(job),
                   "--run-dir", str(folder), "--json"]
        for assignment in settings(model, variant, seed) + arguments.set:
            command += ["--set", assignment]
        print(" ".join(command), file=sys.stderr, flush=True)
        shutil.rmtree(folder, ignore_errors=True)  # what an interrupted run has left
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    result = json.loads((folder / "summary.json").read_text())
    plans = folder / "plans.jsonl"
    lines = plans.read_text().splitlines() if plans.exists() else []
    result["plans"] = [json.loads(line) for line in lines]
    return result


def spread(values, digits):
    middle = statistics.median(values)
    return f"{middle:.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def row(model, variant, results):
    """Of all seeds: medians, with the smallest and largest value."""
    plans = [p for r in results for p in r["plans"] if p["policy"] == "lgreco"]
    # Over all plans of all seeds; a plan above uniform would show as a number below 1.
    against_uniform = spread([p["uniform_over_plan"] for p in plans], 2) if plans else "-"
    against_optimum = f"{max(p['plan_over_optimum'] for p in plans):.5f}" if plans else "-"
    last = [r["plans"][-1]["dense_over_plan"] for r in results if r["plans"]]
    return (f"| {model} | {variant.label().replace('-', ' ')} "
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
    parser.add_argument("--ablations", action="store_true", help="alpha, candidates and metric")
    parser.add_argument("--variants", nargs="+", help="labels such as top_k-lgreco-0.05, not all")
    parser.add_argument("--set", action="append", default=[], help="for all runs, over all else")
    arguments = parser.parse_args()
    print("| model | gradients | accuracy | loss | ratio of the run | last plan, dense over it "
          "| uniform over plan | worst plan over optimum |")
    print("|---|---|---|---|---|---|---|---|")
    for model in arguments.models:
        for variant in ablations() if arguments.ablations else variants(model):
            if arguments.variants and variant.label() not in arguments.variants:
                continue
            results = [run(arguments, model, variant, seed) for seed in arguments.seeds]
            print(row(model, variant, results), flush=True)


if __name__ == "__main__":
    main()
