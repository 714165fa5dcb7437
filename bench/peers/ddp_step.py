#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What `convoy bench step` measures, of PyTorch's DistributedDataParallel over gloo: training steps in
turns with the same steps without communication (no_sync), the optimizer included in both. One process
of this is one rank, started by mpirun; rank 0 prints a JSON document. bench/peers/compare runs it.

  mpirun -n 2 bench/peers/ddp_step.py --hook fp16 --init tcp://127.0.0.1:29500 --interface lo
"""
import argparse
import contextlib
import datetime
import json
import os
import signal
import statistics
import sys
import time

# Before torch is loaded. Ranks on other hosts inherit nothing.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["USE_LIBUV"] = "0"  # 2.6: its other store does not know every address of an interface

import torch  # noqa: E402
import torch.distributed as dist  # noqa: E402
from torch.distributed.algorithms.ddp_comm_hooks import default_hooks, powerSGD_hook  # noqa: E402
from torch.nn.parallel import DistributedDataParallel  # noqa: E402

sys.dont_write_bytecode = True
import networks  # noqa: E402

TURN = 8           # steps without communication, then as many with it
WARM_UP = 10       # steps with communication that are not counted
POWER_SGD_START = 4  # steps that its hook sends dense: at least 2, buckets are rebuilt in the first


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--hook", choices=["plain", "fp16", "power_sgd"], default="plain")
    parser.add_argument("--model", choices=["resnet18", "tiny"], default="resnet18")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=40, help="of each kind")
    parser.add_argument("--rank", type=int, default=4, help="of the power_sgd hook's matrices")
    parser.add_argument("--init", default="tcp://127.0.0.1:29500", help="where rank 0 listens")
    parser.add_argument("--interface", default="eth0", help="the network device of gloo")
    parser.add_argument("--timeout", type=int, default=600, help="seconds, for all of it")
    return parser.parse_args()


def register(hook, model, rank):
    if hook == "fp16":
        model.register_comm_hook(None, default_hooks.fp16_compress_hook)
    if hook == "power_sgd":
        state = powerSGD_hook.PowerSGDState(None, matrix_approximation_rank=rank,
                                            start_powerSGD_iter=POWER_SGD_START)
        model.register_comm_hook(state, powerSGD_hook.powerSGD_hook)


class Training:
    def __init__(self, options):
        network = networks.make(options.model)
        self.parameters = sum(p.numel() for p in network.parameters())
        # Ours leaves the statistics of BatchNorm alone during a step, so DDP need not send them.
        self.model = DistributedDataParallel(network, broadcast_buffers=False)
        register(options.hook, self.model, options.rank)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.001, momentum=0.9)
        generator = torch.Generator().manual_seed(dist.get_rank())
        self.inputs = torch.randn(options.batch, *networks.INPUT_SHAPE, generator=generator)
        self.targets = torch.randint(networks.CLASSES, (options.batch,), generator=generator)

    def step(self, together):
        with contextlib.nullcontext() if together else self.model.no_sync():
            self.optimizer.zero_grad(set_to_none=True)
            outputs = self.model(self.inputs)
            torch.nn.functional.cross_entropy(outputs, self.targets).backward()
            self.optimizer.step()

    def seconds(self, together, steps):
        dist.barrier()
        times = []
        for _ in range(steps):
            begin = time.monotonic()
            self.step(together)
            times.append(time.monotonic() - begin)
        return times


def slowest(seconds):
    """Of each step the time of the slowest rank."""
    values = torch.tensor(seconds, dtype=torch.float64)
    dist.all_reduce(values, op=dist.ReduceOp.MAX)
    return values.tolist()


def spread(values):
    middle = statistics.median(values)
    return statistics.median(abs(value - middle) for value in values)


def timing(turns):
    steps = [value for turn in turns for value in turn]
    return {"seconds": statistics.median(steps), "spread": spread(steps)}


def measure(options):
    training = Training(options)
    training.seconds(False, 2)
    training.seconds(True, WARM_UP)
    alone, together = [], []
    for left in range(options.steps, 0, -TURN):
        steps = min(left, TURN)
        alone.append(slowest(training.seconds(False, steps)))
        together.append(slowest(training.seconds(True, steps)))
    ratios = [statistics.mean(a) / statistics.mean(t) for a, t in zip(alone, together)]
    report = {"peer": "ddp", "hook": options.hook, "torch": torch.__version__,
              "model": options.model, "batch": options.batch, "ranks": dist.get_world_size(),
              "parameters": training.parameters, "steps": options.steps, "statistic": "median",
              "alone": timing(alone), "together": timing(together),
              "efficiency_spread": spread(ratios)}
    report["efficiency"] = report["alone"]["seconds"] / report["together"]["seconds"]
    return report


def main():
    options = arguments()
    if options.steps < 1 or options.batch < 1:
        sys.exit("ddp_step: --steps and --batch must be at least 1")
    signal.alarm(options.timeout)  # ends this rank, and so the job, wherever it hangs
    os.environ["GLOO_SOCKET_IFNAME"] = options.interface
    torch.set_num_threads(1)
    rank = int(os.environ.get("OMPI_COMM_WORLD_RANK", 0))
    ranks = int(os.environ.get("OMPI_COMM_WORLD_SIZE", 1))
    try:
        dist.init_process_group("gloo", init_method=options.init, rank=rank, world_size=ranks,
                                timeout=datetime.timedelta(seconds=min(120, options.timeout)))
        report = measure(options)
    except Exception as error:  # whatever a peer does wrong is a result
        words = " ".join(str(error).split())
        print(f"ddp_step: rank {rank}: {type(error).__name__}: {words}", file=sys.stderr, flush=True)
        os._exit(1)  # gloo's threads may wait for ever
    if rank == 0:
        print(json.dumps(report), flush=True)
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
