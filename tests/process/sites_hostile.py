#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Strangers and members that mean harm, against a living server with honest sites beside them: each is refused, the
server says whom and why, and the others go on.

usage: sites_hostile.py CONVOY SAVE_SCRIPT [unittest arguments]
"""
import hashlib
import pathlib
import re
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading
import unittest

sys.dont_write_bytecode = True
import protocol_peer as protocol
from federation_kit import Federation, FederationTest, wait_until
from protocol_peer import Ended, Guest, Peer

CONVOY = str(pathlib.Path(sys.argv.pop(1)).resolve())
SAVE_SCRIPT = str(pathlib.Path(sys.argv.pop(1)).resolve())
TAKEN = "site003"  # somebody else has its key
SILENT = [(f"127.0.1.{host}", 0) for host in range(1, 6) for _ in range(8)]  # 8 handshakes at a time from one address

EXPIRED = """
[ca]
default_ca = it
[it]
database = late.index
new_certs_dir = .
rand_serial = yes
certificate = ca/ca.crt
private_key = ca/ca.key
default_md = sha256
policy = any
x509_extensions = site
[any]
commonName = supplied
[site]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
subjectAltName = DNS:late
authorityKeyIdentifier = keyid
"""


def openssl(*words, folder):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


class Dawdler:
    """Sends a frame of a thousand bytes, one in half a second, until it is cut off."""

    def __init__(self, federation, greets):
        self.peer = Peer(federation, "eve")
        if greets:
            self.peer.greet()
        self.bytes = self.peer.next_frame(protocol.PROGRESS if greets else protocol.HELLO, bytes(1000))
        self.is_cut = False
        self.thread = threading.Thread(target=self.drip, daemon=True)
        self.thread.start()

    def drip(self):
        self.peer.tls.settimeout(0.5)
        for byte in self.bytes:
            try:
                self.peer.tls.sendall(bytes([byte]))
                self.peer.read_to_end()
                self.is_cut = True
            except TimeoutError:
                continue
            except OSError:
                self.is_cut = True
            return


class FalseServer:
    """Listens with somebody's certificate, and keeps what comes through it."""

    def __init__(self, folder, certificate):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / f"{certificate}.crt", folder / f"{certificate}.key")
        self.context.load_verify_locations(folder / "ca.crt")
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.dialled = 0
        self.heard = b""
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            self.dialled += 1
            try:
                with self.context.wrap_socket(raw, server_side=True) as tls:
                    self.heard += tls.recv(1000)
            except OSError:
                pass


