"""Collect the settings and options that apply to writing the files of one source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from feedtool.articles import Rules as ReadingRules
from feedtool.articles.dialect import PLAIN, Dialect
from feedtool.articles.writer import MergeMode
from feedtool.config import Settings, SourceSettings
from feedtool.ingesting.models import Choices

HOW: Mapping[str, MergeMode] = {"merge": "merge", "overwrite": "overwrite", "keep": "keep"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The settings and options for writing the files of one source.

    `how` is its `on_update`, and `folder` its template. `limit` and `since` bound the new articles of this run. `fresh` is True if
    the site has no article at all: then no entry counts as deleted, and all are created.
    """

    how: MergeMode = "merge"
    folder: str = "{source}"
    dialect: Dialect = PLAIN
    zone: tzinfo = UTC
    prefix: str = "articles/"
    limit: int | None = None
    since: datetime | None = None
    fresh: bool = False
    dry_run: bool = False


def rules_of(
    settings: Settings, source: SourceSettings, choices: Choices, reading: ReadingRules, *, fresh: bool
) -> Rules:
    """Return the rules for one source in one run."""
    return Rules(
        how=HOW[source.on_update or settings.ingest.on_update],
        folder=source.folder or settings.ingest.folder,
        dialect=reading.dialect,
        zone=reading.zone,
        prefix=reading.prefix,
        limit=choices.limit,
        since=choices.since,
        fresh=fresh,
        dry_run=choices.dry_run,
    )
