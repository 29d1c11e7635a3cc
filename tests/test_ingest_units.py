"""Test the small parts of an ingest one by one: schedule, titles, paths, state, secrets, sources, engines and pruning."""

from __future__ import annotations

import errno
import json
import os
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from feedtool import storage
from feedtool.config import SourceSettings, load_settings, parse_settings
from feedtool.errors import FeedtoolError, UsageError
from feedtool.feedparse.worker import FeedLookup
from feedtool.http.models import USER_AGENT, Limits, Response
from feedtool.ingesting import engines, paths
from feedtool.ingesting.engines import (
    BROKEN_FEED_HINT,
    Parsed,
    digest_of,
    feed_identifier,
    feed_reader,
    limits_of,
    page_cleaner,
    page_extractor,
)
from feedtool.ingesting.matches import ExistingArticle
from feedtool.ingesting.memory import (
    Memory,
    entry_key,
    keys_to_remember,
    mark_articles_deleted,
    mark_vanished_deleted,
    title_key,
)
from feedtool.ingesting.models import IngestReport, SourceRun, Tally, Tools
from feedtool.ingesting.paths import ArticlePaths
from feedtool.ingesting.prune import Bounds, prune
from feedtool.ingesting.schedule import (
    Health,
    Visit,
    after_failure,
    after_success,
    counts_by_week,
    down_hosts,
    facts_of,
    longest_due_first,
    next_visit,
    skip_down_hosts,
    without_password,
)
from feedtool.ingesting.secrets import address_secrets, without_secrets
from feedtool.ingesting.source_selection import RequestedSource, is_read_differently, is_url, request_of, select_sources
from feedtool.ingesting.values import _first_words, warnings_of
from feedtool.ingesting.writer import Writer
from feedtool.models import Problem
from feedtool.workers.sandbox import JobFailure
from tests.support.ingestworld import ENTRY, SOURCE, World, entry, run
from tests.support.site import article, make_site, tree, write

NOW = datetime(2026, 11, 23, 18, 30, 20, 5, tzinfo=UTC)  # a Monday
URL = "https://s.example/feed"
PLAIN = SourceSettings(name="S", url=URL)
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def error_of(call: Any, *given: Any, **more: Any) -> str:
    """Return the text of the error that a call raises."""
    with pytest.raises(FeedtoolError) as failure:
        call(*given, **more)
    return str(failure.value)


# The schedule.

HOUR = NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("wishes", "moment"),
    [
        ({}, HOUR),
        ({"skip_days": DAYS}, HOUR),
        ({"skip_days": [*DAYS, "Someday"]}, HOUR),
        ({"skip_days": DAYS[:6]}, datetime(2026, 11, 29, tzinfo=UTC)),
        ({"skip_days": [*DAYS[:6], "Someday"]}, datetime(2026, 11, 29, tzinfo=UTC)),
        ({"skip_days": DAYS[1:]}, HOUR),
        ({"skip_hours": range(1, 25)}, HOUR),
        ({"skip_hours": range(1, 24)}, datetime(2026, 11, 24, tzinfo=UTC)),
        ({"skip_hours": [19]}, datetime(2026, 11, 23, 20, tzinfo=UTC)),
        ({"skip_hours": [18, 20]}, HOUR),
        ({"skip_hours": [43]}, datetime(2026, 11, 23, 20, tzinfo=UTC)),
        ({"skip_days": DAYS[1:], "skip_hours": range(19, 24)}, datetime(2026, 11, 30, tzinfo=UTC)),
        ({"skip_days": DAYS[1:], "skip_hours": [*range(18), *range(19, 24)]}, datetime(2026, 11, 30, 18, tzinfo=UTC)),
        ({"max_age": -5}, NOW + timedelta(minutes=15)),
        ({"max_age": 901}, NOW + timedelta(seconds=901)),
        ({"max_age": 86_401}, NOW + timedelta(days=1)),
        ({"every": -5}, NOW + timedelta(minutes=15)),
        ({"every": 16}, NOW + timedelta(minutes=16)),
        ({"every": 10**12, "max_age": 10**12}, NOW + timedelta(days=1)),
    ],
)
def test_next_visit_follows_the_rules_of_the_feed(wishes: Any, moment: datetime) -> None:
    assert next_visit(NOW, **wishes) == moment


def test_skipped_hours_are_in_utc() -> None:
    from zoneinfo import ZoneInfo

    local = NOW.astimezone(ZoneInfo("Asia/Shanghai"))
    assert next_visit(local, skip_hours=[19]) == datetime(2026, 11, 23, 20, tzinfo=UTC)
    assert next_visit(local, skip_days=["Monday"]) == datetime(2026, 11, 24, tzinfo=UTC)


