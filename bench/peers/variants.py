# SPDX-License-Identifier: Apache-2.0
"""What bench/peers/compare compares: how each variant is called, and its command."""
import dataclasses
import pathlib

PYTHON = "/usr/bin/python3"  # Debian's, which knows Debian's torch
DDP = pathlib.Path(__file__).resolve().parent / "ddp_step.py"
ADDRESS = "tcp://10.88.0.1:29500"  # of the first host of bench/cluster/with


@dataclasses.dataclass(frozen=True)
class Ours:
    name: str
    options: tuple
    once: bool = False  # takes whole cycles of planning, however few steps are asked for
    who: str = "convoy"

    def words(self, options):
        steps = max(8, -(-options.steps // options.rounds))
        return ["convoy", "bench", "step", "--json", "--model", options.model, "--steps", str(steps),
                "--batch", str(options.batch), *self.options]


@dataclasses.dataclass(frozen=True)
class Ddp:
    name: str
    hook: str
    once: bool = False
    who: str = "ddp"

    def words(self, options):
        steps = max(8, -(-options.steps // options.rounds))
        return [PYTHON, str(DDP), "--hook", self.hook, "--model", options.model, "--steps", str(steps),
                "--batch", str(options.batch), "--init", ADDRESS, "--interface", "eth0",
                "--timeout", str(options.timeout)]


VARIANTS = {variant.name: variant for variant in (
    Ours("dense", ()),
    Ours("dense_next_forward", ("--set", "communication.overlap=next_forward")),
    Ddp("ddp", "plain"),
    Ours("half", ("--compression", "half")),
    Ddp("ddp_fp16", "fp16"),
    Ours("power_sgd", ("--compression", "power_sgd"), once=True),
    Ddp("ddp_power_sgd", "power_sgd"),
)}
