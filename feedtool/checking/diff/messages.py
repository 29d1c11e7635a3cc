"""Word the differences as Problems: each entry is reported once, and a large number of entries in a few lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from feedtool import registry
from feedtool.checking.diff.differences import Differences
from feedtool.checking.diff.documents import Document, feed_files
from feedtool.checking.diff.readers import PublishedEntry
from feedtool.dates.parse import iso
from feedtool.models import Problem, Severity

SHOWN = 10
"""The number of problems of one kind that are reported one by one."""
FLOOD = 10
"""From this number of entries on, more than half of a feed counts as a flood."""
ACCEPT = "or accept it (option `accept`)"
_TAG = re.compile(r"tag:([^,:]+),(.+)", re.DOTALL)

Pair = tuple[PublishedEntry, PublishedEntry]


class DiffMessages:
    """Collects the problems of a site's output. Feeds must be added with the widest one first."""

    def __init__(self, output: str) -> None:
        self._output = output.replace("\\", "/").rstrip("/")
        self._problems: list[Problem] = []
        self._back: dict[str, tuple[str, Pair]] = {}
        self._moved: dict[str, tuple[str, Pair]] = {}
        self._updated: dict[str, tuple[str, Pair]] = {}
        self._gone: dict[str, tuple[str, PublishedEntry]] = {}

    def add(self, path: str, differences: Differences) -> None:
        """Add the differences of one feed."""
        for entries, pairs in (
            (self._back, differences.back),
            (self._moved, differences.moved),
            (self._updated, differences.updated),
        ):
            for pair in pairs:
                entries.setdefault(pair[0].id, (path, pair))
        for entry in differences.gone:
            self._gone.setdefault(entry.id, (path, entry))

    def count(self, kind: str) -> int:
        """Return the number of entries of a kind: "back", "moved", "updated" or "gone"."""
        sizes = {
            "back": len(self._back),
            "moved": len(self._moved),
            "updated": len(self._updated),
            "gone": len(self._gone),
        }
        return sizes[kind]

    def not_compared(self, documents: list[Document]) -> None:
        """Add the published documents that could not be compared."""
        for document in documents[:SHOWN]:
            name = document.path or "the site"
            message = f"{name} as published could not be compared: {document.problem}"
            self._add("FT405", document.path, message, document.hint)
        self._more("FT405", len(documents), "published documents could not be compared")

    def damaged(self, path: str, damage: str) -> None:
        """Add a published feed whose XML is broken."""
        message = f"the published feed is broken: {damage}; only the entries that could be read were compared"
        hint = "look at it in a browser: entries that were lost in it were not compared"
        self._add("FT407", path, message, hint, severity="warning")

    def unknown_host(self, host: str) -> None:
        """Add a site whose host does not exist yet."""
        message = f"nothing could be compared: the host {host} has no address yet"
        hint = "check the spelling; the build is not at fault, and a new domain has no subscribers to lose"
        self._add("FT408", "", message, hint, severity="warning")

    def missing(self, paths: list[str], feeds: Mapping[str, list[str]]) -> None:
        """Add the published documents that the new build lacks: a format of all feeds, or a feed with all its formats."""
        dropped = {name for name in feed_files() if not any(name in names for names in feeds.values())}
        for name in feed_files():
            form = registry.format_of_file(name)
            count = sum(path.rpartition("/")[2] == name for path in paths)
            if form is not None and count and name in dropped:
                many = f"{count:,} published feed{'s' if count > 1 else ''}"
                message = f"{many} of this format would disappear: subscribers get 404"
                self._add("FT404", name, message, f'put "{form.name}" back into [feeds] formats, {ACCEPT}')
        folders: dict[str, list[str]] = {}
        for path in paths:
            folder, _, name = path.rpartition("/")
            if name not in dropped or folder not in feeds:
                folders.setdefault(folder, []).append(path)
        gone = [path for folder, those in folders.items() for path in those[: 1 if folder else None]]
        for path in gone[:SHOWN]:
            self._add(
                "FT404",
                path,
                "this feed is published and would disappear: subscribers get 404",
                _missing_hint(path),
            )
        if len(gone) > SHOWN:
            self._add("FT404", "", f"{len(gone) - SHOWN:,} more published feeds would disappear", ACCEPT)

    def problems(self, entries: int) -> tuple[Problem, ...]:
        """Return all problems; `entries` is the number of entries that the widest feed shares with what is published."""
        self._add_back()
        self._add_gone()
        self._add_moved(entries)
        count = len(self._updated)
        if count >= FLOOD and 2 * count > entries:
            message = f"{count:,} entries have a new date of update: readers that show updates show all of them again"
            self._add(
                "FT406", "", message, "check whether a setting or a tool changed every article", severity="warning"
            )
        return tuple(sorted(self._problems, key=lambda one: (one.code, one.file.count("/"), one.file)))

    def _add_back(self) -> None:
        hosts: dict[tuple[str, str], list[str]] = {}
        rest: list[tuple[str, Pair]] = []
        for path, pair in self._back.values():
            if change := _authorities(*pair):
                hosts.setdefault(change, []).append(path)
            else:
                rest.append((path, pair))
        for (before, after), paths in hosts.items():
            many = "1 entry" if len(paths) == 1 else f"{len(paths):,} entries"
            message = f"ids of {before} would become ids of {after}: {many} would come back as unread"
            self._add("FT401", paths[0], message, f'set authority = "{before}" in [site], {ACCEPT}')
        for path, (old, new) in rest[:SHOWN]:
            message = f"{_name(new)} is published with the id {old.id} and would get {new.id}: it comes back as unread"
            self._add("FT401", path, message, f"write `guid: {old.id}` into the article's front matter, {ACCEPT}")
        self._more("FT401", len(rest), "entries would come back as unread under another id")

    def _add_gone(self) -> None:
        for path, entry in list(self._gone.values())[:SHOWN]:
            message = (
                f"{_name(entry)} is published ({entry.id}) and would be gone, although it is not too old for the feed"
            )
            hint = "check with `feedtool check` whether its file is broken, a draft or deleted; restore it, " + ACCEPT
            self._add("FT402", path, message, hint)
        self._more("FT402", len(self._gone), "published entries would be gone")

    def _add_moved(self, entries: int) -> None:
        pairs = list(self._moved.values())
        steps = {_seconds(pair) for _, pair in pairs}
        flood = len(pairs) >= FLOOD and 2 * len(pairs) > entries
        hint = f"restore the published date, {ACCEPT}"
        if len(pairs) > 2 and len(steps) == 1:
            hint = f"every date moves by {_duration(steps.pop())}: check [site] timezone, {ACCEPT}"
        # An entry of another source may change there. That is a warning, unless all entries change.
        own = [one for one in pairs if flood or not one[1][1].republished]
        theirs = [one for one in pairs if one not in own]
        kinds: tuple[tuple[list[tuple[str, Pair]], Severity], ...] = ((own, "error"), (theirs, "warning"))
        for these, severity in kinds:
            for path, (old, new) in these[:SHOWN]:
                message = f"{_name(new)} is published with the date {_date(old)} and would get {_date(new)}"
                self._add("FT403", path, message, hint, severity=severity)
            self._more("FT403", len(these), "entries would move to another date", severity=severity)

    def _more(self, code: str, count: int, what: str, *, severity: Severity = "error") -> None:
        if count > SHOWN:
            self._add(code, "", f"{count - SHOWN:,} more {what}", ACCEPT, severity=severity)

    def _add(self, code: str, path: str, message: str, hint: str, *, severity: Severity = "error") -> None:
        file = f"{self._output}/{path}" if path and "://" not in path else self._output
        hint = hint.removeprefix("or ") if hint == ACCEPT else hint
        self._problems.append(Problem(file=file, code=code, message=message, hint=hint, severity=severity))


