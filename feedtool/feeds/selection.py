"""Select the articles of every feed from the heads of all articles.

Only dates, ids and names are used. Bodies are read later, and only those of selected articles.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from feedtool.articles import Head
from feedtool.articles.dialect import DRAFT, WITHHELD
from feedtool.config import Select, Settings
from feedtool.digests import blake2b
from feedtool.feeds.atom_ids import any_odd
from feedtool.feeds.predicates import Query

SLACK = 8
"""The number of articles kept beyond a feed's limit, so that a few articles with a duplicate id leave no gap."""


BUCKETS = 256
"""The number of buckets for the hashes of ids."""


def hash_of(identity: str) -> int:
    """Return a hash of an id as a signed number of 64 bits, which is the same in every process and on every machine."""
    return int.from_bytes(
        blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little", signed=True
    )


class SelectedArticle(NamedTuple):
    """An article selected for a feed. Articles compare in the order of feeds: by date, then by id."""

    published: int
    id: str
    path: str


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class FeedSelection:
    """The articles of one feed: after `Selection.finish`, `articles` holds the newest `limit` ones, newest first.

    `all_articles` holds all of them, oldest first, if the settings ask for archives.
    """

    kind: str
    name: str
    limit: int
    select: Select | None = None
    total: int = 0
    articles: list[SelectedArticle] = field(default_factory=list)
    all_articles: list[SelectedArticle] = field(default_factory=list)
    path: str = ""
    oldest: int = -(1 << 62)
    """While articles are added: an article older than this moment has no place in the feed."""


class _Group:
    """The selections for articles with the same categories.

    `count` is the number of such articles. One older than `oldest` has no place in any of the selections.
    """

    __slots__ = ("count", "oldest", "selections")

    def __init__(self, selections: list[FeedSelection]) -> None:
        self.selections = selections
        self.count = 0
        self.oldest = min([selection.oldest for selection in selections])


class IdConflict(NamedTuple):
    """Two articles with the same id: the one at `path` is left out, the newer one at `published_path` is published."""

    path: str
    published_path: str
    id: str


