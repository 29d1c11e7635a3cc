"""Define the rules for reading articles and the head of an article.

They are apart from the reader because a build with nothing to do needs them without it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, tzinfo
from typing import Literal, NamedTuple

from feedtool.articles.dialect import PLAIN, Dialect, FolderValues
from feedtool.frozen import Frozen, frozen
from feedtool.models import Problem

HEAD_SIZE = 4096
"""Bytes read for a head: nearly all front matter fits into them."""


@frozen
class Rules(Frozen):
    """The settings that affect reading. `prefix` precedes the article's path in the file of a Problem."""

    zone: tzinfo = UTC
    authority: str = "localhost"
    hierarchy: bool = False
    undated: Literal["skip", "error"] = "skip"
    prefix: str = "articles/"
    dialect: Dialect = PLAIN

    def with_folder_values(self, folder_values: FolderValues) -> Rules:
        """Return the rules for articles that inherit these values from their folders."""
        return (
            self
            if folder_values == self.dialect.folder_values
            else replace(self, dialect=replace(self.dialect, folder_values=folder_values))
        )


class Head(NamedTuple):
    """The values by which articles are selected for feeds; `id` is "" if the article is left out, and `problems` say why.

    Moments are whole seconds since 1970 in UTC. `hidden` is 0 for a published article, 1 for a draft, 2 for an article that is
    in no feed, and (start, end) for one that is published between these moments, None meaning no bound. `linked` is True for
    articles with a link of their own.
    """

    path: str
    id: str
    published: int
    updated: int
    categories: tuple[str, ...]
    tags: tuple[str, ...]
    authors: tuple[str, ...]
    source: str
    title: str
    hidden: int | tuple[int | None, int | None]
    linked: bool
    problems: tuple[Problem, ...]
