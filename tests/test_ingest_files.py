"""Test ingests over files with other line endings, byte order marks and encodings, and entries with changing ids."""

from __future__ import annotations

import codecs
import os
import shutil
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from feedtool import storage
from tests.support.ingestworld import NOW, SOURCE, URL, World, counts, entry, index_rows, run
from tests.support.site import make_site, stamps, tree

LATER = NOW + timedelta(days=1)
TEXT = "<p>Text of story 1.</p>"
LONG = "<p>" + "A long text that only this entry has, whatever its address is. " * 8 + "</p>"


@pytest.fixture
def world() -> World:
    stand_in = World()
    stand_in.pages[URL] = [entry(1, categories=["a"], html=f"{TEXT}\n<p>Second line.</p>")]
    return stand_in


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return make_site(tmp_path, {}, SOURCE)


def only_file(site: Path) -> Path:
    (path,) = (site / "articles").rglob("*.*")
    return path


@pytest.mark.parametrize("bom", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("mode", ["merge", "overwrite"])
@pytest.mark.parametrize("person", ["", "author: Ada\n", "# a comment\n"])
def test_update_keeps_line_endings_and_bom(
    bom: bytes, end: bytes, mode: str, person: str, site: Path, world: World
) -> None:
    (site / "feedtool.toml").write_text(f'{(site / "feedtool.toml").read_text()}on_update = "{mode}"\n')
    run(site, world)
    path = only_file(site)
    original = path.read_bytes().replace(b"date:", person.encode() + b"date:", 1)
    path.write_bytes(bom + original.replace(b"\n", end))
    before = stamps(site / "articles")
    assert counts(run(site, world)) == {}
    assert stamps(site / "articles") == before

    (old,) = world.pages[URL]
    changed = {**old, "title": "Another title", "categories": ["a", "b"], "html": "<p>New.</p>\n\n<p>Lines.</p>"}
    world.pages[URL] = [changed]
    assert counts(run(site, world, now=LATER)) == {"updated": 1}
    data = path.read_bytes()
    assert data.startswith(bom + b"---" + end)
    assert data.replace(end, b"").count(b"\n") == data.replace(end, b"").count(b"\r") == 0
    text = data.removeprefix(bom).decode().replace("\r\n", "\n")
    expected = original.decode().replace("'Story number 1'", "Another title").replace(" - a\n", " - a\n - b\n")
    expected = expected.replace(f"{TEXT}\n<p>Second line.</p>", "<p>New.</p>\n\n<p>Lines.</p>")
    if mode == "overwrite":
        expected = expected.replace("author: Ada\n", "")
    lines = [line for line in text.split("\n") if not line.startswith("feedtool:")]
    assert lines == [line for line in expected.split("\n") if not line.startswith("feedtool:")]

    before = stamps(site / "articles")
    assert counts(run(site, world, now=LATER + timedelta(days=1))) == {}
    assert stamps(site / "articles") == before


@pytest.mark.parametrize("bom", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_edited_body_is_kept_with_any_line_endings(bom: bytes, end: bytes, site: Path, world: World) -> None:
    run(site, world)
    path = only_file(site)
    edited = path.read_bytes().replace(b"Second line.", b"Mine.")
    path.write_bytes(bom + edited.replace(b"\n", end))
    (old,) = world.pages[URL]
    world.pages[URL] = [{**old, "title": "Another title", "html": "<p>New.</p>"}]
    assert counts(run(site, world, now=LATER)) == {"updated": 1}
    data = path.read_bytes()
    assert data.startswith(bom + b"---" + end + b"title: Another title" + end)
    assert data.endswith(f"{TEXT}\n<p>Mine.</p>\n".encode().replace(b"\n", end))


@pytest.mark.parametrize("encoding", ["gb18030", "big5", "utf-16", "utf-32", "shift_jis", "utf-16-le-mark"])
@pytest.mark.parametrize("key", ["guid", "link"])
def test_foreign_encoding_is_recognised_and_unchanged(encoding: str, key: str, site: Path, world: World) -> None:
    words = "今日の天気は晴れです。" if encoding == "shift_jis" else "今天天氣晴朗，氣溫回升，市民外出遊玩。"
    text = (
        f"---\ntitle: {words}\ndate: 2026-11-22 18:30:00\n{key}: https://news.example.org/1\n---\n<p>{words * 9}</p>\n"
    )
    data = codecs.BOM_UTF16_LE + text.encode("utf-16-le") if encoding.endswith("mark") else text.encode(encoding)
    path = site / "articles" / "old.md"
    path.write_bytes(data)
    world.pages[URL] = [entry(1, title=words, html=f"<p>{words * 9}</p>")]
    report = run(site, world)
    assert (counts(report).get("new", 0), path.read_bytes()) == (0, data)
    (old,) = world.pages[URL]
    world.pages[URL] = [{**old, "title": f"{words}!", "html": f"<p>{words * 9}</p><p>New.</p>"}]
    assert counts(run(site, world, now=LATER)).get("new", 0) == 0
    assert path.read_bytes() == data
    assert [one.name for one in (site / "articles").rglob("*.md")] == ["old.md"]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "utf-32"])
