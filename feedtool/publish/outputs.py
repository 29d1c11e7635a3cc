"""Plan the output files: the documents of every feed, their archives, the list of feeds, and the pages."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import feedtool
from feedtool import registry
from feedtool.config import Settings
from feedtool.feeds.metadata import feed_of
from feedtool.feeds.selection import FeedSelection, SelectedArticle
from feedtool.models import Feed
from feedtool.storage import Pieces

if TYPE_CHECKING:
    from feedtool.site import PageRules
from feedtool.publish.plan import Assembly, Outputs, Plan, digest_of
from feedtool.publish.select import SelectionResult


def outputs_of(selected: SelectionResult, assembly: Assembly, settings: Settings, rules: PageRules | None) -> Outputs:
    """Return the plan of every file of the output folder by path, in the order in which the files are written."""
    outputs: Outputs = {}
    feeds: list[tuple[FeedSelection, Feed, list[SelectedArticle], int]] = []
    for selection in selected.feeds:
        articles = assembly.readable(selection.articles)
        feed = _feed(selection, articles, assembly, settings)
        if settings.feeds.max_bytes:
            articles = assembly.fitting(articles, _frames(feed, settings))
            feed = _feed(selection, articles, assembly, settings)
        chunks = _chunks(assembly.readable(selection.all_articles), selection.limit, len(articles))
        tombstones = assembly.tombstones.get(selection.path, ())
        if chunks or tombstones:
            feed = replace(feed, prev_archive=len(chunks) or None, tombstones=tombstones)
        feeds.append((selection, feed, articles, len(chunks)))
        folder = f"{selection.path}/" if selection.path else ""
        # Archives come first, so that a reader that sees the new feed can follow its links.
        for number, chunk in enumerate(chunks, 1):
            chunk.reverse()
            archived = replace(
                _feed(selection, chunk, assembly, settings),
                archive=number,
                prev_archive=number - 1 or None,
                next_archive=2 if number == 1 and len(chunks) > 1 else None,
            )
            outputs |= _documents(folder, archived, chunk, assembly)
        outputs |= _documents(folder, feed, articles, assembly)
    outputs["feeds.opml"] = _opml([feed for _, feed, _, _ in feeds], settings)
    css = _css()
    outputs["feed.css"] = Plan(digest_of("css", css.decode()), lambda: css)
    if rules is not None:
        from feedtool.publish.pages import pages_of

        outputs |= pages_of(selected, feeds, assembly, rules)
    return outputs


def site_files(settings: Settings) -> set[str]:
    """Return the files that every build of a site makes, whatever its articles are."""
    return {"feeds.opml", "feed.css", *(form.file for form in map(registry.format_of, settings.feeds.formats))}


def _css() -> bytes:
    # Read as importlib.resources would; importing that takes longer than making a feed.
    data: bytes = feedtool.__loader__.get_data(os.path.join(feedtool.__path__[0], "data", "feed.css"))
    return data


def _frames(feed: Feed, settings: Settings) -> dict[str, int]:
    """Return the size in bytes of each format's document without entries."""
    whole = replace(feed, prev_archive=999_999)
    return {name: sum(map(len, registry.format_of(name).document(whole, []))) for name in settings.feeds.formats}


def _chunks(articles: list[SelectedArticle], size: int, current: int) -> list[list[SelectedArticle]]:
    """Return the archives (RFC 5005): chunks from the oldest article on, until the current feed holds all that is left.

    `current` is the number of articles in the feed. The articles of a chunk change only if one is backdated or deleted;
    new ones go into new chunks. If `max_bytes` cuts the feed short, the last chunk grows until it is full: otherwise
    the articles that were cut off would be in no document.
    """
    count = max(0, -(-(len(articles) - current) // size)) if articles else 0
    return [articles[number * size : (number + 1) * size] for number in range(count)]


def _feed(selection: FeedSelection, articles: list[SelectedArticle], assembly: Assembly, settings: Settings) -> Feed:
    states = [assembly.renderer.states[article.path] for article in articles]
    updated = max((state[4] for state in states), default=0)
    return feed_of(selection, updated, settings, audio=any(state[5] for state in states))


def _documents(folder: str, feed: Feed, articles: list[SelectedArticle], assembly: Assembly) -> Outputs:
    """Return the plan of a feed, or of an archive, in every format that has it, by path.

    All formats depend on the same content, so it is collected once.
    """
    keys = b"".join([assembly.renderer.keys[article.path] for article in articles]).hex()
    facts = repr(feed)
    paths = tuple([article.path for article in articles])
    return {
        folder + form.file_of(feed.archive): Plan(
            digest_of(form.name, facts, keys), partial(_render, feed, articles, form.name, assembly), paths
        )
        for form in map(registry.format_of, assembly.settings.feeds.formats)
        if feed.archive is None or form.archive is not None
    }


def _render(feed: Feed, articles: list[SelectedArticle], form: str, assembly: Assembly) -> Pieces:
    return registry.format_of(form).document(feed, assembly.entries(articles, form))


def _opml(feeds: list[Feed], settings: Settings) -> Plan:
    form = next(one for one in registry.formats() if one.name in settings.feeds.formats)

    def make() -> bytes:
        from feedtool.feeds.formats import opml

        return opml.outline(settings.site.title, feeds, file=form.file)

    facts = [(feed.title, feed.url, feed.description, feed.language) for feed in feeds]
    return Plan(digest_of("opml", form.name, settings.site.title, repr(facts)), make)
