"""What an ingest is given, and what it keeps of each source while it is at work on it; does nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from feedtool.http.models import Failure, Request, Response
from feedtool.ingesting.parsing import Parsed
from feedtool.ingesting.report import Tally
from feedtool.ingesting.schedule import Health, Visit
from feedtool.ingesting.source_selection import RequestedSource

if TYPE_CHECKING:
    from feedtool.extract.fulltext import PageJob, PagesJob
    from feedtool.feedparse.clean import CleanEntry
    from feedtool.feedparse.worker import Job


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