def test_visit_updates_the_health_of_its_source() -> None:
    before = Health(
        url=URL, etag="e", modified="m", digest="d", good=NOW, failed=NOW, next=NOW, failures=2, failure="dns", error="x",
        muted="y", moved="https://n.example/", sightings=2, every=3, skip_hours=(1,), skip_days=("Monday",),
        weeks=(("2026-W47", 1),), seen="a b", formerly=("old",), warnings=("w",),
    )  # fmt: skip
    visit = Visit(
        etag="e2", modified="m2", digest="d2", max_age=1200, every=30, skip_hours=(2,), skip_days=("Sunday",),
        permanent_url="https://n.example/",
    )  # fmt: skip
    assert after_success(before, visit, NOW, new=4) == Health(
        url=URL, etag="e2", modified="m2", digest="d2", good=NOW, next=NOW + timedelta(minutes=30), every=30,
        moved="https://n.example/", sightings=3, skip_hours=(2,), skip_days=("Sunday",),
        weeks=(("2026-W47", 1), ("2026-W48", 4)), seen="a b", formerly=("old",), warnings=("w",),
    )  # fmt: skip
    later = NOW + timedelta(minutes=1)
    assert after_failure(before, "gone", "it is gone", later) == replace(
        before,
        failed=later,
        next=later + timedelta(hours=4),
        failures=3,
        failure="gone",
        error="it is gone",
        muted="it is gone",
    )
    assert after_failure(before, "dns", "x", later, retry_after=7 * 86_400 + 1).next == later + timedelta(days=7)
    assert after_success(before, Visit(skip_hours=(19,)), NOW).next == datetime(2026, 11, 23, 20, tzinfo=UTC)
    assert after_success(before, Visit(skip_days=("Monday",)), NOW).next == datetime(2026, 11, 24, tzinfo=UTC)
    assert after_success(before, Visit(max_age=1800), NOW).weeks == (("2026-W47", 1),)


def test_new_articles_of_a_week_add_up() -> None:
    health = Health(url=URL)
    for weeks, new in ((0, 2), (0, 3), (11, 1)):
        health = after_success(health, Visit(), NOW + timedelta(weeks=weeks), new=new)
    assert health.weeks == (("2026-W48", 5), ("2027-W06", 1))
    assert counts_by_week(health, NOW + timedelta(weeks=11)) == (5, *[0] * 10, 1)
    assert after_success(health, Visit(), NOW + timedelta(weeks=12)).weeks == (("2027-W06", 1),)


def test_facts_hold_every_value_of_a_health() -> None:
    health = Health(
        url=URL, good=NOW.replace(microsecond=0), skip_hours=(1, 2), seen="a b", weeks=(("2026-W47", 1),), failures=3
    )
    assert facts_of(health) == {
        "url": URL, "good": "2026-11-23T18:30:20Z", "skip_hours": [1, 2], "seen": "a b", "weeks": {"2026-W47": 1},
        "failures": 3,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:p@e.org/a@b", "https://e.org/a@b"),
        ("https://e.org/a@b", "https://e.org/a@b"),
        ("https://e.org?a@b", "https://e.org?a@b"),
        ("https://e.org#a@b", "https://e.org#a@b"),
        ("https:\\\\u:p@e.org/", "https:\\\\e.org/"),
        ("HTTP+x-1.0://u@v@e.org/", "HTTP+x-1.0://e.org/"),
        ("feed.xml", "feed.xml"),
        ("x https://u:p@e.org/", "x https://u:p@e.org/"),
        ("https://u:p@e.org/ https://u:p@e.org/", "https://e.org/ https://u:p@e.org/"),
    ],
)
def test_password_is_removed_from_an_address(url: str, shown: str) -> None:
    assert without_password(url) == shown


def waiting(name: str, url: str = URL, **health: Any) -> SourceRun:
    source = SourceSettings(name=name, url=url)
    return SourceRun(RequestedSource(source=source, key=name), Health(url=url, **health), Tally(source=name))


def test_longest_waiting_source_comes_first() -> None:
    order = [waiting("a", next=NOW), waiting("b"), waiting("c", next=NOW - timedelta(days=1)), waiting("d")]
    assert [one.requested.key for one in longest_due_first(order)] == ["b", "d", "c", "a"]


def test_host_that_is_down_is_probed_once() -> None:
    down = {"failures": 1, "failure": "dns", "next": NOW + timedelta(hours=1)}
    rest = [waiting(f"r{number}", "https://down.example/", **down) for number in range(3)]
    ready = waiting("ready", "https://down.example/x", **{**down, "next": NOW})
    fresh = waiting("fresh", "https://down.example/y")
    other = waiting("other", "https://up.example/", **down)
    kept = skip_down_hosts([ready, fresh, other], [*rest, ready, fresh, other], NOW)
    assert kept == [fresh, other]
    assert (ready.tally.outcome, ready.tally.message) == ("waiting", "down.example is down")
    assert [one.tally.outcome for one in (fresh, other)] == ["ingested", "ingested"]
    assert skip_down_hosts([ready], [ready, *rest[:2]], NOW) == [ready]


