"""Kill runs of a site again and again, and compare the site with a twin whose runs are never killed.


    python -m tests.hostile_world.crashes --kills 500 [--seed 1]

The program prints its progress. It exits with 1 and a traceback at the first file that is neither the old nor the new
one, or that differs from the twin's.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from feedtool.config import load_settings
from feedtool.errors import FeedtoolError
from feedtool.http.models import Response
from feedtool.ingesting import Choices, IngestReport, Tools, ingest, select_sources
from feedtool.ingesting.engines import feed_reader, prepare
from feedtool.models import Report
from feedtool.publish import Choices as BuildChoices
from feedtool.publish import build
from feedtool.storage import TEMPORARY_SUFFIX
from feedtool.workers import mapper, sandboxed
from tests.hostile_world.child import child
from tests.hostile_world.guarded_site import site_files
from tests.support.site import make_site, write

MANIFEST = "public/.feedtool-manifest"
URL = "https://wire.example/feed"
SETTINGS = f"""[feeds]
limit = 6
[pages]
articles = "all"
[[sources]]
name = "Wire"
url = "{URL}"
categories = ["News"]
"""
Work = Callable[[Path], int]
Files = dict[str, bytes]


@dataclass
class Life:
    """The random events of a site: an author who writes, edits and deletes, a feed that changes, and time."""

    seed: int
    now: datetime = datetime(2026, 11, 23, 12, tzinfo=UTC)
    own: dict[str, str] = field(default_factory=dict)
    feed: dict[int, str] = field(default_factory=dict)
    count: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        for _ in range(9):
            self.go_on()

    def go_on(self) -> None:
        """Let an hour pass with some events."""
        self.now += timedelta(hours=1)
        for _ in range(self.chance.randint(1, 3)):
            self.count += 1
            event = self.chance.choice(("write", "write", "edit", "delete"))
            if event == "write" or not self.own:
                self.own[f"own/{self.chance.choice(('x', 'y'))}/a{self.count}.md"] = self._article()
            else:
                name = self.chance.choice(sorted(self.own))
                if event == "edit":
                    self.own[name] = self._article()
                else:
                    del self.own[name]
            self.count += 1
            self.feed[self.count if self.chance.random() < 0.7 else self.chance.choice([self.count, *self.feed])] = (
                self._words()
            )
        while len(self.feed) > 12:
            del self.feed[min(self.feed)]

    def write(self, site: Path) -> None:
        """Update the site's own articles to this state; write only those that differ."""
        for path in list((site / "articles" / "own").rglob("*.md")):
            if path.relative_to(site / "articles").as_posix() not in self.own:
                path.unlink()
        for name, text in self.own.items():
            path = site / "articles" / name
            if not path.exists() or path.read_text() != text:
                write(path, text)

    def document(self) -> bytes:
        """Return the current feed of the source."""
        items = [
            {
                "id": f"{URL}/{number}",
                "url": f"{URL}/{number}",
                "title": f"Story {number % 4}",
                "date_published": (datetime(2026, 11, 1, tzinfo=UTC) + timedelta(hours=number)).isoformat(),
                "content_html": f"<p>{text}</p>",
            }
            for number, text in sorted(self.feed.items(), reverse=True)
        ]
        return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "Wire", "items": items}).encode()

    def _article(self) -> str:
        category = self.chance.choice(("One", "Two", "Three"))
        date = f"2026-11-{self.count % 20 + 1:02}T0{self.count % 10}:00:00Z"
        front = f"title: A{self.count}\ndate: {date}\ncategories: [{category}]\nguid: a{self.count}"
        return f"---\n{front}\n---\n<p>{self._words()}</p>\n"

    def _words(self) -> str:
        return " ".join(
            self.chance.choice(("quick", "brown", "fox", "lazy", "dog")) for _ in range(self.chance.randint(5, 400))
        )


def new_site(folder: Path) -> Path:
    """Make the site without articles."""
    return make_site(folder, {}, SETTINGS)


def ingesting(life: Life) -> Work:
    """Return an ingest of the current feed: only the socket and the clock are replaced."""
    body, now = life.document(), life.now

    def work(site: Path) -> int:
        settings = load_settings(str(site), environment={})
        tools = Tools(
            fetch=lambda requests: (Response(key=one.key, url=one.url, status=200, body=body) for one in requests),
            parse=feed_reader(sandboxed(1, prepare)),
            environment={},
        )
        chosen = select_sources(settings, ())
        return _exit_code(lambda: ingest(settings, chosen, tools=tools, clock=lambda: now, choices=Choices(force=True)))

    return work


