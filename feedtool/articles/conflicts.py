"""Read both sides of an article that git left with conflict markers."""

from __future__ import annotations

from typing import NamedTuple

from feedtool.articles.fences import split
from feedtool.articles.field_table import FIRST_KEYS
from feedtool.articles.writer import MatchingFields, read_all_matching_fields

CONFLICT_MARKER = b"<<<<<<< "
"""The bytes that every such file contains."""
_MAXIMUM = 262_144


class ConflictSides(NamedTuple):
    """The line of the first marker, from 1, and the matching fields of both sides."""

    line: int
    ours: MatchingFields
    theirs: MatchingFields


def read_conflict(data: bytes) -> ConflictSides | None:
    """Return both sides of a conflict in a file's front matter; None without a conflict or with one in the body only.

    One pass over the first 256 kB; the rest is ignored.
    """
    text = data[:_MAXIMUM].decode("utf-8-sig", "replace")
    ours, theirs, line, before = _split_sides(text)
    if not line or before >= max(split(one, FIRST_KEYS).body for one in (ours, theirs)):
        return None
    return ConflictSides(
        line,
        read_all_matching_fields(ours.encode("utf-8", "replace")),
        read_all_matching_fields(theirs.encode("utf-8", "replace")),
    )


def _split_sides(text: str) -> tuple[str, str, int, int]:
    """Return both sides, the line of the first marker and the length of the text before it; line 0 means no conflict."""
    ours, theirs = list[str](), list[str]()
    side, first, before, is_closed = "both", 0, 0, False
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        if side == "both" and line.startswith("<<<<<<< "):
            side = "ours"
            if not first:
                first, before = number, sum(map(len, ours))
        elif side == "ours" and line.startswith("|||||||"):
            side = "base"
        elif side in ("ours", "base") and line.rstrip() == "=======":
            side = "theirs"
        elif side == "theirs" and line.startswith(">>>>>>> "):
            side, is_closed = "both", True
        else:
            ours += [line] if side in ("both", "ours") else []
            theirs += [line] if side in ("both", "theirs") else []
    return "".join(ours), "".join(theirs), first if is_closed else 0, before
