"""Test five visits of sources with faults: outcomes, articles, ETags, pauses and the state."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from feedtool.state import dump_state, parse_state
from tests.hostile_world.network.bodies import ITEM, feed, rss
from tests.hostile_world.network.faults import Fault
from tests.hostile_world.network.play import path_of, routes_of, settings_of
from tests.hostile_world.network.servers import World, world
from tests.support.behaviours import Behaviour, always_304, page, raw, redirect, sequence, status
from tests.support.site import make_site

VISITS = 5
LIMITS = "timeout = 60"


def _churning(visit: int) -> Behaviour:
    items = (
        f"<item><title>Number {n} stays</title><link>https://news.example/churn/{n}</link><guid>v{visit}-{n}</guid>"
        f"<pubDate>Mon, 2{n} Jul 2022 12:11:30 GMT</pubDate><description>The text of number {n}.</description></item>"
        for n in range(3)
    )
    return page(rss(*items), etag=f'"{visit}"')


def _tagged(tag: bytes) -> Behaviour:
    body = feed(repr(tag))
    return raw(b"HTTP/1.1 200 OK\r\nETag: " + tag + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


ODD_TAGS = {
    "a tag with a next line": '"a\x85b"'.encode(),
    "a tag with a line separator": '"a\u2028b\u2029"'.encode(),
    "a tag that is Latin-1": b'"\xe9"',
    "a tag that is UTF-8": '"é中"'.encode(),
    "a tag of JSON": b'"}\\", \\"kind\\": \\"gone"',
    "a tag of two": b'"a"\r\nETag: "b"',
    "a tag of 5 kB": b'"' + b"x" * 5000 + b'"',
    "a tag without quotes": b"W/ a;b,c",
}
SENT = {
    "a tag with a next line": '"a\x85b"',
    "a tag with a line separator": '"a\u2028b\u2029"',
    "a tag that is UTF-8": '"é中"',
    "a tag of JSON": '"}\\", \\"kind\\": \\"gone"',
    "a tag of two": '"a", "b"',
    "a tag without quotes": "W/ a;b,c",
}
"""What is sent back: the same, or nothing."""

PLAYED: dict[str, Fault] = {
    "304 for ever": Fault(sequence(page(feed("304"), etag='"1"'), always_304())),
    "one tag for all bodies": Fault(
        sequence(*(page(rss(ITEM.format(n=n, of="one tag")), etag='"same"', obey=False) for n in range(VISITS)))
    ),
    "a tag a visit for one body": Fault(
        sequence(*(page(feed("a tag a visit"), etag=f'"{n}"', obey=False) for n in range(VISITS)))
    ),
    "ids that change": Fault(sequence(*map(_churning, range(VISITS)))),
    "there, away, empty and there": Fault(
        sequence(page(feed("away")), status(404), page(rss()), page(b""), page(feed("away")))
    ),
    "500 for ever": Fault(status(500)),
    "404, then good": Fault(sequence(status(404), status(404), page(feed("late")))),
    "gone": Fault(status(410)),
    "moves for ever": Fault(redirect("/moved", 301), more=(("/moved", page(feed("moved"))),)),
    "moves to http": Fault(
        redirect("http://far.example/far", 301), "https://secure.example/moves-to-http", (("/far", page(feed("far"))),)
    ),
    **{name: Fault(_tagged(tag)) for name, tag in ODD_TAGS.items()},
}
LATER = {
    "7200": 7200, "60": 3600, "0": 3600, "-5": 3600, "soon": 3600, "99999999": 604_800, "9" * 300: 604_800,
    "Fri, 31 Dec 9999 23:59:59 GMT": 604_800, "Thu, 01 Jan 1970 00:00:00 GMT": 3600,
}  # fmt: skip
"""Values of Retry-After, and for how many seconds a source is left alone."""


@pytest.fixture(scope="module")
def running_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    busy = {
        f"/{code}/{at}": status(code, headers=[("Retry-After", value)])
        for code in (429, 503)
        for at, value in enumerate(LATER)
    }
    with world(tmp_path_factory.mktemp("world"), {**routes_of(PLAYED), **busy}, ("secure.example",)) as running:
        yield running


@pytest.fixture(scope="module")
def visits(running_world: World, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Return the tallies, states and requests of five visits of every source, each when it is due."""
    site = make_site(tmp_path_factory.mktemp("site"), {}, settings_of(PLAYED, LIMITS))
    results = []
    for _ in range(VISITS):
        running_world.http.clear()
        done = running_world.run("ingest", "-C", str(site), "--json")
        report = json.loads(done.stdout)
        state = parse_state((site / "feedtool.state").read_text("utf-8"))
        sent = {request.path: request.headers.get("if-none-match") for request in running_world.http.log}
        assert len((site / "feedtool.state").read_text("utf-8").split("\n")) == len(state) + 2, (
            "a line each, one of the version, and nothing after the last"
        )
        results.append(
            {
                "tallies": {one["source"]: one for one in report["sources"]},
                "state": {name: facts for (kind, name), facts in state.items() if kind == "source"},
                "kinds": {kind for kind, _ in state},
                "sent": sent,
                "asked": [(request.host, request.path) for request in running_world.http.log],
                "words": [problem["message"] for problem in report["problems"]],
                "articles": sorted(path.relative_to(site).as_posix() for path in (site / "articles").rglob("*.*")),
            }
        )
        _due(site)
    return results


