"""What an ingest is given, and what it keeps of each source while it is at work on it; does nothing itself."""

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
COUNTS = ("new", "updated", "kept", "skipped", "unchanged", "failed")


@dataclass(slots=True, kw_only=True)
class Tally:
    """What became of one source and of its entries.

    `updated` files follow upstream; `kept` ones don't, because a person edited what changed (or `on_update` says so);
    `skipped` entries have no file: deleted, filtered, bounded, or another source's. `bytes` came over the wire, `ms` went by at
    fetching and reading this source. A source that is "late" was due, but the run had no time left for it.
    `warnings` say what had to be repaired to read the feed when it was last read, and what its entries lack.
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
    """What a run did: a tally for each source that was looked at, in the order of the settings; `details` are notes that few
    want to know."""

    tallies: tuple[Tally, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    seconds: float = 0.0

    def total(self, name: str) -> int:
        """Return the sum of one of the counts, of "bytes" or of "ms"."""
        return sum(getattr(tally, name) for tally in self.tallies)

    def sources(self, outcome: Outcome) -> int:
        """Return how many sources ended so."""
        return sum(tally.outcome == outcome for tally in self.tallies)

    @property
    def errors(self) -> int:
        """How many of the problems are errors."""
        return sum(problem.severity == "error" for problem in self.problems)


def _without_pages(_: Iterable[object]) -> Iterator[tuple[str, Any]]:
    yield from ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The engines of an ingest: `fetch` takes requests, `parse` bodies; both give results as they are ready. `fetch` gives
    None now and then while it waits, and `parse` takes it.

    `environment` is where headers and addresses find their secrets. `extract` gives the key of a page and the article in
    it, "" where there is none; `clean_pages` the key of a source and its entries with the text of their pages, () where
    that failed.
    """

    fetch: Callable[[Iterable[Request]], Iterator[Response | Failure | None]]
    parse: Callable[[Iterable[Job | None]], Iterator[Parsed]]
    environment: Mapping[str, str] = field(default_factory=dict)
    extract: Callable[[Iterable[PageJob | None]], Iterator[tuple[str, str]]] = _without_pages
    clean_pages: Callable[[Iterable[PagesJob]], Iterator[tuple[str, Sequence[CleanEntry | None]]]] = _without_pages


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What a caller may choose for one run. `force` visits sources that are not due and asks for the whole feed."""

    force: bool = False
    dry_run: bool = False
    limit: int | None = None
    since: datetime | None = None
    progress: Callable[[str, int, int], None] | None = None


@dataclass(slots=True)
class Waiting:
    """One source between being asked and being shelved; `spent` are the seconds that it took by itself: fetching
    and reading, no waiting for its turn. `warnings` say what had to be repaired to read its feed."""

    requested: RequestedSource
    health: Health
    tally: Tally
    spent: float = 0.0
    url: str = ""
    visit: Visit = field(default_factory=Visit)
    secrets: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