def _name(entry: PublishedEntry) -> str:
    title = entry.title if len(entry.title) <= 60 else entry.title[:59] + "…"
    return f'"{title}"' if title else (entry.link or "an entry without a title")


def _authorities(old: PublishedEntry, new: PublishedEntry) -> tuple[str, str] | None:
    """Return the authorities of two tag URIs that differ in nothing else (RFC 4151 section 2.1), else None."""
    before, after = _TAG.fullmatch(old.id), _TAG.fullmatch(new.id)
    return (before[1], after[1]) if before and after and before[2] == after[2] else None


def _missing_hint(path: str) -> str:
    kind, slug, name = path.split("/") if path.count("/") == 2 else ("", "", "")
    if kind == "categories" and name in feed_files():
        return f'if the category has a new name, set slug = "{slug}" in [categories."NEW NAME"], {ACCEPT}'
    if kind == "feeds" and name in feed_files():
        return f"restore its [feeds.select] table, {ACCEPT}"
    return f"redirect its address to {feed_files()[0]}, {ACCEPT}"


def _date(entry: PublishedEntry) -> str:
    return "none" if entry.published is None else iso(datetime.fromtimestamp(entry.published, UTC))


def _seconds(pair: Pair) -> int:
    return (pair[1].published or 0) - (pair[0].published or 0)


def _duration(seconds: int) -> str:
    sign = "+" if seconds > 0 else "-"
    hours, rest = divmod(abs(seconds), 3600)
    return f"{sign}{hours} h" if not rest else f"{sign}{hours}:{rest // 60:02}:{rest % 60:02} h"
