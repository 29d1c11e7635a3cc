"""Entries of one source and a way to ask what articles there are in; which article each entry is, if any, out.

First by guid, then by link, then by likeness of title and text, for feeds that make up new guids. Two ways in which
feeds lie are told apart from that: a guid that is used again for something else, and one link for all entries.
Reads no file: the shelf of known articles is an argument.
"""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, Protocol

from feedtool.html.urls import safe_url, strip_decorations

RECENT = 200
"""Articles of a source that an entry may be like; older ones don't come back under another guid."""
CLOSEST = 3
"""Of these, so many are read to compare texts."""
TEXT = 2000
"""Characters of a text that are compared."""
LIKE_TITLE = 0.5
LIKE_TEXT = 0.6
UNLIKE_TITLE = 0.3
SHORT = 40
"""A text with fewer n-grams says nothing: title and day have to agree then."""
DAY = 86_400

How = Literal["guid", "link", "similar", "elsewhere", "double", "new"]


class Known(NamedTuple):
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

    "elsewhere": the article of another source is this very one. "double": the feed holds the entry twice.
    """

    how: How
    id: str
    known: Known | None = None


class Shelf(Protocol):
    """What there is, to be asked."""

    def by_guid(self, guid: str) -> Sequence[Known]: ...

    def by_link(self, key: str) -> Sequence[Known]: ...

    def recent(self, source: str, count: int) -> Sequence[Known]: ...

    def text(self, known: Known) -> str:
        """Return the beginning of the article's plain text, "" where it can't be read."""
        ...


def match(candidates: Sequence[Candidate], shelf: Shelf, *, source: str, host: str) -> list[Match]:
    """Return what each entry of one feed document is, in their order; no article is two entries.

    `host` is that of the feed's address: it takes part in ids that are made up here.
    """
    return _Matching(candidates, shelf, source, host).go()


def link_key(url: str) -> str:
    """Return the form in which two links to one page are equal: no scheme, `www.`, fragment, trackers or last slash."""
    whole = safe_url(url) or ""
    if not whole:
        return ""
    head, _, fragment = strip_decorations(whole).partition("#")
    host, slash, path = head.partition("://")[2].partition("/")
    host = host.lower().rpartition("@")[2]
    host = re.sub(r":(?:80|443)?$", "", host.removeprefix("www."))
    # `#!/page` and `#/page` are addresses of pages to the scripts that show them.
    kept = "/#" + fragment if fragment.startswith(("!", "/")) else ""
    return f"{host}{slash}{path}".rstrip("/") + kept


def likeness(one: str, other: str, *, size: int = 2) -> float:
    """Return how like two texts are, 0 to 1: the share of their character n-grams that both have (Jaccard)."""
    return _overlap(grams(one, size), grams(other, size))


def grams(text: str, size: int = 2) -> frozenset[str]:
    """Return a text's character n-grams, letters and digits only, case and width folded: fit for any script."""
    folded = unicodedata.normalize("NFKC", text[: TEXT * 2]).casefold()
    letters = "".join(character for character in folded if character.isalnum())[:TEXT]
    if len(letters) <= size:
        return frozenset([letters]) if letters else frozenset()
    return frozenset(letters[start : start + size] for start in range(len(letters) - size + 1))


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    if not one or not other:
        return 1.0 if one == other else 0.0
    both = len(one & other)
    return both / (len(one) + len(other) - both)


