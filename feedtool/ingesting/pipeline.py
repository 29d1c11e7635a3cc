"""Ingest: fetch the due sources, match their entries, write article files, save the state, and report."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from feedtool import log, storage
from feedtool.catalog import index
from feedtool.catalog.reading_rules import reading_rules
from feedtool.config import Settings
from feedtool.errors import FeedtoolError, SettingsError
from feedtool.http.models import Failure, Request, Response
from feedtool.ingesting.engines import Parsed, digest_of, failure_of
from feedtool.ingesting.full_text import PageFetcher, PendingSource, failures_message, rounds
from feedtool.ingesting.lookup import LookupIndex, make_folder
from feedtool.ingesting.memory import Memory, keys_to_remember, mark_vanished_deleted
from feedtool.ingesting.models import Choices, IngestReport, SourceRun, Tally, Tools
from feedtool.ingesting.paths import source_folder
from feedtool.ingesting.recorder import Recorder
from feedtool.ingesting.rules import Rules, rules_of
from feedtool.ingesting.schedule import (
    Visit,
    address,
    after_success,
    is_due,
    longest_due_first,
    skip_down_hosts,
    without_password,
)
from feedtool.ingesting.secrets import address_secrets, hide_secrets, without_secrets
from feedtool.ingesting.source_selection import RequestedSource, is_read_differently, request_of
from feedtool.ingesting.upsert import Upserter, UpsertResult
from feedtool.ingesting.values import Origin, origin_of, warnings_of
from feedtool.ingesting.writer import Writer
from feedtool.protocols import Clock

if TYPE_CHECKING:
    from feedtool.feedparse.worker import Job

Result = TypeVar("Result")
MAX_UNFINISHED = 16
"""Sources whose files may be in the process of being written."""


def ingest(
    settings: Settings,
    requested: Iterable[RequestedSource],
    *,
    tools: Tools,
    clock: Clock,
    choices: Choices | None = None,
) -> IngestReport:
    """Visit the requested sources that are due, bring their articles up to date, and report what was done.

    Raise SettingsError, OutputError and LockedError if the run cannot start. An error in one source becomes a Problem and
    affects no other source. Articles are written before the state, and are matched with the files that exist: a killed run
    loses nothing, and the next one creates nothing twice.
    """
    started = time.perf_counter()
    options = choices or Choices()
    run = _Ingest(settings, list(requested), tools, clock(), options)
    with ExitStack() as stack:
        if not options.dry_run:
            make_folder(run.root)
            stack.enter_context(index.lock(run.derived))
        run.open(stack)
        run.run()
    return replace(run.report(), seconds=time.perf_counter() - started)


class _Ingest:
    """The state and the steps of one run."""

    def __init__(
        self, settings: Settings, requested: list[RequestedSource], tools: Tools, now: datetime, choices: Choices
    ) -> None:
        self.settings = settings
        self.requested = requested
        self.tools = tools
        self.now = now
        self.choices = choices
        self.root = os.path.realpath(os.path.join(settings.folder, settings.articles.path))
        self.derived = os.path.join(settings.folder, ".feedtool")
        self.reading_rules = reading_rules(settings)
        self.prefix = self.reading_rules.prefix
        self.notes: list[str] = []
        self.runs: dict[str, SourceRun] = {}
        self.unfinished: deque[tuple[SourceRun, Callable[[], None]]] = deque()
        if os.path.exists(self.root) and not os.path.isdir(self.root):
            raise SettingsError("is not a folder", where=self.root, hint="set [articles] path")

    def open(self, stack: ExitStack) -> None:
        """Open the state and the lookup of articles."""
        self.memory = Memory(self.settings.folder)
        # A dry run takes no lock, so it must not open files that another run may be writing.
        path = None if self.choices.dry_run else os.path.join(self.derived, "ingest")
        self.lookup = stack.enter_context(LookupIndex(self.root, path, zone=self.reading_rules.zone))
        self.notes += self.lookup.notes
        if os.path.isdir(self.root):
            self.lookup.refresh(self.prefix)
        if not self.choices.dry_run:
            storage.remove_leftovers(self.lookup.leftovers)
            self.memory.remove_leftover()
        self.has_no_articles = self.lookup.count() == 0
        if not self.has_no_articles:
            mark_vanished_deleted(self.memory, self.lookup)
        writer = Writer(self.root)
        stack.callback(writer.close)
        self.upserter = Upserter(self.lookup, self.memory, writer, self.now)
        self.recorder = Recorder(self.settings, len(self.requested), self.upserter, choices=self.choices, now=self.now)
        self.recorder.problems += self.lookup.problems

    def run(self) -> None:
        """Visit the due sources. The articles of a source are written before anything about it is remembered."""
        due = self._due()
        log.info("ingest", "visit %d of %d sources; the others are not due", len(due), len(self.requested))
        if not due:
            # Sources may have been renamed and files deleted all the same.
            self.recorder.save()
            return
        try:
            for some in rounds(due):
                self.pages = PageFetcher(self.tools, self.upserter, self.settings.html)
                for parsed in self.tools.parse(self._jobs(some)):
                    self._run_step(self.runs[parsed.key], partial(self._receive, parsed))
                for pending in self.pages.run():
                    self._run_step(pending.run, partial(self._upsert, pending))
        finally:
            self._finish_sources()
            self.recorder.save()

    def report(self) -> IngestReport:
        """Return the report of the run."""
        problems = sorted(self.recorder.problems, key=lambda one: (one.file, one.line or 0, one.code, one.message))
        tallies = tuple(run.tally for run in self.runs.values())
        details = self.lookup.details
        return IngestReport(tallies=tallies, problems=tuple(problems), notes=tuple(self.notes), details=details)

    def _jobs(self, due: Iterable[SourceRun]) -> Iterator[Job | None]:
        """Yield the bodies to read: first of local files, then as servers answer. Yield None while no answer is ready."""
        requests = []
        for run in due:
            if run.requested.is_local:
                job = self._run_step(run, partial(self._read_local, run))
                if job is not None:
                    yield job
            else:
                request = self._run_step(run, partial(self._make_request, run))
                if request is not None:
                    requests.append(request)
        if requests:
            for answer in self.tools.fetch(requests):
                if answer is None:
                    # Write and record what has been read, however long the other sources take.
                    self._finish_sources()
                    yield None
                    continue
                job = self._run_step(self.runs[answer.key], partial(self._handle_response, answer))
                if job is not None:
                    yield job

    def _due(self) -> list[SourceRun]:
        due = []
        names = [source.name for source in self.settings.sources]
        for requested in self.requested:
            self.memory.rename(requested.key, requested.address, names)
            health = self.memory.health(requested.key, requested.address)
            if self.has_no_articles and health.seen:
                # All earlier articles are gone: fetch them again, but not before the pause after a failure has ended.
                next_visit = health.next if health.failures else None
                health = replace(health, digest="", etag="", modified="", next=next_visit, seen="")
            tally = Tally(
                source=requested.source.name or requested.source.url, next=health.next, warnings=[*health.warnings]
            )
            run = SourceRun(requested, health, tally)
            self.runs[requested.key] = run
            if requested.is_local or self.choices.force or self._is_due(run):
                due.append(run)
        due = longest_due_first(due)
        return due if self.choices.force else skip_down_hosts(due, self.runs.values(), self.now)

    def _is_due(self, run: SourceRun) -> bool:
        if run.health.muted:
            if run.requested.named:
                return True
            run.tally.outcome, run.tally.message = "muted", run.health.muted
            hint = "remove it from feedtool.toml, or name it to try again"
            message = f"no longer fetched: {run.health.muted}"
            self.recorder.add_problem(run, "FT302", message, hint, severity="warning")
            return False
        if is_due(run.health, self.now):
            return True
        log.debug("ingest", "%s: not due before %s", run.tally.source, run.health.next)
        run.tally.outcome = "waiting"
        return False

    def _read_local(self, run: SourceRun) -> Job | None:
        body = run.requested.data
        if body is None:
            try:
                body = storage.read(os.path.join(self.settings.folder, run.requested.source.url))
            except OSError as error:
                self.recorder.record_failure(
                    run, "file", "FT308", f"cannot be read: {error.strerror}", "check the path"
                )
                return None
        return self._make_job(run, body, "", Visit())

    def _make_request(self, run: SourceRun) -> Request | None:
        try:
            has_new_settings = is_read_differently(self.settings, run.requested.source, run.health)
            run.secrets = address_secrets(run.requested.address, self.tools.environment)
            whole = has_new_settings or self._wants_whole_feeds()
            _log_request(run, "" if not whole else "changed settings" if has_new_settings else "the command line")
            return request_of(run.requested, run.health, self.tools.environment, whole=whole)
        except FeedtoolError as error:
            self.recorder.record_failure(run, "", "FT306", error.what, error.hint)
            return None

    def _wants_whole_feeds(self) -> bool:
        return self.choices.force or self.choices.limit is not None or self.choices.since is not None

    def _handle_response(self, answer: Response | Failure) -> Job | None:
        run = self.runs[answer.key]
        run.spent += answer.seconds
        if isinstance(answer, Response):
            answer = without_secrets(answer, run.requested.address, run.secrets)
        run.url = answer.url
        if isinstance(answer, Failure) and answer.kind == "late":
            self.recorder.record_late(run, answer)
            return None
        if isinstance(answer, Failure):
            code = "FT302" if answer.kind == "gone" else "FT301"
            self.recorder.record_failure(
                run, answer.kind, code, answer.message, answer.hint, retry_after=answer.retry_after
            )
            return None
        run.tally.bytes = answer.wire_bytes
        log.debug(
            "ingest",
            "%s: status %d, %d bytes, %.2f s",
            run.tally.source,
            answer.status,
            answer.wire_bytes,
            answer.seconds,
        )
        visit = Visit(
            etag=answer.etag or "",
            modified=answer.last_modified or "",
            max_age=answer.max_age,
            permanent_url=answer.permanent_url,
            every=run.health.every,
            skip_hours=run.health.skip_hours,
            skip_days=run.health.skip_days,
        )
        if answer.status == 304:
            health = run.health
            etag, modified = visit.etag or health.etag, visit.modified or health.modified
            self.recorder.record_unchanged(run, replace(visit, etag=etag, modified=modified, digest=health.digest))
            return None
        return self._make_job(run, answer.body, answer.content_type, visit)

    def _make_job(self, run: SourceRun, body: bytes, content_type: str, visit: Visit) -> Job | None:
        # Import lazily: a run that reads nothing does not need the modules that clean bodies.
        from feedtool.feedparse.worker import Job

        source = run.requested.source
        digest = digest_of(body, self.settings, source)
        run.visit = replace(visit, digest=digest)
        if digest == run.health.digest and not self._wants_whole_feeds():
            log.debug("ingest", "%s: not read, because the document is the one of the last visit", run.tally.source)
            self.recorder.record_unchanged(run, run.visit)
            return None
        return Job(
            key=run.requested.key,
            body=body,
            url=run.url,
            content_type=content_type,
            source=source,
            html=self.settings.html,
            zone=source.timezone or self.settings.site.timezone,
            language=source.language or self.settings.site.language,
        )

    def _receive(self, parsed: Parsed) -> None:
        run = self.runs[parsed.key]
        run.spent += parsed.seconds
        if parsed.feed is None:
            self.recorder.record_failure(run, "feed", parsed.code or "FT303", parsed.error, parsed.hint)
            return
        feed, source = parsed.feed, run.requested.source
        if not source.name:
            # A file without a configured name takes the title of its feed.
            source = replace(source, name=" ".join(feed.title.split())[:100] or source.url)
            run.tally.source = source.name
        address = run.requested.address or feed.self_url or ""
        origin = origin_of(self.settings, source, address, run.health.formerly, self.reading_rules)
        rules = rules_of(self.settings, source, self.choices, self.reading_rules, fresh=self.has_no_articles)
        if folder := source_folder(rules.folder, source=source.name, categories=source.categories):
            self.lookup.source_folders[source.name] = folder
        run.visit = replace(
            run.visit,
            every=max(feed.ttl or 0, feed.update_period or 0),
            skip_hours=tuple(sorted(feed.skip_hours)),
            skip_days=tuple(sorted(feed.skip_days)),
        )
        run.warnings = tuple(hide_secrets(note, run.secrets) for note in parsed.warnings)
        pending = PendingSource(run, list(parsed.entries), origin, rules)
        if source.full_text:
            self.pages.add(pending)
        else:
            self._upsert(pending)

    def _upsert(self, pending: PendingSource) -> None:
        run = pending.run
        if message := failures_message(pending):
            self.recorder.add_problem(run, "FT309", message, "look at it in a browser", severity="warning")
        run.tally.warnings = [*run.warnings, *warnings_of(pending.entries)]
        done = self.upserter.upsert(pending.entries, pending.origin, pending.rules, run.tally, run.health.seen.split())
        done.complete = done.complete and pending.complete
        self.unfinished.append((run, partial(self._finish_source, run, done, pending.origin, pending.rules)))
        if len(self.unfinished) >= MAX_UNFINISHED:
            self._finish_sources()

    def _finish_sources(self) -> None:
        """Wait for the files that are being written, and record the result of each source."""
        while self.unfinished:
            run, step = self.unfinished.popleft()
            self._run_step(run, step)
        self.upserter.clear_caches()

    def _finish_source(self, run: SourceRun, done: UpsertResult, origin: Origin, rules: Rules) -> None:
        self.upserter.finish(done, origin, rules)
        log.info(
            "ingest",
            "%s: %d new, %d updated, of %d entries",
            run.tally.source,
            run.tally.new,
            run.tally.updated,
            len(done.entry_keys),
        )
        self.recorder.problems += done.problems
        visit = run.visit if done.complete else replace(run.visit, digest="", etag="", modified="")
        tally, seen = run.tally, " ".join(keys_to_remember(done.entry_keys, run.health.seen.split()))
        health = replace(run.health, seen=seen, warnings=run.warnings)
        is_unchanged = not (tally.new or tally.updated) and replace(health, digest=visit.digest) == run.health
        if not is_unchanged or self.recorder.changes_state(run):
            health = after_success(health, visit, self.now, new=done.arrived)
            self.recorder.keep_health(run, replace(health, next=None if run.requested.is_local else health.next))
        self.recorder.count_done(run)

    def _run_step(self, run: SourceRun, step: Callable[[], Result]) -> Result | None:
        """Take one step for one source. Any error becomes the source's Problem and stops no other source."""
        try:
            return step()
        except ModuleNotFoundError:
            raise
        except Exception as error:  # noqa: BLE001 - bodies are hostile, and no source may end the run
            self.recorder.record_failure(run, *failure_of(error))
            return None


def _log_request(run: SourceRun, reason: str) -> None:
    """Log which address is requested; `reason` is why its whole document is wanted, "" if only a changed one is."""
    if not log.is_debugging("ingest"):
        return
    health = run.health
    if not health.etag and not health.modified:
        how = "the whole feed, because no earlier answer named its version"
    else:
        how = f"the whole feed, because of {reason}" if reason else "if it has changed"
    # Others may read a log, and the query may contain a key.
    shown, query, _ = without_password(address(health)).partition("?")
    log.debug("ingest", "%s: request %s, %s", run.tally.source, f"{shown}?…" if query else shown, how)
