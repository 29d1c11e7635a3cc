"""Read people, attached media and texts of other namespaces from a feed's tree, and remove their elements.

feedparser ignores how elements are nested: the description of a picture becomes the text of its entry, and the first
author's address that of the second one. It does not see the elements that this module reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from feedtool.feedparse.people import people_in
from feedtool.html.text import escaped

if TYPE_CHECKING:
    from lxml.etree import _Element

NUMBER = "feedtool-number"
"""The attribute with the number of an entry in the document, from 0."""
Row = dict[str, str]
_MEDIA = ("http://search.yahoo.com/mrss/", "http://search.yahoo.com/mrss")
_DC = ("http://purl.org/dc/elements/1.1/", "http://purl.org/dc/terms/")
_ITUNES = ("http://www.itunes.com/dtds/podcast-1.0.dtd", "http://example.com/dtds/podcast-1.0.dtd")
_TEXTS = {
    "http://source.scripting.com/": {"markdown": "markdown"},
    "http://news.yandex.ru": {"full-text": "html"},
    "http://turbo.yandex.ru": {"content": "html"},
    "http://www.google.com/schemas/play-podcasts/1.0": {"description": "html"},
}
"""Elements that contain the text of an entry, in namespaces that feedparser does not support, and the kind of that text."""
_ENTRIES = [f"{{*}}{name}" for name in ("item", "entry", "ITEM", "ENTRY", "Item", "Entry")]
_NAMED = frozenset({"author", "creator", "managingeditor"})
_PARTS = {"name": "name", "email": "email", "uri": "href", "url": "href", "homepage": "href"}
_CONSTRUCTS = frozenset(
    {"title", "summary", "content", "subtitle", "tagline", "rights", "copyright", "info", "description"}
)
_TYPES = {
    "text": "text",
    "html": "html",
    "xhtml": "xhtml",
    "plain": "text",
    "text/plain": "text/plain",
    "text/html": "text/html",
    "application/xhtml+xml": "application/xhtml+xml",
}
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*\Z")
_CATEGORIES = frozenset({"category", "keywords"})
"""Elements of Media RSS with an entry's topics; they stay in the tree."""
_DESCRIBING = ("description", "title")
_MANY = 500
_LONG = 200


@dataclass(slots=True)
class Extra:
    """The content of an entry's (or a feed's) elements that feedparser does not see.

    `media` has the attributes of each media:content, with `media_title`, `media_description` and the number of its
    media:group ("" without one). `texts` has (kind, text) of the entry's text in other namespaces. `about` is the description
    and `title` the title of the media as a whole.
    """

    authors: list[Row] = field(default_factory=list)
    source_authors: list[Row] = field(default_factory=list)
    media: list[Row] = field(default_factory=list)
    thumbnails: list[Row] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    about: str = ""
    is_about_plain: bool = False
    title: str = ""


@dataclass(slots=True)
class Extras:
    """The extras of a feed and of its entries, in the document's order."""

    feed: Extra
    entries: list[Extra]


def take_extras(root: _Element) -> Extras:
    """Return the extras of a document, and change its tree: remove their elements, number the entries, and correct types."""
    extras = Extras(Extra(), [])
    entries = list(root.iter(*_ENTRIES))
    for number, entry in enumerate(entries):
        entry.set(NUMBER, str(number))
        extra = Extra()
        _read(entry, extra)
        extras.entries.append(extra)
    for frame in [root, *(one for one in root if _local(one.tag) == "channel")]:
        _read(frame, extras.feed)
    return extras


def _read(node: _Element, extra: Extra) -> None:
    """Read the children of an entry, a feed or a channel."""
    for child in list(node):
        uri, local = _name(child.tag)
        if uri in _MEDIA:
            _take_media(child, extra)
        elif local in _NAMED and _names_people(child, uri, local):
            extra.authors += _people(child)
            _remove(child)
        elif local in _CONSTRUCTS or local == "encoded":
            _resolve_type(child, extra)
        elif local == "source" and len(child):
            for one in [one for one in child if _local(one.tag) == "author"]:
                extra.source_authors += _people(one)
                _remove(one)
        if uri in _TEXTS and local in _TEXTS[uri]:
            text = _full_text(child)
            if text.strip():
                extra.texts.append((_TEXTS[uri][local], text))
            _remove(child)


def _names_people(node: _Element, uri: str, local: str) -> bool:
    """Return True if feedparser reads this element as the name of an author."""
    if uri in _DC:
        return local in ("creator", "author")
    if uri in _ITUNES:
        return local == "author"
    return local in ("author", "managingeditor") and _is_core(node, uri)


def _is_core(node: _Element, uri: str) -> bool:
    return node.prefix is None or uri in _CORE or "backend.userland.com/rss" in uri


_CORE = frozenset(
    {
        "",
        "http://www.w3.org/2005/atom",
        "http://purl.org/atom/ns#",
        "http://purl.org/pie/",
        "http://purl.org/rss/1.0/",
        "http://my.netscape.com/rdf/simple/0.9/",
        "http://channel.netscape.com/rdf/simple/0.9/",
        "http://example.com/newformat#",
        "http://example.com/necho",
        "http://purl.org/echo/",
        "uri/of/echo/namespace#",
        "http://purl.org/rss/1.0/modules/rss091#",
        "http://purl.org/net/rss1.1#",
    }
)


