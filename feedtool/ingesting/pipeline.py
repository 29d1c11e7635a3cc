"""The ingest: settings in, article files brought up to date with their sources and a report out; the steps in order."""

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

from feedtool import storage
from feedtool.catalog import index as index_room
from feedtool.catalog.reading_rules import reading_rules
from feedtool.config import Settings
from feedtool.errors import FeedtoolError, OutputError, SettingsError
from feedtool.http.models import Failure, Request, Response
from feedtool.ingesting.engines import Parsed, digest_of, failure_of
from feedtool.ingesting.full_text import Pages, PendingSource, rounds, trouble_of
from feedtool.ingesting.lookup import LookupIndex, make_folder
from feedtool.ingesting.memory import Memory, keys_to_remember, record_vanished
from feedtool.ingesting.models import Choices, IngestReport, Tally, Tools, Waiting
from feedtool.ingesting.paths import home_of
from feedtool.ingesting.schedule import Health, Visit, after_failure, after_success, in_turn, is_due, without_resting
from feedtool.ingesting.secrets import hidden, of_address, without_secrets
from feedtool.ingesting.source_selection import RequestedSource, is_read_otherwise, request_of
from feedtool.ingesting.upsert import Rules, Upserter, UpsertResult, rules_of
from feedtool.ingesting.values import Origin, origin_of, warnings_of
from feedtool.ingesting.writer import Writer
from feedtool.models import Problem, Severity
from feedtool.protocols import Clock

if TYPE_CHECKING:
    from feedtool.feedparse.worker import Job

Result = TypeVar("Result")
AT_ONCE = 16
"""Sources whose files may be on their way to the disk."""
SAVE_EVERY = 100
"""Sources after which the state is written, so that a run that is cut short has not been in vain; a tenth of many."""


def ingest(
    settings: Settings, wanted: Iterable[RequestedSource], *, tools: Tools, clock: Clock, choices: Choices | None = None
) -> IngestReport:
    """Visit the wanted sources that are due and bring their articles up to date; say what was done.

    Raises SettingsError, OutputError and LockedError when it can't start; what fails of one source is a Problem and
    touches no other. Articles are written before the state is, and matched against the files there are: a run that is killed
    loses nothing, and the next one makes nothing twice.
    """
    started = time.perf_counter()
    chosen = choices or Choices()
    run = _Run(settings, list(wanted), tools, clock(), chosen)
    with ExitStack() as stack:
        if not chosen.dry_run:
            make_folder(run.root)
            stack.enter_context(index_room.lock(run.derived))
        run.open(stack)
        run.go()
    return replace(run.report(), seconds=time.perf_counter() - started)


