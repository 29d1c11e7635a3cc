"""Test values that must never change against literal ones: ids, addresses, and the contents of the state and stamps.

Subscribers' readers, links and files of earlier releases contain these values, so no test rewrites the files in
`data/golden`. Users notice a change of them; it needs an entry in the changelog.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from feedtool.articles import Rules
from feedtool.articles.identity import derived_id, written_id
from feedtool.articles.provenance import Stamp, read_stamp, short_hash
from feedtool.config import load_settings, parse_settings
from feedtool.feeds.metadata import feed_id
from feedtool.feeds.permalinks import page_folder
from feedtool.feeds.values import atom_id
from feedtool.http import Request, Response
from feedtool.ingesting import Tools, ingest, select_sources
from feedtool.ingesting.engines import feed_reader
from feedtool.ingesting.memory import Memory, entry_key, title_key
from feedtool.protocols import in_order
from feedtool.publish import Choices, build
from feedtool.slugs import file_name, slug
from tests.support.site import ROOT, article, make_site, tree, write
from tests.support.site import build as build_command

GOLDEN = ROOT / "tests/data/golden"
NOW = datetime(2024, 1, 4, 12, tzinfo=UTC)
SETTINGS = """[site]
title = "Golden"
url = "https://golden.example/feeds/"
language = "en"
timezone = "UTC"
[[sources]]
name = "Wire"
url = "https://wire.example/feed.xml"
categories = ["News"]
"""


def rows(name: str) -> list[list[str]]:
    """Return the rows of a table in `data/golden`, which has fields separated by tabs with Python escapes."""
    lines = (GOLDEN / name).read_text("utf-8").splitlines()
    data = [line for line in lines if line and not line.startswith("# ")]
    return [[json.loads(f'"{field}"') for field in line.split("\t")] for line in data]


@pytest.mark.parametrize(("authority", "path", "date", "expected"), rows("ids.tsv"))
def test_derived_ids_never_change(authority: str, path: str, date: str, expected: str) -> None:
    assert derived_id(path, datetime.fromisoformat(date), Rules(authority=authority)) == expected


@pytest.mark.parametrize(("text", "published", "atom"), rows("guids.tsv"))
def test_written_ids_never_change(text: str, published: str, atom: str) -> None:
    assert (written_id(text), atom_id(written_id(text))) == (published, atom)


@pytest.mark.parametrize(("path", "identity", "expected"), rows("pages.tsv"))
def test_article_page_folders_never_change(path: str, identity: str, expected: str) -> None:
    assert page_folder(path, identity) == expected


@pytest.mark.parametrize(("name", "folder", "file"), rows("slugs.tsv"))
def test_slugs_and_file_names_never_change(name: str, folder: str, file: str) -> None:
    assert (slug(name), file_name(name)) == (folder, file)


@pytest.mark.parametrize(("authority", "path", "expected"), rows("feeds.tsv"))
def test_feed_ids_never_change(authority: str, path: str, expected: str) -> None:
    settings = parse_settings(f'[site]\ntitle = "T"\nurl = "https://example.org/"\nauthority = "{authority}"\n')
    assert feed_id(path, settings) == expected


@pytest.mark.parametrize(("kind", "text", "expected"), rows("hashes.tsv"))
def test_short_hashes_never_change(kind: str, text: str, expected: str) -> None:
    derived: dict[str, Callable[[], str]] = {
        "value": lambda: short_hash(text),
        "entry": lambda: entry_key(text),
        "page": lambda: title_key("https://wire.example/1", text, 1_704_103_200),
        "undated page": lambda: title_key("", text, 0),
    }
    assert derived[kind]() == expected


def test_built_site_keeps_addresses_and_ids(tmp_path: Path) -> None:
    articles = {
        "2024/hello.md": article("Hello", date="2024-01-02T00:30:00+09:00", front="categories: [C++, 金融]\n"),
        "中文 名.md": article("名", date="2024-01-03", front="categories: [Ångström]\n"),
        "bundle/index.md": article("Bundle", date="2024-01-04T23:59:59-05:00", front="tags: [x]\n"),
        "given.md": article("Given", date="2024-01-05", front="guid: '12345'\n"),
    }
    settings = (
        SETTINGS.partition("[[sources]]")[0] + '[pages]\narticles = "all"\n[feeds.select."My Query"]\ntags = ["x"]\n'
    )
    site = make_site(tmp_path, articles, settings)
    assert build_command(site).exit_code == 0
    lines = []
    for path in sorted((site / "public").rglob("*")):
        if path.is_file():
            name = path.relative_to(site / "public").as_posix()
            ids = re.findall(r"<id>([^<]*)</id>", path.read_text("utf-8")) if path.name == "atom.xml" else []
            lines.append("\t".join([name, *ids]))
    # A release may add files. It may not remove any, and no feed may get another id.
    assert [line for line in (GOLDEN / "site.tsv").read_text("utf-8").splitlines() if line not in lines] == []


def fetched(requests: Iterator[Request]) -> Iterator[Response]:
    body = (GOLDEN / "feed.xml").read_bytes()
    for request in requests:
        yield Response(key=request.key, url=request.url, status=200, body=body, etag='"1"', content_type="text/xml")


def visited(site: Path, now: datetime) -> int:
    """Ingest the golden feed and return the number of new articles."""
    settings = load_settings(str(site), environment={})
    tools = Tools(fetch=fetched, parse=feed_reader(lambda function, jobs: ((job, function(job)) for job in jobs)))  # type: ignore[arg-type]
    return ingest(settings, select_sources(settings, ()), tools=tools, clock=lambda: now).total("new")


def built(site: Path, now: datetime) -> None:
    build(load_settings(str(site), environment={}), mapper=in_order, clock=lambda: now, choices=Choices())


def without_digests(state: str) -> str:
    """Return a state without the digests of bodies, which depend on the settings."""
    return re.sub(r'"digest": "[^"]*"', '"digest": ""', state)


def test_ingest_writes_golden_files_and_state(tmp_path: Path) -> None:
    site = make_site(tmp_path, {}, SETTINGS)
    assert visited(site, NOW) == 3
    built(site, NOW)
    (site / "articles/Wire/First-story.md").unlink()
    assert visited(site, NOW + timedelta(days=1)) == 0
    built(site, NOW + timedelta(days=1))
    assert tree(site / "articles") == tree(GOLDEN / "articles")
    state = (site / "feedtool.state").read_text("utf-8")
    assert without_digests(state) == (GOLDEN / "feedtool.state").read_text("utf-8")


def test_ingest_reads_golden_files_and_state(tmp_path: Path) -> None:
    site = make_site(tmp_path, {}, SETTINGS)
    shutil.copytree(GOLDEN / "articles", site / "articles", dirs_exist_ok=True)
    shutil.copy(GOLDEN / "feedtool.state", site / "feedtool.state")
    # The deleted story stays deleted, the others are recognised, and no file changes.
    assert visited(site, NOW + timedelta(days=2)) == 0
    assert tree(site / "articles") == tree(GOLDEN / "articles")
    built(site, NOW + timedelta(days=2))
    text = (site / "public/atom.xml").read_text("utf-8")
    assert re.findall(r'<at:deleted-entry[^>]* ref="([^"]*)"', text) == [atom_id("wire-1")]
    memory = Memory(str(site))
    assert memory.is_deleted("Wire", [entry_key("wire-1")])
    assert not memory.is_deleted("Wire", [entry_key("wire-2")])
    health = memory.health("Wire", "https://wire.example/feed.xml")
    assert (health.etag, health.good) == ('"1"', NOW + timedelta(days=2))


def test_golden_provenance_reveals_user_edits(tmp_path: Path) -> None:
    site = make_site(tmp_path, {}, SETTINGS)
    shutil.copytree(GOLDEN / "articles", site / "articles", dirs_exist_ok=True)
    shutil.copy(GOLDEN / "feedtool.state", site / "feedtool.state")
    file = site / "articles/Wire/Third-story.md"
    write(file, file.read_text("utf-8").replace("title: Third story", "title: Mine").replace("Text of", "Old text of"))
    before = file.read_text("utf-8")
    visited(site, NOW + timedelta(days=2))
    assert file.read_text("utf-8") == before


def test_golden_provenance_is_read() -> None:
    assert read_stamp("1 XNIWRTds.C3l7 The Wire") == Stamp("The Wire", ("XNIW", "RTds"), "C3l7")
    assert read_stamp("1 XNIWRTds Wire.x") == Stamp("Wire.x", ("XNIW", "RTds"), "")
    assert read_stamp("2 XNIWRTds Wire") == Stamp()
