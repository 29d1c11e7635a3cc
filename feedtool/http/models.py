"""What goes into a fetch and what comes out: frozen values, and the refusal that becomes a failure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from feedtool import __version__

if TYPE_CHECKING:
    import socket

Kind = Literal[
    "timeout",
    "dns",
    "refused",
    "private",
    "tls",
    "status",
    "gone",
    "too-large",
    "encoding",
    "redirect",
    "protocol",
    "reset",
    "late",
    "other",
]
"""Why a fetch failed. "refused": nobody listens there; "private": the guard forbids the address; "gone": status 410;
"protocol": what came is no HTTP; "reset": the connection broke or the body is shorter than promised; "late": nobody asked,
since the run had no time left."""

Connect = Callable[[str, int], "Awaitable[socket.socket]"]
"""Opens a connected, non-blocking socket to an address (never a name) and port; raises OSError."""

Resolve = Callable[[str], Awaitable[tuple[str, ...]]]
"""Returns the addresses of a host name; raises OSError."""

USER_AGENT = f"feedtool/{__version__} (+https://github.com/feedtool/feedtool)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One address to fetch. `etag` and `last_modified` are those of the copy at hand; `key` is given back.

    `headers` and a name and password in `url` go to the address's own host alone, never where it redirects to.
    `home` is the address that a person gave where `url` is a stranger's, such as an entry's page; "" where there is none.
    """

    url: str
    etag: str | None = None
    last_modified: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    key: str = ""
    home: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer: status 200 with a body, or 304 (not modified) without one.

    `url` is the final address, without name and password. `permanent_url` is it as well when there were redirects and
    every one of them was permanent (301, 308). `max_age` is how many seconds the answer stays fresh (RFC 9111
    section 4.2), None when not said. `wire_bytes` counts the body as it came, still compressed.
    """

    key: str
    url: str
    status: int
    body: bytes
    content_type: str = ""
    etag: str | None = None
    last_modified: str | None = None
    max_age: int | None = None
    permanent_url: str | None = None
    seconds: float = 0.0
    wire_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why there is no answer; `url` is the address that was asked for.

    Neither it nor `message` ever holds a password, the value of a header or of a query.
    `retry_after` is how many seconds the server wants to be left alone (RFC 9110 section 10.2.3), 0 to 7 days.
    `unknown_host` is the host of `url` where the resolver says that there is no such name; "" where it only failed.
    """

    key: str
    url: str
    kind: Kind
    message: str
    hint: str = ""
    status: int | None = None
    retry_after: int | None = None
    seconds: float = 0.0
    unknown_host: str = ""

    def __str__(self) -> str:
        text = f"{self.url}: {self.message}"
        return f"{text}; {self.hint}" if self.hint else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a fetch may cost. Seconds and bytes; `timeout` is over everything, from the name to the last byte.

    `max_bytes` bounds the body both as it comes and decompressed. `per_host` counts by host name. Only hosts in
    `allow_private_hosts` (exact names) may have addresses that are not public, and no stranger leads there.
    """

    timeout: float = 30.0
    connect: float = 10.0
    concurrency: int = 32
    per_host: int = 2
    max_bytes: int = 10_000_000
    max_redirects: int = 5
    user_agent: str = USER_AGENT
    allow_private_hosts: tuple[str, ...] = ()
    retry_pause: float = 1.0


class RefusalError(Exception):
    """A fetch can't go on: what becomes a `Failure`. `again` says that one more try may help."""

    def __init__(
        self,
        kind: Kind,
        message: str,
        hint: str = "",
        *,
        status: int | None = None,
        retry_after: int | None = None,
        again: bool = False,
        unknown_host: str = "",
    ) -> None:
        super().__init__(message)
        self.kind: Kind = kind
        self.message = message
        self.hint = hint
        self.status = status
        self.retry_after = retry_after
        self.again = again
        self.unknown_host = unknown_host
