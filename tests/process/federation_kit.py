# SPDX-License-Identifier: Apache-2.0
"""A federation of real processes for tests: certificates, a server and its sites, which can be killed, started
again and looked at."""
import collections
import ctypes
import json
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest

LIBC = ctypes.CDLL(None)
JOB = """
[run]
name = "test"
seed = 3
[data]
name = "synthetic"
samples = {samples}
[model]
name = "mlp"
hidden = {hidden}
layers = {layers}
[train]
batch_size = 8
optimizer = {{name = "sgd", lr = 0.05}}
[federation]
algorithm = "fedcompass"
clients = {clients}
min_local_steps = {least}
max_local_steps = {most}
liveness_timeout = {liveness}
{federation}
[sites]
linger = 30
keep_updates = true
{sites}
[checkpoint]
every_steps = {every}
{more}
"""


def wait_until(condition, seconds=30.0):
    """The condition's value, or its last one when time is up."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(0.02)


def free_port():
    """Below those that the system gives to whoever dials, of which another test may take one meanwhile."""
    while True:
        port = random.randrange(12000, 32000)
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def die_with_parent():
    """For `preexec_fn`: a test that is ended by its time limit leaves no servers behind."""
    LIBC.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Program:
    """One process, its output kept in a file."""

    def __init__(self, words, log, prefix=(), folder=None):
        self.log = pathlib.Path(log)
        self.stream = open(self.log, "a")
        self.process = subprocess.Popen([*prefix, *words], stdout=self.stream, stderr=self.stream, cwd=folder,
                                        start_new_session=True, preexec_fn=die_with_parent)

    def alive(self):
        return self.process.poll() is None

    def kill(self, number=signal.SIGKILL):
        """The whole process group: a prefix such as `ip netns exec` and mpirun's ranks too."""
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass
        if number == signal.SIGKILL:
            self.process.wait()

    def wait(self, seconds=60):
        return self.process.wait(seconds)

    def text(self):
        return self.log.read_text(errors="replace")


