"""What making files needs: entries at hand, the files to be with all they depend on, what they were made of before."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from feedtool.config import Settings
from feedtool.digests import blake2b
from feedtool.feeds.selection import SelectedArticle
from feedtool.models import Tombstone
from feedtool.publish.render import UNREADABLE, EntryRenderer
from feedtool.storage import Pieces


class Plan(NamedTuple):
    """One file to be: what it depends on, how to make its bytes (or pieces of them), and the articles whose entries that takes."""

    fingerprint: bytes
    make: Callable[[], bytes | Pieces]
    articles: tuple[str, ...] = ()


Outputs = dict[str, Plan]


def digest_of(*parts: str) -> bytes:
    """Return 16 bytes that tell these parts from all others."""
    return blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest()


class Assembly:
    """What making files needs: the entries, the tombstones by feed, and the marks of the files made last time."""

    def __init__(
        self,
        settings: Settings,
        winners: EntryRenderer,
        tombstones: dict[str, tuple[Tombstone, ...]],
        known: dict[str, bytes] | None,
    ) -> None:
        self.settings = settings
        self.renderer = winners
        self.tombstones = tombstones
        self.fingerprints: dict[str, bytes] = {}
        self._earlier = known or {}

    def is_same(self, path: str, mark: bytes) -> bool:
        """Say whether a file was made from the same things last time; remember what it is made of now."""
        self.fingerprints[path] = mark
        return self._earlier.get(path) == mark

    def readable(self, picks: Iterable[SelectedArticle]) -> list[SelectedArticle]:
        """Return the picks whose articles could be read after all."""
        states = self.renderer.states
        return [pick for pick in picks if states[pick.path][4] != UNREADABLE]

    def entries(self, picks: list[SelectedArticle], form: str) -> list[Pieces]:
        """Return the entries in a format, as its documents take them: in pieces."""
        return [self.renderer.rendered(pick.path).renditions[form] for pick in picks]

    def fitting(self, picks: list[SelectedArticle], frame: dict[str, int]) -> list[SelectedArticle]:
        """Return the newest picks that every format holds within `max_bytes`, at least one; `frame` is what each adds."""
        most = self.settings.feeds.max_bytes
        if not most:
            return picks
        total = dict(frame)
        for count, pick in enumerate(picks):
            for form, pieces in self.renderer.rendered(pick.path).renditions.items():
                total[form] = total.get(form, 0) + sum(map(len, pieces)) + 2
            if count and any(total[form] > most for form in frame):
                return picks[:count]
        return picks
