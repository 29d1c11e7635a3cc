"""Write RSS 2.0 feeds with the content, dc, media, atom and itunes modules. There are no archives in this format."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from feedtool.dates.parse import rfc822
from feedtool.expressions import expression
from feedtool.feeds.values import (
    GENERATOR,
    address,
    atom_id,
    author_name,
    email_address,
    entry_id,
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
from feedtool.feeds.xml_writer import Frame, banner, content, element, encoded, line, markup, plain_markup
from feedtool.html.text import escaped
from feedtool.models import Enclosure, Entry, Feed
from feedtool.pieces import Pieces
from feedtool.registry import Format

ATOM = "http://www.w3.org/2005/Atom"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
DC = "http://purl.org/dc/elements/1.1/"
ITUNES = "http://www.itunes.com/dtds/podcast-1.0.dtd"
MEDIA = "http://search.yahoo.com/mrss/"

FILE = "rss.xml"
MEDIA_TYPE = "application/rss+xml"

_PREFIXES = {"atom": ATOM, "content": CONTENT, "dc": DC, "itunes": ITUNES, "media": MEDIA}
_FRAME = Frame("rss", _PREFIXES, version="2.0")

# The files that Apple accepts as episodes. The validator warns of itunes elements beside any other enclosure.
_EPISODE = expression(r"\.(?:m4a|mp3|mov|mp4|m4v|pdf|epub)$")
# RSS 2.0 allows GIF, JPEG and PNG as a channel's image.
_CHANNEL_IMAGE = expression(r"\.(?:jpe?g|gif|png)$", re.IGNORECASE)
_ITUNES_LINE = expression(rb"<itunes:[^>]*/>\n|<itunes:[^>]*>[^<]*</itunes:[^>]*>\n")
_NEEDS_ESCAPING = expression(r"<|&[A-Za-z#]")
_APPLE_CATEGORIES = (
    "Arts",
    "Business",
    "Comedy",
    "Education",
    "Fiction",
    "Government",
    "History",
    "Health & Fitness",
    "Kids & Family",
    "Leisure",
    "Music",
    "News",
    "Religion & Spirituality",
    "Science",
    "Society & Culture",
    "Sports",
    "Technology",
    "True Crime",
    "TV & Film",
)


def entry(entry: Entry) -> Pieces:
    """Return one `item` element in pieces, which fits into any document of `feed` (RSS 2.0, "Elements of <item>")."""
    url = address(entry.url)
    parts = ["<item>\n"]
    if legal(entry.title).strip():
        parts.append(_plain("title", entry.title))
    if url:
        parts.append(line("link", url))
    parts.append(_description(entry))
    pieces: Pieces = ()
    if entry.content:
        parts.append("<content:encoded>")
        pieces = (encoded("".join(parts)), content(entry.content))
        parts = ["</content:encoded>\n"]
    parts.append(_guid(entry, url))
    parts.append(line("pubDate", rfc822(entry.published)))
    # <author> is not used: it must contain an e-mail address, and the validator reports it as a duplicate of dc:creator.
    parts += [_plain("dc:creator", name) for author in entry.authors if (name := author_name(author))]
    parts += [_category(category.name, category.scheme) for category in entry.categories]
    parts += _media(entry)
    if entry.source and (source := address(entry.source.url)):
        parts.append(_plain("source", entry.source.title or source, {"url": source}))
    parts.append("</item>")
    return (*pieces, encoded("".join(parts)))


def feed(feed: Feed, entries: Sequence[Pieces]) -> Pieces:
    """Return the document, in pieces, that contains `entries`, each made by `entry` (RSS 2.0, "Required channel elements")."""
    parts = [banner(feed, folder_of(feed) + FILE), *_head(feed)]
    email = next(filter(None, map(email_address, feed.authors)), None)
    # A single itunes element makes a feed a podcast, which must have a language, an owner's address and one of Apple's
    # categories. A feed that lacks one of these gets no itunes elements; media:content still has types and durations.
    category_name = feed.category.name if feed.category else ""
    category = category_name if category_name in _APPLE_CATEGORIES else feed.podcast_category or ""
    if feed.audio and email and language_tag(feed.language) and category in _APPLE_CATEGORIES:
        parts += _podcast(feed, email, category)
    else:
        entries = [_bare(item) if b"<itunes:" in item[-1] else item for item in entries]
    return _FRAME.document("".join(parts), entries, css=feed.css, inner="channel")


def _ids(data: bytes) -> list[str] | None:
    return texts_at("channel/item/guid", data)


def _head(feed: Feed) -> Iterator[str]:
    title, link = legal(feed.title).strip() or folder_of(feed), page_of(feed)
    yield _plain("title", title)
    yield line("link", link)
    yield _plain("description", legal(feed.description).strip() or title)
    if language := language_tag(feed.language):
        yield line("language", language)
    if feed.rights:
        yield _plain("copyright", feed.rights)
    for author in feed.authors[:1]:
        if email := email_address(author):
            yield line("managingEditor", f"{email} ({author_name(author)})")
    yield line("lastBuildDate", rfc822(feed.updated))
    if feed.category:
        yield _category(feed.category.name, feed.category.scheme)
    yield line("generator", GENERATOR)
    if feed.ttl and feed.ttl > 0:
        yield line("ttl", str(feed.ttl))
    if (image := web_address(feed.image)) and _CHANNEL_IMAGE.search(image):
        picture = (
            element("url", markup(image)),
            element("title", _readable_both_ways(title)),
            element("link", markup(link)),
        )
        yield element("image", "".join(picture)) + "\n"
    yield line("atom:link", None, {"rel": "self", "href": folder_of(feed) + FILE, "type": MEDIA_TYPE})
    if hub := address(feed.hub):
        yield line("atom:link", None, {"rel": "hub", "href": hub})


def _bare(item: Pieces) -> Pieces:
    """Return an item without its itunes elements, which come after its content."""
    return (*item[:-1], _ITUNES_LINE.sub(b"", item[-1]))


def _podcast(feed: Feed, email: str, category: str) -> Iterator[str]:
    name = author_name(feed.authors[0])
    yield line("itunes:author", name[:255])
    owner = element("itunes:name", markup(name[:255])), element("itunes:email", markup(email))
    yield element("itunes:owner", "".join(owner)) + "\n"
    if image := web_address(feed.image):
        yield line("itunes:image", None, {"href": image})
    yield line("itunes:category", None, {"text": category})
    yield line("itunes:explicit", "false")


def _description(entry: Entry) -> str:
    """Return the description, which contains the summary. Readers without the content module show it, as HTML."""
    summary = summary_of(entry)
    if not entry.content:
        summary = summary or legal(entry.title)
    # Text that HTML leaves as it is ("a & b") needs no escaping and looks right in a browser, too. The RSS profile requires
    # that a description, even an empty one, comes before the content.
    return line("description", escaped(summary) if _NEEDS_ESCAPING.search(summary) else summary)


def _guid(entry: Entry, url: str | None) -> str:
    """Return the guid: the id unchanged, or in Atom's form if it is empty or a short number, unique only in its feed."""
    guid = entry_id(entry.id)
    if not guid or (guid.isdigit() and len(guid) < 9):
        guid = atom_id(guid)
    permanent = guid == url and web_address(url) is not None
    return line("guid", guid, {"isPermaLink": "true" if permanent else "false"})


