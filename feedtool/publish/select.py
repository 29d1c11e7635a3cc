"""Select the articles of every feed from the stream of heads, and report articles that claim the same id."""

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
class SelectionResult:
    """The selected articles of all feeds.

    `published_ids` returns those of some ids that are published, as they are or in the form that Atom gives them.
    `is_new` is False if this is the selection of the last build because nothing has changed.
    """

    feeds: list[FeedSelection]
    articles: int
    next_change: int | None
    problems: list[Problem]
    days: dict[int, int]
    paged: list[SelectedArticle]
    published_ids: Callable[[set[str]], set[str]]
    is_new: bool = True

    def packed(self) -> Row:
        """Return the selection as the row that the index stores."""
        feeds = [
            (one.kind, one.name, one.limit, one.total, _rows(one.articles), _rows(one.all_articles), one.path)
            for one in self.feeds
        ]
        problems = [packed(problem) for problem in self.problems]
        return (feeds, self.articles, self.next_change, problems, self.days, _rows(self.paged))


def _rows(articles: list[SelectedArticle]) -> list[Row]:
    return [tuple(article) for article in articles]


def unpacked_selection(row: Row, settings: Settings, published_ids: Callable[[set[str]], set[str]]) -> SelectionResult:
    """Return the selection from a row of `packed`; its feeds have their paths."""
    feeds, articles, next_change, problems, days, paged = row
    queries = {select.name: select for select in settings.feeds.select}
    return SelectionResult(
        feeds=[
            FeedSelection(
                kind,
                name,
                limit,
                queries.get(name) if kind == "select" else None,
                total,
                _articles(newest),
                _articles(every),
                path,
            )
            for kind, name, limit, total, newest, every, path in feeds
        ],
        articles=articles,
        next_change=next_change,
        problems=[unpacked(problem) for problem in problems],
        days=days,
        paged=_articles(paged),
        published_ids=published_ids,
        is_new=False,
    )


def _articles(rows: list[Row]) -> list[SelectedArticle]:
    return [SelectedArticle(*row) for row in rows]


def select(
    heads: Heads,
    listing: Listing,
    earlier: dict[str, bytes],
    *,
    new: Callable[[], Selection],
    restore: Callable[[], SelectionResult | None] = lambda: None,
    progress: Progress | None = None,
) -> SelectionResult:
    """Select the articles of every feed; `new` makes an empty Selection. Articles that claim the same id are Problems.

    `restore` returns the selection of the last build, or None if it is out of date; it is called if no head has
    changed.
    """
    updated = heads.update(listing, earlier) if earlier else None
    if updated is not None and heads.unchanged:
        restored = restore()
        if restored is not None:
            return restored
    selection = new()
    problems: list[Problem] = []
    done = 0
    for folder, files, rows in heads.stream(listing, earlier, updated):
        selection.add(folder, files, rows)
        for row in rows:
            if row[10]:
                problems.extend(map(unpacked, row[10]))
        if progress is not None:
            progress("reading", done, 0)
        done += len(rows)
    duplicate_hashes = selection.duplicate_hashes()
    for batch in heads.stored(listing) if duplicate_hashes else ():
        selection.resolve_duplicates(batch, duplicate_hashes)
    feeds = list(selection.finish())
    problems.extend(clash_problem(heads.prefix, *clash) for clash in selection.conflicts)
    if selection.has_gaps(feeds):
        duplicates = selection.duplicates
        selection = new()
        for batch in heads.stored(listing):
            remaining = [head for head in batch if head[0] not in duplicates]
            selection.add("", remaining, [head[1:] for head in remaining])
        feeds = list(selection.finish())
    return SelectionResult(
        feeds=feeds,
        articles=selection.articles,
        next_change=selection.next_change,
        problems=problems,
        days=selection.days,
        paged=selection.paged,
        published_ids=lambda ids: _published_ids(ids, selection, heads, listing),
    )


def _published_ids(ids: set[str], selection: Selection, heads: Heads, listing: Listing) -> set[str]:
    """Return those of `ids` that are published; feeds that are read back hold ids in the form that Atom gives them."""
    published = selection.published_ids(ids)
    if selection.has_odd_ids and len(published) < len(ids):
        published |= published_ids_in(ids, selection, heads, listing)
    return published


def published_ids_in(ids: set[str], selection: Selection, heads: Heads, listing: Listing) -> set[str]:
    """Return the result of `_published_ids` from every head anew; `selection` only decides which articles are shown."""
    from feedtool.feeds.values import atom_id

    published: set[str] = set()
    for batch in heads.stored(listing):
        for head in selection.shown(batch):
            identity = head[1]
            if identity in ids:
                published.add(identity)
            if is_odd(identity) and (form := atom_id(identity)) in ids:
                published.add(form)
    return published


def clash_problem(prefix: str, path: str, newer: str, identity: str) -> Problem:
    """Return the Problem of the article at `path`, whose id the newer article at `newer` claims as well."""
    return Problem(
        file=prefix + path,
        code="FT014",
        message=f"claims the same id as {prefix}{newer} ({identity[:80]}); the newer one is published",
        hint="give it a `guid` of its own, or delete one of them",
        severity="warning",
        line=1,
    )


def new_selection(settings: Settings, *, drafts: bool, now: int, future: bool = False) -> Callable[[], Selection]:
    """Return a function that makes an empty Selection for these settings."""
    return lambda: Selection(settings, drafts=drafts, now=None if future else now, today=now)
