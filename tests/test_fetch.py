"""Every fault of a server, each with the promised outcome and words; nothing leaves loopback even where a guard fails."""

from __future__ import annotations

import gzip
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest

from feedtool.fetch import Failure, Request, Response, fetch
from tests import server as play
from tests.behaviours import head
from tests.fence import BODY, LIMITS, Net, network, words
from tests.server import Behaviour, page, redirect, sequence, status

DATE = ("Date", "Mon, 23 Nov 2026 19:00:00 GMT")
LARGE = "too-large: the body is larger than 10,000,000 bytes"
ILL = "protocol: what came is not HTTP, or not as long as it says"
UNASKED = "protocol: the answer comes in a transfer coding that was not asked for"
SHORT = "reset: the body was cut short"
SHORT_PACKED = "reset: the compressed body ends before its end"
BROKEN = "encoding: the body can't be decompressed: it is not what its Content-Encoding says"
CLOSED = "reset: the connection was closed before an answer came"
NOWHERE = "redirect: it redirects to where nothing may be fetched: "
SILENT = "timeout: nothing more came within 1.5 s, while waiting for an answer"
STALLED = "timeout: nothing more came within 1.5 s, while reading the answer"


def _chunked(body: bytes, *, more: bytes = b"") -> Behaviour:
    return play.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + more + b"\r\n" + body)


def _later(value: str, code: int = 503) -> Behaviour:
    return status(code, headers=[("Retry-After", value), DATE])


