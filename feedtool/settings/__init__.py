"""Defaults, feedtool.toml, environment and options in, one frozen tree of settings out.

`parse_settings` is pure; `load_settings` finds and reads the file. A setting is added in `tree.py` alone.
"""

from __future__ import annotations

from feedtool.settings.find import load_settings
from feedtool.settings.read import InvalidSettingsError, parse_settings
from feedtool.settings.schema import schema
from feedtool.settings.tree import (
    THEME_NAMES,
    Articles,
    CategorySettings,
    Feeds,
    Html,
    Ingest,
    Pages,
    Select,
    Settings,
    Site,
    SourceSettings,
)

__all__ = [
    "THEME_NAMES",
    "Articles",
    "CategorySettings",
    "Feeds",
    "Html",
    "Ingest",
    "InvalidSettingsError",
    "Pages",
    "Select",
    "Settings",
    "Site",
    "SourceSettings",
    "load_settings",
    "parse_settings",
    "schema",
]