def test_reencoded_article_is_not_created_again(encoding: str, site: Path, world: World) -> None:
    world.pages[URL] = [entry(1, title="今天天氣晴朗", html=f"<p>{'氣溫回升，市民外出遊玩。' * 20}</p>")]
    run(site, world)
    path = only_file(site)
    path.write_bytes(path.read_text("utf-8").encode(encoding))
    data = path.read_bytes()
    assert "new" not in counts(run(site, world, now=LATER))
    (old,) = world.pages[URL]
    world.pages[URL] = [{**old, "html": "<p>New.</p>"}]
    report = run(site, world, now=LATER + timedelta(days=1))
    assert (counts(report), only_file(site).read_bytes()) == ({"kept": 1}, data)


def churned(number: int, visit: int, **more: object) -> dict[str, object]:
    """Return an entry without a date whose guid and link change at each visit."""
    facts = {
        "guid": f"{number}-{visit}",
        "link": f"https://news.example.org/{number}?session={visit}",
        "published": None,
    }
    return entry(number, html=LONG.replace("this", f"this {number}"), **{**facts, **more})


def test_undated_entry_with_new_ids_stays_one_article(site: Path, world: World) -> None:
    world.pages[URL] = [churned(number, 0) for number in range(4)]
    assert counts(run(site, world)) == {"new": 4}
    before = stamps(site / "articles")
    for visit in range(1, 4):
        world.pages[URL] = [churned(number, visit) for number in range(4)]
        report = counts(run(site, world, now=NOW + timedelta(days=visit)))
        assert report.get("new", 0) == 0, visit
        assert stamps(site / "articles").keys() == before.keys()


@pytest.mark.parametrize("stays", ["guid", "link"])
@pytest.mark.parametrize("fresh", [False, True])
def test_deleted_undated_entry_stays_deleted(stays: str, fresh: bool, site: Path, world: World) -> None:
    def visit(number: int) -> dict[str, int]:
        world.pages[URL] = [{**churned(one, number), stays: f"https://news.example.org/{one}"} for one in range(3)]
        return counts(run(site, world, now=NOW + timedelta(days=number)))

    assert visit(0) == {"new": 3}
    visit(1)
    deleted = next(path for path in (site / "articles").rglob("*.md") if "Story-number-1" in path.name)
    deleted.unlink()
    if fresh:  # another machine, which has only the state and the articles
        shutil.rmtree(site / ".feedtool")
    for number in (2, 3):
        assert visit(number).get("new", 0) == 0
        assert not deleted.exists()


