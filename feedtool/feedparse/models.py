"""Define feeds and entries as read from any format."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from feedtool.errors import FeedtoolError
from feedtool.models import Author, Enclosure, Source

ContentKind = Literal["html", "text"]


class NotAFeedError(FeedtoolError):
    """The bytes are not a feed, or must not be read; the message says what they look like."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture attached to an entry, with the publisher's description in plain text."""

    url: str
    alt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteEntry:
    """An entry as its publisher wrote it: titles and names are plain text, `content` and `summary` are raw.

    Nothing in it is safe to publish yet. All addresses are absolute, except those in `content` and `summary`, which are
    relative to `base`. `guid` is "" if the entry has none. `published` and `updated` are None if missing or unreadable, and
    never replace each other in Atom (RFC 4287 sections 4.2.9 and 4.2.15). `pictures` are attached ones, whether `content`
    shows them or not.
    """

    guid: str = ""
    link: str | None = None
    title: str = ""
    published: datetime | None = None
    updated: datetime | None = None
    content: str = ""
    content_kind: ContentKind = "html"
    summary: str = ""
    authors: tuple[Author, ...] = ()
    categories: tuple[str, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()
    pictures: tuple[Picture, ...] = ()
    image: str | None = None
    language: str = ""
    rights: str = ""
    source: Source | None = None
    comments: str = ""
    base: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFeed:
    """A feed. `format` is "rss20", "atom10", "json11" or similar, as feedparser names it.

    `ttl` and `update_period` are in minutes, `skip_hours` are 0 to 23 (GMT), `skip_days` are English names in lower case.
    `entries` keep the order of the document. `notes` tell users what had to be repaired to read it.
    """

    format: str
    title: str = ""
    link: str | None = None
    id: str = ""
    language: str = ""
    image: str | None = None
    rights: str = ""
    authors: tuple[Author, ...] = ()
    ttl: int | None = None
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[str] = frozenset()
    update_period: int | None = None
    hub: str | None = None
    self_url: str | None = None
    entries: tuple[RemoteEntry, ...] = ()
    generator: str = ""
    notes: tuple[str, ...] = ()
