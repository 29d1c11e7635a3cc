"""A site's settings in, whether anything that its build depends on has changed out, by looking; nothing is built.

Looking costs 3 us an article, so it needs no library and works on every file system; on large sites it is done seldomer.
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
"""The part of one core that looking may take."""


class Watch:
    """What the files of a site looked like last."""

    def __init__(self, settings: Callable[[], Settings]) -> None:
        self._settings = settings
        self._seen: Any = None
        self.cost = 0.0

    def has_changed(self) -> bool:
        """Look at the files; say whether they are other than at the last look. True the first time."""
        started = time.perf_counter()
        seen = self._look()
        changed = bool(seen != self._seen)
        self._seen = seen
        self.cost = time.perf_counter() - started
        return changed

    @property
    def pause(self) -> float:
        """Seconds to wait before the next look."""
        return max(PERIOD, self.cost / SHARE)

    def _look(self) -> Any:
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
        found = os.stat(path)
    except OSError:
        return (0, 0, 0)
    return (found.st_size, found.st_mtime_ns, found.st_ino)
