"""A fake network for tests: it records every address that is asked for and opens sockets to loopback only.

The module also has the servers behind it, one of them with TLS, and short functions that fetch from them.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from feedtool.http import Failure, Limits, Request, Response, fetch
from tests.support.server import Behaviour, Server, serve

PUBLIC = "93.184.215.14"
LIMITS = Limits(timeout=1.5, connect=1.0, retry_pause=0.02, concurrency=16)
BODY = b"<rss><channel><title>\xe4\xb8\xad</title></channel></rss>" * 40


class Fence:
    """A replacement for the network: `connect` and `resolve` of `feedtool.http`.

    Ports 80 and 443 of every address lead to the given test servers; other ports are closed. Names that end in
    ".example" have a public address, and `names` gives the addresses of other names. A name with several lists of
    addresses gets the next list at each lookup.
    """

    def __init__(self, http: int, https: int = 0, names: Mapping[str, list[tuple[str, ...]]] | None = None) -> None:
        self.ports = {80: http, 443: https, http: http, https: https}
        self.names = {name: list(answers) for name, answers in (names or {}).items()}
        self.connected: list[tuple[str, int]] = []
        self.resolved: list[str] = []

    async def connect(self, address: str, port: int) -> socket.socket:
        """Record the address, and open a socket to the test server instead."""
        self.connected.append((address, port))
        if not self.ports.get(port):
            raise ConnectionRefusedError(111, "Connection refused")
        opened = socket.socket()
        opened.setblocking(False)
        await asyncio.get_running_loop().sock_connect(opened, ("127.0.0.1", self.ports[port]))
        return opened

    async def resolve(self, host: str) -> tuple[str, ...]:
        """Record the host and return its invented addresses."""
        self.resolved.append(host)
        if host in self.names:
            return self.names[host].pop(0) if len(self.names[host]) > 1 else self.names[host][0]
        if host.endswith(".example"):
            return (PUBLIC,)
        raise OSError(-2, "Name or service not known")


@dataclass
class Net:
    """The servers, and functions that fetch from them through a fence."""

    http: Server
    https: Server

    def fence(self, **names: list[tuple[str, ...]]) -> Fence:
        return Fence(self.http.port, self.https.port, {name.replace("_", "."): each for name, each in names.items()})

    def all(self, requests: list[Request], *, fence: Fence | None = None, **limits: Any) -> list[Response | Failure]:
        gate = fence or self.fence()
        now = datetime(2026, 11, 23, 19, tzinfo=UTC)
        applied = replace(LIMITS, **limits)
        return list(fetch(requests, applied, connect=gate.connect, resolve=gate.resolve, now=lambda: now))

    def one(self, url: str, *, fence: Fence | None = None, limits: dict[str, Any] | None = None, **request: Any) -> Any:
        (outcome,) = self.all([Request(url=url, **request)], fence=fence, **(limits or {}))
        return outcome


@contextlib.contextmanager
def network(routes: Mapping[str, Behaviour | bytes]) -> Iterator[Net]:
    """Run the servers; the https server is a.example and secure.example.

    A call of the system's resolver fails the test, and so does a use of the proxy in the environment.
    """

    def forbidden(*_: object, **__: object) -> None:
        pytest.fail("the test called the resolver of the system")

    names = ("secure.example", "a.example")
    plain = {"/ok": BODY, **routes}
    with serve(plain) as http, serve({"/": BODY}, tls=names) as https, pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", forbidden)
        patch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        patch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
        patch.setenv("SSL_CERT_FILE", str(https.certificate))
        yield Net(http, https)


def failure_text(outcome: Response | Failure) -> str:
    """Return a failure as "kind status: message [retry_after]"."""
    assert isinstance(outcome, Failure), outcome
    code = f" {outcome.status}" if outcome.status else ""
    wait = f" [{outcome.retry_after}]" if outcome.retry_after is not None else ""
    return f"{outcome.kind}{code}: {outcome.message}{wait}"
