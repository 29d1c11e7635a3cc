"""Read the entries of a published document as feed readers identify them; bodies are not read.

A document that cannot be read as a feed raises an error: it must never look like a feed without entries.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from feedtool import registry
from feedtool.dates.parse import parse_date
from feedtool.errors import FeedtoolError

if TYPE_CHECKING:
    from feedtool.registry import Format

Moment = int | None
PREFIX_SIZE = 4096
"""The number of bytes of a file in which `looks_like_a_feed` looks for the first element."""
_ATOM = frozenset({"", "http://www.w3.org/2005/Atom", "http://purl.org/atom/ns#"})
_BEFORE_ROOT = re.compile(
    r"\s+|<\?[^>]*+>|<!--(?>(?:[^-]++|-(?!->))*)-->|<!DOCTYPE[^>\[]*+(?:\[[^\]]*+\]\s*+)?>", re.IGNORECASE
)
_ROOT = re.compile(r"<(?:[A-Za-z_][\w.-]*+:)?(feed|rss|RDF)[\s>/]")
_JSON_FEED = "jsonfeed.org/version"


class PublishedEntry(NamedTuple):
    """An entry as subscribers have it; dates are in seconds since 1970. `republished` means that it names the feed it came from."""

    id: str
    title: str
    link: str
    published: Moment
    updated: Moment
    republished: bool = False


class Reading(NamedTuple):
    """The entries of a document in its order. `damage` says why some at its end or elsewhere may be missing, else it is ""."""

    entries: list[PublishedEntry]
    damage: str = ""


def entries_of(data: bytes, path: str = "") -> list[PublishedEntry] | None:
    """Return the entries of a feed in its order; None if it cannot be read as a feed."""
    try:
        return read_document(data, path=path).entries
    except FeedtoolError:
        return None


def read_document(data: bytes, content_type: str = "", path: str = "") -> Reading:
    """Return the entries of an Atom, RSS or JSON feed; `content_type` is the one that its server declares.

    By the name at the end of its `path`, a document may be in a format that a program has registered. Such a format reads
    ids alone, so titles, links and dates are not compared.

    An entry without an id is identified by its link, as in feed readers; an entry with neither is skipped. Malformed
    XML is read as far as possible. Raise FeedtoolError if the document is not a feed, if its bytes are not in the
    declared charset, or if it has entries or damage but no entry that can be identified.
    """
    from feedtool.feedparse.diagnosis import not_a_feed

    form = registry.format_of_file(path.rpartition("/")[2])
    if form is not None and registry.registered_among([form.name]):
        return _registered(data, form)
    is_json = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")
    # JSON is UTF-8 whatever a server says: RFC 8259 section 8.1.
    text = _text_of(data, "" if is_json else content_type)
    if not text:
        raise not_a_feed(data, text)
    entries, damage = (_json(text), "") if is_json else _xml(data, text)
    identified = [entry for entry in entries if entry.id]
    if damage and not identified:
        raise FeedtoolError(f"no entry of it can be read: {damage}")
    if entries and not identified:
        raise FeedtoolError("none of its entries has an id or a link")
    return Reading(identified, damage)


def _registered(data: bytes, form: Format) -> Reading:
    ids = form.ids(data)
    if ids is None:
        raise FeedtoolError(f"it cannot be read as {form.title}")
    return Reading([PublishedEntry(" ".join(identity.split()), "", "", None, None) for identity in ids])


def looks_like_a_feed(prefix: bytes) -> bool:
    """Return True if a file with this prefix may be a feed, by the name of its first element or by its JSON version."""
    from feedtool.feedparse.charset import text_of

    text = text_of(prefix).text.lstrip("\ufeff \t\r\n")
    if text.startswith("{"):
        return _JSON_FEED in text.replace("\\/", "/")
    at = 0
    while match := _BEFORE_ROOT.match(text, at):
        at = match.end()
    return _ROOT.match(text, at) is not None


def _text_of(data: bytes, content_type: str) -> str:
    """Return the text of a document without leading and trailing white space; raise FeedtoolError if its charset is a guess."""
    from feedtool.feedparse.charset import text_of

    decoded = text_of(data, content_type)
    if decoded.note:
        raise FeedtoolError(f"its charset is in doubt: {decoded.note}")
    try:
        # A text that is cut off within a character is still in its charset.
        codecs.getincrementaldecoder(decoded.encoding)("strict").decode(data)
    except (UnicodeError, LookupError):
        raise FeedtoolError(f"its bytes are not valid {decoded.encoding}") from None
    return decoded.text.lstrip("\ufeff \t\r\n").rstrip("\ufffd \t\r\n")


def _json(text: str) -> list[PublishedEntry]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FeedtoolError(f"it begins like JSON but cannot be read: {str(error)[:120]}") from None
    items = document.get("items") if isinstance(document, dict) else None
    if not isinstance(items, list) or _JSON_FEED not in str(document.get("version")):
        raise FeedtoolError("it is JSON but not a feed")
    return [_item(item) for item in items if isinstance(item, dict)]


def _item(item: dict[str, Any]) -> PublishedEntry:
    link = _text(item.get("url"))
    published = _moment(_text(item.get("date_published")))
    updated = _moment(_text(item.get("date_modified")))
    return PublishedEntry(
        _text(item.get("id")) or link, _text(item.get("title")), link, published, updated or published
    )


def _xml(data: bytes, text: str) -> tuple[list[PublishedEntry], str]:
    """Return the entries of an XML feed, and the defect of its XML if that may have cost some of them."""
    from feedtool.feedparse.diagnosis import not_a_feed
    from feedtool.feedparse.references import repair_xml

    damage = ""
    root = _parsed(text)
    if isinstance(root, str):
        # A bare "&" or an unknown entity loses no entry once it is repaired.
        repaired = repair_xml(text)
        text, root_name = repaired.xml, repaired.root
        root = _parsed(text)
        # An unterminated section may have swallowed the entries after it.
        if isinstance(root, str) or any("has no end" in fault.what for fault in repaired.faults):
            damage = "its XML is malformed" if _END.search(text[-100:]) else "its end is missing"
            root = _parsed(_numbered(text), recover=True) if isinstance(root, str) else root
    else:
        root_name = _local(root.tag)
    if isinstance(root, str) or not _is_feed(root):
        raise not_a_feed(data, text, root_name)
    if _local(root.tag) == "feed":
        entries = [_entry(entry) for entry in root.iterfind("{*}entry")]
    else:
        entries = [_rss(item) for item in root.iterfind(".//{*}item")]
    # The id of an entry that is cut off may be incomplete.
    return (entries[:-1] if damage and _ends_within_an_entry(text) else entries), damage


def _ends_within_an_entry(text: str) -> bool:
    tag = ""
    for match in _ENTRY_TAG.finditer(text):
        tag = match.group()
    return tag != "" and not tag.startswith("</")


_END = re.compile(r"</(?:[A-Za-z_][\w.-]{0,40}:)?(?:feed|rss|RDF)\s*>\s*\Z")
_ENTRY_TAG = re.compile(r"</?(?:[A-Za-z_][\w.-]{0,40}:)?(?:entry|item)[\s>]")


def _parsed(text: str, *, recover: bool = False) -> Any:
    """Return the root of an XML document, or an error message as a str."""
    from lxml import etree

    # The text is decoded already: its declared charset is not that of these bytes.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=recover, encoding="utf-8"
    )
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except (etree.LxmlError, ValueError) as error:
        return str(error)[:200]
    return "it has no element" if root is None or not isinstance(root.tag, str) else root


def _numbered(text: str) -> str:
    """Return the text with its five named references as numbers, because libxml2 drops the names after the first error."""
    from feedtool.feedparse.sections import pieces_of

    return "".join(
        _NAMED.sub(lambda match: _NUMBERS[match[1]], piece) if is_markup else piece
        for piece, is_markup in pieces_of(text)
    )


_NAMED = re.compile(r"&(amp|lt|gt|quot|apos);")
_NUMBERS = {"amp": "&#38;", "lt": "&#60;", "gt": "&#62;", "quot": "&#34;", "apos": "&#39;"}


def _is_feed(root: Any) -> bool:
    namespace, _, name = root.tag.rpartition("}")
    if name == "feed":
        return namespace.removeprefix("{") in _ATOM
    # RDF is used for more than news; a feed has a channel.
    return name in ("rss", "RDF") and (root.find(".//{*}channel") is not None or root.find(".//{*}item") is not None)


def _entry(entry: Any) -> PublishedEntry:
    link = next(_alternates(entry), "")
    published, updated = _first(entry, "published", "issued"), _first(entry, "updated", "modified")
    moments = (_moment(published) or _moment(updated), _moment(updated) or _moment(published))
    return PublishedEntry(
        _first(entry, "id") or link, _first(entry, "title"), link, *moments, entry.find("{*}source") is not None
    )


def _alternates(entry: Any) -> Iterator[str]:
    for link in entry.iterfind("{*}link"):
        if link.get("rel", "alternate") == "alternate":
            yield " ".join((link.get("href") or "").split())


def _rss(item: Any) -> PublishedEntry:
    link = _first(item, "link")
    published = _moment(_first(item, "pubDate", "date"))
    updated = _moment(_first(item, "updated")) or published
    source = item.find("source") is not None
    return PublishedEntry(_first(item, "guid") or link, _first(item, "title"), link, published, updated, source)


def _first(parent: Any, *names: str) -> str:
    """Return the text of the first of these elements that is not empty."""
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
    """Return the name of a tag without its namespace; lxml's QName raises for names that its recovering parser accepts."""
    return tag.rpartition("}")[2]
