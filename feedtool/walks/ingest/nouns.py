"""What an ingest is given, and what it keeps of each source while it is at work on it; does nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from feedtool.fetch.shapes import Failure, Request, Response
from feedtool.sources import Health, Visit
from feedtool.walks.ingest.choose import Wanted
from feedtool.walks.ingest.parse import Parsed
from feedtool.walks.ingest.report import Tally

if TYPE_CHECKING:
    from feedtool.remote.worker import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The engines of an ingest: `fetch` takes requests, `parse` bodies; both give results as they are ready.

    `environment` is where headers find their secrets.
    """

    fetch: Callable[[Iterable[Request]], Iterator[Response | Failure]]
    parse: Callable[[Iterable[Job]], Iterator[Parsed]]
    environment: Mapping[str, str] = field(default_factory=dict)


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
    """One source between being asked and being shelved."""

    wanted: Wanted
    health: Health
    tally: Tally
    started: float = 0.0
    url: str = ""
    visit: Visit = field(default_factory=Visit)
