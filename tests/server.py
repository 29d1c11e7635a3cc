"""A real HTTP server on loopback, in a process of its own, that plays good and bad servers for the tests.

    with serve({"/feed.xml": page(b"<rss/>", etag="auto"), "/old": redirect("/feed.xml", 301)}) as server:
        ...server.url("/feed.xml"); server.log[0].headers["if-none-match"]; server.set("/feed.xml", b"<rss>2</rss>")

A route is a path, or a host and a path ("a.example/feed.xml", which goes first); one that ends in "/" holds for all
below it. A behaviour is plain data, made by the functions below; bytes or str stand for `page(...)`. Everything it
plays ends by itself: in bytes, in time, and when the process that started it is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import mimetypes
import os
import pickle
import signal
import ssl
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import Any, BinaryIO

Behaviour = tuple[str, dict[str, Any]]
Headers = Iterable[tuple[str, str]]

TYPES = {
    ".xml": "application/xml",
    ".rss": "application/rss+xml",
    ".atom": "application/atom+xml",
    ".json": "application/feed+json",
    ".html": "text/html; charset=utf-8",
}
PATIENCE = 20.0  # seconds that any one answer may take
MOST = 64_000_000  # bytes that any one answer may send


# Behaviours: what a route does -------------------------------------------------------------------------------


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
    given = dict(
        body=data, status=status, type=type, headers=list(headers), etag=etag, modified=modified, coding=coding
    )
    return ("page", {**given, "chunked": chunked, "close": close, "delay": delay, "obey": obey})


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
    return ("sequence", {"steps": [_behaviour(each) for each in behaviours], "at": 0})


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
    return raw(_head(200, [("Content-Length", str(length)), ("Content-Type", "application/xml")]) + body, then="reset")


def wrong_length(body: bytes, length: int, *, coding: str = "") -> Behaviour:
    """Promise `length` bytes, send `body` and close: too few or too many."""
    more = [("Content-Encoding", coding)] if coding else []
    return raw(_head(200, [("Content-Length", str(length)), ("Content-Type", "application/xml"), *more]) + body)


def hang_midway(body: bytes = b"<rss>", length: int = 1000) -> Behaviour:
    """Send the head and part of the body, then nothing."""
    return raw(_head(200, [("Content-Length", str(length)), ("Content-Type", "application/xml")]) + body, then="hang")


def drip(data: bytes = b"", *, every: float = 0.05, head: bool = True) -> Behaviour:
    """Send `data`, and after it spaces without end, byte by byte; with `head` False the bytes are the response's head."""
    return ("drip", {"data": data, "every": every, "head": head})


def endless_1xx(*, code: int = 102, every: float = 0.02) -> Behaviour:
    """Send interim responses (RFC 9110 section 15.2) without end."""
    return ("repeat", {"first": b"", "block": f"HTTP/1.1 {code} Wait\r\n\r\n".encode(), "every": every})


def endless_body(*, chunked: bool = False) -> Behaviour:
    """Send a body that does not end, as fast as it is read."""
    text = b"<!-- endless -->" * 4096
    block = b"%x\r\n%b\r\n" % (len(text), text) if chunked else text
    how = [("Transfer-Encoding", "chunked")] if chunked else [("Connection", "close")]
    return ("repeat", {"first": _head(200, [*how, ("Content-Type", "application/xml")]), "block": block, "every": 0.0})


def endless_headers() -> Behaviour:
    """Send header fields without end, as fast as they are read."""
    return ("repeat", {"first": b"HTTP/1.1 200 OK\r\n", "block": b"X-More: " + b"x" * 100 + b"\r\n", "every": 0.0})


