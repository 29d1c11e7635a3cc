"""What a feed and its entries say once they are read, whatever format they came in; reads nothing itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from feedtool.errors import FeedtoolError
from feedtool.models import Author, Enclosure, Source

ContentKind = Literal["html", "text"]


class NotAFeedError(FeedtoolError):
    """The bytes are no feed, or one that must not be read; the text says what they look like."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture attached to an entry, with what its publisher says is to be seen on it, in plain text."""

    url: str
    alt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteEntry:
    """One entry as its publisher wrote it: titles and names are plain text, `content` and `summary` are raw.

    Nothing in it is safe to publish yet. Every address is absolute, but for those in `content` and `summary`, which stand
    against `base`. `guid` is "" when the entry has none; `published` and `updated` are None when not said or not
    readable, and never stand in for each other in Atom (RFC 4287 sections 4.2.9 and 4.2.15). `pictures` are attached ones,
    whether `content` shows them or not.
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
    """A feed that was read. `format` is "rss20", "atom10", "json11" and the like, as feedparser names them.

    `ttl` and `update_period` are in minutes, `skip_hours` are 0 to 23 (GMT), `skip_days` English names in lower case.
    `entries` keep the order of the document. `notes` say, for people, what had to be repaired to read it.
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
