"""Test what a build publishes, keeps and refuses: tombstones, archives within a size, output folders, dry runs."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from feedtool import storage
from tests.support.site import article, build, make_site, tree

TOMBSTONE = re.compile(rb'deleted-entry[^>]* ref="([^"]+)"')


def tombstones(site: Path, feed: str = "atom.xml") -> list[str]:
    return [ref.decode() for ref in TOMBSTONE.findall((site / "public" / feed).read_bytes())]


def ids(site: Path) -> set[str]:
    return {item["id"] for item in json.loads((site / "public" / "feed.json").read_bytes())["items"]}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    articles = {
        "a.md": article("A", front="categories: [One]\n"),
        "b.md": article("B", date="2022-07-26T20:11:30+08:00", front="categories: [One, Two]\n"),
        "c.md": article("C", date="2022-07-27T20:11:30+08:00", front="guid: '17'\n"),
        "d.md": article("D", date="2022-07-28T20:11:30+08:00", front="guid: 'hello world <x> 中'\n"),
    }
    return make_site(tmp_path / "site", articles)


@pytest.mark.parametrize("without_index", [False, True])
def test_deleted_article_leaves_a_tombstone(site: Path, without_index: bool) -> None:
    build(site)
    (site / "articles" / "b.md").unlink()
    if without_index:
        shutil.rmtree(site / ".feedtool")
    build(site)
    assert tombstones(site) == ["tag:example.org,2022-07-26:b"]
    assert tombstones(site, "categories/one/atom.xml") == ["tag:example.org,2022-07-26:b"]
    build(site)
    assert tombstones(site) == ["tag:example.org,2022-07-26:b"]


def test_returning_article_loses_its_tombstone(site: Path) -> None:
    text = (site / "articles" / "a.md").read_text("utf-8")
    build(site)
    (site / "articles" / "a.md").unlink()
    build(site)
    (site / "articles" / "a.md").write_text(text, "utf-8")
    build(site)
    assert tombstones(site) == []
    assert "tag:example.org,2022-07-25:a" in ids(site)


def test_lost_index_gives_no_tombstone_for_odd_ids(site: Path) -> None:
    build(site)
    shutil.rmtree(site / ".feedtool")
    build(site)
    assert tombstones(site) == []
    assert not (site / "feedtool.state").exists()


def test_published_draft_gets_a_tombstone(site: Path) -> None:
    build(site)
    (site / "articles" / "draft.md").write_text(article("Draft", front="draft: true\n"), "utf-8")
    build(site, "--drafts", "-o", str(site / "preview"))
    build(site)
    assert tombstones(site) == []
    (site / "articles" / "a.md").write_text(article("A", front="draft: true\n"), "utf-8")
    build(site)
    assert tombstones(site) == ["tag:example.org,2022-07-25:a"]


@pytest.mark.parametrize(("limit", "most", "count"), [(10, 3000, 10), (7, 2500, 34), (3, 100, 5), (5, 9000, 23)])
def test_feed_and_archives_hold_all_articles(tmp_path: Path, limit: int, most: int, count: int) -> None:
    articles = {
        f"n{n:02}.md": article(
            str(n), date=f"2022-07-{n % 28 + 1:02}T{n % 24:02}:{n:02}:30Z", body=f"<p>{'x' * 300} {n}</p>\n"
        )
        for n in range(count)
    }
    site = make_site(tmp_path / "site", articles, f"[feeds]\nlimit = {limit}\nmax_bytes = {most}\n")
    assert build(site).exit_code == 0
    published = ids(site)
    for name in ("feed.json", "atom.xml", "rss.xml"):
        assert (site / "public" / name).stat().st_size <= max(most, 2500)
    document = json.loads((site / "public" / "feed.json").read_bytes())
    while "next_url" in document:
        path = document["next_url"].removeprefix("https://example.org/")
        document = json.loads((site / "public" / path).read_bytes())
        published |= {item["id"] for item in document["items"]}
    assert len(published) == count


@pytest.mark.parametrize(
    "place", [".", "articles", "articles/out", "articles/../articles/x", "templates", ".feedtool", "feedtool.toml"]
)
def test_harmful_output_folder_is_refused(site: Path, place: str) -> None:
    before = tree(site)
    result = build(site, "-o", str(site / place))
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.stderr
    assert tree(site) == before


def test_output_folder_with_articles_is_refused(tmp_path: Path) -> None:
    site = make_site(tmp_path / "site", {}, '[articles]\npath = "out/articles"\n')
    (site / "out" / "articles").mkdir(parents=True)
    assert build(site, "-o", str(site / "out")).exit_code == 2


def test_only_an_option_moves_output_outside_the_site(tmp_path: Path) -> None:
    site = make_site(tmp_path / "site", {"a.md": article("A")})
    text = (site / "feedtool.toml").read_text("utf-8")
    (site / "feedtool.toml").write_text('output = "../elsewhere"\n' + text, "utf-8")
    result = build(site)
    assert result.exit_code == 2
    assert "outside the site" in result.stderr
    assert build(site, "-o", str(tmp_path / "elsewhere")).exit_code == 0


def test_edit_with_equal_size_and_mtime_is_found(site: Path) -> None:
    file = site / "articles" / "a.md"
    build(site)
    status = file.stat()
    file.write_bytes(file.read_bytes().replace(b"Text.", b"Tale."))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    build(site)
    assert b"Tale." in (site / "public" / "atom.xml").read_bytes()


def test_dry_run_reports_without_writing(site: Path) -> None:
    assert build(site, "--dry-run").json["written"] > 0
    assert not (site / "public").exists()
    build(site)
    (site / "articles" / "b.md").unlink()
    before = tree(site)
    dry = build(site, "--dry-run").json
    assert tree(site) == before
    real = build(site).json
    assert (dry["written"], dry["removed"]) == (real["written"], real["removed"])
    assert real["removed"] > 0


def test_json_stays_json_under_github_actions(site: Path) -> None:
    (site / "articles" / "e.md").write_text("---\ntitle: '::error::x'\ndate: never\n---\n", "utf-8")
    result = build(site, env={"GITHUB_ACTIONS": "true"})
    assert result.json["problems"]
    assert "::warning " in result.stderr


def test_base_url_comes_from_the_environment(tmp_path: Path) -> None:
    site = make_site(tmp_path / "site", {"a.md": article("A")}, '[site]\ntitle = "T"\n')
    build(site, env={"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "Ada/Notes"})
    feed = json.loads((site / "public" / "feed.json").read_bytes())
    assert feed["feed_url"] == "https://ada.github.io/Notes/feed.json"
    assert feed["items"][0]["id"] == "tag:ada.github.io,2022-07-25:a"


def test_first_article_of_an_empty_site_is_published(tmp_path: Path) -> None:
    site = make_site(tmp_path / "site", {})
    assert build(site).json["articles"] == 0
    (site / "articles" / "a.md").write_text(article("A"), "utf-8")
    assert build(site).json["articles"] == 1
    assert ids(site) == {"tag:example.org,2022-07-25:a"}


@pytest.mark.parametrize("most", [None, 0, 1, 5, 4000])
def test_partial_writes_complete_the_file(tmp_path: Path, most: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = (b"", b"a", b"bc", b"", b"def" * 500, *(str(number).encode() for number in range(1500)), b"")
    real = os.writev
    if most is not None:
        monkeypatch.setattr(os, "writev", lambda descriptor, some: real(descriptor, [b"".join(some)[:most]]))
    for some in (pieces, (), (b"",), (b"x",), b"in one"):
        storage.write(str(tmp_path / "f"), some)
        assert (tmp_path / "f").read_bytes() == b"".join([some] if isinstance(some, bytes) else some)
