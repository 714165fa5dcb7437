#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Emulated seconds until a federation reaches an accuracy on Fashion-MNIST, for every algorithm, and a
plot of accuracy over emulated seconds. Virtual clock: the figures depend on the job alone.
Resumable: a run whose summary.json exists is not run again.

  bench/federated.py --program build/bin/convoy --clients 5 10 --seeds 1 2 3 > table.md
"""
import argparse
import itertools
import json
import pathlib
import shutil
import statistics
import subprocess
import sys

ALGORITHMS = ["fedavg", "fedasync", "fedbuff", "fedcompass"]
PARTITIONS = {
    "classes": "{name=\"classes\",classes_per_client=4}",
    "dual_dirichlet": "{name=\"dual_dirichlet\",alpha=0.5,size_alpha=2.0}",
}
SPEEDS = ["homogeneous", "normal", "exponential"]
LEARNING_RATES = [0.02, 0.05, 0.1, 0.2]
TUNED_ON = {"clients": 10, "partition": "classes", "speeds": "normal", "seed": 11}
TARGETS = [0.80, 0.85]
SECONDS = 400.0  # of the emulated clock


def settings(algorithm, clients, partition, speeds, seed, lr):
    return [f"run.seed={seed}", f"federation.algorithm={algorithm}", f"federation.clients={clients}",
            f"data.partition={PARTITIONS[partition]}", f"federation.speeds={speeds}",
            "federation.updates=0", f"federation.seconds={SECONDS}", "federation.validation=0.0",
            f"train.optimizer.lr={lr}"]


def run(arguments, **what):
    """The evaluations [(seconds, accuracy)] of one run."""
    folder = arguments.runs / "-".join(str(value) for value in what.values())
    if not (folder / "summary.json").exists():
        job = pathlib.Path(__file__).parent.parent / "examples" / "federated.toml"
        command = [arguments.program, "federate", str(job), "--run-dir", str(folder), "--json"]
        for assignment in settings(**what) + arguments.set:
            command += ["--set", assignment]
        print(" ".join(command), file=sys.stderr, flush=True)
        shutil.rmtree(folder, ignore_errors=True)  # what an interrupted run has left
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return [(line["seconds"], line["accuracy"]) for line in lines if line["kind"] == "evaluation"]


def time_to(curve, target):
    """Emulated seconds until an evaluation reaches the target; infinity: never."""
    return min((seconds for seconds, accuracy in curve if accuracy >= target), default=float("inf"))


def tuned_rates(arguments):
    """For every algorithm the learning rate that is first at the targets on one setting."""
    rates = {}
    for algorithm in ALGORITHMS:
        curves = {lr: run(arguments, algorithm=algorithm, **TUNED_ON, lr=lr)
                  for lr in LEARNING_RATES}
        rates[algorithm] = min(LEARNING_RATES, key=lambda lr: (
            [time_to(curves[lr], target) for target in reversed(TARGETS)], -curves[lr][-1][1]))
    return rates


def seconds_text(values):
    """Median, smallest and largest; runs that never got there are infinitely late."""
    def text(value):
        return "never" if value == float("inf") else f"{value:.0f}"
    return f"{text(statistics.median(values))} ({text(min(values))}-{text(max(values))})"


def plot(path, title, curves):
    """curves: {algorithm: [curve of each seed]}"""
    try:
        import matplotlib
    except ImportError:
        print("no plots: install python3-matplotlib", file=sys.stderr)
        return
    matplotlib.use("svg")
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(figsize=(6, 4))
    for color, (algorithm, of_seeds) in zip("C0 C1 C2 C3".split(), curves.items()):
        for i, curve in enumerate(of_seeds):
            axes.plot(*zip(*curve), color=color, linewidth=1, label=None if i else algorithm)
    axes.set(title=title, xlabel="emulated seconds", ylabel="accuracy", ylim=(0.5, 0.9))
    axes.legend(loc="lower right")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    pyplot.close(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default="build/bin/convoy")
    parser.add_argument("--runs", type=pathlib.Path, default=pathlib.Path("runs/federated-bench"))
    parser.add_argument("--plots", type=pathlib.Path, default=pathlib.Path("docs/results/federated"))
    parser.add_argument("--clients", nargs="+", type=int, default=[5, 10])
    parser.add_argument("--partitions", nargs="+", choices=PARTITIONS, default=list(PARTITIONS))
    parser.add_argument("--speeds", nargs="+", choices=SPEEDS, default=SPEEDS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--set", action="append", default=[], help="for all runs, over all else")
    arguments = parser.parse_args()
    rates = tuned_rates(arguments)
    print("learning rates: " + ", ".join(f"{name} {lr}" for name, lr in rates.items()))
    print("\n| clients | partition | speeds | algorithm | "
          + " | ".join(f"seconds to {target:.0%}" for target in TARGETS) + " | accuracy at the end |")
    print("|---|---|---|---|---|---|---|")
    for clients, partition, speeds in itertools.product(arguments.clients, arguments.partitions,
                                                        arguments.speeds):
        curves = {}
        for algorithm in ALGORITHMS:
            curves[algorithm] = [run(arguments, algorithm=algorithm, clients=clients,
                                     partition=partition, speeds=speeds, seed=seed,
                                     lr=rates[algorithm]) for seed in arguments.seeds]
            ends = [curve[-1][1] for curve in curves[algorithm]]
            cells = [seconds_text([time_to(curve, target) for curve in curves[algorithm]])
                     for target in TARGETS]
            print(f"| {clients} | {partition} | {speeds} | {algorithm} | {' | '.join(cells)} | "
                  f"{statistics.median(ends):.4f} ({min(ends):.4f}-{max(ends):.4f}) |", flush=True)
        plot(arguments.plots / f"{clients}-{partition}-{speeds}.svg",
             f"{clients} clients, {partition}, {speeds} speeds", curves)


if __name__ == "__main__":
    main()
