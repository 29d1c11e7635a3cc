"""Make sites and feeds with vectors in eight places: body, title, category, author, link, thumbnail, enclosure, summary."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from lxml import etree

from feedtool.html import legal_text
from tests.support.site import make_site

PLACES = ("body", "title", "category", "author", "link", "thumbnail", "enclosure", "summary")
SETTINGS = """[site]
title = "Hostile world"
url = "https://example.org/"
language = "en"

[feeds]
limit = 10000
archive = false

[pages]
articles = "all"

[ingest]
allow_private_hosts = ["127.0.0.1"]
"""
_START = datetime(2022, 1, 1, 12, tzinfo=UTC)
_ATOM = "{http://www.w3.org/2005/Atom}"
_NAMES = {
    "media": "http://search.yahoo.com/mrss/",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
}


def site_of(folder: Path, vectors: Sequence[str]) -> Path:
    """Make a site with one article for each vector, which has it in every place; every other article is Markdown.

    The file names of every fourth article, and the ids of another fourth, contain the vector too.
    """
    return make_site(
        folder, {_name(number, one): _article(number, one) for number, one in enumerate(vectors)}, SETTINGS
    )


def empty_site(folder: Path, feeds: Sequence[str]) -> Path:
    """Make a site without articles and with a source for each of the addresses."""
    tables = (f'\n[[sources]]\nname = "feed {number}"\nurl = "{url}"\n' for number, url in enumerate(feeds))
    return make_site(folder, {}, SETTINGS + "".join(tables))


def feeds_of(vectors: Sequence[str]) -> dict[str, bytes]:
    """Return an RSS, an Atom and a JSON feed, each with a third of the vectors in every place of its entries."""
    entries = list(enumerate(vectors))
    return {"/rss.xml": _rss(entries[::3]), "/atom.xml": _atom(entries[1::3]), "/feed.json": _json(entries[2::3])}


def _kind(number: int) -> str:
    return ("html", "md")[number % 2]


def _name(number: int, vector: str) -> str:
    """Return a file name without the characters of the vector that file systems do not allow."""
    stem = "".join(character for character in vector if character.isprintable() and character != "/")
    return f"{number}{stem.encode()[:150].decode(errors='ignore') if number % 4 == 3 else ''}.{_kind(number)}"


def _id(number: int, vector: str, scheme: str) -> str:
    return f"{vector} {number}" if number % 4 == 2 else f"{scheme}{number}"


def _date(number: int) -> datetime:
    return _START + timedelta(minutes=number)


def _address(number: int, vector: str) -> str:
    """Return the vector itself for every other pair of numbers; else an address with a good beginning."""
    return vector if number % 4 < 2 else f"https://ok.test/{vector}"


def _article(number: int, vector: str) -> str:
    front = {
        "title": vector,
        "date": _date(number).isoformat(),
        "id": _id(number, vector, "tag:ok.test,2022:"),
        "categories": [vector, f"shelf {number % 10}"],
        "author": {"name": vector, "email": vector, "uri": _address(number, vector)},
        "link": _address(number, vector),
        "thumbnail": _address(number, vector),
        "enclosures": [
            {"url": f"https://ok.test/{vector}.mp3", "type": vector, "title": vector, "length": "7"},
            {"url": vector, "type": "audio/mpeg", "title": vector, "length": vector},
        ],
        "tags": [vector],
        "summary": vector,
        "rights": vector,
        "source": {"title": vector, "url": _address(number, vector)},
    }
    before = "" if _kind(number) == "html" else "Text.\n\n"
    return f"{json.dumps(front)}\n{before}{vector}\n".encode("utf-8", "replace").decode()


def _rss(entries: Sequence[tuple[int, str]]) -> bytes:
    rss = etree.Element("rss", {"version": "2.0"}, _NAMES)
    channel = etree.SubElement(rss, "channel")
    _child(channel, "title", "A hostile feed")
    _child(channel, "link", "https://ok.test/")
    for number, vector in entries:
        item = etree.SubElement(channel, "item")
        _child(item, "title", vector)
        _child(item, "guid", _id(number, vector, "rss-"), isPermaLink="false")
        _child(item, "link", _address(number, vector))
        _child(item, "pubDate", format_datetime(_date(number)))
        _child(item, "category", vector)
        _child(item, f"{{{_NAMES['dc']}}}creator", vector)
        _child(item, "description", vector)
        _child(item, f"{{{_NAMES['content']}}}encoded", f"<p>Text.</p>{vector}")
        _child(item, "enclosure", "", url=_address(number, vector), type=vector, length=vector)
        _child(item, f"{{{_NAMES['media']}}}thumbnail", "", url=_address(number, vector))
        _child(item, "source", vector, url=_address(number, vector))
    return etree.tostring(rss, encoding="utf-8", xml_declaration=True)


def _atom(entries: Sequence[tuple[int, str]]) -> bytes:
    feed = etree.Element(f"{_ATOM}feed", {}, {None: _ATOM[1:-1], **_NAMES})  # type: ignore[dict-item]
    _child(feed, _ATOM + "title", "A hostile feed")
    _child(feed, _ATOM + "id", "https://ok.test/")
    for number, vector in entries:
        entry = etree.SubElement(feed, _ATOM + "entry")
        _child(entry, _ATOM + "title", vector, type=("html", "text")[number % 2])
        _child(entry, _ATOM + "id", _id(number, vector, "tag:ok.test,2022:atom-"))
        _child(entry, _ATOM + "updated", _date(number).isoformat())
        _child(entry, _ATOM + "link", "", href=_address(number, vector))
        _child(
            entry,
            _ATOM + "link",
            "",
            rel="enclosure",
            href=_address(number, vector),
            type=vector,
            length=vector,
            title=vector,
        )
        _child(entry, _ATOM + "category", "", term=vector, label=vector)
        author = etree.SubElement(entry, _ATOM + "author")
        _child(author, _ATOM + "name", vector)
        _child(author, _ATOM + "uri", _address(number, vector))
        _child(entry, _ATOM + "rights", vector)
        _child(entry, _ATOM + "summary", vector, type=("html", "text")[number % 2])
        _child(entry, _ATOM + "content", f"<p>Text.</p>{vector}", type="html")
        _child(entry, f"{{{_NAMES['media']}}}thumbnail", "", url=_address(number, vector))
    return etree.tostring(feed, encoding="utf-8", xml_declaration=True)


def _json(entries: Sequence[tuple[int, str]]) -> bytes:
    items: list[dict[str, Any]] = [
        {
            "id": _id(number, vector, "json-"),
            "url": _address(number, vector),
            "title": vector,
            "summary": vector,
            "content_html": f"<p>Text.</p>{vector}",
            "image": _address(number, vector),
            "date_published": _date(number).isoformat(),
            "tags": [vector],
            "authors": [{"name": vector, "url": _address(number, vector)}],
            "attachments": [{"url": _address(number, vector), "mime_type": vector, "title": vector}],
        }
        for number, vector in entries
    ]
    return json.dumps(
        {"version": "https://jsonfeed.org/version/1.1", "title": "A hostile feed", "items": items}
    ).encode()


def _child(parent: etree._Element, tag: str, text: str, **attributes: str) -> etree._Element:
    """Append an element; characters that XML does not allow are removed from its text and attributes."""
    element = etree.SubElement(parent, tag)
    element.text = legal_text(text)
    for name, value in attributes.items():
        element.set(name, legal_text(value))
    return element
