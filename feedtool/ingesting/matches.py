"""The types for matching entries with articles: existing articles, candidates, and their matches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Literal, NamedTuple, Protocol

How = Literal["guid", "link", "similar", "elsewhere", "double", "new"]


class ExistingArticle(NamedTuple):
    """An article that exists. `link` is a key made by `link_key`; `published` is in seconds since 1970.

    `source` is the name of the source that it came from, "" if a person wrote it.
    """

    path: str
    guid: str
    link: str
    title: str
    source: str
    published: int


class Candidate(NamedTuple):
    """The parts of an entry that matching needs. `link` is as written; `published` is None if the feed names no date.

    `text` returns the plain text. It is called only if nothing else decides.
    """

    guid: str
    link: str
    title: str
    text: Callable[[], str]
    published: int | None


class Match(NamedTuple):
    """The result for one entry: `article` is its article, and `id` the id that a new article gets.

    With `how` "elsewhere", the article came from another source; with "double", the feed contains the entry twice. `link` is the
    key of the entry's link, or "" if other entries have the same link.
    """

    how: How
    id: str
    article: ExistingArticle | None = None
    link: str = ""


class ArticleLookup(Protocol):
    """Find existing articles."""

    def by_guid(self, guid: str) -> Sequence[ExistingArticle]: ...

    def by_link(self, key: str) -> Sequence[ExistingArticle]: ...

    def existing_guids(self, guids: Sequence[str]) -> AbstractSet[str]:
        """Return those of the guids that an article has; `by_guid` need not be called for the others."""
        ...

    def recent(self, source: str, count: int) -> Sequence[ExistingArticle]: ...

    def text(self, article: ExistingArticle) -> str:
        """Return the beginning of the article's plain text, "" if it cannot be read."""
        ...
