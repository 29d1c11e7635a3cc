"""Test the messages of an ingest: each problem once, with its file and line, its words and its remedy."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from feedtool import storage
from feedtool.config import load_settings
from feedtool.errors import FeedtoolError, OutputError
from feedtool.http.models import Response
from feedtool.ingesting import Choices, IngestReport, Parsed, Tools, ingest, recorder, select_sources
from feedtool.ingesting import pipeline as pipeline_module
from feedtool.ingesting.lookup import LookupIndex
from feedtool.ingesting.memory import Memory
from feedtool.ingesting.writer import Writer
from tests.support.ingestworld import FEED, NOW, SOURCE, URL, World, counts, entry, run
from tests.support.site import make_site, write

LINE = "feedtool.toml:7: Wire: "
FEEDTOOL_BUG = "this is a bug in feedtool; please report it with the feed"


def problems(report: IngestReport) -> list[str]:
    return [f"{one.code} {one.severity} {one}" for one in report.problems]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return make_site(tmp_path / "site", {}, SOURCE)


@pytest.fixture
def world() -> World:
    fake = World()
    fake.pages[URL] = [entry(0)]
    return fake


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ({"kind": "status", "message": "the server says 500", "hint": "try later"},
         f"FT301 error {LINE}the server says 500; try later"),
        ({"kind": "gone", "message": "it is gone", "hint": "ask there"}, f"FT302 error {LINE}it is gone; ask there"),
        ("no feed", f"FT303 error {LINE}this is not a feed"),
    ],
)  # fmt: skip
def test_failed_feed_is_reported(site: Path, world: World, page: Any, expected: str) -> None:
    world.pages[URL] = page
    report = run(site, world)
    assert problems(report) == [expected]
    (tally,) = report.tallies
    message = expected.partition("Wire: ")[2].partition(";")[0]
    assert (tally.source, tally.outcome, tally.message, tally.next) == (
        "Wire",
        "failed",
        message,
        NOW + timedelta(hours=1),
    )


def test_source_that_is_gone_is_not_fetched_again(site: Path, world: World) -> None:
    world.pages[URL] = {"kind": "gone", "message": "it is gone"}
    run(site, world)
    report = run(site, world, now=NOW + timedelta(days=1))
    hint = "remove it from feedtool.toml, or name it to try again"
    assert problems(report) == [f"FT302 warning {LINE}no longer fetched: it is gone; {hint}"]
    assert [(one.outcome, one.message) for one in report.tallies] == [("muted", "it is gone")]
    assert len(world.requests) == 1
    world.pages[URL] = [entry(0)]
    report = run(site, world, "Wire", now=NOW + timedelta(days=1))
    assert (problems(report), counts(report)) == ([], {"new": 1})


def test_permanently_moved_source_is_reported_once(site: Path, world: World) -> None:
    def moved(requests: Any) -> Iterator[Response]:
        for request in requests:
            body = json.dumps(world.pages[URL]).encode()
            place = "https://new.example/feed"
            yield Response(key=request.key, url=place, status=200, body=body, permanent_url=place)

    world.fetch = moved  # type: ignore[method-assign,assignment]
    expected = [problems(run(site, world, now=NOW + timedelta(days=number))) for number in range(5)]
    hint = "write the new address into feedtool.toml; it is fetched from there already"
    text = f"FT305 warning {LINE}has moved permanently to https://new.example/feed; {hint}"
    assert expected == [[], [], [text], [], []]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('url = "none.xml"', "FT308 error feedtool.toml:7: Wire: cannot be read: No such file or directory; check the path"),
        ('url = "https://e.org/${KEY}"',
         "FT306 error feedtool.toml:7: Wire: the address needs the environment variable KEY, which is not set; "
         "set KEY, or write the address into feedtool.toml without it"),
        ('url = "https://e.org/"\nheaders = { X-Key = "${KEY}" }',
         "FT306 error feedtool.toml:7: Wire: the header X-Key needs the environment variable KEY, which is not set; "
         "set KEY, or remove the header from feedtool.toml"),
    ],
)  # fmt: skip
def test_source_that_cannot_be_fetched_is_reported(tmp_path: Path, world: World, source: str, expected: str) -> None:
    site = make_site(tmp_path, {}, f'[[sources]]\nname = "Wire"\n{source}\n')
    report = run(site, world)
    assert problems(report) == [expected]
    assert report.tallies[0].outcome == "failed"
    assert report.tallies[0].next is None
    assert world.requests == []


def parsing(*results: Parsed) -> Callable[[Any], Iterator[Parsed]]:
    def parse(jobs: Any) -> Iterator[Parsed]:
        for _ in jobs:
            yield from results

    return parse


def test_parser_chooses_the_code_of_its_error(site: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.parse = parsing(Parsed(key="Wire", error="too much", hint="look", code="FT304"))  # type: ignore[method-assign]
    assert problems(run(site, world)) == [f"FT304 error {LINE}too much; look"]
    world.parse = parsing(Parsed(key="Wire", error="no feed"))  # type: ignore[method-assign]
    assert problems(run(site, world, force=True)) == [f"FT303 error {LINE}no feed"]


def test_exception_in_one_source_is_its_problem(site: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise ValueError("odd")

    monkeypatch.setattr(pipeline_module, "origin_of", fail)
    report = run(site, world)
    assert problems(report) == [f"FT304 error {LINE}it could not be read: ValueError: odd; {FEEDTOOL_BUG}"]
    monkeypatch.setattr(pipeline_module, "origin_of", lambda *_: (_ for _ in ()).throw(ModuleNotFoundError("lxml")))
    with pytest.raises(ModuleNotFoundError):
        run(site, world, force=True)


def test_unreadable_pages_are_reported(site: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline_module, "failures_message", lambda pending: "a page could not be read")
    report = run(site, world)
    assert problems(report) == [f"FT309 warning {LINE}a page could not be read; look at it in a browser"]
    assert counts(report) == {"new": 1}


def test_warnings_of_a_feed_are_remembered(site: Path, world: World) -> None:
    feed: Any = SimpleNamespace(**FEED)
    parsed = SimpleNamespace(
        **{**vars(next(world.parse([SimpleNamespace(key="Wire", body=b"[{}]")])).entries[0]), "title": "T"}
    )
    world.parse = parsing(Parsed(key="Wire", feed=feed, entries=(parsed,), warnings=("it was repaired",)))  # type: ignore[arg-type,method-assign]
    assert run(site, world).tallies[0].warnings == ["it was repaired", "1 of 1 entries has no text"]
    assert run(site, world).tallies[0].warnings == ["it was repaired"]


FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("where", "error", "expected"),
    [
        ("new", FULL, 'FT307 error articles/: Wire: the article "Story number {}" cannot be written: No space left on device; '
         "free some space"),
        ("new", OSError("odd"), 'FT307 error articles/: Wire: the article "Story number {}" cannot be written: odd; '
         "check the disk and the permissions"),
        ("place", OutputError("leads through a link", where="Wire/", hint="make it a folder"),
         "FT307 error articles/Wire/: leads through a link; make it a folder"),
        ("index", OutputError("cannot be used: the disk is full", where="x", hint="h"),
         "FT307 error articles/x: cannot be used: the disk is full; h"),
    ],
)  # fmt: skip
def test_unwritable_new_article_is_reported(
    site: Path, world: World, where: str, error: Exception, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise error

    world.pages[URL] = [entry(number) for number in range(5)]
    with monkeypatch.context() as patch:
        if where == "new":
            patch.setattr(Writer, "_write", refuse)
        elif where == "index":
            patch.setattr(LookupIndex, "add_pending", refuse)
        else:
            patch.setattr("feedtool.ingesting.paths.ArticlePaths.path", refuse)
        report = run(site, world)
    lines = problems(report)
    assert counts(report) == {"failed": 5}
    if where == "index":
        assert lines == [expected]
    else:
        # After three problems the others are not reported.
        assert sorted(set(lines)) == sorted({expected.format(number) for number in (4, 3, 2)})
        assert len(lines) == 3
    # The next visit tries again, although the feed did not change.
    report = run(site, world, now=NOW + timedelta(days=1))
    assert (counts(report), problems(report)) == ({"new": 5}, [])


def test_failed_update_is_reported_and_repeated(site: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    run(site, world)
    world.pages[URL] = [entry(0, title="T " * 60, html="<p>Other.</p>")]

    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Writer, "write_now", refuse)
        report = run(site, world, now=NOW + timedelta(days=1))
    title = ("T " * 60).strip()[:80]
    assert problems(report) == [
        f'FT307 error articles/Wire/Story-number-0.md: Wire: the article "{title}" cannot be written: Permission denied; '
        "check its permissions"
    ]
    assert counts(report) == {"failed": 1}
    assert counts(run(site, world, now=NOW + timedelta(days=2))) == {"updated": 1}


def test_unwritable_state_is_reported_once(site: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Memory) -> bool:
        raise OutputError("cannot be written: full", where=f"{site}/feedtool.state", hint="free some space")

    monkeypatch.setattr(recorder, "SAVE_EVERY", 1)
    monkeypatch.setattr(Memory, "save", refuse)
    report = run(site, world)
    assert problems(report) == ["FT307 error feedtool.state: cannot be written: full; free some space"]
    assert counts(report) == {"new": 1}

    def nowhere(self: Memory) -> bool:
        raise OutputError("cannot be used", hint="h")

    monkeypatch.setattr(Memory, "save", nowhere)
    assert problems(run(site, world, force=True)) == ["FT307 error .feedtool: cannot be used; h"]


def test_articles_folder_must_be_a_folder(site: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(site / "articles")
    assert counts(run(site, world, dry_run=True)) == {"new": 1}
    assert not (site / "articles").exists()
    assert not (site / ".feedtool").exists()
    write(site / "articles", b"")
    with pytest.raises(FeedtoolError) as failure:
        run(site, world)
    assert str(failure.value) == f"{site}/articles: is not a folder; set [articles] path"


def test_problems_are_sorted_by_place(tmp_path: Path, world: World) -> None:
    sources = "".join(f'[[sources]]\nname = "{name}"\nurl = "https://{name}.example/"\n' for name in "cab")
    site = make_site(tmp_path, {"x.md": "---\n<<<<<<< a\ntitle: x\n=======\ntitle: y\n>>>>>>> b\n---\n"}, sources)
    for name in "cab":
        world.pages[f"https://{name}.example/"] = {"kind": "status", "message": name}
    report = run(site, world)
    assert [(one.file, one.line, one.code) for one in report.problems] == [
        ("articles/x.md", 2, "FT310"), ("feedtool.toml", 7, "FT301"), ("feedtool.toml", 10, "FT301"),
        ("feedtool.toml", 13, "FT301"),
    ]  # fmt: skip
    assert [one.source for one in report.tallies] == ["c", "a", "b"]


def test_nameless_file_takes_the_title_of_its_feed(site: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(site)
    write(site / "own.json", json.dumps([entry(0)]).encode())
    long = " ".join(["The  title"] * 30)
    for title, name in (("  A \n title ", "A title"), (long, " ".join(long.split())[:100]), ("", "own")):
        monkeypatch.setitem(FEED, "title", title)
        report = run(site, world, "own.json", dry_run=True)
        assert [one.source for one in report.tallies] == [name]
        assert report.tallies[0].files == [f"{storage_name(name)}/Story-number-0.md"]


def storage_name(name: str) -> str:
    from feedtool.slugs import file_name

    return file_name(name, suffix="", limit=120)


def test_feed_decides_the_time_of_the_next_visit(site: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for facts, minutes in (
        ({"ttl": 90, "update_period": None}, 90),
        ({"ttl": 90, "update_period": 200}, 200),
        ({"ttl": None, "update_period": 100}, 100),
        ({"skip_hours": (19, 20)}, 150),
        ({"skip_days": ("Monday",)}, 330),
    ):
        for name, value in {"ttl": None, "skip_hours": (), "skip_days": (), **facts}.items():
            monkeypatch.setitem(FEED, name, value)
        report = run(site, world, force=True)
        assert report.tallies[0].next == NOW + timedelta(minutes=minutes)
        shutil.rmtree(site / "articles")
        (site / "articles").mkdir()
        (site / "feedtool.state").unlink()


def test_leftovers_of_a_killed_run_are_removed(site: Path, world: World) -> None:
    left = [f"articles/Wire/x.md{storage.TEMPORARY_SUFFIX}", f"articles/y.md{storage.TEMPORARY_SUFFIX}"]
    for path in left:
        write(site / path, b"")
    run(site, world, dry_run=True)
    assert all((site / path).exists() for path in left)
    run(site, world)
    assert not any((site / path).exists() for path in left)


def test_report_has_the_time_and_notes_of_the_run(site: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter((3.0, 4.5))
    monkeypatch.setattr(pipeline_module.time, "perf_counter", lambda: next(ticks))
    report = run(site, world)
    assert (report.seconds, report.notes) == (1.5, ())
    monkeypatch.undo()
    write(site / ".feedtool/ingest", b"damaged")
    report = run(site, world)
    assert [note.partition(" was")[0] for note in report.notes] == [".feedtool/ingest"]


def test_time_of_a_source_counts_its_own_work(site: Path, world: World) -> None:
    def fetch(requests: Any) -> Iterator[Response]:
        for request in requests:
            body = json.dumps(world.pages[URL]).encode()
            yield Response(key=request.key, url=request.url, status=200, body=body, seconds=1.25, wire_bytes=9)

    feed: Any = SimpleNamespace(**FEED)
    world.fetch = fetch  # type: ignore[method-assign,assignment]
    world.parse = parsing(Parsed(key="Wire", feed=feed, seconds=0.5))  # type: ignore[method-assign]
    (tally,) = run(site, world).tallies
    assert (tally.ms, tally.bytes) == (1750, 9)


def test_state_is_saved_during_a_long_run(tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = "".join(f'[[sources]]\nname = "s{n}"\nurl = "https://s{n}.example/"\n' for n in range(40))
    site = make_site(tmp_path, {}, sources)
    for number in range(40):
        world.pages[f"https://s{number}.example/"] = [entry(number)]
    saved: list[int] = []
    steps: list[int] = []
    real = Memory.save
    monkeypatch.setattr(Memory, "save", lambda self: (saved.append(len(steps)), real(self))[1])

    def once(every: int, dry: bool = False) -> list[int]:
        saved.clear()
        steps.clear()
        monkeypatch.setattr(recorder, "SAVE_EVERY", every)
        settings = load_settings(str(site), environment={})
        tools = Tools(fetch=world.fetch, parse=world.parse, environment={})
        choices = Choices(force=True, dry_run=dry, progress=lambda *step: steps.append(step[1]))
        ingest(settings, select_sources(settings, ()), tools=tools, clock=lambda: NOW, choices=choices)
        assert steps == list(range(1, 41))
        return [*saved]

    assert once(100) == [40]
    assert once(15) == [15, 30, 40]
    assert once(1) == [4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 40]
    assert once(1, dry=True) == []
    assert os.path.exists(site / "feedtool.state")