def _due(site: Path) -> None:
    """Make every source due."""
    path = site / "feedtool.state"
    state = parse_state(path.read_text("utf-8"))
    past = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    path.write_text(
        dump_state({key: facts | ({"next": past} if "next" in facts else {}) for key, facts in state.items()}), "utf-8"
    )


def _columns_of(visits: list[dict[str, Any]], name: str, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(one["tallies"][name][column] for column in columns) for one in visits]


@pytest.mark.fault_class("network.visits")
@pytest.mark.parametrize(
    ("name", "outcomes"),
    [
        ("304 for ever", [("ingested", 2), *[("unchanged", 0)] * 4]),
        ("one tag for all bodies", [("ingested", 1)] * 5),
        ("a tag a visit for one body", [("ingested", 2), *[("unchanged", 0)] * 4]),
        ("ids that change", [("ingested", 3), *[("ingested", 0)] * 4]),
        ("there, away, empty and there", [("ingested", 2), ("failed", 0), ("ingested", 0), ("failed", 0), ("ingested", 0)]),
        ("500 for ever", [("failed", 0)] * 5),
        ("404, then good", [("failed", 0), ("failed", 0), ("ingested", 2), *[("unchanged", 0)] * 2]),
        ("gone", [("failed", 0), *[("muted", 0)] * 4]),
        ("moves for ever", [("ingested", 2), *[("unchanged", 0)] * 4]),
        ("moves to http", [("ingested", 2), *[("unchanged", 0)] * 4]),
        *((name, [("ingested", 2), *[("unchanged", 0)] * 4]) for name in ODD_TAGS),
    ],
)  # fmt: skip
def test_five_visits_of_a_source_end_as_expected(
    visits: list[dict[str, Any]], name: str, outcomes: list[tuple[str, int]], tally: Callable[[int], None]
) -> None:
    assert _columns_of(visits, name, "outcome", "new") == outcomes
    tally(VISITS)


def test_faults_never_duplicate_or_lose_articles(visits: list[dict[str, Any]]) -> None:
    articles_by_visit = [set(one["articles"]) for one in visits]
    assert all(before <= after for before, after in pairwise(articles_by_visit))
    assert len(articles_by_visit[-1]) == sum(one["new"] for visit in visits for one in visit["tallies"].values())
    assert visits[-1]["kinds"] == {"source"}  # and no article was recorded as deleted


@pytest.mark.fault_class("network.tags")
@pytest.mark.parametrize("name", ODD_TAGS)
def test_etag_is_sent_back_unchanged_or_not_at_all(visits: list[dict[str, Any]], name: str) -> None:
    for one in visits[1:]:
        sent = one["sent"][path_of(name)]
        assert (sent.encode("latin-1").decode() if sent else None) == SENT.get(name)
    for one in visits:
        assert set(one["state"]) == set(PLAYED)
        assert one["state"][name].get("etag") == SENT.get(name)


def test_each_failure_in_a_row_doubles_the_pause(visits: list[dict[str, Any]]) -> None:
    pauses = []
    for one in visits:
        facts = one["state"]["500 for ever"]
        pauses.append(
            (datetime.fromisoformat(facts["next"]) - datetime.fromisoformat(facts["failed"])) / timedelta(hours=1)
        )
    assert pauses == [1, 2, 4, 8, 16]
    assert "failures" not in visits[2]["state"]["404, then good"]


def test_gone_source_is_asked_once_and_always_reported(visits: list[dict[str, Any]]) -> None:
    assert [("/gone" in one["sent"]) for one in visits] == [True, False, False, False, False]
    message = "gone: no longer fetched: the feed is gone permanently (410)"
    assert all(message in one["words"] for one in visits[1:])


def test_redirect_is_permanent_after_three_visits(visits: list[dict[str, Any]]) -> None:
    assert ["/moves-for-ever" in one["sent"] for one in visits] == [True, True, True, False, False]
    assert any(
        "moves for ever: has moved permanently to http://h8.example/moved" in word for word in visits[2]["words"]
    )


@pytest.mark.fault_class("network.later")
@pytest.mark.parametrize("code", [429, 503])
def test_retry_after_is_clamped_and_persisted(
    running_world: World, tmp_path: Path, code: int, tally: Callable[[int], None]
) -> None:
    every = {value: Fault(status(code), f"http://w{at}.example/{code}/{at}") for at, value in enumerate(LATER)}
    site = make_site(tmp_path, {}, settings_of({str(at): fault for at, fault in enumerate(every.values())}, LIMITS))
    running_world.http.clear()
    assert running_world.run("ingest", "-C", str(site), "--json").returncode == 1
    state_text = (site / "feedtool.state").read_text("utf-8")
    pauses = {}
    for (_, name), facts in parse_state(state_text).items():
        pauses[int(name)] = (
            datetime.fromisoformat(facts["next"]) - datetime.fromisoformat(facts["failed"])
        ).total_seconds()
    assert [pauses[at] for at in range(len(LATER))] == list(LATER.values())
    request_count = len(running_world.http.log)
    assert request_count == len(LATER)
    again = running_world.run("ingest", "-C", str(site), "--json")
    assert (again.returncode, len(running_world.http.log)) == (0, request_count)
    assert {one["outcome"] for one in json.loads(again.stdout)["sources"]} == {"waiting"}
    assert (site / "feedtool.state").read_text("utf-8") == state_text
    tally(len(LATER))
