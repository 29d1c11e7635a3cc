"""Ids published before and now in, tombstones out: what was deleted after publication, and when (RFC 6721).

They are remembered in `feedtool.state`, since nothing else tells that an article once was.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from feedtool import store
from feedtool.dates import iso, parse_date
from feedtool.model import Tombstone
from feedtool.settings import Settings
from feedtool.state import FILE, dump_state, parse_state

if TYPE_CHECKING:
    from feedtool.feeds import Shelf

KIND = "tombstone"
Published = dict[str, tuple[str, list[str]]]
"""By id: the article's path ("" where that is not known) and the feeds that hold it."""


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

    def notice(self, before: Published, there: Callable[[set[str]], set[str]], is_gone: Callable[[str], bool]) -> None:
        """Bury what was published before and is no more, where `is_gone` says of its file that it is; wake what is back.

        `there` returns those of some ids that are published now; an id counts as there in the form Atom gives it, too:
        that is what feeds read back hold.
        """
        graves = {key for kind, key in self._state if kind == KIND}
        if not before and not graves:
            return
        from feedtool.render.text import atom_id

        alive = there(graves.union(before))
        for identity, (path, feeds) in before.items() if self._days else ():
            if identity not in alive and atom_id(identity) not in graves and is_gone(path):
                facts = {"when": iso(self._now), "feeds": sorted(feeds)}
                self._state.setdefault((KIND, identity), facts)
        for key in sorted(graves):
            if key in alive:
                del self._state[KIND, key]

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

    def published(self, shelves: list[Shelf]) -> Published:
        """Return what is published now, for the next build to compare with."""
        found: Published = {}
        for shelf in shelves:
            for pick in shelf.picks:
                found.setdefault(pick.id, (pick.path, []))[1].append(shelf.path)
        return found

    def keep(self) -> None:
        """Write `feedtool.state` where it changed."""
        text = dump_state(self._state)
        if not self._dry:
            store.tidy(self._path)
        if text != self._text and not self._dry and (text or self._text):
            store.write(self._path, text.encode())
            self._text = text