def test_host_of_three_failed_sources_is_down() -> None:
    def down(**health: Any) -> tuple[str, Health]:
        return "a", Health(**{"failures": 1, "failure": "dns", "next": NOW + timedelta(seconds=1), **health})

    assert down_hosts([down()] * 3, NOW) == {"a"}
    assert down_hosts([down(), down(), down(next=NOW)], NOW) == set()
    assert down_hosts([down(), down(), down(next=None)], NOW) == set()
    assert down_hosts([down(), down(), down(failures=0)], NOW) == set()
    assert down_hosts([*[down()] * 3, down(failures=0, good=NOW)], NOW) == set()
    assert down_hosts([*[down()] * 3, down(failure="status", good=NOW)], NOW) == set()
    assert down_hosts([*[down()] * 3, down(failure="status")], NOW) == {"a"}


# Titles, texts and warnings.


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x" * 80, "x" * 80),
        ("x" * 81, "x" * 79 + "…"),
        ("a" * 40 + " " + "b" * 40, "a" * 40 + "…"),
        ("a" * 39 + " " + "b" * 41, "a" * 39 + " " + "b" * 39 + "…"),
        ("a" * 78 + " " + "b" * 9, "a" * 78 + "…"),
        ("a" * 79 + " " + "b" * 9, "a" * 79 + "…"),
        ("a" * 50 + " " + "b" * 28 + " c d", "a" * 50 + " " + "b" * 28 + "…"),
        ("a" * 50 + ", " + "b" * 40, "a" * 50 + "…"),
        ("a" * 50 + " \u2013- \u3001\uff1b\uff1a\uff0c;:\u2014 " + "b" * 40, "a" * 50 + "…"),
        ("a" * 50 + ". " + "b" * 40, "a" * 50 + ".…"),
        ("\u4e2d" * 50 + " " + "\u6587" * 40, "\u4e2d" * 50 + " " + "\u6587" * 28 + "…"),
        ("a" * 50 + " " + "b" * 27 + "\u2e7f" + "c" * 9, "a" * 50 + "…"),
        ("a" * 50 + " " + "b" * 27 + "\u2e80" + "c" * 9, "a" * 50 + " " + "b" * 27 + "\u2e80" + "…"),
    ],
)
def test_beginning_of_a_text_ends_between_words(text: str, words: str) -> None:
    assert _first_words(text) == words


@pytest.mark.parametrize(
    ("bodies", "expected"),
    [
        ([], []),
        (["x"], []),
        ([" "], ["1 of 1 entries has no text"]),
        (["", "x", ""], ["2 of 3 entries have no text"]),
        ([""] * 1200, ["1,200 of 1,200 entries have no text"]),
    ],
)
def test_entries_without_text_are_reported(bodies: list[str], expected: list[str]) -> None:
    entries: Any = [SimpleNamespace(**{**ENTRY, "html": body}) for body in bodies]
    assert warnings_of(entries) == expected
    for one in entries:
        one.page = "later"
    assert warnings_of(entries) == []


# Paths of new files.


def test_used_names_get_a_longer_digest(tmp_path: Path) -> None:
    article_paths = ArticlePaths(str(tmp_path))
    (tmp_path / "s").mkdir()
    found = [article_paths.path("s/", "A b", "urn:x", suffix=".html") for _ in range(4)]
    digests = [blake2b(b"urn:x", digest_size=size).hexdigest() for size in (3, 8, 16)]
    assert found == ["s/A-b.html", *(f"s/A-b-{digest}.html" for digest in digests)]
    assert error_of(article_paths.path, "s/", "A b", "urn:x", suffix=".html") == (
        "s/: has no free name for this article; look into that folder"
    )
    assert article_paths.path("s/", "A b", "urn:y", suffix=".html") != found[1]
    root = ArticlePaths(str(tmp_path))
    for _ in range(4):
        root.path("", "A", "i")
    assert error_of(root.path, "", "A", "i") == ".: has no free name for this article; look into that folder"


def test_existing_files_reserve_their_names(tmp_path: Path) -> None:
    for name in ("a.md", f"b.md{storage.TEMPORARY_SUFFIX}"):
        write(tmp_path / name, b"")
    article_paths = ArticlePaths(str(tmp_path))
    assert article_paths.path("", "A", "i").startswith("A-")
    assert article_paths.path("", "b", "i") == "b.md"
    assert article_paths.path("", "B", "j").startswith("B-")
    article_paths.release("b.md")
    article_paths.release("unknown/b.md")
    assert article_paths.path("", "b", "i") == "b.md"
    write(tmp_path / "c.md", b"")
    assert article_paths.path("", "c", "i") == "c.md"
    article_paths.clear()
    assert article_paths.path("", "c", "i").startswith("c-")
    assert len(article_paths.path("", "x" * 300, "i").encode()) <= 200
    assert len(paths.folder_of("{source}", source="x" * 300, categories=[], published=NOW)) == 121


