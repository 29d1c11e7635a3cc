"""Test limits per host, connection reuse, conditional requests and retries of fetching."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import pytest

from feedtool.http import Request, Response, fetch, fetch_all
from tests.support import server as play
from tests.support.fence import BODY, LIMITS, Net, network
from tests.support.server import LoggedRequest, page


@pytest.fixture(scope="module")
def net() -> Iterator[Net]:
    faults = {"/500": play.status(500), "/404": play.status(404), "/410": play.status(410), "/429": play.status(429)}
    later = play.status(503, headers=[("Retry-After", "soon")])
    broken = {"/reset": play.reset(), "/closed": play.raw(b""), "/garbage": play.raw(b"\0"), "/503-silly": later}
    short = {
        "/length-too-large": play.wrong_length(b"<rss>", 99),
        "/reset-in-the-body": play.reset_midway(b"<rss>", 99),
    }
    others = {
        "/hang": play.hang(),
        "/304-unasked": play.always_304(),
        "/packed": page(BODY, coding="gzip", chunked=True),
    }
    with network({**faults, **broken, **short, **others}) as running:
        yield running


# Politeness ----------------------------------------------------------------------------------------------------


def test_per_host_and_total_concurrency_are_limited(net: Net) -> None:
    net.http.set("/slowly", page(BODY, delay=0.1))
    net.http.clear()
    requests = [Request(url=f"http://p{at % 5}.example/slowly?{at}") for at in range(40)]
    assert all(isinstance(outcome, Response) for outcome in net.all(requests, concurrency=6, per_host=2, timeout=60))
    log = net.http.log
    hosts = {
        host: [request for request in log if request.headers["host"] == host]
        for host in {request.headers["host"] for request in log}
    }
    assert sorted(hosts) == [f"p{at}.example" for at in range(5)]
    assert max(map(_most_at_once, hosts.values())) == 2
    assert 2 < _most_at_once(log) <= 6


def _most_at_once(log: list[LoggedRequest]) -> int:
    changes = sorted(chain(((request.started, 1) for request in log), ((request.ended or 1e99, -1) for request in log)))
    most = running = 0
    for _, change in changes:
        running += change
        most = max(most, running)
    return most


def test_connections_are_reused(net: Net) -> None:
    net.http.clear()
    net.all(
        [Request(url=f"http://kept.example/{path}") for path in ("ok", "404", "packed", "packed", "ok")], per_host=1
    )
    assert len({request.connection for request in net.http.log}) == 1
    assert net.http.log[-1].headers["connection"] == "close"


@pytest.mark.parametrize(
    ("name", "times"),
    [
        *(("500", 2), ("reset", 2), ("closed", 2), ("404", 1), ("429", 1), ("503 silly", 1), ("garbage", 1)),
        *(("hang", 1), ("length too large", 1), ("reset in the body", 1), ("410", 1)),
    ],
)
def test_only_transient_errors_are_retried_once(net: Net, name: str, times: int) -> None:
    net.http.clear()
    net.one("http://a.example" + "/" + name.replace(" ", "-"), limits={"timeout": 0.4})
    assert len(net.http.log) == times


def test_request_headers_identify_feedtool(net: Net) -> None:
    net.http.clear()
    net.one("http://a.example/ok")
    sent = net.http.log[0].headers
    assert sent["user-agent"] == "feedtool/0.1.0 (+https://github.com/feedtool/feedtool)"
    assert sent["accept-encoding"] == "gzip, deflate, br, zstd"
    assert sent["accept"].startswith("application/atom+xml, application/rss+xml, application/feed+json,")
    assert set(sent) == {"host", "user-agent", "accept", "accept-encoding", "connection"}


# Validators and freshness ----------------------------------------------------------------------------------------


def test_unchanged_response_is_a_304(net: Net) -> None:
    net.http.set("/etag", page(BODY, etag="auto", headers=[("Cache-Control", "max-age=600")]))
    first = net.one("http://a.example/etag")
    again = net.one("http://a.example/etag", etag=first.etag)
    assert (again.status, again.body, again.etag, again.max_age) == (304, b"", first.etag, 600)
    net.http.set("/etag", page(b"new", etag="auto"))
    assert net.one("http://a.example/etag", etag=first.etag).body == b"new"


def test_last_modified_alone_is_enough(net: Net) -> None:
    net.http.set("/dated", page(BODY, modified="Mon, 23 Nov 2026 10:00:00 GMT"))
    first = net.one("http://a.example/dated")
    assert net.one("http://a.example/dated", last_modified=first.last_modified).status == 304


def test_body_sent_despite_an_equal_etag_is_used(net: Net) -> None:
    net.http.set("/liar", page(BODY, etag='"same"', obey=False))
    assert net.one("http://a.example/liar", etag='"same"').body == BODY
    assert net.one("http://a.example/304-unasked", etag='"x"').status == 304


@pytest.mark.parametrize("value", ['"a\r\nX-Evil: 1"', '"a\nb"', '"\0"', '"\ud800"', "x" * 2000, ""])
def test_invalid_validator_is_not_sent(net: Net, value: str) -> None:
    net.http.clear()
    assert net.one("http://a.example/ok", etag=value, last_modified=value).status == 200
    assert not {"if-none-match", "if-modified-since", "x-evil"} & set(net.http.log[0].headers)


# The call itself -----------------------------------------------------------------------------------------------------


def test_slow_caller_causes_no_timeout(net: Net) -> None:
    for step in range(4):
        net.http.set(f"/wait{step}", page(b"", status=302, headers=[("Location", "/ok")], delay=0.04 * step))
    fence = net.fence()
    requests = [Request(url=f"http://p{at}.example/wait{at}") for at in range(4)]
    outcomes = []
    for outcome in fetch(requests, replace(LIMITS, timeout=2), connect=fence.connect, resolve=fence.resolve):
        time.sleep(0.7)
        outcomes.append(outcome)
    assert [type(outcome) for outcome in outcomes] == [Response] * 4
    assert max(outcome.seconds for outcome in outcomes) < 2


def test_caller_may_stop_at_any_time(net: Net) -> None:
    fence = net.fence()
    requests = [Request(url=f"http://p{at}.example/{'hang' if at else 'ok'}") for at in range(9)]
    outcomes = fetch(requests, replace(LIMITS, timeout=60), connect=fence.connect, resolve=fence.resolve)
    assert isinstance(next(outcomes), Response)
    started = time.monotonic()
    outcomes.close()  # type: ignore[attr-defined]
    assert time.monotonic() - started < 30


def test_every_request_returns_its_key(net: Net) -> None:
    assert net.all([]) == []
    requests = [Request(url="http://a.example/ok", key=str(at)) for at in range(70)]
    assert sorted(int(outcome.key) for outcome in net.all(requests, concurrency=1)) == list(range(70))


def test_exceptions_reach_the_caller(net: Net) -> None:

    def stop(_: object) -> None:
        raise KeyError("mine")

    fence = net.fence()
    work = fetch_all(
        [Request(url="http://a.example/ok")], LIMITS, on_done=stop, connect=fence.connect, resolve=fence.resolve
    )
    with pytest.raises(KeyError, match="mine"):
        asyncio.run(work)
