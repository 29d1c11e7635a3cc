"""Replace the text of entries of sources with `full_text` by the text of their pages, with as few requests as possible.

The stamp of an article shows whether its entry has changed since its page was fetched, so nothing else is remembered. An entry
whose page is still to be fetched gets the digest that it would have without `full_text`, and counts as changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from feedtool.config import Html
from feedtool.html import plain_text, safe_url
from feedtool.http.models import Failure, Request, Response
from feedtool.ingesting.matches import ExistingArticle
from feedtool.ingesting.models import SourceRun, Tools
from feedtool.ingesting.rules import Rules
from feedtool.ingesting.schedule import HOST_KINDS
from feedtool.ingesting.upsert import Upserter
from feedtool.ingesting.values import Origin
from feedtool.similarity import TEXT_LENGTH

if TYPE_CHECKING:
    from feedtool.extract.fulltext import PageJob, PagesJob
    from feedtool.feedparse.clean import CleanEntry

MAX_PAGES = 20
"""Pages of one source that are fetched in a visit."""
MAX_SOURCES = 16
"""Sources whose pages are fetched, and in memory, at the same time."""
PAGE_SUFFIX = " page"
"""The suffix of an entry's digest after its page was fetched."""
BUSY_STATUSES = (408, 425, 429)
"""HTTP statuses after which a page is fetched again at the next visit."""


@dataclass(slots=True)
class PendingSource:
    """A source whose feed was read and whose pages are being fetched. At the end, its `entries` are ready to be written.

    `articles` maps the number of each entry that is new or has changed to its article, None for a new one. `outstanding` counts
    the pages that are still to be read. `failures` are messages about pages that could not be read. `complete` is False if pages
    are left for another visit.
    """

    run: SourceRun
    entries: list[CleanEntry]
    origin: Origin
    rules: Rules
    articles: dict[int, ExistingArticle | None] = field(default_factory=dict)
    to_fetch: list[int] = field(default_factory=list)
    pages: dict[int, tuple[str, str]] = field(default_factory=dict)
    outstanding: int = 0
    failures: list[str] = field(default_factory=list)
    complete: bool = True


