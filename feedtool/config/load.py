"""Find a site's feedtool.toml and read it; write nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from feedtool.config.parse import parse_settings
from feedtool.config.schema import Settings
from feedtool.errors import SettingsError
from feedtool.filenames import require_utf8

FILE = "feedtool.toml"
DEFAULT_SITE = "feeds"


def load_settings(
    site: str | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    options: Mapping[str, object] | None = None,
    cwd: str | None = None,
) -> Settings:
    """Return the settings of a site. Raise SettingsError if there is no site, if a setting is invalid, or if the locale is not
    one of UTF-8 (`feedtool.filenames`).

    The site is the folder `site` (or the folder of the feedtool.toml that `site` names), else FEEDTOOL_SITE, else the
    nearest of the current folder and its parents with a feedtool.toml, else ./feeds. A folder named explicitly needs no
    feedtool.toml.
    """
    require_utf8()
    environment = os.environ if environment is None else environment
    cwd = os.path.abspath(cwd or os.getcwd())
    folder, file = _find(site, environment, cwd)
    text = _read(file, _relative(file, cwd)) if file else ""
    settings = parse_settings(
        text, file=_relative(file, cwd) or FILE, environment=environment, options={} if options is None else options
    )
    return replace(settings, folder=folder, file=file)


def _find(site: str | None, environment: Mapping[str, str], cwd: str) -> tuple[str, str]:
    """Return the site folder and the path of its feedtool.toml, "" if it has none."""
    name = site or environment.get("FEEDTOOL_SITE", "")
    if name:
        path = os.path.abspath(os.path.join(cwd, os.path.expanduser(name)))
        return _explicit_site(path, "option site" if site else "FEEDTOOL_SITE")
    folder, above = cwd, ""
    while folder != above:
        if os.path.isfile(os.path.join(folder, FILE)):
            return folder, os.path.join(folder, FILE)
        folder, above = os.path.dirname(folder), folder
    folder = os.path.join(cwd, DEFAULT_SITE)
    if os.path.isfile(os.path.join(folder, FILE)):
        return folder, os.path.join(folder, FILE)
    raise SettingsError(
        f"there is no {FILE} in this folder, in any folder above it or in ./{DEFAULT_SITE}",
        hint="name the site folder, or create a site with: feedtool init",
    )


def _explicit_site(path: str, origin: str) -> tuple[str, str]:
    if os.path.isfile(path) and os.path.basename(path) == FILE:
        return os.path.dirname(path), path
    if not os.path.isdir(path):
        raise SettingsError(
            f"there is no folder {path}", where=origin, hint="name the folder that contains feedtool.toml"
        )
    file = os.path.join(path, FILE)
    return path, file if os.path.isfile(file) else ""


def _read(file: str, name: str) -> str:
    try:
        with open(file, "rb") as stream:
            data = stream.read()
    except OSError as error:
        raise SettingsError(f"cannot be read: {error.strerror}", where=name) from error
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = len(data[data.rfind(b"\n", 0, error.start) + 1 : error.start].decode("utf-8", "replace")) + 1
        raise SettingsError("is not UTF-8", where=name, line=line, column=column, hint="save it as UTF-8") from error


def _relative(file: str, cwd: str) -> str:
    """Return the path relative to `cwd` if it is below it, else unchanged."""
    inside = cwd.rstrip(os.sep) + os.sep
    return file[len(inside) :].replace(os.sep, "/") if file.startswith(inside) else file
