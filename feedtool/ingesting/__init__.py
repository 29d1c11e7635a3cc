"""Fetch sources and turn their entries into article files: select, schedule, deduplicate, write, remember and prune."""

from feedtool.ingesting.engines import Parsed
from feedtool.ingesting.models import Choices, IngestReport, Tally, Tools
from feedtool.ingesting.pipeline import ingest
from feedtool.ingesting.source_selection import RequestedSource, select_sources

__all__ = ["Choices", "IngestReport", "Parsed", "RequestedSource", "Tally", "Tools", "ingest", "select_sources"]