class PageFetcher:
    """Fetch and read the pages of one round of sources."""

    def __init__(self, tools: Tools, upserter: Upserter, html: Html) -> None:
        self.tools = tools
        self.upserter = upserter
        self.html = html
        self.sources: dict[str, PendingSource] = {}

    def add(self, pending: PendingSource) -> None:
        """Add a source and choose the pages to fetch: those of new entries first, in the order of the feed."""
        pending.entries = [replace(entry, digest=entry.digest + PAGE_SUFFIX, page="kept") for entry in pending.entries]
        outdated = self.upserter.new_or_outdated(
            pending.entries, pending.origin, pending.rules, pending.run.health.seen.split()
        )
        pending.articles = {number: article for number, (article, _) in outdated.items()}
        to_fetch = list[int]()
        for number in sorted(outdated, key=lambda number: (pending.articles[number] is not None, number)):
            if not outdated[number][1] or not safe_url(pending.entries[number].link or ""):
                self._skip_page(pending, number, "")
            elif len(to_fetch) >= MAX_PAGES:
                self._defer_page(pending, number)
            else:
                to_fetch.append(number)
        pending.to_fetch = [] if pending.rules.dry_run else to_fetch
        pending.outstanding = len(pending.to_fetch)
        self.sources[pending.run.requested.key] = pending

    def run(self) -> Iterator[PendingSource]:
        """Fetch the pages of all added sources, and yield each source when its last page was read."""
        for pending in [pending for pending in self.sources.values() if not pending.outstanding]:
            yield self._finish(pending)
        if self.sources:
            for key, entries in self.tools.clean_pages(self._read()):
                pending = self.sources[key]
                pending.failures += [] if entries else ["they took too much time or memory to be cleaned"]
                for number, entry in zip(sorted(pending.pages), entries or [None] * len(pending.pages), strict=True):
                    self._use_page(pending, number, entry)
                yield self._finish(pending)
        yield from [self._finish(pending) for pending in list(self.sources.values())]

    def _finish(self, pending: PendingSource) -> PendingSource:
        del self.sources[pending.run.requested.key]
        return pending

    def _read(self) -> Iterator[PagesJob]:
        """Yield each source when its pages were read, if at least one of them contains an article."""
        from feedtool.extract.fulltext import PagesJob

        ready = set(self.sources)
        for key, text in self.tools.extract(self._pages()):
            number, _, name = key.partition(" ")
            pending = self.sources[name]
            pending.outstanding -= 1
            if text:
                pending.pages[int(number)] = (pending.pages[int(number)][0], text)
            else:
                del pending.pages[int(number)]
                self._skip_page(
                    pending,
                    int(number),
                    f"{_without_query(pending.entries[int(number)].link)}: it contains no article",
                )
            yield from self._complete(ready, PagesJob)
        yield from self._complete(ready, PagesJob)

    def _complete(self, ready: set[str], make: type[PagesJob]) -> Iterator[PagesJob]:
        for key in sorted(key for key in ready if not self.sources[key].outstanding and self.sources[key].pages):
            ready.discard(key)
            pending = self.sources[key]
            pages = tuple((pending.entries[number], *pending.pages[number]) for number in sorted(pending.pages))
            yield make(key=key, pages=pages, source=pending.run.requested.source, html=self.html)

    def _pages(self) -> Iterator[PageJob | None]:
        from feedtool.extract.fulltext import PageJob

        for answer in self.tools.fetch(list(self._requests())):
            if answer is None:
                yield None
                continue
            number, _, name = answer.key.partition(" ")
            pending = self.sources[name]
            pending.run.tally.bytes += answer.wire_bytes if isinstance(answer, Response) else 0
            failure = _page_failure(answer)
            if isinstance(answer, Failure) or failure:
                pending.outstanding -= 1
                busy = isinstance(answer, Failure) and _is_busy(answer)
                self._skip_page(pending, int(number), failure, later=busy)
                continue
            pending.pages[int(number)] = (answer.url, "")
            yield PageJob(
                key=answer.key,
                body=answer.body,
                url=answer.url,
                content_type=answer.content_type,
                title=pending.entries[int(number)].title,
                source=pending.run.requested.source,
                html=self.html,
            )

    def _requests(self) -> Iterator[Request]:
        # Send none of the source's headers: pages are often on other hosts, which must not get its secrets.
        for key, pending in self.sources.items():
            for number in pending.to_fetch:
                url = safe_url(pending.entries[number].link or "") or ""
                yield Request(url=url, key=f"{number} {key}", home=pending.run.requested.address)

    def _use_page(self, pending: PendingSource, number: int, entry: CleanEntry | None) -> None:
        if entry is None:
            self._skip_page(pending, number, "")
        else:
            pending.entries[number] = replace(entry, page="")

    def _skip_page(self, pending: PendingSource, number: int, failure: str, *, later: bool = False) -> None:
        """Give up an entry's page, for good or (`later`) until the next visit."""
        if failure:
            pending.failures.append(failure)
        article = pending.articles[number]
        if later:
            self._defer_page(pending, number)
        elif article is not None and _is_no_shorter(pending.entries[number], self.upserter.lookup.text(article)):
            # The article contains no more than the feed's text, so it can follow that.
            pending.entries[number] = replace(pending.entries[number], page="")

    def _defer_page(self, pending: PendingSource, number: int) -> None:
        entry = pending.entries[number]
        pending.entries[number] = replace(entry, digest=entry.digest.removesuffix(PAGE_SUFFIX), page="later")
        pending.complete = False


def failures_message(pending: PendingSource) -> str:
    """Return a message about the pages that could not be read, "" if all were read."""
    if not pending.failures:
        return ""
    count = len(pending.failures)
    pages = "a page" if count == 1 else f"{count} pages"
    return f"{pages} could not be read, so the feed's own text is used: {min(pending.failures)}"


def rounds(due: list[SourceRun]) -> Iterable[list[SourceRun]]:
    """Return the sources in the order of visits: first all that need no pages, then the others, a few at a time."""
    full = [run for run in due if run.requested.source.full_text]
    plain = [run for run in due if not run.requested.source.full_text]
    every = [plain, *(full[start : start + MAX_SOURCES] for start in range(0, len(full), MAX_SOURCES))]
    return [some for some in every if some]


def _page_failure(answer: Response | Failure) -> str:
    if isinstance(answer, Failure):
        return "" if answer.kind == "late" else f"{answer.url}: {answer.message}"
    kind = answer.content_type.partition(";")[0].strip().lower()
    return "" if not kind or "html" in kind else f"{_without_query(answer.url)}: it is not a page but {kind[:60]}"


def _without_query(url: str | None) -> str:
    return (url or "").partition("?")[0]


def _is_busy(failure: Failure) -> bool:
    status = failure.status or 0
    return failure.kind in HOST_KINDS or failure.kind == "late" or status >= 500 or status in BUSY_STATUSES


def _is_no_shorter(entry: CleanEntry, text: str) -> bool:
    return len(plain_text(str(entry.html))[:TEXT_LENGTH]) >= len(text)