def test_linked_folder_gets_no_file(tmp_path: Path) -> None:
    (tmp_path / "site/real").mkdir(parents=True)
    os.symlink(tmp_path, tmp_path / "site/link")
    article_paths = ArticlePaths(str(tmp_path / "site"))
    assert error_of(article_paths.path, "link/", "A", "i") == "link/: leads through a link; make it a folder of its own"
    assert article_paths.path("real/new/", "A", "i") == "real/new/A.md"


# The state.

MARKS = ["m1", "m2"]


def existing(guid: str, link: str = "", title: str = "T", source: str = "S", published: int = 5) -> ExistingArticle:
    return ExistingArticle("a.md", guid, link, title, source, published)


VERSION = b'{"kind": "feedtool", "key": "state", "version": 1}\n'


def test_unusable_state_is_named_in_the_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError(errno.EACCES, "Permission denied")

    place = f"{tmp_path}/feedtool.state"
    with monkeypatch.context() as patch:
        patch.setattr(storage, "read_or_none", refuse)
        assert error_of(Memory, str(tmp_path)) == f"{place}: cannot be read: Permission denied; check its permissions"
    memory = Memory(str(tmp_path))
    assert not memory.save()
    memory.mark_deleted("S", ["m"])
    monkeypatch.setattr(storage, "write", refuse)
    assert error_of(memory.save) == f"{place}: cannot be written: Permission denied; check its permissions"
    monkeypatch.undo()
    assert memory.save()
    assert not memory.save()
    assert (tmp_path / "feedtool.state").read_bytes() == VERSION + b'{"kind": "gone", "key": "m S"}\n'
    write(tmp_path / f".feedtool.state{storage.TEMPORARY_SUFFIX}", b"")
    removed: list[str] = []
    monkeypatch.setattr(storage, "remove_leftover", removed.append)
    memory.remove_leftover()
    assert removed == [place]


def test_saved_state_is_read_back(tmp_path: Path) -> None:
    memory = Memory(str(tmp_path))
    memory.keep_health("S", Health(url="https://u:p@s.example/", seen="b a", etag="\ud800"))
    memory.keep_health("T", Health(url=URL))
    memory.mark_deleted("S", ["m2", "m1"])
    assert memory.save()
    rows = [json.loads(line) for line in (tmp_path / "feedtool.state").read_text("utf-8").splitlines()]
    assert rows == [
        {"kind": "feedtool", "key": "state", "version": 1},
        {"kind": "gone", "key": "m1 S"},
        {"kind": "gone", "key": "m2 S"},
        {"kind": "source", "key": "S", "etag": "?", "seen": ["b", "a"], "url": "https://s.example/"},
        {"kind": "source", "key": "T", "url": URL},
    ]
    again = Memory(str(tmp_path))
    assert again.health("S", "https://s.example/") == Health(url="https://s.example/", seen="b a", etag="?")
    assert again.health("none", URL) == Health(url=URL)
    assert (again.entry_keys("S"), again.entry_keys("none")) == ({"a", "b"}, frozenset())
    assert [again.is_deleted("S", marks) for marks in (["m1"], ["x", "m2"], ["x"], [])] == [True, True, False, False]
    assert not again.is_deleted("T", ["m1"])
    assert not again.save()
    write(tmp_path / "feedtool.state", b'{"kind": "source", "key": "S", "seen": []}\n')
    empty = Memory(str(tmp_path))
    assert (empty.entry_keys("S"), empty.save()) == (frozenset(), True)


def test_deleted_article_is_remembered_by_all_its_keys(tmp_path: Path) -> None:
    memory = Memory(str(tmp_path))
    link = "e.org/a"
    memory.keep_health("new", Health(url=URL, seen=entry_key("e.org/b"), formerly=("S",)))
    mark_articles_deleted(memory, [existing("g1", link), existing("g2", "e.org/b", "U"), existing("g3", source="T")])
    kept = {key for kind, key in memory._state if kind == "gone"}
    assert kept == {
        f"{mark} new"
        for mark in (
            entry_key("g1"), title_key(link, "T", 5), title_key("", "T", 5), entry_key("g2"), entry_key("e.org/b"),
            title_key("e.org/b", "U", 5), title_key("", "U", 5),
        )
    } | {f"{mark} T" for mark in (entry_key("g3"), title_key("", "T", 5))}  # fmt: skip
    assert (title_key("l", "T", 5), title_key("", "T", 5)) == (entry_key("l T"), entry_key(" T 5"))
    digest = blake2b(b"g1", digest_size=6).digest()
    assert entry_key("g1") == urlsafe_b64encode(digest).decode()
    assert entry_key("\ud800") != entry_key("?")


