"""Mended XML in, feedparser's dictionaries out: the one module that knows feedparser, and lxml for what it can't read."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

_TAMING = threading.Lock()
_LONGEST_AUTHOR = 256
_MOST_TAGS = 500
_FEED_ROOTS = re.compile(r"(?:[\w.-]+:)?(?:rss|feed|rdf|channel)\Z", re.IGNORECASE)


class Document(NamedTuple):
    """`version` is "" when feedparser found no feed; `broken` says why the XML could not be read strictly."""

    version: str
    feed: dict[str, Any]
    entries: list[dict[str, Any]]
    broken: str = ""


def read_xml(xml: str, root: str) -> Document:
    """Return what feedparser finds in a document that `mend` made; raises nothing but MemoryError and ImportError.

    Malformed XML is read twice, by feedparser's own loose parser and from what lxml makes of it; what says more counts.
    """
    found = _parsed(xml)
    if not found.broken or not _FEED_ROOTS.match(root):
        return found
    if rescued := _rescued(xml):
        again = _parsed(rescued)
        if again.version and _says(again) >= _says(found):
            return again._replace(broken=found.broken)
    return found


def _says(document: Document) -> tuple[int, int]:
    """Return how many entries a document has, and the order of how much text: what is escaped twice says no more."""
    size = 0
    for entry in document.entries:
        for key in ("title", "summary"):
            size += _size(dict.get(entry, key))
        size += sum(_size(one.get("value")) for one in dict.get(entry, "content") or () if isinstance(one, dict))
    return len(document.entries), size.bit_length()


def _size(value: object) -> int:
    return len(value) - 3 * value.count("&") if isinstance(value, str) else 0


def _parsed(xml: str) -> Document:
    import feedparser

    # Without a base feedparser leaves guids as they are written; with one it would resolve "12345" against it.
    headers = {"content-type": "application/xml; charset=utf-8"}
    try:
        with _tamed():
            made = feedparser.parse(
                io.BytesIO(xml.encode("utf-8", "replace")),
                response_headers=headers,
                sanitize_html=False,
                resolve_relative_uris=False,
            )
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001  feedparser raises whatever its parsers meet: ValueError, AttributeError, …
        return Document("", {}, [], f"{type(error).__name__}: {error}"[:200])
    broken = str(made.get("bozo_exception") or "")[:200] if made.get("bozo") else ""
    return Document(str(made.get("version") or ""), made["feed"], made["entries"], broken)


@contextmanager
def _tamed() -> Iterator[None]:
    """Switch off feedparser's date readers, which guess, bound what it does in quadratic time, and spare it the
    look-ups and deep copies that were an eighth of its time."""
    from feedparser import datetimes, mixin

    flat = _flat(mixin.FeedParserDict)
    with _TAMING:
        kept = list(datetimes._date_handlers)
        own = mixin._FeedParserMixin
        author, tag, push, copies = own._sync_author_detail, own._add_tag, own.push_content, mixin.copy

        def short_author(self: Any, key: str = "author") -> None:
            context = self._get_context()
            text = dict.get(context, key)
            if isinstance(text, str) and len(text) > _LONGEST_AUTHOR:
                context[key] = text[:_LONGEST_AUTHOR]
            author(self, key)

        def few_tags(self: Any, *parts: Any) -> None:
            if len(dict.get(self._get_context(), "tags") or ()) < _MOST_TAGS:
                tag(self, *parts)

        def push_flat(self: Any, *parts: Any) -> None:
            push(self, *parts)
            self.contentparams = flat(self.contentparams)

        datetimes._date_handlers.clear()
        own._sync_author_detail, own._add_tag, own.push_content, mixin.copy = short_author, few_tags, push_flat, _Copies
        try:
            yield
        finally:
            own._sync_author_detail, own._add_tag, own.push_content, mixin.copy = author, tag, push, copies
            datetimes._date_handlers[:] = kept


@cache
def _flat(kind: type[dict[str, Any]]) -> type[dict[str, Any]]:
    """Return feedparser's dictionary for what it notes of a text: keys that have no other names."""
    methods = ("get", "__getitem__", "__setitem__", "__contains__", "setdefault")
    return type("Flat", (kind,), {name: getattr(dict, name) for name in methods})


class _Copies:
    """In the place of the module `copy` where feedparser copies what it notes of a text: strings and numbers."""

    @staticmethod
    def deepcopy(value: dict[str, Any]) -> dict[str, Any]:
        return type(value)(value)


def _rescued(xml: str) -> str:
    """Return the document as libxml2 understands it, "" when it understands nothing."""
    from lxml import etree

    parser = etree.XMLParser(
        recover=True, no_network=True, resolve_entities=False, load_dtd=False, huge_tree=False, remove_pis=True
    )
    try:
        root = etree.fromstring(xml.encode("utf-8", "replace"), parser)
        return "" if root is None else str(etree.tostring(root, encoding="unicode"))
    except (etree.LxmlError, ValueError):
        return ""
