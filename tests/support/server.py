"""An HTTP server on loopback, in a process of its own, that behaves as a good or a bad server.

    with serve({"/feed.xml": page(b"<rss/>", etag="auto"), "/old": redirect("/feed.xml", 301)}) as server:
        ...server.url("/feed.xml"); server.log[0].headers["if-none-match"]; server.set("/feed.xml", b"<rss>2</rss>")

A route is a path, or a host and a path ("a.example/feed.xml"), which takes precedence. A route that ends in "/" applies
to every path below it. A behaviour is plain data that the functions of `behaviours` return; bytes or str stand for
`page(...)`. Every answer is limited in bytes and in time, and the server ends when the process that started it ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from tests.support.behaviours import (
    Behaviour,
    always_304,
    as_behaviour,
    bomb,
    chunk_flood,
    drip,
    endless_1xx,
    endless_body,
    endless_headers,
    folder,
    hang,
    hang_midway,
    huge_header,
    page,
    raw,
    redirect,
    repeat,
    reset,
    reset_midway,
    sequence,
    status,
    wrong_length,
)

__all__ = [
    "Behaviour",
    "LoggedRequest",
    "Server",
    "always_304",
    "bomb",
    "chunk_flood",
    "drip",
    "endless_1xx",
    "endless_body",
    "endless_headers",
    "folder",
    "hang",
    "hang_midway",
    "huge_header",
    "page",
    "raw",
    "redirect",
    "repeat",
    "reset",
    "reset_midway",
    "sequence",
    "serve",
    "status",
    "wrong_length",
]

PROCESS = Path(__file__).with_name("serverprocess.py")


@dataclass(frozen=True, kw_only=True)
class LoggedRequest:
    """A logged request.

    Names in `headers` are in lower case; times are seconds of the server's clock.
    """

    method: str
    path: str
    headers: dict[str, str]
    connection: int
    started: float
    ended: float | None

    @property
    def host(self) -> str:
        """Return the Host header without its port."""
        return self.headers.get("host", "").rpartition(":")[0]


class Server:
    """The running server: its address, its log of requests and its routes."""

    def __init__(self, commands: BinaryIO, answers: BinaryIO, certificate: Path | None) -> None:
        self._commands = commands
        self._answers = answers
        self.port: int = take(answers)
        self.certificate = certificate

    def url(self, path: str = "/", *, host: str = "127.0.0.1") -> str:
        """Return the absolute address of `path`."""
        return f"{'https' if self.certificate else 'http'}://{host}:{self.port}{path}"

    def set(self, path: str, behaviour: Behaviour | bytes | str, **options: Any) -> None:
        """Set the behaviour of a path; options are those of `page` if a body is given."""
        self._ask("set", {path: as_behaviour(behaviour, **options)})

    def remove(self, path: str) -> None:
        """Answer 404 for a path from now on."""
        self._ask("remove", path)

    @property
    def log(self) -> list[LoggedRequest]:
        """Return all requests so far, in the order of their arrival."""
        return [LoggedRequest(**each) for each in self._ask("log", None)]

    def clear(self) -> None:
        """Delete the logged requests."""
        self._ask("clear", None)

    def _ask(self, verb: str, value: object) -> Any:
        put(self._commands, (verb, value))
        return take(self._answers)


@contextlib.contextmanager
def serve(
    routes: Mapping[str, Behaviour | bytes | str] | None = None,
    *,
    tls: bool | Iterable[str] = False,
    expired: bool = False,
    lifetime: int = 300,
) -> Iterator[Server]:
    """Run a server with these routes until the block ends.

    `tls` makes a self-signed certificate, for these names too; `expired` makes one that expired yesterday.
    """
    with tempfile.TemporaryDirectory() as scratch:
        names = () if isinstance(tls, bool) else tuple(tls)
        certificate = _certificate(Path(scratch), names, expired=expired) if tls else None
        starter = _starter()
        their_commands, our_commands = os.pipe()
        our_answers, their_answers = os.pipe()
        with open(our_commands, "wb") as commands, open(our_answers, "rb") as answers:
            try:
                pid = starter.ask([0, lifetime, str(certificate or "")], [their_commands, their_answers])
            finally:
                os.close(their_commands)
                os.close(their_answers)
            try:
                server = Server(commands, answers, certificate)
                server._ask("set", {path: as_behaviour(each) for path, each in (routes or {}).items()})
                yield server
            finally:
                starter.ask([pid, 0, ""], [])


class _Starter:
    """The process that forks the servers."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self._end = ours
        self._answers = ours.makefile("rb")
        self._lock = threading.Lock()
        with theirs:
            command = [sys.executable, "-I", str(PROCESS), str(theirs.fileno())]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])

    def ask(self, request: list[int | str], streams: list[int]) -> int:
        """Start a server with these ends of its pipes, or end the one whose pid is given; return its pid."""
        with self._lock:
            socket.send_fds(self._end, [json.dumps(request).encode()], streams)
            return int(self._answers.readline())


@cache
def _starter() -> _Starter:
    return _Starter()


def _certificate(place: Path, names: tuple[str, ...], *, expired: bool = False) -> Path:
    """Make a self-signed certificate and its key in one file, for localhost, 127.0.0.1 and `names`."""
    file, key, request, signed = (place / name for name in ("server.pem", "key.pem", "request.pem", "cert.pem"))
    hosts = ",".join(["DNS:localhost", "IP:127.0.0.1", *(f"DNS:{name}" for name in names)])
    ask = [
        "openssl",
        "req",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-subj",
        "/CN=localhost",
    ]
    ask += ["-addext", f"subjectAltName={hosts}", "-keyout", str(key)]
    _quietly(*ask, "-x509", "-days", "2", "-out", str(signed))
    if expired:  # `req -x509` accepts no days in the past
        _quietly(*ask, "-new", "-addext", "basicConstraints=critical,CA:TRUE", "-out", str(request))
        sign = ["openssl", "x509", "-req", "-days", "-1", "-copy_extensions", "copy"]
        _quietly(*sign, "-in", str(request), "-signkey", str(key), "-out", str(signed))
    file.write_bytes(key.read_bytes() + signed.read_bytes())
    return file


def _quietly(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)


def put(stream: BinaryIO | Any, value: object) -> None:
    """Send a value to the other process."""
    data = pickle.dumps(value)
    stream.write(struct.pack("!I", len(data)) + data)
    stream.flush()


def take(stream: BinaryIO | Any) -> Any:
    """Return the value that the other process sent.

    Raises EOFError when that process has ended.
    """
    head = stream.read(4)
    if len(head) < 4:
        raise EOFError("the test server has ended")
    return pickle.loads(stream.read(struct.unpack("!I", head)[0]))
