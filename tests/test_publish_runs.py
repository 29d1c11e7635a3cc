"""Test what each step of a build reads, renders, writes and reports, and what a build refuses."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import re
import shutil
import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from feedtool import storage
from feedtool.articles.dialect import NO_FOLDER_VALUES, FolderValues
from feedtool.catalog import index as catalog
from feedtool.catalog.index import Index
from feedtool.catalog.signing import Signer
from feedtool.config import load_settings
from feedtool.errors import FeedtoolError
from feedtool.feeds.selection import FeedSelection, SelectedArticle
from feedtool.models import Problem, Report, Tombstone
from feedtool.protocols import in_order
from feedtool.publish import pipeline, render
from feedtool.publish.render import UNREADABLE, EntryRenderer
from feedtool.publish.tombstones import Tombstones
from feedtool.state import parse_state
from tests.support.builds import NOW, built
from tests.support.site import article, make_site, tree, write

DAY = timedelta(days=1)


def settle() -> None:
    """Wait until another change of a file would change its stat."""
    time.sleep(0.03)


def counts(report: Report) -> dict[str, int]:
    names = ("articles", "feeds", "written", "unchanged", "removed")
    return {name: getattr(report, name) for name in names}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return a site of three articles in two folders."""
    articles = {
        "a.md": article("A", date="2024-01-01", front="guid: urn:a\ncategories: [One]\n"),
        "b.md": article("B", date="2024-01-02", front="guid: urn:b\ncategories: [Two]\n"),
        "f/c.md": article("C", date="2024-01-03", front="guid: urn:c\n"),
    }
    folder = make_site(tmp_path / "site", articles, "[feeds]\nselect = {}\n[pages]\nindex = false\n")
    settle()
    return folder


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Callable[[], tuple[list[str], list[str]]]:
    """Return a function that returns the heads read and the articles rendered since its last call."""
    read: list[str] = []
    rendered: list[str] = []
    real_read, real_render = storage.read_prefixes, render._render

    def read_prefixes(names: list[str], *given: Any, **more: Any) -> Any:
        read.extend(names)
        return real_read(names, *given, **more)

    def rendering(path: str, *given: Any) -> Any:
        rendered.append(path)
        return real_render(path, *given)

    monkeypatch.setattr(storage, "read_prefixes", read_prefixes)
    monkeypatch.setattr(render, "_render", rendering)

    def done() -> tuple[list[str], list[str]]:
        found = ([*read], sorted(rendered))
        read.clear()
        rendered.clear()
        return found

    return done


# Refusals.

OUTSIDE = "if this is intended, give it for each run as the option `output`"
OWN = "choose an output folder that holds nothing else"


