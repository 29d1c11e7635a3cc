"""Plan the HTML pages: the site's index, a page for each feed, pages of articles, and the sitemap."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache, partial

from feedtool.dates.parse import iso
from feedtool.feeds.permalinks import page_folder
from feedtool.feeds.selection import FeedSelection, SelectedArticle
from feedtool.models import Feed
from feedtool.publish.plan import Assembly, Outputs, Plan, digest_of
from feedtool.publish.select import SelectionResult
from feedtool.site.models import Card, FeedLink, PageRules
from feedtool.slugs import quote_path

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Row = tuple[FeedSelection, Feed, list[SelectedArticle], int]
"""A selection, its feed, those of its articles that can be read, and the number of its archives."""


def pages_of(selected: SelectionResult, feeds: list[Row], assembly: Assembly, rules: PageRules) -> Outputs:
    """Return the plans of all pages by path.

    They are the site's index, a page for each feed, a page for each article that needs one, and the sitemap.
    """
    outputs: Outputs = {}
    addresses: list[tuple[str, str | None]] = []
    for article in sorted(assembly.readable(selected.paged)):
        folder = page_folder(article.path, article.id)
        key = assembly.renderer.keys[article.path]
        make = partial(_article, article.path, assembly)
        outputs[f"{folder}/index.html"] = Plan(digest_of("page", key.hex()), make, (article.path,))
        addresses.append((f"{rules.base_url}{quote_path(folder)}/", _moment(assembly.renderer.states[article.path][4])))
    if rules.index:
        outputs |= _indexes(selected, feeds, assembly, rules)
        addresses.extend((feed.url, iso(feed.updated)) for _, feed, _, _ in feeds)
    outputs |= _site_files(addresses, rules)
    return outputs


def _article(path: str, assembly: Assembly) -> bytes:
    return assembly.renderer.rendered(path).renditions["page"][0]


def _indexes(selected: SelectionResult, feeds: list[Row], assembly: Assembly, rules: PageRules) -> Outputs:
    links = [FeedLink(one.name, one.path, one.total) for one, _, _, _ in feeds]
    categories = [link for link, (one, _, _, _) in zip(links, feeds, strict=True) if one.kind == "category"]
    queries = [
        FeedLink((one.select.title if one.select else "") or one.name, one.path, one.total)
        for one, _, _, _ in feeds
        if one.kind == "select"
    ]
    days = [((_EPOCH + timedelta(days=day)).date().isoformat(), count) for day, count in sorted(selected.days.items())]
    outputs: Outputs = {}
    for selection, feed, articles, archives in feeds:
        keys = b"".join(assembly.renderer.keys[article.path] for article in articles).hex()
        paths = tuple(article.path for article in articles)
        facts = f"{feed!r} {rules!r} {archives} {selection.total}"
        if selection.kind == "site":
            make = partial(_site_index, feed, paths, assembly, rules, (categories, queries, days, selected.articles))
            fingerprint = digest_of("index", facts, keys, repr((categories, queries, days, selected.articles)))
            outputs["index.html"] = Plan(fingerprint, make, paths)
        else:
            make = partial(_feed_index, feed, paths, assembly, rules, (selection.total, archives))
            outputs[f"{selection.path}/index.html"] = Plan(digest_of("index", facts, keys), make, paths)
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


def _site_files(addresses: list[tuple[str, str | None]], rules: PageRules) -> Outputs:
    from feedtool.site import sitemap, sitemap_paths, stylesheet

    outputs: Outputs = {"site.css": Plan(digest_of("css", repr(rules)), partial(stylesheet, rules))}
    fingerprint = digest_of("sitemap", rules.base_url, repr(addresses))

    @cache
    def documents() -> dict[str, bytes]:
        return dict(sitemap(addresses, base_url=rules.base_url))

    for path in sitemap_paths(len(addresses)):
        outputs[path] = Plan(fingerprint, partial(_document, documents, path))
    return outputs


def _document(documents: Callable[[], dict[str, bytes]], path: str) -> bytes:
    return documents()[path]


def _moment(seconds: int) -> str:
    return iso(_EPOCH + timedelta(seconds=seconds))
