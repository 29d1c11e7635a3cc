"""The input and the report of an ingest, and the state of each source during the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from feedtool.http.models import Failure, Request, Response
from feedtool.ingesting.engines import Parsed
from feedtool.ingesting.schedule import Health, Visit
from feedtool.ingesting.source_selection import RequestedSource
from feedtool.models import Problem

if TYPE_CHECKING:
    from feedtool.extract.fulltext import PageJob, PagesJob
    from feedtool.feedparse.clean import CleanEntry
    from feedtool.feedparse.worker import Job


Outcome = Literal["ingested", "unchanged", "failed", "waiting", "late", "muted", "off"]


@dataclass(slots=True, kw_only=True)
class Tally:
    """The result of one source, with the number of its entries for each outcome.

    `updated` files follow the feed. `kept` ones do not, because a person edited what has changed, or because `on_update` says so.
    `skipped` entries have no file: they were deleted, filtered or out of bounds, or belong to another source. `bytes` were
    transferred and `ms` passed while this source was fetched and read. A source with the outcome "late" was due, but the run had no
    time left for it. `warnings` name what had to be repaired to read the feed when it was last read, and what its entries lack.
    """

    source: str
    outcome: Outcome = "ingested"
    new: int = 0
    updated: int = 0
    kept: int = 0
    skipped: int = 0
    unchanged: int = 0
    failed: int = 0
    bytes: int = 0
    ms: int = 0
    message: str = ""
    next: datetime | None = None
    files: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """The result of a run: a tally for each source that was considered, in the order of the settings.

    `details` are notes for users who ask for details.
    """

    tallies: tuple[Tally, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    seconds: float = 0.0

    def total(self, name: str) -> int:
        """Return the sum of one of the counts, of "bytes" or of "ms"."""
        return sum(getattr(tally, name) for tally in self.tallies)

    def sources(self, outcome: Outcome) -> int:
        """Return the number of sources with this outcome."""
        return sum(tally.outcome == outcome for tally in self.tallies)

    @property
    def errors(self) -> int:
        """The number of problems that are errors."""
        return sum(problem.severity == "error" for problem in self.problems)


def _without_pages(_: Iterable[object]) -> Iterator[tuple[str, Any]]:
    yield from ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The functions that do the work of an ingest.

    `fetch` takes requests, and `parse` takes bodies; both yield results as soon as they are ready. While `fetch` waits, it yields
    None from time to time, which `parse` accepts. `environment` contains the secrets of headers and addresses. `extract` yields the
    key of a page and the article in it, "" if there is none. `clean_pages` yields the key of a source and its entries with the text
    of their pages, () if that failed.
    """

    fetch: Callable[[Iterable[Request]], Iterator[Response | Failure | None]]
    parse: Callable[[Iterable[Job | None]], Iterator[Parsed]]
    environment: Mapping[str, str] = field(default_factory=dict)
    extract: Callable[[Iterable[PageJob | None]], Iterator[tuple[str, str]]] = _without_pages
    clean_pages: Callable[[Iterable[PagesJob]], Iterator[tuple[str, Sequence[CleanEntry | None]]]] = _without_pages


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The options of one run. `force` visits sources that are not due, and fetches whole feeds."""

    force: bool = False
    dry_run: bool = False
    limit: int | None = None
    since: datetime | None = None
    progress: Callable[[str, int, int], None] | None = None


@dataclass(slots=True)
class SourceRun:
    """One source from its request until its files are written.

    `spent` are the seconds of fetching and reading it, without waiting. `warnings` name what had to be repaired to read its feed.
    """

    requested: RequestedSource
    health: Health
    tally: Tally
    spent: float = 0.0
    url: str = ""
    visit: Visit = field(default_factory=Visit)
    secrets: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
