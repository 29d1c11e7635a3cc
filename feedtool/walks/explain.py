"""One article file in, all that feedtool makes of it out: how it is read, what is removed and why, where it lands."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime

from feedtool import store
from feedtool.article import Shown, read_article
from feedtool.entries import Explained, entry_of
from feedtool.errors import UsageError
from feedtool.feeds import base_url, place
from feedtool.index import Index
from feedtool.model import Article, Entry, Problem
from feedtool.ports import in_order
from feedtool.settings import Settings
from feedtool.walks.build.heads import Heads
from feedtool.walks.build.listing import Place, list_folders
from feedtool.walks.build.rules import making_rules, reading_rules
from feedtool.walks.build.select import new_selection, select
from feedtool.walks.build.winners import url_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """All that becomes of one article; `article` and `entry` are None where it can't be read."""

    path: str
    shown: Shown
    explained: Explained
    article: Article | None
    entry: Entry | None
    feeds: tuple[str, ...]
    why_not: str
    problems: tuple[Problem, ...]


def explain(settings: Settings, file: str, now: datetime) -> Explanation:
    """Return what becomes of the article at `file` (a path); raises UsageError where that is no article of the site."""
    root = os.path.realpath(os.path.join(settings.folder, settings.articles.path))
    full = os.path.realpath(file)
    if not full.startswith(root + os.sep) or not os.path.isfile(full):
        raise UsageError("is no article of this site", where=file, hint=f"articles are in {root}")
    path = os.path.relpath(full, root).replace(os.sep, "/")
    if not path.lower().endswith(store.SUFFIXES) or any(part.startswith(".") for part in path.split("/")):
        kinds = " ".join(store.SUFFIXES)
        raise UsageError("is no article of this site", where=file, hint=f"articles end in {kinds} and are not hidden")
    reading = reading_rules(settings)
    making = making_rules(settings, base_url(settings))
    shown, explained = Shown(), Explained()
    article, problems = read_article(path, store.article(full), reading, shown=shown)
    entry = None
    if article is not None:
        entry, more = entry_of(article, making, url=url_of(article, making), explained=explained)
        problems = (*problems, *more)
    feeds, why_not = _feeds(settings, path, article, now)
    return Explanation(
        path=path,
        shown=shown,
        explained=explained,
        article=article,
        entry=entry,
        feeds=feeds,
        why_not=why_not,
        problems=problems,
    )


def _feeds(settings: Settings, path: str, article: Article | None, now: datetime) -> tuple[tuple[str, ...], str]:
    if article is None:
        return (), "it can't be read"
    if article.draft:
        return (), "it is a draft (build --drafts publishes drafts)"
    if article.published > now:
        return (), "its date lies in the future (build --future publishes it now)"
    reading = reading_rules(settings)
    root = os.path.realpath(os.path.join(settings.folder, settings.articles.path))
    index = Index(None)
    try:
        listing = list_folders(Place(root, reading.prefix, b"", 0), {}, in_order, many=False)
        heads = Heads(root, reading, index, in_order)
        new = new_selection(settings, drafts=False, now=int(now.timestamp()))
        chosen = select(heads, listing, {}, new=new)
    finally:
        index.close()
    for problem in chosen.problems:
        if problem.code == "FT014" and problem.file == reading.prefix + path:
            return (), problem.message
    place(chosen.shelves, settings)
    held = tuple(shelf.path for shelf in chosen.shelves if any(pick.path == path for pick in shelf.picks))
    return held, "" if held else "newer articles fill every feed it belongs to; archives hold it"
