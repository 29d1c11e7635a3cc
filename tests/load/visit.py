"""Run one ingest of a site in a separate process, so that it can be measured, and print its report as JSON.

    python -m tests.load.visit SITE PORT HOUR

It works as `feedtool ingest` does, but every address leads to the server at PORT, and HOUR sets the clock.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime, timedelta

from feedtool.cli.ingest import MANY_SOURCES
from feedtool.config import load_settings
from feedtool.http import fetch
from feedtool.ingesting import Tools, ingest, select_sources
from feedtool.ingesting.engines import feed_reader, limits_of, prepare
from feedtool.workers import sandboxed
from tests.support.fence import Fence

NOW = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)


def main(site: str, port: str, hour: str) -> None:
    """Ingest all sources that are due."""
    loaded = load_settings(site, environment={})
    fence = Fence(int(port))
    ends = time.monotonic() + loaded.ingest.deadline

    def clock() -> datetime:
        return NOW + timedelta(hours=int(hour))

    def fetching(requests):
        late = lambda: time.monotonic() > ends  # noqa: E731
        return fetch(requests, limits_of(loaded), connect=fence.connect, resolve=fence.resolve, now=clock, late=late)

    sources = select_sources(loaded, ())
    tools = Tools(fetch=fetching, parse=feed_reader(sandboxed(None, prepare, early=len(sources) >= MANY_SOURCES)))
    report = ingest(loaded, sources, tools=tools, clock=clock)
    facts = {
        "seconds": report.seconds,
        "outcomes": {one.source: one.outcome for one in report.tallies},
        "new": {one.source: one.new for one in report.tallies},
        "messages": {one.source: one.message for one in report.tallies if one.message},
        "codes": sorted({problem.code for problem in report.problems}),
    }
    json.dump(facts, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
