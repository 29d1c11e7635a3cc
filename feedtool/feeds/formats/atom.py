"""Write Atom 1.0 feeds (RFC 4287) with archives (RFC 5005) and tombstones (RFC 6721)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from feedtool.dates.parse import iso
from feedtool.feeds.values import (
    GENERATOR,
    address,
    atom_id,
    author_name,
    email_address,
    folder_of,
    language_tag,
    legal,
    media_type,
    page_of,
    reads_as_html,
    summary_of,
    web_address,
)
from feedtool.feeds.xml_reader import texts_at
from feedtool.feeds.xml_writer import (
    Frame,
    banner,
    content,
    element,
    encoded,
    line,
    markup,
    opening,
    plain_line,
    plain_markup,
)
from feedtool.html.text import escaped
from feedtool.models import Author, Entry, Feed, Source, Tombstone
from feedtool.pieces import Pieces
from feedtool.registry import Format

ATOM = "http://www.w3.org/2005/Atom"
MEDIA = "http://search.yahoo.com/mrss/"
HISTORY = "http://purl.org/syndication/history/1.0"
TOMBSTONES = "http://purl.org/atompub/tombstones/1.0"

_FRAME = Frame("feed", {"": ATOM, "media": MEDIA, "fh": HISTORY})

FILE = "atom.xml"
MEDIA_TYPE = "application/atom+xml"
SUFFIX = "xml"
"""The suffix of archives."""


def entry(entry: Entry) -> Pieces:
    """Return one `entry` element in pieces, which fits into any document of `feed` (RFC 4287 section 4.1.2)."""
    language = language_tag(entry.language)
    parts = [
        opening("entry", {"xml:lang": language} if language else None),
        ">\n",
        line("id", atom_id(entry.id)),
        _text("title", entry.title),
        line("published", iso(entry.published)),
        line("updated", iso(entry.updated)),
    ]
    parts += [_author(author.name, author.email, author.uri) for author in entry.authors]
    parts += _entry_links(entry)
    parts += _summary(entry)
    pieces: Pieces = ()
    if entry.content:
        parts.append('<content type="html">')
        pieces = (encoded("".join(parts)), content(entry.content))
        parts = ["</content>\n"]
    parts += [_category(category.name, category.scheme) for category in entry.categories]
    if image := address(entry.image):
        parts.append(line("media:thumbnail", None, {"url": image}))
        parts.append(line("media:content", None, {"url": image, "medium": "image"}))
    if entry.rights:
        parts.append(_text("rights", entry.rights))
    if entry.source:
        parts.append(_source(entry.source, entry))
    parts.append("</entry>")
    return (*pieces, encoded("".join(parts)))


def feed(feed: Feed, entries: Sequence[Pieces]) -> Pieces:
    """Return the document, in pieces, that contains `entries`, each made by `entry` (RFC 4287 section 4.1.1).

    It is the current document, or the archive document number `feed.archive` (RFC 5005 section 4). Only the current document
    contains tombstones, since archives are never rewritten.
    """
    language = language_tag(feed.language)
    current = folder_of(feed) + FILE
    self_url = current if feed.archive is None else _archive(feed, feed.archive)
    parts = [banner(feed, self_url), *_head(feed), *_feed_links(feed, self_url)]
    if feed.archive is None:
        parts += map(_tombstone, feed.tombstones)
    else:
        parts += (_link("current", current), line("fh:archive"))
    return _FRAME.document(
        "".join(parts), entries, css=feed.css, attributes={"xml:lang": language} if language else None
    )


def _ids(data: bytes) -> list[str] | None:
    return texts_at("{*}entry/{*}id", data)


def _head(feed: Feed) -> Iterator[str]:
    yield line("id", atom_id(feed.id))
    yield _text("title", feed.title)
    if feed.description:
        yield _text("subtitle", feed.description)
    yield line("updated", iso(feed.updated))
    # Section 4.1.1: a feed must have an author unless all its entries have one. The entries are not examined here.
    for author in feed.authors or (Author(name=feed.title),):
        yield _author(author.name, author.email, author.uri)
    yield line("generator", GENERATOR)
    if feed.category:
        yield _category(feed.category.name, feed.category.scheme)
    if icon := address(feed.icon):
        yield line("icon", icon)
    if logo := address(feed.image):
        yield line("logo", logo)
    if feed.rights:
        yield _text("rights", feed.rights)


def _feed_links(feed: Feed, self_url: str) -> Iterator[str]:
    yield _link("self", self_url, type=MEDIA_TYPE)
    yield _link("alternate", page_of(feed), type="text/html")
    if hub := address(feed.hub):
        yield _link("hub", hub)
    if feed.prev_archive is not None:
        yield _link("prev-archive", _archive(feed, feed.prev_archive), type=MEDIA_TYPE)
    if feed.archive == 1:
        # An archive needs at least one neighbour. All but the first link to the previous archive and so never change. The
        # first links to the second or, until there is one, to the feed itself.
        following = folder_of(feed) + FILE if feed.next_archive is None else _archive(feed, feed.next_archive)
        yield _link("next-archive", following, type=MEDIA_TYPE)


def _tombstone(tombstone: Tombstone) -> str:
    # The prefix is declared here and not on the root, because the validator warns of a namespace that it does not know. It
    # should do so only for feeds with tombstones.
    attributes = {"xmlns:at": TOMBSTONES, "ref": atom_id(tombstone.ref), "when": iso(tombstone.when)}
    return line("at:deleted-entry", None, attributes)


def _archive(feed: Feed, number: int) -> str:
    return f"{folder_of(feed)}archive/{number}.{SUFFIX}"


def _entry_links(entry: Entry) -> Iterator[str]:
    if url := address(entry.url):
        yield _link("alternate", url, type="text/html")
    for enclosure in entry.enclosures:
        if url := address(enclosure.url):
            more = {"type": media_type(enclosure)}
            if enclosure.length is not None and enclosure.length >= 0:
                more["length"] = str(enclosure.length)
            if title := legal(enclosure.title or "").strip():
                more["title"] = title
            yield _link("enclosure", url, **more)
    if entry.source and (url := web_address(entry.source.url)):
        yield _link("via", url)


def _summary(entry: Entry) -> Iterator[str]:
    """Yield the summary, or a content made of it, so that an entry always has text (sections 4.1.2 and 4.2.13)."""
    summary = summary_of(entry)
    if entry.content:
        if summary:
            yield _text("summary", summary)
    elif address(entry.url):
        yield _text("summary", summary or entry.title)
    else:
        # Without a link, content is required, so the summary becomes the content.
        yield _text("content", summary or entry.title)


def _source(source: Source, entry: Entry) -> str:
    url = address(source.url)
    identity = source.id or url
    if not identity and not source.title:
        return ""
    parts = [
        "\n",
        line("id", atom_id(identity or legal(source.title or ""))),
        _text("title", source.title or url or identity or ""),
        # The validator reports a source without this element. The source was updated no earlier than its entry.
        line("updated", iso(entry.updated)),
    ]
    if url:
        # The address of the source's feed, which RSS calls the url of the source.
        parts.append(_link("self", url))
    return element("source", "".join(parts)) + "\n"


@lru_cache(maxsize=512)  # the same few occur in every entry
def _author(name: str, email: str | None, uri: str | None) -> str:
    author = Author(name=name, email=email, uri=uri)
    shown = author_name(author)
    if not shown:
        return ""
    parts = [element("name", plain_markup(shown))]
    if uri := address(uri):
        parts.append(element("uri", markup(uri)))
    if email := email_address(author):
        parts.append(element("email", markup(email)))
    return element("author", "".join(parts)) + "\n"


@lru_cache(maxsize=4096)  # likewise
def _category(name: str, scheme: str | None) -> str:
    # There is no label, because it would only repeat the term.
    term = legal(name).strip()
    if not term:
        return ""
    attributes = {"term": term}
    if uri := address(scheme):
        attributes["scheme"] = uri
    return line("category", None, attributes)


def _text(name: str, text: str) -> str:
    """Return a text construct (section 3.1), escaped and marked as HTML if a reader that guesses would see HTML anyway."""
    text = legal(text)
    if reads_as_html(text):
        return line(name, escaped(text), {"type": "html"})
    return plain_line(name, text)


def _link(rel: str, href: str, **attributes: str) -> str:
    return line("link", None, {"rel": rel, "href": href, **attributes})


FORMAT = Format(
    name="atom",
    file=FILE,
    media_type=MEDIA_TYPE,
    title="Atom",
    words={"en": "The best choice for most feed readers", "zh": "适合绝大多数阅读器"},
    entry=entry,
    document=feed,
    ids=_ids,
    archive=SUFFIX,
    entry_rank=0,
    id_rank=2,  # its ids are IRIs, which other ids are turned into
)