FAULTS: dict[str, tuple[Behaviour, str]] = {
    "hang": (play.hang(), SILENT),
    "headers drip": (play.drip(head=False), SILENT),
    "1xx drip": (play.endless_1xx(every=0.2), SILENT),
    "1xx flood": (play.endless_1xx(every=0), "protocol: interim responses (1xx) come without end"),
    "hang in the body": (play.hang_midway(), STALLED),
    "body drips": (play.drip(b"<rss>"), STALLED),
    "endless body": (play.endless_body(), LARGE),
    "endless chunked body": (play.endless_body(chunked=True), LARGE),
    "chunks of almost nothing": (play.chunk_flood(), "too-large: far more came than the body's size"),
    "endless headers": (play.endless_headers(), ILL),
    "huge header": (play.huge_header(), "too-large: the headers of the answer are too large"),
    "gzip bomb": (play.bomb("gzip"), LARGE),
    "deflate bomb": (play.bomb("deflate"), LARGE),
    "br bomb": (play.bomb("br"), LARGE),
    "zstd bomb": (play.bomb("zstd"), LARGE),
    "gzip in gzip": (
        play.bomb("gzip-in-gzip"),
        "encoding: the body is compressed 2 times over, which only bombs are",
    ),
    "a thousand members": (play.raw(head(200, [("Content-Encoding", "gzip")]) + gzip.compress(b"") * 1001), BROKEN),
    "huge declared length": (play.wrong_length(b"<rss/>", 10**12), LARGE),
    "length too large": (play.wrong_length(b"<rss/>", 1000), SHORT),
    "length too small": (play.wrong_length(b"<rss></rss>", 5), ILL),
    "length negative": (play.raw(b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nabc"), ILL),
    "two lengths": (play.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc"), ILL),
    "length and chunks": (_chunked(b"3\r\nabc\r\n0\r\n\r\n", more=b"Content-Length: 2\r\n"), ILL),
    "chunks of gzip": (
        play.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
        UNASKED,
    ),
    "no last chunk": (_chunked(b"3\r\nabc\r\n"), SHORT),
    "chunk size no number": (_chunked(b"zz\r\nabc\r\n"), ILL),
    "chunk size negative": (_chunked(b"-3\r\nabc\r\n"), ILL),
    "chunk size huge": (_chunked(b"f" * 40 + b"\r\nabc\r\n"), ILL),
    "gzip cut": (play.raw(head(200, [("Content-Encoding", "gzip")]) + gzip.compress(BODY)[:-20]), SHORT_PACKED),
    "not gzip": (page(BODY, headers=[("Content-Encoding", "gzip")]), BROKEN),
    "not deflate": (page(BODY, headers=[("Content-Encoding", "deflate")]), BROKEN),
    "not zstd": (page(BODY, headers=[("Content-Encoding", "zstd")]), BROKEN),
    "not br": (page(b"\xff" * 99, headers=[("Content-Encoding", "br")]), BROKEN),
    "unknown encoding": (
        page(BODY, headers=[("Content-Encoding", "l\xe9zma")]),
        "encoding: the body is compressed as 'l\\xe9zma', which was not asked for",
    ),
    "reset": (play.reset(), CLOSED),
    "closed": (play.raw(b""), CLOSED),
    "reset in the body": (play.reset_midway(b"<rss>", 1000), SHORT),
    "garbage": (play.raw(bytes(range(256)) * 20), ILL),
    "another protocol": (play.raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), ILL),
    "HTTP/0.9": (play.raw(b"<rss/>"), ILL),
    "HTTP/2": (play.raw(b"\0\0\x12\4\0\0\0\0\0"), ILL),
    "CR in an ETag": (page(BODY, etag='"a\rSet-Cookie: b"'), ILL),
    "204": (status(204), "status 204: the server answers 204"),
    "206": (page(BODY, status=206), "status 206: the server answers 206"),
    "304 unasked": (play.always_304(), "protocol 304: it says «not modified» to who has no copy yet"),
    "401": (status(401), "status 401: the server answers 401"),
    "404": (status(404), "status 404: the server answers 404"),
    "410": (status(410), "gone 410: the feed is gone for good (410)"),
    "429": (_later("120", 429), "status 429: the server answers 429 and asks to be left alone for 120 s [120]"),
    "503 with a date": (
        _later("Mon, 23 Nov 2026 20:00:00 GMT"),
        "status 503: the server answers 503 and asks to be left alone for 3600 s [3600]",
    ),
    "503 with a past date": (_later("Mon, 23 Nov 2020 20:00:00 GMT"), "status 503: the server answers 503 [0]"),
    "503 silly": (_later("soon"), "status 503: the server answers 503"),
    "503 negative": (_later("-5"), "status 503: the server answers 503"),
    "503 for ever": (
        _later("9" * 50),
        "status 503: the server answers 503 and asks to be left alone for 604800 s [604800]",
    ),
    "500": (status(500), "status 500: the server answers 500"),
    "to file": (redirect("file:///etc/passwd"), NOWHERE + "file: addresses can't be fetched"),
    "to ftp": (redirect("ftp://a.example/"), NOWHERE + "ftp: addresses can't be fetched"),
    "to gopher": (redirect("gopher://a.example/"), NOWHERE + "gopher: addresses can't be fetched"),
    "to javascript": (redirect("javascript:alert(1)"), NOWHERE + "javascript: addresses can't be fetched"),
    "to data": (redirect("data:text/xml,<rss/>"), NOWHERE + "data: addresses can't be fetched"),
    "to nothing": (redirect(""), "redirect: it redirects to nothing"),
    "to no address": (redirect("http://[::1"), "redirect: it redirects to what is not an address"),
    "without location": (status(302), "redirect: it redirects to nothing"),
    "to itself": (redirect("/to-itself"), "redirect 302: it redirects in a circle"),
    "without end": (redirect("/f1"), "redirect 302: it redirects more than 5 times"),
    "to a closed port": (
        redirect("http://a.example:81/"),
        "refused: it redirects to http://a.example:81/: no connection to port 81 of a.example: Connection refused",
    ),
    "to no host": (
        redirect("http://nowhere.test/"),
        "dns: it redirects to http://nowhere.test/: the host nowhere.test has no address: Name or service not known",
    ),
}
GOOD: dict[str, tuple[Behaviour, bytes]] = {
    **{
        f"as {coding}": (page(BODY, coding=coding), BODY) for coding in ("gzip", "deflate", "raw-deflate", "br", "zstd")
    },
    "chunked": (page(BODY, coding="gzip", chunked=True), BODY),
    "until closed": (page(BODY, close=True), BODY),
    "identity": (page(BODY, headers=[("Content-Encoding", "identity")]), BODY),
    "x-gzip": (page(gzip.compress(BODY), headers=[("Content-Encoding", "x-gzip")]), BODY),
    "two members": (page(gzip.compress(BODY) + gzip.compress(BODY), headers=[("Content-Encoding", "gzip")]), BODY * 2),
    "rubbish after gzip": (page(gzip.compress(BODY) + b"\0\0\0", headers=[("Content-Encoding", "gzip")]), BODY),
    "early hints": (
        play.raw(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        b"ok",
    ),
    "500 then 200": (sequence(status(500), BODY), BODY),
    "reset then 200": (sequence(play.reset(), BODY), BODY),
    "203": (page(BODY, status=203), BODY),
    "html": (page("<p>log in", type="text/html"), b"<p>log in"),
    "relative redirect": (redirect("as-gzip?x=1"), BODY),
    "redirect to another host": (redirect("//b.example/as-gzip"), BODY),
    "redirect with a space": (redirect("/as gzip"), b"space"),
    "empty": (page(b""), b""),
}
CHAIN = {f"/f{step}": redirect(f"/f{step + 1}") for step in range(1, 9)}


@pytest.fixture(scope="module")
def net() -> Iterator[Net]:
    routes = {_path(name): behaviour for name, (behaviour, _) in chain(FAULTS.items(), GOOD.items())}
    with network(routes | {"/as%20gzip": page(b"space"), **CHAIN}) as running:
        yield running


@pytest.fixture(scope="module")
def outcomes(net: Net) -> dict[str, Response | Failure]:
    """All faults and all good answers, fetched in one go."""
    names = [*FAULTS, *GOOD]
    requests = [Request(url=f"http://h{at}.example{_path(name)}", key=name) for at, name in enumerate(names)]
    return {outcome.key: outcome for outcome in net.all(requests)}


def _path(name: str) -> str:
    return "/" + name.replace(" ", "-").lower()


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_has_its_promised_outcome_and_words(name: str, outcomes: dict[str, Response | Failure]) -> None:
    assert words(outcomes[name]) == FAULTS[name][1]
    assert outcomes[name].seconds < LIMITS.timeout + 5


@pytest.mark.parametrize("name", GOOD)
def test_an_odd_but_good_answer_is_read(name: str, outcomes: dict[str, Response | Failure]) -> None:
    outcome = outcomes[name]
    assert isinstance(outcome, Response), outcome
    assert (outcome.status, outcome.body) == (200, GOOD[name][1])


def test_slow_hosts_hold_nobody_up(net: Net) -> None:
    slow = [Request(url=f"http://slow{at}.example/hang", key="slow") for at in range(3)]
    slow += [Request(url=f"http://slow.example/hang?{at}", key="slow") for at in range(4)]
    good = [Request(url=f"http://h{at}.example/ok", key="good") for at in range(30)]
    outcomes = net.all(slow + good, timeout=0.8, concurrency=8, per_host=2)
    assert [outcome.key for outcome in outcomes] == ["good"] * 30 + ["slow"] * 7


def test_a_host_that_never_answers_is_not_asked_for_ever(net: Net) -> None:
    requests = [Request(url=f"http://dead.example/hang?{at}") for at in range(40)]
    started = time.monotonic()
    outcomes = net.all(requests, timeout=0.2, per_host=3)
    assert time.monotonic() - started < 2
    unasked = "timeout: it was not asked: dead.example has not answered 6 other requests of this run"
    assert 32 <= [words(outcome) for outcome in outcomes].count(unasked) <= 34


def test_one_slow_route_of_a_host_costs_itself_alone(net: Net) -> None:
    requests = [Request(url=f"http://rsshub.example/{'hang' if at % 2 else 'ok'}?{at}") for at in range(24)]
    outcomes = net.all(requests, timeout=0.25, per_host=4)
    assert sum(isinstance(outcome, Response) for outcome in outcomes) == 12
    assert {words(outcome) for outcome in outcomes if isinstance(outcome, Failure)} == {
        SILENT.replace("1.5 s", "0.25 s")
    }


def test_a_run_that_is_late_begins_with_nothing_more_and_ends_what_it_began(net: Net) -> None:
    requests = [Request(url=f"http://late{at}.example/{'hang' if at % 2 else 'ok'}") for at in range(30)]
    fence = net.fence()
    limits = replace(LIMITS, timeout=0.3, concurrency=4)
    late = lambda: len(fence.connected) >= 12  # noqa: E731
    outcomes = list(fetch(requests, limits, connect=fence.connect, resolve=fence.resolve, late=late))
    assert len(outcomes) == 30
    assert len(fence.connected) < 12 + 4
    left = [outcome for outcome in outcomes if isinstance(outcome, Failure) and outcome.kind == "late"]
    assert len(left) == 30 - len(fence.connected)
    assert {outcome.message for outcome in left} == {"it was not asked: the run had no time left"}


def test_bombs_cost_little_memory_and_time(net: Net) -> None:
    bombs = [name for name in FAULTS if "bomb" in name or "endless" in name or "gzip in" in name]
    for name in bombs:
        script = MEASURE.format(port=net.http.port, path=_path(name))
        ran = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, cwd=ROOT, timeout=20)
        megabytes, seconds = (float(each) for each in ran.stdout.split())
        assert megabytes < 100, f"{name} took {megabytes} MB"
        assert seconds < 5, f"{name} took {seconds} s of CPU"


ROOT = Path(__file__).resolve().parent.parent
MEASURE = """
import resource, time
from feedtool.fetch import Limits, Request, fetch, session
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
limits = Limits(timeout=10, allow_private_hosts=("127.0.0.1",))
(outcome,) = fetch([Request(url="http://127.0.0.1:{port}{path}")], limits)
assert outcome.kind in ("too-large", "encoding", "protocol"), outcome
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024, time.process_time())
"""
