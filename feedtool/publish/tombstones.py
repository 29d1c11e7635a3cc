"""Record which published entries were deleted and when, as tombstones for feeds (RFC 6721).

They are kept in `feedtool.state`, because nothing else shows that a deleted article was ever published.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from feedtool import storage
from feedtool.config import Settings
from feedtool.dates.parse import iso, parse_date
from feedtool.models import Problem, Tombstone
from feedtool.state import FILE, Facts, State, dump_state, records

if TYPE_CHECKING:
    from feedtool.feeds.selection import FeedSelection

KIND = "tombstone"
CLOCK_TOLERANCE = timedelta(days=1)
"""A tombstone may lie so far in the future, for clocks that differ; a later time was written by a wrong clock."""
PublishedIds = Callable[[set[str]], set[str]]
Published = dict[str, tuple[str, list[str]]]
"""By id: the path of the article ("" if it is not known) and the feeds that hold it."""


class Tombstones:
    """The tombstones of one site during one build."""

    def __init__(self, settings: Settings, now: datetime, *, dry: bool) -> None:
        self._path = os.path.join(settings.folder, FILE)
        self._days = settings.feeds.tombstone_days
        self._now = now
        self._dry = dry
        data = storage.read_or_none(self._path)
        self._text = (data or b"").decode("utf-8", "replace")
        self._state = _state(self._text, self._path)
        self._hidden: set[str] = set()
        self._drop_old()

    def _drop_old(self) -> None:
        """Remove old tombstones. A tombstone without a valid time counts as of now."""
        oldest = self._now - timedelta(days=self._days)
        for (kind, key), facts in list(self._state.items()):
            if kind != KIND:
                continue
            when = _when(facts)
            if when is None or when > self._now + CLOCK_TOLERANCE:
                when = self._now
                facts["when"] = iso(when)
            if when <= oldest:
                del self._state[kind, key]

    def fingerprint(self) -> str:
        """Return a text that changes whenever the tombstones in feeds change."""
        return dump_state({key: facts for key, facts in self._state.items() if key[0] == KIND})

    def update(self, before: Published, published_ids: PublishedIds, is_gone: Callable[[str], bool]) -> None:
        """Add a tombstone for each id in `before` that is published no more and whose file `is_gone`; remove those of
        published ids.

        `published_ids` returns those of some ids that are published now, as they are or in the form that Atom gives
        them. Two ids with the same Atom form are the same: feeds that are read back hold that form, and readers
        identify entries by it.
        """
        forms = self._forms()
        if not before and not forms:
            return
        from feedtool.feeds.values import atom_id

        published = published_ids({*forms, *forms.values(), *before})
        missing = (
            {identity: atom_id(identity) for identity in before if identity not in published} if self._days else {}
        )
        if others := {form for identity, form in missing.items() if form != identity}:
            published |= published_ids(others)
        for key, form in forms.items():
            if key in published or form in published:
                del self._state[KIND, key]
        taken = published.union(forms.values())
        for identity, form in missing.items():
            path, feeds = before[identity]
            if form not in taken and is_gone(path):
                taken.add(form)
                self._state[KIND, identity] = {"when": iso(self._now), "feeds": sorted(feeds)}

    def hide(self, published_ids: PublishedIds) -> None:
        """Leave the tombstones of articles that a preview shows out of its feeds.

        They stay in the state, because nothing in a preview counts as published.
        """
        if forms := self._forms():
            published = published_ids({*forms, *forms.values()})
            self._hidden = {key for key, form in forms.items() if key in published or form in published}

    def _forms(self) -> dict[str, str]:
        """Return the ids that have a tombstone, each with its Atom form; of several ids with the same form, one is kept."""
        keys = sorted(key for kind, key in self._state if kind == KIND)
        if not keys:
            return {}
        from feedtool.feeds.values import atom_id

        ids: dict[str, str] = {}
        # The id that an article has is kept rather than its Atom form.
        for key, form in sorted(
            ((key, atom_id(key)) for key in keys), key=lambda one: (one[1], one[0] == one[1], one[0])
        ):
            if form in ids:
                _join(self._state[KIND, ids[form]], self._state.pop((KIND, key)))
            else:
                ids[form] = key
        return {key: form for form, key in ids.items()}

    def tombstones(self) -> dict[str, tuple[Tombstone, ...]]:
        """Return the tombstones of each feed by its path, the latest first."""
        by_feed: dict[str, list[Tombstone]] = {}
        for (kind, key), facts in self._state.items():
            when = _when(facts)
            feeds = facts.get("feeds")
            if kind == KIND and when is not None and isinstance(feeds, list) and key not in self._hidden:
                for path in feeds:
                    by_feed.setdefault(str(path), []).append(Tombstone(ref=key, when=when))
        return {
            path: tuple(sorted(tombstones, key=lambda one: (-one.when.timestamp(), one.ref)))
            for path, tombstones in by_feed.items()
        }

    def published(self, feeds: list[FeedSelection]) -> Published:
        """Return the articles that are published now, for the next build to compare with."""
        published: Published = {}
        for feed in feeds:
            for article in feed.articles:
                published.setdefault(article.id, (article.path, []))[1].append(feed.path)
        return published

    def save(self) -> None:
        """Write `feedtool.state` if it has changed."""
        text = dump_state(self._state)
        if not self._dry:
            storage.remove_leftover(self._path)
        if text != self._text and not self._dry and (text or self._text):
            storage.write(self._path, text.encode())
            self._text = text


def _state(text: str, path: str) -> State:
    """Return the records of a state. Of two tombstones of one id, which a merge can leave, the later counts."""
    state: State = {}
    for kind, key, facts in records(text, path):
        if kind == KIND and (kind, key) in state:
            _join(state[kind, key], facts)
        else:
            state[kind, key] = facts
    return state


def _join(target: Facts, other: Facts) -> None:
    """Merge another tombstone of the same id into `target`."""
    feeds = [one["feeds"] for one in (target, other) if isinstance(one.get("feeds"), list)]
    target["feeds"] = sorted({str(path) for paths in feeds for path in paths})
    whens = [(when, str(one["when"])) for one in (target, other) if (when := _when(one)) is not None]
    if whens:
        target["when"] = max(whens)[1]


def is_gone(path: str, root: str, prefix: str, problems: list[Problem]) -> bool:
    """Return True if the article at `path` was deleted or withdrawn, and False if it may only be unreadable today.

    `root` is the articles folder; the files in `problems`, those of this build, begin with `prefix`. An empty `path` stands
    for an entry that is known from a feed alone: it counts as gone only if every article could be read.
    """
    if not path:
        unreadable = (one for one in problems if one.file.startswith(prefix) and one.code != "FT024")
        return not any(unreadable) and bool(os.listdir(root))
    file = prefix + path
    try:
        os.lstat(os.path.join(root, path))
    except (FileNotFoundError, NotADirectoryError):
        folders = (one.file for one in problems if one.code == "FT001" and one.file.endswith("/"))
        return not file.startswith(tuple(folders)) and bool(os.listdir(root))
    except OSError:
        return False
    # A protected article (FT024) was read and withdrawn. Any other problem may mean that it is only unreadable today.
    return not any(problem.file == file and problem.code != "FT024" for problem in problems)


def _when(facts: Facts) -> datetime | None:
    return parse_date(str(facts.get("when", "")))
