"""The bytes of a file amid a merge in, what each side of it says out: an article that git left with conflict marks."""

from __future__ import annotations

from typing import NamedTuple

from feedtool.articles.fences import split
from feedtool.articles.fields import FIRST_KEYS
from feedtool.articles.writer import MatchingFields, read_all_matching_fields

MARK = b"<<<<<<< "
"""What every such file holds."""
_MOST = 262_144


class ConflictSides(NamedTuple):
    """The line of the first mark, from 1, and what matching needs of the two sides."""

    line: int
    ours: MatchingFields
    theirs: MatchingFields


def read_conflict(data: bytes) -> ConflictSides | None:
    """Return what the sides of a conflict in a file's front matter say; None where there is no conflict, or only one in the
    body. Reads one pass; what stands beyond 256 kB is not looked at."""
    text = data[:_MOST].decode("utf-8-sig", "replace")
    ours, theirs, line, before = _sides(text)
    if not line or before >= max(split(one, FIRST_KEYS).body for one in (ours, theirs)):
        return None
    return ConflictSides(
        line,
        read_all_matching_fields(ours.encode("utf-8", "replace")),
        read_all_matching_fields(theirs.encode("utf-8", "replace")),
    )


def _sides(text: str) -> tuple[str, str, int, int]:
    """Return both sides, the line of the first mark and how much text stands before it; line 0 where there is no conflict."""
    ours, theirs = list[str](), list[str]()
    where, first, before, ended = "both", 0, 0, False
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        if where == "both" and line.startswith("<<<<<<< "):
            where = "ours"
            if not first:
                first, before = number, sum(map(len, ours))
        elif where == "ours" and line.startswith("|||||||"):
            where = "base"
        elif where in ("ours", "base") and line.rstrip() == "=======":
            where = "theirs"
        elif where == "theirs" and line.startswith(">>>>>>> "):
            where, ended = "both", True
        else:
            ours += [line] if where in ("both", "ours") else []
            theirs += [line] if where in ("both", "theirs") else []
    return "".join(ours), "".join(theirs), first if ended else 0, before
