"""Days of hourly runs played fast: what turns up as new in a reader of the built feed is what happened, once, and never again.

Each hour the sources are ingested by real parsers and the site is built; its Atom feed is read as a reader reads it, by ids.
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
    """The servers of all publishers, at one hour."""

    def __init__(self, rng: random.Random) -> None:
        self.publishers = publishers()
        self.rng = rng
        self.visit = 0
        self.given: set[str] = set()

    def fetch(self, requests: list[Request]) -> Iterator[Response | Failure]:
        """Answer as each server does; `given` are the stories that left it."""
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
        stories = publisher.held(self.visit, self.rng)
        body, charset = publisher.document(stories, self.visit)
        etag = f'"{sha256(body).hexdigest()[:16]}"'
        place = request.url
        if publisher.moves and self.visit >= publisher.moves:
            place = f"https://{publisher.name}.example.net/moved"
        moved = place if place != request.url else None
        if request.etag == etag:
            return Response(key=request.key, url=place, status=304, body=b"", etag=etag, permanent_url=moved)
        self.given |= {story.token for story in stories}
        kind = f"application/rss+xml; charset={charset}"
        return Response(
            key=request.key, url=place, status=200, body=body, content_type=kind, etag=etag, permanent_url=moved
        )


class Reader:
    """Someone who follows the site's feed: knows entries by their ids alone."""

    def __init__(self) -> None:
        self.read: dict[str, str] = {}

    def unread(self, feed: bytes) -> list[str]:
        """Return the stories that are new to the reader, and remember them; each entry tells of one."""
        new = []
        for entry in etree.fromstring(feed).iter(f"{ATOM}entry"):
            identity = entry.findtext(f"{ATOM}id")
            (token,) = set(TOKEN.findall(etree.tostring(entry, encoding="unicode")))
            if identity not in self.read:
                new.append(token)
            assert self.read.setdefault(identity, token) == token, f"an id tells of another story: {token}"
        return new


def _inline(function: Callable, jobs: Iterator) -> Iterator:
    return ((job, function(job)) for job in jobs)


def _hour(settings: Settings, world: World, now: datetime) -> bytes:
    """Let an hour's stories happen, ingest and build; return the site's feed."""
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
    someone = Reader()
    seen: set[str] = set()
    for visit in range(HOURS):
        world.visit = visit
        unread = someone.unread(_hour(settings, world, NOW + timedelta(hours=visit)))
        assert sorted(unread) == sorted(world.given - seen), f"in hour {visit}"
        seen |= world.given
    assert sorted(someone.read.values()) == sorted(seen)
    assert len(seen) > HOURS
    tally(HOURS)