class _Matching:
    """The three rounds over one document; what an earlier round took, a later one leaves."""

    def __init__(self, candidates: Sequence[Candidate], shelf: Shelf, source: str, host: str) -> None:
        self.candidates = candidates
        self.shelf = shelf
        self.source = source
        self.host = host
        self.links = [link_key(one.link) for one in candidates]
        self.shared: set[str] = set()
        self.found: dict[int, Match] = {}
        self.taken: set[str] = set()
        self.doubles: set[int] = set()
        self.useless: set[str] = {""}
        self._judge_guids()
        self.guids = {one.guid for one in candidates} - self.useless
        self.made_up = self._all_made_up()
        self.ids = [self._id(number) for number in range(len(candidates))]

    def go(self) -> list[Match]:
        rest = [number for number in range(len(self.candidates)) if number not in self.doubles]
        for find in (self._by_guid, self._by_link, self._by_likeness):
            for number in rest:
                if number not in self.found:
                    find(number)
        return [
            self.found.get(number, Match("double" if number in self.doubles else "new", self.ids[number]))
            for number in range(len(self.candidates))
        ]

    def _judge_guids(self) -> None:
        """Find guids that several entries bear: either an entry stands twice, or the guid says nothing."""
        bearers: dict[str, list[int]] = defaultdict(list)
        for number, one in enumerate(self.candidates):
            bearers[one.guid or f"\0{self.links[number]}\0{one.title}\0{one.text()}"].append(number)
        for key, numbers in bearers.items():
            heads: dict[str, int] = {}
            exact: set[tuple[str, str]] = set()
            different = 0
            for number in numbers:
                link, title = self.links[number], self.candidates[number].title
                head = heads.setdefault(link, number)
                alike = head != number and likeness(self.candidates[head].title, title) >= LIKE_TITLE
                if (link, title) in exact or alike:
                    self.doubles.add(number)
                else:
                    different += 1
                exact.add((link, title))
            if different > 1:
                self.useless.add(key)
        # A link that only an entry's own doubles share is still its own.
        single = Counter(link for number, link in enumerate(self.links) if number not in self.doubles)
        self.shared = {link for link, count in single.items() if count > 1 or not link}

    def _all_made_up(self) -> list[str]:
        plain = [self._made_up(number) for number in range(len(self.candidates))]
        counts = Counter(identity for number, identity in enumerate(plain) if number not in self.doubles)
        # Only where all else is equal the text has to tell: it is what is edited most.
        return [
            self._made_up(number, self.candidates[number].text()) if counts[identity] > 1 else identity
            for number, identity in enumerate(plain)
        ]

    def _made_up(self, number: int, more: str = "") -> str:
        """Return the id of an entry whose guid can't be had for it; the same one whenever the entry comes again."""
        one = self.candidates[number]
        what = self.links[number] if self.links[number] not in self.shared else f"{self.links[number]} {one.title}"
        name = f"{self.host} {one.guid} {what.strip() or one.title or one.text()[:TEXT]} {more}".rstrip()
        return uuid.uuid5(uuid.NAMESPACE_URL, name.encode("utf-8", "replace").decode()).urn

    def _id(self, number: int) -> str:
        one = self.candidates[number]
        if one.guid not in self.useless:
            return one.guid
        own = self.links[number] not in self.shared and one.link not in self.guids
        return one.link if own else self.made_up[number]

    def _by_guid(self, number: int) -> None:
        one = self.candidates[number]
        made_up = self.made_up[number]
        for known in self.shelf.by_guid(made_up) if self.ids[number] != made_up else ():
            if known.source == self.source and self._take(number, "guid", known, made_up):
                return
        others = []
        for known in self.shelf.by_guid(self.ids[number]):
            if known.source not in (self.source, ""):
                others.append(known)
            elif self._is_reused(number, known):
                self.ids[number] = made_up
            elif self._take(number, "guid", known, self.ids[number]):
                return
        for known in others:
            same_page = bool(known.link) and known.link == self.links[number]
            if same_page or (":" in one.guid and not self._is_reused(number, known)):
                self.found[number] = Match("elsewhere", self.ids[number], known)
                return
            # A guid such as "12" means something within its own feed only; ids have to differ in the whole site.
            self.ids[number] = made_up

    def _is_reused(self, number: int, known: Known) -> bool:
        """Say whether the guid was used for another entry before: title, link and date are all quite different."""
        one, link = self.candidates[number], self.links[number]
        if likeness(one.title, known.title) >= UNLIKE_TITLE:
            return False
        if link and link == known.link and link not in self.shared:
            return False
        if one.published is None:
            return bool(link and known.link and link != known.link)
        return abs(one.published - known.published) > DAY

    def _by_link(self, number: int) -> None:
        link = self.links[number]
        if link in self.shared:
            return
        one = self.candidates[number]
        known_here = self.shelf.by_link(link)
        alike = [known for known in known_here if self._may_be(number, known)]
        own = [known for known in alike if known.source in (self.source, "")]
        # The best title first: where one link is given to everything, the title decides.
        for known in sorted(own, key=lambda known: (-likeness(one.title, known.title), known.path)):
            if self._take(number, "link", known, self.ids[number]):
                return
        for known in alike:
            if known.source not in (self.source, "") and likeness(one.title, known.title) >= LIKE_TITLE:
                self.found[number] = Match("elsewhere", self.ids[number], known)
                return

    def _may_be(self, number: int, known: Known) -> bool:
        """Say whether an article with the entry's link but not its guid may be it."""
        one = self.candidates[number]
        if known.guid in self.guids and known.guid != one.guid:
            return False
        if not one.guid or not known.guid or known.guid == self.ids[number]:
            return True
        same_day = one.published is not None and abs(one.published - known.published) <= DAY
        return same_day or likeness(one.title, known.title) >= LIKE_TITLE

    def _by_likeness(self, number: int) -> None:
        one = self.candidates[number]
        own = grams(one.title)
        if not own:
            return
        scored = []
        for known, known_grams in self._recent():
            # Most share nothing: that is cheap to see.
            if known.path in self.taken or own.isdisjoint(known_grams):
                continue
            score = _overlap(own, known_grams)
            if score >= LIKE_TITLE and self._is_free(number, known):
                scored.append((-score, -known.published, known.path, known))
        for _, _, _, known in sorted(scored)[:CLOSEST]:
            if self._reads_alike(number, known) and self._take(number, "similar", known, self.ids[number]):
                return

    def _is_free(self, number: int, known: Known) -> bool:
        """Say whether no other entry of the document can be this article, and its date allows that this one is."""
        if known.guid in self.guids or (known.link in self.links and known.link not in self.shared):
            return False
        published = self.candidates[number].published
        return published is None or abs(published - known.published) <= 30 * DAY

    def _reads_alike(self, number: int, known: Known) -> bool:
        one = self.candidates[number]
        text = grams(one.text(), 3)
        other = grams(self.shelf.text(known), 3)
        if min(len(text), len(other)) >= SHORT:
            return _overlap(text, other) >= LIKE_TEXT
        same_day = one.published is not None and abs(one.published - known.published) <= DAY
        return same_day and one.title == known.title and _overlap(text, other) >= LIKE_TEXT

    def _recent(self) -> list[tuple[Known, frozenset[str]]]:
        if self._held is None:
            self._held = [(known, grams(known.title)) for known in self.shelf.recent(self.source, RECENT)]
        return self._held

    _held: list[tuple[Known, frozenset[str]]] | None = None

    def _take(self, number: int, how: How, known: Known, identity: str) -> bool:
        if known.path in self.taken:
            return False
        self.taken.add(known.path)
        self.found[number] = Match(how, identity, known)
        return True
