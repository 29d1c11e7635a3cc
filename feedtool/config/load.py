"""A folder, the environment and options in, the settings of the site found there out; nothing is written."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from feedtool.config.parse import parse_settings
from feedtool.config.schema import Settings
from feedtool.errors import SettingsError

FILE = "feedtool.toml"
EXAMPLE = "feeds"


def load_settings(
    site: str | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    options: Mapping[str, object] | None = None,
    cwd: str | None = None,
) -> Settings:
    """Return the settings of a site; raise SettingsError when there is none or when it holds something unusable.

    The site is the folder named (or the feedtool.toml in it), else FEEDTOOL_SITE, else the nearest of the current
    folder and its parents that holds a feedtool.toml, else ./feeds. A folder that was named needs no feedtool.toml.
    """
    environment = os.environ if environment is None else environment
    cwd = os.path.abspath(cwd or os.getcwd())
    folder, file = _find(site, environment, cwd)
    text = _read(file, _short(file, cwd)) if file else ""
    settings = parse_settings(
        text, file=_short(file, cwd) or FILE, environment=environment, options={} if options is None else options
    )
    return replace(settings, folder=folder, file=file)


def _find(site: str | None, environment: Mapping[str, str], cwd: str) -> tuple[str, str]:
    """Return the site folder and its feedtool.toml, or "" where it has none."""
    named = site or environment.get("FEEDTOOL_SITE", "")
    if named:
        return _named(os.path.abspath(os.path.join(cwd, os.path.expanduser(named))), "-C" if site else "FEEDTOOL_SITE")
    folder, above = cwd, ""
    while folder != above:
        if os.path.isfile(os.path.join(folder, FILE)):
            return folder, os.path.join(folder, FILE)
        folder, above = os.path.dirname(folder), folder
    folder = os.path.join(cwd, EXAMPLE)
    if os.path.isfile(os.path.join(folder, FILE)):
        return folder, os.path.join(folder, FILE)
    raise SettingsError(
        f"there is no {FILE} in this folder, in one above it or in ./{EXAMPLE}",
        hint="name the site folder with -C, or make a site with: feedtool init",
    )


def _named(place: str, origin: str) -> tuple[str, str]:
    if os.path.isfile(place) and os.path.basename(place) == FILE:
        return os.path.dirname(place), place
    if not os.path.isdir(place):
        raise SettingsError(
            f"there is no folder {place}", where=origin, hint="name the folder that holds feedtool.toml"
        )
    file = os.path.join(place, FILE)
    return place, file if os.path.isfile(file) else ""


def _read(file: str, shown: str) -> str:
    try:
        with open(file, "rb") as stream:
            data = stream.read()
    except OSError as error:
        raise SettingsError(f"cannot be read: {error.strerror}", where=shown) from error
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = len(data[data.rfind(b"\n", 0, error.start) + 1 : error.start].decode("utf-8", "replace")) + 1
        raise SettingsError("is not UTF-8", where=shown, line=line, column=column, hint="save it as UTF-8") from error


def _short(file: str, cwd: str) -> str:
    """Return the path as a person in `cwd` would write it: relative when it lies below."""
    inside = cwd.rstrip(os.sep) + os.sep
    return file[len(inside) :].replace(os.sep, "/") if file.startswith(inside) else file
