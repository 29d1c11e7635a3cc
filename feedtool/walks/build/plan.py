"""What making files needs: entries at hand, the files to be with all they depend on, what they were made of before."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import NamedTuple

from feedtool.feeds import Pick
from feedtool.model import Tombstone
from feedtool.settings import Settings
from feedtool.walks.build.winners import UNREADABLE, Winners


class Plan(NamedTuple):
    """One file to be: what it depends on, how to make its bytes, and the articles whose entries that takes."""

    mark: bytes
    make: Callable[[], bytes]
    articles: tuple[str, ...] = ()


Outputs = dict[str, Plan]


def mark(*parts: str) -> bytes:
    """Return 16 bytes that tell these parts from all others."""
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest()


class Assembly:
    """What making files needs: the entries, the tombstones by feed, and the marks of the files made last time."""

    def __init__(
        self,
        settings: Settings,
        winners: Winners,
        tombstones: dict[str, tuple[Tombstone, ...]],
        known: dict[str, bytes] | None,
    ) -> None:
        self.settings = settings
        self.winners = winners
        self.tombstones = tombstones
        self.marks: dict[str, bytes] = {}
        self._known = known or {}

    def is_same(self, path: str, mark: bytes) -> bool:
        """Say whether a file was made from the same things last time; remember what it is made of now."""
        self.marks[path] = mark
        return self._known.get(path) == mark

    def readable(self, picks: Iterable[Pick]) -> list[Pick]:
        """Return the picks whose articles could be read after all."""
        states = self.winners.states
        return [pick for pick in picks if states[pick.path][4] != UNREADABLE]

    def entries(self, picks: list[Pick], form: str, most: int) -> list[bytes]:
        """Return the entries' bytes in a format; the oldest give way past `most` bytes (0: never)."""
        entries = [self.winners.made(pick.path).renditions[form] for pick in picks]
        if most:
            total = sum(map(len, entries))
            while len(entries) > 1 and total > most:
                total -= len(entries.pop())
        return entries
