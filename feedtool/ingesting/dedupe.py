"""Entries of one source and a way to ask what articles there are in; which article each entry is, if any, out.

First by guid, then by link, then by likeness of title and text, for feeds that make up new guids. Guids and links that
are used again for something else are told from those. Where it is in doubt an entry is new: a double is a nuisance, but
of two articles taken for one, one is lost.
Reads no file: the shelf of known articles is an argument.
"""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Literal, NamedTuple, Protocol

from feedtool.html.urls import link_key
from feedtool.similarity import (
    LONG_TITLE,
    TEXT,
    UNLIKE_TITLE,
    digits,
    jaccard,
    nearly_equal_titles,
    plain_title,
    similar_texts,
    similar_titles,
    unlike,
)

RECENT = 200
MOST = 4000
"""Articles of a source that an entry may be like: twice as many as the document has entries, within these bounds."""
PEERS = 20
"""Of these, so many with the entry's title or date are looked at."""
CLOSEST = 3
"""Of these, so many are read to compare texts."""
NEARBY = 6 * 3600
"""Seconds by which the dates of one article may differ: daily columns are a bit less than a day apart."""

Form = Literal["link", "title", "date"]
How = Literal["guid", "link", "similar", "elsewhere", "double", "new"]


class ExistingArticle(NamedTuple):
    """An article that there is. `link` is as `link_key` makes it; `published` in seconds since 1970.

    `source` is the name of the source that it came from, "" of one that a person wrote.
    """

    path: str
    guid: str
    link: str
    title: str
    source: str
    published: int


class Candidate(NamedTuple):
    """An entry as far as matching goes; `link` is as written, `published` None where the feed is silent.

    `text` returns its plain text, and is asked only when nothing else tells.
    """

    guid: str
    link: str
    title: str
    text: Callable[[], str]
    published: int | None


class Match(NamedTuple):
    """What an entry is: `known` is its article; `id` the one that a new article gets.

    "elsewhere": the article of another source is this very one. "double": the feed holds the entry twice. `link` is the
    key of the entry's link where that link is its own, "" where others have it too.
    """

    how: How
    id: str
    article: ExistingArticle | None = None
    link: str = ""


class ArticleLookup(Protocol):
    """What there is, to be asked."""

    def by_guid(self, guid: str) -> Sequence[ExistingArticle]: ...

    def by_link(self, key: str) -> Sequence[ExistingArticle]: ...

    def holds(self, guids: Sequence[str]) -> AbstractSet[str]:
        """Return those of the guids that an article has; the others need not be asked for."""
        ...

    def recent(self, source: str, count: int) -> Sequence[ExistingArticle]: ...

    def text(self, known: ExistingArticle) -> str:
        """Return the beginning of the article's plain text, "" where it can't be read."""
        ...


def match(candidates: Sequence[Candidate], shelf: ArticleLookup, *, sources: Sequence[str], host: str) -> list[Match]:
    """Return what each entry of one feed document is, in their order; no article is two entries.

    `sources` are the source's name and those that it had before. `host` is that of the feed's address: it takes part in
    ids that are made up here.
    """
    return _Matching(candidates, shelf, sources, host).go()


