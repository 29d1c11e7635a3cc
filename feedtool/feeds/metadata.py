"""Give feeds their folders, addresses, ids, titles and other metadata."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from feedtool.config import CategorySettings, Settings
from feedtool.models import Category, Feed
from feedtool.slugs import quote_path, slugs

if TYPE_CHECKING:
    from feedtool.feeds.selection import FeedSelection


def assign_folders(selections: list[FeedSelection], settings: Settings) -> None:
    """Set the folder of each feed: "", `categories/<slug>` or `feeds/<slug>`. Slugs in the settings take precedence."""
    configured = {one.name: one.slug for one in settings.categories if one.slug}
    for kind, folder in (("category", "categories"), ("select", "feeds")):
        names = [selection.name for selection in selections if selection.kind == kind]
        slug_of = slugs(names)
        taken = {configured[name].casefold() for name in names if kind == "category" and name in configured}
        for selection in selections:
            if selection.kind != kind:
                continue
            slug = slug_of[selection.name]
            if kind == "category" and selection.name in configured:
                slug = configured[selection.name]
            elif slug.casefold() in taken:
                slug = slugs([f"{selection.name} (category)"])[f"{selection.name} (category)"]
            selection.path = f"{folder}/{slug}"


def feed_of(selection: FeedSelection, updated: int, settings: Settings, *, audio: bool = False) -> Feed:
    """Return the metadata of a feed; `updated` (seconds since 1970) is that of its newest entry."""
    from datetime import datetime

    site = settings.site
    base = base_url(settings)
    category = (
        next((c for c in settings.categories if c.name == selection.name), None)
        if selection.kind == "category"
        else None
    )
    title, description = _titles(selection, category, settings)
    url = f"{base}{quote_path(selection.path)}/" if selection.path else base
    return Feed(
        path=selection.path,
        id=feed_id(selection.path, settings),
        title=title,
        url=url,
        updated=datetime.fromtimestamp(updated, UTC),
        description=description,
        language=site.language or None,
        authors=(site.author,) if site.author is not None else (),
        rights=site.rights or None,
        icon=site.icon or None,
        image=(category.image if category is not None and category.image else site.image) or None,
        hub=site.hub or None,
        css=f"{base}feed.css",
        home=url if settings.pages.index else site.url or base,
        ttl=settings.feeds.ttl or None,
        audio=audio,
        podcast_category=settings.feeds.podcast_category or None,
        category=Category(name=selection.name, scheme=category_scheme(settings))
        if selection.kind == "category"
        else None,
    )


def _titles(selection: FeedSelection, category: CategorySettings | None, settings: Settings) -> tuple[str, str]:
    site = settings.site
    if selection.kind == "site":
        return site.title, site.description
    if selection.select is not None:
        return selection.select.title or f"{selection.name} - {site.title}", selection.select.description
    title = category.title if category is not None and category.title else f"{selection.name} - {site.title}"
    return title, category.description if category is not None else ""


def base_url(settings: Settings) -> str:
    """Return the address of the output folder, ending in "/", or a local address if the settings have none."""
    return settings.base_url or settings.site.url or "http://localhost/"


def category_scheme(settings: Settings) -> str:
    """Return the address that distinguishes the categories of this site from those of others (RFC 4287 4.2.2.2)."""
    return base_url(settings) + "categories/"


def feed_id(path: str, settings: Settings) -> str:
    """Return the id of a feed: a tag URI (RFC 4151) of the authority and the feed's folder, which survives a site's move."""
    return f"tag:{settings.authority},2005:feed/{quote_path(path)}"
