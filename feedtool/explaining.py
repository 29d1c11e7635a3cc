"""Explain one article: how it is read, what is removed and why, and which feeds hold it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime

from feedtool import storage
from feedtool.articles import ReadingDetails, Rules, read_article
from feedtool.catalog.index import Index
from feedtool.catalog.reading_rules import reading_rules
from feedtool.catalog.signing import Signer
from feedtool.config import Settings
from feedtool.dates.parse import iso
from feedtool.errors import UsageError
from feedtool.feeds.entries import Explained, entry_of
from feedtool.feeds.metadata import assign_folders, base_url
from feedtool.models import Article, Entry, Problem
from feedtool.protocols import in_order
from feedtool.publish.heads import Heads
from feedtool.publish.render import url_of
from feedtool.publish.rules import making_rules
from feedtool.publish.scan import Place, list_folders
from feedtool.publish.sections import Sections
from feedtool.publish.select import new_selection, select


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Everything that becomes of one article; `article` and `entry` are None if it can't be read."""

    path: str
    shown: ReadingDetails
    explained: Explained
    article: Article | None
    entry: Entry | None
    feeds: tuple[str, ...]
    why_not: str
    problems: tuple[Problem, ...]


def explain(settings: Settings, file: str, now: datetime) -> Explanation:
    """Return what becomes of the article at the path `file`; raise UsageError if that is not an article of the site."""
    root = os.path.realpath(os.path.join(settings.folder, settings.articles.path))
    full = os.path.realpath(file)
    if not full.startswith(root + os.sep) or not os.path.isfile(full):
        raise UsageError("is not an article of this site", where=file, hint=f"articles are in {root}")
    path = os.path.relpath(full, root).replace(os.sep, "/")
    if not path.lower().endswith(storage.SUFFIXES) or any(part.startswith(".") for part in path.split("/")):
        kinds = " ".join(storage.SUFFIXES)
        raise UsageError(
            "is not an article of this site", where=file, hint=f"articles end in {kinds} and are not hidden"
        )
    reading = _rules_at(path, root, reading_rules(settings))
    making = making_rules(settings, base_url(settings))
    shown, explained = ReadingDetails(), Explained()
    article, problems = read_article(path, storage.read_article(full), reading, details=shown)
    entry = None
    if article is not None:
        entry, entry_problems = entry_of(article, making, url=url_of(article, making), explained=explained)
        problems = (*problems, *entry_problems)
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


def _rules_at(path: str, root: str, reading: Rules) -> Rules:
    """Return the rules for the article at `path`, with the values that its folders give to it.

    Raise UsageError if the site's generator does not treat the file as an article.
    """
    sections: tuple[str, ...] = ()
    parts = path.split("/")
    folder = ""
    for below in parts:
        listed = storage.list_folder(root, folder, prefix=reading.prefix, layout=reading.dialect)
        sections = storage.sections_of(folder, sections, listed.sections)
        is_there = (
            below in listed.folders if f"{folder}{below}" != path else below in [file[0] for file in listed.files]
        )
        if not is_there:
            what = f"{reading.dialect.name.capitalize()} does not treat this file as an article"
            raise UsageError(what, where=reading.prefix + path, hint="it is in no feed")
        folder += f"{below}/"
    if not reading.dialect.inherits:
        return reading
    return reading.with_folder_values(Sections(root, reading.dialect, zone=reading.zone).values_of("", sections))


def _feeds(settings: Settings, path: str, article: Article | None, now: datetime) -> tuple[tuple[str, ...], str]:
    if article is None:
        return (), "it can't be read"
    if article.draft:
        return (), f"{article.withheld}; the option `drafts` publishes drafts"
    if article.withheld:
        return (), article.withheld
    if article.shown_from is not None and article.shown_from > now:
        return (), f"it is under embargo until {iso(article.shown_from)} (the option `future` publishes it now)"
    if article.shown_until is not None and article.shown_until <= now:
        return (), f"it expired at {iso(article.shown_until)}"
    if article.published > now:
        return (), "its date lies in the future (the option `future` publishes it now)"
    reading = reading_rules(settings)
    root = os.path.realpath(os.path.join(settings.folder, settings.articles.path))
    index = Index(None, Signer())
    try:
        place_of_articles = Place(root, reading.prefix, b"", 0, reading.dialect, reading.zone)
        listing = list_folders(place_of_articles, {}, in_order, many=False)
        heads = Heads(root, reading, index, in_order)
        new = new_selection(settings, drafts=False, now=int(now.timestamp()))
        selected = select(heads, listing, {}, new=new)
    finally:
        index.close()
    for problem in selected.problems:
        if problem.code == "FT014" and problem.file == reading.prefix + path:
            return (), problem.message
    assign_folders(selected.feeds, settings)
    paths = tuple(feed.path for feed in selected.feeds if any(one.path == path for one in feed.articles))
    return paths, "" if paths else "newer articles fill every feed it belongs to; archives hold it"
