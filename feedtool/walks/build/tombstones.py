"""Ids published before and now in, tombstones out: what was deleted after publication, and when (RFC 6721).

They are remembered in `feedtool.state`, since nothing else tells that an article once was.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import Any

from feedtool import store
from feedtool.dates import iso, parse_date
from feedtool.feeds import Shelf
from feedtool.model import Tombstone
from feedtool.settings import Settings
from feedtool.state import FILE, dump_state, parse_state

KIND = "tombstone"


class Graves:
    """The tombstones of one site during one build."""

    def __init__(self, settings: Settings, now: datetime, *, dry: bool) -> None:
        self._path = os.path.join(settings.folder, FILE)
        self._days = settings.feeds.tombstone_days
        self._now = now
        self._dry = dry
        data = store.read_or_none(self._path)
        self._text = (data or b"").decode("utf-8", "replace")
        self._state = parse_state(self._text)
        self._let_go()

    def _let_go(self) -> None:
        oldest = self._now - timedelta(days=self._days)
        for (kind, key), facts in list(self._state.items()):
            when = parse_date(str(facts.get("when", "")))
            if kind == KIND and (when is None or when <= oldest):
                del self._state[kind, key]

    def mark(self) -> str:
        """Return a text that changes when what feeds say of the dead does."""
        return dump_state({key: facts for key, facts in self._state.items() if key[0] == KIND})

    def notice(self, published: Any, ids: Any) -> None:
        """Bury what `published` (id to feeds, from the last build) has and `ids` has no more; wake what is back."""
        if self._days:
            for identity, feeds in (published or {}).items():
                if identity not in ids:
                    facts = {"when": iso(self._now), "feeds": sorted(feeds)}
                    self._state.setdefault((KIND, identity), facts)
        for kind, key in list(self._state):
            if kind == KIND and key in ids:
                del self._state[kind, key]

    def tombstones(self) -> dict[str, tuple[Tombstone, ...]]:
        """Return the tombstones of each feed by its path, the latest first."""
        found: dict[str, list[Tombstone]] = {}
        for (kind, key), facts in self._state.items():
            when = parse_date(str(facts.get("when", "")))
            feeds = facts.get("feeds")
            if kind == KIND and when is not None and isinstance(feeds, list):
                for path in feeds:
                    found.setdefault(str(path), []).append(Tombstone(ref=key, when=when))
        return {
            path: tuple(sorted(graves, key=lambda one: (-one.when.timestamp(), one.ref)))
            for path, graves in found.items()
        }

    def published(self, shelves: list[Shelf]) -> dict[str, list[str]]:
        """Return the feeds that hold each id now: what the next build compares with."""
        found: dict[str, list[str]] = {}
        for shelf in shelves:
            for pick in shelf.picks:
                found.setdefault(pick.id, []).append(shelf.path)
        return found

    def keep(self) -> None:
        """Write `feedtool.state` where it changed."""
        text = dump_state(self._state)
        if text != self._text and not self._dry and (text or self._text):
            store.write(self._path, text.encode())
            self._text = text