class Hostile(FederationTest):
    def said(self, *words):
        """Waits until the server's log has a line with all of these."""
        pattern = ".*".join(re.escape(word) for word in words)
        found = wait_until(lambda: re.search(pattern, self.federation.server.text()), 60)
        self.assertTrue(found, f"{pattern}\n" + self.federation.server.text()[-3000:])

    def goes_on(self):
        """The honest sites get on: each contributes once more."""
        arrived = lambda: [sum(1 for event in self.federation.events()
                               if event["kind"] == "arrive" and event["client"] == client) for client in range(3)]
        before = arrived()
        self.assertTrue(wait_until(lambda: all(now > then for now, then in zip(arrived(), before)), 60),
                        self.federation.logs())
        self.assertTrue(self.federation.server.alive())

    def make_members(self):
        federation, folder = self.federation, self.federation.folder
        for name in ("eve", "gone"):
            federation.member(name, "site")
        federation.certs("revoke", "gone")
        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        openssl("req", "-x509", *new_key, "-keyout", "own.key", "-out", "own.crt", "-subj", "/CN=own", "-addext",
                "extendedKeyUsage=clientAuth", "-addext", "subjectAltName=DNS:own", folder=folder)
        (folder / "late.cnf").write_text(EXPIRED)
        (folder / "late.index").touch()
        openssl("req", *new_key, "-keyout", "late.key", "-out", "late.csr", "-subj", "/CN=late", folder=folder)
        openssl("ca", "-batch", "-notext", "-config", "late.cnf", "-startdate", "20200101000000Z", "-enddate",
                "20210101000000Z", "-in", "late.csr", "-out", "late.crt", folder=folder)
        (folder / "foreign").mkdir()
        subprocess.run([CONVOY, "certs", "init"], cwd=folder / "foreign", check=True, capture_output=True)
        subprocess.run([CONVOY, "certs", "request", "eve"], cwd=folder / "foreign", check=True, capture_output=True)
        subprocess.run([CONVOY, "certs", "sign", "eve.csr", "--name", "eve"], cwd=folder / "foreign", check=True,
                       capture_output=True)
        for end in ("crt", "key"):
            shutil.copy(folder / "foreign" / f"eve.{end}", folder / f"foreign.{end}")

    # What strangers and members do. The server runs, and its honest sites train.

    def bad_frames(self):
        def attack(make):
            with Peer(self.federation, "eve") as peer:
                peer.greet()
                peer.tls.sendall(make(peer))
                kinds, refusal = peer.read_to_end()
                self.assertEqual((kinds[-1], refusal[1]), (protocol.REFUSAL, 9), kinds)
                return peer.address

        progress = protocol.message(_1=1)
        damaged = lambda peer: peer.next_frame(protocol.PROGRESS, progress)[:-1] + b"\xff"
        for what, make in (("garbage", lambda peer: b"GET / HTTP/1.1\r\n\r\n" * 100),
                           ("oversized", lambda peer: peer.next_frame(protocol.PROGRESS, claimed=1 << 31)),
                           ("damaged", damaged),
                           ("replayed", lambda peer: 2 * peer.next_frame(protocol.PROGRESS, progress))):
            with self.subTest(what):
                self.said(attack(make) + " (eve): refused: bad frame: " + what)

    def a_frame_that_is_cut_off(self):
        with Peer(self.federation, "eve") as peer:
            peer.greet()
            peer.tls.sendall(peer.next_frame(protocol.JOIN, bytes(1000))[:500])
            peer.tls.shutdown(socket.SHUT_WR)
            self.said("eve at " + peer.address, "truncated")

    def garbage_before_the_handshake(self):
        with socket.create_connection((self.federation.host, self.federation.port), timeout=60) as raw:
            address = "{}:{}".format(*raw.getsockname())
            raw.sendall(b"GET / HTTP/1.1\r\n\r\n" * 100)
            while raw.recv(1000):
                pass
        self.said(address, "refused: handshake: ", "does not speak TLS")

    def wrong_certificates(self):
        for name, why in ((None, "has shown no certificate"), ("late", "it ended on"), ("gone", "revoked"),
                          ("own", "own"), ("foreign", "eve"), ("hub", "its role is server")):
            with self.subTest(name):
                with self.assertRaises((ssl.SSLError, Ended)), Peer(self.federation, name) as peer:
                    address = peer.address
                    peer.greet(name=name or "eve")
                self.said(address, "refused: handshake: ", why)

    def other_names_and_roles(self):
        for name, party, claimed in (("eve", protocol.SITE, "site001"), ("eve", protocol.OPERATOR, "eve"),
                                     ("eve", protocol.OPERATOR, "boss"), ("boss", protocol.SITE, "boss"),
                                     ("boss", protocol.SITE, "site001")):
            with self.subTest((name, claimed)), Peer(self.federation, name) as peer:
                peer.send(protocol.HELLO, peer.hello(name=claimed, party=party))
                kinds, refusal = peer.read_to_end()
                self.assertEqual((kinds, refusal[1]), ([protocol.REFUSAL], 4))
                self.said(peer.address, "not allowed", "this is the certificate of the", name)
        for name, party, kind, body in (("eve", protocol.SITE, protocol.COMMAND, protocol.message(_1=4)),
                                        ("boss", protocol.OPERATOR, protocol.JOIN, protocol.message(_1=1, _3=1, _4=1))):
            with self.subTest((name, kind)), Peer(self.federation, name) as peer:
                peer.greet(party=party)
                peer.send(kind, body)
                self.assertEqual(peer.read_to_end()[1][1], 4)
                self.said(peer.address, "not allowed")

    def convoy(self, *words, port=None, certs=None):
        folder = self.federation.folder
        return subprocess.run([CONVOY, *words, "--server", f"127.0.0.1:{port or self.federation.port}", "--certs",
                               str(certs or folder)], cwd=folder, capture_output=True, text=True, timeout=60)

    def own_programs_with_other_roles(self):
        """`convoy` with a certificate of another role or name."""
        folder = self.federation.folder
        claimed = folder / "claimed"
        claimed.mkdir()
        for name in ("ca.crt", "ca.crl"):
            (claimed / name).symlink_to(folder / "ca" / name)
        for end in ("crt", "key"):
            shutil.copy(folder / f"eve.{end}", claimed / f"site001.{end}")
        for words in (["status", "--name", "eve"], ["operate", "finish", "--name", "eve"]):
            with self.subTest(" ".join(words)):  # the program itself knows better; the server's part is in other_names_and_roles
                done = self.convoy(*words, certs=folder)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn("is the certificate of a site; needed here is that of an operator", done.stderr)
        for words, certs, why in (
                (["join", "--site", "boss", "--state", "boss-state"], folder,
                 "the certificate of the operator boss, not of site boss"),
                (["join", "--site", "site001", "--state", "claimed-state"], claimed,
                 "the certificate of the site eve, not of site site001")):
            with self.subTest(" ".join(words)):
                done = self.convoy(*words, certs=certs)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(why, done.stderr)
                self.said("at 127.0.0.1:", "not allowed", why)

    def one_site_too_many(self):
        with Guest(self.federation, "eve") as guest:
            self.assertIn("take part already", guest.join())
        self.said("refused eve at 127.0.0.1:", "4 sites take part already")

    def resumption(self):
        """The first connection's session is of no use for a second one."""
        context = protocol.tls_context(self.federation.folder, "eve")
        with Peer(self.federation, "eve", context=context) as peer:
            peer.greet()  # a ticket would have come before the answer
            session = peer.tls.session
            self.assertFalse(session is not None and session.has_ticket)
        with Peer(self.federation, "eve", context=context, session=session) as peer:
            peer.greet()
            self.assertFalse(peer.tls.session_reused)

    def bad_updates(self):
        self.refused = []
        def attack(name, make, **changes):
            with Guest(self.federation, TAKEN) as guest:
                self.assertIsNone(guest.join())
                changed = {key: change(guest) for key, change in changes.items()}
                kind, answer = guest.upload(name, make(guest.model), **changed)
                return guest.address, kind, answer

        def filled(number):
            def make(stream):
                at = protocol.elements_at(stream)
                return stream[:at] + struct.pack("<f", number) * ((len(stream) - at) // 4)
            return make

        def other_shape(stream):
            at = 20 + 4 + struct.unpack_from("<H", stream, 22)[0]
            first, second = struct.unpack_from("<QQ", stream, at)
            return stream[:at] + struct.pack("<QQ", second, first) + stream[at + 16:]

        for name, make, why in (("nan", filled(float("nan")), "it is not finite"),
                                ("inf", filled(float("inf")), "it is not finite"),
                                ("norm", filled(1e20), "its norm is"),
                                ("shape", other_shape, ""),
                                ("short", lambda stream: stream[:-4], ""),
                                ("garbage", lambda stream: b"\xff" * len(stream), "")):
            with self.subTest(name):
                address, kind, answer = attack(name, make)
                self.assertEqual((kind, answer[1]), (protocol.UPLOAD_ACK, name.encode()))
                self.said(f"refused update {name} of {TAKEN} at {address}: {why}")
                self.refused.append((TAKEN, name))
        self.assertEqual(len(self.refused), 6)
        same = lambda stream: stream
        for name, changes, code in (("huge", {"_3": lambda guest: 1 << 60}, 11),
                                    ("hash", {"_2": lambda guest: bytes(32)}, 10),
                                    ("round", {"_4": lambda guest: guest.round[1] + 1}, 12)):
            with self.subTest(name):
                address, kind, answer = attack(name, same, **changes)
                self.assertEqual((kind, answer[1]), (protocol.REFUSAL, code))
                self.said(f"refused {TAKEN} at {address}: ")
        with self.subTest("again"):  # one that came already
            _, kind, answer = attack("nan", same)
            self.assertEqual((kind, answer[2]), (protocol.UPLOAD_ACK, 1))

    def false_servers(self):
        """A site must take neither another site nor a server of another host for its server."""
        federation = self.federation
        federation.certs("request", "else", "--role", "server", "--host", "192.0.2.1")
        federation.certs("sign", "else.csr", "--name", "else", "--role", "server", "--host", "192.0.2.1")
        for certificate, why in (("eve", "its role is site"), ("else", "it is for 192.0.2.1, and not for 127.0.0.1"),
                                 ("own", "the federation's CA has not signed it")):
            with self.subTest(certificate):
                server = FalseServer(federation.folder, certificate)
                done = self.convoy("join", "--site", "site001", "--state", "false-state", port=server.port)
                server.listener.close()
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn("the server's certificate is refused", done.stderr)
                self.assertIn(why, done.stderr)
                self.assertGreater(server.dialled, 0)
                self.assertEqual(server.heard, b"")

    def attack(self):
        """One after the other, while some that are slow hang about all the time."""
        federation = self.federation
        slow = {"no message within 10000ms of the handshake": Dawdler(federation, False),
                "a frame of which less than 65536 bytes came in 30000ms": Dawdler(federation, True)}
        silent = [socket.create_connection((federation.host, federation.port), timeout=90, source_address=source)
                  for source in SILENT]
        federation.sites[TAKEN].kill()
        for attack in (self.bad_frames, self.a_frame_that_is_cut_off, self.garbage_before_the_handshake,
                       self.wrong_certificates, self.other_names_and_roles, self.own_programs_with_other_roles,
                       self.one_site_too_many, self.resumption, self.bad_updates, self.false_servers):
            with self.subTest(attack.__name__):
                attack()
                self.goes_on()
        for one in silent:
            with self.subTest("silent"), one:
                address = "{}:{}".format(*one.getsockname())
                while one.recv(1000):
                    pass
                self.said(address + ": refused: handshake: it was not over within 10000ms")
        for why, one in slow.items():
            with self.subTest(why), one.peer:
                one.thread.join(90)
                self.assertTrue(one.is_cut)
                self.said(one.peer.address + " (eve): " + why)
        self.goes_on()

    def test_a_living_server(self):
        with Federation(CONVOY, 4, federation="updates = 100000", liveness=20.0,
                        sites="max_update_norm = 1e6") as federation:
            self.federation = federation
            self.make_members()
            federation.serve()
            federation.join_all()
            self.assertTrue(wait_until(lambda: federation.updates() >= 8), federation.logs())
            self.attack()
            federation.join(TAKEN)  # with its own program again
            contributions = lambda: sum(1 for record in federation.audit()
                                        if record["event"] == "contribution" and record["site"] == TAKEN)
            before = contributions()
            self.assertTrue(wait_until(lambda: contributions() > before, 60), federation.logs())
            self.assertEqual(federation.operator("operate", "finish").returncode, 0, federation.logs())
            self.check_end(federation)
            refused = [(record["site"], record["update"]) for record in federation.audit()
                       if record["event"] == "refusal" and record["text"] != "the federation has ended"]
            self.assertEqual(refused[:6], self.refused)
            self.assertFalse([site for site, _ in refused[6:] if site == TAKEN])

    def test_a_script_that_the_policy_does_not_list(self):
        with Federation(CONVOY, 3, federation="updates = 100000", sites="join_timeout = 5\nmin_clients = 2") as federation:
            script = federation.folder / "net.pt"
            subprocess.run([SAVE_SCRIPT, script], check=True)
            listed = federation.folder / "listed.toml"
            listed.write_text(f'[models]\ntorchscript_sha256 = ["{hashlib.sha256(script.read_bytes()).hexdigest()}"]\n')
            other = federation.folder / "other.toml"
            other.write_text(f'[models]\ntorchscript_sha256 = ["{"0" * 64}"]\n')
            federation.serve("--set", f"model.torchscript={script}")
            federation.join("site000", "--policy", str(listed))
            federation.join("site001", "--policy", str(listed))
            self.assertTrue(wait_until(lambda: federation.updates() >= 4), federation.logs())
            for more in ([], ["--policy", str(other)]):
                site = federation.join("site002", *more)
                self.assertEqual(site.wait(60), 2, site.text())
                self.assertIn("TorchScript", site.text())
                self.assertFalse(any((federation.folder / "state" / "site002").glob("*.torchscript")))
            self.federation = federation
            self.said("site002 at 127.0.0.1:", "refuses: site policy")
            before = federation.updates()
            self.assertTrue(wait_until(lambda: federation.updates() >= before + 4), federation.logs())
            self.assertEqual(federation.operator("operate", "finish").returncode, 0, federation.logs())
            self.check_end(federation, ["site000", "site001"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
