"""Define requests, responses, failures and limits of HTTP fetches."""

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
"""Why a fetch failed. "refused": the connection was refused; "private": the address is not public; "gone": status 410;
"protocol": the response is not valid HTTP; "reset": the connection broke or the body is shorter than declared; "late": the
run had no time left to send the request."""

Connect = Callable[[str, int], "Awaitable[socket.socket]"]
"""Open a connected, non-blocking socket to an address (never a name) and port, or raise OSError."""

Resolve = Callable[[str], Awaitable[tuple[str, ...]]]
"""Return the addresses of a host name, or raise OSError."""

USER_AGENT = f"feedtool/{__version__} (+https://github.com/feedtool/feedtool)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An address to fetch. `etag` and `last_modified` belong to the copy at hand; the outcome repeats `key`.

    `headers` and a name and password in `url` are sent only to the address's own host, never to a redirect's target.
    `home` is the address in the settings that led to a stranger's `url`, such as an entry's page; "" if there is none.
    None means that `url` itself is from the settings.
    """

    url: str
    etag: str | None = None
    last_modified: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    key: str = ""
    home: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A response: status 200 with a body, or 304 (not modified) without one.

    `url` is the final address, without name and password. `permanent_url` equals it if there were redirects and all of
    them were permanent (301, 308), and is None otherwise. `max_age` is how many seconds the response stays fresh
    (RFC 9111 section 4.2), None if unknown. `wire_bytes` is the size of the body as received, still compressed.
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
    """The reason why a request has no response; `url` is the requested address.

    `url` and `message` never contain a password, a header's value or a query's value.
    `retry_after` is how many seconds the server asks to wait (RFC 9110 section 10.2.3), 0 to 7 days.
    `unknown_host` is the host of `url` if the resolver says that the name does not exist; "" for other failures.
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
    """The limits of a fetch, in seconds and bytes. `timeout` covers everything, from the DNS query to the last byte.

    `max_bytes` bounds the body both as received and decompressed. `per_host` counts by host name. Only hosts in
    `allow_private_hosts` (exact names) may have addresses that are not public, and no redirect or link of another host may
    lead to them.
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
    """The reason why a fetch cannot continue; it becomes a `Failure`. `again` means that one more attempt may succeed."""

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
