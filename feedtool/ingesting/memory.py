"""Read and write `feedtool.state`: what is remembered of each source, and which entries were deleted for good.

A deleted article is recognized without a list of all earlier ones: the feed contains an entry that had an article at an
earlier visit and has none now. So only the keys of the entries that each feed contained recently are stored.
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
from feedtool.ingesting.matches import ExistingArticle
from feedtool.ingesting.schedule import KIND, Health, facts_of, health_of, join_keys, without_password
from feedtool.state import FILE, Facts, dump_line, joined, records

if TYPE_CHECKING:
    from feedtool.ingesting.lookup import LookupIndex

MIN_KEYS = 60
"""Keys that are remembered of a source, however few entries its feed contains."""
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
GONE = "gone"
"""The kind of the tombstones: entries whose articles a person or `prune` deleted. They are not created again."""


class Memory:
    """The state of one site during one run. Raise OutputError if its file cannot be read."""

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, FILE)
        self._text = self._read().decode("utf-8", "replace")
        self._state = {(kind, key): _packed(facts) for kind, key, facts in records(self._text, self._path)}
        self._lines: dict[tuple[str, str], tuple[Facts, str]] = {}
        self._gone: dict[str, set[str]] = {}
        for kind, key in self._state:
            if kind == GONE:
                deleted, _, source = key.partition(" ")
                self._gone.setdefault(source, set()).add(deleted)

    def health(self, name: str, url: str) -> Health:
        """Return the health of a source. After a change of its address, it starts anew."""
        return health_of(self._state.get((KIND, name), {}), url)

    def keep_health(self, name: str, health: Health) -> None:
        """Store the health of a source. Facts that another version of feedtool wrote about it are kept."""
        self._state[KIND, name] = facts_of(health, self._state.get((KIND, name), {}))

    def entry_keys(self, name: str) -> frozenset[str]:
        """Return the keys of the entries that a source contained at its last visits and that have an article."""
        return frozenset(health_of(self._state.get((KIND, name), {}), "").seen.split())

    def rename(self, name: str, url: str, names: Iterable[str]) -> None:
        """Transfer what is remembered of a source to its new `name`.

        The old record is the one with the same address whose name is not among the configured ones (`names`).
        """
        if not url or (KIND, name) in self._state:
            return
        configured = set(names)
        for kind, old in sorted(self._state):
            facts = self._state[kind, old]
            if kind != KIND or old in configured or facts.get("url") != without_password(url):
                continue
            health = health_of(facts, url)
            self._state[KIND, name] = facts_of(replace(health, formerly=(*health.formerly, old)), facts)
            del self._state[KIND, old]
            entry_keys = self._gone.pop(old, set())
            for key in entry_keys:
                del self._state[GONE, f"{key} {old}"]
            self.mark_deleted(name, entry_keys)
            return

    def current_names(self) -> dict[str, str]:
        """Return the current name of each source by its earlier names."""
        healths = ((name, health_of(facts, "")) for (kind, name), facts in self._state.items() if kind == KIND)
        return {old: name for name, health in healths for old in health.formerly}

    def is_deleted(self, source: str, entry_keys: Iterable[str]) -> bool:
        """Return True if an entry with one of these keys was deleted."""
        gone = self._gone.get(source)
        return gone is not None and not gone.isdisjoint(entry_keys)

    def mark_deleted(self, source: str, entry_keys: Iterable[str]) -> None:
        """Remember that the entry with these keys was deleted."""
        for key in entry_keys:
            self._state[GONE, f"{key} {source}"] = {}
            self._gone.setdefault(source, set()).add(key)

    def save(self) -> bool:
        """Write the file if it has changed, and return True if it had. Raise OutputError."""
        text = joined([self._line(record) for record in sorted(self._state)])
        if text == self._text:
            return False
        try:
            storage.write(self._path, text.encode("utf-8", "replace"))
        except OSError as error:
            raise self._error("written", error) from None
        self._text = text
        return True

    def remove_leftover(self) -> None:
        """Remove the temporary file that a killed run left."""
        storage.remove_leftover(self._path)

    def _line(self, record: tuple[str, str]) -> str:
        facts = self._state[record]
        cached = self._lines.get(record)
        if cached is None or cached[0] is not facts:
            self._lines[record] = cached = facts, dump_line(*record, _unpacked(facts))
        return cached[1]

    def _read(self) -> bytes:
        try:
            return storage.read_or_none(self._path) or b""
        except OSError as error:
            raise self._error("read", error) from None

    def _error(self, verb: str, error: OSError) -> OutputError:
        return OutputError(f"cannot be {verb}: {error.strerror or error}", where=self._path, hint=remedy(error))


def _packed(facts: Facts) -> Facts:
    if "seen" not in facts:
        return facts
    keys = join_keys(facts.pop("seen"))
    return {**facts, "seen": keys} if keys else facts


def _unpacked(facts: Facts) -> Facts:
    return {**facts, "seen": facts["seen"].split()} if facts.get("seen") else facts


def mark_articles_deleted(memory: Memory, articles: Iterable[ExistingArticle]) -> None:
    """Remember that these articles were deleted, under each key that their entries may have."""
    names = memory.current_names()
    for article in articles:
        source = names.get(article.source, article.source)
        # A link identifies an article only if guids do not: all articles of a source may have the same link.
        link = entry_key(article.link) if article.link else ""
        keys = [entry_key(article.guid), *([link] if link in memory.entry_keys(source) else [])]
        keys += [title_key(link, article.title, article.published) for link in {article.link, ""}]
        memory.mark_deleted(source, keys)


def mark_vanished_deleted(memory: Memory, lookup: LookupIndex) -> None:
    """Remember the articles that a person deleted, under the values in the lookup.

    A later feed may contain the entry with another guid or link. An article that the state does not mention never was in this
    branch: the lookup may have been filled on another one.
    """
    names = memory.current_names()
    for article in lookup.vanished:
        remembered = memory.entry_keys(names.get(article.source, article.source))
        if article.guid and entry_key(article.guid) in remembered and not lookup.by_guid(article.guid):
            mark_articles_deleted(memory, [article])


def keys_to_remember(current: Iterable[str], before: Sequence[str]) -> tuple[str, ...]:
    """Return the keys to remember: those of the `current` entries of a feed, then those of entries that it contained `before`.

    Earlier entries are kept since feeds are empty at times and entries return. The result has at least as many keys as before,
    and otherwise at most half as many again as the feed has entries.
    """
    kept = sorted(set(current))
    most = max(len(kept) * 3 // 2, len(before), MIN_KEYS)
    kept_set = set(kept)
    others = [key for key in before if key not in kept_set]
    return (*kept, *others[: most - len(kept)])


def title_key(link: str, title: str, published: int) -> str:
    """Return the key of an entry whose guid identifies nothing.

    It is made of the key of its own link and its title or, with an empty `link`, of its title and its date in seconds.
    """
    return entry_key(f"{link} {title}" if link else f" {title} {published}")


def entry_key(text: str) -> str:
    """Return the short key (48 bits) of a guid or of a link's key."""
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).digest()
    return binascii.b2a_base64(digest, newline=False).translate(_URL_SAFE).decode("ascii")