class _Run:
    def __init__(
        self, settings: Settings, wanted: list[RequestedSource], tools: Tools, now: datetime, choices: Choices
    ) -> None:
        self.settings = settings
        self.requested = wanted
        self.tools = tools
        self.now = now
        self.choices = choices
        self.root = os.path.realpath(os.path.join(settings.folder, settings.articles.path))
        self.derived = os.path.join(settings.folder, ".feedtool")
        self.reading = reading_rules(settings)
        self.prefix = self.reading.prefix
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        self.waiting: dict[str, Waiting] = {}
        self.shelving: deque[tuple[Waiting, Callable[[], None]]] = deque()
        self.done = 0
        if os.path.exists(self.root) and not os.path.isdir(self.root):
            raise SettingsError("is no folder", where=self.root, hint="set [articles] path")

    def open(self, stack: ExitStack) -> None:
        """Open what the run stands on: the state and the shelf of articles."""
        self.memory = Memory(self.settings.folder)
        # A dry run takes no lock: it may not touch what another run is writing.
        path = None if self.choices.dry_run else os.path.join(self.derived, "ingest")
        self.lookup = stack.enter_context(LookupIndex(self.root, path, zone=self.reading.zone))
        self.notes += self.lookup.notes
        if os.path.isdir(self.root):
            self.lookup.refresh(self.prefix)
        if not self.choices.dry_run:
            storage.sweep(self.lookup.leftovers)
            self.memory.tidy()
        self.problems += self.lookup.problems
        self.fresh = self.lookup.count() == 0
        if not self.fresh:
            record_vanished(self.memory, self.lookup)
        writer = Writer(self.root)
        stack.callback(writer.close)
        self.upserter = Upserter(self.lookup, self.memory, writer, self.now)

    def go(self) -> None:
        """Visit, read and shelve; a source's articles are written before anything is remembered of it."""
        due = self._due()
        if not due:
            # Names and files may have changed all the same.
            self._save()
            return
        try:
            for some in rounds(due):
                self.pages = Pages(self.tools, self.upserter, self.settings.html)
                for parsed in self.tools.parse(self._jobs(some)):
                    self._guarded(self.waiting[parsed.key], partial(self._take, parsed))
                for held in self.pages.go():
                    self._guarded(held.one, partial(self._upsert, held))
        finally:
            self._settle()
            self._save()

    def report(self) -> IngestReport:
        problems = sorted(self.problems, key=lambda one: (one.file, one.line or 0, one.code, one.message))
        tallies = tuple(one.tally for one in self.waiting.values())
        details = self.lookup.details
        return IngestReport(tallies=tallies, problems=tuple(problems), notes=tuple(self.notes), details=details)

    def _jobs(self, due: Iterable[Waiting]) -> Iterator[Job | None]:
        """Yield the bodies that have to be read: of files at hand first, then as servers answer; None while none does."""
        requests = []
        for one in due:
            if one.requested.is_local:
                job = self._guarded(one, partial(self._local, one))
                if job is not None:
                    yield job
            else:
                request = self._guarded(one, partial(self._request, one))
                if request is not None:
                    requests.append(request)
        if requests:
            for answer in self.tools.fetch(requests):
                if answer is None:
                    # What has been read is written and remembered, however long the others take.
                    self._settle()
                    yield None
                    continue
                job = self._guarded(self.waiting[answer.key], partial(self._answered, answer))
                if job is not None:
                    yield job

    def _due(self) -> list[Waiting]:
        due = []
        names = [source.name for source in self.settings.sources]
        for wanted in self.requested:
            self.memory.rename(wanted.key, wanted.address, names)
            health = self.memory.health(wanted.key, wanted.address)
            if self.fresh and health.seen:
                # Nothing is left of what was brought before: bring it again, but no sooner than a failure allows.
                again = health.next if health.failures else None
                health = replace(health, digest="", etag="", modified="", next=again, seen="")
            tally = Tally(source=wanted.source.name or wanted.source.url, next=health.next, warnings=[*health.warnings])
            one = Waiting(wanted, health, tally)
            self.waiting[wanted.key] = one
            if wanted.is_local or self.choices.force or self._is_due(one):
                due.append(one)
        due = in_turn(due)
        return due if self.choices.force else without_resting(due, self.waiting.values(), self.now)

    def _is_due(self, one: Waiting) -> bool:
        if one.health.muted:
            if one.requested.named:
                return True
            one.tally.outcome, one.tally.message = "muted", one.health.muted
            hint = "take it out of feedtool.toml, or name it to try again"
            message = f"left alone: {one.health.muted}"
            self._problem(one, "FT302", message, hint, severity="warning")
            return False
        if is_due(one.health, self.now):
            return True
        one.tally.outcome = "waiting"
        return False

    def _local(self, one: Waiting) -> Job | None:
        body = one.requested.data
        if body is None:
            try:
                body = storage.read(os.path.join(self.settings.folder, one.requested.source.url))
            except OSError as error:
                self._failed(one, "file", "FT308", f"cannot be read: {error.strerror}", "check the path")
                return None
        return self._job(one, body, "", Visit())

    def _request(self, one: Waiting) -> Request | None:
        try:
            otherwise = is_read_otherwise(self.settings, one.requested.source, one.health)
            one.secrets = of_address(one.requested.address, self.tools.environment)
            return request_of(one.requested, one.health, self.tools.environment, whole=otherwise or self._is_whole())
        except FeedtoolError as error:
            self._failed(one, "", "FT306", error.what, error.hint)
            return None

    def _is_whole(self) -> bool:
        return self.choices.force or self.choices.limit is not None or self.choices.since is not None

    def _answered(self, answer: Response | Failure) -> Job | None:
        one = self.waiting[answer.key]
        one.spent += answer.seconds
        if isinstance(answer, Response):
            answer = without_secrets(answer, one.requested.address, one.secrets)
        one.url = answer.url
        if isinstance(answer, Failure) and answer.kind == "late":
            self._left_over(one, answer)
            return None
        if isinstance(answer, Failure):
            code = "FT302" if answer.kind == "gone" else "FT301"
            self._failed(one, answer.kind, code, answer.message, answer.hint, retry_after=answer.retry_after)
            return None
        one.tally.bytes = answer.wire_bytes
        visit = Visit(
            etag=answer.etag or "",
            modified=answer.last_modified or "",
            max_age=answer.max_age,
            permanent_url=answer.permanent_url,
            every=one.health.every,
            skip_hours=one.health.skip_hours,
            skip_days=one.health.skip_days,
        )
        if answer.status == 304:
            health = one.health
            etag, modified = visit.etag or health.etag, visit.modified or health.modified
            self._same(one, replace(visit, etag=etag, modified=modified, digest=health.digest))
            return None
        return self._job(one, answer.body, answer.content_type, visit)

    def _left_over(self, one: Waiting, answer: Failure) -> None:
        """Leave a source as it was: nothing is known against it, and the longer it has waited, the sooner it is next."""
        one.tally.outcome, one.tally.message = "late", answer.message
        self._count(one)

    def _job(self, one: Waiting, body: bytes, content_type: str, visit: Visit) -> Job | None:
        from feedtool.feedparse.worker import Job  # A run that reads nothing needs none of what cleans bodies.

        source = one.requested.source
        digest = digest_of(body, self.settings, source)
        one.visit = replace(visit, digest=digest)
        if digest == one.health.digest and not self._is_whole():
            self._same(one, one.visit)
            return None
        return Job(
            key=one.requested.key,
            body=body,
            url=one.url,
            content_type=content_type,
            source=source,
            html=self.settings.html,
            zone=source.timezone or self.settings.site.timezone,
            language=source.language or self.settings.site.language,
        )

    def _same(self, one: Waiting, visit: Visit) -> None:
        """Note a visit that brought nothing new. One that was not due leaves no trace: else `--force` would always
        change `feedtool.state`."""
        one.tally.outcome = "unchanged"
        if self._leaves_trace(one):
            self._keep(one, after_success(one.health, visit, self.now))
        self._count(one)

    def _leaves_trace(self, one: Waiting) -> bool:
        health = one.health
        return bool(health.failures or health.muted) or (not one.requested.is_local and is_due(health, self.now))

    def _take(self, parsed: Parsed) -> None:
        one = self.waiting[parsed.key]
        one.spent += parsed.seconds
        if parsed.feed is None:
            self._failed(one, "feed", parsed.code or "FT303", parsed.error, parsed.hint)
            return
        feed, source = parsed.feed, one.requested.source
        if not source.name:
            # A file that was given no name goes by its feed's own.
            source = replace(source, name=" ".join(feed.title.split())[:100] or source.url)
            one.tally.source = source.name
        address = one.requested.address or feed.self_url or ""
        origin = origin_of(self.settings, source, address, one.health.formerly, self.reading)
        rules = rules_of(self.settings, source, self.choices, self.reading, fresh=self.fresh)
        if home := home_of(rules.folder, source=source.name, categories=source.categories):
            self.lookup.homes[source.name] = home
        one.visit = replace(
            one.visit,
            every=max(feed.ttl or 0, feed.update_period or 0),
            skip_hours=tuple(sorted(feed.skip_hours)),
            skip_days=tuple(sorted(feed.skip_days)),
        )
        one.warnings = tuple(hidden(note, one.secrets) for note in parsed.warnings)
        held = PendingSource(one, list(parsed.entries), origin, rules)
        if source.full_text:
            self.pages.hold(held)
        else:
            self._upsert(held)

    def _upsert(self, held: PendingSource) -> None:
        one = held.one
        if trouble := trouble_of(held):
            self._problem(one, "FT309", trouble, "look at it in a browser", severity="warning")
        one.tally.warnings = [*one.warnings, *warnings_of(held.entries)]
        done = self.upserter.upsert(held.entries, held.origin, held.rules, one.tally, one.health.seen.split())
        done.complete = done.complete and held.complete
        self.shelving.append((one, partial(self._shelved, one, done, held.origin, held.rules)))
        if len(self.shelving) >= AT_ONCE:
            self._settle()

    def _settle(self) -> None:
        """Wait for the files that are being written, and note how each source did."""
        while self.shelving:
            one, step = self.shelving.popleft()
            self._guarded(one, step)
        self.upserter.rest()

    def _shelved(self, one: Waiting, done: UpsertResult, origin: Origin, rules: Rules) -> None:
        self.upserter.finish(done, origin, rules)
        self.problems += done.problems
        visit = one.visit if done.complete else replace(one.visit, digest="", etag="", modified="")
        tally, seen = one.tally, " ".join(keys_to_remember(done.entry_keys, one.health.seen.split()))
        health = replace(one.health, seen=seen, warnings=one.warnings)
        nothing = not (tally.new or tally.updated) and replace(health, digest=visit.digest) == one.health
        if not nothing or self._leaves_trace(one):
            health = after_success(health, visit, self.now, new=done.arrived)
            self._keep(one, replace(health, next=None if one.requested.is_local else health.next))
        self._count(one)

    def _guarded(self, one: Waiting, step: Callable[[], Result]) -> Result | None:
        """Take one step for one source: whatever goes wrong there is its Problem and stops no other."""
        try:
            return step()
        except ModuleNotFoundError:
            raise
        except Exception as error:  # noqa: BLE001  Bodies are hostile, and no source may end the run.
            self._failed(one, *failure_of(error))
            return None

    def _failed(
        self, one: Waiting, kind: str, code: str, message: str, hint: str = "", retry_after: int | None = None
    ) -> None:
        message, hint = hidden(message, one.secrets), hidden(hint, one.secrets)
        one.tally.outcome, one.tally.message = "failed", message
        self._problem(one, code, message, hint)
        if kind and not one.requested.is_local:
            self._keep(one, after_failure(one.health, kind, message, self.now, retry_after=retry_after))
        self._count(one)

    def _problem(self, one: Waiting, code: str, message: str, hint: str = "", *, severity: Severity = "error") -> None:
        wanted = one.requested
        self.problems.append(
            Problem(
                file=wanted.file,
                line=wanted.line,
                code=code,
                message=f"{one.tally.source}: {message}",
                hint=hint,
                severity=severity,
            )
        )

    def _keep(self, one: Waiting, health: Health) -> None:
        was, one.health = one.health, health
        one.tally.next = health.next
        settled = health.moved and health.sightings >= 3
        if settled and not (was.moved == health.moved and was.sightings >= 3):
            hint = "write the new address into feedtool.toml; until then it is fetched from there anyway"
            self._problem(one, "FT305", f"has moved for good to {health.moved}", hint, severity="warning")
        if not self.choices.dry_run:
            self.memory.keep_health(one.requested.key, health)

    def _count(self, one: Waiting) -> None:
        self.done += 1
        one.tally.ms = round(one.spent * 1000)
        if self.choices.progress is not None:
            self.choices.progress(one.tally.source, self.done, len(self.requested))
        if not self.done % max(SAVE_EVERY, len(self.requested) // 10):
            self._save()

    def _save(self) -> None:
        """Write what was learned. Articles stand without it: where it can't be written, that is a Problem of the run."""
        if self.choices.dry_run:
            return
        try:
            # What the state says is here has to outlast a power cut before the state does.
            self.upserter.writer.make_durable()
            self.lookup.commit()
            self.memory.save()
        except OutputError as error:
            where = os.path.relpath(error.where or self.derived, self.settings.folder)
            found = Problem(file=where, code="FT307", message=error.what, hint=error.hint)
            self.problems += [] if found in self.problems else [found]