@pytest.mark.parametrize(
    "unlike",
    [
        {"title": "Another story", "html": LONG},
        {"title": "Story number 1", "html": "<p>" + "Words that were never there before, about something else. " * 8 + "</p>"},
        {"title": "Story number 1", "html": ""},
        {"title": "", "html": "<p>Short.</p>"},
    ],
    ids=["title", "text", "no text", "no title"],
)  # fmt: skip
def test_similar_undated_entry_is_a_new_article(unlike: dict[str, str], site: Path, world: World) -> None:
    world.pages[URL] = [churned(1, 0)]
    run(site, world)
    world.pages[URL] = [{**churned(1, 1), **unlike}]
    assert counts(run(site, world, now=LATER)) == {"new": 1}
    assert len(list((site / "articles").rglob("*.*"))) == 2


def test_updated_files_match_their_index_rows(site: Path, world: World) -> None:
    run(site, world)
    (old,) = world.pages[URL]
    world.pages[URL] = [{**old, "title": "Story number 1, again", "categories": ["b"], "html": "<p>New.</p>"}]
    assert counts(run(site, world, now=LATER)) == {"updated": 1}
    noted = index_rows(site)
    (site / ".feedtool/ingest").unlink()
    run(site, world, now=LATER, force=True)
    assert index_rows(site) == noted


def test_dry_run_changes_no_file(site: Path, world: World) -> None:
    run(site, world)
    half = site / f"articles/Wire/.x{storage.TEMPORARY_SUFFIX}"
    half.write_bytes(b"half of a file that a killed run left")
    os.utime(half, (1, 1))
    before = tree(site)
    (old,) = world.pages[URL]
    world.pages[URL] = [{**old, "title": "Another title"}, entry(7)]
    assert counts(run(site, world, now=LATER, dry_run=True)) == {"new": 1, "updated": 1}
    assert tree(site) == before
    assert counts(run(site, world, now=LATER)) == {"new": 1, "updated": 1}
    assert not half.exists()


def test_unwritable_article_is_reported_by_title(site: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(
        "feedtool.ingesting.writer.storage", SimpleNamespace(write=full, fsync_folders=storage.fsync_folders)
    )
    report = run(site, world)
    assert counts(report) == {"failed": 1}
    assert [(one.file, one.code, one.message) for one in report.problems] == [
        ("articles/", "FT307", 'Wire: the article "Story number 1" cannot be written: No space left on device')
    ]


def test_unreadable_file_is_reported_with_a_hint(site: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    run(site, world)
    path = only_file(site)
    path.write_bytes(path.read_bytes() + b"\n")

    def broken(*_: object) -> OSError:
        return OSError(5, "Input/output error")

    monkeypatch.setattr("feedtool.storage.prefixes._try_open", broken)
    (problem,) = run(site, world, now=LATER).problems
    assert (problem.code, problem.message, problem.hint, problem.file) == (
        "FT310",
        "cannot be read: Input/output error",
        "give feedtool permission to read it, or check the disk",
        f"articles/{path.relative_to(site / 'articles')}",
    )


def test_gone_source_is_asked_only_by_name(site: Path, world: World) -> None:
    world.pages[URL] = {"kind": "gone", "message": "410 Gone", "status": 410}
    run(site, world)
    world.pages[URL] = [entry(1)]
    later = NOW + timedelta(days=30)
    report = run(site, world, now=later)
    assert [(one.code, one.message, one.severity) for one in report.problems] == [
        ("FT302", "Wire: no longer fetched: 410 Gone", "warning")
    ]
    assert [one.outcome for one in report.tallies] == ["muted"]
    assert len(world.requests) == 1
    assert counts(run(site, world, "Wire", now=later)) == {"new": 1}
    assert counts(run(site, world, now=later + timedelta(days=1))) == {}


def test_symlinked_folder_gets_no_article(site: Path, world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (site / "articles/Wire").symlink_to(elsewhere)
    (problem,) = run(site, world).problems
    assert (problem.file, problem.code, problem.message, problem.hint) == (
        "articles/Wire/", "FT307", "leads through a link", "make it a folder of its own",
    )  # fmt: skip
    assert list(elsewhere.iterdir()) == []
