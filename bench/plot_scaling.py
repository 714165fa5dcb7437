#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws what `convoy bench scaling --json` has found: efficiency over ranks, measured (dots) and by the
cost model (lines; dashed where it looks ahead). Needs matplotlib.

  bench/plot_scaling.py scaling.json scaling.png
"""
import argparse
import json
import pathlib
import sys


def series(document):
    """By (growth, family): the measured points, and the model's as far as it was measured and ahead;
    each a list of (ranks, efficiency)."""
    found = {}
    for run in document["runs"]:
        kind = found.setdefault((run["growth"], run["family"]),
                                {"measured": [], "model": [], "ahead": []})
        kind["measured"].append((run["ranks"], run["efficiency"]))
        kind["model"].append((run["ranks"], run["model_alone"] / run["model_seconds"]))
    for point in document["forecast"]:
        found[point["growth"], point["family"]]["ahead"].append((point["ranks"], point["efficiency"]))
    for kind in found.values():
        kind["ahead"].insert(0, kind["model"][-1])  # the dashed line begins where the other ends
    return found


def draw(document, path):
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    found = series(document)
    growths = sorted({growth for growth, _ in found}, reverse=True)
    figure, axes = pyplot.subplots(1, len(growths), figsize=(5 * len(growths), 4), squeeze=False)
    for axis, growth in zip(axes[0], growths):
        for (other, family), kind in found.items():
            if other != growth:
                continue
            dots, = axis.plot(*zip(*kind["measured"]), "o", label=family)
            axis.plot(*zip(*kind["model"]), "-", color=dots.get_color())
            axis.plot(*zip(*kind["ahead"]), "--", color=dots.get_color())
        axis.set(title=f"{growth} scaling", xlabel="ranks", ylabel="efficiency", ylim=(0, 1.05))
        axis.set_xscale("log", base=2)
        axis.grid(alpha=0.3)
        axis.legend()
    figure.suptitle(f"{document['model_name']}, compute {document['compute']}")
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("json", type=pathlib.Path)
    parser.add_argument("image")
    options = parser.parse_args()
    try:
        draw(json.loads(options.json.read_text()), options.image)
    except ImportError:
        sys.exit("plot_scaling: needs matplotlib: apt-get install python3-matplotlib")
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"plot_scaling: {options.json}: {error!r}")


if __name__ == "__main__":
    main()
