"""A feed and its entries in, Atom 1.0 out (RFC 4287) with archives (RFC 5005) and tombstones (RFC 6721); no files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from feedtool.dates import iso
from feedtool.html.text import escaped
from feedtool.model import Author, Entry, Feed, Source, Tombstone
from feedtool.render.text import (
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
from feedtool.render.xml import Frame, Node, Pieces, banner, child, pieces, plain_child

ATOM = "http://www.w3.org/2005/Atom"
MEDIA = "http://search.yahoo.com/mrss/"
HISTORY = "http://purl.org/syndication/history/1.0"
TOMBSTONES = "http://purl.org/atompub/tombstones/1.0"

_FRAME = Frame("feed", {"": ATOM, "media": MEDIA, "fh": HISTORY})

Kind = Literal["current", "archive"]


def entry(entry: Entry) -> Pieces:
    """Return one `entry` element in pieces, fit for any document that `feed` makes: RFC 4287 section 4.1.2."""
    language = language_tag(entry.language)
    element = Node("entry", "\n", {"xml:lang": language} if language else None)
    child(element, "id", atom_id(entry.id))
    _text(element, "title", entry.title)
    child(element, "published", iso(entry.published))
    child(element, "updated", iso(entry.updated))
    for author in entry.authors:
        _author(element, author)
    _entry_links(element, entry)
    content = _content(element, entry)
    for category in entry.categories:
        _category(element, category.name, category.scheme)
    if image := address(entry.image):
        child(element, "media:thumbnail", None, {"url": image})
        child(element, "media:content", None, {"url": image, "medium": "image"})
    if entry.rights:
        _text(element, "rights", entry.rights)
    if entry.source:
        _source(element, entry.source, entry)
    return pieces(element, content, entry.content)


def feed(feed: Feed, entries: Sequence[Pieces], *, kind: Kind = "current") -> bytes:
    """Return the document that holds `entries`, each made by `entry`: RFC 4287 section 4.1.1.

    `kind` "archive" makes the document number `feed.archive` of RFC 5005 section 4. Tombstones stand in the current
    document alone, since an archive is never rewritten.
    """
    root = _FRAME.root()
    if language := language_tag(feed.language):
        root.attributes["xml:lang"] = language
    current = folder_of(feed) + "atom.xml"
    self_url = current if kind == "current" else _archive(feed, feed.archive)
    banner(root, feed, self_url)
    _head(root, feed)
    _feed_links(root, feed, self_url)
    if kind == "archive":
        _link(root, "current", current)
        child(root, "fh:archive")
    else:
        for grave in feed.tombstones:
            _tombstone(root, grave)
    return _FRAME.document(root, entries, css=feed.css)


def _head(root: Node, feed: Feed) -> None:
    child(root, "id", atom_id(feed.id))
    _text(root, "title", feed.title)
    if feed.description:
        _text(root, "subtitle", feed.description)
    child(root, "updated", iso(feed.updated))
    # Section 4.1.1: a feed names an author unless all its entries do, and entries are not looked at here.
    for author in feed.authors or (Author(name=feed.title),):
        _author(root, author)
    child(root, "generator", GENERATOR)
    if feed.category:
        _category(root, feed.category.name, feed.category.scheme)
    if icon := address(feed.icon):
        child(root, "icon", icon)
    if logo := address(feed.image):
        child(root, "logo", logo)
    if feed.rights:
        _text(root, "rights", feed.rights)


def _feed_links(root: Node, feed: Feed, self_url: str) -> None:
    _link(root, "self", self_url, type="application/atom+xml")
    _link(root, "alternate", page_of(feed), type="text/html")
    if hub := address(feed.hub):
        _link(root, "hub", hub)
    if feed.prev_archive is not None:
        _link(root, "prev-archive", _archive(feed, feed.prev_archive), type="application/atom+xml")
    if feed.archive == 1:
        # An archive needs one neighbour at least. The others have theirs behind them and so never change; the first
        # names the second, and until there is one, the feed itself.
        following = folder_of(feed) + "atom.xml" if feed.next_archive is None else _archive(feed, feed.next_archive)
        _link(root, "next-archive", following, type="application/atom+xml")


def _tombstone(root: Node, grave: Tombstone) -> None:
    # The prefix is declared here and not on the root: the validator warns of a namespace that it doesn't know,
    # and it should do so only for feeds that need it.
    told = {"xmlns:at": TOMBSTONES, "ref": atom_id(grave.ref), "when": iso(grave.when)}
    child(root, "at:deleted-entry", None, told)


def _archive(feed: Feed, number: int | None) -> str:
    return f"{folder_of(feed)}archive/{number}.xml"


def _entry_links(element: Node, entry: Entry) -> None:
    if url := address(entry.url):
        _link(element, "alternate", url, type="text/html")
    for enclosure in entry.enclosures:
        if url := address(enclosure.url):
            more = {"type": media_type(enclosure)}
            if enclosure.length is not None and enclosure.length >= 0:
                more["length"] = str(enclosure.length)
            if title := legal(enclosure.title or "").strip():
                more["title"] = title
            _link(element, "enclosure", url, **more)
    if entry.source and (url := web_address(entry.source.url)):
        _link(element, "via", url)


def _content(element: Node, entry: Entry) -> Node | None:
    """Add summary and content so that there is always something to read (sections 4.1.2 and 4.2.13).

    Returned is the element that is still to hold the entry's content.
    """
    summary = summary_of(entry)
    if entry.content:
        if summary:
            _text(element, "summary", summary)
        return child(element, "content", None, {"type": "html"})
    if address(entry.url):
        _text(element, "summary", summary or entry.title)
    else:
        # Without a link the content is required, and stands in for the summary.
        _text(element, "content", summary or entry.title)
    return None


def _source(element: Node, source: Source, entry: Entry) -> None:
    url = address(source.url)
    identity = source.id or url
    if not identity and not source.title:
        return
    of = child(element, "source")
    of.text = "\n"
    child(of, "id", atom_id(identity or legal(source.title or "")))
    _text(of, "title", source.title or url or identity or "")
    # The validator misses it; the source was updated at least when its entry was.
    child(of, "updated", iso(entry.updated))
    if url:
        # What RSS calls the source's url: the address of its feed.
        _link(of, "self", url)


def _author(parent: Node, author: Author) -> None:
    if name := author_name(author):
        person = child(parent, "author")
        plain_child(person, "name", name).tail = ""
        if uri := address(author.uri):
            child(person, "uri", uri).tail = ""
        if email := email_address(author):
            child(person, "email", email).tail = ""


def _category(parent: Node, name: str, scheme: str | None) -> None:
    # No label: it would only repeat the term, which is what people read already.
    if term := legal(name).strip():
        attributes = {"term": term}
        if uri := address(scheme):
            attributes["scheme"] = uri
        child(parent, "category", None, attributes)


def _text(parent: Node, name: str, text: str) -> None:
    """Add a text construct (section 3.1), escaped and called HTML where a guessing reader would see HTML anyway."""
    text = legal(text)
    if reads_as_html(text):
        child(parent, name, escaped(text), {"type": "html"})
    else:
        plain_child(parent, name, text)


def _link(parent: Node, rel: str, href: str, **attributes: str) -> None:
    child(parent, "link", None, {"rel": rel, "href": href, **attributes})
