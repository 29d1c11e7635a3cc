"""Render the pages of articles, categories and the index, and the style sheet, to bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from feedtool import registry
from feedtool.articles.field_table import published_in
from feedtool.html import safe_url
from feedtool.models import Enclosure, Entry, Feed
from feedtool.site.chart import chart_of
from feedtool.site.environment import fill, shipped
from feedtool.site.links import (
    address_of,
    alternates,
    category_link,
    entry_link,
    page_link,
    root_of,
)
from feedtool.site.models import Card, FeedLink, PageRules, category_names
from feedtool.site.strings import (
    count_text,
    day_text,
    direction,
    format_strings,
    is_justified,
    page_strings,
    size_text,
    tag,
)

if TYPE_CHECKING:
    from markupsafe import Markup

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; img-src http: https: data:; media-src http: https:; style-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
"""Pages may load pictures, sound, videos and the site's style sheet. No script runs, whatever a body contains."""

SHOWN_CATEGORIES = 24
NEWEST_ARCHIVES = 24

# A feed icon, so that browsers do not request /favicon.ico, which may belong to another site on the same host.
_ICON = (
    "data:image/svg+xml,%3Csvg%20xmlns='http://www.w3.org/2000/svg'%20viewBox='0%200%2016%2016'%3E"
    "%3Crect%20width='16'%20height='16'%20rx='3'%20fill='%23c2410c'/%3E"
    "%3Cpath%20d='M4%2012h.01M4%208a4%204%200%200%201%204%204M4%204a8%208%200%200%201%208%208'%20fill='none'"
    "%20stroke='%23fff'%20stroke-width='2'%20stroke-linecap='round'/%3E%3C/svg%3E"
)


def article_page(entry: Entry, rules: PageRules, *, path: str) -> bytes:
    """Return the page of an article at `path` ("articles/<slug>/index.html"). Its canonical address is `entry.url`.

    The content is SafeHtml and is inserted unchanged. Everything else is text.
    """
    from markupsafe import Markup

    site = _site(rules)
    root = root_of(path)
    own = address_of(path, rules)
    url = own if entry.url is None or entry.url == own else safe_url(entry.url) or own
    table = site.strings
    language = tag(entry.language)
    day, updated = day_text(entry.published, table), day_text(entry.updated, table)
    names = category_names(entry)
    authors = [(author.name, safe_url(author.uri) if author.uri else None) for author in entry.authors if author.name]
    values = {
        "head_title": entry.title or site.title,
        "title": entry.title or site.title,
        "summary": entry.summary,
        "canonical": url,
        "kind": "article",
        "image": safe_url(entry.image) if entry.image else None,
        "content": Markup(entry.content),  # noqa: S704 - SafeHtml: sanitized by feedtool.html, which alone makes it
        "even": is_justified((language or site.language), entry.title),
        "entry_lang": language,
        "entry_dir": direction(language) if language else "auto",
        "published": entry.published.isoformat(),
        "updated": entry.updated.isoformat(),
        "published_text": day,
        "updated_text": updated if updated != day else "",
        "author": table["separator"].join([name for name, _ in authors]) or rules.author,
        "authors": authors,
        "categories": [(name, category_link(name, rules, root)) for name in names],
        "tags": [one.name for one in entry.categories if one.name and one.name not in names],
        "files": [_file(enclosure) for enclosure in entry.enclosures],
        "original": url if url != own else None,
        "source": _source(entry),
        "more": published_in("pages", entry.more),
        "rights": entry.rights or rules.rights,
    }
    return site.page("article.html", values, root=root)


def index_page(
    feed: Feed,
    cards: Sequence[Card],
    categories: Sequence[FeedLink],
    queries: Sequence[FeedLink],
    days: Sequence[tuple[str, int]],
    rules: PageRules,
    *,
    total: int,
) -> bytes:
    """Return the index page of the site: its description, how to subscribe, its categories and newest entries.

    `days` are (YYYY-MM-DD, count) in any order. The chart ends with the newest of them, not with the current day.
    """
    site = _site(rules)
    links = [_feed_link(one, "") for one in categories]
    values = {
        **_listing(feed, cards, rules, root="", archives=feed.prev_archive or 0),
        "categories": links[:SHOWN_CATEGORIES],
        "more_categories": links[SHOWN_CATEGORIES:],
        "queries": [_feed_link(one, "") for one in queries],
        "chart": chart_of(days, site.strings),
        "total": total,
        "total_text": count_text(total, site.strings),
        "discovery": _discovery(alternates(feed.title, "", rules), rules),
    }
    return site.page("index.html", values, root="")


def category_page(feed: Feed, cards: Sequence[Card], rules: PageRules, *, total: int, archives: int = 0) -> bytes:
    """Return the page of a feed of a category or a query; `archives` is the number of its archives."""
    site = _site(rules)
    root = root_of(f"{feed.path}/")
    values = {
        **_listing(feed, cards, rules, root=root, archives=archives),
        "total": total,
        "total_text": count_text(total, site.strings),
        "discovery": _discovery(
            (*alternates(feed.title, feed.path, rules), *alternates(rules.title, "", rules)), rules
        ),
    }
    return site.page("category.html", values, root=root)


