"""Record the result of each source in its tally, in problems and in the state."""

from __future__ import annotations

import os
from datetime import datetime

from feedtool.config import Settings
from feedtool.errors import OutputError
from feedtool.http.models import Failure
from feedtool.ingesting.models import Choices, SourceRun
from feedtool.ingesting.schedule import Health, Visit, after_failure, after_success, is_due
from feedtool.ingesting.secrets import hide_secrets
from feedtool.ingesting.upsert import Upserter
from feedtool.models import Problem, Severity

SAVE_EVERY = 100
"""Sources after which the state is saved, so that an interrupted run is not wasted. With many sources, it is a tenth of them."""


class Recorder:
    """Record what happens to the sources of one run.

    `total` is the number of the requested sources, for showing progress.
    """

    def __init__(self, settings: Settings, total: int, upserter: Upserter, *, choices: Choices, now: datetime) -> None:
        self.folder = settings.folder
        self.total = total
        self.memory = upserter.memory
        self.lookup = upserter.lookup
        self.writer = upserter.writer
        self.choices = choices
        self.now = now
        self.problems: list[Problem] = []
        self.done = 0

    def record_failure(
        self, run: SourceRun, kind: str, code: str, message: str, hint: str = "", retry_after: int | None = None
    ) -> None:
        """Record a failed visit. A failure without a `kind` is not the source's fault and leaves its health unchanged."""
        message, hint = hide_secrets(message, run.secrets), hide_secrets(hint, run.secrets)
        run.tally.outcome, run.tally.message = "failed", message
        self.add_problem(run, code, message, hint)
        if kind and not run.requested.is_local:
            self.keep_health(run, after_failure(run.health, kind, message, self.now, retry_after=retry_after))
        self.count_done(run)

    def record_late(self, run: SourceRun, answer: Failure) -> None:
        """Leave the state of a source unchanged. The longer it has been due, the earlier it comes in the next run."""
        run.tally.outcome, run.tally.message = "late", answer.message
        self.count_done(run)

    def record_unchanged(self, run: SourceRun, visit: Visit) -> None:
        """Record a visit without anything new.

        A visit that was not due changes nothing in the state. Otherwise `--force` would always change `feedtool.state`.
        """
        run.tally.outcome = "unchanged"
        if self.changes_state(run):
            self.keep_health(run, after_success(run.health, visit, self.now))
        self.count_done(run)

    def changes_state(self, run: SourceRun) -> bool:
        """Return True if a visit without anything new is to be remembered in the state."""
        health = run.health
        return bool(health.failures or health.muted) or (not run.requested.is_local and is_due(health, self.now))

    def add_problem(
        self, run: SourceRun, code: str, message: str, hint: str = "", *, severity: Severity = "error"
    ) -> None:
        """Add a problem with a source, at the position of its settings."""
        requested = run.requested
        self.problems.append(
            Problem(
                file=requested.file,
                line=requested.line,
                code=code,
                message=f"{run.tally.source}: {message}",
                hint=hint,
                severity=severity,
            )
        )

    def keep_health(self, run: SourceRun, health: Health) -> None:
        """Remember the health of a source, and report a redirect that has just been confirmed."""
        previous, run.health = run.health, health
        run.tally.next = health.next
        is_confirmed = health.moved and health.sightings >= 3
        if is_confirmed and not (previous.moved == health.moved and previous.sightings >= 3):
            hint = "write the new address into feedtool.toml; it is fetched from there already"
            self.add_problem(run, "FT305", f"has moved permanently to {health.moved}", hint, severity="warning")
        if not self.choices.dry_run:
            self.memory.keep_health(run.requested.key, health)

    def count_done(self, run: SourceRun) -> None:
        """Count a source as done, show the progress, and save the results from time to time."""
        self.done += 1
        run.tally.ms = round(run.spent * 1000)
        if self.choices.progress is not None:
            self.choices.progress(run.tally.source, self.done, self.total)
        if not self.done % max(SAVE_EVERY, self.total // 10):
            self.save()

    def save(self) -> None:
        """Save the results so far.

        The articles do not depend on them, so an error is only a Problem of the run.
        """
        if self.choices.dry_run:
            return
        try:
            # The articles must survive a power cut before the state that mentions them does.
            self.writer.make_durable()
            self.lookup.commit()
            self.memory.save()
        except OutputError as error:
            where = os.path.relpath(error.where or os.path.join(self.folder, ".feedtool"), self.folder)
            problem = Problem(file=where, code="FT307", message=error.what, hint=error.hint)
            self.problems += [] if problem in self.problems else [problem]
