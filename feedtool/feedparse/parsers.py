"""Read a feed's XML with lxml and feedparser, after repairing malformed XML. Only this module calls feedparser."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from feedtool.feedparse.elements import NUMBER, Extras, take_extras
from feedtool.feedparse.references import KNOWN_PREFIXES
from feedtool.feedparse.wellformed import well_formed

if TYPE_CHECKING:
    from lxml.etree import _Element

_PATCH_LOCK = threading.Lock()
_LONGEST_AUTHOR = 256
_MOST_TAGS = 500
_FEED_ROOTS = re.compile(r"(?:[\w.-]+:)?(?:rss|feed|rdf|channel)\Z", re.IGNORECASE)


class Document(NamedTuple):
    """The result of feedparser. `version` is "" if feedparser found no feed.

    `faults` are (position, description) of what was wrong with the XML. `missing` counts the entries that the XML seems to
    contain but that could not be read.
    """

    version: str
    feed: dict[str, Any]
    entries: list[dict[str, Any]]
    faults: tuple[tuple[int, str], ...] = ()
    missing: int = 0


def read_xml(xml: str, root: str) -> Document:
    """Return the content of a document from `repair_xml`. Raise nothing but MemoryError and ImportError.

    People and media come from `take_extras`, everything else from feedparser.
    """
    if not _FEED_ROOTS.match(root):
        return _parse(xml.encode("utf-8", "replace"))
    tree, faults, count = _tree(xml, root)
    if tree is None:
        return _parse(xml.encode("utf-8", "replace"))
    from lxml import etree

    extras = take_extras(tree)
    document = _parse(etree.tostring(tree, encoding="utf-8"))
    _add_extras(document, extras)
    return document._replace(faults=faults, missing=max(0, count - sum(map(bool, document.entries))))


def _tree(xml: str, root: str) -> tuple[_Element | None, tuple[tuple[int, str], ...], int]:
    """Return the tree of a document, the repaired faults, and the number of entries that a malformed document seems to have."""
    tree = _parse_strictly(xml)
    if tree is None:
        tree = _parse_strictly(xml, huge=True)
    if tree is not None:
        return tree, (), 0
    repaired = well_formed(xml, root, KNOWN_PREFIXES)
    tree = _parse_strictly(repaired.xml, huge=True)
    if tree is None:
        tree = _parse_strictly(repaired.xml, huge=True, recover=True)
    return tree, tuple(repaired.faults) or ((0, "it is not well-formed"),), repaired.entries


def _parse_strictly(xml: str, *, huge: bool = False, recover: bool = False) -> _Element | None:
    """Return the tree of well-formed XML without a document type, None if it is malformed.

    libxml2 refuses texts of 10 MB and elements nested 256 deep; with `huge`, only elements nested 2,048 deep.
    """
    from lxml import etree

    parser = etree.XMLParser(
        no_network=True,
        resolve_entities=False,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
        strip_cdata=False,
        huge_tree=huge,
        recover=recover,
    )
    try:
        return etree.fromstring(xml.encode("utf-8", "replace"), parser)
    except (etree.LxmlError, ValueError):
        return None


def _add_extras(document: Document, extras: Extras) -> None:
    """Add the extras to feedparser's dictionaries, entry by entry."""
    document.feed["authors"] = extras.feed.authors
    for entry in document.entries:
        number = entry.pop(NUMBER, -1)
        if not 0 <= number < len(extras.entries):
            continue
        extra = extras.entries[number]
        fields: dict[str, object] = {
            "authors": extra.authors,
            "media_content": extra.media,
            "media_thumbnail": extra.thumbnails,
            "other_texts": [{"type": kind, "value": text} for kind, text in extra.texts],
            "media_about": extra.about,
            "media_about_type": "text/plain" if extra.is_about_plain else "text/html",
            "media_title": extra.title,
        }
        for name, value in fields.items():
            if value and (name != "media_about_type" or extra.about):
                dict.__setitem__(entry, name, value)
        source = dict.get(entry, "source")
        if isinstance(source, dict):
            dict.__setitem__(source, "authors", extra.source_authors)