def _people(node: _Element) -> list[Row]:
    """Return the people in an element: one for a person construct (RFC 4287 section 3.2), one or more for a text."""
    person: Row = {}
    for child in node.iterdescendants("{*}*"):
        part = _PARTS.get(_local(str(child.tag)))
        if part:
            person.setdefault(part, _full_text(child).strip())
    if not person:
        return [{"name": name, "email": email} for name, email in people_in(_full_text(node))]
    if not person.get("email") and "@" in person.get("name", ""):
        people = people_in(person["name"])
        if len(people) == 1:
            person |= {"name": people[0][0], "email": people[0][1]}
    return [person]


def _take_media(node: _Element, extra: Extra) -> None:
    """Read an element of Media RSS with its descendants, and remove it from the tree, except for categories."""
    local = _local(str(node.tag))
    if local in _CATEGORIES:
        return
    group = str(len(extra.media) + 1) if local == "group" else ""
    if local == "description":
        _describe(node, extra)
    elif local == "title":
        extra.title = extra.title or _text(node)
    for content in _media_elements(node, "content"):
        if len(extra.media) < _MANY:
            own = {
                f"media_{name}": _html_text(one)
                for name in _DESCRIBING
                for one in list(_media_elements(content, name))[:1]
            }
            extra.media.append({**_attributes(content), **own, "group": group})
    for thumbnail in _media_elements(node, "thumbnail"):
        if len(extra.thumbnails) < _MANY:
            extra.thumbnails.append({"url": _text(thumbnail), **_attributes(thumbnail)})
    if local in ("group", "content"):
        for one in _media_elements(node, "description"):
            _describe(one, extra)
        extra.title = extra.title or next((_text(one) for one in _media_elements(node, "title")), "")
        if group:
            _describe_group(node, group, extra)
    parent = node.getparent()
    categories = [one for name in _CATEGORIES for one in _media_elements(node, name)] if len(node) else []
    _remove(node)
    for one in categories:
        one.tail = None
        if parent is not None:
            parent.append(one)


def _describe(node: _Element, extra: Extra) -> None:
    if not extra.about:
        extra.about, extra.is_about_plain = _text(node), node.get("type") == "plain"


def _html_text(node: _Element) -> str:
    """Return a description or title as HTML: one of type "plain" is escaped, one without a type may already be HTML."""
    text = _text(node)
    return escaped(text) if node.get("type") == "plain" else text


def _describe_group(node: _Element, group: str, extra: Extra) -> None:
    """Copy the title and description of a media:group to its members that have none."""
    for name in _DESCRIBING:
        text = next((_html_text(one) for one in node if _local(one.tag) == name), "")
        for media in extra.media if text else ():
            if media["group"] == group:
                media.setdefault(f"media_{name}", text)


def _media_elements(node: _Element, local: str) -> Iterator[_Element]:
    """Yield the elements of Media RSS with this name: the node itself and its descendants."""
    return (one for one in node.iter(f"{{*}}{local}") if _name(str(one.tag))[0] in _MEDIA)


def _attributes(node: _Element) -> Row:
    return {_local(str(name)): str(value) for name, value in node.attrib.items()}


def _text(node: _Element) -> str:
    return _full_text(node).strip()


def _full_text(node: _Element) -> str:
    return "".join(str(piece) for piece in node.itertext())


def _resolve_type(node: _Element, extra: Extra) -> None:
    """Correct the type of a text construct (RFC 4287 section 3.1.1): an invalid one becomes HTML."""
    text = node.text
    if text is not None and len(text) > _LONG and not len(node) and "]]>" not in text and "\r" not in text:
        # Expat reports a text with references in pieces, but a CDATA section at once. This halves feedparser's time.
        from lxml.etree import CDATA

        node.text = CDATA(text)
    source = node.get("src")
    written = node.get("type")
    if written is not None and written not in ("text", "html", "xhtml"):
        kind = written.partition(";")[0].strip().lower()
        corrected = _TYPES.get(kind) or (kind if _MEDIA_TYPE.match(kind) else "html")
        if corrected != written:
            node.set("type", corrected)
    if source and written and written.strip().lower().startswith(("image/", "audio/", "video/")):
        # RFC 4287 section 4.1.3.2: the content is elsewhere.
        extra.media.append({"url": source, "type": written.strip().lower(), "group": ""})


def _remove(node: _Element) -> None:
    """Remove an element from the tree; keep the text behind it."""
    parent = node.getparent()
    if parent is None:
        return
    if node.tail and node.tail.strip():
        before = node.getprevious()
        if before is None:
            parent.text = (parent.text or "") + node.tail
        else:
            before.tail = (before.tail or "") + node.tail
    parent.remove(node)


@lru_cache(1024)
def _name(tag: str) -> tuple[str, str]:
    """Return the namespace and the local name in lower case, as feedparser compares them."""
    uri, _, local = tag[1:].rpartition("}") if tag.startswith("{") else ("", "", tag)
    uri = uri.lower()
    return (uri if uri != "https://source.scripting.com/" else "http://source.scripting.com/"), local.lower()


def _local(tag: str) -> str:
    return _name(tag)[1]