class Federation:
    """`with` makes it and takes all of it away."""

    def __init__(self, convoy, clients=3, *, hidden=16, layers=1, least=5, most=20, liveness=5.0, every=7, federation="updates = 30",
                 sites="", more="", host="127.0.0.1", server_prefix=(), site_prefix=()):
        self.convoy = convoy
        self.clients = clients
        self.host = host
        self.port = free_port()
        self.server_prefix, self.site_prefix = list(server_prefix), list(site_prefix)
        self.temporary = tempfile.TemporaryDirectory(prefix="convoy-sites-")
        self.folder = pathlib.Path(self.temporary.name)
        self.run = self.folder / "run"
        self.programs = []
        self.sites = {}
        self.server = None
        (self.folder / "job.toml").write_text(JOB.format(
            samples=max(600, 20 * clients), clients=clients, hidden=hidden, layers=layers, least=least, most=most, liveness=liveness, every=every,
            federation=federation, sites=sites, more=more))
        self.make_certificates()

    def make_certificates(self):
        self.certs("init")
        self.member("hub", "server")
        for name in self.names():
            self.member(name, "site")
        self.member("boss", "operator")
        for name in ("ca.crt", "ca.crl"):
            (self.folder / name).symlink_to(self.folder / "ca" / name)

    def certs(self, *words):
        subprocess.run([self.convoy, "certs", *words], cwd=self.folder, check=True, capture_output=True)

    def member(self, name, role, *more):
        hosts = ["--host", "127.0.0.1", "--host", self.host] if role == "server" else []
        self.certs("request", name, "--role", role, *hosts)
        self.certs("sign", f"{name}.csr", "--name", name, "--role", role, *hosts, *more)

    def names(self):
        return [f"site{i:03}" for i in range(self.clients)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for program in self.programs:
            if program.alive():
                program.kill()
            program.stream.close()
        self.temporary.cleanup()

    def serve(self, *more):
        words = [self.convoy, "serve"]
        words += ["--resume", str(self.run)] if self.run.exists() else ["job.toml", "--run-dir", str(self.run)]
        words += ["--listen", f"{self.host}:{self.port}", "--certs", str(self.folder), "--name", "hub", *more]
        self.server = Program(words, self.folder / "server.log", self.server_prefix, self.folder)
        self.programs.append(self.server)
        return self.server

    def site_words(self, name, *more):
        share = f"{self.names().index(name)}/{self.clients}" if name in self.names() else "0/1"
        return [self.convoy, "join", "--server", f"{self.host}:{self.port}", "--site", name, "--certs", str(self.folder),
                "--state", str(self.folder / "state" / name), "--share", share, *more]

    def join(self, name, *more, prefix=None):
        prefix = self.site_prefix if prefix is None else prefix
        site = Program(self.site_words(name, *more), self.folder / f"{name}.log", prefix, self.folder)
        self.sites[name] = site
        self.programs.append(site)
        return site

    def join_all(self):
        for name in self.names():
            self.join(name)

    def operator(self, *words):
        done = subprocess.run([*self.server_prefix, self.convoy, *words, "--server", f"{self.host}:{self.port}", "--certs",
                               str(self.folder), "--name", "boss"], capture_output=True, text=True, timeout=30)
        return done

    def status(self):
        """None while nobody answers."""
        done = self.operator("status", "--json")
        return json.loads(done.stdout) if done.returncode == 0 else None

    def updates(self):
        """Updates that have arrived, by the events that are written."""
        return sum(1 for event in self.events() if event["kind"] == "arrive")

    def acknowledged(self):
        """The updates of which sites were told that the server has them: {(site, id)}."""
        return {(name, word) for name, site in self.sites.items()
                for word in re.findall(r"update (\S+) is acknowledged", site.text())}

    def events(self):
        return self.records("events.jsonl")

    def audit(self):
        return self.records("audit.jsonl")

    def records(self, name):
        """What the run has written so far."""
        try:
            lines = (self.run / name).read_text().splitlines()
        except OSError:
            return []
        records = []
        for line in lines:
            try:
                records.append(json.loads(line))
            except ValueError:  # the last one is being written
                pass
        return records

    def operator_audit(self):
        return subprocess.run([self.convoy, "audit", str(self.run / "audit.jsonl")], capture_output=True, text=True)

    def summary(self):
        return json.loads((self.run / "summary.json").read_text())

    def logs(self):
        """For the message of a failed test: the end of what everybody said."""
        return "\n".join(f"--- {path.name}\n" + path.read_text(errors="replace")[-1500:]
                         for path in sorted(self.folder.glob("*.log"))[:6])


class FederationTest(unittest.TestCase):
    def check_end(self, federation, sites=None):
        """All have ended well, nothing was lost or counted twice, and every site has the final model."""
        logs = federation.logs
        for name in sites or federation.names():
            self.assertEqual(federation.sites[name].wait(90), 0, name + logs())
        self.assertEqual(federation.server.wait(60), 0, logs())
        summary = federation.summary()
        counts = summary["schedule"]  # before what waited was aggregated too
        self.assertEqual(counts["received"], counts["aggregated"] + counts["refused"] + counts["pending"], summary)
        contributed = collections.Counter((record["site"], record["update"]) for record in federation.audit()
                                          if record["event"] == "contribution")
        self.assertEqual(len(contributed), counts["aggregated"] + counts["pending"])
        self.assertEqual(set(contributed.values()), {1})
        done = federation.operator_audit()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.check_modes(federation.run)
        return summary

    def check_modes(self, folder):
        """Nobody else reads what sites have sent."""
        paths = [folder, *folder.rglob("*")]
        self.assertGreater(len(paths), 5)
        loose = {str(path.relative_to(folder)): oct(path.stat().st_mode & 0o777) for path in paths
                 if path.stat().st_mode & 0o777 != (0o700 if path.is_dir() else 0o600)}
        self.assertEqual(loose, {})
