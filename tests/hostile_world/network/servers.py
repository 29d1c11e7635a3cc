"""Run test servers, including some that fail before HTTP, and `feedtool` processes that can reach nothing else."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.hostile_world.network.fenced import PUBLIC
from tests.support.server import Behaviour, Server, serve
from tests.support.site import ROOT, environment

ALERT = bytes.fromhex("15030300020228")
"""A TLS alert: handshake failure (RFC 8446 section 6)."""


def _hang(peer: socket.socket) -> None:
    peer.recv(1)
    threading.Event().wait(30)


def _answer(data: bytes) -> Callable[[socket.socket], None]:
    def act(peer: socket.socket) -> None:
        peer.recv(1 << 16)
        peer.sendall(data)

    return act


def _reset(peer: socket.socket) -> None:
    peer.recv(1)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


MANNERS: dict[str, Callable[[socket.socket], None]] = {
    "tls-hangs": _hang,
    "tls-closes": _answer(b""),
    "tls-resets": _reset,
    "tls-garbage": _answer(bytes(range(256)) * 4),
    "tls-alert": _answer(ALERT),
    "tls-plain": _answer(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
}
"""The behaviour of a server that should speak TLS, by the first label of its host name."""


@dataclass(kw_only=True)
class World:
    """The servers, and the settings of a fenced process that reaches them."""

    http: Server
    https: Server
    log: Path
    ports: dict[str, int]
    names: dict[str, list[str]] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    def command(self, *args: str) -> tuple[list[str], dict[str, str]]:
        """Return the command line and the environment of a fenced `feedtool`."""
        fence = json.dumps({"names": self.names, "ports": self.ports, "log": str(self.log)})
        words = [sys.executable, "-m", "tests.hostile_world.network.fenced", *args]
        return words, environment({**self.environment, "FENCE": fence})

    def run(self, *args: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a fenced `feedtool` to its end."""
        words, surroundings = self.command(*args)
        return subprocess.run(
            words,
            capture_output=True,
            text=True,
            env={**surroundings, **(env or {})},
            cwd=ROOT,
            timeout=240,
            check=False,
        )

    def notes(self) -> list[str]:
        """Return the resolved and connected addresses, and clear the log."""
        lines = self.log.read_text("utf-8").splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return lines


@contextlib.contextmanager
def world(
    scratch: Path, routes: Mapping[str, Behaviour | bytes], trusted: Iterable[str] = ("secure.example",)
) -> Iterator[World]:
    """Run servers with these routes behind every port 80 and 443, and those of `MANNERS` at their own addresses.

    The certificate of the https server is for `trusted` names. The environment names proxies that do not exist.
    """
    with contextlib.ExitStack() as stack:
        http = stack.enter_context(serve(routes))
        https = stack.enter_context(serve(routes, tls=tuple(trusted)))
        ports = {f"{PUBLIC}:80": http.port, f"{PUBLIC}:443": https.port}
        names: dict[str, list[str]] = {}
        certificates = [https.certificate]
        for number, expired in enumerate((False, True), 20):
            name = "expired" if expired else "stranger"
            other = stack.enter_context(serve(routes, tls=(f"{name}.example",), expired=expired))
            names[f"{name}.example"] = [address := f"93.184.216.{number}"]
            ports[f"{address}:443"] = other.port
            certificates += [other.certificate] if expired else []
        for number, (name, manner) in enumerate(MANNERS.items(), 30):
            names[f"{name}.example"] = [address := f"93.184.216.{number}"]
            ports[f"{address}:443"] = stack.enter_context(listening(manner))
        bundle = scratch / "trusted.pem"
        bundle.write_bytes(b"".join(one.read_bytes() for one in certificates if one))
        deaf = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"), "http://127.0.0.1:1")
        netrc = scratch / "netrc"
        netrc.write_text("default login ann password of-the-netrc\n")
        surroundings = {**deaf, "SSL_CERT_FILE": str(bundle), "NETRC": str(netrc)}
        log = scratch / f"fence-{os.getpid()}.log"
        yield World(http=http, https=https, log=log, ports=ports, names=names, environment=surroundings)


@contextlib.contextmanager
def listening(manner: Callable[[socket.socket], None]) -> Iterator[int]:
    """Serve each connection in this manner in its own thread; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve_one(peer: socket.socket) -> None:
            with peer, contextlib.suppress(OSError):
                peer.settimeout(30)
                manner(peer)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=serve_one, args=(listener.accept()[0],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
