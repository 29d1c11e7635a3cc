"""The processes of the test servers: each reads routes and commands from stdin and answers HTTP requests.

`tests.support.server.serve` starts them as forks of one process, because a new interpreter takes ten times as long. They
end when the process of the tests ends, and in any case after their lifetime.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import mimetypes
import os
import signal
import socket
import ssl
import struct
import sys
import time
import zlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import unquote

sys.path.append(str(Path(__file__).resolve().parents[2]))

from tests.support.behaviours import Behaviour, head, page, status
from tests.support.server import put, take

TYPES = {
    ".xml": "application/xml",
    ".rss": "application/rss+xml",
    ".atom": "application/atom+xml",
    ".json": "application/feed+json",
    ".html": "text/html; charset=utf-8",
}
PATIENCE = 20.0  # seconds that one answer may take
MOST = 64_000_000  # bytes that one answer may send

ROUTES: dict[str, Behaviour] = {}
LOG: list[dict[str, Any]] = []
NUMBERS = itertools.count(1)


@dataclass
class Exchange:
    """One request and the stream of its answer."""

    path: str
    headers: dict[str, str]
    writer: asyncio.StreamWriter
    prefix: str = ""
    left: int = MOST

    async def send(self, data: bytes) -> None:
        """Send bytes, no faster than the client reads them, up to MOST bytes an answer."""
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
    request_headers = exchange.headers
    same = (etag and request_headers.get("if-none-match") == etag) or (
        "if-none-match" not in request_headers
        and o["modified"]
        and request_headers.get("if-modified-since") == o["modified"]
    )
    headers = [*validators, *o["headers"]]
    if o["status"] == 200 and same and o["obey"]:
        await exchange.send(head(304, headers))
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
    await exchange.send(head(o["status"], headers) + body)
    return not o["close"]


async def _folder(exchange: Exchange, o: dict[str, Any]) -> bool:
    base = Path(o["path"]).resolve()
    file = (base / unquote(exchange.path.partition("?")[0][len(exchange.prefix) :]).lstrip("/")).resolve()
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
        await asyncio.sleep(0.02)  # lets the client read the data before the reset drops it
        exchange.writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        exchange.writer.transport.abort()
    return False


async def _drip(exchange: Exchange, o: dict[str, Any]) -> bool:
    if o["head"]:
        await exchange.send(head(200, [("Content-Type", "application/xml"), ("Connection", "close")]))
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
    await exchange.send(head(200, headers))
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
    """Answer; return True if the connection may serve another request."""
    return await PLAYS[behaviour[0]](exchange, behaviour[1])


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
    """Yield 10 GB of zeros, compressed; a repeated block is compressed once, so that the server stays cheap."""
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
    number = next(NUMBERS)
    try:
        while await _request(reader, writer, number):
            pass
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
        pass
    finally:
        writer.close()


async def _request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> bool:
    first = await reader.readexactly(1)
    if first == b"\x16":  # a TLS greeting: other servers do not wait for the end of a line either
        writer.write(head(400, [("Connection", "close")]))
        return False
    lines = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = lines[0].split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
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
    """Read one command of the tests and answer it; return False if the tests have ended."""
    try:
        verb, value = take(sys.stdin.buffer)
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
    put(sys.stdout.buffer, answer)
    return True


async def _main(certificate: str) -> None:
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    server = await asyncio.start_server(_connection, "127.0.0.1", 0, ssl=context, backlog=1024, limit=1 << 16)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda *_: None)  # clients that disconnect are expected here
    gone = asyncio.Event()

    def listen() -> None:
        if not _obey():
            gone.set()

    loop.add_reader(sys.stdin.fileno(), listen)
    put(sys.stdout.buffer, server.sockets[0].getsockname()[1])
    await gone.wait()
    os._exit(0)


def _run(lifetime: int, certificate: str) -> None:
    signal.alarm(lifetime)
    asyncio.run(_main(certificate))


def _start_servers(end: socket.socket) -> None:
    """Fork a server for each request, and end it on request, until the tests have ended."""
    while True:
        message, streams, _, _ = socket.recv_fds(end, 10_000, 2)
        if not message:
            return
        pid, lifetime, certificate = json.loads(message)
        if pid:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        elif not (pid := os.fork()):
            end.close()
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
                os.close(stream)
            try:
                _run(lifetime, certificate)
            finally:
                os._exit(1)
        for stream in streams:
            os.close(stream)
        end.sendall(b"%d\n" % pid)


if __name__ == "__main__":
    _start_servers(socket.socket(fileno=int(sys.argv[1])))
