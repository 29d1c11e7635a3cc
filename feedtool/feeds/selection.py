"""Heads of articles in, the feeds they fill out: which there are, which articles each holds, what each says.

Only moments, ids and names are looked at; bodies are read later, and only those of the articles chosen here.
"""

from __future__ import annotations

import heapq
import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from itertools import pairwise
from typing import Any, NamedTuple

from feedtool.articles import Head
from feedtool.articles.dialect import DRAFT, WITHHELD
from feedtool.config import CategorySettings, Select, Settings
from feedtool.dates.parse import load_zone, parse_date
from feedtool.feeds.atom_ids import any_odd
from feedtool.models import Category, Feed
from feedtool.slugs import quote_path, slugs

SLACK = 8
"""Places kept beyond a feed's limit, so that a few articles with a doubled id leave no gap."""


HEAPS = 256
"""Into how many heaps the hashes of ids are sorted."""


class SelectedArticle(NamedTuple):
    """One article's place in a feed; compared as feeds are ordered, by moment, then id."""

    published: int
    id: str
    path: str


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class FeedSelection:
    """One feed to be: `picks` holds the newest `limit` articles, newest first, once `Selection.finish` is done.

    `every` holds all of them, oldest first, where archives are wanted.
    """

    kind: str
    name: str
    limit: int
    select: Select | None = None
    total: int = 0
    articles: list[SelectedArticle] = field(default_factory=list)
    every: list[SelectedArticle] = field(default_factory=list)
    path: str = ""
    oldest: int = -(1 << 62)
    """While it is filled: what is older than this moment has no place in it."""


class _Group:
    """The shelves of articles that name the same categories, how many such there are, and a moment: what is older has no
    place in any of them."""

    __slots__ = ("count", "oldest", "selections")

    def __init__(self, shelves: list[FeedSelection]) -> None:
        self.selections = shelves
        self.count = 0
        self.oldest = min([shelf.oldest for shelf in shelves])


class Clash(NamedTuple):
    """Two articles that claim one id: the one at `path` lost to the one at `winner`."""

    path: str
    published_path: str
    id: str


