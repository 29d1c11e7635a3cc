"""A feed document's bytes in, what readers know each of its entries by out; whoever made it, and no bodies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from feedtool.dates import parse_date

Moment = int | None
_ROOTS = frozenset({"feed", "rss", "RDF"})


class Seen(NamedTuple):
    """One entry as subscribers have it; moments in seconds since 1970. `republished`: it names the feed it came from."""

    id: str
    title: str
    link: str
    published: Moment
    updated: Moment
    republished: bool = False


def entries_of(data: bytes) -> list[Seen] | None:
    """Return the entries of an Atom, RSS or JSON feed in its order; None for what is no feed.

    An entry without an id is known by its link, as readers do it; one with neither is passed over.
    """
    found = _json(data) if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{" else _xml(data)
    return None if found is None else [seen for seen in found if seen.id]


def _json(data: bytes) -> list[Seen] | None:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return None
    items = document.get("items") if isinstance(document, dict) else None
    if not isinstance(items, list):
        return None
    return [_item(item) for item in items if isinstance(item, dict)]


def _item(item: dict[str, Any]) -> Seen:
    link = _text(item.get("url"))
    published = _moment(_text(item.get("date_published")))
    updated = _moment(_text(item.get("date_modified")))
    return Seen(_text(item.get("id")) or link, _text(item.get("title")), link, published, updated or published)


def _xml(data: bytes) -> list[Seen] | None:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True)
    try:
        root = etree.fromstring(data, parser) if data.strip() else None
    except (etree.LxmlError, ValueError):
        return None
    if root is None or not isinstance(root.tag, str) or _local(root.tag) not in _ROOTS:
        return None
    if _local(root.tag) == "feed":
        return [_entry(entry) for entry in root.iterfind("{*}entry")]
    return [_rss(item) for item in root.iterfind(".//{*}item")]


def _entry(entry: Any) -> Seen:
    link = next(_alternates(entry), "")
    published, updated = _first(entry, "published", "issued"), _first(entry, "updated", "modified")
    moments = (_moment(published) or _moment(updated), _moment(updated) or _moment(published))
    return Seen(
        _first(entry, "id") or link, _first(entry, "title"), link, *moments, entry.find("{*}source") is not None
    )


def _alternates(entry: Any) -> Iterator[str]:
    for link in entry.iterfind("{*}link"):
        if link.get("rel", "alternate") == "alternate":
            yield " ".join((link.get("href") or "").split())


def _rss(item: Any) -> Seen:
    link = _first(item, "link")
    published = _moment(_first(item, "pubDate", "date"))
    updated = _moment(_first(item, "updated")) or published
    source = item.find("source") is not None
    return Seen(_first(item, "guid") or link, _first(item, "title"), link, published, updated, source)


def _first(parent: Any, *names: str) -> str:
    """Return the text of the first of these elements that has any."""
    for name in names:
        for element in parent.iterfind(f"{{*}}{name}"):
            if text := _text("".join(element.itertext())):
                return text
    return ""


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    return " ".join(str(value).split())


def _moment(text: str) -> Moment:
    moment = parse_date(text) if text else None
    return None if moment is None else int(moment.timestamp())


def _local(tag: str) -> str:
    """Return a tag's name without its namespace; lxml's own way raises for what its recovering parser lets in."""
    return tag.rpartition("}")[2]
