"""Test runs that reach their deadline: skipped sources come first in the next run, and count as no failure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from feedtool.http.models import Failure, Request, Response
from tests.support.ingestworld import NOW, World, entry
from tests.support.ingestworld import run as ingest
from tests.support.server import page, serve
from tests.support.site import make_site, run, tree

NAMES = [f"s{number}" for number in range(7)]


class ShortWorld(World):
    """A stand-in that has time for only a few requests in each run."""

    def __init__(self, few: int) -> None:
        super().__init__()
        self.few = few

    def fetch(self, requests: list[Request]) -> Iterator[Response | Failure]:
        yield from super().fetch(requests[: self.few])
        for request in requests[self.few :]:
            yield Failure(key=request.key, url=request.url, kind="late", message="no time")


def url(name: str) -> str:
    return f"https://{name}.example.org/feed"


def settings(more: str = "") -> str:
    tables = "".join(f'[[sources]]\nname = "{name}"\nurl = "{url(name)}"\n' for name in NAMES)
    return f'[site]\ntitle = "T"\n{more}{tables}'


def test_every_source_gets_a_turn_in_short_runs(tmp_path):
    world = ShortWorld(3)
    site = make_site(tmp_path, {}, settings())
    for number, name in enumerate(NAMES):
        world.pages[url(name)] = [entry(number, guid=name, link=f"https://{name}.example.org/1")]
    for visit in range(7):
        report = ingest(site, world, now=NOW + timedelta(hours=visit))
        assert (report.sources("late"), report.errors, report.sources("failed")) == (4, 0, 0)
    keys = [request.key for request in world.requests]
    assert keys[: len(NAMES)] == NAMES
    assert set(keys[len(NAMES) : 2 * len(NAMES) + 3]) == set(NAMES)
    assert len(tree(site / "articles")) == len(NAMES)


def test_skipped_source_leaves_no_state(tmp_path):
    world = ShortWorld(0)
    site = make_site(tmp_path, {}, settings())
    ingest(site, world)
    assert not (site / "feedtool.state").exists() or (site / "feedtool.state").read_text() == ""


def test_late_command_asks_nothing_and_succeeds(tmp_path):
    with serve({"/a": page("<rss/>")}) as server:
        allowed = '[ingest]\nallow_private_hosts = ["127.0.0.1"]\ndeadline = 0.001\n'
        site = make_site(tmp_path, {}, f'{allowed}[[sources]]\nname = "a"\nurl = "{server.url("/a")}"\n')
        done = run("ingest", "-C", str(site))
        assert (done.exit_code, server.log) == (0, [])
    assert "no time was left for 1 source; the next run visits it first" in done.stderr
    assert done.stdout.startswith("0 sources visited, 0 failed, 0 not due: 0 new articles")
