"""Decide which articles match the queries (`[feeds.select.<name>]`) of the settings."""

from __future__ import annotations

import re
from typing import Any

from feedtool.config import Select, Settings
from feedtool.dates.parse import load_zone, parse_date


class Query:
    """A query from the settings, prepared for many heads. An article must match every list and bound that is set."""

    def __init__(self, select: Select, settings: Settings) -> None:
        self.lists = (frozenset(select.categories), frozenset(select.tags), frozenset(select.authors))
        self.sources = frozenset(select.sources)
        since = parse_date(select.since, zone=load_zone(settings.site.timezone)) if select.since else None
        self.since = int(since.timestamp()) if since is not None else None
        self.title = re.compile(select.title_regex) if select.title_regex else None
        self.excluded = Query(select.exclude, settings) if select.exclude is not None else None

    def __call__(self, head: tuple[Any, ...]) -> bool:
        """Return True if the query matches an article with this head, which must lack its path."""
        if any(allowed and allowed.isdisjoint(names) for names, allowed in zip(head[3:6], self.lists, strict=True)):
            return False
        if self.sources and head[6] not in self.sources:
            return False
        if self.since is not None and head[1] < self.since:
            return False
        if self.title is not None and not self.title.search(head[7][:1000]):
            return False
        return self.excluded is None or not self.excluded(head)
