"""Match the entries of a feed with the articles that exist.

An entry is matched first by its guid, then by its link, then, for feeds that make up new guids, by similar title and text.
Guids and links that a feed reuses for something else are recognized. An entry in doubt is new: a duplicate is a nuisance, but
if two articles are taken for one, one of them is lost. This module reads no files; articles are looked up through an argument.
"""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cached_property
from typing import Literal

from feedtool.html.urls import link_key
from feedtool.ingesting.matches import ArticleLookup, Candidate, ExistingArticle, How, Match
from feedtool.similarity import (
    DIFFERENT_TITLE,
    TEXT_LENGTH,
    TITLE_LENGTH,
    different_texts,
    digits,
    jaccard,
    nearly_equal_titles,
    plain_title,
    similar_texts,
    similar_titles,
)

MIN_RECENT = 200
MAX_RECENT = 4000
"""The lower and the upper bound of how many recent articles of a source are compared with an entry.

Within them, it is twice the number of entries in the document.
"""
MAX_PEERS = 20
"""Of the recent articles, at most this many with the entry's title or date are compared."""
MAX_TEXTS = 3
"""Of these, at most this many are read to compare their texts."""
DATE_TOLERANCE = 6 * 3600
"""Seconds by which two dates of one article may differ. Daily columns appear slightly less than a day apart."""

Form = Literal["link", "title", "date"]


def match_entries(
    candidates: Sequence[Candidate], lookup: ArticleLookup, *, sources: Sequence[str], host: str
) -> list[Match]:
    """Return the match of each entry of one feed document, in their order. No article is matched with two entries.

    `sources` are the source's name and its earlier names. `host` is the host of the feed's address; it is a part of generated ids.
    """
    return _Matcher(candidates, lookup, sources, host).run()


