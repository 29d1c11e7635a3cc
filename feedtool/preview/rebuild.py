"""Build the preview of a site in `.feedtool/preview/`, keeping the last good one when a build fails.

The preview is a site of its own with another address, and perhaps with drafts. It has its own index, lock and record of
what is published, so that a preview never changes what `feedtool build` does next.
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
    """The result of a build: its report, or the error that prevented it. `seconds` covers the whole step."""

    report: Report | None = None
    error: str = ""
    seconds: float = 0.0

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The problems that the build reported."""
        return () if self.report is None else self.report.problems


class Preview:
    """The preview of one site, which can be built repeatedly. `settings` are the last ones that could be read."""

    def __init__(self, settings: Settings, *, base_url: str, choices: Choices, clock: Clock) -> None:
        self.settings = settings
        self.folder = os.path.join(settings.folder, PLACE)
        self.output = os.path.join(self.folder, OUTPUT)
        self._base_url = base_url
        self._choices = choices
        self._clock = clock

    def build(self, *, mapper: Mapper = in_order, settings: Settings | None = None) -> Outcome:
        """Bring the preview up to date. If that is impossible, return the error in the outcome and change nothing.

        `settings` are loaded again if none are given.
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
        report = replace(report, problems=tuple(map(self._relative_to_site, report.problems)))
        return Outcome(report=report, seconds=time.perf_counter() - started)

    def _own_settings(self) -> Settings:
        site = self.settings
        articles = replace(site.articles, path=os.path.realpath(os.path.join(site.folder, site.articles.path)))
        return replace(site, folder=self.folder, articles=articles, output=OUTPUT, base_url=self._base_url)

    def _relative_to_site(self, problem: Problem) -> Problem:
        """Return a problem whose file is relative to the site's folder instead of the preview's."""
        full = os.path.normpath(os.path.join(self.folder, problem.file))
        top = os.path.realpath(self.settings.folder) + os.sep
        return replace(problem, file=full[len(top) :].replace(os.sep, "/")) if full.startswith(top) else problem

    def _prepare(self) -> None:
        """Copy the files beside the settings that a build reads: `feedtool.state`, and the site's own templates."""
        # In this order, so that no link can redirect the later steps.
        make_folder(os.path.join(self.settings.folder, ".feedtool"))
        if os.path.isdir(self.folder) and not os.path.islink(self.folder) and is_tracked(self.folder):
            # A committed preview could come from anybody, and its pages would be served.
            shutil.rmtree(self.folder)
        make_folder(self.folder)
        self._copy(STATE)
        templates = os.path.join(self.settings.folder, "templates")
        names = set(os.listdir(templates)) if os.path.isdir(templates) else set()
        mine = os.path.join(self.folder, "templates")
        for name in names | (set(os.listdir(mine)) if os.path.isdir(mine) else set()):
            if name.endswith((".html", ".css")):
                self._copy(os.path.join("templates", name))

    def _copy(self, path: str) -> None:
        data = storage.read_or_none(os.path.join(self.settings.folder, path))
        mine = os.path.join(self.folder, path)
        if data is None:
            storage.remove(mine)
        elif data != storage.read_or_none(mine):
            storage.write(mine, data)
