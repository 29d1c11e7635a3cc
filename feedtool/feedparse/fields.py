"""Read texts, dates, addresses, people and files from feedparser's dictionaries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from typing import Any

from feedtool.dates.parse import parse_date
from feedtool.html import line_of, plain_text, safe_url
from feedtool.models import Author, Enclosure, Source

HTML_TYPES = frozenset({"text/html", "application/xhtml+xml", "html", "xhtml"})
_MANY = 200
_LONG = 20_000
_DIGITS = re.compile(r"[0-9]{1,15}")
_CLOCK = re.compile(r"(?:([0-9]{1,4}):)?([0-9]{1,4}):([0-9]{1,2})(?:[.,][0-9]{1,6})?")
_IMPOSSIBLE = re.compile(r"&#(?:[0-9]{8,}|[xX][0-9A-Fa-f]{8,});?")
_MARKUP = re.compile(r"<(?:script|style|font|blink|span)\b", re.IGNORECASE)
_MAIL = re.compile(r"[^\s@<>()]{1,64}@[^\s@<>()]{1,190}")
_NO_REPLY = ("noreply@", "no-reply@", "donotreply@", "nobody@")
_GENERIC_SCHEMES = (
    "http://www.itunes.com/",
    "http://schemas.google.com/g/2005#kind",
    "http://search.yahoo.com/mrss/category_schema",
)


def raw(node: Mapping[str, Any], key: str) -> str:
    """Return a field as it is stored, "" if it is not text. feedparser's own look-up would fall back to other fields."""
    value = dict.get(node, key) if isinstance(node, dict) else None
    return value if isinstance(value, str) else ""


