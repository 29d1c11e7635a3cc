"""Every fault of a server by name, as behaviour of the test server; `expected.tsv` has the expected result of each."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import brotli
from backports import zstd

from tests.hostile_world.network.bodies import FEED, feed
from tests.support import server as play
from tests.support.behaviours import Behaviour, head, page, raw, redirect, repeat, sequence, status

OK = b"HTTP/1.1 200 OK\r\n"
DATE = ("Date", "Thu, 26 Nov 2026 19:00:00 GMT")
XML = [("Content-Type", "application/xml")]


@dataclass(frozen=True, slots=True)
class Fault:
    """The behaviour of a source's server.

    `url` is its address if that is not a path of its own host; `more` has the behaviours of further paths.
    """

    play: Behaviour
    url: str = ""
    more: tuple[tuple[str, Behaviour], ...] = ()


def _sized(length: str, body: bytes = FEED) -> Behaviour:
    return raw(OK + f"Content-Length: {length}\r\n\r\n".encode() + body)


def _chunked(body: bytes, *, more: bytes = b"", then: str = "close") -> Behaviour:
    return raw(OK + more + b"Transfer-Encoding: chunked\r\n\r\n" + body, then=then)


def _chunks(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(body), body)


def _coded(coding: str, body: bytes) -> Behaviour:
    return page(body, headers=[("Content-Encoding", coding)])


def _later(code: int, value: str, *more: tuple[str, str]) -> Behaviour:
    return status(code, headers=[("Retry-After", value), *more])


def _to(place: str, code: int = 302) -> Behaviour:
    return redirect(place, code)


def _whole(body: bytes) -> bytes:
    return head(200, [("Content-Length", str(len(body))), *XML]) + body


def _wide() -> bytes:
    packer = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 27})
    return packer.compress(FEED) + packer.flush()


CHUNKS = _chunks(FEED)
LAST = b"0\r\n\r\n"
HALF = len(FEED) // 2

# Only the deadline ends these.
WAITING: dict[str, Fault] = {
    "hangs at once": Fault(play.hang()),
    "hangs in the status line": Fault(raw(b"HTTP/1.1 2", then="hang")),
    "hangs in the headers": Fault(raw(OK + b"X-Slow: ", then="hang")),
    "hangs after the headers": Fault(raw(OK + b"Content-Length: 99\r\n\r\n", then="hang")),
    "hangs in the body": Fault(play.hang_midway(FEED[:HALF], len(FEED))),
    "hangs in a chunk": Fault(_chunked(CHUNKS[:HALF], then="hang")),
    "hangs in a chunk's size": Fault(_chunked(CHUNKS + b"1", then="hang")),
    "hangs in the trailers": Fault(_chunked(CHUNKS + b"0\r\nX-Slow: ", then="hang")),
    "hangs in a compressed body": Fault(
        raw(OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(FEED)[:-9], then="hang")
    ),
    "hangs after a redirect": Fault(_to("/hangs-at-once")),
    "says 101 and hangs": Fault(raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", then="hang")),
    "drips headers": Fault(play.drip(head=False)),
    "drips a body": Fault(play.drip(FEED)),
    "drips chunks": Fault(repeat(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", every=0.05)),
    "drips interim responses": Fault(play.endless_1xx(every=0.3)),
}

# Only the deadline for a connection ends these.
CONNECTING: dict[str, Fault] = {
    "TLS hangs": Fault(play.hang(), "https://tls-hangs.example/"),
    "nobody answers at its port": Fault(play.hang(), "http://hole.example:9/"),
    "nobody tells its address": Fault(play.hang(), "http://deaf.test/"),
}

ENDLESS: dict[str, Fault] = {
    "interim responses flood": Fault(play.endless_1xx(every=0)),
    "body without end": Fault(play.endless_body()),
    "chunks without end": Fault(play.endless_body(chunked=True)),
    "chunks of a byte": Fault(repeat(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 9999)),
    "chunks with long extensions": Fault(play.chunk_flood()),
    "trailers without end": Fault(
        repeat(OK + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS + b"0\r\n", b"X: y\r\n" * 999)
    ),
    "headers without end": Fault(play.endless_headers()),
    "a header without end": Fault(repeat(OK + b"X-Long: ", b"x" * 4096)),
    "a status line without end": Fault(repeat(b"HTTP/1.1 200 ", b"x" * 4096)),
    "a header of a megabyte": Fault(play.huge_header()),
    "five thousand headers": Fault(raw(OK + b"".join(b"X-%d: y\r\n" % n for n in range(5000)) + b"\r\n")),
    "declares a terabyte": Fault(_sized("1000000000000")),
    "declares 2 to the 64th": Fault(_sized("18446744073709551618")),
    "gzip bomb": Fault(play.bomb("gzip")),
    "deflate bomb": Fault(play.bomb("deflate")),
    "brotli bomb": Fault(play.bomb("br")),
    "zstd bomb": Fault(play.bomb("zstd")),
    "gzip in gzip": Fault(play.bomb("gzip-in-gzip")),
    "gzip bomb declared twice": Fault(play.bomb("gzip", header="gzip, gzip")),
    "zstd that wants 128 MB": Fault(_coded("zstd", _wide())),
    "a thousand gzip members": Fault(_coded("gzip", gzip.compress(b"") * 1001)),
    "a thousand zstd frames": Fault(_coded("zstd", bytes(zstd.compress(b"")) * 1001)),
    "404 with an endless body": Fault(repeat(b"HTTP/1.1 404 Not Found\r\n\r\n", b"x" * 65536)),
    "redirects in circles": Fault(_to("/redirects-in-circles")),
    "redirects in a wider circle": Fault(_to("/ring1"), more=(("/ring1", _to("/ring2")), ("/ring2", _to("/ring1")))),
    "redirects without end": Fault(_to("/f1"), more=tuple((f"/f{n}", _to(f"/f{n + 1}")) for n in range(1, 9))),
}

CODED: dict[str, Fault] = {
    "an unknown coding": Fault(_coded("lzma", FEED)),
    "a coding that is no word": Fault(_coded("g\u202eip\xe9", FEED)),
    "three codings": Fault(_coded("br, gzip, identity, zstd", FEED)),
    "no gzip": Fault(_coded("gzip", FEED)),
    "no deflate": Fault(_coded("deflate", FEED)),
    "no brotli": Fault(_coded("br", b"\xff" * 99)),
    "no zstd": Fault(_coded("zstd", FEED)),
    "gzip with a wrong sum": Fault(_coded("gzip", gzip.compress(FEED)[:-8] + bytes(8))),
    "gzip cut": Fault(_coded("gzip", gzip.compress(FEED)[:-20])),
    "gzip without its last byte": Fault(_coded("gzip", gzip.compress(FEED)[:-1])),
    "deflate cut": Fault(_coded("deflate", zlib.compress(FEED)[:-20])),
    "brotli cut": Fault(_coded("br", brotli.compress(FEED)[:-20])),
    "zstd cut": Fault(_coded("zstd", bytes(zstd.compress(FEED))[:-20])),
    "gzip that nobody declares": Fault(page(gzip.compress(FEED))),
}

LENGTHS: dict[str, Fault] = {
    "shorter than its length": Fault(_sized("99999")),
    "longer than its length": Fault(_sized("5")),
    "a negative length": Fault(_sized("-2")),
    "a length with a plus": Fault(_sized(f"+{len(FEED)}")),
    "a hexadecimal length": Fault(_sized(hex(len(FEED)))),
    "a list of lengths": Fault(_sized(f"{len(FEED)}, {len(FEED)}")),
    "two lengths": Fault(raw(OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc")),
    "one length twice": Fault(raw(OK + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc")),
    "a length, then chunks": Fault(_chunked(CHUNKS + LAST, more=b"Content-Length: 2\r\n")),
    "chunks, then a length": Fault(
        raw(OK + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n" + CHUNKS + LAST)
    ),
    "chunks of gzip": Fault(
        raw(OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + _chunks(gzip.compress(FEED)) + LAST)
    ),
    "chunked twice": Fault(_chunked(CHUNKS + LAST, more=b"Transfer-Encoding: chunked\r\n")),
    "chunked, then identity": Fault(raw(OK + b"Transfer-Encoding: chunked, identity\r\n\r\n" + CHUNKS + LAST)),
    "a transfer coding with a letter more": Fault(raw(OK + b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNKS + LAST)),
    "no last chunk": Fault(_chunked(CHUNKS)),
    "cut in a chunk": Fault(_chunked(CHUNKS[:HALF])),
    "a chunk's size is no number": Fault(_chunked(b"zz\r\nabc\r\n" + LAST)),
    "a chunk's size is negative": Fault(_chunked(b"-3\r\nabc\r\n" + LAST)),
    "a chunk's size has a 0x": Fault(_chunked(b"0x3\r\nabc\r\n" + LAST)),
    "a chunk's size is huge": Fault(_chunked(b"f" * 40 + b"\r\nabc\r\n")),
    "a chunk is longer than its size": Fault(_chunked(b"1\r\nabc\r\n" + LAST)),
    "a chunk is shorter than its size": Fault(_chunked(b"9\r\nabc\r\n" + LAST)),
    "chunks that lines alone end": Fault(_chunked(b"3\nabc\n0\n\n")),
}

GARBAGE: dict[str, Fault] = {
    "nothing at all": Fault(raw(b"")),
    "every byte there is": Fault(raw(bytes(range(256)) * 20)),
    "a greeting of SSH": Fault(raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")),
    "a greeting of SMTP": Fault(raw(b"220 mail.example ESMTP\r\n")),
    "a TLS alert": Fault(raw(bytes.fromhex("15030300020228"))),
    "HTTP/0.9": Fault(raw(FEED)),
    "HTTP/2": Fault(raw(b"\0\0\x12\4\0\0\0\0\0")),
    "HTTP/3.7": Fault(raw(b"HTTP/3.7 200 OK\r\n\r\n" + FEED)),
    "ICY": Fault(raw(b"ICY 200 OK\r\n\r\n" + FEED)),
    "a status of two digits": Fault(raw(b"HTTP/1.1 99 OK\r\n\r\n" + FEED)),
    "a status of four digits": Fault(raw(b"HTTP/1.1 2000 OK\r\n\r\n" + FEED)),
    "a status of letters": Fault(raw(b"HTTP/1.1 two OK\r\n\r\n" + FEED)),
    "a NUL in a header": Fault(raw(OK + b"X: a\0b\r\n\r\n" + FEED)),
    "a line that is no header": Fault(raw(OK + b"nonsense\r\n\r\n" + FEED)),
    "a header without a name": Fault(raw(OK + b": x\r\n\r\n" + FEED)),
    "a CR in an ETag": Fault(page(FEED, etag='"a\rSet-Cookie: b"')),
    "says 101": Fault(
        raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n" + FEED)
    ),
}

BROKEN: dict[str, Fault] = {
    "resets at once": Fault(play.reset()),
    "resets in the status line": Fault(raw(b"HTTP/1.1 2", then="reset")),
    "resets in the headers": Fault(raw(OK + b"X-Half: ", then="reset")),
    "resets after the headers": Fault(raw(OK + b"Content-Length: 99\r\n\r\n", then="reset")),
    "resets in the body": Fault(play.reset_midway(FEED[:HALF], len(FEED))),
    "resets in a chunk": Fault(_chunked(CHUNKS[:HALF], then="reset")),
    "closes in the status line": Fault(raw(b"HTTP/1.1 2")),
    "closes in the headers": Fault(raw(OK + b"X-Half: ")),
    "closes after the headers": Fault(raw(OK + b"Content-Length: 99\r\n\r\n")),
    "resets after a redirect": Fault(_to("/resets-at-once")),
    "refuses connections": Fault(status(200), "http://closed.example:81/"),
    "has no address": Fault(status(200), "http://nowhere.test/"),
}

SECURED: dict[str, Fault] = {
    "a certificate of its own making": Fault(page(FEED), "https://stranger.example/"),
    "a certificate of another host": Fault(page(FEED), "https://wrong.example/"),
    "a certificate that has expired": Fault(page(FEED), "https://expired.example/"),
    "a certificate without addresses": Fault(page(FEED), "https://93.184.215.14/"),
    "TLS closes": Fault(page(FEED), "https://tls-closes.example/"),
    "TLS resets": Fault(page(FEED), "https://tls-resets.example/"),
    "TLS is garbage": Fault(page(FEED), "https://tls-garbage.example/"),
    "TLS refuses": Fault(page(FEED), "https://tls-alert.example/"),
    "no TLS but HTTP": Fault(page(FEED), "https://tls-plain.example/"),
    "redirects to a bad certificate": Fault(_to("https://wrong.example/x")),
}

REDIRECTED: dict[str, Fault] = {
    f"redirects to {name}": Fault(_to(place))
    for name, place in {
        "file:": "file:///etc/passwd",
        "ftp:": "ftp://a.example/",
        "gopher:": "gopher://a.example/_x",
        "data:": "data:text/xml,<rss/>",
        "javascript:": "javascript:alert(1)",
        "jar:": "jar:http://a.example/!/",
        "ldap:": "ldap://a.example/",
        "nothing": "",
        "spaces": "   ",
        "what is no address": "http://[::1",
        "a port that is none": "http://a.example:99999/",
        "port 0": "http://a.example:0/",
        "no host": "http:///x",
        "a closed port": "http://a.example:81/?key=secret",
        "a host without an address": "http://nowhere.test/",
        "loopback": "http://127.0.0.1/",
        "loopback in IPv6": "http://[::1]/",
        "loopback mapped": "http://[::ffff:127.0.0.1]/",
        "loopback through NAT64": "http://[64:ff9b::7f00:1]/",
        "loopback through 6to4": "http://[2002:7f00:1::]/",
        "loopback as a number": "http://2130706433/",
        "loopback in octal": "http://0177.0.0.1/",
        "loopback in hexadecimal": "http://0x7f.1/",
        "loopback in short": "http://127.1/",
        "loopback in wide letters": "http://１２７.０.０.１/",
        "loopback behind a user": "http://a.example@127.0.0.1/",
        "loopback behind a backslash": "http://a.example\\@127.0.0.1/",
        "loopback behind slashes": "//////127.0.0.1/",
        "a name of loopback": "http://localhost/",
        "metadata of a cloud": "http://169.254.169.254/latest/meta-data/",
        "metadata by its name": "http://metadata.test/",
        "metadata in IPv6": "http://[fd00:ec2::254]/",
        "metadata of Azure": "http://168.63.129.16/",
        "a private network": "http://10.0.0.1/",
        "a scope id": "http://[fe80::1%25eth0]/",
        "a name of private and public addresses": "http://mixed.test/",
        "a host whose name is two": "http://faß.example/",
        "a percent-encoded host": "http://%31%32%37.0.0.1/",
    }.items()
}

STATUSES: dict[str, Fault] = {
    **{f"status {code}": Fault(status(code)) for code in (201, 204, 205, 206, 226, 300, 305, 400, 401, 402, 403, 404)},
    **{f"status {code}": Fault(status(code)) for code in (405, 406, 407, 408, 409, 410, 418, 421, 425, 426, 429, 451)},
    **{f"status {code}": Fault(status(code)) for code in (500, 501, 502, 503, 504, 505, 511, 520, 530, 999)},
    "304 unasked": Fault(play.always_304()),
    "301 without a place": Fault(status(301)),
    "404 that hangs": Fault(raw(head(404, [("Content-Length", "99")]) + b"x", then="hang")),
    "410 that resets": Fault(raw(head(410, [("Content-Length", "99")]) + b"x", then="reset")),
    "429 that hangs": Fault(raw(head(429, [("Content-Length", "99"), ("Retry-After", "7200")]) + b"x", then="hang")),
    "429 for two hours": Fault(_later(429, "7200")),
    "429 for a minute": Fault(_later(429, "60")),
    "503 for two hours": Fault(_later(503, "7200")),
    "503 until a date": Fault(_later(503, "Thu, 26 Nov 2026 22:00:00 GMT", DATE)),
    "503 until a past date": Fault(_later(503, "Thu, 26 Nov 2020 19:00:00 GMT", DATE)),
    "503 until the year 9999": Fault(_later(503, "Fri, 31 Dec 9999 23:59:59 GMT")),
    "503 for longer than numbers go": Fault(_later(503, "9" * 500)),
    "503 for no time": Fault(_later(503, "0")),
    "503 for less than no time": Fault(_later(503, "-5")),
    "503 soon": Fault(_later(503, "soon")),
    "503 in two values": Fault(_later(503, "7200", ("Retry-After", "60"))),
    "503 until a day that is none": Fault(_later(503, "Mon, 99 Nov 2026 99:99:99 GMT", DATE)),
}

COOKIES = b"".join(b"Set-Cookie: a%d=%b\r\n" % (n, b"x" * 4000) for n in range(100))
WAYS: dict[str, Callable[[bytes], Behaviour]] = {
    "good": lambda body: page(body, etag="auto"),
    "good after 500": lambda body: sequence(status(500), body),
    "good after a reset": lambda body: sequence(play.reset(), body),
    "good in gzip": lambda body: page(body, coding="gzip"),
    "good in deflate": lambda body: page(body, coding="deflate"),
    "good in deflate without a wrapper": lambda body: page(body, coding="raw-deflate"),
    "good in brotli": lambda body: page(body, coding="br"),
    "good in zstd": lambda body: page(body, coding="zstd"),
    "good in x-gzip": lambda body: _coded("x-gzip", gzip.compress(body)),
    "good in two gzip members": lambda body: _coded("gzip", gzip.compress(body[:99]) + gzip.compress(body[99:])),
    "good in gzip and rubbish": lambda body: _coded("gzip", gzip.compress(body) + bytes(9)),
    "good in chunks": lambda body: page(body, chunked=True),
    "good until it closes": lambda body: page(body, close=True),
    "good after early hints": lambda body: raw(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + _whole(body)),
    "good in HTTP/1.0": lambda body: raw(b"HTTP/1.0 200 OK\r\n\r\n" + body),
    "good without a reason": lambda body: raw(_whole(body).replace(b" Status", b"", 1)),
    "good with folded headers": lambda body: raw(_whole(body).replace(b"\r\n", b"\r\nX: a\r\n b\r\n", 1)),
    "good with lines alone": lambda body: raw(b"HTTP/1.1 200 OK\nContent-Length: %d\n\n" % len(body) + body),
    "good and then a second answer": lambda body: raw(_whole(body) + _whole(b"evil")),
    "good with cookies of 400 kB": lambda body: raw(_whole(body).replace(b"\r\n", b"\r\n" + COOKIES, 1)),
    "good though it says text/plain": lambda body: page(body, type="text/plain; charset=klingon"),
    "good as 203": lambda body: page(body, status=203),
    "good though cut short": lambda body: page(body[:-99], close=True),
}
GOOD: dict[str, Fault] = {
    **{name: Fault(way(feed(name))) for name, way in WAYS.items()},
    "good over TLS": Fault(page(feed("tls")), "https://secure.example/good-over-tls"),
    "good where it leads for ever": Fault(
        page(b"", status=301, headers=[("Location", "/new-place"), ("Set-Cookie", "a=b; Path=/")]),
        more=(("/new-place", page(feed("new place"))),),
    ),
    "good from https to http": Fault(
        _to("http://plain.example/plain"),
        "https://down.example/good-from-https-to-http",
        more=(("/plain", page(feed("plain"))),),
    ),
}


PATIENT = {**ENDLESS, **CODED, **LENGTHS, **GARBAGE, **BROKEN, **SECURED, **REDIRECTED, **STATUSES, **GOOD}
