"""The commands of feedtool as functions."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from feedtool.config import Settings, load_settings
from feedtool.errors import FeedtoolError
from feedtool.filenames import require_utf8
from feedtool.interrupts import counting
from feedtool.models import Article, Problem, Report
from feedtool.workers import mapper

if TYPE_CHECKING:
    from feedtool.checking.lint import Checked
    from feedtool.explaining import Explanation

Site = str | os.PathLike[str] | Settings | None
"""The folder of a site, its settings, or None for the site that the current folder belongs to."""


def build(
    site: Site = None,
    *,
    output: str | os.PathLike[str] | None = None,
    base_url: str | None = None,
    limit: int | None = None,
    drafts: bool = False,
    future: bool = False,
    dry_run: bool = False,
    jobs: int | None = None,
) -> Report:
    """Bring a site's output folder up to date, as `feedtool build` does, and return a report.

    A bad article is left out, and is a Problem in the report. Raise SettingsError, OutputError or LockedError if the
    build can't start. `output` is relative to the current folder; `jobs` is the number of processes, None for one a
    core. If `site` is a Settings, it holds `output`, `base_url` and `limit` already, and giving them here raises
    TypeError.
    """
    from feedtool.publish import Choices, utc_now
    from feedtool.publish import build as run_build

    folder = os.path.abspath(output) if output is not None else None
    settings = _settings(site, {"output": folder, "base_url": base_url, "feeds.limit": limit})
    with counting(), mapper(jobs) as engine:
        choices = Choices(drafts=drafts, future=future, dry_run=dry_run)
        return run_build(settings, mapper=engine, clock=utc_now, choices=choices)


def check(site: Site = None, *, fix: bool = False, jobs: int | None = None) -> Checked:
    """Return every problem of a site's articles and settings, as `feedtool check` does.

    With `fix`, fix the problems that are safe to fix. Raise the same errors as `build` for a site that can't be built.
    """
    from feedtool.checking.lint import check as run_check

    with counting(), mapper(jobs) as engine:
        return run_check(_settings(site, {}), mapper=engine, fix=fix)


def explain(file: str | os.PathLike[str], site: Site = None) -> Explanation:
    """Return how an article file is read and what becomes of it; raise UsageError if it is not an article of the site."""
    from feedtool.explaining import explain as run_explain
    from feedtool.publish import utc_now

    return run_explain(_settings(site, {}), os.fspath(file), utc_now())


def read_article(file: str | os.PathLike[str], site: Site = None) -> tuple[Article | None, tuple[Problem, ...]]:
    """Return the article in a file, or None, with the Problems of reading it; raise OSError if the file can't be opened.

    Dates without a zone and ids depend on the site. If `site` is None, it is the site of the file's folder; if there is
    none, the zone is UTC and the authority "localhost".
    """
    from feedtool import storage
    from feedtool.articles import Rules
    from feedtool.articles import read_article as read
    from feedtool.catalog.reading_rules import reading_rules

    require_utf8()
    full = os.path.abspath(file)
    data = storage.read_article(full)
    try:
        settings = load_settings(cwd=os.path.dirname(full)) if site is None else _settings(site, {})
    except FeedtoolError:
        if site is not None:
            raise
        return read(os.path.basename(full), data, Rules(prefix=""))
    root = os.path.realpath(os.path.join(settings.folder, settings.articles.path))
    inside = os.path.realpath(full).startswith(root + os.sep)
    path = os.path.relpath(os.path.realpath(full), root) if inside else os.path.basename(full)
    return read(path.replace(os.sep, "/"), data, reading_rules(settings))


def _settings(site: Site, options: dict[str, object]) -> Settings:
    values = {key: value for key, value in options.items() if value is not None}
    if isinstance(site, Settings):
        if values:
            raise TypeError(f"{', '.join(values)}: give these to load_settings(options=…), or name the site's folder")
        return site
    return load_settings(None if site is None else os.fspath(site), options=values)