class Selection:
    """Fills the shelves from a stream of heads, in memory bounded by the feeds' limits (archives apart).

    `now` (seconds since 1970) hides articles of the future; None shows them. `today` is the present in any case, by which
    articles expire; None where `now` is it.
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
            (_query(select, settings), _feed_of_query(select, settings)) for select in settings.feeds.select
        ]
        # A hash of 64 bits stands for an id: a million of them take 8 MB, the ids themselves 200. They are sorted into
        # heaps, so that equal ones are found by a small set at a time.
        self._ids = [array("q") for _ in range(HEAPS)]
        self.odd = False
        """Whether some id stands in Atom feeds in another form than its own."""
        self._owners: dict[str, tuple[int, str]] = {}
        self._losers: dict[str, str] = {}
        self._claims: dict[str, Head] = {}
        self._groups: dict[tuple[str, ...], _Group] = {}
        self.articles = 0
        self.days: dict[int, int] = {}
        """Articles by the day they were published on, counted from 1970-01-01 in UTC."""
        self.paged: list[SelectedArticle] = []
        """The articles that get a page of their own, in no order."""
        self.next_change: int | None = None
        """The moment at which an article that was hidden as future will show, or one that shows will expire; or None."""

    def add(self, folder: str, files: Sequence[tuple[Any, ...]], heads: Sequence[tuple[Any, ...]]) -> None:
        """Take articles into account: files of a folder, of which the names come first, with the head of each, which lacks
        its path."""
        days, now, ids, groups = self.days, self._now, self._ids, self._groups
        all_paged, linkless_paged = self._pages
        queries = self._queries
        shown = 0
        # Also of those that are hidden: that costs a look too many at most.
        self.odd = self.odd or any_odd([head[0] for head in heads if head[0]])
        for file, head in zip(files, heads, strict=True):
            identity, published = head[0], head[1]
            if not identity or (head[8] and self._is_hidden(head[8], published)):
                continue
            if now is not None and published > now:
                self._changes_at(published)
                continue
            shown += 1
            day = published // 86_400
            days[day] = days.get(day, 0) + 1
            mark = hash(identity)
            ids[mark % HEAPS].append(mark)
            if all_paged or (linkless_paged and not head[9]):
                self.paged.append(SelectedArticle(published, identity, folder + file[0]))
            group = groups.get(head[3]) or self._grouped(head[3])
            group.count += 1
            if published >= group.oldest:
                # Few do, once the feeds are full.
                for shelf in group.selections:
                    if published >= shelf.oldest:
                        self._put(shelf, SelectedArticle(published, identity, folder + file[0]))
                group.oldest = min([shelf.oldest for shelf in group.selections])
            for matches, shelf in queries:
                if matches(head):
                    shelf.total += 1
                    if published >= shelf.oldest:
                        self._put(shelf, SelectedArticle(published, identity, folder + file[0]))
        self.articles += shown

    def _grouped(self, names: tuple[str, ...]) -> _Group:
        """Return the shelves of articles in these categories, the site's among them."""
        shelves = [self._site]
        for name in names:
            shelf = self._categories.get(name)
            if shelf is None:
                limit = self._limits.get(name, self._settings.feeds.limit)
                shelf = self._categories[name] = FeedSelection("category", name, limit)
            shelves.append(shelf)
        if len(self._groups) >= 10_000:
            self._count_groups()
        group = self._groups[names] = _Group(shelves)
        return group

    def _count_groups(self) -> None:
        """Tell every shelf how many articles its groups have, and forget the groups."""
        for group in self._groups.values():
            for shelf in group.selections:
                shelf.total += group.count
        self._groups.clear()

    def _put(self, shelf: FeedSelection, pick: SelectedArticle) -> None:
        if self._archive:
            shelf.every.append(pick)
            return
        picks = shelf.articles
        if len(picks) < shelf.limit + SLACK:
            heapq.heappush(picks, pick)
            if len(picks) < shelf.limit + SLACK:
                return
        elif pick > picks[0]:
            heapq.heapreplace(picks, pick)
        shelf.oldest = picks[0][0]

    def doubled(self) -> frozenset[int]:
        """Return the hashes of ids that may stand in more than one article; `claim` tells, given those articles again."""
        found = []
        for heap in self._ids:
            if len(set(heap)) < len(heap):
                found += [one for one, following in pairwise(sorted(heap)) if one == following]
        return frozenset(found)

    def claim(self, heads: Iterable[Head], doubled: frozenset[int]) -> None:
        """Let the newest of the articles that have one id keep it: the others are left out."""
        for head in self.shown(heads):
            path, identity, published = head[0], head[1], head[2]
            if hash(identity) in doubled:
                self._claims[path] = Head(*head)
                owner = self._owners.setdefault(identity, (published, path))
                if owner[1] != path:
                    self._clash(identity, owner, (published, path))

    def published_ids(self, ids: Iterable[str]) -> set[str]:
        """Return those of `ids` that an article which is published has."""
        asked: dict[int, list[str]] = {}
        for identity in ids:
            asked.setdefault(hash(identity) % HEAPS, []).append(identity)
        found = set()
        for number, some in asked.items():
            marks = set(self._ids[number])
            found.update([identity for identity in some if hash(identity) in marks])
        return found

    def shown(self, heads: Iterable[Head]) -> Iterator[Head]:
        """Yield the heads of the articles that are published, now."""
        for head in heads:
            if (
                head[1]
                and not (head[9] and self._is_hidden(head[9], head[2]))
                and (self._now is None or head[2] <= self._now)
            ):
                yield head

    def _is_hidden(self, hidden: int | Sequence[int | None], published: int) -> bool:
        """Return True if an article with this `Head.hidden` is in no feed now; note when that will change."""
        if not isinstance(hidden, int):
            start, end = hidden
            if self._now is not None and start is not None and max(start, published) > self._now:
                self._changes_at(max(start, published))
                return True
            if end is None or self._today is None:
                return False
            if end <= self._today:
                return True
            self._changes_at(end)
            return False
        return hidden == WITHHELD or (hidden == DRAFT and not self._drafts)

    def _changes_at(self, moment: int) -> None:
        if self.next_change is None or moment < self.next_change:
            self.next_change = moment

    def _clash(self, identity: str, owner: tuple[int, str], other: tuple[int, str]) -> None:
        # The newest wins; at the same moment, the one whose path comes first: the order of reading never matters.
        newer = max((owner, other), key=lambda one: (one[0], [-ord(character) for character in one[1]]))
        older = other if newer is owner else owner
        self._owners[identity] = newer
        self._losers[older[1]] = identity

    def finish(self) -> Iterator[FeedSelection]:
        """Yield the shelves: the site's, the categories' by name, the queries' in the order of the settings."""
        self._count_groups()
        self.articles -= len(self._losers)
        for path in self._losers:
            for shelf in self._shelves_of(self._claims[path]):
                shelf.total -= 1
        if self._losers:
            self.paged = [pick for pick in self.paged if pick.path not in self._losers]
        for shelf in (
            self._site,
            *(self._categories[name] for name in sorted(self._categories)),
            *(s for _, s in self._queries),
        ):
            chosen = shelf.every if self._archive else shelf.articles
            if self._losers:
                chosen = [pick for pick in chosen if pick.path not in self._losers]
            chosen.sort()
            shelf.every = chosen if self._archive else []
            shelf.articles = chosen[: -shelf.limit - 1 : -1]
            if shelf.total or shelf.kind != "category":
                yield shelf

    def _shelves_of(self, head: Head) -> list[FeedSelection]:
        """Return the feeds that an article is about, whether it has a place in them or not."""
        queries = [shelf for matches, shelf in self._queries if matches(head[1:])]
        return [self._site, *(self._categories[name] for name in head.categories), *queries]

    def lacking(self, shelves: Iterable[FeedSelection]) -> bool:
        """Say whether doubled ids took more places than the slack: then stream the heads again."""
        return bool(self._losers) and any(len(s.articles) < min(s.limit, s.total) for s in shelves)

    @property
    def losers(self) -> dict[str, str]:
        """Paths of the articles left out because a newer one claims their id, with that id."""
        return self._losers

    @property
    def clashes(self) -> list[Clash]:
        """The articles left out, each with the one that holds its id now."""
        return [Clash(path, self._owners[identity][1], identity) for path, identity in sorted(self._losers.items())]


