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
SECONDS = 800.0  # of the emulated clock
LAST = 5  # so many evaluations are the end of a run: single ones jump where classes are uneven


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
    """For every algorithm the learning rate with the highest accuracy, in the mean over the run, on
    one setting: the time to one target hangs on single evaluations."""
    rates = {}
    for algorithm in ALGORITHMS:
        means = {}
        for lr in LEARNING_RATES:
            curve = run(arguments, algorithm=algorithm, **TUNED_ON, lr=lr)
            means[lr] = statistics.mean(accuracy for _, accuracy in curve)
        rates[algorithm] = max(means, key=means.get)
    return rates


def seconds_text(values):
    """Median, smallest and largest; runs that never got there are infinitely late."""
    def text(value):
        return "never" if value == float("inf") else f"{value:.0f}"
    return f"{text(statistics.median(values))} ({text(min(values))}-{text(max(values))})"


def plot(path, cells):
    """One picture. cells: {(partition, speeds): {algorithm: [curve of each seed]}}"""
    try:
        import matplotlib
    except ImportError:
        print("no plots: install python3-matplotlib", file=sys.stderr)
        return
    matplotlib.use("agg")
    from matplotlib import pyplot
    rows, columns = (list(dict.fromkeys(names)) for names in zip(*cells))
    figure, grid = pyplot.subplots(len(rows), len(columns), sharex=True, sharey=True, squeeze=False,
                                   figsize=(4 * len(columns), 3 * len(rows)), layout="constrained")
    for (partition, speeds), curves in cells.items():
        axes = grid[rows.index(partition)][columns.index(speeds)]
        for color, (algorithm, of_seeds) in zip("C0 C1 C2 C3".split(), curves.items()):
            for i, curve in enumerate(of_seeds):
                axes.plot(*zip(*curve), color=color, linewidth=0.8, label=None if i else algorithm)
        axes.set(title=f"{partition}, {speeds}", ylim=(0.5, 0.9))
    grid[0][0].legend(loc="lower right")
    figure.supxlabel("emulated seconds")
    figure.supylabel("accuracy")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=75)
    pyplot.close(figure)


def row_group(arguments, rates, clients, partition, speeds):
    """Runs and prints one cell of the grid; returns its curves, as plot() takes them."""
    curves = {}
    for algorithm in ALGORITHMS:
        curves[algorithm] = [run(arguments, algorithm=algorithm, clients=clients,
                                 partition=partition, speeds=speeds, seed=seed,
                                 lr=rates[algorithm]) for seed in arguments.seeds]
        ends = [statistics.mean(accuracy for _, accuracy in curve[-LAST:])
                for curve in curves[algorithm]]
        times = [seconds_text([time_to(curve, target) for curve in curves[algorithm]])
                 for target in TARGETS]
        print(f"| {clients} | {partition} | {speeds} | {algorithm} | {' | '.join(times)} | "
              f"{statistics.median(ends):.4f} ({min(ends):.4f}-{max(ends):.4f}) |", flush=True)
    return curves


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default="build/bin/convoy")
    parser.add_argument("--runs", type=pathlib.Path, default=pathlib.Path("runs/federated-bench"))
    parser.add_argument("--plots", type=pathlib.Path, default=pathlib.Path("docs/results"))
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
    for clients in arguments.clients:
        cells = {}
        for partition, speeds in itertools.product(arguments.partitions, arguments.speeds):
            cells[partition, speeds] = row_group(arguments, rates, clients, partition, speeds)
        plot(arguments.plots / f"federated-{clients}-clients.png", cells)


if __name__ == "__main__":
    main()
