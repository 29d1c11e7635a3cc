"""Feeds and rendered entries in, output files out: each with a mark of all it depends on, and how to make it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import feedtool
from feedtool.config import Settings
from feedtool.feeds.metadata import feed_of
from feedtool.feeds.selection import FeedSelection, SelectedArticle
from feedtool.models import Feed
from feedtool.storage import Pieces

if TYPE_CHECKING:
    from feedtool.site import PageRules
from feedtool.publish.plan import Assembly, Outputs, Plan, digest_of
from feedtool.publish.select import Chosen

FILES = {"atom": "atom.xml", "rss": "rss.xml", "json": "feed.json"}


def outputs_of(chosen: Chosen, assembly: Assembly, settings: Settings, rules: PageRules | None) -> Outputs:
    """Return every file of the output folder by its path, in the order in which they are written."""
    outputs: Outputs = {}
    feeds: list[tuple[FeedSelection, Feed, list[SelectedArticle], int]] = []
    for shelf in chosen.shelves:
        picks = assembly.readable(shelf.articles)
        feed = _feed(shelf, picks, assembly, settings)
        if settings.feeds.max_bytes:
            picks = assembly.fitting(picks, _frames(feed, settings))
            feed = _feed(shelf, picks, assembly, settings)
        chunks = _chunks(assembly.readable(shelf.all_articles), shelf.limit, len(picks))
        graves = assembly.tombstones.get(shelf.path, ())
        if chunks or graves:
            feed = replace(feed, prev_archive=len(chunks) or None, tombstones=graves)
        feeds.append((shelf, feed, picks, len(chunks)))
        folder = f"{shelf.path}/" if shelf.path else ""
        # Archives first: a reader that sees the feed can then follow its links.
        for number, chunk in enumerate(chunks, 1):
            chunk.reverse()
            old = replace(
                _feed(shelf, chunk, assembly, settings),
                archive=number,
                prev_archive=number - 1 or None,
                next_archive=2 if number == 1 and len(chunks) > 1 else None,
            )
            for form, plan in _documents(old, chunk, assembly):
                if form != "rss":
                    outputs[f"{folder}archive/{number}.{'xml' if form == 'atom' else form}"] = plan
        for form, plan in _documents(feed, picks, assembly):
            outputs[folder + FILES[form]] = plan
    outputs["feeds.opml"] = _opml([feed for _, feed, _, _ in feeds], settings)
    css = _css()
    outputs["feed.css"] = Plan(digest_of("css", css.decode()), lambda: css)
    if rules is not None:
        from feedtool.publish.pages import pages_of

        outputs |= pages_of(chosen, feeds, assembly, rules)
    return outputs


def _css() -> bytes:
    # As importlib.resources would read it, whose import takes longer than a feed.
    data: bytes = feedtool.__loader__.get_data(os.path.join(feedtool.__path__[0], "data", "feed.css"))
    return data


def _frames(feed: Feed, settings: Settings) -> dict[str, int]:
    """Return the bytes of each format's document without entries."""
    from feedtool.feeds.formats import atom, jsonfeed, rss

    makers: dict[str, Callable[..., Pieces]] = {"atom": atom.feed, "rss": rss.feed, "json": jsonfeed.feed}
    whole = replace(feed, prev_archive=999_999)
    return {form: sum(map(len, makers[form](whole, []))) for form in settings.feeds.formats}


def _chunks(picks: list[SelectedArticle], size: int, shown: int) -> list[list[SelectedArticle]]:
    """Return RFC 5005 archives: chunks from the oldest on, until the feed itself holds (`shown`) all that is left.

    A chunk's articles change only when one is backdated or deleted; new ones begin new chunks. Only where `max_bytes`
    cuts a feed short does the last chunk grow until it is full: else what the feed has no room for would be nowhere.
    """
    count = max(0, -(-(len(picks) - shown) // size)) if picks else 0
    return [picks[number * size : (number + 1) * size] for number in range(count)]


def _feed(shelf: FeedSelection, picks: list[SelectedArticle], assembly: Assembly, settings: Settings) -> Feed:
    states = [assembly.renderer.states[pick.path] for pick in picks]
    updated = max((state[4] for state in states), default=0)
    return feed_of(shelf, updated, settings, audio=any(state[5] for state in states))


def _documents(feed: Feed, picks: list[SelectedArticle], assembly: Assembly) -> list[tuple[str, Plan]]:
    """Return the plan of a feed in every format: all depend on the same, which is written down once."""
    keys = b"".join([assembly.renderer.keys[pick.path] for pick in picks]).hex()
    facts = repr(feed)
    articles = tuple([pick.path for pick in picks])
    return [
        (form, Plan(digest_of(form, facts, keys), partial(_render, feed, picks, form, assembly), articles))
        for form in assembly.settings.feeds.formats
    ]


def _render(feed: Feed, picks: list[SelectedArticle], form: str, assembly: Assembly) -> Pieces:
    from feedtool.feeds.formats import atom, jsonfeed, rss

    entries = assembly.entries(picks, form)
    if form == "atom":
        return atom.feed(feed, entries, kind="current" if feed.archive is None else "archive")
    return rss.feed(feed, entries) if form == "rss" else jsonfeed.feed(feed, entries)


def _opml(feeds: list[Feed], settings: Settings) -> Plan:
    form = next(name for name in ("atom", "rss", "json") if name in settings.feeds.formats)

    def make() -> bytes:
        from feedtool.feeds.formats import opml

        return opml.outline(settings.site.title, feeds, file=FILES[form])

    facts = [(feed.title, feed.url, feed.description, feed.language) for feed in feeds]
    return Plan(digest_of("opml", form, settings.site.title, repr(facts)), make)