def rows(node: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """Return the first dictionaries of a list, [] if the field is not a list."""
    value = dict.get(node, key) if isinstance(node, dict) else None
    return [one for one in value[:_MANY] if isinstance(one, dict)] if isinstance(value, list) else []


def row(node: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a dictionary in a dictionary, an empty one if the field is not a dictionary."""
    value = dict.get(node, key) if isinstance(node, dict) else None
    return value if isinstance(value, dict) else {}


def text_of(value: str, kind: str = "text/html") -> str:
    """Return a title or name as one line of plain text; interpret entities and tags only if `kind` is HTML."""
    if kind in HTML_TYPES:
        return plain_text(_IMPOSSIBLE.sub("", value[:_LONG]))
    return line_of(value[:_LONG])


def construct(node: Mapping[str, Any], key: str, *, guessed: bool = False) -> str:
    """Return a text construct (RFC 4287 section 3.1), such as a title, as plain text.

    `guessed` means that the format (RSS) does not define whether it is HTML: tags that no text contains then decide.
    """
    value, kind = raw(node, key), raw(row(node, f"{key}_detail"), "type") or "text/plain"
    if kind == "text/plain" and guessed and _MARKUP.search(value):
        kind = "text/html"
    return text_of(value, kind)


def moment(zone: tzinfo, *values: str) -> datetime | None:
    """Return the first date that can be parsed, None if there is none."""
    for value in values:
        if value and (date := parse_date(value, zone=zone)) is not None:
            return date
    return None


def number(value: object) -> int | None:
    """Return a whole number that is not negative, None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if 0 <= value < 10**15 else None
    match = _DIGITS.fullmatch(value.strip()) if isinstance(value, str) and len(value) < 32 else None
    return int(match.group()) if match and match.group().isascii() else None


def duration(value: str) -> int | None:
    """Return the seconds of an itunes:duration: `3723`, `62:03`, `1:02:03`."""
    value = value.strip()[:40]
    if match := _CLOCK.fullmatch(value):
        hours, minutes, seconds = match.groups()
        return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
    return number(value.partition(".")[0]) or None


def address(value: str, base: str) -> str | None:
    """Return an absolute web address, None if it is invalid; `www.example.org` is accepted without a scheme."""
    value = value.strip()
    if value[:4].lower() == "www.":
        value = f"http://{value}"
    return safe_url(value, base) if value else None


def people(node: Mapping[str, Any]) -> tuple[Author, ...]:
    """Return the authors, each name once; an e-mail address replaces a name only if there is no name."""
    by_name: dict[str, Author] = {}
    for one in rows(node, "authors"):
        author = person(raw(one, "name"), raw(one, "email"), raw(one, "href"))
        if author is not None and author.name.casefold() not in by_name:
            by_name[author.name.casefold()] = author
    if len(by_name) > 1:
        mails = {author.email for author in by_name.values() if author.email and author.name != author.email}
        return tuple(author for author in by_name.values() if author.name not in mails)
    return tuple(by_name.values())


def person(name: str, email: str = "", uri: str = "") -> Author | None:
    """Return an author, None if there is neither a name nor an address."""
    name = text_of(name).strip(" ,;")[:500]
    email = email.strip()[:300].removeprefix("mailto:")
    # Malformed XML may leave a "<" in an address; no address contains one.
    mail = _MAIL.fullmatch(email) or _MAIL.fullmatch(email.replace("<", ""))
    address_text = mail.group() if mail and not mail.group().lower().startswith(_NO_REPLY) else None
    if not name and mail:
        name = mail.group()
    return Author(name=name, email=address_text, uri=address(uri, "")) if name else None


def names(tags: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the labels of categories, each once, without those of schemes that classify the medium instead of the topic."""
    labels: dict[str, None] = {}
    for tag in tags:
        if raw(tag, "scheme").startswith(_GENERIC_SCHEMES):
            continue
        name = text_of(raw(tag, "label") or raw(tag, "term"))[:500]
        if name:
            labels[name] = None
    return tuple(labels)


def enclosures(node: Mapping[str, Any], base: str) -> tuple[Enclosure, ...]:
    """Return the attached files, each once: enclosures, then sounds and videos of media:content."""
    by_url: dict[str, Enclosure] = {}
    length = duration(raw(node, "itunes_duration"))
    for link in rows(node, "links"):
        if raw(link, "rel") == "enclosure" and (url := address(raw(link, "href"), base)):
            by_url.setdefault(url, _enclosure(url, link, raw(link, "length"), length))
    for media in rows(node, "media_content"):
        url = address(raw(media, "url"), base)
        if url and url not in by_url and plays(media):
            own = duration(raw(media, "duration")) or length
            by_url[url] = _enclosure(url, media, raw(media, "filesize"), own)
    return tuple(by_url.values())


def _enclosure(url: str, node: Mapping[str, Any], length: str, seconds: int | None) -> Enclosure:
    kind = raw(node, "type").strip().lower()[:100]
    if "/" not in kind or kind.split(";")[0] in ("text/html", ""):
        kind = type_of(url, raw(node, "medium").lower()) or kind
    plays = kind.startswith(("audio/", "video/"))
    return Enclosure(
        url=url,
        type=kind,
        length=number(length) or None,
        duration=seconds if plays else None,
        title=text_of(raw(node, "title"), "text/plain")[:500] or None,
    )


_TYPES = {
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "aac": "audio/aac",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "wav": "audio/wav",
    "mp4": "video/mp4",
    "m4v": "video/mp4",
    "webm": "video/webm",
    "mov": "video/quicktime",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "pdf": "application/pdf",
}


def type_of(url: str, medium: str = "") -> str:
    """Return the media type for a file's suffix, or else for its medium; "" if neither is known."""
    suffix = url.partition("?")[0].partition("#")[0].rpartition(".")[2].lower()
    return _TYPES.get(suffix) or {"audio": "audio/mpeg", "video": "video/mp4", "image": "image/jpeg"}.get(medium, "")


def plays(media: Mapping[str, Any]) -> bool:
    """Return True for a sound or a video."""
    medium = raw(media, "medium").lower()
    kind = raw(media, "type").lower() or type_of(raw(media, "url"))
    return medium in ("audio", "video") or kind.startswith(("audio/", "video/"))


def picture(node: Mapping[str, Any], base: str) -> str | None:
    """Return the feed's picture for an entry: the largest thumbnail, else of media:content, itunes:image or an enclosure."""
    for key in ("media_thumbnail", "media_content"):
        media = [one for one in rows(node, key) if key == "media_thumbnail" or shows(one)]
        for one in sorted(media, key=area_of, reverse=True):
            if url := address(raw(one, "url"), base):
                return url
    if url := address(raw(row(node, "image"), "href"), base):
        return url
    for link in rows(node, "links"):
        is_picture = raw(link, "type").lower().startswith("image/") or type_of(raw(link, "href")).startswith("image/")
        if raw(link, "rel") == "enclosure" and is_picture and (url := address(raw(link, "href"), base)):
            return url
    return None


def shows(media: Mapping[str, Any]) -> bool:
    """Return True for a picture."""
    kind = raw(media, "type").lower() or type_of(raw(media, "url"))
    return raw(media, "medium").lower() == "image" or kind.startswith("image/")


def area_of(node: Mapping[str, Any]) -> int:
    """Return a picture's declared area; a picture of unknown size is the smallest."""
    return min(number(raw(node, "width")) or 0, 99_999) * min(number(raw(node, "height")) or 1, 99_999)


def origin(node: Mapping[str, Any], base: str) -> Source | None:
    """Return the feed an entry was taken from: atom:source (RFC 4287 section 4.2.11) or RSS's source."""
    source = row(node, "source")
    links = rows(source, "links")
    url = raw(source, "href") or next((raw(one, "href") for one in links if raw(one, "rel") == "self"), "")
    url = url or next((raw(one, "href") for one in links if raw(one, "rel") == "alternate"), "")
    result = Source(
        title=construct(source, "title") or None, url=address(url, base), id=raw(source, "id").strip()[:2000] or None
    )
    return result if result != Source() else None
