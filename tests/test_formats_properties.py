"""Test that each format stays well-formed, keeps any text, and follows its specification."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from html import unescape
from typing import Any

import feedparser
import listparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from feedtool.feeds import values, xml_writer
from feedtool.feeds.formats import atom, jsonfeed, opml, rss
from feedtool.html import legal_text
from feedtool.models import Author, Category, Enclosure, Entry, Feed, SafeHtml, Source, Tombstone
from tests.support.formatcases import NAMES, read_case

A = "{http://www.w3.org/2005/Atom}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
MOMENT = datetime(2022, 7, 25, 20, 11, 30, tzinfo=timezone(timedelta(hours=8)))

anything = st.text(st.characters(exclude_categories=()), max_size=30) | st.sampled_from(
    [
        "]]>",
        "<b>x</b>",
        "&amp;",
        "&#0;",
        "&#xFFFE;",
        "a\r\nb",
        "\x00\x0b\ufffe\ud800",
        "<![CDATA[",
        "--><!--",
        "?>",
        "\x85",
    ]
)
maybe = st.none() | anything
number = st.none() | st.integers(-5, 2**63)
authors = st.lists(st.builds(Author, name=anything, email=maybe, uri=maybe), max_size=2).map(tuple)
categories = st.builds(Category, name=anything, scheme=maybe)
enclosures = st.builds(Enclosure, url=anything, type=anything, length=number, duration=number, title=maybe)
entries = st.builds(
    Entry,
    id=anything,
    title=anything,
    published=st.just(MOMENT),
    updated=st.just(MOMENT),
    url=maybe,
    content=anything.map(SafeHtml),
    summary=anything,
    image=maybe,
    authors=authors,
    categories=st.lists(categories, max_size=2).map(tuple),
    enclosures=st.lists(enclosures, max_size=2).map(tuple),
    language=maybe,
    rights=maybe,
    source=st.none() | st.builds(Source, title=maybe, url=maybe, id=maybe),
)
feeds = st.builds(
    Feed,
    path=anything,
    id=anything,
    title=anything,
    url=anything,
    updated=st.just(MOMENT),
    description=anything,
    language=maybe,
    authors=authors,
    rights=maybe,
    icon=maybe,
    image=maybe,
    hub=maybe,
    css=maybe,
    home=maybe,
    ttl=number,
    audio=st.booleans(),
    category=st.none() | categories,
    tombstones=st.lists(st.builds(Tombstone, ref=anything, when=st.just(MOMENT)), max_size=2).map(tuple),
    prev_archive=st.none() | st.integers(1, 9),
)
FEED = Feed(path="", id="https://example.org/", title="T", url="https://example.org/", updated=MOMENT)


def parsed(document: bytes) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, recover=False)
    return etree.fromstring(document, parser)


def text_of(element: etree._Element | None) -> str | None:
    """Return the text of an Atom text construct (RFC 4287 section 3.1)."""
    if element is None:
        return None
    return unescape(element.text or "") if element.get("type") == "html" else element.text or ""


@settings(max_examples=150, deadline=None)
@given(feeds, st.lists(entries, max_size=2))
def test_any_text_gives_well_formed_documents(feed: Feed, some: list[Entry]) -> None:
    documents = (
        b"".join(atom.feed(feed, [atom.entry(one) for one in some])),
        b"".join(atom.feed(replace(feed, archive=3), [atom.entry(one) for one in some])),
        b"".join(rss.feed(feed, [rss.entry(one) for one in some])),
    )
    for document, path in zip(documents, (A + "entry", A + "entry", "channel/item"), strict=True):
        root = parsed(document)
        assert len(root.findall(path)) == len(some)
        assert root.getroottree().docinfo.doctype == ""
    assert len(json.loads(b"".join(jsonfeed.feed(feed, [jsonfeed.entry(one) for one in some])))["items"]) == len(some)
    assert parsed(opml.outline(feed.title, [feed], file="atom.xml")).find("head/title") is not None


@settings(max_examples=150, deadline=None)
@given(entries)
def test_atom_keeps_the_entry(entry: Entry) -> None:
    read = parsed(b"".join(atom.feed(FEED, [atom.entry(entry)]))).find(A + "entry")
    assert read is not None
    assert text_of(read.find(A + "title")) == legal_text(entry.title)
    if entry.content:
        assert read.findtext(A + "content") == legal_text(entry.content)
    names = [category.get("term") for category in read.findall(A + "category")]
    assert names == [name for one in entry.categories if (name := legal_text(one.name).strip())]
    if entry.rights:
        assert text_of(read.find(A + "rights")) == legal_text(entry.rights)


@settings(max_examples=150, deadline=None)
@given(entries)
def test_rss_keeps_the_entry(entry: Entry) -> None:
    item = parsed(b"".join(rss.feed(FEED, [rss.entry(entry)]))).find("channel/item")
    assert item is not None
    title, legal = item.findtext("title") or "", legal_text(entry.title)
    if legal.strip():
        assert title == legal or unescape(title) == legal
        assert not re.search(r"</?[A-Za-z]", title)
    if entry.content:
        assert item.findtext(CONTENT) == legal_text(entry.content)


@settings(max_examples=150, deadline=None)
@given(entries)
def test_json_keeps_the_entry_on_one_line(entry: Entry) -> None:
    line = b"".join(jsonfeed.entry(entry))
    item = json.loads(line)
    assert b"\n" not in line
    assert item["title"] == legal_text(entry.title)
    assert item["id"] == legal_text(entry.id).strip() or not legal_text(entry.id).strip()
    assert ("content_html" in item) != ("content_text" in item)


@given(anything, anything)
def test_elements_are_escaped_as_by_lxml(wild: str, other: str) -> None:
    tree = etree.Element("a", {"b": legal_text(other)})
    tree.text = legal_text(wild) or None
    serialised = etree.tostring(tree, encoding="unicode")
    assert xml_writer.element("a", xml_writer.markup(wild), {"b": legal_text(other)}) == serialised
    assert xml_writer.content(wild) == xml_writer.markup(wild).encode()


@given(anything, anything | st.just('"content_html": "-", "content_html": "'))
def test_content_is_escaped_as_by_json(wild: str, title: str) -> None:
    entry = Entry(id="a", title=title, published=MOMENT, updated=MOMENT, content=SafeHtml("<p>" + wild))
    line = b"".join(jsonfeed.entry(entry)).decode()
    assert json.dumps("<p>" + legal_text(wild), ensure_ascii=False) in line
    assert json.dumps(json.loads(line), ensure_ascii=False) == line


@given(anything)
def test_address_is_ascii_with_a_safe_scheme(wild: str) -> None:
    for scheme in ("", "https://", "JavaScript:", "data:", "https://例え.jp/"):
        uri = values.address(scheme + wild)
        if uri is not None:
            assert re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+", uri)
            assert not uri.lower().startswith(("javascript:", "data:", "vbscript:", "file:"))
            assert values.address(uri) == uri


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://example.org/a?b=c#d", "https://example.org/a?b=c#d"),
        ("https://例え.jp/パス", "https://xn--r8jz45g.jp/%E3%83%91%E3%82%B9"),
        ("https://example.org/a b|c%zz%41", "https://example.org/a%20b%7Cc%25zz%41"),
        ("http://[::1]/x", "http://[::1]/x"),
        ("/relative", None),
        ("https:", None),
        ("https:///x", None),
        ("java\x01script:alert(1)", None),
        ("", None),
        (None, None),
    ],
)
def test_addresses_are_written_as_uris_or_omitted(address: str | None, expected: str | None) -> None:
    assert values.address(address) == expected


@given(anything)
def test_atom_id_is_a_stable_uri(wild: str) -> None:
    identity = values.atom_id(wild)
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+", identity)
    assert values.atom_id(identity) == identity


@pytest.mark.parametrize("name", [name for name in NAMES if name != "hostile"])
@pytest.mark.parametrize("format_module", [atom, rss], ids=["atom", "rss"])
def test_feedparser_reads_every_entry(name: str, format_module: Any) -> None:
    feed, some, _ = read_case(name)
    document = io.BytesIO(b"".join(format_module.feed(feed, [format_module.entry(one) for one in some])))
    read = feedparser.parse(document, sanitize_html=False, resolve_relative_uris=False)
    assert not read.bozo
    assert unescape(read.feed.title) == feed.title
    assert len(read.entries) == len(some)
    for one, parsed_entry in zip(some, read.entries, strict=True):
        short = one.id.isdigit()
        assert parsed_entry.id == (values.atom_id(one.id) if format_module is atom or short else one.id)
        is_html = parsed_entry.title_detail.type == "text/html"
        assert (unescape(parsed_entry.title) if is_html else parsed_entry.title) == one.title
        assert parsed_entry.get("link") == (one.url or parsed_entry.get("link"))
        if one.content:
            assert parsed_entry.content[0].value == one.content
        urls = [values.address(each.url) for each in one.enclosures]
        got = [link.href for link in parsed_entry.get("links", ()) if link.rel == "enclosure"]
        got += [each["url"] for each in parsed_entry.get("media_content", ())]
        assert [url for url in urls if format_module is atom or (url or "").startswith("http")] == got[: len(urls)]
        assert [person.get("name") for person in parsed_entry.get("authors", []) if person] == [
            p.name for p in one.authors
        ]
        assert parsed_entry.published_parsed[:6] == one.published.astimezone(UTC).timetuple()[:6]


@pytest.mark.parametrize("name", NAMES)
def test_json_feed_follows_version_1_1(name: str) -> None:
    feed, some, _ = read_case(name)
    read = json.loads(b"".join(jsonfeed.feed(feed, [jsonfeed.entry(one) for one in some])))
    assert read["version"] == "https://jsonfeed.org/version/1.1"
    assert isinstance(read["title"], str)
    for key in ("home_page_url", "feed_url", "next_url", "icon", "favicon"):
        assert re.match(r"https?://[!-~]+$", read.get(key, "https://x"))
    _check_authors(read)
    for hub in read.get("hubs", []):
        assert set(hub) == {"type", "url"}
    for item in read["items"]:
        assert isinstance(item["id"], str)
        assert item["id"]
        assert ("content_html" in item) != ("content_text" in item)
        for key in ("date_published", "date_modified"):
            assert datetime.fromisoformat(item[key]).tzinfo
        assert all(isinstance(tag, str) and tag for tag in item.get("tags", []))
        for attachment in item.get("attachments", []):
            assert {"url", "mime_type"} <= set(attachment)
            assert all(attachment.get(key, 0) >= 0 for key in ("size_in_bytes", "duration_in_seconds"))
        assert all(value not in ("", None, []) for key, value in item.items() if key not in ("title", "content_text"))
        _check_authors(item)


@pytest.mark.parametrize("name", NAMES)
def test_atom_document_follows_rfc_4287(name: str) -> None:
    feed, some, _ = read_case(name)
    root = parsed(b"".join(atom.feed(feed, [atom.entry(one) for one in some])))
    for element in (root, *root.findall(A + "entry"), *root.iter(A + "source")):
        for tag in ("id", "title", "updated"):
            assert len(element.findall(A + tag)) == 1, tag
    assert root.find(f"{A}author/{A}name") is not None
    for entry in root.findall(A + "entry"):
        content, links = entry.findall(A + "content"), entry.findall(f"{A}link[@rel='alternate']")
        assert len(links) <= 1
        assert content or links
        assert content or entry.find(A + "summary") is not None


def test_archive_is_linked_and_has_no_tombstones() -> None:
    feed = replace(FEED, prev_archive=2, tombstones=(Tombstone(ref="urn:x:gone", when=MOMENT),))
    current = parsed(b"".join(atom.feed(feed, [])))
    archive = parsed(b"".join(atom.feed(replace(feed, archive=2, prev_archive=1, next_archive=3), [])))
    links = {link.get("rel"): link.get("href") for link in archive.findall(A + "link")}
    base = "https://example.org/"
    assert current.find(A + "link[@rel='prev-archive']").get("href") == base + "archive/2.xml"  # type: ignore[union-attr]
    assert links["self"] == base + "archive/2.xml"
    assert links["current"] == base + "atom.xml"
    assert links["prev-archive"] == base + "archive/1.xml"
    assert "next-archive" not in links, "an archive must not change when the next one begins"
    assert len(list(current.iter("{http://purl.org/atompub/tombstones/1.0}deleted-entry"))) == 1
    assert not list(archive.iter("{http://purl.org/atompub/tombstones/1.0}deleted-entry"))
    assert len(list(archive.iter("{http://purl.org/syndication/history/1.0}archive"))) == 1


def test_itunes_elements_need_a_complete_podcast() -> None:
    episode = Enclosure(url="https://example.org/e.mp3", type="audio/mpeg", duration=61)
    item = rss.entry(Entry(id="a", title="A", published=MOMENT, updated=MOMENT, enclosures=(episode,)))
    author = Author(name="Ann", email="ann@example.org")
    owned = replace(FEED, audio=True, language="en", authors=(author,), podcast_category="Technology")
    assert b"<itunes:duration>61</itunes:duration>" in b"".join(rss.feed(owned, [item]))
    lacking = ({"authors": ()}, {"language": None}, {"audio": False}, {"podcast_category": None})
    for other in (replace(owned, **facts) for facts in lacking):  # type: ignore[arg-type]
        assert b"<itunes:" not in b"".join(rss.feed(other, [item]))
        assert b'<enclosure url="https://example.org/e.mp3"' in b"".join(rss.feed(other, [item]))


def test_listparser_reads_the_opml() -> None:
    feeds = [read_case(name)[0] for name in ("category", "bare", "podcast")]
    read = listparser.parse(opml.outline("All & more", feeds, file="atom.xml"))
    assert not read.bozo
    assert read.meta.title == "All & more"
    assert [one.title for one in read.feeds] == [feed.title for feed in feeds]
    assert [one.url for one in read.feeds] == [values.folder_of(feed) + "atom.xml" for feed in feeds]


def _check_authors(holder: dict[str, Any]) -> None:
    for author in holder.get("authors", []):
        assert author["name"]
        assert set(author) <= {"name", "url"}
