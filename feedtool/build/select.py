"""The stream of heads in, the filled shelves and what was wrong with the articles out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from feedtool.build.heads import Heads, Listing, unpacked
from feedtool.feeds import Selection, Shelf
from feedtool.model import Problem
from feedtool.settings import Settings

Progress = Callable[[str, int, int], None]


def select(
    heads: Heads, listing: Listing, known: dict[str, bytes], *, new: Callable[[], Selection], progress: Progress | None
) -> tuple[Selection, list[Shelf], list[Problem]]:
    """Choose the articles of every feed; `new` makes an empty Selection. Articles that clash over an id are Problems."""
    problems = list(listing.problems)
    selection = new()
    for done, head in enumerate(heads.stream(listing, known)):
        selection.add(head)
        if head[10]:
            packed: Any = head[10]
            problems.extend(map(unpacked, packed))
        if progress is not None and not done % 512:
            progress("reading", done, 0)
    shelves = list(selection.finish())
    if selection.lacking(shelves):
        losers = selection.losers
        problems.extend(_clash(heads.prefix, *clash) for clash in selection.clashes)
        selection = new()
        for head in heads.again(listing):
            if head[0] not in losers:
                selection.add(head)
        shelves = list(selection.finish())
    problems.extend(_clash(heads.prefix, *clash) for clash in selection.clashes)
    return selection, shelves, problems


def _clash(prefix: str, path: str, winner: str, identity: str) -> Problem:
    return Problem(
        file=prefix + path,
        code="FT014",
        message=f"claims the same id as {prefix}{winner} ({identity[:80]}); the newer one is published",
        hint="give it a `guid` of its own, or delete one of them",
        severity="warning",
        line=1,
    )


def new_selection(settings: Settings, *, drafts: bool, now: int | None) -> Callable[[], Selection]:
    """Return what makes an empty Selection for these settings."""
    return lambda: Selection(settings, drafts=drafts, now=now)
