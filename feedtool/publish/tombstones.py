"""Ids published before and now in, tombstones out: what was deleted after publication, and when (RFC 6721).

They are remembered in `feedtool.state`, since nothing else tells that an article once was.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from feedtool import storage
from feedtool.config import Settings
from feedtool.dates.parse import iso, parse_date
from feedtool.models import Tombstone
from feedtool.state import FILE, Facts, State, dump_state, records

if TYPE_CHECKING:
    from feedtool.feeds.selection import FeedSelection

KIND = "tombstone"
AHEAD = timedelta(days=1)
"""How far a clock may be behind the one that wrote a tombstone: what is later than that was written by a wrong one."""
There = Callable[[set[str]], set[str]]
Published = dict[str, tuple[str, list[str]]]
"""By id: the article's path ("" where that is not known) and the feeds that hold it."""


class Tombstones:
    """The tombstones of one site during one build."""

    def __init__(self, settings: Settings, now: datetime, *, dry: bool) -> None:
        self._path = os.path.join(settings.folder, FILE)
        self._days = settings.feeds.tombstone_days
        self._now = now
        self._dry = dry
        data = storage.read_or_none(self._path)
        self._text = (data or b"").decode("utf-8", "replace")
        self._state = _state(self._text)
        self._alive: set[str] = set()
        self._let_go()

    def _let_go(self) -> None:
        """Forget old tombstones; one whose moment cannot be read, or cannot have been, counts as of now."""
        oldest = self._now - timedelta(days=self._days)
        for (kind, key), facts in list(self._state.items()):
            if kind != KIND:
                continue
            when = _when(facts)
            if when is None or when > self._now + AHEAD:
                when = self._now
                facts["when"] = iso(when)
            if when <= oldest:
                del self._state[kind, key]

    def fingerprint(self) -> str:
        """Return a text that changes when what feeds say of the dead does."""
        return dump_state({key: facts for key, facts in self._state.items() if key[0] == KIND})

    def notice(self, before: Published, there: There, is_gone: Callable[[str], bool]) -> None:
        """Remember as deleted what was published before and is no more, where `is_gone` returns True for its file; forget the
        tombstones of what is published.

        `there` returns those of some ids that are published now, as they are or in the form that Atom gives them. Ids are
        the same where their Atom forms are: feeds that are read back hold that form, and readers know entries by it.
        """
        dead = self._forms()
        if not before and not dead:
            return
        from feedtool.feeds.values import atom_id

        alive = there({*dead, *dead.values(), *before})
        lost = {identity: atom_id(identity) for identity in before if identity not in alive} if self._days else {}
        if others := {form for identity, form in lost.items() if form != identity}:
            alive |= there(others)
        for key, form in dead.items():
            if key in alive or form in alive:
                del self._state[KIND, key]
        taken = alive.union(dead.values())
        for identity, form in lost.items():
            path, feeds = before[identity]
            if form not in taken and is_gone(path):
                taken.add(form)
                self._state[KIND, identity] = {"when": iso(self._now), "feeds": sorted(feeds)}

    def hide(self, there: There) -> None:
        """Keep the tombstones of what a preview shows out of its feeds; they stay in the state, since nothing of a preview
        counts as published."""
        if dead := self._forms():
            alive = there({*dead, *dead.values()})
            self._alive = {key for key, form in dead.items() if key in alive or form in alive}

    def _forms(self) -> dict[str, str]:
        """Return the ids that have a tombstone, with the Atom form of each; of several with one form, one is kept."""
        keys = sorted(key for kind, key in self._state if kind == KIND)
        if not keys:
            return {}
        from feedtool.feeds.values import atom_id

        found: dict[str, str] = {}
        # What an article has as its id is kept rather than its Atom form.
        for key, form in sorted(
            ((key, atom_id(key)) for key in keys), key=lambda one: (one[1], one[0] == one[1], one[0])
        ):
            if form in found:
                _join(self._state[KIND, found[form]], self._state.pop((KIND, key)))
            else:
                found[form] = key
        return {key: form for form, key in found.items()}

    def tombstones(self) -> dict[str, tuple[Tombstone, ...]]:
        """Return the tombstones of each feed by its path, the latest first."""
        found: dict[str, list[Tombstone]] = {}
        for (kind, key), facts in self._state.items():
            when = _when(facts)
            feeds = facts.get("feeds")
            if kind == KIND and when is not None and isinstance(feeds, list) and key not in self._alive:
                for path in feeds:
                    found.setdefault(str(path), []).append(Tombstone(ref=key, when=when))
        return {
            path: tuple(sorted(graves, key=lambda one: (-one.when.timestamp(), one.ref)))
            for path, graves in found.items()
        }

    def published(self, shelves: list[FeedSelection]) -> Published:
        """Return what is published now, for the next build to compare with."""
        found: Published = {}
        for shelf in shelves:
            for pick in shelf.articles:
                found.setdefault(pick.id, (pick.path, []))[1].append(shelf.path)
        return found

    def keep(self) -> None:
        """Write `feedtool.state` where it changed."""
        text = dump_state(self._state)
        if not self._dry:
            storage.remove_leftover(self._path)
        if text != self._text and not self._dry and (text or self._text):
            storage.write(self._path, text.encode())
            self._text = text


def _state(text: str) -> State:
    """Return what a state's text remembers; of two tombstones of one id, as a merge leaves them, the later counts."""
    state: State = {}
    for kind, key, facts in records(text):
        if kind == KIND and (kind, key) in state:
            _join(state[kind, key], facts)
        else:
            state[kind, key] = facts
    return state


def _join(kept: Facts, other: Facts) -> None:
    """Let a tombstone stand for another one of the same id."""
    feeds = [one["feeds"] for one in (kept, other) if isinstance(one.get("feeds"), list)]
    kept["feeds"] = sorted({str(path) for paths in feeds for path in paths})
    whens = [(when, str(one["when"])) for one in (kept, other) if (when := _when(one)) is not None]
    if whens:
        kept["when"] = max(whens)[1]


def _when(facts: Facts) -> datetime | None:
    return parse_date(str(facts.get("when", "")))
