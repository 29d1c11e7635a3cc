"""Entries of sources with `full_text` in, the same entries with the text of their pages out; asks as few pages as will do.

The stamp of an article tells whether its entry changed since its page was asked, so nothing else is remembered: an entry
whose page is still to be asked carries the digest that it would have without `full_text`, and counts as changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from feedtool.config import Html
from feedtool.html import plain_text, safe_url
from feedtool.http.models import Failure, Request, Response
from feedtool.ingesting.dedupe import ExistingArticle
from feedtool.ingesting.models import Tools, Waiting
from feedtool.ingesting.schedule import HOST_KINDS
from feedtool.ingesting.upsert import Rules, Upserter
from feedtool.ingesting.values import Origin
from feedtool.similarity import TEXT

if TYPE_CHECKING:
    from feedtool.extract.fulltext import PageJob, PagesJob
    from feedtool.feedparse.clean import CleanEntry

MOST = 20
"""Pages of one source that a visit asks."""
AT_ONCE = 16
"""Sources whose pages are asked, and in memory, at the same time."""
PAGE = " page"
"""What the digest of an entry ends in whose page was asked."""
BUSY = (408, 425, 429)


@dataclass(slots=True)
class PendingSource:
    """A source between its feed and its pages; at the end, `entries` are fit to be shelved. `complete` False says that
    pages are left for another visit, `trouble` what came of those that could not be had."""

    one: Waiting
    entries: list[CleanEntry]
    origin: Origin
    rules: Rules
    behind: dict[int, ExistingArticle | None] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)
    pages: dict[int, tuple[str, str]] = field(default_factory=dict)
    left: int = 0
    trouble: list[str] = field(default_factory=list)
    complete: bool = True


class Pages:
    """The pages of one round of sources."""

    def __init__(self, tools: Tools, shelver: Upserter, html: Html) -> None:
        self.tools = tools
        self.upserter = shelver
        self.html = html
        self.pending: dict[str, PendingSource] = {}

    def hold(self, held: PendingSource) -> None:
        """Take a source in, and choose the pages to be asked: of what is new first, in the order of the feed."""
        held.entries = [replace(one, digest=one.digest + PAGE, page="kept") for one in held.entries]
        behind = self.upserter.behind(held.entries, held.origin, held.rules, held.one.health.seen.split())
        held.behind = {number: known for number, (known, _) in behind.items()}
        asked = list[int]()
        for number in sorted(behind, key=lambda number: (held.behind[number] is not None, number)):
            if not behind[number][1] or not safe_url(held.entries[number].link or ""):
                self._without(held, number, "")
            elif len(asked) >= MOST:
                self._later(held, number)
            else:
                asked.append(number)
        held.asked = [] if held.rules.dry_run else asked
        held.left = len(held.asked)
        self.pending[held.one.requested.key] = held

    def go(self) -> Iterator[PendingSource]:
        """Ask the pages of all sources taken in, and yield each source as its last page is read."""
        for held in [held for held in self.pending.values() if not held.left]:
            yield self._done(held)
        if self.pending:
            for key, entries in self.tools.clean_pages(self._read()):
                held = self.pending[key]
                held.trouble += [] if entries else ["they are too much to be cleaned"]
                for number, entry in zip(sorted(held.pages), entries or [None] * len(held.pages), strict=True):
                    self._settle(held, number, entry)
                yield self._done(held)
        yield from [self._done(held) for held in list(self.pending.values())]

    def _done(self, held: PendingSource) -> PendingSource:
        del self.pending[held.one.requested.key]
        return held

    def _read(self) -> Iterator[PagesJob]:
        """Yield each source when its pages are read, as far as there is an article in any."""
        from feedtool.extract.fulltext import PagesJob

        ready = set(self.pending)
        for key, text in self.tools.extract(self._pages()):
            number, _, name = key.partition(" ")
            held = self.pending[name]
            held.left -= 1
            if text:
                held.pages[int(number)] = (held.pages[int(number)][0], text)
            else:
                del held.pages[int(number)]
                self._without(held, int(number), f"{_shown(held.entries[int(number)].link)}: there is no article in it")
            yield from self._complete(ready, PagesJob)
        yield from self._complete(ready, PagesJob)

    def _complete(self, ready: set[str], make: type[PagesJob]) -> Iterator[PagesJob]:
        for key in sorted(key for key in ready if not self.pending[key].left and self.pending[key].pages):
            ready.discard(key)
            held = self.pending[key]
            found = tuple((held.entries[number], *held.pages[number]) for number in sorted(held.pages))
            yield make(key=key, pages=found, source=held.one.requested.source, html=self.html)

    def _pages(self) -> Iterator[PageJob | None]:
        from feedtool.extract.fulltext import PageJob

        for answer in self.tools.fetch(list(self._requests())):
            if answer is None:
                yield None
                continue
            number, _, name = answer.key.partition(" ")
            held = self.pending[name]
            held.one.tally.bytes += answer.wire_bytes if isinstance(answer, Response) else 0
            trouble = _trouble(answer)
            if isinstance(answer, Failure) or trouble:
                held.left -= 1
                busy = isinstance(answer, Failure) and _is_busy(answer)
                self._without(held, int(number), trouble, later=busy)
                continue
            held.pages[int(number)] = (answer.url, "")
            yield PageJob(
                key=answer.key,
                body=answer.body,
                url=answer.url,
                content_type=answer.content_type,
                title=held.entries[int(number)].title,
                source=held.one.requested.source,
                html=self.html,
            )

    def _requests(self) -> Iterator[Request]:
        # Without the source's headers: pages are often elsewhere, and no secret is theirs.
        for key, held in self.pending.items():
            for number in held.asked:
                url = safe_url(held.entries[number].link or "") or ""
                yield Request(url=url, key=f"{number} {key}", home=held.one.requested.address)

    def _settle(self, held: PendingSource, number: int, entry: CleanEntry | None) -> None:
        if entry is None:
            self._without(held, number, "")
        else:
            held.entries[number] = replace(entry, page="")

    def _without(self, held: PendingSource, number: int, trouble: str, *, later: bool = False) -> None:
        """Let an entry do without its page, for good or until the next visit."""
        if trouble:
            held.trouble.append(trouble)
        known = held.behind[number]
        if later:
            self._later(held, number)
        elif known is not None and _is_no_shorter(held.entries[number], self.upserter.lookup.text(known)):
            # The article has no more than the feed's text so far: it goes on with it.
            held.entries[number] = replace(held.entries[number], page="")

    def _later(self, held: PendingSource, number: int) -> None:
        entry = held.entries[number]
        held.entries[number] = replace(entry, digest=entry.digest.removesuffix(PAGE), page="later")
        held.complete = False


def trouble_of(held: PendingSource) -> str:
    """Return what to tell of the pages that could not be had, "" where all were."""
    if not held.trouble:
        return ""
    count = len(held.trouble)
    pages = "a page" if count == 1 else f"{count} pages"
    return f"{pages} could not be had, so that the feed's own text has to do: {min(held.trouble)}"


def rounds(due: list[Waiting]) -> Iterable[list[Waiting]]:
    """Return the sources in the order to visit them: all whose feeds are enough, then a few at a time the others."""
    full = [one for one in due if one.requested.source.full_text]
    plain = [one for one in due if not one.requested.source.full_text]
    every = [plain, *(full[start : start + AT_ONCE] for start in range(0, len(full), AT_ONCE))]
    return [some for some in every if some]


def _trouble(answer: Response | Failure) -> str:
    if isinstance(answer, Failure):
        return "" if answer.kind == "late" else f"{answer.url}: {answer.message}"
    kind = answer.content_type.partition(";")[0].strip().lower()
    return "" if not kind or "html" in kind else f"{_shown(answer.url)}: it is no page but {kind[:60]}"


def _shown(url: str | None) -> str:
    return (url or "").partition("?")[0]


def _is_busy(failure: Failure) -> bool:
    status = failure.status or 0
    return failure.kind in HOST_KINDS or failure.kind == "late" or status >= 500 or status in BUSY


def _is_no_shorter(entry: CleanEntry, text: str) -> bool:
    return len(plain_text(str(entry.html))[:TEXT]) >= len(text)