@pytest.mark.parametrize(
    ("guid", "seen", "elsewhere", "gone"),
    [("g", "g", False, True), ("g", "x", False, False), ("g", "g", True, False), ("", "", False, False)],
)
def test_vanished_article_of_a_feed_counts_as_deleted(
    tmp_path: Path, guid: str, seen: str, elsewhere: bool, gone: bool
) -> None:
    memory = Memory(str(tmp_path))
    memory.keep_health("new", Health(url=URL, seen=entry_key(seen), formerly=("S",)))
    lookup: Any = SimpleNamespace(
        vanished=[existing(guid)], by_guid=lambda one: [1] if elsewhere and one == guid else []
    )
    mark_vanished_deleted(memory, lookup)
    assert memory.is_deleted("new", [entry_key(guid)]) is gone


def test_rename_changes_one_source_only(tmp_path: Path) -> None:
    memory = Memory(str(tmp_path))
    for name in ("b", "a", "c"):
        memory.keep_health(name, Health(url=URL, etag=name))
        memory.mark_deleted(name, [f"m{name}"])
    memory.rename("new", URL, ["a", "new"])
    assert memory.health("new", URL) == Health(url=URL, etag="b", formerly=("b",))
    assert sorted(memory._state) == [
        ("gone", "ma a"), ("gone", "mb new"), ("gone", "mc c"), ("source", "a"), ("source", "c"), ("source", "new"),
    ]  # fmt: skip
    memory.rename("new", URL, [])
    assert memory.health("c", URL).etag == "c"


def test_keys_are_remembered_for_a_while() -> None:
    old = [f"o{number:03}" for number in range(200)]
    assert keys_to_remember(["b", "a", "o000"], old) == ("a", "b", "o000", *old[1:198])
    assert keys_to_remember([f"n{number:03}" for number in range(41)], old[:30])[41:] == tuple(old[:20])
    assert keys_to_remember([f"n{number:03}" for number in range(39)], old[:30])[39:] == tuple(old[:21])


# Secrets.


def test_missing_variable_is_reported_with_a_remedy() -> None:
    assert address_secrets("https://e.org/${KEY}", {"KEY": "x"}) == {"KEY": "x"}
    assert error_of(address_secrets, "https://e.org/${KEY}", {}) == (
        "the address needs the environment variable KEY, which is not set; "
        "set KEY, or write the address into feedtool.toml without it"
    )
    assert error_of(
        request_of, RequestedSource(source=replace(PLAIN, headers=(("X-Key", "${KEY}"),)), key="S"), Health(url=URL), {}
    ) == (
        "the header X-Key needs the environment variable KEY, which is not set; "
        "set KEY, or remove the header from feedtool.toml"
    )


@pytest.mark.parametrize(
    ("value", "body", "shown"),
    [
        ("secret", b"a secret b", b"a ${KEY} b"),
        ("secre", b"a secre b", b"a secre b"),
        ("a&b/c d", b"x a%26b%2Fc%20d a&amp;b/c d a&b/c%20d", b"x ${KEY} ${KEY} ${KEY}"),
    ],
)
def test_secrets_are_removed_from_an_answer(value: str, body: bytes, shown: bytes) -> None:
    answer = Response(key="S", url="https://e.org/", status=200, body=body, wire_bytes=3, etag="t")
    assert without_secrets(answer, "https://e.org/", {"KEY": value}) == replace(answer, body=shown)


@pytest.mark.parametrize(
    ("permanent", "kept"),
    [
        (None, None),
        ("https://e.org/new?k=secret", "https://e.org/new?k=${KEY}"),
        ("https://other.org/new?k=secret", None),
        ("https://other.org/new", "https://other.org/new"),
        ("https://other.org/${KEY}", "https://other.org/%24{KEY}"),
        ("http://e.org/?k=secret", None),
    ],
)
def test_redirect_with_a_secret_elsewhere_is_dropped(permanent: str | None, kept: str | None) -> None:
    answer = Response(key="S", url="https://e.org/x?k=secret&${KEY}", status=200, body=b"", permanent_url=permanent)
    found = without_secrets(answer, "https://e.org/?k=${KEY}", {"KEY": "secret"})
    assert found == replace(answer, url="https://e.org/x?k=${KEY}&%24{KEY}", permanent_url=kept)


# Sources.


