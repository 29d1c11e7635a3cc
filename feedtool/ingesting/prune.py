"""Bounds in, the files of old articles deleted and their tombstones left out; only what ingest wrote is looked at."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta

from feedtool import storage
from feedtool.articles.writer import is_untouched
from feedtool.catalog import index as index_room
from feedtool.catalog.reading_rules import reading_rules
from feedtool.config import Settings
from feedtool.errors import OutputError, SettingsError, remedy
from feedtool.ingesting.dedupe import ExistingArticle
from feedtool.ingesting.lookup import LookupIndex
from feedtool.ingesting.memory import Memory, forget_articles


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What is to go: older than `days`, or beyond the newest `keep` of its source; of `sources`, or of all (())."""

    days: int | None = None
    keep: int | None = None
    sources: tuple[str, ...] = ()


def prune(settings: Settings, bounds: Bounds, *, now: datetime, dry_run: bool = False) -> tuple[str, ...]:
    """Delete the articles that are out of bounds and return their paths, the newest first.

    An article that a person edited stays.
    The tombstones are written before the first file goes: what a killed run leaves undone, the next one finds.
    """
    root = os.path.realpath(os.path.join(settings.folder, settings.articles.path))
    if not os.path.isdir(root):
        raise SettingsError("there is no such folder of articles", where=root, hint="set [articles] path")
    derived = os.path.join(settings.folder, ".feedtool")
    with ExitStack() as stack:
        if not dry_run:
            stack.enter_context(index_room.lock(derived))
        memory = Memory(settings.folder)
        path = None if dry_run else os.path.join(derived, "ingest")
        reading = reading_rules(settings)
        shelf = stack.enter_context(LookupIndex(root, path, zone=reading.zone))
        shelf.refresh(reading.prefix)
        oldest = int((now - timedelta(days=bounds.days or 0)).timestamp())
        outside = _out_of_bounds(shelf, bounds, oldest, memory.names_now())
        metadata = reading.dialect.is_metadata
        going = [one for one in outside if is_untouched(storage.article(f"{root}/{one.path}"), metadata=metadata)]
        if not dry_run and going:
            forget_articles(memory, going)
            memory.save()
            storage.sweep(shelf.leftovers)
            for known in going:
                _remove(root, known.path)
                shelf.forget(known.path)
            shelf.commit()
    return tuple(known.path for known in going)


def _remove(root: str, path: str) -> None:
    try:
        storage.remove(f"{root}/{path}")
    except OSError as error:
        what = f"cannot be deleted: {error.strerror or error}"
        raise OutputError(what, where=f"{root}/{path}", hint=remedy(error)) from None
    storage.remove_empty(os.path.dirname(f"{root}/{path}"), below=root)


def _out_of_bounds(
    shelf: LookupIndex, bounds: Bounds, oldest: int, names: Mapping[str, str]
) -> Iterator[ExistingArticle]:
    counts: Counter[str] = Counter()
    for known in shelf.every():
        source = names.get(known.source, known.source)
        if bounds.sources and source not in bounds.sources:
            continue
        counts[source] += 1
        # An article whose date can't be read has no age.
        old = bounds.days is not None and 0 < known.published < oldest
        beyond = bounds.keep is not None and counts[source] > bounds.keep
        if (old or beyond) and known.path not in shelf.sealed:
            yield known
