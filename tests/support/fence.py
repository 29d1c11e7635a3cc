"""The fence of network tests: whatever address is asked for is noted, and only sockets to loopback are opened.

Also the servers behind it, one with TLS, and short ways to fetch from them.
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
    """Stands for the network: `connect` and `resolve` of `feedtool.http`.

    Ports 80 and 443 of every address are the test servers given; other ports are closed. Names that end in ".example"
    are at a public address, others where `names` says; a name with several lists of addresses takes the next list
    each time it is asked.
    """

    def __init__(self, http: int, https: int = 0, names: Mapping[str, list[tuple[str, ...]]] | None = None) -> None:
        self.ports = {80: http, 443: https, http: http, https: https}
        self.names = {name: list(answers) for name, answers in (names or {}).items()}
        self.connected: list[tuple[str, int]] = []
        self.resolved: list[str] = []

    async def connect(self, address: str, port: int) -> socket.socket:
        """Note the address, and open a socket to the test server instead."""
        self.connected.append((address, port))
        if not self.ports.get(port):
            raise ConnectionRefusedError(111, "Connection refused")
        opened = socket.socket()
        opened.setblocking(False)
        await asyncio.get_running_loop().sock_connect(opened, ("127.0.0.1", self.ports[port]))
        return opened

    async def resolve(self, host: str) -> tuple[str, ...]:
        """Return made-up addresses."""
        self.resolved.append(host)
        if host in self.names:
            return self.names[host].pop(0) if len(self.names[host]) > 1 else self.names[host][0]
        if host.endswith(".example"):
            return (PUBLIC,)
        raise OSError(-2, "Name or service not known")


@dataclass
class Net:
    """The servers, and fetches through a fence around them."""

    http: Server
    https: Server

    def fence(self, **names: list[tuple[str, ...]]) -> Fence:
        return Fence(self.http.port, self.https.port, {name.replace("_", "."): each for name, each in names.items()})

    def all(self, requests: list[Request], *, fence: Fence | None = None, **limits: Any) -> list[Response | Failure]:
        through = fence or self.fence()
        now = datetime(2026, 11, 23, 19, tzinfo=UTC)
        asked = replace(LIMITS, **limits)
        return list(fetch(requests, asked, connect=through.connect, resolve=through.resolve, now=lambda: now))

    def one(self, url: str, *, fence: Fence | None = None, limits: dict[str, Any] | None = None, **request: Any) -> Any:
        (outcome,) = self.all([Request(url=url, **request)], fence=fence, **(limits or {}))
        return outcome


@contextlib.contextmanager
def network(routes: Mapping[str, Behaviour | bytes]) -> Iterator[Net]:
    """Run the servers, the https one for a.example and secure.example; a forgotten resolver or proxy fails the test."""

    def forbidden(*_: object, **__: object) -> None:
        pytest.fail("the system's resolver was asked")

    names = ("secure.example", "a.example")
    plain = {"/ok": BODY, **routes}
    with serve(plain) as http, serve({"/": BODY}, tls=names) as https, pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", forbidden)
        patch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        patch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
        patch.setenv("SSL_CERT_FILE", str(https.certificate))
        yield Net(http, https)


def words(outcome: Response | Failure) -> str:
    """Return a failure as "kind status: message [retry_after]"."""
    assert isinstance(outcome, Failure), outcome
    code = f" {outcome.status}" if outcome.status else ""
    wait = f" [{outcome.retry_after}]" if outcome.retry_after is not None else ""
    return f"{outcome.kind}{code}: {outcome.message}{wait}"