class _Matcher:
    """Match the entries of one document in three rounds. Each round leaves the articles that an earlier one assigned."""

    def __init__(
        self, candidates: Sequence[Candidate], lookup: ArticleLookup, sources: Sequence[str], host: str
    ) -> None:
        self.candidates = candidates
        self.lookup = lookup
        self.sources = sources
        self.own_sources = {"", *sources}
        self.host = host
        self.links = [link_key(candidate.link) for candidate in candidates]
        self.shared_links: set[str] = set()
        self.matches: dict[int, Match] = {}
        self.taken_paths: set[str] = set()
        self.duplicates: set[int] = set()
        self.ambiguous_guids: set[str] = {""}
        self._find_ambiguous_guids()
        self.guids = {candidate.guid for candidate in candidates} - self.ambiguous_guids
        self.generated_ids = self._all_generated("link")
        # A later visit cannot know which form of id an article got, so all forms are tried.
        has_articles = any(lookup.recent(source, 1) for source in sources)
        self.forms = (self.generated_ids, *self.later_forms) if has_articles else (self.generated_ids,)
        self.ids = [self._id(number) for number in range(len(candidates))]
        self.existing_ids = lookup.existing_guids([*self.ids, *(identity for form in self.forms for identity in form)])

    @cached_property
    def later_forms(self) -> tuple[list[str], list[str]]:
        """The generated ids for entries whose link was used for another article."""
        return self._all_generated("title"), self._all_generated("date")

    def run(self) -> list[Match]:
        rest = [number for number in range(len(self.candidates)) if number not in self.duplicates]
        for find in (self._by_guid, self._by_link, self._by_similarity):
            for number in rest:
                if number not in self.matches:
                    find(number)
        return [self._match(number) for number in range(len(self.candidates))]

    def _match(self, number: int) -> Match:
        match = self.matches.get(number, Match("double" if number in self.duplicates else "new", self.ids[number]))
        link = self.links[number]
        return match._replace(link="" if link in self.shared_links or self._links_to_fragment(number) else link)

    def _find_ambiguous_guids(self) -> None:
        """Find guids that several entries have: either an entry occurs twice, or the guid identifies nothing."""
        numbers_by_guid: dict[str, list[int]] = defaultdict(list)
        for number, candidate in enumerate(self.candidates):
            numbers_by_guid[candidate.guid or f"\0{self.links[number]}\0{candidate.title}\0{candidate.text()}"].append(
                number
            )
        for key, numbers in numbers_by_guid.items():
            first_by_link: dict[str, int] = {}
            first_by_title: dict[tuple[str, str], int] = {}
            seen_entries: set[tuple[str, str, str]] = set()
            different = 0
            for number in numbers:
                link, title = self.links[number], self.candidates[number].title
                first = first_by_link.setdefault(link, number)
                first = first_by_title.setdefault(
                    (link, title), first if similar_titles(self.candidates[first].title, title) else number
                )
                whole_entry = (link, title, self.candidates[number].text() if len(numbers) > 1 else "")
                if whole_entry in seen_entries or (first != number and self._is_duplicate(first, number)):
                    self.duplicates.add(number)
                else:
                    different += 1
                seen_entries.add(whole_entry)
            if different > 1:
                self.ambiguous_guids.add(key)
        # A link that an entry shares only with its own duplicates is still its own.
        single = Counter(link for number, link in enumerate(self.links) if number not in self.duplicates)
        self.shared_links = {link for link, count in single.items() if count > 1 or not link}

    def _is_duplicate(self, first: int, number: int) -> bool:
        candidate, other = self.candidates[first], self.candidates[number]
        return candidate.published == other.published or not different_texts(candidate.text(), other.text())

    def _all_generated(self, form: Form) -> list[str]:
        plain = [self._generated_id(number, form) for number in range(len(self.candidates))]
        counts = Counter(identity for number, identity in enumerate(plain) if number not in self.duplicates)
        # The text takes part only if everything else is equal, since it is edited most often.
        return [
            self._generated_id(number, form, self.candidates[number].text()) if counts[identity] > 1 else identity
            for number, identity in enumerate(plain)
        ]

    def _generated_id(self, number: int, form: Form, more: str = "") -> str:
        """Return an id for an entry whose guid cannot be used. It is the same each time the entry is seen."""
        candidate, link = self.candidates[number], self.links[number]
        what = link if form == "link" and link not in self.shared_links else f"{link} {candidate.title}"
        what = what.strip() or candidate.title or candidate.text()[:TEXT_LENGTH]
        when = f" {candidate.published}" if form == "date" and candidate.published is not None else ""
        return urn(f"{self.host} {candidate.guid} {what}{when} {more}".rstrip())

    def _id(self, number: int) -> str:
        candidate = self.candidates[number]
        if candidate.guid not in self.ambiguous_guids:
            return candidate.guid
        own = self.links[number] not in self.shared_links and candidate.link not in self.guids
        return candidate.link if own else self.generated_ids[number]

    def _by_guid(self, number: int) -> None:
        candidate = self.candidates[number]
        for identity in dict.fromkeys(form[number] for form in self.forms):
            for article in self._by_id(identity) if self.ids[number] != identity else ():
                own = (
                    article.source
                    and article.source in self.own_sources
                    and not self._is_different_entry(number, article)
                )
                if own and self._assign(number, "guid", article, identity):
                    return
        others = []
        for article in self._by_id(self.ids[number]):
            if article.source not in self.own_sources:
                others.append(article)
            elif self._is_different_entry(number, article):
                self.ids[number] = self._unused_id(number)
            elif self._assign(number, "guid", article, self.ids[number]):
                return
        for article in others:
            same_page = (
                bool(article.link)
                and article.link == self.links[number]
                and not self._is_different_entry(number, article)
            )
            # A guid such as "12" is unique only within its own feed.
            if same_page or (":" in candidate.guid and self._is_copy(number, article)):
                self.matches[number] = Match("elsewhere", self.ids[number], article)
                return
            # Ids have to be unique in the whole site.
            self.ids[number] = self.generated_ids[number]

    def _by_id(self, identity: str) -> Sequence[ExistingArticle]:
        return self.lookup.by_guid(identity)[:MAX_PEERS] if identity in self.existing_ids else ()

    def _unused_id(self, number: int) -> str:
        """Return an id for an entry whose own id belongs to another article."""
        forms = [form[number] for form in self.later_forms]
        return next((form for form in forms if not self.lookup.by_guid(form)), forms[-1])

    def _is_different_entry(self, number: int, article: ExistingArticle) -> bool:
        """Return True if the guid or link was used for another entry before, and nothing else of the two agrees."""
        candidate, link = self.candidates[number], self.links[number]
        moved = bool(link and article.link and link != article.link)
        if (
            moved
            and link not in self.shared_links
            and any(other.source in self.own_sources for other in self.lookup.by_link(link))
        ):
            return True  # the entry's new link already has an article
        if similar_titles(candidate.title, article.title):
            return self._is_next_issue(number, article, moved)
        far = candidate.published is None or abs(candidate.published - article.published) > DATE_TOLERANCE
        if not (moved or far):
            return False
        # Columns under one link have similar texts: without a guid, only their numbers and dates differ.
        if not candidate.guid and candidate.published is not None and digits(candidate.title) != digits(article.title):
            return True
        text, other = candidate.text(), self.lookup.text(article)
        if text and other:
            return different_texts(text, other)
        if jaccard(candidate.title[:TITLE_LENGTH], article.title[:TITLE_LENGTH]) >= DIFFERENT_TITLE or (
            link and link == article.link
        ):
            return False
        return far and (candidate.published is not None or moved)

    def _is_next_issue(self, number: int, article: ExistingArticle, moved: bool) -> bool:
        """Return True if two entries are issues of a column: similar titles, another day and another text.

        It applies to entries under one link without guids, and to entries under two links with one guid.
        """
        candidate = self.candidates[number]
        if (
            (candidate.guid and not moved)
            or candidate.published is None
            or abs(candidate.published - article.published) <= DATE_TOLERANCE
        ):
            return False
        text, other = candidate.text(), self.lookup.text(article)
        return bool(text and other) and different_texts(text, other)

    def _is_copy(self, number: int, article: ExistingArticle) -> bool:
        candidate = self.candidates[number]
        return nearly_equal_titles(candidate.title, article.title) and similar_texts(
            candidate.text(), self.lookup.text(article)
        )

    def _by_link(self, number: int) -> None:
        link = self.links[number]
        if link in self.shared_links:
            return
        candidate = self.candidates[number]
        with_link = self.lookup.by_link(link)
        own = [article for article in with_link if article.source in self.own_sources]
        if len([article for article in own if article.source]) <= 1:
            for article in sorted(own, key=lambda article: not article.source)[:MAX_PEERS]:
                if self._may_match_by_link(number, article) and self._assign(number, "link", article, self.ids[number]):
                    return
        for article in with_link[:MAX_PEERS]:
            if (
                article.source not in self.own_sources
                and similar_titles(candidate.title, article.title)
                and self._may_match_by_link(number, article)
            ):
                self.matches[number] = Match("elsewhere", self.ids[number], article)
                return
        if own:
            self.shared_links.add(link)

    def _may_match_by_link(self, number: int, article: ExistingArticle) -> bool:
        """Return True if an article with the entry's link, but not its guid, may be the entry's article."""
        candidate = self.candidates[number]
        if article.guid in self.guids and article.guid != candidate.guid:
            return False
        if not candidate.guid or not article.guid or article.guid == self.ids[number]:
            return not self._is_different_entry(number, article)
        if self._links_to_fragment(number):
            return False
        near = candidate.published is not None and abs(candidate.published - article.published) <= DATE_TOLERANCE
        same = similar_titles(candidate.title, article.title)
        if near and same:
            return True
        return (near or same) and not different_texts(candidate.text(), self.lookup.text(article))

    def _links_to_fragment(self, number: int) -> bool:
        """Return True if the entry's link leads to a part of a page, as links to comments do, and its key omits that part."""
        return "#" in self.candidates[number].link and "#" not in self.links[number]

    def _by_similarity(self, number: int) -> None:
        candidate = self.candidates[number]
        title = plain_title(candidate.title)
        if not title:
            return
        titles, dates = self._recent()
        peers = titles.get(title, [])[:MAX_PEERS]
        if candidate.published is not None:
            peers = [
                *[article for article in peers if article.published == candidate.published],
                *dates.get(candidate.published, [])[:MAX_PEERS],
            ]
        scored = {
            (-jaccard(title, plain_title(article.title)), article.path): article
            for article in peers
            if article.path not in self.taken_paths
            and self._is_free(article)
            and nearly_equal_titles(candidate.title, article.title)
        }
        for _, article in sorted(scored.items())[:MAX_TEXTS]:
            if self._is_same_article(number, article) and self._assign(number, "similar", article, self.ids[number]):
                return

    def _is_free(self, article: ExistingArticle) -> bool:
        """Return True if no other entry of the document can be this article."""
        return not (
            article.guid in self.guids or (article.link in self.links and article.link not in self.shared_links)
        )

    def _is_same_article(self, number: int, article: ExistingArticle) -> bool:
        """Return True if an article with nearly the entry's title is the entry's article.

        If both have links of their own, or the entry has no date, the titles have to be equal.
        """
        candidate, link = self.candidates[number], self.links[number]
        text, other = candidate.text(), self.lookup.text(article)
        moved = bool(link and article.link and link not in self.shared_links and link != article.link)
        if (moved or candidate.published is None) and plain_title(candidate.title) != plain_title(article.title):
            return False
        return (bool(text and other) or not moved) and similar_texts(text, other)

    def _recent(self) -> tuple[dict[str, list[ExistingArticle]], dict[int, list[ExistingArticle]]]:
        if self.recent_articles is None:
            self.recent_articles = defaultdict(list), defaultdict(list)
            count = min(MAX_RECENT, max(MIN_RECENT, 2 * len(self.candidates)))
            for article in (recent for source in self.sources for recent in self.lookup.recent(source, count)):
                self.recent_articles[0][plain_title(article.title)].append(article)
                self.recent_articles[1][article.published].append(article)
        return self.recent_articles

    recent_articles: tuple[dict[str, list[ExistingArticle]], dict[int, list[ExistingArticle]]] | None = None

    def _assign(self, number: int, how: How, article: ExistingArticle, identity: str) -> bool:
        if article.path in self.taken_paths:
            return False
        self.taken_paths.add(article.path)
        self.matches[number] = Match(how, identity, article)
        return True


def urn(name: str) -> str:
    """Return the URN of a name's UUID (RFC 4122 section 4.3).

    It equals `uuid.uuid5(NAMESPACE_URL, name).urn` and takes a third of the time.
    """
    name_hash = hashlib.sha1(uuid.NAMESPACE_URL.bytes + name.encode("utf-8", "replace"), usedforsecurity=False)
    digits = name_hash.hexdigest()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"urn:uuid:{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"
