"""Delete old articles that ingest wrote, and leave tombstones for them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta

from feedtool import storage
from feedtool.articles.writer import is_untouched
from feedtool.catalog import index
from feedtool.catalog.reading_rules import reading_rules
from feedtool.config import Settings
from feedtool.errors import OutputError, SettingsError, remedy
from feedtool.ingesting.lookup import LookupIndex
from feedtool.ingesting.matches import ExistingArticle
from feedtool.ingesting.memory import Memory, mark_articles_deleted


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Select articles older than `days` days, and those beyond the newest `keep` of their source.

    They apply to `sources`, or to all sources if it is ().
    """

    days: int | None = None
    keep: int | None = None
    sources: tuple[str, ...] = ()


def prune(settings: Settings, bounds: Bounds, *, now: datetime, dry_run: bool = False) -> tuple[str, ...]:
    """Delete the articles that are out of bounds and return their paths, the newest first.

    An article that a person edited is kept. The tombstones are written before the first file is deleted, so that after a killed run
    the next one deletes the rest.
    """
    root = os.path.realpath(os.path.join(settings.folder, settings.articles.path))
    if not os.path.isdir(root):
        raise SettingsError("there is no such folder of articles", where=root, hint="set [articles] path")
    derived = os.path.join(settings.folder, ".feedtool")
    with ExitStack() as stack:
        if not dry_run:
            stack.enter_context(index.lock(derived))
        memory = Memory(settings.folder)
        path = None if dry_run else os.path.join(derived, "ingest")
        reading = reading_rules(settings)
        lookup = stack.enter_context(LookupIndex(root, path, zone=reading.zone))
        lookup.refresh(reading.prefix)
        oldest = int((now - timedelta(days=bounds.days or 0)).timestamp())
        outside = _out_of_bounds(lookup, bounds, oldest, memory.current_names())
        metadata = reading.dialect.is_metadata
        outdated = [
            one for one in outside if is_untouched(storage.read_article(f"{root}/{one.path}"), metadata=metadata)
        ]
        if not dry_run and outdated:
            mark_articles_deleted(memory, outdated)
            memory.save()
            storage.remove_leftovers(lookup.leftovers)
            for article in outdated:
                _remove(root, article.path)
                lookup.remove(article.path)
            lookup.commit()
    return tuple(article.path for article in outdated)


def _remove(root: str, path: str) -> None:
    try:
        storage.remove(f"{root}/{path}")
    except OSError as error:
        what = f"cannot be deleted: {error.strerror or error}"
        raise OutputError(what, where=f"{root}/{path}", hint=remedy(error)) from None
    storage.remove_empty(os.path.dirname(f"{root}/{path}"), below=root)


def _out_of_bounds(
    lookup: LookupIndex, bounds: Bounds, oldest: int, names: Mapping[str, str]
) -> Iterator[ExistingArticle]:
    counts: Counter[str] = Counter()
    for article in lookup.all_from_sources():
        source = names.get(article.source, article.source)
        if bounds.sources and source not in bounds.sources:
            continue
        counts[source] += 1
        # An article whose date cannot be read has no age.
        old = bounds.days is not None and 0 < article.published < oldest
        beyond = bounds.keep is not None and counts[source] > bounds.keep
        if (old or beyond) and article.path not in lookup.unreadable:
            yield article