def test_sources_are_found_by_name_address_and_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        '[[sources]]\nname = "Wire"\nurl = "https://w.example/"\ncategories = ["W"]\n'
        '[[sources]]\nname = "Off"\nurl = "off.xml"\nenabled = false\n[[sources]]\nname = "Local"\nurl = "l.xml"\n'
    )
    site = make_site(tmp_path / "site", {}, text)
    settings = load_settings(str(site), environment={})
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "my.feed.xml", b"<rss/>")
    write(tmp_path / ".xml", b"<x/>")

    def shown(*names: str, **more: Any) -> list[tuple[Any, ...]]:
        found = select_sources(settings, names, **more)
        return [(one.key, one.source.url, one.named, one.data, one.file, one.line, one.is_local) for one in found]

    wire = ("Wire", "https://w.example/", False, None, "feedtool.toml", 7, False)
    local = ("Local", "l.xml", False, None, "feedtool.toml", 15, True)
    assert shown() == [wire, local]
    named = (*wire[:2], True, *wire[3:])
    assert shown("Wire", "https://w.example/", "Wire") == [named]
    assert shown("Off")[0][:3] == ("Off", "off.xml", True)
    assert shown("my.feed.xml") == [("file:my", "my", True, b"<rss/>", "../my.feed.xml", None, True)]
    assert shown(".xml")[0][:2] == ("file:feed", "feed")
    assert shown("-", stdin=lambda: b"in") == [("file:stdin", "stdin", True, b"in", "", None, True)]
    (one,) = select_sources(settings, ["my.feed.xml"], categories=["C"], name="Wire")
    assert (one.key, one.source) == (
        "file:Wire", replace(settings.sources[0], url="my", categories=("W", "C")),
    )  # fmt: skip
    (one,) = select_sources(settings, ["my.feed.xml"], categories=["C"], name="Other")
    assert (one.key, one.source) == ("file:Other", SourceSettings(name="Other", url="my", categories=("C",)))
    (one,) = select_sources(settings, ["my.feed.xml"])
    assert one.source == SourceSettings(name="", url="my")
    bare = parse_settings('[[sources]]\nname = "X"\nurl = "x.xml"\n', file="", environment={})
    assert select_sources(bare, ())[0].file == "feedtool.toml"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("wier", "did you mean Wire?"),
        ("WIRE", "did you mean Wire?"),
        ("nothing like it", "see feedtool status"),
        ("https://x.example/feed", "add it with: feedtool add URL"),
        ("-", "see feedtool status"),
    ],
)
def test_unlisted_source_name_is_refused(name: str, hint: str) -> None:
    settings = parse_settings('[[sources]]\nname = "Wire"\nurl = "https://w.example/"\n', environment={})
    with pytest.raises(UsageError) as failure:
        select_sources(settings, [name])
    assert str(failure.value) == f'there is no source and no file called "{name}"; {hint}'


def test_unreadable_feed_file_is_refused(tmp_path: Path) -> None:
    settings = parse_settings(environment={})
    assert error_of(select_sources, settings, [str(tmp_path)]) == f"{tmp_path}: cannot be read: Is a directory"


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("http://a", True),
        ("HTTPS://a", True),
        ("ftp://a", False),
        ("https:/a", False),
        ("xhttps://a", False),
        ("", False),
    ],
)
def test_feed_is_an_address_or_a_file(text: str, is_one: bool) -> None:
    assert is_url(text) is is_one


# The engines.


def test_digest_covers_all_that_decides_the_entries() -> None:
    def digest(body: bytes = b"x", site: str = "", **source: Any) -> str:
        return digest_of(body, parse_settings(site, environment={}), replace(PLAIN, **source))

    plain = digest()
    assert (len(plain), plain) == (24, digest())
    changes = [
        {"categories": ("a",)}, {"author": SimpleNamespace()}, {"tags": ("a",)}, {"limit": 3}, {"include": "a"}, {"exclude": "a"},
        {"remove": (".a",)}, {"full_text": True}, {"timezone": "UTC"}, {"language": "de"}, {"on_update": "keep"},
        {"site": '[site]\ntimezone = "Asia/Shanghai"\n'}, {"site": '[site]\nlanguage = "de"\n'},
        {"site": '[articles]\nflavour = "hexo"\n'}, {"site": "[html]\ndrop_trackers = false\n"},
        {"site": '[ingest]\non_update = "keep"\n'},
    ]  # fmt: skip
    digests = [digest(**change) for change in changes]
    assert [one[:18] for one in digests] == [plain[:18]] * len(changes)
    assert len({plain, *digests}) == len(changes)  # `on_update` of the source and of [ingest] have the same effect
    assert digests[10] == digests[15]
    assert digest(url="https://other.example/", name="Other", folder="x", headers=(("a", "b"),)) == plain
    assert digest(b"y")[18:] == plain[18:]
    assert digest(b"y")[:18] != plain[:18]
    settings = parse_settings(environment={})
    assert not is_read_differently(settings, PLAIN, Health(digest=digest_of(b"any", settings, PLAIN)))
    assert is_read_differently(settings, replace(PLAIN, limit=3), Health(digest=digest_of(b"any", settings, PLAIN)))
    assert is_read_differently(settings, PLAIN, Health())


def test_limits_are_those_of_the_settings() -> None:
    text = (
        '[ingest]\ntimeout = 7\nconcurrency = 3\nper_host = 4\nmax_bytes = 5000\nuser_agent = "me"\n'
        'allow_private_hosts = ["localhost"]\n'
    )
    assert limits_of(parse_settings(text, environment={})) == Limits(
        timeout=7.0,
        connect=7.0,
        concurrency=3,
        per_host=4,
        max_bytes=5000,
        user_agent="me",
        allow_private_hosts=("localhost",),
    )
    plain = limits_of(parse_settings("[ingest]\ntimeout = 30\n", environment={}))
    assert (plain.timeout, plain.connect, plain.user_agent) == (30.0, 10.0, USER_AGENT)


