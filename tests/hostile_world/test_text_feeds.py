"""Test with the parsers of feed readers that hostile texts in the output of `build` are what was written."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import feedparser
import listparser
import pytest
from lxml import etree, html

from tests.hostile_world.texts import NEVER, TEXTS, line, same
from tests.support.site import build, make_site

USED = tuple(text for text in TEXTS if line(text) and len(text) < 1500)
SETTINGS = """[site]
title = "T"
url = "https://example.org/"
language = "en"
[feeds]
limit = 10000
archive = false
[pages]
articles = "all"
"""
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    articles = {f"{number}.html": _article(number, text) for number, text in enumerate(USED)}
    site = make_site(tmp_path_factory.mktemp("site"), articles, SETTINGS)
    built = build(site)
    assert (built.finished, built.json["articles"]) == (True, len(USED)), built.stderr[-2000:]
    return site / "public"


def _article(number: int, text: str) -> str:
    front = {
        "title": text,
        "date": f"2022-07-25T{number // 60:02}:{number % 60:02}:00+08:00",
        "id": f"tag:example.org,2022:{number}",
        "author": {"name": text},
        "categories": [text],
        "rights": text,
        "summary": text.replace("&", "&amp;").replace("<", "&lt;"),
        "source": {"title": text, "url": "https://example.com/feed"},
        "enclosures": [{"url": "https://example.com/a.mp3", "title": text}],
    }
    # JSON front matter is valid YAML and can contain every character.
    return f"{json.dumps(front)}\n<p>{number}</p>\n"


def _assert_text(texts: Mapping[int, Any]) -> None:
    assert sorted(texts) == list(range(len(USED)))
    for number, text in texts.items():
        assert same(text, USED[number]), (USED[number], text)


def _number(identity: str) -> int:
    return int(identity.rpartition(":")[2])


@pytest.mark.fault_class("text.xml")
@pytest.mark.parametrize("file", ["atom.xml", "rss.xml"])
@pytest.mark.parametrize("field", ["title", "author", "category", "source", "rights"])
def test_xml_feeds_keep_text_of_articles(output: Path, file: str, field: str, tally: Callable[[int], None]) -> None:
    root = etree.fromstring((output / file).read_bytes(), etree.XMLParser(huge_tree=True))
    entries = root.findall(f"{ATOM}entry") or root.findall("channel/item")
    path = {
        "title": "{*}title",
        "author": "{*}author/{*}name" if file == "atom.xml" else "{*}creator",
        "category": "{*}category",
        "source": "{*}source/{*}title" if file == "atom.xml" else "{*}source",
        "rights": "{*}rights",
    }[field]
    parsed_entries = {}
    for entry in entries:
        element = entry.find(path)
        if field == "rights" and file == "rss.xml":
            assert element is None
            element = entry.find("{*}title")
        assert element is not None
        text = element.get("term") or etree.tostring(element, method="text", encoding="unicode", with_tail=False).strip(
            "\n"
        )
        # RSS does not specify whether a text is HTML, and Atom has a type: a text that could be HTML is escaped once more.
        is_html = element.get("type") == "html" or (file == "rss.xml" and "&" in text)
        text = html.fromstring(f"<p>{text}</p>").text_content() if is_html else text
        identity = entry.find("{*}id") if file == "atom.xml" else entry.find("guid")
        assert identity is not None
        parsed_entries[_number(identity.text or "")] = text
    _assert_text(parsed_entries)
    tally(len(parsed_entries))


@pytest.mark.fault_class("text.json")
def test_json_feed_keeps_text_of_articles(output: Path, tally: Callable[[int], None]) -> None:
    data = (output / "feed.json").read_bytes().decode()
    assert not NEVER.search(data)
    items = json.loads(data)["items"]
    _assert_text({_number(one["id"]): one["title"] for one in items})
    _assert_text({_number(one["id"]): one["authors"][0]["name"] for one in items})
    _assert_text({_number(one["id"]): one["tags"][0] for one in items})
    _assert_text({_number(one["id"]): one["attachments"][0]["title"] for one in items})
    tally(len(items) * 4)


@pytest.mark.fault_class("text.xml")
@pytest.mark.parametrize("file", ["atom.xml", "rss.xml"])
def test_feed_titles_survive_feedparser(output: Path, file: str, tally: Callable[[int], None]) -> None:
    read = feedparser.parse((output / file).read_bytes(), sanitize_html=False, resolve_relative_uris=False)
    assert not read.bozo
    assert len(read.entries) == len(USED)
    for entry in read.entries:
        shown = html.fromstring(f"<p>{entry.title}</p>").text_content() if "&" in entry.title else entry.title
        assert same(shown, USED[_number(entry.id)])
    tally(len(USED))


@pytest.mark.fault_class("text.xml")
def test_opml_and_sitemap_keep_category_names(output: Path, tally: Callable[[int], None]) -> None:
    data = (output / "feeds.opml").read_bytes()
    names = {one.get("text") or "" for one in etree.fromstring(data).iter("outline")}
    expected = [text for text in USED if not any(same(name.removesuffix(" - T"), text) for name in names)]
    assert expected == []
    assert len(listparser.parse(data.decode()).feeds) == len(names)
    addresses = [one.text for one in etree.fromstring((output / "sitemap.xml").read_bytes()).iter("{*}loc")]
    assert all(one and one.isascii() and one.startswith("https://example.org/") for one in addresses)
    tally(len(names) * 2)


@pytest.mark.fault_class("text.html")
def test_pages_keep_text_of_articles(output: Path, tally: Callable[[int], None]) -> None:
    texts = 0
    for file in sorted((output / "articles").rglob("index.html")):
        data = file.read_bytes().decode()
        page = html.document_fromstring(data)
        number = int(page.xpath("string(//*[contains(@class, 'prose')]/p)"))
        assert all(same(line(page.findtext(f".//{name}") or ""), USED[number]) for name in ("h1", "title"))
        assert {NEVER.sub("", one) for one in page.xpath("//meta/@content")} == set(page.xpath("//meta/@content"))
        texts += 1
    assert texts == len(USED)
    index = html.document_fromstring((output / "index.html").read_bytes().decode())
    shown = {line(" ".join(one.itertext())) for one in index.iter("a")}
    assert all(any(same(name, text) for name in shown) for text in USED)
    tally(texts * 3)


@pytest.mark.fault_class("text.html")
def test_output_has_no_control_or_bidi_characters(output: Path, tally: Callable[[int], None]) -> None:
    files = [file for file in sorted(output.rglob("*")) if file.is_file()]
    for file in files:
        assert not NEVER.search(str(file.relative_to(output))), file
        text = file.read_bytes().decode()
        assert not NEVER.search(text.replace("\u2066", "").replace("\u2069", "") if "lang" in file.name else text), file
    tally(len(files))