class Selection:
    """Selects articles for all feeds from a stream of heads, in memory bounded by the feeds' limits (except for archives).

    Articles with a date after `now` (seconds since 1970) are hidden; with None they are shown. Articles expire by `today`,
    the current time, which is `now` by default.
    """

    def __init__(
        self, settings: Settings, *, drafts: bool = False, now: int | None = None, today: int | None = None
    ) -> None:
        self._settings = settings
        self._drafts = drafts
        self._now = now
        self._today = now if today is None else today
        self._archive = settings.feeds.archive
        linkless = settings.pages.articles == "linkless" and not settings.articles.permalink
        self._pages = (settings.pages.articles == "all", linkless)
        self._site = FeedSelection("site", "", settings.feeds.limit)
        self._limits = {one.name: one.limit for one in settings.categories if one.limit is not None}
        self._categories: dict[str, FeedSelection] = {}
        self._queries = [
            (Query(select, settings), _feed_selection(select, settings)) for select in settings.feeds.select
        ]
        # Each id is stored as a hash of 64 bits: a million hashes take 8 MB, the ids themselves 200. They are distributed
        # over buckets, so that duplicates are found with one small set at a time.
        self._ids = [array("q") for _ in range(BUCKETS)]
        self.has_odd_ids = False
        """True if some id may be written differently in Atom feeds."""
        self._owners: dict[str, tuple[int, str]] = {}
        self._duplicates: dict[str, str] = {}
        self._claims: dict[str, Head] = {}
        self._groups: dict[tuple[str, ...], _Group] = {}
        self.articles = 0
        self.days: dict[int, int] = {}
        """Numbers of articles by day of publication, counted from 1970-01-01 in UTC."""
        self.paged: list[SelectedArticle] = []
        """The articles that get a page of their own, in no particular order."""
        self.next_change: int | None = None
        """The next moment at which a hidden future article appears or a visible one expires, or None."""

    def add(self, folder: str, files: Sequence[tuple[Any, ...]], heads: Sequence[tuple[Any, ...]]) -> None:
        """Add the articles of a folder.

        `files` are rows that begin with the name of a file, and `heads` are the heads of these files without their paths.
        """
        days, now, ids, groups = self.days, self._now, self._ids, self._groups
        all_paged, linkless_paged = self._pages
        queries = self._queries
        shown = 0
        # Hidden articles are included: the only cost is an unnecessary check later.
        self.has_odd_ids = self.has_odd_ids or any_odd([head[0] for head in heads if head[0]])
        for file, head in zip(files, heads, strict=True):
            identity, published = head[0], head[1]
            if not identity or (head[8] and self._is_hidden(head[8], published)):
                continue
            if now is not None and published > now:
                self._note_change(published)
                continue
            shown += 1
            day = published // 86_400
            days[day] = days.get(day, 0) + 1
            id_hash = hash_of(identity)
            ids[id_hash % BUCKETS].append(id_hash)
            if all_paged or (linkless_paged and not head[9]):
                self.paged.append(SelectedArticle(published, identity, folder + file[0]))
            group = groups.get(head[3]) or self._add_group(head[3])
            group.count += 1
            if published >= group.oldest:
                # Few articles get here once the feeds are full.
                for selection in group.selections:
                    if published >= selection.oldest:
                        self._insert(selection, SelectedArticle(published, identity, folder + file[0]))
                group.oldest = min([selection.oldest for selection in group.selections])
            for matches, selection in queries:
                if matches(head):
                    selection.total += 1
                    if published >= selection.oldest:
                        self._insert(selection, SelectedArticle(published, identity, folder + file[0]))
        self.articles += shown

    def _add_group(self, names: tuple[str, ...]) -> _Group:
        """Create and return the group of articles in these categories, including the site's selection."""
        selections = [self._site]
        for name in names:
            selection = self._categories.get(name)
            if selection is None:
                limit = self._limits.get(name, self._settings.feeds.limit)
                selection = self._categories[name] = FeedSelection("category", name, limit)
            selections.append(selection)
        if len(self._groups) >= 10_000:
            self._count_groups()
        group = self._groups[names] = _Group(selections)
        return group

    def _count_groups(self) -> None:
        """Add the count of every group to its selections, and clear the groups."""
        for group in self._groups.values():
            for selection in group.selections:
                selection.total += group.count
        self._groups.clear()

    def _insert(self, selection: FeedSelection, article: SelectedArticle) -> None:
        if self._archive:
            selection.all_articles.append(article)
            return
        articles = selection.articles
        if len(articles) < selection.limit + SLACK:
            heapq.heappush(articles, article)
            if len(articles) < selection.limit + SLACK:
                return
        elif article > articles[0]:
            heapq.heapreplace(articles, article)
        selection.oldest = articles[0][0]

    def merge(self, other: Selection) -> None:
        """Add what `other` has selected from other articles, so that the result is as if all had been added to this one.

        Both must have been made with the same settings, drafts and times, and before `resolve_duplicates` and `finish`, which
        need all articles. `other` must not be used afterwards.
        """
        if self._claims or other._claims:
            raise ValueError("duplicates can be resolved only after all selections are merged")
        other._count_groups()
        self.articles += other.articles
        self.has_odd_ids = self.has_odd_ids or other.has_odd_ids
        self.paged += other.paged
        for day, count in other.days.items():
            self.days[day] = self.days.get(day, 0) + count
        for bucket, other_bucket in zip(self._ids, other._ids, strict=True):
            bucket.extend(other_bucket)
        if other.next_change is not None:
            self._note_change(other.next_change)
        self._merge_feed(self._site, other._site)
        for name, selection in other._categories.items():
            self._merge_feed(
                self._categories.setdefault(name, FeedSelection("category", name, selection.limit)), selection
            )
        for (_, own), (_, others) in zip(self._queries, other._queries, strict=True):
            self._merge_feed(own, others)
        # Groups hold the age from which articles are added; it is the same for all groups of a selection again.
        self._count_groups()

    def _merge_feed(self, target: FeedSelection, other: FeedSelection) -> None:
        target.total += other.total
        for article in other.all_articles if self._archive else other.articles:
            if article.published >= target.oldest:
                self._insert(target, article)

    def duplicate_hashes(self) -> frozenset[int]:
        """Return the hashes of ids that more than one article may have; `resolve_duplicates` needs them."""
        hashes = []
        for bucket in self._ids:
            if len(set(bucket)) < len(bucket):
                hashes += [one for one, following in pairwise(sorted(bucket)) if one == following]
        return frozenset(hashes)

    def resolve_duplicates(self, heads: Iterable[Head], duplicate_hashes: frozenset[int]) -> None:
        """Keep the newest of the articles with the same id, and leave out the others.

        `heads` are those of all articles again, or at least of those whose id has one of these hashes.
        """
        for head in self.shown(heads):
            path, identity, published = head[0], head[1], head[2]
            if hash_of(identity) in duplicate_hashes:
                self._claims[path] = Head(*head)
                owner = self._owners.setdefault(identity, (published, path))
                if owner[1] != path:
                    self._resolve_conflict(identity, owner, (published, path))

    def published_ids(self, ids: Iterable[str]) -> set[str]:
        """Return those of `ids` that belong to a published article."""
        buckets: dict[int, list[str]] = {}
        for identity in ids:
            buckets.setdefault(hash_of(identity) % BUCKETS, []).append(identity)
        published = set()
        for number, in_bucket in buckets.items():
            hashes = set(self._ids[number])
            published.update([identity for identity in in_bucket if hash_of(identity) in hashes])
        return published

    def shown(self, heads: Iterable[Head]) -> Iterator[Head]:
        """Yield the heads of the articles that are published now."""
        for head in heads:
            if (
                head[1]
                and not (head[9] and self._is_hidden(head[9], head[2]))
                and (self._now is None or head[2] <= self._now)
            ):
                yield head

    def _is_hidden(self, hidden: int | Sequence[int | None], published: int) -> bool:
        """Return True if an article with this `Head.hidden` is in no feed now, and record when that will change."""
        if not isinstance(hidden, int):
            start, end = hidden
            if self._now is not None and start is not None and max(start, published) > self._now:
                self._note_change(max(start, published))
                return True
            if end is None or self._today is None:
                return False
            if end <= self._today:
                return True
            self._note_change(end)
            return False
        return hidden == WITHHELD or (hidden == DRAFT and not self._drafts)

    def _note_change(self, moment: int) -> None:
        if self.next_change is None or moment < self.next_change:
            self.next_change = moment

    def _resolve_conflict(self, identity: str, owner: tuple[int, str], other: tuple[int, str]) -> None:
        # The newest article is kept; of two with the same date, the one whose path sorts first. The order of reading does
        # not matter.
        newer = max((owner, other), key=lambda one: (one[0], [-ord(character) for character in one[1]]))
        older = other if newer is owner else owner
        self._owners[identity] = newer
        self._duplicates[older[1]] = identity

    def finish(self) -> Iterator[FeedSelection]:
        """Yield the selections: the site's, the categories' by name, the queries' in the order of the settings."""
        self._count_groups()
        self.articles -= len(self._duplicates)
        for path in self._duplicates:
            for selection in self._selections_of(self._claims[path]):
                selection.total -= 1
        if self._duplicates:
            self.paged = [article for article in self.paged if article.path not in self._duplicates]
        for selection in (
            self._site,
            *(self._categories[name] for name in sorted(self._categories)),
            *(query_selection for _, query_selection in self._queries),
        ):
            chosen = selection.all_articles if self._archive else selection.articles
            if self._duplicates:
                chosen = [article for article in chosen if article.path not in self._duplicates]
            chosen.sort()
            selection.all_articles = chosen if self._archive else []
            selection.articles = chosen[: -selection.limit - 1 : -1]
            if selection.total or selection.kind != "category":
                yield selection

    def _selections_of(self, head: Head) -> list[FeedSelection]:
        """Return the selections of all feeds that an article belongs to, even if it is too old for them."""
        queries = [selection for matches, selection in self._queries if matches(head[1:])]
        return [self._site, *(self._categories[name] for name in head.categories), *queries]

    def has_gaps(self, selections: Iterable[FeedSelection]) -> bool:
        """Return True if articles with duplicate ids took more places than `SLACK`, so that the heads must be read again."""
        return bool(self._duplicates) and any(
            len(selection.articles) < min(selection.limit, selection.total) for selection in selections
        )

    @property
    def duplicates(self) -> dict[str, str]:
        """The articles left out because a newer one has the same id, as path → id."""
        return self._duplicates

    @property
    def conflicts(self) -> list[IdConflict]:
        """The articles left out, each with the published article that has its id."""
        return [
            IdConflict(path, self._owners[identity][1], identity) for path, identity in sorted(self._duplicates.items())
        ]


def _feed_selection(select: Select, settings: Settings) -> FeedSelection:
    limit = settings.feeds.limit if select.limit is None else select.limit
    return FeedSelection("select", select.name, limit, select)
