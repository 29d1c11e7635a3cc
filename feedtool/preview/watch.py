"""Watch the files that a site's build depends on, by comparing their stat data.

A look costs 3 us an article, needs no library and works on every file system; on large sites it is taken less often.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from feedtool import storage
from feedtool.catalog.reading_rules import generator_folder, generator_of
from feedtool.config import Settings
from feedtool.dialects import settings_files

PERIOD = 0.5
"""Seconds between two looks."""
SHARE = 0.1
"""The share of one core's time that watching may take."""


class Watch:
    """The state of a site's files at the last look."""

    def __init__(self, settings: Callable[[], Settings]) -> None:
        self._settings = settings
        self._last: Any = None
        self.cost = 0.0

    def has_changed(self) -> bool:
        """Return True if the files differ from the last look, or if this is the first one."""
        started = time.perf_counter()
        snapshot = self._snapshot()
        changed = bool(snapshot != self._last)
        self._last = snapshot
        self.cost = time.perf_counter() - started
        return changed

    @property
    def pause(self) -> float:
        """Seconds to wait before the next look."""
        return max(PERIOD, self.cost / SHARE)

    def _snapshot(self) -> Any:
        settings = self._settings()
        articles = os.path.realpath(os.path.join(settings.folder, settings.articles.path))
        templates = os.path.join(settings.folder, "templates")
        names = sorted(os.listdir(templates)) if os.path.isdir(templates) else []
        beside = [os.path.join(settings.folder, "feedtool.toml"), *(os.path.join(templates, name) for name in names)]
        generator = generator_of(settings)
        if generator != "plain":
            folder, _ = generator_folder(settings)
            beside += [os.path.join(folder, *name.split("/")) for name in settings_files(generator)]
        return list(storage.walk_articles(articles, problems=[], prefix="")), [(path, _stamp(path)) for path in beside]


def _stamp(path: str) -> tuple[int, int, int]:
    try:
        status = os.stat(path)
    except OSError:
        return (0, 0, 0)
    return (status.st_size, status.st_mtime_ns, status.st_ino)
