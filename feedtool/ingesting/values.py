"""Make the front matter of an article file from a cleaned entry and its source."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from feedtool.articles import Rules
from feedtool.articles.dialect import PLAIN, Dialect
from feedtool.articles.provenance import WrittenValue
from feedtool.config import Settings, SourceSettings
from feedtool.html import line_of, plain_text, safe_url
from feedtool.html.urls import strip_decorations
from feedtool.models import Author, Enclosure

if TYPE_CHECKING:
    from feedtool.feedparse.clean import CleanEntry

MAX_AHEAD = timedelta(days=2)
"""A date further in the future than this is taken for a mistake."""
MAX_ITEMS = 100
MAX_TITLE = 500
MAX_SUMMARY = 2000
MAX_MADE_TITLE = 80
"""Characters of a title that is made from a text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The origin of entries as their files show it: the source, the address of its feed, and the site's language.

    `formerly` are earlier names of the source. `dialect` and `zone` determine how dates are written.
    """

    source: SourceSettings
    url: str = ""
    language: str = ""
    dialect: Dialect = PLAIN
    zone: tzinfo = UTC
    formerly: tuple[str, ...] = ()

    def date_text(self, moment: datetime) -> str:
        """Return a moment in the form that the site's files use."""
        return self.dialect.date_text(moment, self.zone)


def origin_of(
    settings: Settings, source: SourceSettings, url: str, formerly: tuple[str, ...] = (), reading: Rules | None = None
) -> Origin:
    """Return the origin for the files of a source.

    Passwords are removed from the address. From an address with a variable, only the origin is kept, which is public.
    """
    public_url = ""
    if url.startswith(("http://", "https://")):
        parts = urlsplit(url)
        public_url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        if "${" in public_url:
            public_url = urlunsplit(
                parts._replace(netloc=parts.netloc.rpartition("@")[2], path="/", query="", fragment="")
            )
    return Origin(
        source=source,
        url=public_url,
        language=settings.site.language,
        dialect=reading.dialect if reading is not None else PLAIN,
        zone=reading.zone if reading is not None else UTC,
        formerly=formerly,
    )


def published_of(entry: CleanEntry, now: datetime) -> datetime | None:
    """Return when an entry was published, or when it was last changed if only that date is believable.

    Return None if neither is.
    """
    moments: tuple[datetime | None, ...] = (entry.published, entry.updated)
    for moment in moments:
        if moment is not None and moment <= now + MAX_AHEAD:
            return moment
    return None


def values_of(entry: CleanEntry, origin: Origin, now: datetime) -> dict[str, WrittenValue]:
    """Return the front matter of an entry, without its id, and without a date unless the entry names one itself."""
    title = title_of(entry.title) or _title_from_text(entry)
    values: dict[str, WrittenValue] = {
        "title": title,
        "categories": _names((*origin.source.categories, *entry.categories)),
        "author": _authors(
            entry.authors or ((origin.source.author,) if origin.source.author else ()),
            names_only=origin.dialect.is_metadata,
        ),
        "thumbnail": entry.thumbnail or "",
        "link": _link(entry.link),
        "source": _source(entry, origin),
        "updated": _updated(entry, origin, now),
        "language": _language(entry, origin),
        "summary": _summary(entry),
        "enclosures": [_enclosure(one) for one in entry.enclosures[:MAX_ITEMS] if safe_url(one.url)],
        "tags": _names(origin.source.tags),
        "rights": line_of(entry.rights or "")[:MAX_TITLE],
    }
    if entry.published is not None and entry.published <= now + MAX_AHEAD:
        values["date"] = origin.date_text(entry.published)
    if origin.dialect.name == "hexo":
        values["headimg"] = values["thumbnail"]
        values["comments"] = False
    return values


def with_date(
    values: dict[str, WrittenValue], entry: CleanEntry, origin: Origin, first_seen: datetime, now: datetime
) -> dict[str, WrittenValue]:
    """Return the values of a new file with a date.

    If the entry names no believable date, it is `first_seen`, marked as a guess.
    """
    moment = published_of(entry, now)
    if moment is None:
        return values | {"date": origin.date_text(first_seen), "date_guessed": True}
    return values | {"date": origin.date_text(moment)}


def title_of(title: str) -> str:
    """Return a title in the form that files use."""
    return line_of(title)[:MAX_TITLE]


def warnings_of(entries: Sequence[CleanEntry]) -> list[str]:
    """Return messages about what the entries of a feed lack."""
    count = sum(not entry.html.strip() and not entry.page for entry in entries)
    if not count:
        return []
    return [f"{count:,} of {len(entries):,} entries {'has' if count == 1 else 'have'} no text"]