def building(life: Life) -> Work:
    """Return a build at the current time."""
    now = life.now

    def work(site: Path) -> int:
        settings = load_settings(str(site), environment={})
        with mapper(1) as engine:
            return _exit_code(lambda: build(settings, mapper=engine, clock=lambda: now, choices=BuildChoices()))

    return work


def _exit_code(work: Callable[[], Report | IngestReport]) -> int:
    try:
        report = work()
        print(*report.notes, *report.problems, sep="\n")
        return 1 if report.errors else 0
    except FeedtoolError as error:
        print(error, file=sys.stderr)
        return 2


@dataclass
class Survivor:
    """A site whose runs are killed, and its twin."""

    place: Path
    seed: int
    kills: int = 0
    runs: int = 0

    def __post_init__(self) -> None:
        self.life = Life(self.seed)
        self.chance = random.Random(self.seed)
        self.site, self.twin = new_site(self.place / "site"), new_site(self.place / "twin")

    def hour(self, most: int) -> None:
        """Let an hour pass with an ingest and a build that are killed, up to `most` kills in all."""
        self.life.go_on()
        for one in (self.site, self.twin):
            self.life.write(one)
        for make in (ingesting, building):
            self._kill_runs(make(self.life), most)

    def _kill_runs(self, work: Work, most: int) -> None:
        old = site_files(self.site)
        undisturbed = child(lambda: work(self.twin))
        assert undisturbed.code == 0, undisturbed.output
        new = site_files(self.twin)
        while self.kills < most:
            result = child(lambda: work(self.site), kill_after=self.chance.uniform(0, undisturbed.seconds))
            self.runs += 1
            if result.code != -9:
                assert result.code == 0, result.output
                break
            self.kills += 1
            assert_old_or_new(site_files(self.site), old, new)
            if self.chance.random() < 0.2:
                shutil.rmtree(self.site / ".feedtool", ignore_errors=True)
            if self.chance.random() < 0.3:
                break
        result = child(lambda: work(self.site))
        assert result.code == 0, result.output
        assert_same(site_files(self.site), new)


def assert_old_or_new(now: Files, old: Files, new: Files) -> None:
    """Assert that every file is as before or as after the run, and that the manifest lists all output files."""
    for name, data in now.items():
        if not name.endswith(TEMPORARY_SUFFIX) and name != MANIFEST:
            assert data in (old.get(name), new.get(name)), f"{name} is neither old nor new"
    for name in old.keys() & new.keys():
        assert name in now, f"{name} is lost"
    ours = set(now.get(MANIFEST, b"").decode().split("\n"))
    published = {name.removeprefix("public/") for name in now if name.startswith("public/")}
    assert {name for name in published if not name.endswith(TEMPORARY_SUFFIX)} - ours <= {".feedtool-manifest"}


def assert_same(now: Files, new: Files) -> None:
    """Assert that exactly the expected files exist."""
    assert now.keys() == new.keys(), sorted(now.keys() ^ new.keys())
    differing = [name for name in new if now[name] != new[name]]
    assert not differing, differing


@dataclass
class Step:
    """One run of a site that is tried many times: its template, the work, and the files before and after."""

    name: str
    template: Path
    work: Work
    old: Files
    new: Files

    def again(self, place: Path) -> Path:
        """Return a fresh copy of the site."""
        shutil.rmtree(place, ignore_errors=True)
        return Path(shutil.copytree(self.template, place, symlinks=True))


def steps(place: Path, seed: int = 1) -> Iterator[Step]:
    """Yield an ingest and a build with much work, and their undisturbed results."""
    life, site = Life(seed), new_site(place / "template")
    for _ in range(2):
        life.go_on()
        life.write(site)
        for make in (ingesting, building):
            assert child(lambda make=make: make(life)(site)).code == 0  # type: ignore[misc]
    for _ in range(3):
        life.go_on()
    life.write(site)
    for name, make in (("ingest", ingesting), ("build", building)):
        template = Path(shutil.copytree(site, place / f"before-{name}", symlinks=True))
        old = site_files(site)
        assert child(lambda make=make: make(life)(site)).code == 0  # type: ignore[misc]
        yield Step(name, template, make(life), old, site_files(site))


def main(words: list[str]) -> int:
    """Kill runs as often as the arguments say; return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        one = Survivor(Path(folder), options.seed)
        while one.kills < options.kills:
            one.hour(options.kills)
            print(
                f"seed {options.seed}: {one.kills} killed of {one.runs} runs, all whole and the same as the twin's",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
