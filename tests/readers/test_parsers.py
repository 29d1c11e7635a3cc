"""Test that feedparser reads all feeds without complaint, and that listparser reads the OPML."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ElementTree
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import feedparser
import listparser
import pytest

if TYPE_CHECKING:
    from tests.readers.conftest import Published


@pytest.fixture(params=["example", "generated"])
def published(request: pytest.FixtureRequest) -> Published:
    """Return each of the sites in turn."""
    site: Published = request.getfixturevalue(request.param)
    return site


def test_feedparser_reads_every_xml_feed_without_bozo(published: Published) -> None:
    files = [path for path in published.output.rglob("*.xml") if path.name != "sitemap.xml"]
    paths = sorted(path.relative_to(published.output).as_posix() for path in files)
    assert len(paths) >= 8
    for path in paths:
        parsed = feedparser.parse(io.BytesIO((published.output / path).read_bytes()), sanitize_html=False)
        assert not parsed.bozo, (path, parsed.get("bozo_exception"))
        assert parsed.version == ("rss20" if path.endswith("rss.xml") else "atom10")
        assert parsed.entries
        assert all(entry.title and entry.id and entry.published_parsed for entry in parsed.entries), path


def test_all_formats_have_the_same_entries(published: Published) -> None:
    items = json.loads(published.get("feed.json"))["items"]
    for name in ("atom.xml", "rss.xml"):
        entries = feedparser.parse(io.BytesIO(published.get(name)), sanitize_html=False).entries
        assert [entry.id for entry in entries] == [item["id"] for item in items]
        assert [entry.title for entry in entries] == [item["title"] for item in items]
        assert [entry.author for entry in entries] == [item["authors"][0]["name"] for item in items]
        tags = [[tag.term for tag in entry.get("tags", [])] for entry in entries]
        assert tags == [item.get("tags", []) for item in items]
        pictures = [entry.get("media_thumbnail", [{}])[0].get("url") for entry in entries]
        assert pictures == [item.get("image") for item in items]


def test_listparser_reads_opml_and_feeds_are_served(published: Published) -> None:
    listed = listparser.parse(published.get("feeds.opml").decode())
    assert not listed.bozo
    folders = [path for path in (published.output / "categories").iterdir() if path.is_dir()]
    assert len(listed.feeds) == len(folders) + 1
    for feed in listed.feeds:
        assert feed.url.startswith(published.url)
        assert ElementTree.fromstring(published.get(urlsplit(feed.url).path.lstrip("/"))).tag.endswith("feed")


def test_archives_contain_every_article_once(generated: Published) -> None:
    """Follow prev-archive links from the subscription document to the oldest one (RFC 5005 section 4)."""
    ids: list[str] = []
    url = generated.url + "atom.xml"
    while url:
        parsed = feedparser.parse(io.BytesIO(generated.get(url.removeprefix(generated.url))), sanitize_html=False)
        ids += [entry.id for entry in parsed.entries]
        url = next((link.href for link in parsed.feed.links if link.rel == "prev-archive"), "")
    published = generated.build().json["articles"]
    assert len(set(ids)) == published >= 190
