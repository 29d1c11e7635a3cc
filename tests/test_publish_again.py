"""Test what a build takes over from the last one, and what it makes again: documents, selections and tombstones."""

from __future__ import annotations

import errno
import json
import os
import shutil
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from feedtool import storage
from feedtool.catalog import environment
from feedtool.errors import FeedtoolError
from feedtool.feeds.formats import opml
from feedtool.feeds.values import atom_id
from feedtool.models import Problem
from feedtool.publish import outputs, pipeline
from feedtool.publish.scan import Listing
from feedtool.publish.tombstones import is_gone
from feedtool.state import parse_state
from tests.support.builds import NOW, built
from tests.support.site import article, make_site, write


@pytest.fixture
def site(tmp_path: Path) -> Path:
    articles = {
        "a.md": article("A", date="2024-01-01", front="guid: urn:a\ncategories: [One]\n"),
        "b.md": article("B", date="2024-01-02", front="guid: urn:b\ncategories: [Two]\n"),
        "f/c.md": article("C", date="2024-01-03", front="guid: urn:c\n"),
    }
    folder = make_site(tmp_path / "site", articles, "[pages]\nindex = false\n")
    time.sleep(0.03)
    return folder


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """Return a function that returns the documents rendered since its last call."""
    found: list[str] = []
    real = outputs._render

    def rendering(feed: Any, articles: Any, form: str, assembly: Any) -> Any:
        found.append(f"{feed.path} {form}".strip())
        return real(feed, articles, form, assembly)

    monkeypatch.setattr(outputs, "_render", rendering)

    def since() -> list[str]:
        some = sorted(found)
        found.clear()
        return some

    return since


FORMS = ("atom", "json", "rss")
SITE = [*FORMS]
ONE = [f"categories/one {form}" for form in FORMS]
TWO = [f"categories/two {form}" for form in FORMS]


def edit(site: Path, path: str, old: str, new: str) -> None:
    file = site / "articles" / path
    write(file, file.read_text("utf-8").replace(old, new))
    time.sleep(0.03)


def test_only_changed_documents_are_rendered(site: Path, rendered: Callable[[], list[str]]) -> None:
    built(site)
    assert rendered() == sorted([*SITE, *ONE, *TWO])
    edit(site, "a.md", "Text.", "Other.")
    built(site)
    assert rendered() == sorted([*SITE, *ONE])
    built(site)
    assert rendered() == []
    edit(site, "f/c.md", "Text.", "Other.")
    built(site)
    assert rendered() == sorted(SITE)
    # A draft changes the heads but no document.
    edit(site, "f/c.md", "guid:", "draft: false\nguid:")
    built(site)
    assert rendered() == sorted(SITE)
    write(site / "articles/z.md", article("Z", front="draft: true\n"))
    time.sleep(0.03)
    built(site)
    assert rendered() == []


def test_dry_run_counts_like_a_real_run(site: Path, rendered: Callable[[], list[str]]) -> None:
    built(site)
    rendered()
    edit(site, "a.md", "Text.", "Other.")
    dry = built(site, dry_run=True)
    real = built(site)
    assert (dry.written, dry.articles, dry.feeds) == (real.written, real.articles, real.feeds)
    assert (dry.written + dry.unchanged, real.written) == (real.written + real.unchanged, 7)


