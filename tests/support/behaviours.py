"""What the test server can be told to do, as plain data: one function a behaviour, good servers first."""

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
    """Answer with `body`. `etag` "auto" is made from the body; 304 when If-None-Match or If-Modified-Since fits.

    `coding` compresses (gzip, deflate, raw-deflate, br, zstd); `obey` False never answers 304 (an ETag liar).
    """
    data = body.encode() if isinstance(body, str) else body
    given = {"body": data, "status": status, "type": type, "headers": list(headers), "etag": etag, "modified": modified}
    more = {"coding": coding, "chunked": chunked, "close": close, "delay": delay, "obey": obey}
    return ("page", given | more)


def status(code: int, *, headers: Headers = (), body: bytes | str = b"") -> Behaviour:
    """Answer with a status, such as `status(429, headers=[("Retry-After", "120")])`."""
    return page(body, status=code, type="text/plain", headers=headers)


def redirect(to: str, code: int = 302, *, body: bytes | str = b"moved") -> Behaviour:
    """Send elsewhere; `to` goes out as it is, so it may be relative, empty, "file:///etc/passwd" or worse."""
    return page(body, status=code, type="text/html", headers=[("Location", to)])


def always_304() -> Behaviour:
    """Say "not modified" whatever was asked."""
    return page(b"", status=304)


def folder(path: str | Path, *, etags: bool = True) -> Behaviour:
    """Serve the files below `path` with their types, ETags of their bytes and Last-Modified."""
    return ("folder", {"path": str(path), "etags": etags})


def sequence(*behaviours: Behaviour | bytes | str) -> Behaviour:
    """Play one after the other, request by request; the last one stays."""
    return ("sequence", {"steps": [as_behaviour(each) for each in behaviours], "at": 0})


def raw(data: bytes, *, then: str = "close") -> Behaviour:
    """Send these bytes as they are: garbage, smuggled lengths; `then` close, reset or hang."""
    return ("raw", {"data": data, "then": then})


def hang() -> Behaviour:
    """Never answer."""
    return raw(b"", then="hang")


def reset() -> Behaviour:
    """Reset the connection instead of answering."""
    return raw(b"", then="reset")


def reset_midway(body: bytes, length: int) -> Behaviour:
    """Promise `length` bytes, send `body` and reset the connection."""
    return raw(head(200, [("Content-Length", str(length)), ("Content-Type", "application/xml")]) + body, then="reset")


def wrong_length(body: bytes, length: int, *, coding: str = "") -> Behaviour:
    """Promise `length` bytes, send `body` and close: too few or too many."""
    more = [("Content-Encoding", coding)] if coding else []
    return raw(head(200, [("Content-Length", str(length)), ("Content-Type", "application/xml"), *more]) + body)


def hang_midway(body: bytes = b"<rss>", length: int = 1000) -> Behaviour:
    """Send the head and part of the body, then nothing."""
    return raw(head(200, [("Content-Length", str(length)), ("Content-Type", "application/xml")]) + body, then="hang")


def drip(data: bytes = b"", *, every: float = 0.05, head: bool = True) -> Behaviour:
    """Send `data`, and after it spaces without end, byte by byte; with `head` False the bytes are the response's head."""
    return ("drip", {"data": data, "every": every, "head": head})


def repeat(first: bytes, block: bytes, *, every: float = 0.0) -> Behaviour:
    """Send `first`, and after it `block` without end: as fast as it is read, or one `every` so many seconds."""
    return ("repeat", {"first": first, "block": block, "every": every})


def endless_1xx(*, code: int = 102, every: float = 0.02) -> Behaviour:
    """Send interim responses (RFC 9110 section 15.2) without end."""
    return ("repeat", {"first": b"", "block": f"HTTP/1.1 {code} Wait\r\n\r\n".encode(), "every": every})


def endless_body(*, chunked: bool = False) -> Behaviour:
    """Send a body that does not end, as fast as it is read."""
    text = b"<!-- endless -->" * 4096
    block = b"%x\r\n%b\r\n" % (len(text), text) if chunked else text
    how = [("Transfer-Encoding", "chunked")] if chunked else [("Connection", "close")]
    return ("repeat", {"first": head(200, [*how, ("Content-Type", "application/xml")]), "block": block, "every": 0.0})


def chunk_flood() -> Behaviour:
    """Send chunks of one byte, each with an extension of a thousand (RFC 9112 section 7.1.1), without end."""
    first = head(200, [("Transfer-Encoding", "chunked"), ("Content-Type", "application/xml")])
    return ("repeat", {"first": first, "block": (b"1;" + b"x" * 1000 + b"\r\na\r\n") * 64, "every": 0.0})


def endless_headers() -> Behaviour:
    """Send header fields without end, as fast as they are read."""
    return ("repeat", {"first": b"HTTP/1.1 200 OK\r\n", "block": b"X-More: " + b"x" * 100 + b"\r\n", "every": 0.0})


def huge_header(size: int = 1_000_000) -> Behaviour:
    """Send one header field of `size` bytes."""
    return raw(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Huge: " + b"x" * size + b"\r\n\r\n")


def bomb(coding: str = "gzip", *, header: str | None = None) -> Behaviour:
    """Send 10 GB of zeros, compressed as gzip, deflate, br, zstd or gzip-in-gzip; `header` is what is declared."""
    return ("bomb", {"coding": coding, "header": header or {"gzip-in-gzip": "gzip, gzip"}.get(coding, coding)})


def as_behaviour(given: Behaviour | bytes | str, **options: Any) -> Behaviour:
    """Return what a route is given as a behaviour: bytes and str are pages."""
    return page(given, **options) if isinstance(given, bytes | str) else given


def head(code: int, headers: Headers) -> bytes:
    """Return a status line and header fields."""
    lines = [f"HTTP/1.1 {code} Status", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")
