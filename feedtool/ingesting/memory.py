"""`feedtool.state` as ingest needs it: what is remembered of each source, and which entries were deleted for good.

A deleted article is known by what is left: the feed holds an entry that had an article at an earlier visit and has
none now. So it needs no list of everything that ever was, only marks of what each feed held last and a while before.
"""

from __future__ import annotations

import binascii
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING

from feedtool import storage
from feedtool.errors import OutputError, remedy
from feedtool.ingesting.dedupe import ExistingArticle
from feedtool.ingesting.schedule import KIND, Health, facts_of, health_of, joined, without_password
from feedtool.state import FILE, Facts, dump_line, records

if TYPE_CHECKING:
    from feedtool.ingesting.lookup import LookupIndex

FEWEST = 60
_FOR_URLS = bytes.maketrans(b"+/", b"-_")
GONE = "gone"
"""The kind of the tombstones: articles that a person deleted, or `prune`; they are not made again."""


class Memory:
    """The state of one site during one run; raises OutputError where its file can't be read."""

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, FILE)
        self._text = self._read().decode("utf-8", "replace")
        self._state = {(kind, key): _packed(facts) for kind, key, facts in records(self._text)}
        self._lines: dict[tuple[str, str], tuple[Facts, str]] = {}
        self._gone: dict[str, set[str]] = {}
        for kind, key in self._state:
            if kind == GONE:
                mark, _, source = key.partition(" ")
                self._gone.setdefault(source, set()).add(mark)

    def health(self, name: str, url: str) -> Health:
        """Return what is remembered of a source; a new address begins anew."""
        return health_of(self._state.get((KIND, name), {}), url)

    def keep_health(self, name: str, health: Health) -> None:
        """Remember a source's health."""
        self._state[KIND, name] = facts_of(health)

    def entry_keys(self, name: str) -> frozenset[str]:
        """Return the marks of the entries that a source held at its last visit and that have an article."""
        return frozenset(health_of(self._state.get((KIND, name), {}), "").seen.split())

    def rename(self, name: str, url: str, names: Iterable[str]) -> None:
        """Make what is remembered of a source its own under its new `name`: it is the one at the same address, under a
        name that is none of those (`names`) which the settings have now."""
        if not url or (KIND, name) in self._state:
            return
        there = set(names)
        for kind, old in sorted(self._state):
            facts = self._state[kind, old]
            if kind != KIND or old in there or facts.get("url") != without_password(url):
                continue
            health = health_of(facts, url)
            self._state[KIND, name] = facts_of(replace(health, formerly=(*health.formerly, old)))
            del self._state[KIND, old]
            marks = self._gone.pop(old, set())
            for mark in marks:
                del self._state[GONE, f"{mark} {old}"]
            self.mark_deleted(name, marks)
            return

    def names_now(self) -> dict[str, str]:
        """Return the present name of each source by each that it had before."""
        healths = ((name, health_of(facts, "")) for (kind, name), facts in self._state.items() if kind == KIND)
        return {old: name for name, health in healths for old in health.formerly}

    def is_gone(self, source: str, marks: Iterable[str]) -> bool:
        """Say whether an entry with one of these marks was deleted."""
        gone = self._gone.get(source)
        return gone is not None and not gone.isdisjoint(marks)

    def mark_deleted(self, source: str, marks: Iterable[str]) -> None:
        """Remember that the entry with these marks was deleted."""
        for mark in marks:
            self._state[GONE, f"{mark} {source}"] = {}
            self._gone.setdefault(source, set()).add(mark)

    def save(self) -> bool:
        """Write the file where it changed; say whether it did. Raises OutputError."""
        text = "".join(self._line(record) for record in sorted(self._state))
        if text == self._text:
            return False
        try:
            storage.write(self._path, text.encode("utf-8", "replace"))
        except OSError as error:
            raise self._unusable("written", error) from None
        self._text = text
        return True

    def tidy(self) -> None:
        """Remove what a killed run left of the file it was writing."""
        storage.tidy(self._path)

    def _line(self, record: tuple[str, str]) -> str:
        facts = self._state[record]
        kept = self._lines.get(record)
        if kept is None or kept[0] is not facts:
            self._lines[record] = kept = facts, dump_line(*record, _unpacked(facts))
        return kept[1]

    def _read(self) -> bytes:
        try:
            return storage.read_or_none(self._path) or b""
        except OSError as error:
            raise self._unusable("read", error) from None

    def _unusable(self, verb: str, error: OSError) -> OutputError:
        return OutputError(f"cannot be {verb}: {error.strerror or error}", where=self._path, hint=remedy(error))


def _packed(facts: Facts) -> Facts:
    if "seen" not in facts:
        return facts
    marks = joined(facts.pop("seen"))
    return {**facts, "seen": marks} if marks else facts


def _unpacked(facts: Facts) -> Facts:
    return {**facts, "seen": facts["seen"].split()} if facts.get("seen") else facts


def forget_articles(memory: Memory, going: Iterable[ExistingArticle]) -> None:
    """Remember that these articles are deleted, by all that their entries may be known by."""
    names = memory.names_now()
    for known in going:
        source = names.get(known.source, known.source)
        # A link stands for an article only where guids are of no use: one link may be that of every article.
        link = entry_key(known.link) if known.link else ""
        marks = [entry_key(known.guid), *([link] if link in memory.entry_keys(source) else [])]
        marks += [title_key(link, known.title, known.published) for link in {known.link, ""}]
        memory.mark_deleted(source, marks)


def record_vanished(memory: Memory, shelf: LookupIndex) -> None:
    """Remember what a person deleted as the shelf knew it: of the entry a later feed may show another guid or link.

    What the state does not know of was never here: the shelf may have seen another branch.
    """
    names = memory.names_now()
    for known in shelf.vanished:
        seen = memory.entry_keys(names.get(known.source, known.source))
        if known.guid and entry_key(known.guid) in seen and not shelf.by_guid(known.guid):
            forget_articles(memory, [known])


def keys_to_remember(held: Iterable[str], before: Sequence[str]) -> tuple[str, ...]:
    """Return the marks to remember: of what a feed holds, and of what it held `before`, since feeds are empty at times
    and entries come back. Never fewer than before, and else half as many again as the feed holds."""
    now = sorted(set(held))
    most = max(len(now) * 3 // 2, len(before), FEWEST)
    known = set(now)
    left = [mark for mark in before if mark not in known]
    return (*now, *left[: most - len(now)])


def title_key(link: str, title: str, published: int) -> str:
    """Return the mark of an entry whose guid says nothing: of the key of its own link and its title, or (`link` "") of its
    title and its date in seconds."""
    return entry_key(f"{link} {title}" if link else f" {title} {published}")


def entry_key(text: str) -> str:
    """Return the short mark (48 bits) of a guid or of a link's key."""
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).digest()
    return binascii.b2a_base64(digest, newline=False).translate(_FOR_URLS).decode("ascii")