def _parse(xml: bytes) -> Document:
    import feedparser

    # Without a base, feedparser keeps guids as written; with one, it would resolve "12345" against it.
    headers = {"content-type": "application/xml; charset=utf-8"}
    try:
        with _patched():
            result = feedparser.parse(
                io.BytesIO(xml),
                response_headers=headers,
                sanitize_html=False,
                resolve_relative_uris=False,
            )
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001  feedparser passes on all exceptions of its parsers: ValueError, AttributeError, …
        return Document("", {}, [])
    return Document(str(result.get("version") or ""), result["feed"], result["entries"])


@contextmanager
def _patched() -> Iterator[None]:
    """Patch feedparser while it runs.

    Disable its date parsers, which guess. Bound its quadratic loops. Avoid the look-ups and deep copies that took an eighth
    of its time. Reset its state at each entry, so that no entry affects the next one.
    """
    from feedparser import datetimes, mixin

    flat = _flat(mixin.FeedParserDict)
    with _PATCH_LOCK:
        date_handlers = list(datetimes._date_handlers)
        own = mixin._FeedParserMixin
        author, tag, push, copies = own._sync_author_detail, own._add_tag, own.push_content, mixin.copy
        end, item = own.unknown_endtag, own._start_item

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

        def whole_end(self: Any, name: str) -> None:
            depth = self.depth
            end(self, name)
            if self.depth == depth:
                _restore_context(self)

        def own_item(self: Any, attributes: dict[str, str]) -> None:
            _reset_state(self)
            number = attributes.pop(NUMBER, "")
            item(self, attributes)
            dict.__setitem__(self.entries[-1], NUMBER, int(number) if number.isdecimal() else -1)

        datetimes._date_handlers.clear()
        own._sync_author_detail, own._add_tag, own.push_content, mixin.copy = (
            short_author,
            few_tags,
            push_flat,
            _ShallowCopy,
        )
        own.unknown_endtag, own._start_item, own._start_entry = whole_end, own_item, own_item
        try:
            yield
        finally:
            own._sync_author_detail, own._add_tag, own.push_content, mixin.copy = author, tag, push, copies
            own.unknown_endtag, own._start_item, own._start_entry = end, item, item
            datetimes._date_handlers[:] = date_handlers


def _restore_context(parser: Any) -> None:
    """Restore the base and the language after an element, as feedparser does except for a `div` in escaped markup."""
    for stack, name in ((parser.basestack, "baseuri"), (parser.langstack, "lang")):
        if stack:
            stack.pop()
        if stack and (stack[-1] or name == "lang"):
            setattr(parser, name, stack[-1])
    parser.depth -= 1


def _reset_state(parser: Any) -> None:
    """Reset the state of open elements: feedparser may have taken an end tag of the previous entry for text."""
    parser.incontent = parser.svgOK = parser.hasContent = 0
    parser.inauthor = parser.incontributor = parser.inpublisher = parser.intextinput = parser.inimage = (
        parser.insource
    ) = 0
    parser._summaryKey = None
    parser.contentparams.clear()
    parser.sourcedata.clear()


@cache
def _flat(kind: type[dict[str, Any]]) -> type[dict[str, Any]]:
    """Return a subclass of feedparser's dictionary without aliases of keys, for the details of a text."""
    methods = ("get", "__getitem__", "__setitem__", "__contains__", "setdefault")
    return type("Flat", (kind,), {name: getattr(dict, name) for name in methods})


class _ShallowCopy:
    """A replacement for the module `copy` in feedparser: the copied details contain only strings and numbers."""

    @staticmethod
    def deepcopy(value: dict[str, Any]) -> dict[str, Any]:
        return type(value)(value)
