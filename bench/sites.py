#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a server of sites manages on this machine, over loopback, beside what the machine itself does in the same run.

usage: bench/sites.py [--build build] [--rounds 5] [--sites 16] [--hidden 2850] [--idle 100] [--only CASE] [--most-models M]

Prints JSON lines: a plain TLS stream, the disk (files of an update's size, each with fdatasync), a server that receives,
stores and adds up the updates of all sites, its memory, and how long it takes to answer one site with the others idle.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests" / "process"))
from federation_kit import Federation, wait_until


def say(case, **values):
    print(json.dumps({"case": case, **values}), flush=True)


def spread(values):
    middle = statistics.median(values)
    return {"median": middle, "spread": statistics.median(abs(value - middle) for value in values),
            "all": [float(f"{value:.4g}") for value in values]}


def tls_rate(build):
    out = subprocess.run([build / "bin" / "net_stream", "--mebibytes", "512", "--repeats", "1"], capture_output=True,
                         text=True, check=True).stdout
    rates = {line["case"]: line["bytes_per_second"] for line in map(json.loads, out.splitlines())}
    return rates["plain OpenSSL"]


def disk_rate(folder, size, count):
    """As the server writes: each file made durable on its own."""
    block = os.urandom(1 << 20)
    began = time.monotonic()
    for number in range(count):
        with open(folder / f"disk{number}", "wb", buffering=0) as file:
            left = size
            while left > 0:
                left -= file.write(block[:min(left, len(block))])
            os.fdatasync(file.fileno())
    took = time.monotonic() - began
    for number in range(count):
        os.unlink(folder / f"disk{number}")
    return size * count / took


def sync_seconds(folder):
    """Medians of what an update waits for at the least: a new file with its folder, and a record of the log."""
    files, records = [], []
    with open(folder / "records", "wb", buffering=0) as log:
        for number in range(50):
            began = time.monotonic()
            with open(folder / f"new{number}", "wb", buffering=0) as file:
                file.write(bytes(3000))
                os.fdatasync(file.fileno())
            handle = os.open(folder, os.O_RDONLY)
            os.fsync(handle)
            os.close(handle)
            files.append(time.monotonic() - began)
            log.write(bytes(200))
            began = time.monotonic()
            os.fdatasync(log.fileno())
            records.append(time.monotonic() - began)
    return statistics.median(files) + statistics.median(records)


def memory(pid, key):
    """Bytes; None when the process is over."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(key)), None)


def peak_memory(pid, found):
    """Appends the largest memory so far until the process is over."""
    while (peak := memory(pid, "VmHWM")) is not None:
        found.append(peak)
        time.sleep(0.01)


def server_pid(federation):
    return federation.server.process.pid


def averaging(build, options, rounds, every):
    """A federation that waits for all sites in each round, before it is served."""
    federation = Federation(str(build / "bin" / "convoy"), options.sites, hidden=options.hidden, layers=2, every=every,
                            liveness=60.0, federation=f'algorithm = "fedavg"\nrounds = {rounds}\nevaluate_every = 1000000',
                            sites='evaluate = "clients"')
    job = federation.folder / "job.toml"
    text = job.read_text().replace('algorithm = "fedcompass"\n', "").replace("[model]", "features = 1024\n[model]")
    job.write_text(text.replace("keep_updates = true", "keep_updates = false"))
    return federation


def start_load(build, federation, options, rounds, *more):
    """All sites send at once, again and again."""
    federation.serve()
    wait_until(lambda: "listening" in federation.server.text())
    return subprocess.Popen([build / "bin" / "site_load", "job.toml", "--server", f"127.0.0.1:{federation.port}", "--certs", ".",
                             "--sites", str(options.sites), "--busy", str(options.sites), "--rounds", str(rounds), *more],
                            cwd=federation.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def rounds(build, options):
    """In turns: a stream, the disk, a round."""
    served, tls, disk = [], [], []
    size = options.hidden * 4096
    with averaging(build, options, options.rounds + 1, 0) as federation:
        load = start_load(build, federation, options, options.rounds, "--paced")
        for _ in range(options.rounds):
            tls.append(tls_rate(build))
            disk.append(disk_rate(federation.folder, size, options.sites))
            print(file=load.stdin, flush=True)
            line = load.stdout.readline()
            if not line:
                sys.exit(federation.logs())
            found = json.loads(line)
            size = found["update_bytes"]
            served.append(found["bytes_per_second"])
        load.stdin.close()
        if load.wait() != 0:
            sys.exit(federation.logs())
    floor = min(statistics.median(tls), statistics.median(disk))
    say("tls_stream", unit="bytes/s", **spread(tls))
    say("disk", unit="bytes/s", **spread(disk))
    say("server", unit="bytes/s", sites=options.sites, update_bytes=size, **spread(served),
        share_of_floor=statistics.median(served) / floor)


def whole_run(build, options):
    """The server's memory from its start to its end, with a checkpoint in each round."""
    with averaging(build, options, 3, options.sites) as federation:
        load = start_load(build, federation, options, 3, "--to-the-end")
        pid = server_pid(federation)
        start = memory(pid, "VmRSS")
        peaks = []
        watch = threading.Thread(target=peak_memory, args=(pid, peaks))
        watch.start()
        lines = load.communicate()[0].splitlines()
        if load.returncode != 0 or not lines or federation.server.wait() != 0:
            sys.exit(federation.logs())
        watch.join()
    model = json.loads(lines[-1])["update_bytes"]
    in_models = (peaks[-1] - start - options.sites * (4 << 20)) / model
    say("memory", unit="bytes", model_bytes=model, start=start, peak=peaks[-1], sites=options.sites, in_models=in_models)
    if options.most_models and in_models > options.most_models:
        sys.exit(f"the server held {in_models:.2f} models beside 4 MiB a connection; {options.most_models} are allowed")


def answers(build, options):
    """One site sends, the others are connected and only give signs of life."""
    with Federation(str(build / "bin" / "convoy"), options.idle + 1, every=0, liveness=60.0,
                    federation='algorithm = "fedasync"\nupdates = 100000\nevaluate_every = 1000000',
                    sites='evaluate = "clients"') as federation:
        job = federation.folder / "job.toml"
        job.write_text(job.read_text().replace('algorithm = "fedcompass"\n', ""))
        federation.serve()
        wait_until(lambda: "listening" in federation.server.text())
        out = subprocess.run([build / "bin" / "site_load", "job.toml", "--server", f"127.0.0.1:{federation.port}", "--certs", ".",
                              "--sites", str(options.idle + 1), "--busy", "1", "--rounds", "300"], cwd=federation.folder,
                             capture_output=True, text=True)
        if out.returncode != 0:
            sys.exit(out.stderr + federation.logs())
        syncs = sync_seconds(federation.folder)
    seconds = [json.loads(line)["seconds"] for line in out.stdout.splitlines()]
    seconds.sort()
    say("answer", unit="s", idle_sites=options.idle, count=len(seconds), median=statistics.median(seconds),
        p99=seconds[int(0.99 * (len(seconds) - 1))], disk_syncs=syncs)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sites", type=int, default=16)
    parser.add_argument("--hidden", type=int, default=2850)
    parser.add_argument("--idle", type=int, default=100)
    parser.add_argument("--only", choices=["rounds", "memory", "answers"], help="one of the cases")
    parser.add_argument("--most-models", type=float, help="fail where the server needs more memory")
    options = parser.parse_args()
    build = options.build.resolve()
    for name, case in {"rounds": rounds, "memory": whole_run, "answers": answers}.items():
        if options.only in (None, name):
            case(build, options)


if __name__ == "__main__":
    main()