def _title_from_text(entry: CleanEntry) -> str:
    html = str(entry.html)[:4000]
    text = " ".join(plain_text(html).split())
    if not text and (picture := _IMAGE_ALT.search(html)):
        text = plain_text(picture.group(1))
    return _first_words(text) or line_of(entry.link or "") or line_of(entry.guid) or "Untitled"


_IMAGE_ALT = re.compile(r'<img(?: [^>]*)? alt="([^"]+)"')


def _first_words(text: str) -> str:
    """Return the beginning of a text, cut between two words, with an ellipsis if the text continues.

    A text without visible words, such as Chinese, is cut anywhere.
    """
    if len(text) <= MAX_MADE_TITLE:
        return text
    cut = text[: MAX_MADE_TITLE - 1]
    space = cut.rfind(" ")
    if space >= MAX_MADE_TITLE // 2 and text[MAX_MADE_TITLE - 1] != " " and cut[-1] < "\u2e80":
        cut = cut[:space]
    return cut.rstrip(" ,;:、，；：—–-") + "…"


def _names(names: tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys(name for text in names if (name := line_of(text)[:MAX_TITLE])))[:MAX_ITEMS]


def _authors(authors: tuple[Author, ...], *, names_only: bool = False) -> WrittenValue:
    if names_only:
        # Metadata has one line for all authors and separates them by semicolons.
        return list(
            dict.fromkeys(
                name.replace(";", ",") for one in authors[:MAX_ITEMS] if (name := line_of(one.name)[:MAX_TITLE])
            )
        )
    written = [_author(author) for author in authors[:MAX_ITEMS] if line_of(author.name)]
    if len(written) == 1:
        return written[0]
    if all(isinstance(one, str) for one in written):
        return [one for one in written if isinstance(one, str)]
    return [one if isinstance(one, dict) else {"name": one} for one in written]


def _author(author: Author) -> str | dict[str, str]:
    name = line_of(author.name)[:MAX_TITLE]
    uri = safe_url(author.uri) if author.uri else None
    if uri or (author.email and "<" in name):
        return {"name": name} | ({"email": author.email} if author.email else {}) | ({"uri": uri} if uri else {})
    return f"{name} <{author.email}>" if author.email and author.email != name else name


def _link(link: str | None) -> str:
    return strip_decorations(safe_url(link) or "") if link else ""


def _source(entry: CleanEntry, origin: Origin) -> dict[str, str]:
    """Return the feed that the entry was first published in, which the feed of an aggregator names."""
    own = entry.source
    if own is not None and (own.title or own.url):
        title, url = own.title or "", safe_url(own.url) if own.url else None
    else:
        title, url = origin.source.name, safe_url(origin.url) if origin.url else None
    parts = {"title": line_of(title)[:MAX_TITLE], "url": url or "", "id": line_of(own.id or "") if own else ""}
    return {name: value for name, value in parts.items() if value}


def _updated(entry: CleanEntry, origin: Origin, now: datetime) -> str:
    if entry.updated is None or entry.updated > now + MAX_AHEAD:
        return ""
    return origin.date_text(entry.updated) if entry.published is not None and entry.updated > entry.published else ""


def _language(entry: CleanEntry, origin: Origin) -> str:
    language = entry.language or origin.source.language
    return language if language and language.lower() != origin.language.lower() else ""


def _summary(entry: CleanEntry) -> str:
    """Return the entry's summary, or "" if it only repeats the beginning of the text."""
    raw = entry.summary[: 4 * MAX_SUMMARY]
    summary = line_of(plain_text(raw))[:MAX_SUMMARY]
    if not summary or not entry.html:
        return ""
    text = "".join(plain_text(str(entry.html)[: 16 * MAX_SUMMARY]).split())
    # Summaries should be text in some formats and HTML in others, but feeds mix them up, so compare both readings.
    for form in (summary, line_of(raw)[:MAX_SUMMARY]):
        bare = "".join(form.rstrip(".… []").split())
        if not bare or text.startswith(bare):
            return ""
    return summary


def _enclosure(enclosure: Enclosure) -> dict[str, str]:
    parts = {
        "url": safe_url(enclosure.url) or "",
        "type": enclosure.type,
        "length": "" if enclosure.length is None else str(enclosure.length),
        "duration": "" if enclosure.duration is None else str(enclosure.duration),
        "title": line_of(enclosure.title or ""),
    }
    return {name: value for name, value in parts.items() if value}