class Killable:
    """A fake sandbox with given answers."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.calls: list[Any] = []

    def __call__(self, work: Any, jobs: Any) -> Iterator[tuple[Any, Any]]:
        for job in jobs:
            self.calls.append((work.__name__, job))
            yield job, self.answers.pop(0)


LOST = JobFailure(kind="wall", message="it took more than 9 s")


def test_feed_beyond_the_limits_is_reported() -> None:
    feed: Any = SimpleNamespace(notes=("repaired",))
    good = SimpleNamespace(feed=feed, entries=(1,), error="", hint="", seconds=2.5)
    bad = SimpleNamespace(feed=None, entries=(), error="no feed", hint="look", seconds=1.5)
    sandbox = Killable(LOST, good, bad)
    jobs: Any = [SimpleNamespace(key=key) for key in "abc"]
    assert list(feed_reader(sandbox)(jobs)) == [  # type: ignore[arg-type]
        Parsed(key="a", error="it could not be read: it took more than 9 s", hint=BROKEN_FEED_HINT, code="FT304"),
        Parsed(key="b", feed=feed, entries=(1,), seconds=2.5, warnings=("repaired",)),  # type: ignore[arg-type]
        Parsed(key="c", error="no feed", hint="look", seconds=1.5),
    ]
    assert BROKEN_FEED_HINT == "the feed is broken or hostile; look at it in a browser"
    assert [name for name, _ in sandbox.calls] == ["parse_and_clean"] * 3


def test_other_work_beyond_the_limits_has_no_result() -> None:
    answer = Response(key="k", url="https://e.org/", status=200, body=b"b", content_type="t")
    lookup = FeedLookup(error="none")
    sandbox = Killable(lookup, LOST)
    look = feed_identifier(sandbox)  # type: ignore[arg-type]
    assert look(answer) is lookup
    assert look(answer) == FeedLookup(error="it could not be read: it took more than 9 s")
    assert sandbox.calls == [("identify_feed", (b"b", "https://e.org/", "t"))] * 2
    jobs: Any = [SimpleNamespace(key="a"), SimpleNamespace(key="b")]
    pages = Killable("text", LOST)
    assert list(page_extractor(pages)(jobs)) == [("a", "text"), ("b", "")]  # type: ignore[arg-type]
    cleaned = Killable([1], LOST)
    assert list(page_cleaner(cleaned)(jobs)) == [("a", [1]), ("b", ())]  # type: ignore[arg-type]
    assert [pages.calls[0][0], cleaned.calls[0][0]] == ["extract", "clean_pages"]


def test_libraries_are_loaded_before_forking(monkeypatch: pytest.MonkeyPatch) -> None:
    from feedtool.extract import fulltext
    from feedtool.feedparse import worker

    loaded: list[str] = []
    monkeypatch.setattr(worker, "prepare", lambda: loaded.append("feeds"))
    monkeypatch.setattr(fulltext, "prepare", lambda: loaded.append("pages"))
    engines.prepare()
    engines.prepare_pages()
    assert loaded == ["feeds", "pages"]


def test_report_adds_up_the_tallies() -> None:
    tallies = (
        Tally(source="a", new=2, updated=1, bytes=10, ms=3, outcome="failed"),
        Tally(source="b", new=3, kept=4, skipped=5, unchanged=6, failed=7, ms=4),
    )
    problems = (Problem(file="a", code="x", message="m"), Problem(file="a", code="x", message="m", severity="warning"))
    report = IngestReport(tallies=tallies, problems=problems)
    names = ("new", "updated", "kept", "skipped", "unchanged", "failed", "bytes", "ms")
    assert [report.total(name) for name in names] == [5, 1, 4, 5, 6, 7, 10, 7]
    assert (report.sources("failed"), report.sources("ingested"), report.sources("off")) == (1, 1, 0)
    assert (report.errors, report.seconds, report.notes) == (1, 0.0, ())
    zero = {one.name for one in fields(Tally) if getattr(tallies[1], one.name) == 0}
    assert zero == {"updated", "bytes"}
    tools = Tools(fetch=iter, parse=iter)  # type: ignore[arg-type]
    assert (list(tools.extract([])), list(tools.clean_pages([])), tools.environment) == ([], [], {})


# The writer.


def test_writer_stays_in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "articles"
    write(root / "a.md", b"1")
    write(tmp_path / "articles-2/b.md", b"1")
    os.symlink("a.md", root / "link.md")
    os.symlink("../articles-2/b.md", root / "out.md")
    writer = Writer(str(root))
    status = writer.write("d/e/c.md", b"new").result()
    assert (status.st_size, (root / "d/e/c.md").read_bytes()) == (3, b"new")
    writer.write_now("link.md", b"2")
    assert ((root / "a.md").read_bytes(), (root / "link.md").is_symlink()) == (b"2", True)
    with pytest.raises(OSError, match="it is a link that leads out of the articles folder") as failure:
        writer.write_now("out.md", b"2")
    assert (failure.value.errno, failure.value.filename) == (errno.EINVAL, str(tmp_path / "articles-2/b.md"))
    synced: list[Any] = []
    monkeypatch.setattr(storage, "fsync_folders", lambda folders: synced.append(sorted(folders)))
    writer.make_durable()
    writer.make_durable()
    assert synced[1:] == [[]]
    assert str(root / "d/e") in synced[0]

    def refuse(_: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(storage, "fsync_folders", refuse)
    assert error_of(writer.make_durable) == f"{root}: cannot be written: Input/output error; check the disk"
    writer.close()
    writer.close()


# Pruning.


def pruned_site(tmp_path: Path) -> Path:
    """Return a site with five articles of a source, written by an ingest, and one of a person."""
    site = make_site(tmp_path / "site", {"mine.md": article("Mine", date="2000-01-01")}, SOURCE)
    world = World()
    world.pages["https://news.example.org/feed"] = [entry(number) for number in range(5)]
    run(site, world)
    time.sleep(0.03)
    return site


PATHS = [f"Wire/Story-number-{number}.md" for number in range(5)]
START = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("bounds", "going"),
    [
        ({}, []),
        ({"days": 3}, [4]),
        ({"days": 2}, [3, 4]),
        ({"keep": 2}, [2, 3, 4]),
        ({"keep": 0}, [0, 1, 2, 3, 4]),
        ({"keep": 5}, []),
        ({"keep": 3, "days": 2}, [3, 4]),
        ({"keep": 0, "sources": ("Other",)}, []),
        ({"keep": 4, "sources": ("Wire", "Other")}, [4]),
    ],
)
def test_articles_beyond_the_bounds_are_deleted(tmp_path: Path, bounds: Any, going: list[int]) -> None:
    site = pruned_site(tmp_path)
    settings = load_settings(str(site), environment={})
    before = tree(site)
    expected = tuple(PATHS[number] for number in going)
    assert prune(settings, Bounds(**bounds), now=START, dry_run=True) == expected
    assert tree(site) == before
    assert prune(settings, Bounds(**bounds), now=START) == expected
    left = {f"articles/{path}" for path in PATHS} - {f"articles/{path}" for path in expected}
    assert {path for path in tree(site) if path.startswith("articles/")} == left | {"articles/mine.md"}
    assert (site / "articles/Wire").exists() is (len(going) < 5)
    gone = [key for kind, key in Memory(str(site))._state if kind == "gone"]
    assert len(gone) == 3 * len(going)
    assert prune(settings, Bounds(**bounds), now=START) == ()


def test_edited_article_is_not_pruned(tmp_path: Path) -> None:
    site = pruned_site(tmp_path)
    file = site / "articles" / PATHS[4]
    write(file, file.read_text("utf-8").replace("Text of story 4", "My own text"))
    write(site / "articles" / PATHS[3], (site / "articles" / PATHS[3]).read_bytes().replace(b"2026-11-20", b"never"))
    settings = load_settings(str(site), environment={})
    assert prune(settings, Bounds(days=1), now=START) == (PATHS[2],)


def test_bounds_follow_the_renamed_source(tmp_path: Path) -> None:
    site = pruned_site(tmp_path)
    memory = Memory(str(site))
    memory.rename("New", "https://news.example.org/feed", ["New"])
    memory.save()
    settings = load_settings(str(site), environment={})
    assert prune(settings, Bounds(keep=0, sources=("Wire",)), now=START) == ()
    assert prune(settings, Bounds(keep=4, sources=("New",)), now=START) == (PATHS[4],)


def test_prune_refuses_what_it_cannot_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = pruned_site(tmp_path)
    settings = load_settings(str(site), environment={})

    def refuse(path: str) -> Any:
        raise OSError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(storage, "remove", refuse)
        expected = f"{site}/articles/{PATHS[4]}: cannot be deleted: Permission denied; check its permissions"
        assert error_of(prune, settings, Bounds(days=3), now=START) == expected
    # The tombstones were written first, so the next run deletes the file without an entry.
    assert len([key for kind, key in Memory(str(site))._state if kind == "gone"]) == 3
    assert prune(settings, Bounds(days=3), now=START) == (PATHS[4],)
    bare = make_site(tmp_path / "bare", {})
    (bare / "articles").rmdir()
    expected = f"{bare}/articles: there is no such folder of articles; set [articles] path"
    assert error_of(prune, load_settings(str(bare), environment={}), Bounds(), now=START) == expected
