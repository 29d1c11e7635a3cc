"""feedtool turns a folder of article files into Atom, RSS and JSON feeds, and feeds back into article files.

The commands are also functions:

    from feedtool import build, load_settings, read_article
    report = build("site", limit=20)
    for problem in report.problems:
        print(problem)

Modules are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from feedtool.api import build, check, explain, read_article
    from feedtool.config import Settings, load_settings
    from feedtool.errors import FeedtoolError, LockedError, OutputError, SettingsError, UsageError
    from feedtool.models import Article, Author, Enclosure, Problem, Report, Source

__version__ = "0.1.0"

_HOMES = {
    "build": "api",
    "check": "api",
    "explain": "api",
    "read_article": "api",
    "load_settings": "config",
    "Settings": "config",
    "Article": "models",
    "Author": "models",
    "Enclosure": "models",
    "Problem": "models",
    "Report": "models",
    "Source": "models",
    "FeedtoolError": "errors",
    "LockedError": "errors",
    "OutputError": "errors",
    "SettingsError": "errors",
    "UsageError": "errors",
}

__all__ = [
    "Article",
    "Author",
    "Enclosure",
    "FeedtoolError",
    "LockedError",
    "OutputError",
    "Problem",
    "Report",
    "Settings",
    "SettingsError",
    "Source",
    "UsageError",
    "__version__",
    "build",
    "check",
    "explain",
    "load_settings",
    "read_article",
]


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'feedtool' has no attribute {name!r}")
    return getattr(import_module(f"feedtool.{_HOMES[name]}"), name)
