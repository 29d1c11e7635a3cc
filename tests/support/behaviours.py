"""Behaviours of the test server as plain data: one function for each behaviour, well-behaved servers first."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

Behaviour = tuple[str, dict[str, Any]]
Headers = Iterable[tuple[str, str]]


def page(
    body: bytes | str = b"",
    *,
    status: int = 200,
    type: str = "application/xml",
    headers: Headers = (),
    etag: str | None = None,
    modified: str | None = None,
    coding: str = "",
    chunked: bool = False,
    close: bool = False,
    delay: float = 0.0,
    obey: bool = True,
) -> Behaviour:
    """Return a behaviour that answers with `body`.

    `etag` "auto" is made from the body. The server answers 304 if If-None-Match or If-Modified-Since matches. `coding`
    compresses the body (gzip, deflate, raw-deflate, br, zstd). With `obey` False the server never answers 304, although
    it sends an ETag.
    """
    data = body.encode() if isinstance(body, str) else body
    fields = {
        "body": data,
        "status": status,
        "type": type,
        "headers": list(headers),
        "etag": etag,
        "modified": modified,
    }
    connection = {"coding": coding, "chunked": chunked, "close": close, "delay": delay, "obey": obey}
    return ("page", fields | connection)


def status(code: int, *, headers: Headers = (), body: bytes | str = b"") -> Behaviour:
    """Return a behaviour that answers with a status, such as `status(429, headers=[("Retry-After", "120")])`."""
    return page(body, status=code, type="text/plain", headers=headers)


def redirect(to: str, code: int = 302, *, body: bytes | str = b"moved") -> Behaviour:
    """Return a redirect. `to` is sent unchanged, so it may be relative, empty, "file:///etc/passwd" or worse."""
    return page(body, status=code, type="text/html", headers=[("Location", to)])


def always_304() -> Behaviour:
    """Return a behaviour that answers 304 to every request."""
    return page(b"", status=304)


def folder(path: str | Path, *, etags: bool = True) -> Behaviour:
    """Return a behaviour that serves the files below `path` with their types, ETags of their bytes and Last-Modified."""
    return ("folder", {"path": str(path), "etags": etags})


def sequence(*behaviours: Behaviour | bytes | str) -> Behaviour:
    """Return a behaviour that answers one request after the other with the next of `behaviours`; the last one is repeated."""
    return ("sequence", {"steps": [as_behaviour(each) for each in behaviours], "at": 0})


def raw(data: bytes, *, then: str = "close") -> Behaviour:
    """Return a behaviour that sends these bytes unchanged (garbage, smuggled lengths); `then` is close, reset or hang."""
    return ("raw", {"data": data, "then": then})


def hang() -> Behaviour:
    """Return a behaviour that never answers."""
    return raw(b"", then="hang")


def reset() -> Behaviour:
    """Return a behaviour that resets the connection instead of answering."""
    return raw(b"", then="reset")


def reset_midway(body: bytes, length: int) -> Behaviour:
    """Return a behaviour that announces `length` bytes, sends `body` and resets the connection."""
    return raw(head(200, [("Content-Length", str(length)), ("Content-Type", "application/xml")]) + body, then="reset")


def wrong_length(body: bytes, length: int, *, coding: str = "") -> Behaviour:
    """Return a behaviour that announces `length` bytes, sends `body`, which is shorter or longer, and closes."""
    more = [("Content-Encoding", coding)] if coding else []
    return raw(head(200, [("Content-Length", str(length)), ("Content-Type", "application/xml"), *more]) + body)


def hang_midway(body: bytes = b"<rss>", length: int = 1000) -> Behaviour:
    """Return a behaviour that sends the head and part of the body, then nothing."""
    return raw(head(200, [("Content-Length", str(length)), ("Content-Type", "application/xml")]) + body, then="hang")


def drip(data: bytes = b"", *, every: float = 0.05, head: bool = True) -> Behaviour:
    """Return a behaviour that sends `data`, and then spaces without end, byte by byte.

    With `head` False the bytes are the head of the response.
    """
    return ("drip", {"data": data, "every": every, "head": head})


def repeat(first: bytes, block: bytes, *, every: float = 0.0) -> Behaviour:
    """Return a behaviour that sends `first`, and then `block` without end.

    Blocks are sent as fast as the client reads them, or one each `every` seconds.
    """
    return ("repeat", {"first": first, "block": block, "every": every})


def endless_1xx(*, code: int = 102, every: float = 0.02) -> Behaviour:
    """Return a behaviour that sends interim responses (RFC 9110 section 15.2) without end."""
    return ("repeat", {"first": b"", "block": f"HTTP/1.1 {code} Wait\r\n\r\n".encode(), "every": every})


def endless_body(*, chunked: bool = False) -> Behaviour:
    """Return a behaviour that sends an endless body as fast as the client reads it."""
    text = b"<!-- endless -->" * 4096
    block = b"%x\r\n%b\r\n" % (len(text), text) if chunked else text
    how = [("Transfer-Encoding", "chunked")] if chunked else [("Connection", "close")]
    return ("repeat", {"first": head(200, [*how, ("Content-Type", "application/xml")]), "block": block, "every": 0.0})


def chunk_flood() -> Behaviour:
    """Return a behaviour that sends endless chunks of one byte with extensions of a thousand (RFC 9112 section 7.1.1)."""
    first = head(200, [("Transfer-Encoding", "chunked"), ("Content-Type", "application/xml")])
    return ("repeat", {"first": first, "block": (b"1;" + b"x" * 1000 + b"\r\na\r\n") * 64, "every": 0.0})


def endless_headers() -> Behaviour:
    """Return a behaviour that sends endless header fields as fast as the client reads them."""
    return ("repeat", {"first": b"HTTP/1.1 200 OK\r\n", "block": b"X-More: " + b"x" * 100 + b"\r\n", "every": 0.0})


def huge_header(size: int = 1_000_000) -> Behaviour:
    """Return a behaviour that sends one header field of `size` bytes."""
    return raw(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Huge: " + b"x" * size + b"\r\n\r\n")


def bomb(coding: str = "gzip", *, header: str | None = None) -> Behaviour:
    """Return a behaviour that sends 10 GB of zeros, compressed as gzip, deflate, br, zstd or gzip-in-gzip.

    `header` is the declared Content-Encoding.
    """
    return ("bomb", {"coding": coding, "header": header or {"gzip-in-gzip": "gzip, gzip"}.get(coding, coding)})


def as_behaviour(value: Behaviour | bytes | str, **options: Any) -> Behaviour:
    """Return the value of a route as a behaviour: bytes and str become pages."""
    return page(value, **options) if isinstance(value, bytes | str) else value


def head(code: int, headers: Headers) -> bytes:
    """Return a status line and header fields."""
    lines = [f"HTTP/1.1 {code} Status", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")
