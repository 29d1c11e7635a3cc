"""A site's folder in, its preview built in `.feedtool/preview/` out, the last good one kept when a build fails.

The preview is a site of its own beside yours: another address, perhaps drafts. Its index, its lock and what it takes
for published are its own too, so that a preview never changes what `feedtool build` does next.
"""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass, replace

from feedtool import storage
from feedtool.catalog.git import is_tracked
from feedtool.catalog.index import make_folder
from feedtool.config import Settings, load_settings
from feedtool.errors import FeedtoolError
from feedtool.models import Problem, Report
from feedtool.protocols import Clock, Mapper, in_order
from feedtool.publish import Choices, build
from feedtool.state import FILE as STATE

PLACE = os.path.join(".feedtool", "preview")
OUTPUT = "public"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a build went: its report, or the error that kept it from starting. `seconds` with all that it takes."""

    report: Report | None = None
    error: str = ""
    seconds: float = 0.0

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What the build complained of."""
        return () if self.report is None else self.report.problems


class Preview:
    """One site's preview, which can be built again and again. `settings` are the last ones that could be read."""

    def __init__(self, settings: Settings, *, base_url: str, choices: Choices, clock: Clock) -> None:
        self.settings = settings
        self.folder = os.path.join(settings.folder, PLACE)
        self.output = os.path.join(self.folder, OUTPUT)
        self._base_url = base_url
        self._choices = choices
        self._clock = clock

    def build(self, *, mapper: Mapper = in_order, settings: Settings | None = None) -> Outcome:
        """Bring the preview up to date; what keeps it from being built is in the outcome and changes nothing.

        `settings` are read anew where none are given.
        """
        started = time.perf_counter()
        try:
            self.settings = settings or load_settings(self.settings.folder)
            self._prepare()
            report = build(self._own_settings(), mapper=mapper, clock=self._clock, choices=self._choices)
        except FeedtoolError as error:
            return Outcome(error=str(error), seconds=time.perf_counter() - started)
        except OSError as error:
            where = f"{error.filename}: " if isinstance(error.filename, str) else ""
            text = f"{where}cannot be used: {error.strerror or error}"
            return Outcome(error=text, seconds=time.perf_counter() - started)
        report = replace(report, problems=tuple(map(self._as_of_site, report.problems)))
        return Outcome(report=report, seconds=time.perf_counter() - started)

    def _own_settings(self) -> Settings:
        site = self.settings
        articles = replace(site.articles, path=os.path.realpath(os.path.join(site.folder, site.articles.path)))
        return replace(site, folder=self.folder, articles=articles, output=OUTPUT, base_url=self._base_url)

    def _as_of_site(self, problem: Problem) -> Problem:
        """Name files as seen from the site's folder and not from the preview's."""
        full = os.path.normpath(os.path.join(self.folder, problem.file))
        top = os.path.realpath(self.settings.folder) + os.sep
        return replace(problem, file=full[len(top) :].replace(os.sep, "/")) if full.startswith(top) else problem

    def _prepare(self) -> None:
        """Give the preview what a build finds beside the settings: what was deleted, and the site's own templates."""
        # In this order: no link may lead what follows elsewhere.
        make_folder(os.path.join(self.settings.folder, ".feedtool"))
        if os.path.isdir(self.folder) and not os.path.islink(self.folder) and is_tracked(self.folder):
            # Its pages would be served, whoever committed them.
            shutil.rmtree(self.folder)
        make_folder(self.folder)
        self._copy(STATE)
        templates = os.path.join(self.settings.folder, "templates")
        there = set(os.listdir(templates)) if os.path.isdir(templates) else set()
        mine = os.path.join(self.folder, "templates")
        for name in there | (set(os.listdir(mine)) if os.path.isdir(mine) else set()):
            if name.endswith((".html", ".css")):
                self._copy(os.path.join("templates", name))

    def _copy(self, path: str) -> None:
        data = storage.read_or_none(os.path.join(self.settings.folder, path))
        mine = os.path.join(self.folder, path)
        if data is None:
            storage.remove(mine)
        elif data != storage.read_or_none(mine):
            storage.write(mine, data)
