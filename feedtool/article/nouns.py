"""What goes with reading articles: the rules it goes by, and an article's head; nothing is read here.

A build with nothing to do needs these, and none of what reads.
"""

from __future__ import annotations

from datetime import UTC, tzinfo
from typing import Literal, NamedTuple

from feedtool.frozen import Frozen, frozen
from feedtool.model import Problem

HEAD_SIZE = 4096
"""Bytes of a file that nearly always hold its front matter whole."""


@frozen
class Rules(Frozen):
    """What of the settings bears on reading. `prefix` stands before the article's path in a Problem's file."""

    zone: tzinfo = UTC
    authority: str = "localhost"
    hierarchy: bool = False
    flavour: str = "plain"
    undated: Literal["skip", "error"] = "skip"
    prefix: str = "articles/"


class Head(NamedTuple):
    """What choosing articles for feeds needs of one; `id` is "" where it was left out, and `problems` says why.

    Moments are whole seconds since 1970 in UTC. `hidden` is true of drafts, `linked` of articles with a link of their own.
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
    hidden: bool
    linked: bool
    problems: tuple[Problem, ...]
