"""What pages are made from: rules out of the settings, and the cards and links that indexes show; nothing is made here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from feedtool.models import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRules:
    """What of the settings bears on pages. Hashable, and fit to be sent to another process.

    `base_url` is absolute and ends in "/". `theme` holds (name, colour) as `[pages] theme` does. `moved` holds the
    (name, folder name) of every category whose folder is not simply `feedtool.slugs.slug(name)`. `index` says whether
    there are index pages to link to. `overrides` holds (name, text) of the site's own templates and `site.css`.
    """

    title: str
    base_url: str
    description: str = ""
    language: str = ""
    author: str = ""
    rights: str = ""
    icon: str = ""
    theme: tuple[tuple[str, str], ...] = ()
    formats: tuple[str, ...] = ("atom", "rss", "json")
    moved: tuple[tuple[str, str], ...] = ()
    index: bool = True
    overrides: tuple[tuple[str, str], ...] = ()


class Card(NamedTuple):
    """An entry as an index shows it; dates in RFC 3339. `tuple(card)` passes through marshal, `Card(*row)` back."""

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
    """A feed as the site's index links to it: its short name, its folder ("categories/<slug>"), its articles' number."""

    title: str
    path: str
    total: int


def card_of(entry: Entry) -> Card:
    """Return the card of an entry: its texts without its content; tags stay away."""
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
    """Return the categories that have feeds of their own; tags are told from them by their scheme."""
    return tuple(one.name for one in entry.categories if one.name and not (one.scheme or "").endswith("/tags/"))