def test_upgrade_renders_every_document_again(
    site: Path, rendered: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    built(site)
    rendered()
    monkeypatch.setattr(environment, "__version__", "0.0.0")
    monkeypatch.setattr(opml, "outline", lambda *_, **__: b"<opml/>")
    report = built(site)
    assert (site / "public/feeds.opml").read_bytes() == b"<opml/>"
    assert rendered() == sorted([*SITE, *ONE, *TWO])
    assert report.written == 1
    assert built(site).written == 0
    assert rendered() == []


def test_changed_query_changes_its_feed(site: Path, rendered: Callable[[], list[str]]) -> None:
    built(site)
    text = (site / "feedtool.toml").read_text("utf-8")
    write(site / "feedtool.toml", text + '[feeds.select.s]\ncategories = ["One"]\n')
    built(site)
    feed = json.loads((site / "public/feeds/s/feed.json").read_bytes())
    assert [item["id"] for item in feed["items"]] == ["urn:a"]
    write(site / "feedtool.toml", text + '[feeds.select.s]\ncategories = ["Two"]\n')
    built(site)
    feed = json.loads((site / "public/feeds/s/feed.json").read_bytes())
    assert [item["id"] for item in feed["items"]] == ["urn:b"]
    write(site / "feedtool.toml", text)
    assert built(site).removed == 3


def test_unchanged_selection_is_reused(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from feedtool.publish import select as select_module

    chosen: list[bool] = []
    real = select_module.select

    def select(*given: Any, **more: Any) -> Any:
        found = real(*given, **more)
        chosen.append(found.is_new)
        return found

    monkeypatch.setattr(select_module, "select", select)
    write(site / "articles/z.md", article("Z", date="2024-06-03", front="guid: urn:z\n"))
    time.sleep(0.03)
    built(site)
    edit(site, "a.md", "Text.", "Other.")
    built(site)
    assert chosen == [True, False]
    # A changed head needs a new selection; so does a moment at which an article appears.
    edit(site, "a.md", "title: A", "title: AA")
    built(site)
    assert chosen[2:] == [True]
    edit(site, "a.md", "Other.", "Third.")
    assert built(site, NOW + timedelta(days=2)).articles == 4
    assert chosen[3:] == [True]
    edit(site, "a.md", "Third.", "Fourth.")
    assert built(site, NOW + timedelta(days=2)).articles == 4
    assert chosen[4:] == [False]
    edit(site, "a.md", "Fourth.", "Fifth.")
    text = (site / "feedtool.toml").read_text("utf-8")
    write(site / "feedtool.toml", text + "[feeds]\nlimit = 2\n")
    assert built(site, NOW + timedelta(days=2)).articles == 4
    assert chosen[5:] == [True]
    assert len(json.loads((site / "public/feed.json").read_bytes())["items"]) == 2


def test_many_articles_are_listed_by_workers(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[bool] = []
    real = pipeline.list_folders

    def listing(*given: Any, many: bool, **more: Any) -> Listing:
        calls.append(many)
        return real(*given, many=many, **more)

    monkeypatch.setattr(pipeline, "list_folders", listing)
    for most in (4, 3, 2):
        monkeypatch.setattr(pipeline, "MANY", most)
        built(site)
    assert calls == [False, True, True]


def test_unreadable_article_is_read_again(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = storage.read_article

    def refuse(path: str) -> bytes:
        if path.endswith("a.md"):
            raise OSError(errno.EIO, "Input/output error")
        return real(path)

    with monkeypatch.context() as patch:
        patch.setattr(storage, "read_article", refuse)
        reports = [built(site) for _ in range(2)]
    for report in reports:
        assert [(one.file, one.code, one.message) for one in report.problems] == [
            ("articles/a.md", "FT001", "cannot be read: Input/output error")
        ]
    assert reports[1].written == 0
    report = built(site)
    assert (report.problems, report.written > 0) == ((), True)
    assert built(site).written == 0
    assert not (site / "feedtool.state").exists()


@pytest.mark.parametrize(
    ("path", "problems", "gone"),
    [
        ("none.md", [], True),
        ("a.md/none.md", [], True),
        ("a.md", [], True),
        ("a.md", [("articles/a.md", "FT001")], False),
        ("a.md", [("articles/a.md", "FT024")], True),
        ("a.md", [("articles/b.md", "FT001")], True),
        ("f/none.md", [("articles/f/", "FT001")], False),
        ("f/g/none.md", [("articles/f/", "FT001")], False),
        ("none.md", [("articles/f/", "FT001")], True),
        ("f/none.md", [("articles/f/", "FT002")], True),
        ("f/none.md", [("articles/f/none.md", "FT001")], True),
        ("", [], True),
        ("", [("articles/b.md", "FT001")], False),
        ("", [("articles/b.md", "FT024")], True),
        ("", [("feedtool.toml", "FT001")], True),
    ],
)
def test_article_is_gone_if_it_cannot_be_unreadable(site: Path, path: str, problems: list[Any], gone: bool) -> None:
    root = str(site / "articles")
    found = [Problem(file=file, code=code, message="m") for file, code in problems]
    assert is_gone(path, root, "articles/", found) is gone
    shutil.rmtree(site / "articles")
    (site / "articles").mkdir()
    if path != "a.md":
        assert is_gone(path, root, "articles/", []) is False


def test_inaccessible_article_is_not_gone(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> None:
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "lstat", refuse)
    assert is_gone("none.md", str(site / "articles"), "articles/", []) is False


def test_deleted_article_gets_a_tombstone(site: Path) -> None:
    built(site)
    for number, warm in enumerate((True, False)):
        (site / "articles" / ("a.md", "b.md")[number]).unlink()
        if not warm:
            shutil.rmtree(site / ".feedtool")
        built(site, NOW + timedelta(days=number))
    state = parse_state((site / "feedtool.state").read_text("utf-8"))
    assert state == {
        ("tombstone", "urn:a"): {"when": "2024-06-01T00:00:00Z", "feeds": ["", "categories/one"]},
        ("tombstone", "urn:b"): {"when": "2024-06-02T00:00:00Z", "feeds": ["", "categories/two"]},
    }
    # The next build follows a state that somebody else changed.
    (site / "feedtool.state").unlink()
    assert built(site, NOW + timedelta(days=2)).written > 0
    assert b"deleted-entry" not in (site / "public/atom.xml").read_bytes()


@pytest.mark.parametrize("choice", ["drafts", "future"])
def test_preview_adds_no_tombstone(site: Path, choice: str) -> None:
    other = {"output": str(site / "preview")}
    built(site)
    (site / "articles/a.md").unlink()
    built(site, options=other, **{choice: True})
    assert not (site / "feedtool.state").exists()
    built(site)
    assert list(parse_state((site / "feedtool.state").read_text("utf-8"))) == [("tombstone", "urn:a")]


@pytest.mark.parametrize("guid", ["12", "urn:x"])
@pytest.mark.parametrize("form", [str, atom_id], ids=["itself", "Atom"])
def test_tombstone_of_a_published_article_is_removed(site: Path, guid: str, form: Callable[[str], str]) -> None:
    edit(site, "a.md", "guid: urn:a", f"guid: '{guid}'")
    built(site)
    line = {"kind": "tombstone", "key": form(guid), "feeds": [""], "when": "2024-05-31T00:00:00Z"}
    other = {**line, "key": "urn:other"}
    write(site / "feedtool.state", f"{json.dumps(line)}\n{json.dumps(other)}\n")
    # No head has changed, so the published ids are looked up in the selection of the last build.
    edit(site, "a.md", "Text.", "Other.")
    built(site)
    assert list(parse_state((site / "feedtool.state").read_text("utf-8"))) == [("tombstone", "urn:other")]


def test_nothing_is_written_after_a_build_has_failed(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writing = threading.Event()
    done: list[str] = []
    real = storage.write

    def slowly(path: str, data: Any, **more: Any) -> None:
        if threading.current_thread() is not threading.main_thread():
            writing.set()
            time.sleep(0.2)
            done.append(path)
        real(path, data, **more)

    def refuse(publisher: Any, path: str, data: Any) -> None:
        put(publisher, path, data)
        assert writing.wait(5)
        raise OSError(errno.EIO, "Input/output error", path)

    put = pipeline.Publisher.put
    monkeypatch.setattr(storage, "write", slowly)
    monkeypatch.setattr(pipeline.Publisher, "put", refuse)
    with pytest.raises(FeedtoolError, match="cannot be written: Input/output error"):
        built(site)
    # The build waited for the file that was being written.
    assert len(done) == 1


def test_every_build_reports_problems_of_folders(site: Path, tmp_path: Path) -> None:
    write(tmp_path / "outside.md", article("Outside"))
    os.symlink(tmp_path / "outside.md", site / "articles/f/link.md")
    first = built(site)
    assert [(one.file, one.code) for one in first.problems] == [("articles/f/link.md", "FT022")]
    edit(site, "a.md", "Text.", "Other.")
    for _ in range(2):
        assert built(site).problems == first.problems
    (site / "articles/f/link.md").unlink()
    assert built(site).problems == ()
