"""What goes with reading articles: the rules it goes by, and an article's head; nothing is read here.

A build with nothing to do needs these, and none of what reads.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, tzinfo
from typing import Literal, NamedTuple

from feedtool.articles.dialect import PLAIN, Dialect, FolderValues
from feedtool.frozen import Frozen, frozen
from feedtool.models import Problem

HEAD_SIZE = 4096
"""Bytes of a file that nearly always hold its front matter whole."""


@frozen
class Rules(Frozen):
    """What of the settings bears on reading. `prefix` stands before the article's path in a Problem's file."""

    zone: tzinfo = UTC
    authority: str = "localhost"
    hierarchy: bool = False
    undated: Literal["skip", "error"] = "skip"
    prefix: str = "articles/"
    dialect: Dialect = PLAIN

    def under(self, given: FolderValues) -> Rules:
        """Return the rules for articles to which their folders give something."""
        return (
            self
            if given == self.dialect.folder_values
            else replace(self, dialect=replace(self.dialect, folder_values=given))
        )


class Head(NamedTuple):
    """What choosing articles for feeds needs of one; `id` is "" where it was left out, and `problems` says why.

    Moments are whole seconds since 1970 in UTC. `hidden` is 0 where the article is published, 1 of a draft, 2 of an article
    that is in no feed, or (start, end) of one that is published between these moments, None for no bound. `linked` is true
    of articles with a link of their own.
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
