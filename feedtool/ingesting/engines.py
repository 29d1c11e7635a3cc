"""Provide an ingest with limits for fetching, and with readers of feeds and pages that run in a sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING

from feedtool.config import Settings, SourceSettings
from feedtool.config.tables import keys_of
from feedtool.errors import OutputError
from feedtool.http.models import USER_AGENT, Limits

if TYPE_CHECKING:
    from feedtool.extract.fulltext import PageJob, PagesJob
    from feedtool.feedparse import RemoteFeed
    from feedtool.feedparse.clean import CleanEntry
    from feedtool.feedparse.worker import FeedLookup, Job
    from feedtool.http.models import Response
    from feedtool.workers.sandbox import Sandbox


VERSION = 2
"""Increase it when feeds are read so differently that unchanged ones should be read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A feed and its cleaned entries.

    If the feed could not be read, `feed` is None, `error` is the reason and `code` the code of the Problem. `warnings` name what
    had to be repaired to read it.
    """

    key: str
    feed: RemoteFeed | None = None
    entries: tuple[CleanEntry, ...] = ()
    error: str = ""
    hint: str = ""
    code: str = ""
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()


def digest_of(body: bytes, settings: Settings, source: SourceSettings) -> str:
    """Return a digest of a feed's body and of the settings with which it is read.

    An equal digest means that there is nothing new to read. The options of the source are those that the settings define
    with `entry_option`, in that order.
    """
    source = replace(source, on_update=source.on_update or settings.ingest.on_update)
    site = settings.site.timezone, settings.site.language, settings.articles.generator, settings.html
    options = (VERSION, *(getattr(source, key.field) for key in keys_of(SourceSettings).values() if key.rereads), *site)
    content = blake2b(body, digest_size=9).hexdigest()
    return content + blake2b(ascii(options).encode(), digest_size=3).hexdigest()


BROKEN_FEED_HINT = "the feed is broken or hostile; look at it in a browser"


def limits_of(settings: Settings) -> Limits:
    """Return the limits for fetching under these settings."""
    options = settings.ingest
    return Limits(
        timeout=options.timeout,
        connect=min(10.0, options.timeout),
        concurrency=options.concurrency,
        per_host=options.per_host,
        max_bytes=options.max_bytes,
        user_agent=options.user_agent or USER_AGENT,
        allow_private_hosts=options.allow_private_hosts,
    )


def prepare() -> None:
    """Import the modules that read feeds, before child processes are started."""
    from feedtool.feedparse.worker import prepare as load

    load()


def prepare_pages() -> None:
    """Import the modules that read pages, before child processes are started. Raise ModuleNotFoundError."""
    from feedtool.extract.fulltext import prepare as load

    load()


def failure_of(error: Exception) -> tuple[str, str, str, str]:
    """Return the failure of a source for an exception during its processing: kind, code, message and hint.

    If a file cannot be written, it is not the source's fault: the kind is "", and the source is tried again in the next run.
    """
    if isinstance(error, OutputError):
        return "", "FT307", error.what, error.hint
    if isinstance(error, OSError):
        message = f"cannot be written: {error.strerror or type(error).__name__}"
        return "", "FT307", message, "check the folder's permissions and the disk"
    message = " ".join(f"it could not be read: {type(error).__name__}: {error}".split())[:200]
    return "feed", "FT304", message, "this is a bug in feedtool; please report it with the feed"


def feed_reader(sandbox: Sandbox) -> Callable[[Iterable[Job | None]], Iterator[Parsed]]:
    """Return a function that reads feeds in child processes of `sandbox`.

    A body that hangs or uses too much memory there affects only its own source.
    """

    def read(jobs: Iterable[Job | None]) -> Iterator[Parsed]:
        from feedtool.feedparse.worker import parse_and_clean
        from feedtool.workers.sandbox import JobFailure

        for job, result in sandbox(parse_and_clean, jobs):
            if isinstance(result, JobFailure):
                yield Parsed(
                    key=job.key, error=f"it could not be read: {result.message}", hint=BROKEN_FEED_HINT, code="FT304"
                )
            else:
                yield Parsed(
                    key=job.key,
                    feed=result.feed,
                    entries=result.entries,
                    error=result.error,
                    hint=result.hint,
                    seconds=result.seconds,
                    warnings=result.feed.notes if result.feed is not None else (),
                )

    return read


def feed_identifier(sandbox: Sandbox) -> Callable[[Response], FeedLookup]:
    """Return a function that identifies what a response contains, in a child process of `sandbox`."""

    def identify(answer: Response) -> FeedLookup:
        from feedtool.feedparse.worker import FeedLookup, identify_feed
        from feedtool.workers.sandbox import JobFailure

        ((_, result),) = sandbox(identify_feed, [(answer.body, answer.url, answer.content_type)])
        return FeedLookup(error=f"it could not be read: {result.message}") if isinstance(result, JobFailure) else result

    return identify


def page_extractor(sandbox: Sandbox) -> Callable[[Iterable[PageJob | None]], Iterator[tuple[str, str]]]:
    """Return a function that finds the articles in pages, in child processes of `sandbox`.

    A page on which the child process fails has no article.
    """

    def extract(jobs: Iterable[PageJob | None]) -> Iterator[tuple[str, str]]:
        from feedtool.extract.fulltext import extract as find
        from feedtool.workers.sandbox import JobFailure

        for job, result in sandbox(find, jobs):
            yield job.key, "" if isinstance(result, JobFailure) else result

    return extract


def page_cleaner(
    sandbox: Sandbox,
) -> Callable[[Iterable[PagesJob]], Iterator[tuple[str, Sequence[CleanEntry | None]]]]:
    """Return a function that cleans the articles of pages, in child processes of `sandbox`."""

    def clean(jobs: Iterable[PagesJob]) -> Iterator[tuple[str, Sequence[CleanEntry | None]]]:
        from feedtool.extract.fulltext import clean_pages
        from feedtool.workers.sandbox import JobFailure

        for job, result in sandbox(clean_pages, jobs):
            yield job.key, () if isinstance(result, JobFailure) else result

    return clean
