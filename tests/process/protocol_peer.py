# SPDX-License-Identifier: Apache-2.0
"""Speaks the protocol of docs/protocol.md as a peer that need not keep to it: bytes of its own making over TLS."""
import ctypes
import hashlib
import socket
import ssl
import struct

HELLO, WELCOME, REFUSAL, GOODBYE, ACCEPTED, JOIN, JOB_OFFER, DISPATCH, PROGRESS = 1, 2, 3, 4, 5, 16, 17, 18, 19
UPLOAD_BEGIN, UPLOAD_ACK, MODEL_BEGIN, STREAM_OFFSET, CHUNK, STREAM_END = range(32, 38)
STATUS_REQUEST, STATUS, COMMAND = 48, 49, 50
SITE, OPERATOR = 2, 3

HEADER = struct.Struct("<4sHHQQIQI")
MAGIC = b"CVY\x01"

xxhash = ctypes.CDLL("libxxhash.so.0")  # convoy itself needs it
xxhash.XXH3_64bits.restype = ctypes.c_uint64
xxhash.XXH3_64bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]


def hash64(data):
    return xxhash.XXH3_64bits(data, len(data))


def frame(kind, number, body=b"", answers=0, claimed=None):
    """@param claimed  the length that the header says; None: the true one"""
    length = len(body) if claimed is None else claimed
    head = HEADER.pack(MAGIC, kind, 0, number, answers, length, hash64(body), 0)[:36]
    return head + struct.pack("<I", hash64(head) & 0xFFFFFFFF) + body


class Fixed(int):
    """A fixed64 of Protobuf."""


def varint(value):
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def message(**fields):
    """Protobuf: `_3=value` is field 3. Text, bytes, int, bool, float and Fixed."""
    out = b""
    for key, value in fields.items():
        number = int(key[1:]) << 3
        if isinstance(value, str):
            value = value.encode()
        if isinstance(value, bytes):
            out += varint(number | 2) + varint(len(value)) + value
        elif isinstance(value, Fixed):
            out += varint(number | 1) + struct.pack("<Q", value)
        elif isinstance(value, float):
            out += varint(number | 1) + struct.pack("<d", value)
        else:
            out += varint(number) + varint(int(value))
    return out


def fields_of(body):
    """Protobuf's fields by number: int (also of 8 bytes) or bytes; those that are missing are 0."""
    found = Fields()
    at = 0

    def read_varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = body[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(body):
        key = read_varint()
        if key & 7 == 0:
            found[key >> 3] = read_varint()
            continue
        length = 8 if key & 7 == 1 else read_varint()
        part = body[at:at + length]
        at += length
        found[key >> 3] = int.from_bytes(part, "little") if key & 7 == 1 else part
    return found


class Fields(dict):
    def __missing__(self, _):
        return 0


class Ended(Exception):
    """The other end has closed the connection."""


def schema_hash(features=32, classes=10):
    """Of `synthetic` data."""
    numbers = [1, features, classes]
    words = ["synthetic", "classify", "float32", *map(str, numbers), "", "0", "0"]
    return Fixed(hash64("".join(f"{len(word)}:{word}" for word in words).encode()))


def tls_context(folder, certificate):
    """@param certificate  name of CERTIFICATE.crt and .key in `folder`; None: none is shown"""
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    context.check_hostname = False
    if certificate is not None:
        context.load_cert_chain(str(folder / f"{certificate}.crt"), str(folder / f"{certificate}.key"))
    return context


class Peer:
    """A connection to a server, its TLS handshake over. `with` closes it."""

    def __init__(self, federation, certificate, session=None, context=None):
        raw = socket.create_connection((federation.host, federation.port), timeout=60)
        self.address = "{}:{}".format(*raw.getsockname())
        context = context or tls_context(federation.folder, certificate)
        try:
            self.tls = context.wrap_socket(raw, session=session)
        except OSError:
            raw.close()
            raise
        self.name = certificate
        self.number = 0
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tls.close()

    def next_frame(self, kind, body=b"", answers=0, claimed=None):
        self.number += 1
        return frame(kind, self.number, body, answers, claimed)

    def send(self, kind, body=b"", answers=0):
        """@return its request id"""
        self.tls.sendall(self.next_frame(kind, body, answers))
        return self.number

    def receive(self, count):
        while len(self.buffer) < count:
            try:
                more = self.tls.recv(1 << 16)
            except ConnectionError:
                more = b""
            if not more:
                raise Ended
            self.buffer += more
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def read(self):
        """(type, request id, body). @throws Ended, and ssl.SSLError where TLS ends with an alert."""
        _, kind, _, number, _, length, _, _ = HEADER.unpack(self.receive(HEADER.size))
        return kind, number, self.receive(length)

    def expect(self, *kinds):
        """The next frame of these types; others are passed over."""
        while True:
            got = self.read()
            if got[0] in kinds:
                return got

    def read_to_end(self):
        """The types of all that still comes, and the last refusal."""
        kinds, refusal = [], Fields()
        try:
            while True:
                kind, _, body = self.read()
                kinds.append(kind)
                if kind == REFUSAL:
                    refusal = fields_of(body)
        except Ended:
            return kinds, refusal

    def hello(self, name=None, party=SITE):
        return message(_1=1, _2=1, _3=party, _4=name or self.name, _5="hostile", _7="none")

    def greet(self, **more):
        self.send(HELLO, self.hello(**more))
        self.expect(WELCOME)
        return self


class Guest(Peer):
    """A peer that takes part as a site."""

    def join(self):
        """Gets its round and the model that it starts from. @return why it may not; None: it has joined."""
        self.greet()
        self.send(JOIN, message(_1=100, _2=schema_hash(), _3=1, _4=1))
        kind, _, body = self.expect(JOB_OFFER, REFUSAL)
        if kind == REFUSAL:
            return fields_of(body)[2].decode()
        self.round = fields_of(self.expect(DISPATCH)[2])
        _, stream, body = self.expect(MODEL_BEGIN)
        size = fields_of(body)[5]
        self.send(STREAM_OFFSET, message(_1=stream, _2=0, _3=size), stream)
        self.model = b""
        while len(self.model) < size:
            self.model += self.expect(CHUNK)[2][16:]
        self.expect(STREAM_END)
        return None

    def begin_upload(self, update, stream, **changes):
        fields = {"_1": update, "_2": hashlib.sha256(stream).digest(), "_3": len(stream), "_4": self.round[1],
                  "_5": self.round[2], "_6": self.round[4], "_7": 100, "_8": self.round[7] + self.round[4],
                  "_9": 0.1, "_11": True, **changes}
        number = self.send(UPLOAD_BEGIN, message(**fields))
        kind, _, body = self.expect(STREAM_OFFSET, UPLOAD_ACK, REFUSAL)
        return number, kind, fields_of(body)

    def upload(self, update, stream, **changes):
        """The answer to UploadBegin, or where that lets the stream through the one to its end: (type, fields)."""
        number, kind, answer = self.begin_upload(update, stream, **changes)
        if kind != STREAM_OFFSET:
            return kind, answer
        for at in range(0, len(stream), 1 << 20):
            self.send(CHUNK, struct.pack("<QQ", number, at) + stream[at:at + (1 << 20)])
        self.send(STREAM_END, message(_1=number, _2=hashlib.sha256(stream).digest()))
        kind, _, body = self.expect(UPLOAD_ACK, REFUSAL)
        return kind, fields_of(body)


def elements_at(stream):
    """Where in a stream of tensors the first element is."""
    return struct.unpack_from("<I", stream, 4)[0]
