"""Test that one `Format` object and one call add an output format from outside the package: this file has both."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from feedtool import registry
from feedtool.api import build
from feedtool.checking.diff.pipeline import Compared, compare
from feedtool.config import InvalidSettingsError, load_settings, parse_settings, settings_schema
from feedtool.models import Entry, Feed
from feedtool.preview.files import File, answer_to
from feedtool.publish.writer import Publisher
from feedtool.state import parse_state
from tests.support.builds import built
from tests.support.site import ROOT, article, environment, make_site, tree, write

SETTINGS = '[feeds]\nformats = ["lines"]\nlimit = 2\n'


def lines_entry(entry: Entry) -> tuple[bytes, ...]:
    return (json.dumps({"id": entry.id, "title": entry.title}).encode() + b"\n",)


def lines_document(feed: Feed, entries: Sequence[tuple[bytes, ...]]) -> tuple[bytes, ...]:
    head = {"feed": feed.title, "archive": feed.archive, "previous": feed.prev_archive}
    return (json.dumps(head).encode() + b"\n", *(piece for entry in entries for piece in entry))


def ids_in_lines(data: bytes) -> list[str] | None:
    try:
        _, *items = map(json.loads, data.splitlines())
        return [item["id"] for item in items]
    except (ValueError, KeyError, TypeError):
        return None


LINES = registry.Format(
    name="lines",
    file="feed.jsonl",
    media_type="application/jsonl",
    title="JSON Lines",
    words={"en": "For scripts"},
    entry=lines_entry,
    document=lines_document,
    ids=ids_in_lines,
    archive="jsonl",
)


@pytest.fixture
def lines() -> Iterator[registry.Format]:
    """Register the format for one test."""
    registry.register_format(LINES)
    yield LINES
    registry.unregister_format("lines")


@pytest.fixture
def site(tmp_path: Path, lines: registry.Format) -> Path:
    """Return a built site of five articles whose only format is the registered one."""
    articles = {
        f"{n}.md": article(f"Number {n}", date=f"2024-01-0{n}", front=f"guid: urn:x:{n}\ncategories: News\n")
        for n in range(1, 6)
    }
    (tmp_path / "site").mkdir()
    folder = make_site(tmp_path / "site", articles, SETTINGS)
    built(folder)
    return folder


def published(site: Path) -> Path:
    """Return a copy of the output."""
    return Path(shutil.copytree(site / "public", site.parent / "published"))


def compared(site: Path, place: Path) -> Compared:
    return compare(load_settings(str(site), environment={}), str(place), fetch=lambda _: iter(()))


def titles(path: Path) -> list[str]:
    return [json.loads(line)["title"] for line in path.read_text().splitlines()[1:]]


def test_files_of_every_feed_are_written(site: Path) -> None:
    feeds = sorted(path for path in tree(site / "public") if path.endswith(".jsonl"))
    archives = [f"archive/{number}.jsonl" for number in (1, 2)]
    category = [f"categories/news/{name}" for name in (*archives, "feed.jsonl")]
    assert feeds == [*archives, *category, "feed.jsonl"]
    assert not [path for path in tree(site / "public") if path.endswith(("atom.xml", "rss.xml", "feed.json"))]
    assert titles(site / "public/feed.jsonl") == ["Number 5", "Number 4"]
    assert titles(site / "public/archive/1.jsonl") == ["Number 2", "Number 1"]
    heads = [json.loads((site / "public" / path).read_text().splitlines()[0]) for path in ("feed.jsonl", *archives)]
    assert [(head["archive"], head["previous"]) for head in heads] == [(None, 2), (1, None), (2, 1)]


def test_format_without_archives_has_none(tmp_path: Path) -> None:
    registry.register_format(LINES._replace(archive=None))
    try:
        folder = make_site(tmp_path, {f"{n}.md": article("A", date=f"2024-01-0{n}") for n in range(1, 6)}, SETTINGS)
        built(folder)
        assert sorted(path for path in tree(folder / "public") if path.endswith(".jsonl")) == ["feed.jsonl"]
        with pytest.raises(ValueError, match="no archives"):
            registry.format_of("lines").archive_file(1)
    finally:
        registry.unregister_format("lines")


def test_pages_and_lists_link_to_the_format(site: Path) -> None:
    index = (site / "public/index.html").read_text()
    link = re.search(r'<link rel="alternate"[^>]*>', index)
    assert link is not None
    assert 'type="application/jsonl"' in link[0]
    assert "(JSON Lines)" in link[0]
    assert "https://example.org/feed.jsonl" in link[0]
    assert "<strong>JSON Lines</strong> <span>For scripts</span>" in index
    assert re.findall(r'href="(archive/[^"]+)"', index) == ["archive/2.jsonl", "archive/1.jsonl"]
    opml = (site / "public/feeds.opml").read_text()
    assert re.findall(r'xmlUrl="([^"]+)"', opml) == [
        "https://example.org/feed.jsonl",
        "https://example.org/categories/news/feed.jsonl",
    ]


def test_right_to_left_pages_isolate_the_words(site: Path) -> None:
    write(site / "feedtool.toml", f'[site]\nurl = "https://example.org/"\nlanguage = "ar"\n{SETTINGS}')
    built(site)
    assert "<strong>\u2066JSON Lines\u2069</strong> <span>\u2066For scripts\u2069</span>" in (
        site / "public/index.html"
    ).read_text("utf-8")


def test_own_formats_stand_beside_the_format(site: Path) -> None:
    write(site / "feedtool.toml", (site / "feedtool.toml").read_text().replace('"lines"', '"lines", "rss", "atom"'))
    built(site)
    assert {"feed.jsonl", "rss.xml", "atom.xml", "archive/1.xml", "archive/1.jsonl"} <= set(tree(site / "public"))
    assert "https://example.org/atom.xml" in (site / "public/feeds.opml").read_text()


def test_deletion_is_found_without_the_index(site: Path) -> None:
    assert sorted(Publisher(str(site / "public"), {}).ids()) == ["urn:x:4", "urn:x:5"]
    shutil.rmtree(site / ".feedtool")
    (site / "articles/5.md").unlink()
    built(site)
    ((key, facts),) = parse_state((site / "feedtool.state").read_text("utf-8")).items()
    assert (key, facts["feeds"]) == (("tombstone", "urn:x:5"), ["", "categories/news"])


def test_guard_compares_documents_of_the_format(site: Path) -> None:
    place = published(site)
    same = compared(site, place)
    assert (same.problems, same.feeds, same.entries) == ((), 2, 2)
    write(site / "articles/5.md", article("Number 5", date="2024-01-05", front="guid: urn:x:other\ncategories: News\n"))
    built(site)
    changed = compared(site, place)
    assert [problem.code for problem in changed.problems] == ["FT402"]
    assert "urn:x:5" in changed.problems[0].message


def test_guard_without_archives_compares_what_is_left(site: Path) -> None:
    write(site / "feedtool.toml", (site / "feedtool.toml").read_text() + "archive = false\n")
    built(site)
    place = published(site)
    write(site / "articles/6.md", article("Number 6", date="2024-01-06"))
    built(site)
    assert compared(site, place).problems == ()


def test_guard_accepts_entries_that_moved_to_archives(site: Path) -> None:
    place = published(site)
    for number in (6, 7):
        write(site / f"articles/{number}.md", article(f"Number {number}", date=f"2024-01-0{number}"))
    built(site)
    assert [problem.code for problem in compared(site, place).problems] == []


def test_guard_reports_the_format_that_would_disappear(site: Path) -> None:
    place = published(site)
    write(site / "feedtool.toml", (site / "feedtool.toml").read_text().replace('"lines"', '"rss"'))
    built(site)
    (problem,) = [one for one in compared(site, place).problems if one.code == "FT404"]
    assert 'put "lines" back into [feeds] formats' in problem.hint


def test_guard_reports_a_damaged_document(site: Path) -> None:
    place = published(site)
    write(place / "feed.jsonl", "<html>not lines")
    assert [problem.code for problem in compared(site, place).problems] == ["FT405"]


def test_guard_accepts_a_feed_without_entries(site: Path) -> None:
    write(site / "feedtool.toml", (site / "feedtool.toml").read_text() + 'select."none" = { tags = ["none"] }\n')
    built(site)
    place = published(site)
    assert (place / "feeds/none/feed.jsonl").read_text().count("\n") == 1
    write(site / "articles/6.md", article("Number 6", date="2024-01-06", front="tags: none\n"))
    built(site)
    assert compared(site, place).problems == ()


def test_texts_of_all_formats_stay_in_templates(site: Path) -> None:
    write(site / "templates/index.html", "{{ t.atom }}, {{ t.rss_words }}, {{ t.lines }}")
    built(site)
    assert (
        site / "public/index.html"
    ).read_text() == "Atom, Understood by every feed reader and podcast app, JSON Lines"


def test_preview_serves_the_media_type(site: Path) -> None:
    for path in ("/feed.jsonl", "/archive/1.jsonl"):
        answer = answer_to(path, str(site / "public"), "/")
        assert isinstance(answer, File)
        assert answer.type == "application/jsonl"


def test_settings_and_schema_follow_the_registry(lines: registry.Format) -> None:
    assert parse_settings('[feeds]\nformats = ["lines", "atom"]\n', environment={}).feeds.formats == ("lines", "atom")
    jsonschema.validate({"feeds": {"formats": ["lines"]}}, settings_schema())
    registry.unregister_format("lines")
    try:
        with pytest.raises(InvalidSettingsError, match='must be "atom", "rss" or "json", not "lines"'):
            parse_settings('[feeds]\nformats = ["lines"]\n', environment={})
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"feeds": {"formats": ["lines"]}}, settings_schema())
    finally:
        registry.register_format(LINES)


def test_forked_children_render_the_format(site: Path) -> None:
    one = tree(site / "public")
    shutil.rmtree(site / "public")
    shutil.rmtree(site / ".feedtool")
    build(str(site), jobs=2)
    assert tree(site / "public") == one


MODULE = """
import json, sys
from feedtool import registry
from feedtool.api import build
def entry(entry): return (b"ENTRY" + sys.argv[2].encode() + b" " + entry.id.encode(),)
def document(feed, entries): return tuple(piece for entry in entries for piece in (*entry, b"\\n"))
registry.register_format(registry.Format(
    name="t", file="feed.t", media_type="text/plain", title="T", words={"en": "w"},
    entry=entry, document=document, ids=lambda data: data.decode().split()[1::2], version=repr(len(sys.argv[2])),
))
report = build(sys.argv[1])
print(report.written)
"""


def test_changed_format_renders_entries_anew(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    site = make_site(tmp_path / "site", {"a.md": article("A", front="guid: urn:x:a\n")}, '[feeds]\nformats = ["t"]\n')
    program = tmp_path / "program.py"

    def run(text: str, word: str = "") -> tuple[int, bytes]:
        write(program, "import renderer")
        write(tmp_path / "renderer.py", text)
        done = subprocess.run(
            [sys.executable, "-B", str(program), str(site), word], capture_output=True, env=environment(), check=True
        )
        return int(done.stdout), (site / "public/feed.t").read_bytes()

    assert run(MODULE)[1] == b"ENTRY urn:x:a\n"
    assert run(MODULE)[0] == 0
    assert run(MODULE.replace("ENTRY", "OTHER"))[1] == b"OTHER urn:x:a\n"
    # The word comes from outside the module, so only `version` tells that it has changed.
    assert run(MODULE.replace("ENTRY", "OTHER"), "-S")[1] == b"OTHER-S urn:x:a\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "atom"}, "already"),
        ({"name": "page"}, "cannot be the name"),
        ({"name": "Lines"}, "cannot be the name"),
        ({"name": "rss_words"}, "cannot be the name"),
        ({"file": "../x.jsonl"}, "cannot be the file"),
        ({"file": "index.html"}, "cannot be the file"),
        ({"file": "sitemap-2.xml"}, "cannot be the file"),
        ({"file": "ATOM.xml"}, "same names"),
        ({"archive": "xml"}, "same names"),
        ({"archive": "a/b"}, "cannot be the suffix"),
        ({"words": {"zh": "x"}}, "in English"),
    ],
)
def test_format_that_would_clash_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        registry.register_format(LINES._replace(**change))
    assert registry.format_names() == ("atom", "rss", "json")


def test_build_without_changes_loads_no_format(tmp_path: Path) -> None:
    site = make_site(tmp_path, {"a.md": article("A")})
    code = "import sys; from feedtool.api import build; build(sys.argv[1]); print(*sys.modules)"

    def modules() -> set[str]:
        command = [sys.executable, "-c", code, str(site)]
        done = subprocess.run(command, capture_output=True, env=environment(), cwd=ROOT, check=True, text=True)
        return set(done.stdout.split())

    assert {"feedtool.feeds.formats.atom", "nh3"} <= modules()
    assert not {name for name in modules() if name.startswith(("feedtool.feeds.formats", "lxml", "nh3"))}
