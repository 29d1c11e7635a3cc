"""Parse and clean a feed as a job for a sandboxed process, which can be killed."""

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
    """A body to parse, fetched from `url`. `zone` is the name of the time zone for dates without one."""

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
    """A feed without its entries, and the clean entries. If `feed` is None, `error` says why there is no feed.

    `seconds` is the time for parsing and cleaning.
    """

    key: str
    feed: RemoteFeed | None = None
    entries: tuple[CleanEntry, ...] = ()
    error: str = ""
    hint: str = ""
    seconds: float = 0.0


def parse_and_clean(job: Job) -> Parsed:
    """Parse a body and clean its entries. The result can be pickled and contains each entry once."""
    started = time.perf_counter()
    result = _read(job)
    return replace(result, seconds=time.perf_counter() - started)


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
    """The feed at an address; without a feed, the reason (`error`) and other addresses to try (`offered`)."""

    feed: RemoteFeed | None = None
    error: str = ""
    offered: tuple[str, ...] = ()


def identify_feed(answer: tuple[bytes, str, str]) -> FeedLookup:
    """Parse a response, given as body, URL and Content-Type, as a feed, or find the feeds that it links to."""
    from feedtool.feedparse.discovery import discover

    body, url, content_type = answer
    try:
        return FeedLookup(feed=parse_feed(body, url=url, content_type=content_type))
    except NotAFeedError as error:
        return FeedLookup(error=error.what, offered=tuple(one for one, _, _ in discover(body, url)))


def prepare() -> None:
    """Import the modules that every job needs, so that workers forked later share them."""
    import feedparser  # noqa: F401
    import nh3  # noqa: F401

    import feedtool.dates.loose
    import feedtool.html.tree  # noqa: F401
