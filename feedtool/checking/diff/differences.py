"""A feed's entries as published and as they would be in, what a subscriber would notice out; no words and no files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from feedtool.checking.diff.readers import Moment, PublishedEntry
from feedtool.feeds.values import atom_id

DAY = 86_400


@dataclass(slots=True)
class Differences:
    """What one feed's subscribers would notice. Pairs are of an entry as it is published and as it would be.

    `back` holds entries that come back under another id, `moved` those with another date of publication,
    `updated` those that say they were updated, `gone` those that are missing though they are young enough.
    """

    shared: int = 0
    new: int = 0
    back: list[tuple[PublishedEntry, PublishedEntry]] = field(default_factory=list)
    moved: list[tuple[PublishedEntry, PublishedEntry]] = field(default_factory=list)
    updated: list[tuple[PublishedEntry, PublishedEntry]] = field(default_factory=list)
    gone: list[PublishedEntry] = field(default_factory=list)


def differences(
    old: list[PublishedEntry], new: list[PublishedEntry], *, window: int, trimmed: bool = False
) -> Differences:
    """Compare a feed's entries as published with those that would be.

    A feed with at least `window` entries is full: what is older than its oldest has aged out, which is no loss. With
    `trimmed`, feeds are cut by size as well, so that any may be full.
    """
    found = Differences()
    known = {form: entry for entry in new for form in forms_of(entry.id)}
    known_before = {form for entry in old for form in forms_of(entry.id)}
    fresh = [entry for entry in new if known_before.isdisjoint(forms_of(entry.id))]
    twins = _Twins(old, new, fresh)
    ages = [entry.published for entry in new if entry.published is not None]
    oldest = min(ages, default=None)
    is_full = trimmed or len(new) >= min(window, len(old))
    taken: set[str] = set()
    for entry in old:
        same = next((known[form] for form in forms_of(entry.id) if form in known), None)
        if same is not None:
            found.shared += 1
            _same(entry, same, found)
            continue
        aged = bool(new) and is_full and (entry.published is None or oldest is None or entry.published <= oldest)
        twin = twins.of(entry, aged=aged)
        if twin is not None and twin.id not in taken:
            taken.add(twin.id)
            found.back.append((entry, twin))
        elif not aged:
            found.gone.append(entry)
    found.new = len(fresh) - len(taken)
    return found


def forms_of(identity: str) -> tuple[str, str]:
    """Return an id as it is and as Atom gives it: formats differ in that."""
    return identity, atom_id(identity)


def is_moved(old: PublishedEntry, new: PublishedEntry) -> bool:
    """Say whether an entry's date of publication changes, as far as both are known."""
    return _differ(old.published, new.published)


def _same(entry: PublishedEntry, same: PublishedEntry, found: Differences) -> None:
    if is_moved(entry, same):
        found.moved.append((entry, same))
    elif _differ(entry.updated, same.updated):
        found.updated.append((entry, same))


def _differ(old: Moment, new: Moment) -> bool:
    return old is not None and new is not None and old != new


class _Twins:
    """Finds the entry that is another one with a new id: by link, else by title; only what occurs once says anything."""

    def __init__(self, old: list[PublishedEntry], new: list[PublishedEntry], fresh: list[PublishedEntry]) -> None:
        self._links = _once(((entry.link, entry) for entry in fresh), (e.link for e in old), (e.link for e in new))
        self._titles = _once(((entry.title, entry) for entry in fresh), (e.title for e in old), (e.title for e in new))

    def of(self, entry: PublishedEntry, *, aged: bool) -> PublishedEntry | None:
        """Return the twin of an entry. One that has `aged` out shares its title with a twin of its own days alone."""
        if entry.link in self._links:
            return self._links[entry.link]
        twin = self._titles.get(entry.title)
        if twin is None or not aged or entry.published is None or twin.published is None:
            return twin
        return twin if abs(entry.published - twin.published) <= 1.5 * DAY else None


def _once(found: Iterator[tuple[str, PublishedEntry]], *places: Iterable[str]) -> Mapping[str, PublishedEntry]:
    often = {text for place in places for text, count in Counter(place).items() if count > 1}
    return {text: entry for text, entry in found if text and text not in often}
