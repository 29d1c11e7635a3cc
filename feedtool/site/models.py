"""The data that pages are made from: the settings for pages, and the cards and links on index pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from feedtool.models import Entry
from feedtool.registry import OWN_FORMATS


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRules:
    """The settings that affect pages. Instances are hashable and can be sent to another process.

    `base_url` is absolute and ends in "/". `theme` holds the (name, colour) pairs of `[pages] theme`. `moved` holds the
    (name, folder name) of every category whose folder differs from `feedtool.slugs.slug(name)`. `index` is True if there
    are index pages to link to. `overrides` holds (name, text) of the site's own templates and `site.css`.
    """

    title: str
    base_url: str
    description: str = ""
    language: str = ""
    author: str = ""
    rights: str = ""
    icon: str = ""
    theme: tuple[tuple[str, str], ...] = ()
    formats: tuple[str, ...] = tuple(OWN_FORMATS)
    moved: tuple[tuple[str, str], ...] = ()
    index: bool = True
    overrides: tuple[tuple[str, str], ...] = ()


class Card(NamedTuple):
    """An entry on an index page, with dates in RFC 3339.

    `tuple(card)` can be written with marshal, and `Card(*row)` restores it.
    """

    id: str
    title: str
    url: str | None = None
    published: str = ""
    updated: str = ""
    summary: str = ""
    image: str | None = None
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    source: str = ""
    language: str | None = None


class FeedLink(NamedTuple):
    """A link from the site's index to a feed: its short name, its folder ("categories/<slug>") and number of articles."""

    title: str
    path: str
    total: int


def card_of(entry: Entry) -> Card:
    """Return the card of an entry: its texts without the content and the tags."""
    source = entry.source
    return Card(
        id=entry.id,
        title=entry.title,
        url=entry.url,
        published=entry.published.isoformat(),
        updated=entry.updated.isoformat(),
        summary=entry.summary,
        image=entry.image,
        authors=tuple(author.name for author in entry.authors if author.name),
        categories=category_names(entry),
        source=(source.title or "") if source is not None else "",
        language=entry.language,
    )


def category_names(entry: Entry) -> tuple[str, ...]:
    """Return the categories that have feeds of their own. The scheme distinguishes tags from categories."""
    return tuple(one.name for one in entry.categories if one.name and not (one.scheme or "").endswith("/tags/"))
