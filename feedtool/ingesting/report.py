"""What an ingest did, as values: a line for each source, the problems and the sums; no words for people."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from feedtool.models import Problem

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