def blocked(path: str, code: int, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let listing one folder fail."""
    real = os.scandir

    def scandir(place: Any = ".") -> Any:
        if os.path.realpath(place) == os.path.realpath(path):
            raise OSError(code, words, place)
        return real(place)

    monkeypatch.setattr(os, "scandir", scandir)


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ("articles", "{site}/articles: lies inside the articles folder; choose another output folder"),
        ("articles/f/out", "{site}/articles/f/out: lies inside the articles folder; choose another output folder"),
        (".", f"{{site}}: holds the articles; {OWN}"),
        ("..", f"{{above}}: holds the articles; {OWN}"),
        (".feedtool", f"{{site}}/.feedtool: is in use; {OWN}"),
        ("templates", f"{{site}}/templates: is in use; {OWN}"),
        ("feedtool.toml", "{site}/feedtool.toml: is not a folder; choose another output folder"),
    ],
)
def test_harmful_output_folder_is_refused(site: Path, output: str, text: str) -> None:
    before = tree(site)
    with pytest.raises(FeedtoolError) as failure:
        built(site, options={"output": str(site / output)})
    assert str(failure.value) == text.format(site=site, above=site.parent)
    assert tree(site) == before


@pytest.mark.parametrize("output", ["articles-out", "feedtool", "x/templates", "../siteout"])
def test_similar_output_folder_is_accepted(site: Path, output: str) -> None:
    place = site / output
    report = built(site, options={"output": str(place)})
    assert report.written == sum(path.is_file() for path in place.rglob("*")) - 1


def test_settings_cannot_choose_an_outside_folder(site: Path) -> None:
    text = (site / "feedtool.toml").read_text("utf-8")
    write(site / "feedtool.toml", f'output = "../out"\n{text}')
    with pytest.raises(FeedtoolError) as failure:
        built(site)
    assert str(failure.value) == f"{site.parent}/out: lies outside the site's folder; {OUTSIDE}"
    write(site / "feedtool.toml", f'output = "out"\n{text}')
    assert built(site).written > 0


def test_articles_folder_must_exist_and_be_readable(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        blocked(str(site / "articles"), errno.EACCES, "Permission denied", patch)
        with pytest.raises(FeedtoolError) as failure:
            built(site)
    assert str(failure.value) == f"{site}/articles: cannot be read: Permission denied; check its permissions"
    shutil.rmtree(site / "articles")
    with pytest.raises(FeedtoolError) as failure:
        built(site)
    hint = "make it, or set [articles] path"
    assert str(failure.value) == f"{site}/articles: there is no such folder of articles; {hint}"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "x/y"),
         "x/y: cannot be written: No space left on device; free some space"),
        (OSError(errno.EROFS, "Read-only file system"),
         "{site}/public: cannot be written: Read-only file system; choose a writable place"),
    ],
)  # fmt: skip
def test_unwritable_file_is_named(site: Path, error: OSError, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(pipeline.Publisher, "put", refuse)
    with pytest.raises(FeedtoolError) as failure:
        built(site)
    assert str(failure.value) == text.format(site=site)
    # A file marks the unfinished run; the next run cleans up.
    assert (site / ".feedtool/running").read_bytes() == b"feedtool build\n"
    monkeypatch.undo()
    write(site / f"public/x{storage.TEMPORARY_SUFFIX}", b"")
    built(site)
    assert not (site / ".feedtool/running").exists()
    assert not (site / f"public/x{storage.TEMPORARY_SUFFIX}").exists()


def full() -> sqlite3.Error:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error


@pytest.mark.parametrize(
    ("errors", "text"),
    [
        ([sqlite3.DatabaseError("malformed")], ""),
        ([catalog.IndexDamagedError()], ""),
        ([sqlite3.DatabaseError("one"), sqlite3.DatabaseError("two")], "two"),
        ([full()], "the disk is full"),
    ],
)
def test_damaged_index_is_replaced_once(
    site: Path, errors: list[Exception], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    built(site)
    expected = tree(site / "public")
    left = [*errors]
    real = Index.begin

    def begin(index: Index) -> None:
        if left:
            raise left.pop(0)
        real(index)

    monkeypatch.setattr(Index, "begin", begin)
    if text:
        with pytest.raises(FeedtoolError) as failure:
            built(site)
        hint = "check the disk and the permissions; the folder may be deleted at any time"
        assert str(failure.value) == f"{site}/.feedtool: cannot be used: {text}; {hint}"
    else:
        report = built(site)
        assert report.notes == (".feedtool/index was damaged or of another version; it was made anew",)
        assert tree(site / "public") == expected
    assert left == []


def test_index_of_another_user_is_reported(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert built(site).notes == ()
    monkeypatch.setattr(pipeline, "user_signer", lambda: Signer(b"k" * 32))
    settle()
    first, second = built(site), built(site)
    lasts = Signer(b"k" * 32).is_persistent
    own = (".feedtool/index was not made by this user on this machine: it is not used, and was made anew",)
    assert first.notes == (own if lasts else ())
    assert second.notes == ()


def test_run_reports_its_time_and_its_key(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter((5.0, 7.5))
    monkeypatch.setattr(pipeline.time, "perf_counter", lambda: next(ticks))
    report = built(site, dry_run=True)
    assert report.seconds == 2.5
    assert report.details == tuple(filter(None, [Signer().note()]))
    assert not (site / ".feedtool").exists()
    assert not (site / "public").exists()


# Builds after changes.


def test_each_build_does_only_what_changed(site: Path, work: Callable[[], Any]) -> None:
    every = {"articles": 3, "feeds": 9}
    report = built(site)
    files = report.written
    assert counts(report) == {**every, "written": files, "unchanged": 0, "removed": 0}
    assert work() == (["a.md", "b.md", "c.md"], ["a.md", "b.md", "f/c.md"])
    settle()
    assert counts(built(site)) == {**every, "written": 0, "unchanged": files, "removed": 0}
    assert work() == ([], [])
    # A new mtime with the same bytes, as after a fresh checkout.
    os.utime(site / "articles/a.md")
    settle()
    assert counts(built(site)) == {**every, "written": 0, "unchanged": files, "removed": 0}
    assert work() == (["a.md"], [])
    assert counts(built(site)) == {**every, "written": 0, "unchanged": files, "removed": 0}
    assert work() == ([], [])
    # A changed text: only the feeds with the article are written.
    write(site / "articles/f/c.md", article("C", date="2024-01-03", front="guid: urn:c\n", body="<p>Other.</p>\n"))
    settle()
    report = built(site)
    assert counts(report) == {**every, "written": 4, "unchanged": files - 4, "removed": 0}
    assert work() == (["c.md"], ["f/c.md"])
    # A category that disappears.
    (site / "articles/a.md").unlink()
    # Removed: three feeds and the page. Written: the feeds of the site, feeds.opml and the sitemap.
    assert counts(built(site)) == {"articles": 2, "feeds": 6, "written": 5, "unchanged": files - 9, "removed": 4}
    assert work() == ([], [])
    assert not (site / "public/categories/one").exists()


def test_changed_output_file_is_written_again(site: Path, work: Callable[[], Any]) -> None:
    files = built(site).written
    expected = tree(site / "public")
    work()
    settle()
    for harm in ("change", "delete", "touch"):
        if harm == "change":
            write(site / "public/atom.xml", b"harm")
        elif harm == "delete":
            (site / "public/rss.xml").unlink()
        else:
            os.utime(site / "public/feed.json", ns=(1, 1))
        report = built(site)
        assert report.written == (harm != "touch")
        assert report.unchanged == files - (harm != "touch")
        assert work() == ([], [])
        assert tree(site / "public") == expected
        assert built(site).written == 0


def test_next_run_cleans_up_after_a_killed_one(site: Path, work: Callable[[], Any]) -> None:
    files = built(site).written
    settle()
    write(site / ".feedtool/running", b"")
    write(site / f"public/x{storage.TEMPORARY_SUFFIX}", b"")
    assert counts(built(site)) == {"articles": 3, "feeds": 9, "written": 0, "unchanged": files, "removed": 0}
    assert not (site / ".feedtool/running").exists()
    assert not (site / f"public/x{storage.TEMPORARY_SUFFIX}").exists()
    # Without the mark of an unfinished run, leftovers stay.
    write(site / f"public/x{storage.TEMPORARY_SUFFIX}", b"")
    built(site)
    assert (site / f"public/x{storage.TEMPORARY_SUFFIX}").exists()


def test_second_output_folder_is_built_separately(site: Path, work: Callable[[], Any]) -> None:
    files = built(site).written
    settle()
    work()
    other = {"output": str(site / "other")}
    assert built(site, options=other).written == files
    assert work()[1] == []
    assert built(site, options=other).unchanged == files
    assert built(site).written == 0
    assert tree(site / "other") == tree(site / "public")


def test_unrelated_settings_render_no_entry(site: Path, work: Callable[[], Any]) -> None:
    built(site)
    work()
    settle()
    text = (site / "feedtool.toml").read_text("utf-8")
    write(site / "feedtool.toml", text.replace('title = "Test"', 'title = "Other"'))
    report = built(site)
    assert report.written > 0
    assert b"Other" in (site / "public/atom.xml").read_bytes()
    assert work()[0] == []
    write(site / "feedtool.toml", text.replace('timezone = "Asia/Shanghai"', 'timezone = "UTC"'))
    built(site)
    assert work() == (["a.md", "b.md", "c.md"], ["a.md", "b.md", "f/c.md"])


def test_future_article_appears_at_its_time(site: Path, work: Callable[[], Any]) -> None:
    write(site / "articles/z.md", article("Z", date="2024-06-02T00:00:00Z", front="guid: urn:z\n"))
    settle()
    assert built(site).articles == 3
    settle()
    assert built(site, NOW + DAY - timedelta(seconds=1)).written == 0
    work()
    report = built(site, NOW + DAY)
    assert (report.articles, report.written > 0) == (4, True)
    assert work() == ([], ["z.md"])
    assert built(site, NOW + DAY).written == 0
    assert built(site, future=True).articles == 4


def test_problems_are_repeated_in_order(site: Path) -> None:
    write(site / "articles/d.md", "---\ntitle: D\ndate: never\n---\n")
    write(site / "articles/0.md", article("C too", date="2024-01-01", front="guid: urn:c\n"))
    settle()
    first = built(site)
    assert [(one.file, one.code, one.severity) for one in first.problems] == [
        ("articles/0.md", "FT014", "warning"),
        *[(one.file, one.code, one.severity) for one in first.problems[1:]],
    ]
    assert first.problems[1].file == "articles/d.md"
    assert len(first.problems) == 2
    settle()
    again = built(site)
    assert (again.problems, again.written, again.articles, again.feeds) == (
        first.problems,
        0,
        first.articles,
        first.feeds,
    )
    shutil.rmtree(site / ".feedtool")
    assert built(site).problems == first.problems
    order = pipeline._order
    one = Problem(file="a", code="FT001", message="m")
    assert [order(one), order(dataclasses.replace(one, line=3, column=4))] == [
        ("a", 0, 0, "FT001", "m"),
        ("a", 3, 4, "FT001", "m"),
    ]


def test_progress_counts_reads_and_writes(tmp_path: Path) -> None:
    articles = {f"f{n}/a.md": article(f"A {n}", date=f"2024-01-{n:02}") for n in range(1, 21)}
    site = make_site(tmp_path, articles, '[pages]\nindex = false\n[feeds]\nformats = ["json"]\n')
    steps: list[tuple[str, int, int]] = []
    report = built(site, progress=lambda *step: steps.append(step))
    reading = [step for step in steps if step[0] == "reading"]
    assert reading == [("reading", done, 0) for done in range(20)]
    total = report.written
    assert steps[20:] == [("writing", done, total) for done in range(16, total + 1, 16)]
    assert len(steps) == 20 + total // 16


def test_archives_link_to_each_other(tmp_path: Path) -> None:
    def links(path: Path) -> dict[str, str]:
        found = re.findall(r'<link rel="([^"]*)" href="https://example.org/([^"]*)"', path.read_text("utf-8"))
        return {rel: href for rel, href in found if rel in ("prev-archive", "next-archive", "current")}

    def chain(count: int) -> dict[str, dict[str, str]]:
        articles = {f"{n}.md": article(f"A {n}", date=f"2024-01-{n:02}") for n in range(1, count + 1)}
        site = make_site(
            tmp_path / str(count), articles, "[feeds]\narchive = true\nlimit = 2\n[pages]\nindex = false\n"
        )
        built(site)
        out = site / "public"
        assert not list(out.rglob("archive/*.rss"))
        numbers = range(1, len(list(out.glob("archive/*.xml"))) + 1)
        json_links = {
            str(number): json.loads((out / f"archive/{number}.json").read_bytes()).get("next_url") for number in numbers
        }
        base = "https://example.org/archive"
        assert json_links == {str(number): f"{base}/{number - 1}.json" if number > 1 else None for number in numbers}
        return {name: links(out / name) for name in ("atom.xml", *(f"archive/{number}.xml" for number in numbers))}

    current = {"current": "atom.xml"}
    assert chain(2) == {"atom.xml": {}}
    assert chain(3) == {
        "atom.xml": {"prev-archive": "archive/1.xml"},
        "archive/1.xml": {**current, "next-archive": "atom.xml"},
    }
    assert chain(7) == {
        "atom.xml": {"prev-archive": "archive/3.xml"},
        "archive/1.xml": {**current, "next-archive": "archive/2.xml"},
        "archive/2.xml": {**current, "prev-archive": "archive/1.xml"},
        "archive/3.xml": {**current, "prev-archive": "archive/2.xml"},
    }


def test_new_articles_leave_archives_unchanged(tmp_path: Path, work: Callable[[], Any]) -> None:
    articles = {f"{n}.md": article(f"A {n}", date=f"2024-01-{n:02}") for n in range(1, 6)}
    site = make_site(tmp_path, articles, "[feeds]\narchive = true\nlimit = 2\n[pages]\nindex = false\n")
    settle()
    built(site)
    before = {path.name: path.read_bytes() for path in (site / "public/archive").iterdir()}
    assert sorted(before) == ["1.json", "1.xml", "2.json", "2.xml"]
    write(site / "articles/6.md", article("A 6", date="2024-01-06"))
    settle()
    work()
    built(site)
    after = {path.name: path.read_bytes() for path in (site / "public/archive").iterdir()}
    assert after == before
    titles = re.findall(rb"<title>(A \d)</title>", after["1.xml"])
    assert titles == [b"A 2", b"A 1"]


# The renderer of entries.


class Given:
    """The values of folders, as the test sets them."""

    def __init__(self) -> None:
        self.values: dict[str, FolderValues] = {}

    def __call__(self, folder: str) -> FolderValues:
        return self.values.get(folder, NO_FOLDER_VALUES)


def renderer(
    site: Path, index: Index, earlier: dict[str, Any], unchanged: set[str], folder_values: Any
) -> EntryRenderer:
    from feedtool.articles import Rules
    from feedtool.publish.rules import making_rules

    settings = load_settings(str(site), environment={})
    rendering = render.Rendering(
        root=str(site / "articles"),
        reading=Rules(authority="example.org"),
        making=making_rules(settings, "https://example.org/"),
        formats=("atom", "rss", "json"),
        pages=None,
        version=b"v" * 16,
        signer=index._signer,
    )
    return EntryRenderer(rendering, index, in_order, earlier, unchanged=unchanged, folder_values=folder_values)


PATHS = ["a.md", "b.md", "f/c.md"]


def test_changed_entry_is_rendered(site: Path, work: Callable[[], Any], monkeypatch: Any) -> None:
    index, given = Index(None, Signer()), Given()
    index.begin()
    first = renderer(site, index, {}, set(), given)
    first.identify(PATHS, set(PATHS))
    assert work()[1] == PATHS
    first_states = dict(first.states)
    assert {path: state[:3] for path, state in first_states.items()} == {
        path: storage.signature_of((site / "articles" / path).stat()) for path in PATHS
    }
    assert {path: (state[5], state[6], state[7]) for path, state in first_states.items()} == dict.fromkeys(
        PATHS, (False, (), b"")
    )
    index.fresh = False

    def step(earlier: dict[str, Any], unchanged: set[str] = frozenset()) -> tuple[list[str], dict[str, Any]]:  # type: ignore[assignment]
        own = renderer(site, index, earlier, unchanged, given)
        own.identify(PATHS, set(PATHS))
        assert own.keys == {path: state[3] for path, state in own.states.items()}
        return work()[1], own.states

    assert step(first_states) == ([], first_states)
    # Without a state, the entry is found by its key.
    assert step({}) == ([], first_states)
    # The files of an unchanged folder are not checked, even if one of them has changed.
    os.utime(site / "articles/f/c.md", ns=(5, 5))
    settle()
    assert step(first_states, {"f/"})[1] == first_states
    moved = storage.signature_of((site / "articles/f/c.md").stat())
    assert step(first_states) == ([], {**first_states, "f/c.md": (*moved, *first_states["f/c.md"][3:])})
    # A file whose state has no signature is checked in any case.
    unseen = {**first_states, "f/c.md": (*storage.NO_SIGNATURE, *first_states["f/c.md"][3:])}
    assert step(unseen, {"", "f/"})[1]["f/c.md"][:3] == moved
    # Changed values of the folder.
    given.values["f/"] = FolderValues(digest=b"g")
    rendered, states = step(first_states)
    assert (rendered, states["f/c.md"][7]) == (["f/c.md"], b"g")
    assert states["f/c.md"][3] != first_states["f/c.md"][3]
    assert step(first_states, {"f/"})[0] == []
    given.values.clear()
    # An article that became unreadable.
    (site / "articles/a.md").unlink()
    rendered, states = step(first_states)
    assert (rendered, states["a.md"][4], states["a.md"][:3]) == (["a.md"], UNREADABLE, storage.NO_SIGNATURE)


def test_file_changed_just_now_has_no_signature(site: Path, work: Callable[[], Any], monkeypatch: Any) -> None:
    index = Index(None, Signer())
    index.begin()
    monkeypatch.setattr(render, "is_racy", lambda changed, since: True)
    own = renderer(site, index, {}, set(), Given())
    own.identify(PATHS, set(PATHS))
    assert {state[:3] for state in own.states.values()} == {storage.NO_SIGNATURE}
    index.fresh = False
    again = renderer(site, index, {}, set(), Given())
    again.identify(PATHS, set(PATHS))
    assert {state[:3] for state in again.states.values()} == {storage.NO_SIGNATURE}


def test_entries_of_archives_are_kept_for_one_run(site: Path, work: Callable[[], Any]) -> None:
    index = Index(None, Signer())
    index.begin()
    own = renderer(site, index, {}, set(), Given())
    own.identify(PATHS, {"a.md"})
    kept = {path: own.rendered(path) for path in PATHS}
    assert {path: sorted(one.renditions) for path, one in kept.items()} == {
        "a.md": ["atom", "json", "rss"], "b.md": ["atom", "json"], "f/c.md": ["atom", "json"],
    }  # fmt: skip
    (count,) = index._connection.execute("SELECT count(*) FROM entries").fetchone()
    (brief,) = index._connection.execute("SELECT count(*) FROM temp.brief").fetchone()
    assert (count, brief) == (1, 2)


def test_entries_beyond_the_memory_limit_are_stored(
    site: Path, work: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    index = Index(None, Signer())
    index.begin()
    monkeypatch.setattr(render, "MAX_BYTES_IN_MEMORY", 1)
    own = renderer(site, index, {}, set(), Given())
    own.identify(PATHS, set(PATHS))
    assert list(own._rendered) == ["f/c.md"]
    assert own._bytes_in_memory == own._rendered["f/c.md"].size
    work()
    titles = [re.search(rb"<title>(.)</title>", b"".join(own.rendered(path).renditions["atom"])) for path in PATHS]
    assert [found and found[1] for found in titles] == [b"A", b"B", b"C"]
    assert work()[1] == []
    index._connection.execute("DELETE FROM entries")
    own.prepare(PATHS)
    assert work()[1] == ["a.md", "b.md"]
    index._connection.execute("DELETE FROM entries")
    assert b"".join(own.rendered("a.md").renditions["atom"])
    assert work()[1] == ["a.md"]


# Tombstones.

Names = set[str]


def tombstones_of(site: Path, now: datetime = NOW, *, dry: bool = False, days: int = 3) -> Tombstones:
    settings = SimpleNamespace(folder=str(site), feeds=SimpleNamespace(tombstone_days=days))
    return Tombstones(settings, now, dry=dry)  # type: ignore[arg-type]


def published(*ids: str) -> Callable[[Names], Names]:
    return lambda requested: requested.intersection(ids)


def line(key: str, when: str = "2024-05-31T00:00:00Z", feeds: Any = ("",)) -> str:
    return json.dumps({"kind": "tombstone", "key": key, "feeds": feeds, "when": when}) + "\n"


@pytest.mark.parametrize(
    ("when", "kept"),
    [
        ("2024-05-29T00:00:00Z", None),
        ("2024-05-29T00:00:01Z", "2024-05-29T00:00:01Z"),
        ("2024-06-02T00:00:00Z", "2024-06-02T00:00:00Z"),
        ("2024-06-02T00:00:01Z", "2024-06-01T00:00:00Z"),
        ("never", "2024-06-01T00:00:00Z"),
    ],
)
def test_tombstone_expires_after_its_days(tmp_path: Path, when: str, kept: str | None) -> None:
    write(tmp_path / "feedtool.state", line("urn:x", when) + '{"kind": "other", "key": "k", "when": "2000-01-01"}\n')
    own = tombstones_of(tmp_path)
    expected = {} if kept is None else {"": (Tombstone(ref="urn:x", when=datetime.fromisoformat(kept)),)}
    assert own.tombstones() == expected
    own.save()
    state = parse_state((tmp_path / "feedtool.state").read_text("utf-8"))
    assert state["other", "k"] == {"when": "2000-01-01"}
    assert len(state) == 1 + len(expected)


def test_unpublished_article_gets_a_tombstone(tmp_path: Path) -> None:
    own = tombstones_of(tmp_path)
    before = {"urn:a": ("a.md", ["", "categories/x"]), "urn:b": ("b.md", [""]), "urn:c": ("c.md", [""])}
    own.update(before, published("urn:b"), lambda path: path == "a.md")
    stone = Tombstone(ref="urn:a", when=NOW)
    assert own.tombstones() == {"": (stone,), "categories/x": (stone,)}
    own.save()
    state = (tmp_path / "feedtool.state").read_text("utf-8")
    assert parse_state(state) == {
        ("tombstone", "urn:a"): {"when": "2024-06-01T00:00:00Z", "feeds": ["", "categories/x"]}
    }
    assert own.fingerprint() == tombstones_of(tmp_path).fingerprint() == state
    # Later, nothing changes; an article that is published again has no tombstone.
    own = tombstones_of(tmp_path, NOW + DAY)
    own.update({}, published("urn:b"), lambda path: True)
    assert own.tombstones()[""] == (stone,)
    own.update({}, published("urn:a"), lambda path: True)
    assert own.tombstones() == {}
    own.save()
    assert (tmp_path / "feedtool.state").read_bytes() == b""


def test_dry_run_saves_no_tombstone(tmp_path: Path) -> None:
    own = tombstones_of(tmp_path, dry=True)
    own.update({"urn:a": ("a.md", [""])}, published(), lambda path: True)
    own.save()
    assert list(own.tombstones()) == [""]
    assert not (tmp_path / "feedtool.state").exists()
    quiet = tombstones_of(tmp_path, days=0)
    quiet.update({"urn:a": ("a.md", [""])}, published(), lambda path: True)
    quiet.save()
    assert quiet.tombstones() == {}
    assert not (tmp_path / "feedtool.state").exists()


def test_preview_hides_tombstones_of_what_it_shows(tmp_path: Path) -> None:
    write(tmp_path / "feedtool.state", line("urn:a") + line("12") + line("urn:c"))
    own = tombstones_of(tmp_path)
    own.hide(published("urn:a", "12"))
    assert [one.ref for one in own.tombstones()[""]] == ["urn:c"]
    own.save()
    assert len(parse_state((tmp_path / "feedtool.state").read_text("utf-8"))) == 3


def test_latest_tombstone_comes_first_in_a_feed(tmp_path: Path) -> None:
    rows = [line("urn:b"), line("urn:c", "2024-05-31T01:00:00Z"), line("urn:a"), line("urn:d", feeds="x")]
    write(tmp_path / "feedtool.state", "".join(rows))
    assert [one.ref for one in tombstones_of(tmp_path).tombstones()[""]] == ["urn:c", "urn:a", "urn:b"]
    both = (
        line("urn:a", feeds=["x"]) + line("urn:a", "2024-05-31T02:00:00Z", feeds=["y", "x"]) + line("urn:a", feeds="z")
    )
    write(tmp_path / "feedtool.state", both)
    stone = Tombstone(ref="urn:a", when=datetime(2024, 5, 31, 2, tzinfo=UTC))
    assert tombstones_of(tmp_path).tombstones() == {"x": (stone,), "y": (stone,)}


def test_published_articles_name_their_feeds(tmp_path: Path) -> None:
    one, other = SelectedArticle(1, "urn:a", "a.md"), SelectedArticle(2, "urn:b", "b.md")
    feeds = [
        FeedSelection("site", "", 2, articles=[one, other], path=""),
        FeedSelection("category", "x", 2, articles=[one], path="categories/x"),
    ]
    assert tombstones_of(tmp_path).published(feeds) == {
        "urn:a": ("a.md", ["", "categories/x"]),
        "urn:b": ("b.md", [""]),
    }


def test_half_written_state_is_removed(tmp_path: Path) -> None:
    own = tombstones_of(tmp_path)
    left = tmp_path / f"feedtool.state{storage.TEMPORARY_SUFFIX}"
    names: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage, "remove_leftover", names.append)
        own.save()
        tombstones_of(tmp_path, dry=True).save()
    assert names == [str(tmp_path / "feedtool.state")]
    assert not left.exists()
