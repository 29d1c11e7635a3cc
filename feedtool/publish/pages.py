"""Shelves and rendered entries in, the pages for people out, as plans beside those of the feeds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache, partial

from feedtool.dates.parse import iso
from feedtool.feeds.permalinks import page_folder
from feedtool.feeds.selection import FeedSelection, SelectedArticle
from feedtool.models import Feed
from feedtool.publish.plan import Assembly, Outputs, Plan, digest_of
from feedtool.publish.select import Chosen
from feedtool.site.models import Card, FeedLink, PageRules
from feedtool.slugs import quote_path

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Row = tuple[FeedSelection, Feed, list[SelectedArticle], int]
"""A shelf, its feed, the articles it holds that can be read, and how many archives it has."""


def pages_of(chosen: Chosen, feeds: list[Row], assembly: Assembly, rules: PageRules) -> Outputs:
    """Return the pages: the site's index, one for each feed, one for each article that has no other, and their map."""
    outputs: Outputs = {}
    shown: list[tuple[str, str | None]] = []
    for pick in sorted(assembly.readable(chosen.paged)):
        folder = page_folder(pick.path, pick.id)
        key = assembly.renderer.keys[pick.path]
        make = partial(_article, pick.path, assembly)
        outputs[f"{folder}/index.html"] = Plan(digest_of("page", key.hex()), make, (pick.path,))
        shown.append((f"{rules.base_url}{quote_path(folder)}/", _moment(assembly.renderer.states[pick.path][4])))
    if rules.index:
        outputs |= _indexes(chosen, feeds, assembly, rules)
        shown.extend((feed.url, iso(feed.updated)) for _, feed, _, _ in feeds)
    outputs |= _site_files(shown, rules)
    return outputs


def _article(path: str, assembly: Assembly) -> bytes:
    return assembly.renderer.rendered(path).renditions["page"][0]


def _indexes(chosen: Chosen, feeds: list[Row], assembly: Assembly, rules: PageRules) -> Outputs:
    links = [FeedLink(shelf.name, shelf.path, shelf.total) for shelf, _, _, _ in feeds]
    categories = [link for link, (shelf, _, _, _) in zip(links, feeds, strict=True) if shelf.kind == "category"]
    queries = [
        FeedLink((shelf.select.title if shelf.select else "") or shelf.name, shelf.path, shelf.total)
        for shelf, _, _, _ in feeds
        if shelf.kind == "select"
    ]
    days = [((_EPOCH + timedelta(days=day)).date().isoformat(), count) for day, count in sorted(chosen.days.items())]
    outputs: Outputs = {}
    for shelf, feed, picks, archives in feeds:
        keys = b"".join(assembly.renderer.keys[pick.path] for pick in picks).hex()
        articles = tuple(pick.path for pick in picks)
        facts = f"{feed!r} {rules!r} {archives} {shelf.total}"
        if shelf.kind == "site":
            make = partial(_site_index, feed, articles, assembly, rules, (categories, queries, days, chosen.articles))
            known = digest_of("index", facts, keys, repr((categories, queries, days, chosen.articles)))
            outputs["index.html"] = Plan(known, make, articles)
        else:
            make = partial(_feed_index, feed, articles, assembly, rules, (shelf.total, archives))
            outputs[f"{shelf.path}/index.html"] = Plan(digest_of("index", facts, keys), make, articles)
    return outputs


def _cards(articles: tuple[str, ...], assembly: Assembly) -> list[Card]:
    return [Card(*assembly.renderer.rendered(path).card) for path in articles]


def _site_index(
    feed: Feed,
    articles: tuple[str, ...],
    assembly: Assembly,
    rules: PageRules,
    facts: tuple[list[FeedLink], list[FeedLink], list[tuple[str, int]], int],
) -> bytes:
    from feedtool.site import index_page

    categories, queries, days, total = facts
    return index_page(feed, _cards(articles, assembly), categories, queries, days, rules, total=total)


def _feed_index(
    feed: Feed, articles: tuple[str, ...], assembly: Assembly, rules: PageRules, facts: tuple[int, int]
) -> bytes:
    from feedtool.site import category_page

    total, archives = facts
    return category_page(feed, _cards(articles, assembly), rules, total=total, archives=archives)


def _site_files(shown: list[tuple[str, str | None]], rules: PageRules) -> Outputs:
    from feedtool.site import sitemap, sitemap_paths, stylesheet

    outputs: Outputs = {"site.css": Plan(digest_of("css", repr(rules)), partial(stylesheet, rules))}
    known = digest_of("sitemap", rules.base_url, repr(shown))

    @cache
    def made() -> dict[str, bytes]:
        return dict(sitemap(shown, base_url=rules.base_url))

    for path in sitemap_paths(len(shown)):
        outputs[path] = Plan(known, partial(_part, made, path))
    return outputs


def _part(made: Callable[[], dict[str, bytes]], path: str) -> bytes:
    return made()[path]


def _moment(seconds: int) -> str:
    return iso(_EPOCH + timedelta(seconds=seconds))