def huge_header(size: int = 1_000_000) -> Behaviour:
    """Send one header field of `size` bytes."""
    return raw(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Huge: " + b"x" * size + b"\r\n\r\n")


def bomb(coding: str = "gzip", *, header: str | None = None) -> Behaviour:
    """Send 10 GB of zeros, compressed as gzip, deflate, br, zstd or gzip-in-gzip; `header` is what is declared."""
    return ("bomb", {"coding": coding, "header": header or {"gzip-in-gzip": "gzip, gzip"}.get(coding, coding)})


# The server as tests see it ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A request as it arrived; names in `headers` are in lower case, times are seconds of the server's clock."""

    method: str
    path: str
    headers: dict[str, str]
    connection: int
    started: float
    ended: float | None

    @property
    def host(self) -> str:
        """The Host header without its port."""
        return self.headers.get("host", "").rpartition(":")[0]


class Server:
    """The running server: its address, what it has seen, and what it does from now on."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, certificate: Path | None) -> None:
        self._process = process
        self.port = port
        self.certificate = certificate

    def url(self, path: str = "/", *, host: str = "127.0.0.1") -> str:
        """Return the absolute address of `path`."""
        return f"{'https' if self.certificate else 'http'}://{host}:{self.port}{path}"

    def set(self, path: str, behaviour: Behaviour | bytes | str, **options: Any) -> None:
        """Do this from now on; options are those of `page` when a body is given."""
        self._ask("set", {path: _behaviour(behaviour, **options)})

    def remove(self, path: str) -> None:
        """Answer 404 from now on."""
        self._ask("remove", path)

    @property
    def log(self) -> list[Seen]:
        """All requests so far, in the order they arrived."""
        return [Seen(**each) for each in self._ask("log", None)]

    def clear(self) -> None:
        """Forget the requests seen so far."""
        self._ask("clear", None)

    def _ask(self, verb: str, value: object) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        _put(self._process.stdin, (verb, value))
        return _take(self._process.stdout)


@contextlib.contextmanager
def serve(
    routes: Mapping[str, Behaviour | bytes | str] | None = None,
    *,
    tls: bool | Iterable[str] = False,
    lifetime: int = 300,
) -> Iterator[Server]:
    """Run a server with these routes until the block ends. `tls`: a self-signed certificate, for these names too."""
    with tempfile.TemporaryDirectory() as scratch:
        certificate = _certificate(Path(scratch), () if isinstance(tls, bool) else tuple(tls)) if tls else None
        command = [sys.executable, "-I", __file__, str(lifetime), str(certificate or "")]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdout is not None
        try:
            server = Server(process, _take(process.stdout), certificate)
            server._ask("set", {path: _behaviour(each) for path, each in (routes or {}).items()})
            yield server
        finally:
            process.kill()
            process.communicate()


def _behaviour(given: Behaviour | bytes | str, **options: Any) -> Behaviour:
    return page(given, **options) if isinstance(given, bytes | str) else given


def _certificate(place: Path, names: tuple[str, ...]) -> Path:
    """Make a self-signed certificate and its key in one file, for localhost, 127.0.0.1 and `names`."""
    file = place / "server.pem"
    hosts = ",".join(["DNS:localhost", "IP:127.0.0.1", *(f"DNS:{name}" for name in names)])
    command = f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost -addext subjectAltName={hosts}"
    made = [*command.split(), "-keyout", str(place / "key.pem"), "-out", str(place / "cert.pem")]
    subprocess.run(made, check=True, capture_output=True)
    file.write_bytes((place / "key.pem").read_bytes() + (place / "cert.pem").read_bytes())
    return file


def _put(stream: BinaryIO | Any, value: object) -> None:
    data = pickle.dumps(value)
    stream.write(struct.pack("!I", len(data)) + data)
    stream.flush()


def _take(stream: BinaryIO | Any) -> Any:
    head = stream.read(4)
    if len(head) < 4:
        raise EOFError("the test server has ended")
    return pickle.loads(stream.read(struct.unpack("!I", head)[0]))


# The process ---------------------------------------------------------------------------------------------------

ROUTES: dict[str, Behaviour] = {}
LOG: list[dict[str, Any]] = []


@dataclass
class Exchange:
    """One request and where its answer goes."""

    path: str
    headers: dict[str, str]
    writer: asyncio.StreamWriter
    prefix: str = ""
    left: int = MOST

    async def send(self, data: bytes) -> None:
        """Send, no faster than it is read, up to the most that an answer may send."""
        self.left -= len(data)
        if self.left < 0:
            raise ConnectionAbortedError
        self.writer.write(data)
        await self.writer.drain()


async def _page(exchange: Exchange, o: dict[str, Any]) -> bool:
    if o["delay"]:
        await asyncio.sleep(o["delay"])
    body = _packed(o["body"], o["coding"])
    etag = '"' + hashlib.sha256(o["body"]).hexdigest()[:16] + '"' if o["etag"] == "auto" else o["etag"]
    validators = [(name, value) for name, value in (("ETag", etag), ("Last-Modified", o["modified"])) if value]
    asked = exchange.headers
    same = (etag and asked.get("if-none-match") == etag) or (
        "if-none-match" not in asked and o["modified"] and asked.get("if-modified-since") == o["modified"]
    )
    headers = [*validators, *o["headers"]]
    if o["status"] == 200 and same and o["obey"]:
        await exchange.send(_head(304, headers))
        return True
    headers.append(("Content-Type", o["type"]))
    if o["coding"]:
        headers.append(("Content-Encoding", o["coding"].replace("raw-", "")))
    if o["close"]:
        headers.append(("Connection", "close"))
    elif o["chunked"]:
        headers.append(("Transfer-Encoding", "chunked"))
        body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in _parts(body, 1000)) + b"0\r\n\r\n"
    elif o["status"] != 304:
        headers.append(("Content-Length", str(len(body))))
    await exchange.send(_head(o["status"], headers) + body)
    return not o["close"]


async def _folder(exchange: Exchange, o: dict[str, Any]) -> bool:
    base = Path(o["path"]).resolve()
    file = (base / exchange.path.partition("?")[0][len(exchange.prefix) :].lstrip("/")).resolve()
    if not file.is_file() or base not in file.parents:
        return await _play(exchange, status(404))
    kind = TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    when = formatdate(int(file.stat().st_mtime), usegmt=True)
    return await _play(exchange, page(file.read_bytes(), type=kind, etag="auto" if o["etags"] else None, modified=when))


async def _sequence(exchange: Exchange, o: dict[str, Any]) -> bool:
    step = o["steps"][min(o["at"], len(o["steps"]) - 1)]
    o["at"] += 1
    return await _play(exchange, step)


async def _raw(exchange: Exchange, o: dict[str, Any]) -> bool:
    await exchange.send(o["data"])
    if o["then"] == "hang":
        await asyncio.sleep(PATIENCE)
    elif o["then"] == "reset":
        await asyncio.sleep(0.02)  # so that what was sent is read before the reset drops it
        exchange.writer.get_extra_info("socket").setsockopt(
            __import__("socket").SOL_SOCKET, __import__("socket").SO_LINGER, struct.pack("ii", 1, 0)
        )
        exchange.writer.transport.abort()
    return False


async def _drip(exchange: Exchange, o: dict[str, Any]) -> bool:
    if o["head"]:
        await exchange.send(_head(200, [("Content-Type", "application/xml"), ("Connection", "close")]))
    data = o["data"] or (b"" if o["head"] else b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        await exchange.send(data[:1] or b" ")
        data = data[1:]
        await asyncio.sleep(o["every"])


async def _repeat(exchange: Exchange, o: dict[str, Any]) -> bool:
    await exchange.send(o["first"])
    while True:
        await exchange.send(o["block"])
        await asyncio.sleep(o["every"])


async def _bomb(exchange: Exchange, o: dict[str, Any]) -> bool:
    headers = [("Content-Type", "application/xml"), ("Content-Encoding", o["header"]), ("Connection", "close")]
    await exchange.send(_head(200, headers))
    for block in _blocks(o["coding"]):
        await exchange.send(block)
    return False


PLAYS: dict[str, Callable[[Exchange, dict[str, Any]], Awaitable[bool]]] = {
    "page": _page,
    "folder": _folder,
    "sequence": _sequence,
    "raw": _raw,
    "drip": _drip,
    "repeat": _repeat,
    "bomb": _bomb,
}


async def _play(exchange: Exchange, behaviour: Behaviour) -> bool:
    """Answer; say whether the connection may serve another request."""
    return await PLAYS[behaviour[0]](exchange, behaviour[1])


def _head(code: int, headers: Headers) -> bytes:
    lines = [f"HTTP/1.1 {code} Status", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")


def _parts(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def _packed(data: bytes, coding: str) -> bytes:
    if coding == "br":
        import brotli

        return bytes(brotli.compress(data, quality=4))
    if coding == "zstd":
        from backports import zstd

        return bytes(zstd.compress(data))
    bits = {"gzip": 31, "deflate": 15, "raw-deflate": -15}.get(coding)
    if bits is None:
        return data
    packer = zlib.compressobj(6, zlib.DEFLATED, bits)
    return packer.compress(data) + packer.flush()


def _blocks(coding: str) -> Iterator[bytes]:
    """Yield 10 GB of zeros, compressed; what repeats is compressed once, so that the server stays cheap."""
    zeros = bytes(1_000_000)
    if coding == "gzip-in-gzip":
        yield _packed(b"".join(_blocks("gzip")), "gzip")
    elif coding in ("gzip", "deflate"):
        packer = zlib.compressobj(9, zlib.DEFLATED, 31 if coding == "gzip" else 15)
        yield packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
        block = packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
        for _ in range(1000):
            yield block * 10
    elif coding == "zstd":
        frame = _packed(zeros, "zstd")
        for _ in range(1000):
            yield frame * 10
    else:
        import brotli

        press = brotli.Compressor(quality=1)
        for _ in range(10_000):
            yield press.process(zeros) + press.flush()


async def _connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    number = id(writer)
    try:
        while await _request(reader, writer, number):
            pass
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
        pass
    finally:
        writer.close()


async def _request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> bool:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    entry = {"method": method, "path": path, "headers": headers, "connection": number}
    entry.update(started=time.monotonic(), ended=None)
    LOG.append(entry)
    try:
        exchange = Exchange(path=path, headers=headers, writer=writer)
        return await asyncio.wait_for(_play(exchange, _route(exchange)), PATIENCE)
    finally:
        entry["ended"] = time.monotonic()


def _route(exchange: Exchange) -> Behaviour:
    path = exchange.path.partition("?")[0]
    host = exchange.headers.get("host", "").rpartition(":")[0]
    for key in (host + exchange.path, exchange.path, host + path, path):
        if key in ROUTES:
            return ROUTES[key]
    while "/" in path:
        path = path[: path.rindex("/")]
        for key in (host + path + "/", path + "/"):
            if key in ROUTES and key != "/":
                exchange.prefix = path + "/"
                return ROUTES[key]
    return status(404)


def _obey() -> bool:
    """Read one order from the tests and answer it; False when they are gone."""
    try:
        verb, value = _take(sys.stdin.buffer)
    except EOFError:
        return False
    answer: object = None
    if verb == "set":
        ROUTES.update(value)
    elif verb == "remove":
        ROUTES.pop(value, None)
    elif verb == "clear":
        LOG.clear()
    elif verb == "log":
        answer = LOG
    _put(sys.stdout.buffer, answer)
    return True


async def _main(certificate: str) -> None:
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    server = await asyncio.start_server(_connection, "127.0.0.1", 0, ssl=context, backlog=1024, limit=1 << 16)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda *_: None)  # clients that vanish are what this server is for
    gone = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), lambda: _obey() or gone.set())
    _put(sys.stdout.buffer, server.sockets[0].getsockname()[1])
    await gone.wait()
    os._exit(0)


if __name__ == "__main__":
    signal.alarm(int(sys.argv[1]))
    asyncio.run(_main(sys.argv[2]))
