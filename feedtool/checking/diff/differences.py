"""Compare the entries of a feed as published with those of the new build."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from feedtool.checking.diff.readers import Moment, PublishedEntry
from feedtool.feeds.values import atom_id

DAY = 86_400


@dataclass(slots=True)
class Differences:
    """The differences that subscribers of one feed would notice. A pair is an entry as published and as built.

    `back` holds entries that come back under another id, `moved` those with another date of publication, `updated`
    those with another date of update, and `gone` those that are missing although they are young enough for the feed.
    """

    shared: int = 0
    new: int = 0
    back: list[tuple[PublishedEntry, PublishedEntry]] = field(default_factory=list)
    moved: list[tuple[PublishedEntry, PublishedEntry]] = field(default_factory=list)
    updated: list[tuple[PublishedEntry, PublishedEntry]] = field(default_factory=list)
    gone: list[PublishedEntry] = field(default_factory=list)


def differences(
    old: list[PublishedEntry],
    new: list[PublishedEntry],
    *,
    window: int,
    trimmed: bool = False,
    keeps_old: bool = False,
) -> Differences:
    """Compare the published entries of a feed with the new ones.

    A feed with at least `window` entries is full: entries older than its oldest one have aged out, which is no loss. If
    `trimmed`, feeds are also cut by size, so that any feed may be full. With `keeps_old`, no entry has aged out: the
    caller looks for missing ones in archives, where they are if nothing is lost.
    """
    result = Differences()
    new_by_form = {form: entry for entry in new for form in forms_of(entry.id)}
    old_forms = {form for entry in old for form in forms_of(entry.id)}
    fresh = [entry for entry in new if old_forms.isdisjoint(forms_of(entry.id))]
    matches = _Matches(old, new, fresh)
    ages = [entry.published for entry in new if entry.published is not None]
    oldest = min(ages, default=None)
    is_full = trimmed or len(new) >= min(window, len(old))
    taken: set[str] = set()
    for entry in old:
        same = next((new_by_form[form] for form in forms_of(entry.id) if form in new_by_form), None)
        if same is not None:
            result.shared += 1
            _compare_same(entry, same, result)
            continue
        aged = (
            bool(new)
            and is_full
            and not keeps_old
            and (entry.published is None or oldest is None or entry.published <= oldest)
        )
        match = matches.of(entry, aged=aged)
        if match is not None and match.id not in taken:
            taken.add(match.id)
            result.back.append((entry, match))
        elif not aged:
            result.gone.append(entry)
    result.new = len(fresh) - len(taken)
    return result


def forms_of(identity: str) -> tuple[str, str]:
    """Return an id as it is and in the form that Atom gives it, because formats differ in that."""
    return identity, atom_id(identity)


def is_moved(old: PublishedEntry, new: PublishedEntry) -> bool:
    """Return True if the date of publication changes, as far as both dates are known."""
    return _differ(old.published, new.published)


def _compare_same(entry: PublishedEntry, same: PublishedEntry, result: Differences) -> None:
    if is_moved(entry, same):
        result.moved.append((entry, same))
    elif _differ(entry.updated, same.updated):
        result.updated.append((entry, same))


def _differ(old: Moment, new: Moment) -> bool:
    return old is not None and new is not None and old != new


class _Matches:
    """Finds the new entry that is an old one under another id: by link, else by title. Only values that occur once count."""

    def __init__(self, old: list[PublishedEntry], new: list[PublishedEntry], fresh: list[PublishedEntry]) -> None:
        self._links = _unique(((entry.link, entry) for entry in fresh), (e.link for e in old), (e.link for e in new))
        self._titles = _unique(
            ((entry.title, entry) for entry in fresh), (e.title for e in old), (e.title for e in new)
        )

    def of(self, entry: PublishedEntry, *, aged: bool) -> PublishedEntry | None:
        """Return the new entry that matches an old one. If the old one has `aged` out, a title matches only within 1.5 days."""
        if entry.link in self._links:
            return self._links[entry.link]
        match = self._titles.get(entry.title)
        if match is None or not aged or entry.published is None or match.published is None:
            return match
        return match if abs(entry.published - match.published) <= 1.5 * DAY else None


def _unique(pairs: Iterator[tuple[str, PublishedEntry]], *places: Iterable[str]) -> Mapping[str, PublishedEntry]:
    often = {text for place in places for text, count in Counter(place).items() if count > 1}
    return {text: entry for text, entry in pairs if text and text not in often}
