"""What the engine that reads feeds answers, and when it need not be asked; the reading itself is `feedtool.feedparse`'s."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from feedtool.config import Settings, SourceSettings

if TYPE_CHECKING:
    from feedtool.feedparse import RemoteFeed
    from feedtool.feedparse.clean import CleanEntry

VERSION = 2
"""Raised when feeds are read so differently that unchanged ones should be read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A feed and its entries as clean as they will be.

    `feed` None says that it could not be read, and `error` why; `code` is then that of the Problem. `warnings` say what had
    to be repaired to read it.
    """

    key: str
    feed: RemoteFeed | None = None
    entries: tuple[CleanEntry, ...] = ()
    error: str = ""
    hint: str = ""
    code: str = ""
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()


def digest_of(body: bytes, settings: Settings, source: SourceSettings) -> str:
    """Return what is equal when there is nothing new to read: of the body, and of the settings it is read with."""
    with_what = (
        VERSION, source.categories, source.author, source.tags, source.limit, source.include, source.exclude,
        source.remove, source.full_text, source.timezone, source.language, source.on_update or settings.ingest.on_update,
        settings.site.timezone, settings.site.language, settings.articles.flavour, settings.html,
    )  # fmt: skip
    content = blake2b(body, digest_size=9).hexdigest()
    return content + blake2b(ascii(with_what).encode(), digest_size=3).hexdigest()
