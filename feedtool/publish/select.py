"""The stream of heads in, the filled shelves and what was wrong with the articles out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from feedtool.config import Settings
from feedtool.feeds.atom_ids import is_odd
from feedtool.feeds.selection import FeedSelection, SelectedArticle, Selection
from feedtool.models import Problem
from feedtool.publish.heads import Heads, Row, packed, unpacked
from feedtool.publish.scan import Listing

Progress = Callable[[str, int, int], None]


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class Chosen:
    """What goes into the feeds.

    `there` tells which of some ids are published, as they are or in the form Atom gives them. `is_new` is False where the
    choice is that of the last build: nothing came and nothing went.
    """

    shelves: list[FeedSelection]
    articles: int
    next_change: int | None
    problems: list[Problem]
    days: dict[int, int]
    paged: list[SelectedArticle]
    there: Callable[[set[str]], set[str]]
    is_new: bool = True

    def packed(self) -> Row:
        """Return it as the index keeps it."""
        shelves = [
            (one.kind, one.name, one.limit, one.total, _rows(one.articles), _rows(one.all_articles), one.path)
            for one in self.shelves
        ]
        problems = [packed(problem) for problem in self.problems]
        return (shelves, self.articles, self.next_change, problems, self.days, _rows(self.paged))


def _rows(picks: list[SelectedArticle]) -> list[Row]:
    return [tuple(pick) for pick in picks]


def chosen_before(row: Row, settings: Settings, there: Callable[[set[str]], set[str]]) -> Chosen:
    """Return the choice that `packed` made a row of; its shelves have their places."""
    shelves, articles, next_change, problems, days, paged = row
    queries = {select.name: select for select in settings.feeds.select}
    return Chosen(
        shelves=[
            FeedSelection(
                kind,
                name,
                limit,
                queries.get(name) if kind == "select" else None,
                total,
                _picks(picks),
                _picks(every),
                path,
            )
            for kind, name, limit, total, picks, every, path in shelves
        ],
        articles=articles,
        next_change=next_change,
        problems=[unpacked(problem) for problem in problems],
        days=days,
        paged=_picks(paged),
        there=there,
        is_new=False,
    )


def _picks(rows: list[Row]) -> list[SelectedArticle]:
    return [SelectedArticle(*row) for row in rows]


def select(
    heads: Heads,
    listing: Listing,
    known: dict[str, bytes],
    *,
    new: Callable[[], Selection],
    before: Callable[[], Chosen | None] = lambda: None,
    progress: Progress | None = None,
) -> Chosen:
    """Choose the articles of every feed; `new` makes an empty Selection. Articles that clash over an id are Problems.

    `before` gives the choice of the last build, None when it does not hold any more: it is taken where no head changed.
    """
    updated = heads.update(listing, known) if known else None
    if updated is not None and heads.same:
        remembered = before()
        if remembered is not None:
            return remembered
    selection = new()
    problems: list[Problem] = []
    done = 0
    for folder, files, rows in heads.stream(listing, known, updated):
        selection.add(folder, files, rows)
        for row in rows:
            if row[10]:
                problems.extend(map(unpacked, row[10]))
        if progress is not None:
            progress("reading", done, 0)
        done += len(rows)
    doubled = selection.duplicate_hashes()
    for batch in heads.again(listing) if doubled else ():
        selection.resolve_duplicates(batch, doubled)
    shelves = list(selection.finish())
    problems.extend(clash_problem(heads.prefix, *clash) for clash in selection.conflicts)
    if selection.has_gaps(shelves):
        losers = selection.duplicates
        selection = new()
        for batch in heads.again(listing):
            kept = [head for head in batch if head[0] not in losers]
            selection.add("", kept, [head[1:] for head in kept])
        shelves = list(selection.finish())
    return Chosen(
        shelves=shelves,
        articles=selection.articles,
        next_change=selection.next_change,
        problems=problems,
        days=selection.days,
        paged=selection.paged,
        there=lambda ids: _there(ids, selection, heads, listing),
    )


def _there(ids: set[str], selection: Selection, heads: Heads, listing: Listing) -> set[str]:
    """Return those of `ids` that are published; feeds that are read back hold them in the form that Atom gives them."""
    found = selection.published_ids(ids)
    if selection.has_odd_ids and len(found) < len(ids):
        found |= shown_of(ids, selection, heads, listing)
    return found


def shown_of(ids: set[str], selection: Selection, heads: Heads, listing: Listing) -> set[str]:
    """Return what `_there` returns by looking at every head anew; of `selection` only its choice of what is shown counts."""
    from feedtool.feeds.values import atom_id

    found: set[str] = set()
    for batch in heads.again(listing):
        for head in selection.shown(batch):
            identity = head[1]
            if identity in ids:
                found.add(identity)
            if is_odd(identity) and (form := atom_id(identity)) in ids:
                found.add(form)
    return found


def clash_problem(prefix: str, path: str, winner: str, identity: str) -> Problem:
    """Return the Problem of an article at `path` whose id the newer one at `winner` claims, too."""
    return Problem(
        file=prefix + path,
        code="FT014",
        message=f"claims the same id as {prefix}{winner} ({identity[:80]}); the newer one is published",
        hint="give it a `guid` of its own, or delete one of them",
        severity="warning",
        line=1,
    )


def new_selection(settings: Settings, *, drafts: bool, now: int, future: bool = False) -> Callable[[], Selection]:
    """Return what makes an empty Selection for these settings."""
    return lambda: Selection(settings, drafts=drafts, now=None if future else now, today=now)
