"""Write JSON Feed 1.1 (jsonfeed.org/version/1.1) with one item a line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from feedtool.articles.field_table import published_in
from feedtool.dates.parse import iso
from feedtool.feeds.values import (
    address,
    atom_id,
    author_name,
    email_address,
    entry_id,
    folder_of,
    language_tag,
    legal,
    legal_bytes,
    media_type,
    page_of,
    summary_of,
)
from feedtool.models import Author, Enclosure, Entry, Feed
from feedtool.pieces import Pieces
from feedtool.registry import Format

VERSION = "https://jsonfeed.org/version/1.1"
FILE = "feed.json"
SUFFIX = "json"
"""The suffix of archives."""
# Every item must have content, and every feed a title, even if it is empty.
_ALWAYS = frozenset({"title", "content_text"})
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": ")).encode


def entry(entry: Entry) -> Pieces:
    """Return one item on one line, in pieces and without a line break at its end ("Items")."""
    summary = summary_of(entry)
    item: dict[str, Any] = {
        "id": entry_id(entry.id) or atom_id(""),
        "url": address(entry.url),
        "title": legal(entry.title),
    }
    if entry.content:
        item |= {"content_html": "-", "summary": summary}
    else:
        item["content_text"] = summary or legal(entry.title)
    item |= {
        "image": address(entry.image),
        "date_published": iso(entry.published),
        "date_modified": iso(entry.updated),
        "authors": _authors(entry.authors),
        "tags": [name for category in entry.categories if (name := legal(category.name).strip())],
        "language": language_tag(entry.language),
        "attachments": [_attachment(url, one) for one in entry.enclosures if (url := address(one.url))],
    }
    if entry.more and (more := published_in("json", entry.more)):
        item["_feedtool"] = more
    encoded = _line(item)
    if not entry.content:
        return (encoded,)
    # "-" is a placeholder for the content. No other text can match, because quotation marks are escaped in texts.
    before, placeholder, after = encoded.partition(b'"content_html": "-"')
    return (before + placeholder[:-2], _content(entry.content), b'"' + after)


def feed(feed: Feed, entries: Sequence[Pieces]) -> Pieces:
    """Return the document, in pieces, that contains `entries`, each made by `entry` ("Top-level").

    `feed.archive` is the number of an archive document, `archive/<n>.json`. `next_url` links to the previous archive.
    """
    url = folder_of(feed)
    file = FILE if feed.archive is None else f"archive/{feed.archive}.{SUFFIX}"
    hub = address(feed.hub)
    top: dict[str, Any] = {
        "version": VERSION,
        "title": legal(feed.title),
        "home_page_url": page_of(feed),
        "feed_url": url + file,
        "description": legal(feed.description),
        "next_url": None if feed.prev_archive is None else f"{url}archive/{feed.prev_archive}.{SUFFIX}",
        "icon": address(feed.image) or address(feed.icon),
        "favicon": address(feed.icon),
        "authors": _authors(feed.authors),
        "language": language_tag(feed.language),
        "hubs": [{"type": "WebSub", "url": hub}] if hub else None,
    }
    facts = [_line({name: value})[1:-1] for name, value in top.items() if value or name in _ALWAYS]
    items = [piece for item in entries for piece in (b",\n", *item)]
    return (b"{\n", b",\n".join(facts), b',\n"items": [\n', *items[1:], b"\n]\n}\n")


def _ids(data: bytes) -> list[str] | None:
    try:
        return [str(item["id"]) for item in json.loads(data).get("items", [])]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _authors(authors: Sequence[Author]) -> list[dict[str, str]]:
    people = []
    for author in authors:
        email = email_address(author)
        url = address(author.uri) or (f"mailto:{email}" if email else None)
        if name := author_name(author):
            people.append({"name": name, "url": url} if url else {"name": name})
    return people


def _attachment(url: str, enclosure: Enclosure) -> dict[str, Any]:
    attachment: dict[str, Any] = {"url": url, "mime_type": media_type(enclosure)}
    if title := legal(enclosure.title or "").strip():
        attachment["title"] = title
    if enclosure.length is not None and enclosure.length >= 0:
        attachment["size_in_bytes"] = enclosure.length
    if enclosure.duration is not None and enclosure.duration >= 0:
        attachment["duration_in_seconds"] = enclosure.duration
    return attachment


def _line(facts: dict[str, Any]) -> bytes:
    """Return an object on one line, with its keys in the given order and without keys that have no value."""
    present = {name: value for name, value in facts.items() if value or name in _ALWAYS}
    return _ENCODE(present).encode("utf-8", "ignore")


def _content(text: str) -> bytes:
    """Return an article's text escaped for a JSON string, faster than the encoder, which examines each character.

    A legal text contains no controls but these three, and only `"` and `\\` have a special meaning in JSON strings.
    """
    raw = legal_bytes(text).replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return raw.replace(b"\n", b"\\n").replace(b"\t", b"\\t").replace(b"\r", b"\\r")


FORMAT = Format(
    name="json",
    file=FILE,
    media_type="application/feed+json",
    title="JSON Feed",
    words={"en": "For apps and scripts that prefer JSON", "zh": "适合使用 JSON 的应用和脚本"},
    entry=entry,
    document=feed,
    ids=_ids,
    archive=SUFFIX,
    entry_rank=1,
    id_rank=0,
)