@lru_cache(maxsize=4096)  # the same few occur in every entry
def _category(name: str, scheme: str | None) -> str:
    if not legal(name).strip():
        return ""
    domain = address(scheme)
    return _plain("category", name, {"domain": domain} if domain else None)


def _media(entry: Entry) -> Iterator[str]:
    """Yield the first enclosure, as RSS allows only one, and the others and the picture in the media module."""
    image = address(entry.image)
    enclosures = [(url, one) for one in entry.enclosures if (url := web_address(one.url))]
    if enclosures:
        url, first = enclosures[0]
        # The RSS profile asks for "0" if the length is unknown.
        length = str(max(first.length or 0, 0))
        yield line("enclosure", None, {"url": url, "length": length, "type": media_type(first)})
        if media_type(first).startswith(("audio/", "video/")) and _EPISODE.search(url):
            if first.duration is not None and first.duration >= 0:
                yield line("itunes:duration", str(first.duration))
            if image_url := web_address(image):
                yield line("itunes:image", None, {"href": image_url})
    for url, other in enclosures[1:]:
        yield line("media:content", None, _media_content(url, other))
    if image:
        yield line("media:thumbnail", None, {"url": image})
        yield line("media:content", None, {"url": image, "medium": "image"})


def _media_content(url: str, enclosure: Enclosure) -> dict[str, str]:
    kind = media_type(enclosure)
    attributes = {"url": url, "type": kind}
    if enclosure.length and enclosure.length > 0:
        attributes["fileSize"] = str(enclosure.length)
    if (medium := kind.partition("/")[0]) in {"audio", "video", "image"}:
        attributes["medium"] = medium
    if enclosure.duration is not None and enclosure.duration >= 0:
        attributes["duration"] = str(enclosure.duration)
    return attributes


def _plain(tag: str, text: str, attributes: dict[str, str] | None = None) -> str:
    return element(tag, _readable_both_ways(text), attributes) + "\n"


def _readable_both_ways(text: str) -> str:
    """Return markup for a text that looks right whether readers take it for plain text or for HTML.

    RSS does not say which of them it is. A text in which readers would find a tag or an entity is escaped twice, so that
    those who guess see HTML.
    """
    text = legal(text)
    return plain_markup(escaped(text) if reads_as_html(text) else text)


FORMAT = Format(
    name="rss",
    file=FILE,
    media_type=MEDIA_TYPE,
    title="RSS",
    words={"en": "Understood by every feed reader and podcast app", "zh": "所有阅读器和播客应用都支持"},
    entry=entry,
    document=feed,
    ids=_ids,
    entry_rank=2,
    id_rank=1,  # empty ids and short numbers get another form
)
