"""Combine the defaults, feedtool.toml, environment variables and options into one frozen `Settings` object.

`parse_settings` is pure; `load_settings` finds and reads the file. To add a setting, edit `schema.py` alone.
"""

from __future__ import annotations

from feedtool.config.json_schema import settings_schema
from feedtool.config.load import load_settings
from feedtool.config.parse import InvalidSettingsError, parse_settings
from feedtool.config.schema import (
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
    "settings_schema",
]
