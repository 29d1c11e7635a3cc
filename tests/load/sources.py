"""A number of sources of which every tenth misbehaves in its own way, and the settings for them."""

from __future__ import annotations

from tests.support import server as play
from tests.support.behaviours import Behaviour
from tests.support.bombs import BOMBS
from tests.support.server import page, redirect, status

TEXT = "The council met in the harbour and spoke of the bridge, the ferry and what the orchestra would play. " * 8
EACH = 3
"""The number of entries of a good source."""
LAUGHS = '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><channel><title>&x;</title></channel></rss>'


def host(number: int) -> str:
    """Return the host of a source; `tests.support.fence` resolves such names to a public address."""
    return f"s{number}.example"


def is_good(number: int) -> bool:
    """Return True for nine sources of ten."""
    return number % 10 != 7


def feed(number: int) -> bytes:
    """Return the feed of a good source."""
    items = "".join(
        f"<item><title>Story {entry} of {number}</title><link>http://{host(number)}/{entry}</link>"
        f'<guid isPermaLink="false">urn:{number}:{entry}</guid><pubDate>Mon, 2{entry} Jul 2022 12:11:30 GMT</pubDate>'
        f"<description>&lt;p&gt;{number}.{entry} {TEXT}&lt;/p&gt;</description></item>"
        for entry in range(EACH)
    )
    return f'<rss version="2.0"><channel><title>Source {number}</title>{items}</channel></rss>'.encode()


def ways() -> list[Behaviour]:
    """Return every kind of misbehaviour: servers first, then bodies that keep a parser busy."""
    body = feed(0)
    length = len(body) + 100
    servers = [
        *(
            play.hang(),
            play.hang_midway(),
            play.drip(),
            play.drip(head=False),
            play.endless_1xx(),
            play.endless_headers(),
        ),
        *(play.endless_body(), play.endless_body(chunked=True), play.chunk_flood(), play.huge_header()),
        *(play.bomb(coding) for coding in ("gzip", "deflate", "br", "zstd", "gzip-in-gzip")),
        *(play.reset(), play.reset_midway(body, length), play.wrong_length(body, length), play.wrong_length(body, 10)),
        *(
            play.raw(b"\0\xff garbage"),
            play.raw(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
            play.raw(b"HTTP/9.9 999\r\n\r\n"),
        ),
        *(
            redirect(to)
            for to in ("feed", "file:///etc/passwd", "gopher://a/", "", "http://10.0.0.1/", "http://[::1]/")
        ),
        *(status(code) for code in (401, 404, 410, 500, 502)),
        *(status(code, headers=[("Retry-After", wait)]) for code, wait in ((429, "120"), (503, "-1"), (503, "soon"))),
        play.always_304(),
        page(body, headers=[("Content-Encoding", "snappy")]),
        page(b"<!doctype html><html><body><form><input type=password></form></body></html>", type="text/html"),
        page(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40),
        page(LAUGHS),
        page(b""),
    ]
    return servers + [page(text.encode("utf-8", "surrogatepass")) for text in BOMBS.values()]


def routes(count: int) -> dict[str, Behaviour | bytes | str]:
    """Return the behaviour of each of `count` sources for `tests.support.server.serve`."""
    bad = ways()
    behaviours: dict[str, Behaviour | bytes | str] = {}
    for number in range(count):
        behaviours[f"/{number}/feed"] = (
            page(feed(number), etag="auto") if is_good(number) else bad[number // 10 % len(bad)]
        )
    return behaviours


def settings(count: int, more: str) -> str:
    """Return the settings of a site with `count` sources; `more` has lines of `[ingest]`."""
    tables = "".join(
        f'[[sources]]\nname = "s{number}"\nurl = "http://{host(number)}/{number}/feed"\n' for number in range(count)
    )
    return f'[site]\ntitle = "Crowd"\nurl = "https://example.org/"\n[ingest]\n{more}{tables}'