def _feed_of_query(select: Select, settings: Settings) -> FeedSelection:
    limit = settings.feeds.limit if select.limit is None else select.limit
    return FeedSelection("select", select.name, limit, select)


class _query:  # noqa: N801 - reads as a function where it is used
    """One query of the settings, made ready: every list and bound that is given must match."""

    def __init__(self, select: Select, settings: Settings) -> None:
        self.lists = (frozenset(select.categories), frozenset(select.tags), frozenset(select.authors))
        self.sources = frozenset(select.sources)
        since = parse_date(select.since, zone=load_zone(settings.site.timezone)) if select.since else None
        self.since = int(since.timestamp()) if since is not None else None
        self.title = re.compile(select.title_regex) if select.title_regex else None
        self.excluded = _query(select.exclude, settings) if select.exclude is not None else None

    def __call__(self, head: tuple[Any, ...]) -> bool:
        """Say whether it finds an article with this head, which lacks its path."""
        if any(wanted and wanted.isdisjoint(names) for names, wanted in zip(head[3:6], self.lists, strict=True)):
            return False
        if self.sources and head[6] not in self.sources:
            return False
        if self.since is not None and head[1] < self.since:
            return False
        if self.title is not None and not self.title.search(head[7][:1000]):
            return False
        return self.excluded is None or not self.excluded(head)


def place(shelves: list[FeedSelection], settings: Settings) -> None:
    """Give each shelf its folder: "", `categories/<slug>` or `feeds/<slug>`; slugs written in the settings win."""
    own = {one.name: one.slug for one in settings.categories if one.slug}
    for kind, folder in (("category", "categories"), ("select", "feeds")):
        names = [shelf.name for shelf in shelves if shelf.kind == kind]
        given = slugs(names)
        taken = {own[name].casefold() for name in names if kind == "category" and name in own}
        for shelf in shelves:
            if shelf.kind != kind:
                continue
            slug = given[shelf.name]
            if kind == "category" and shelf.name in own:
                slug = own[shelf.name]
            elif slug.casefold() in taken:
                slug = slugs([f"{shelf.name} (category)"])[f"{shelf.name} (category)"]
            shelf.path = f"{folder}/{slug}"


def feed_of(shelf: FeedSelection, updated: int, settings: Settings, *, audio: bool = False) -> Feed:
    """Return what a shelf's feed says of itself; `updated` (seconds since 1970) is that of its newest entry."""
    from datetime import datetime

    site = settings.site
    base = base_url(settings)
    one = next((c for c in settings.categories if c.name == shelf.name), None) if shelf.kind == "category" else None
    title, description = _titles(shelf, one, settings)
    url = f"{base}{quote_path(shelf.path)}/" if shelf.path else base
    return Feed(
        path=shelf.path,
        id=feed_id(shelf.path, settings),
        title=title,
        url=url,
        updated=datetime.fromtimestamp(updated, UTC),
        description=description,
        language=site.language or None,
        authors=(site.author,) if site.author is not None else (),
        rights=site.rights or None,
        icon=site.icon or None,
        image=(one.image if one is not None and one.image else site.image) or None,
        hub=site.hub or None,
        css=f"{base}feed.css",
        home=url if settings.pages.index else site.url or base,
        ttl=settings.feeds.ttl or None,
        audio=audio,
        podcast_category=settings.feeds.podcast_category or None,
        category=Category(name=shelf.name, scheme=category_scheme(settings)) if shelf.kind == "category" else None,
    )


def _titles(shelf: FeedSelection, one: CategorySettings | None, settings: Settings) -> tuple[str, str]:
    site = settings.site
    if shelf.kind == "site":
        return site.title, site.description
    if shelf.select is not None:
        return shelf.select.title or f"{shelf.name} - {site.title}", shelf.select.description
    title = one.title if one is not None and one.title else f"{shelf.name} - {site.title}"
    return title, one.description if one is not None else ""


def base_url(settings: Settings) -> str:
    """Return the address of the output folder, ending in "/"; a local one where the settings name none."""
    return settings.base_url or settings.site.url or "http://localhost/"


def category_scheme(settings: Settings) -> str:
    """Return the address by which this site's categories are told from others' (RFC 4287 section 4.2.2.2)."""
    return base_url(settings) + "categories/"


def feed_id(path: str, settings: Settings) -> str:
    """Return a feed's id: a tag URI (RFC 4151) of the authority and the feed's folder, wherever the site moves."""
    return f"tag:{settings.authority},2005:feed/{quote_path(path)}"


__all__ = [
    "Clash",
    "FeedSelection",
    "SelectedArticle",
    "Selection",
    "any_odd",
    "base_url",
    "category_scheme",
    "feed_id",
    "feed_of",
    "place",
]