def stylesheet(rules: PageRules) -> bytes:
    """Return the style sheet of all pages: the theme's colours, then the site's own `site.css` or else the built-in one."""
    text = dict(rules.overrides).get("site.css")
    if text is None:
        text = shipped("site.css")
    colours = "".join(f"  --theme-{name}: {colour};\n" for name, colour in sorted(rules.theme))
    theme = f":root {{\n{colours}}}\n\n" if colours else ""
    # A style sheet must begin with @charset (CSS Syntax 3 section 3.2).
    return ('@charset "utf-8";\n\n' + theme + text.removeprefix('@charset "utf-8";\n\n')).encode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class _Site:
    """The values that all pages of a site share, made once."""

    title: str
    language: str
    strings: Mapping[str, str]
    overrides: tuple[tuple[str, str], ...]
    shared: Mapping[str, Any]

    def page(self, name: str, values: Mapping[str, Any], *, root: str) -> bytes:
        home = f"{root}index.html" if self.shared["index"] else None
        return fill(name, {**self.shared, **values, "root": root, "home": home}, self.overrides)


@lru_cache(maxsize=8)
def _site(rules: PageRules) -> _Site:
    from markupsafe import Markup

    language = tag(rules.language) or "en"
    formats = tuple(map(registry.format_of, rules.formats))
    table = {**page_strings(language), **format_strings(language, registry.formats())}
    parts = language.split("-")
    region = parts[-1] if len(parts[-1]) == 2 and len(parts) > 1 else ""
    shared = {
        "csp": Markup(CONTENT_SECURITY_POLICY),  # noqa: S704 - a constant, unescaped so that people can search for it
        "t": table,
        "lang": language,
        "dir": direction(language),
        "locale": f"{parts[0].lower()}_{region.upper()}" if region else "",
        "site_title": rules.title,
        "description": rules.description,
        "author": rules.author,
        "rights": rules.rights,
        "icon": (safe_url(rules.icon) if rules.icon else None) or Markup(_ICON),  # noqa: S704 - a constant
        "discovery": _discovery(alternates(rules.title, "", rules), rules),
        "formats": [(form.name, form.file) for form in formats],
        "index": rules.index,
    }
    return _Site(rules.title, language, table, rules.overrides, shared)


def _discovery(rows: Iterable[tuple[str, str, str]], rules: PageRules) -> Markup:
    """Return the links for autodiscovery. All articles have the same ones, so these are made once for a site."""
    from markupsafe import Markup

    html = fill("discovery.html", {"alternates": list(rows)}, rules.overrides)
    return Markup(html.decode())  # noqa: S704 - a template's output: escaped


def _source(entry: Entry) -> tuple[str, str | None] | None:
    if entry.source is None:
        return None
    url = safe_url(entry.source.url) if entry.source.url else None
    name = entry.source.title or url
    return (name, url) if name else None


def _file(enclosure: Enclosure) -> dict[str, Any]:
    kind = enclosure.type.partition("/")[0].lower()
    url = safe_url(enclosure.url)
    name = enclosure.title or (url or "").partition("?")[0].rstrip("/").rpartition("/")[2] or enclosure.type
    return {
        "url": url,
        "type": enclosure.type,
        "kind": kind if kind in ("audio", "video") else "",
        "name": name,
        "size": size_text(enclosure.length) if enclosure.length else "",
    }


def _listing(feed: Feed, cards: Sequence[Card], rules: PageRules, *, root: str, archives: int) -> dict[str, Any]:
    # Feeds are named "Category - Site", because readers show only that name. A page shows the site's name elsewhere.
    name = feed.title.removesuffix(f" - {rules.title}") if feed.path else feed.title
    return {
        "head_title": f"{name} · {rules.title}" if name != rules.title else name,
        "title": name,
        "summary": feed.description,
        "canonical": address_of(f"{feed.path}/" if feed.path else "", rules),
        "kind": "website",
        "image": safe_url(feed.image) if feed.image else None,
        "cards": [_card(card, rules, root, name) for card in cards],
        "archives": _archives(archives, rules),
        "address": feed.url,
        "rights": feed.rights or rules.rights,
    }


def _card(card: Card, rules: PageRules, root: str, page_name: str) -> dict[str, Any]:
    table = _site(rules).strings
    return {
        "lang": tag(card.language),
        "title": card.title or card.url or card.published or card.id,
        "url": entry_link(card.url, rules, root),
        "published": card.published,
        "day": _day_of(card.published, table),
        "summary": card.summary if card.summary != card.title else "",
        "image": safe_url(card.image) if card.image else None,
        "label": next((name for name in card.categories if name != page_name), ""),
        "by": card.source or table["separator"].join(card.authors),
    }


def _day_of(published: str, table: Mapping[str, str]) -> str:
    """Return the day of an RFC 3339 date as people write it, or "" if the text is not a date."""
    try:
        day: date = datetime.fromisoformat(published)
    except ValueError:
        return ""
    return day_text(day, table)


def _feed_link(link: FeedLink, root: str) -> dict[str, Any]:
    return {"title": link.title, "url": page_link(link.path, root), "total": f"{link.total:,}"}


def _archives(count: int, rules: PageRules) -> list[tuple[str, str]]:
    """Return (number, file) of the newest archives and of the first; each archive links to the previous one."""
    archived = (one for one in registry.formats() if one.name in rules.formats and one.archive is not None)
    form = next(archived, None)
    if form is None:
        return []
    numbers: Iterable[int] = range(count, 0, -1)
    if count > NEWEST_ARCHIVES + 1:
        numbers = [*range(count, count - NEWEST_ARCHIVES, -1), 1]
    return [(f"{number:,}", form.archive_file(number)) for number in numbers]