class _Matching:
    """The three rounds over one document; what an earlier round took, a later one leaves."""

    def __init__(
        self, candidates: Sequence[Candidate], shelf: ArticleLookup, sources: Sequence[str], host: str
    ) -> None:
        self.candidates = candidates
        self.lookup = shelf
        self.sources = sources
        self.own = {"", *sources}
        self.host = host
        self.links = [link_key(one.link) for one in candidates]
        self.shared: set[str] = set()
        self.matches: dict[int, Match] = {}
        self.taken: set[str] = set()
        self.doubles: set[int] = set()
        self.useless: set[str] = {""}
        self._judge_guids()
        self.guids = {one.guid for one in candidates} - self.useless
        self.generated_ids = self._all_generated("link")
        # Which form of id an article got, a later visit can't know.
        has_articles = any(shelf.recent(source, 1) for source in sources)
        self.forms = (self.generated_ids, *self.later_forms) if has_articles else (self.generated_ids,)
        self.ids = [self._id(number) for number in range(len(candidates))]
        self.there = shelf.holds([*self.ids, *(identity for form in self.forms for identity in form)])

    @cached_property
    def later_forms(self) -> tuple[list[str], list[str]]:
        """The ids that serve where a link was used again."""
        return self._all_generated("title"), self._all_generated("date")

    def go(self) -> list[Match]:
        rest = [number for number in range(len(self.candidates)) if number not in self.doubles]
        for find in (self._by_guid, self._by_link, self._by_similarity):
            for number in rest:
                if number not in self.matches:
                    find(number)
        return [self._match(number) for number in range(len(self.candidates))]

    def _match(self, number: int) -> Match:
        found = self.matches.get(number, Match("double" if number in self.doubles else "new", self.ids[number]))
        link = self.links[number]
        return found._replace(link="" if link in self.shared or self._is_part(number) else link)

    def _judge_guids(self) -> None:
        """Find guids that several entries bear: either an entry stands twice, or the guid says nothing."""
        bearers: dict[str, list[int]] = defaultdict(list)
        for number, one in enumerate(self.candidates):
            bearers[one.guid or f"\0{self.links[number]}\0{one.title}\0{one.text()}"].append(number)
        for key, numbers in bearers.items():
            heads: dict[str, int] = {}
            exact: dict[tuple[str, str], int] = {}
            whole: set[tuple[str, str, str]] = set()
            different = 0
            for number in numbers:
                link, title = self.links[number], self.candidates[number].title
                head = heads.setdefault(link, number)
                head = exact.setdefault(
                    (link, title), head if similar_titles(self.candidates[head].title, title) else number
                )
                whole_one = (link, title, self.candidates[number].text() if len(numbers) > 1 else "")
                if whole_one in whole or (head != number and self._stands_twice(head, number)):
                    self.doubles.add(number)
                else:
                    different += 1
                whole.add(whole_one)
            if different > 1:
                self.useless.add(key)
        # A link that only an entry's own doubles share is still its own.
        single = Counter(link for number, link in enumerate(self.links) if number not in self.doubles)
        self.shared = {link for link, count in single.items() if count > 1 or not link}

    def _stands_twice(self, first: int, number: int) -> bool:
        one, other = self.candidates[first], self.candidates[number]
        return one.published == other.published or not unlike(one.text(), other.text())

    def _all_generated(self, form: Form) -> list[str]:
        plain = [self._generated_id(number, form) for number in range(len(self.candidates))]
        counts = Counter(identity for number, identity in enumerate(plain) if number not in self.doubles)
        # Only where all else is equal the text has to tell: it is what is edited most.
        return [
            self._generated_id(number, form, self.candidates[number].text()) if counts[identity] > 1 else identity
            for number, identity in enumerate(plain)
        ]

    def _generated_id(self, number: int, form: Form, more: str = "") -> str:
        """Return the id of an entry whose guid can't be had for it; the same one whenever the entry comes again."""
        one, link = self.candidates[number], self.links[number]
        what = link if form == "link" and link not in self.shared else f"{link} {one.title}"
        what = what.strip() or one.title or one.text()[:TEXT]
        when = f" {one.published}" if form == "date" and one.published is not None else ""
        return urn(f"{self.host} {one.guid} {what}{when} {more}".rstrip())

    def _id(self, number: int) -> str:
        one = self.candidates[number]
        if one.guid not in self.useless:
            return one.guid
        own = self.links[number] not in self.shared and one.link not in self.guids
        return one.link if own else self.generated_ids[number]

    def _by_guid(self, number: int) -> None:
        one = self.candidates[number]
        for identity in dict.fromkeys(form[number] for form in self.forms):
            for known in self._by_id(identity) if self.ids[number] != identity else ():
                own = known.source and known.source in self.own and not self._is_another(number, known)
                if own and self._take(number, "guid", known, identity):
                    return
        others = []
        for known in self._by_id(self.ids[number]):
            if known.source not in self.own:
                others.append(known)
            elif self._is_another(number, known):
                self.ids[number] = self._unused(number)
            elif self._take(number, "guid", known, self.ids[number]):
                return
        for known in others:
            same_page = bool(known.link) and known.link == self.links[number] and not self._is_another(number, known)
            # A guid such as "12" means something within its own feed only.
            if same_page or (":" in one.guid and self._is_copy(number, known)):
                self.matches[number] = Match("elsewhere", self.ids[number], known)
                return
            # Ids have to differ in the whole site.
            self.ids[number] = self.generated_ids[number]

    def _by_id(self, identity: str) -> Sequence[ExistingArticle]:
        return self.lookup.by_guid(identity)[:PEERS] if identity in self.there else ()

    def _unused(self, number: int) -> str:
        """Return an id for an entry whose own one is that of another article."""
        forms = [form[number] for form in self.later_forms]
        return next((form for form in forms if not self.lookup.by_guid(form)), forms[-1])

    def _is_another(self, number: int, known: ExistingArticle) -> bool:
        """Say whether a guid or link was used for another entry before: nothing else of the two agrees."""
        one, link = self.candidates[number], self.links[number]
        moved = bool(link and known.link and link != known.link)
        if moved and link not in self.shared and any(other.source in self.own for other in self.lookup.by_link(link)):
            return True  # that one has an article of its own
        if similar_titles(one.title, known.title):
            return self._is_next_issue(number, known, moved)
        far = one.published is None or abs(one.published - known.published) > NEARBY
        if not (moved or far):
            return False
        # Columns under one link have like texts: without a guid only their numbers and dates tell.
        if not one.guid and one.published is not None and digits(one.title) != digits(known.title):
            return True
        text, other = one.text(), self.lookup.text(known)
        if text and other:
            return unlike(text, other)
        if jaccard(one.title[:LONG_TITLE], known.title[:LONG_TITLE]) >= UNLIKE_TITLE or (link and link == known.link):
            return False
        return far and (one.published is not None or moved)

    def _is_next_issue(self, number: int, known: ExistingArticle, moved: bool) -> bool:
        """Say whether two entries with like titles, under one link without guids or under two with one guid, are a column's:
        another day, another text."""
        one = self.candidates[number]
        if (one.guid and not moved) or one.published is None or abs(one.published - known.published) <= NEARBY:
            return False
        text, other = one.text(), self.lookup.text(known)
        return bool(text and other) and unlike(text, other)

    def _is_copy(self, number: int, known: ExistingArticle) -> bool:
        one = self.candidates[number]
        return nearly_equal_titles(one.title, known.title) and similar_texts(one.text(), self.lookup.text(known))

    def _by_link(self, number: int) -> None:
        link = self.links[number]
        if link in self.shared:
            return
        one = self.candidates[number]
        there = self.lookup.by_link(link)
        own = [known for known in there if known.source in self.own]
        if len([known for known in own if known.source]) <= 1:
            for known in sorted(own, key=lambda known: not known.source)[:PEERS]:
                if self._may_be(number, known) and self._take(number, "link", known, self.ids[number]):
                    return
        for known in there[:PEERS]:
            if known.source not in self.own and similar_titles(one.title, known.title) and self._may_be(number, known):
                self.matches[number] = Match("elsewhere", self.ids[number], known)
                return
        if own:
            self.shared.add(link)

    def _may_be(self, number: int, known: ExistingArticle) -> bool:
        """Say whether an article with the entry's link but not its guid may be it."""
        one = self.candidates[number]
        if known.guid in self.guids and known.guid != one.guid:
            return False
        if not one.guid or not known.guid or known.guid == self.ids[number]:
            return not self._is_another(number, known)
        if self._is_part(number):
            return False
        near = one.published is not None and abs(one.published - known.published) <= NEARBY
        same = similar_titles(one.title, known.title)
        if near and same:
            return True
        return (near or same) and not unlike(one.text(), self.lookup.text(known))

    def _is_part(self, number: int) -> bool:
        """Say whether the entry's link leads to a part of a page, as those of comments do, and the key doesn't say so."""
        return "#" in self.candidates[number].link and "#" not in self.links[number]

    def _by_similarity(self, number: int) -> None:
        one = self.candidates[number]
        title = plain_title(one.title)
        if not title:
            return
        titles, dates = self._recent()
        peers = titles.get(title, [])[:PEERS]
        if one.published is not None:
            peers = [
                *[known for known in peers if known.published == one.published],
                *dates.get(one.published, [])[:PEERS],
            ]
        scored = {
            (-jaccard(title, plain_title(known.title)), known.path): known
            for known in peers
            if known.path not in self.taken and self._is_free(known) and nearly_equal_titles(one.title, known.title)
        }
        for _, known in sorted(scored.items())[:CLOSEST]:
            if self._is_it(number, known) and self._take(number, "similar", known, self.ids[number]):
                return

    def _is_free(self, known: ExistingArticle) -> bool:
        """Say whether no other entry of the document can be this article."""
        return not (known.guid in self.guids or (known.link in self.links and known.link not in self.shared))

    def _is_it(self, number: int, known: ExistingArticle) -> bool:
        """Say whether an article with nearly the entry's title is the entry; where both have links of their own, or
        there is no date, it has to be quite equal."""
        one, link = self.candidates[number], self.links[number]
        text, other = one.text(), self.lookup.text(known)
        moved = bool(link and known.link and link not in self.shared and link != known.link)
        if (moved or one.published is None) and plain_title(one.title) != plain_title(known.title):
            return False
        return (bool(text and other) or not moved) and similar_texts(text, other)

    def _recent(self) -> tuple[dict[str, list[ExistingArticle]], dict[int, list[ExistingArticle]]]:
        if self.recent_articles is None:
            self.recent_articles = defaultdict(list), defaultdict(list)
            count = min(MOST, max(RECENT, 2 * len(self.candidates)))
            for known in (one for source in self.sources for one in self.lookup.recent(source, count)):
                self.recent_articles[0][plain_title(known.title)].append(known)
                self.recent_articles[1][known.published].append(known)
        return self.recent_articles

    recent_articles: tuple[dict[str, list[ExistingArticle]], dict[int, list[ExistingArticle]]] | None = None

    def _take(self, number: int, how: How, known: ExistingArticle, identity: str) -> bool:
        if known.path in self.taken:
            return False
        self.taken.add(known.path)
        self.matches[number] = Match(how, identity, known)
        return True


def urn(name: str) -> str:
    """Return the URN of a name's UUID (RFC 4122 section 4.3), as `uuid.uuid5(NAMESPACE_URL, name)` has it in thrice the time."""
    name_hash = hashlib.sha1(uuid.NAMESPACE_URL.bytes + name.encode("utf-8", "replace"), usedforsecurity=False)
    digits = name_hash.hexdigest()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"urn:uuid:{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"
