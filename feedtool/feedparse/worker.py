"""A body and its source in, the feed and its clean entries out, or why not: the function that runs where it can be killed."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from feedtool.config import Html, SourceSettings
from feedtool.dates.parse import load_zone
from feedtool.feedparse.clean import CleanEntry, clean_entries
from feedtool.feedparse.models import NotAFeedError, RemoteFeed
from feedtool.feedparse.parse import parse_feed


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A body to read. `zone` names that of dates without one; `url` is where the body came from."""

    key: str
    body: bytes
    url: str
    source: SourceSettings
    html: Html
    content_type: str = ""
    zone: str = "UTC"
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A feed, its own entries left out, and those entries clean; `feed` None says that there is none, `error` why.

    `seconds` is how long the reading took.
    """

    key: str
    feed: RemoteFeed | None = None
    entries: tuple[CleanEntry, ...] = ()
    error: str = ""
    hint: str = ""
    seconds: float = 0.0


def parse_and_clean(job: Job) -> Parsed:
    """Read one body and clean its entries. What it returns pickles, holds each entry once, and says how long it took."""
    started = time.perf_counter()
    made = _read(job)
    return replace(made, seconds=time.perf_counter() - started)


def _read(job: Job) -> Parsed:
    try:
        feed = parse_feed(
            job.body,
            url=job.url,
            content_type=job.content_type,
            zone=load_zone(job.zone),
            language=job.language,
        )
    except NotAFeedError as error:
        return Parsed(key=job.key, error=error.what, hint=error.hint)
    entries = clean_entries(feed, job.source, job.html)
    return Parsed(key=job.key, feed=replace(feed, entries=()), entries=entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedLookup:
    """What is at an address: the feed, or why there is none (`error`) and the addresses to look at instead."""

    feed: RemoteFeed | None = None
    error: str = ""
    offered: tuple[str, ...] = ()


def identify_feed(answer: tuple[bytes, str, str]) -> FeedLookup:
    """Say what a body, its URL and its Content-Type are."""
    from feedtool.feedparse.discovery import discover

    body, url, content_type = answer
    try:
        return FeedLookup(feed=parse_feed(body, url=url, content_type=content_type))
    except NotAFeedError as error:
        return FeedLookup(error=error.what, offered=tuple(one for one, _, _ in discover(body, url)))


def prepare() -> None:
    """Load what every job needs, so that workers that are forked later share it."""
    import feedparser  # noqa: F401
    import nh3  # noqa: F401

    import feedtool.dates.loose
    import feedtool.html.tree  # noqa: F401
