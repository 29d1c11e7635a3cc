"""The engines as an ingest needs them: settings in, what a fetch may cost out; bodies in, clean entries out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from feedtool.config import Settings, SourceSettings
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
"""Raised when feeds are read so differently that unchanged ones should be read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A feed and its entries as clean as they will be.

    `feed` None says that it could not be read, and `error` why; `code` is then that of the Problem. `warnings` say what had
    to be repaired to read it.
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
    """Return what is equal when there is nothing new to read: of the body, and of the settings it is read with."""
    with_what = (
        VERSION, source.categories, source.author, source.tags, source.limit, source.include, source.exclude,
        source.remove, source.full_text, source.timezone, source.language, source.on_update or settings.ingest.on_update,
        settings.site.timezone, settings.site.language, settings.articles.flavour, settings.html,
    )  # fmt: skip
    content = blake2b(body, digest_size=9).hexdigest()
    return content + blake2b(ascii(with_what).encode(), digest_size=3).hexdigest()


HINT = "the feed is broken or hostile; look at it in a browser"


def limits_of(settings: Settings) -> Limits:
    """Return what a fetch may cost under these settings."""
    given = settings.ingest
    return Limits(
        timeout=given.timeout,
        connect=min(10.0, given.timeout),
        concurrency=given.concurrency,
        per_host=given.per_host,
        max_bytes=given.max_bytes,
        user_agent=given.user_agent or USER_AGENT,
        allow_private_hosts=given.allow_private_hosts,
    )


def prepare() -> None:
    """Load what every child needs, before there is one."""
    from feedtool.feedparse.worker import prepare as load

    load()


def prepare_pages() -> None:
    """Load what every child needs that reads pages; raises ModuleNotFoundError."""
    from feedtool.extract.fulltext import prepare as load

    load()


def failure_of(error: Exception) -> tuple[str, str, str, str]:
    """Return what an exception amid the work on one source is to that source: a failure's kind, code, message and hint.

    What can't be written is no fault of the source: its kind is "", and it is tried again at the next run.
    """
    if isinstance(error, OutputError):
        return "", "FT307", error.what, error.hint
    if isinstance(error, OSError):
        message = f"cannot be written: {error.strerror or type(error).__name__}"
        return "", "FT307", message, "check the folder's permissions and the disk"
    message = " ".join(f"it could not be read: {type(error).__name__}: {error}".split())[:200]
    return "feed", "FT304", message, "this is a fault of feedtool; please report it with the feed"


def reader(killable: Sandbox) -> Callable[[Iterable[Job | None]], Iterator[Parsed]]:
    """Return what reads bodies in children of `killable`: what hangs or devours memory there costs its source alone."""

    def read(jobs: Iterable[Job | None]) -> Iterator[Parsed]:
        from feedtool.feedparse.worker import parse_and_clean
        from feedtool.workers.sandbox import Lost

        for job, found in killable(parse_and_clean, jobs):
            if isinstance(found, Lost):
                yield Parsed(key=job.key, error=f"it could not be read: {found.message}", hint=HINT, code="FT304")
            else:
                yield Parsed(
                    key=job.key,
                    feed=found.feed,
                    entries=found.entries,
                    error=found.error,
                    hint=found.hint,
                    seconds=found.seconds,
                    warnings=found.feed.notes if found.feed is not None else (),
                )

    return read


def looker(killable: Sandbox) -> Callable[[Response], FeedLookup]:
    """Return what says what is at an address, in a child of `killable`."""

    def identify(answer: Response) -> FeedLookup:
        from feedtool.feedparse.worker import FeedLookup, identify_feed
        from feedtool.workers.sandbox import Lost

        ((_, found),) = killable(identify_feed, [(answer.body, answer.url, answer.content_type)])
        return FeedLookup(error=f"it could not be read: {found.message}") if isinstance(found, Lost) else found

    return identify


def extractor(killable: Sandbox) -> Callable[[Iterable[PageJob | None]], Iterator[tuple[str, str]]]:
    """Return what finds the articles in pages, in children of `killable`; a page that is too much for one has none."""

    def extract(jobs: Iterable[PageJob | None]) -> Iterator[tuple[str, str]]:
        from feedtool.extract.fulltext import extract as find
        from feedtool.workers.sandbox import Lost

        for job, found in killable(find, jobs):
            yield job.key, "" if isinstance(found, Lost) else found

    return extract


def page_cleaner(
    killable: Sandbox,
) -> Callable[[Iterable[PagesJob]], Iterator[tuple[str, Sequence[CleanEntry | None]]]]:
    """Return what cleans the articles of pages, in children of `killable`."""

    def clean(jobs: Iterable[PagesJob]) -> Iterator[tuple[str, Sequence[CleanEntry | None]]]:
        from feedtool.extract.fulltext import clean_pages
        from feedtool.workers.sandbox import Lost

        for job, found in killable(clean_pages, jobs):
            yield job.key, () if isinstance(found, Lost) else found

    return clean
