"""Describe the files of the output: the content each depends on, and how to make it."""

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
    """A file of the output: its fingerprint, how to make its bytes (or pieces of them), and the articles whose entries it needs."""

    fingerprint: bytes
    make: Callable[[], bytes | Pieces]
    articles: tuple[str, ...] = ()


Outputs = dict[str, Plan]


def digest_of(*parts: str) -> bytes:
    """Return a digest of 16 bytes over some texts in their order."""
    return blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest()


class Assembly:
    """The content that plans are made from.

    It holds the rendered entries, the tombstones of each feed, and the fingerprints of the files of the last build.
    """

    def __init__(
        self,
        settings: Settings,
        renderer: EntryRenderer,
        tombstones: dict[str, tuple[Tombstone, ...]],
        earlier: dict[str, bytes] | None,
    ) -> None:
        self.settings = settings
        self.renderer = renderer
        self.tombstones = tombstones
        self.fingerprints: dict[str, bytes] = {}
        self._earlier = earlier or {}

    def is_same(self, path: str, fingerprint: bytes) -> bool:
        """Return True if the last build made this file from the same content; remember the fingerprint for the next build."""
        self.fingerprints[path] = fingerprint
        return self._earlier.get(path) == fingerprint

    def is_new(self, path: str) -> bool:
        """Return True if the last build did not make this file, or if nothing is known of it."""
        return path not in self._earlier

    def readable(self, articles: Iterable[SelectedArticle]) -> list[SelectedArticle]:
        """Return the articles that could be read when they were rendered."""
        states = self.renderer.states
        return [article for article in articles if states[article.path][4] != UNREADABLE]

    def entries(self, articles: list[SelectedArticle], form: str) -> list[Pieces]:
        """Return the entries of some articles in one format, each in pieces."""
        return [self.renderer.rendered(article.path).renditions[form] for article in articles]

    def fitting(self, articles: list[SelectedArticle], frames: dict[str, int]) -> list[SelectedArticle]:
        """Return the newest articles with which a feed stays within `max_bytes` in every format, but at least one.

        `frames` is the size in bytes of each format's document without entries.
        """
        limit = self.settings.feeds.max_bytes
        if not limit:
            return articles
        total = dict(frames)
        for count, article in enumerate(articles):
            for form, pieces in self.renderer.rendered(article.path).renditions.items():
                total[form] = total.get(form, 0) + sum(map(len, pieces)) + 2
            if count and any(total[form] > limit for form in frames):
                return articles[:count]
        return articles
