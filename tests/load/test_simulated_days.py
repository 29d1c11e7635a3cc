"""Test with simulated days of hourly runs that a reader of the built feed sees every story as new exactly once.

Each hour, real parsers ingest the sources and the site is built; its Atom feed is read by ids, as a feed reader does.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from lxml import etree

from feedtool.config import Settings, load_settings
from feedtool.http.models import Failure, Request, Response
from feedtool.ingesting import Tools, ingest, select_sources
from feedtool.ingesting.engines import feed_reader
from feedtool.publish import Choices, build
from tests.load.publishers import Publisher, publishers
from tests.reliability.results import FULL, trials
from tests.support.site import make_site

NOW = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)
ATOM = "{http://www.w3.org/2005/Atom}"
TOKEN = re.compile(r"token[a-z]+x\d+x")
HOURS = trials(24, 24 * 30)
PACE = 0.2 if FULL else 1.0


class World:
    """The servers of all publishers at one hour."""

    def __init__(self, rng: random.Random) -> None:
        self.publishers = publishers()
        self.rng = rng
        self.visit = 0
        self.served_tokens: set[str] = set()

    def fetch(self, requests: list[Request]) -> Iterator[Response | Failure]:
        """Answer as each server does; `served_tokens` has the stories in all answers."""
        by_name = {one.name: one for one in self.publishers}
        for request in requests:
            publisher = by_name[request.url.split("/")[2].partition(".")[0]]
            if self.rng.random() < publisher.fails:
                status = self.rng.choice((404, 500, 503))
                message = f"the server answers {status}"
                yield Failure(key=request.key, url=request.url, kind="status", message=message, status=status)
                continue
            yield self._answer(request, publisher)

    def _answer(self, request: Request, publisher: Publisher) -> Response:
        stories = publisher.stories_at(self.visit, self.rng)
        body, charset = publisher.document(stories, self.visit)
        etag = f'"{sha256(body).hexdigest()[:16]}"'
        place = request.url
        if publisher.moves and self.visit >= publisher.moves:
            place = f"https://{publisher.name}.example.net/moved"
        moved = place if place != request.url else None
        if request.etag == etag:
            return Response(key=request.key, url=place, status=304, body=b"", etag=etag, permanent_url=moved)
        self.served_tokens |= {story.token for story in stories}
        kind = f"application/rss+xml; charset={charset}"
        return Response(
            key=request.key, url=place, status=200, body=body, content_type=kind, etag=etag, permanent_url=moved
        )


class Reader:
    """A follower of the site's feed who knows entries by their ids only."""

    def __init__(self) -> None:
        self.read: dict[str, str] = {}

    def unread(self, feed: bytes) -> list[str]:
        """Return the stories that are new to the reader, and mark them as read; each entry has one story."""
        new = []
        for entry in etree.fromstring(feed).iter(f"{ATOM}entry"):
            identity = entry.findtext(f"{ATOM}id")
            (token,) = set(TOKEN.findall(etree.tostring(entry, encoding="unicode")))
            if identity not in self.read:
                new.append(token)
            assert self.read.setdefault(identity, token) == token, f"an id belongs to another story: {token}"
        return new


def _inline(function: Callable, jobs: Iterator) -> Iterator:
    return ((job, function(job)) for job in jobs)


def _hour(settings: Settings, world: World, now: datetime) -> bytes:
    """Add the stories of an hour, ingest and build; return the feed of the site."""
    for publisher in world.publishers:
        publisher.happen(now, world.rng, PACE)
    tools = Tools(fetch=world.fetch, parse=feed_reader(_inline))
    ingest(settings, select_sources(settings, ()), tools=tools, clock=lambda: now)
    report = build(settings, mapper=map, clock=lambda: now, choices=Choices())
    assert [problem for problem in report.problems if problem.severity == "error"] == []
    return (Path(settings.folder) / settings.output / "atom.xml").read_bytes()


@pytest.mark.slow
@pytest.mark.fault_class("load.hours")
@pytest.mark.parametrize("seed", range(trials(1, 2)))
def test_each_hour_shows_new_entries_exactly_once(tmp_path: Path, seed: int, tally: Callable[[int], None]) -> None:
    world = World(random.Random(seed))
    tables = "".join(f'[[sources]]\nname = "{one.name}"\nurl = "{one.url()}"\n' for one in world.publishers)
    head = '[site]\ntitle = "T"\nurl = "https://example.org/"\n[feeds]\nlimit = 100000\n[pages]\nindex = false\n'
    site = make_site(tmp_path, {}, head + tables)
    settings = load_settings(str(site), environment={})
    reader = Reader()
    expected: set[str] = set()
    for visit in range(HOURS):
        world.visit = visit
        unread = reader.unread(_hour(settings, world, NOW + timedelta(hours=visit)))
        assert sorted(unread) == sorted(world.served_tokens - expected), f"in hour {visit}"
        expected |= world.served_tokens
    assert sorted(reader.read.values()) == sorted(expected)
    assert len(expected) > HOURS
    tally(HOURS)
