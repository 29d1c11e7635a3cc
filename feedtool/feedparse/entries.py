"""Convert feedparser's result to a `RemoteFeed`, and choose between fields that state the same fact."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

from feedtool.feedparse import fields
from feedtool.feedparse.attachments import pictures_of
from feedtool.feedparse.fields import raw, row, rows
from feedtool.feedparse.models import ContentKind, RemoteEntry, RemoteFeed
from feedtool.feedparse.parsers import Document
from feedtool.html import line_of, plain_text
from feedtool.html.body_kind import is_html_throughout
from feedtool.html.limits import markdown_refusal
from feedtool.html.markdown import markdown_to_html
from feedtool.models import Author

_HOURS = re.compile(r"<skipHours\b.{0,2000}?</skipHours", re.IGNORECASE | re.DOTALL)
_DAYS = re.compile(r"<skipDays\b.{0,2000}?</skipDays", re.IGNORECASE | re.DOTALL)
_HOUR = re.compile(r"<hour\s*>\s*([0-9]{1,2})\s*<", re.IGNORECASE)
_DAY = re.compile(r"<day\s*>\s*([A-Za-z]{6,9})\s*<", re.IGNORECASE)
_WEEK = frozenset({"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"})
_MINUTES = {"hourly": 60, "daily": 1440, "weekly": 10080, "monthly": 43200, "yearly": 525600}
_HEAD = 65_536


class _Defaults(NamedTuple):
    url: str
    base: str
    zone: tzinfo
    atom: bool
    authors: tuple[Author, ...]
    language: str


def feed_of(document: Document, xml: str, *, url: str, zone: tzinfo, language: str = "") -> RemoteFeed:
    """Return the feed. Dates without a zone are in `zone`, and relative addresses are resolved against `url`.

    Entries without a language have the feed's, and a feed without one has `language`.
    """
    feed = document.feed
    base = _base(feed, url) if url else raw(feed, "link")
    atom = document.version.startswith("atom")
    authors = fields.people(feed)
    title = fields.construct(feed, "title", guessed=not atom)
    language = _language(raw(feed, "language")) or language
    defaults = _Defaults(url, base, zone, atom, inherited(authors, title) if atom else (), language)
    links = rows(feed, "links")
    icon = raw(row(feed, "image"), "href") or raw(feed, "logo") or raw(feed, "icon")
    return RemoteFeed(
        format=document.version,
        title=title,
        link=_alternate(feed, base),
        id=raw(feed, "id").strip()[:2000],
        language=language,
        image=fields.address(icon, base),
        rights=fields.construct(feed, "rights"),
        authors=authors,
        ttl=fields.number(raw(feed, "ttl")),
        skip_hours=_skipped_hours(xml),
        skip_days=_skipped_days(xml),
        update_period=_period(feed),
        hub=_linked(links, "hub", base),
        self_url=_linked(links, "self", base),
        generator=fields.text_of(raw(feed, "generator"), "text/plain")[:200],
        entries=tuple(_entry(one, defaults) for one in document.entries if one),
    )


def inherited(authors: tuple[Author, ...], title: str) -> tuple[Author, ...]:
    """Return the feed's authors that its entries inherit: all but those named like the feed.

    Atom requires an author (RFC 4287 section 4.1.1), and generators that have none use the feed's title.
    """
    return tuple(author for author in authors if author.name != title)


def _entry(node: Mapping[str, Any], defaults: _Defaults) -> RemoteEntry:
    body, kind, summary, detail = _content(node)
    base = _base(node, defaults.base)
    own = fields.address(raw(detail, "base"), base) or base
    guid = _guid(node)
    link = fields.address(raw(node, "feedburner_origlink"), base) or _alternate(node, base)
    published, updated = _dates(node, defaults)
    title = fields.construct(node, "title", guessed=not defaults.atom)
    image = fields.picture(node, base)
    pictures = pictures_of(node, base, image, body)
    if not body.strip():
        body, kind = _other_text(node, {picture.alt for picture in pictures})
        # The title of attached media is used only for an entry with neither title nor text.
        title = title or ("" if body else fields.text_of(raw(node, "media_title")))
    return RemoteEntry(
        guid=guid,
        link=link,
        title=title,
        published=published,
        updated=updated,
        content=body,
        content_kind=kind,
        summary=summary,
        authors=fields.people(node) or fields.people(row(node, "source")) or defaults.authors,
        categories=fields.names(rows(node, "tags")),
        enclosures=fields.enclosures(node, base),
        pictures=pictures,
        image=image,
        language=_language(raw(node, "language") or raw(detail, "language")) or defaults.language,
        rights=fields.construct(node, "rights"),
        source=fields.origin(node, defaults.base),
        comments=fields.address(raw(node, "comments"), base) or "",
        base=own if own != defaults.url else link or own,
    )


def _guid(node: Mapping[str, Any]) -> str:
    return " ".join(raw(node, "id").split())[:4000]


def _dates(node: Mapping[str, Any], defaults: _Defaults) -> tuple[datetime | None, datetime | None]:
    """Return published and updated. In RSS a single dc:date, which feedparser reports as updated, is the publication date."""
    published = fields.moment(defaults.zone, raw(node, "published"), raw(node, "created"))
    updated = fields.moment(defaults.zone, raw(node, "updated"))
    if published is None and not defaults.atom:
        return updated, None
    return published, updated


def _alternate(node: Mapping[str, Any], base: str) -> str | None:
    """Return the address of the page: the first alternate link to HTML, else any alternate link, else a guid that is a link."""
    alternates = [one for one in rows(node, "links") if raw(one, "rel") == "alternate"]
    pages = [one for one in alternates if raw(one, "type") in fields.HTML_TYPES]
    for one in (*pages, *alternates):
        if url := fields.address(raw(one, "href"), base):
            return url
    guid = raw(node, "id")
    if dict.get(node, "guidislink") and guid.strip().lower().startswith(("http://", "https://")):  # type: ignore[call-overload]
        return fields.address(guid, base)
    return None


def _content(node: Mapping[str, Any]) -> tuple[str, ContentKind, str, Mapping[str, Any]]:
    """Return the text of an entry, its kind, its summary, and feedparser's details of the text.

    Content takes precedence over the summary, and the longest HTML over others. Plain text is used only if there is no HTML
    content and no HTML summary of at least half its length.
    """
    summary, about = raw(node, "summary"), row(node, "summary_detail")
    bodies = [one for one in rows(node, "content") if raw(one, "value") and _is_text(raw(one, "type"))]
    marked = [one for one in bodies if raw(one, "type") in fields.HTML_TYPES]
    best = max(marked or bodies, key=lambda one: len(raw(one, "value")), default=None)
    if best is None or (not marked and _is_better_than(summary, about, raw(best, "value"))):
        value, kind = _kind(summary, raw(about, "type"))
        return value, kind, "", about
    value, kind = _kind(raw(best, "value"), raw(best, "type"))
    return value, kind, "" if summary == raw(best, "value") else summary, best


def _other_text(node: Mapping[str, Any], described: set[str]) -> tuple[str, ContentKind]:
    """Return the text of an entry without content and summary, and its kind; "" if there is none.

    The text is in another namespace (source:markdown), or it describes attached media, as in the feeds of YouTube. The
    descriptions of pictures (`described`) are not used.
    """
    for one in rows(node, "other_texts"):
        if raw(one, "type") == "markdown":
            return _rendered(raw(one, "value"))
        return _kind(raw(one, "value").strip(), "text/html")
    about = raw(node, "media_about")
    if plain_text(about) in described or line_of(about) in described:
        return "", "html"
    return _kind(about, raw(node, "media_about_type"))


def _rendered(text: str) -> tuple[str, ContentKind]:
    """Return Markdown as HTML, or as text if parsing it would take too long."""
    if is_html_throughout(text):
        return text, "html"
    return (text, "text") if markdown_refusal(text) else (markdown_to_html(text), "html")


def _is_better_than(summary: str, about: Mapping[str, Any], text: str) -> bool:
    return raw(about, "type") in fields.HTML_TYPES and 2 * len(summary) >= len(text) and summary != text


def _is_text(kind: str) -> bool:
    return kind in fields.HTML_TYPES or kind in ("", "text", "text/plain") or kind.startswith("text/")


def _kind(value: str, kind: str) -> tuple[str, ContentKind]:
    if kind == "application/xhtml+xml":
        # feedparser writes end tags of empty elements, and HTML parsers read </br> as another line break.
        return _VOID_END.sub("", value), "html"
    if kind in fields.HTML_TYPES or not kind:
        # Without any markup, only its lines structure a text.
        return value, "html" if "<" in value or "&" in value or "\n" not in value else "text"
    return value, "text"


_VOID_END = re.compile(r"</(?:area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr)>")


def _base(node: Mapping[str, Any], url: str) -> str:
    """Return the base of relative addresses: xml:base if the document has one, else `url`."""
    return fields.address(raw(row(node, "title_detail"), "base"), url) or url


def _language(value: str) -> str:
    """Return a language tag (RFC 5646 section 2.1), without stray characters of malformed XML around or in it."""
    match = _TAG.match(value) or _TAG.match(value.replace("<", "").replace("&", ""))
    return match.group(1).replace("_", "-") if match else ""


_TAG = re.compile(r"[\s<&]*+([A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8}){0,4})(?![A-Za-z0-9_-])")


def _linked(links: list[Mapping[str, Any]], relation: str, base: str) -> str | None:
    for one in links:
        if raw(one, "rel") == relation and (url := fields.address(raw(one, "href"), base)):
            return url
    return None


def _period(feed: Mapping[str, Any]) -> int | None:
    """Return the minutes between updates by the syndication module: the period, divided by its frequency."""
    minutes = _MINUTES.get(raw(feed, "sy_updateperiod").strip().lower())
    if minutes is None:
        return None
    often = fields.number(raw(feed, "sy_updatefrequency")) or 1
    return max(1, minutes // often)


def _skipped_hours(xml: str) -> frozenset[int]:
    match = _HOURS.search(xml, 0, _HEAD)
    hours = {int(hour) % 24 for hour in _HOUR.findall(match.group())} if match else set()
    return frozenset(hours)


def _skipped_days(xml: str) -> frozenset[str]:
    match = _DAYS.search(xml, 0, _HEAD)
    return frozenset(_WEEK.intersection(day.lower() for day in _DAY.findall(match.group()))) if match else frozenset()
