"""Check the articles folder and the output folder of a site before anything is read or written.

`build` and `check` call `check_places`, so that both refuse the same folders with the same errors.
"""

from __future__ import annotations

import os

from feedtool.config import Settings
from feedtool.errors import OutputError, SettingsError, remedy
from feedtool.filenames import require_utf8

_OPTION = "option output"
"""The origin of an output folder that was chosen for this run; it has none where settings are made by hand."""


def articles_folder(settings: Settings) -> str:
    """Return the real path of the articles folder."""
    return os.path.realpath(os.path.join(settings.folder, settings.articles.path))


def output_folder(settings: Settings) -> str:
    """Return the real path of the output folder."""
    return os.path.realpath(os.path.join(settings.folder, settings.output))


def check_places(settings: Settings) -> None:
    """Raise SettingsError if there is no readable articles folder, and OutputError if writing the output would do harm.

    An output folder outside the site's folder is accepted only if it was chosen for this run: a feedtool.toml from
    somebody else must not decide where this machine is written to.
    """
    require_utf8()
    articles, output = articles_folder(settings), output_folder(settings)
    if not os.path.isdir(articles):
        raise SettingsError(
            "there is no such folder of articles", where=articles, hint="make it, or set [articles] path"
        )
    try:
        os.scandir(articles).close()
    except OSError as error:
        # Without this check, feeds without a single entry would be published.
        raise SettingsError(f"cannot be read: {error.strerror or error}", where=articles, hint=remedy(error)) from None
    folder = os.path.realpath(settings.folder)
    if _is_inside(output, articles):
        raise OutputError("lies inside the articles folder", where=output, hint="choose another output folder")
    if _is_inside(articles, output):
        raise OutputError("holds the articles", where=output, hint="choose an output folder that holds nothing else")
    if output in (folder, os.path.join(folder, ".feedtool"), os.path.join(folder, "templates")):
        raise OutputError("is in use", where=output, hint="choose an output folder that holds nothing else")
    if not _is_inside(output, folder) and settings.origins.get("output", _OPTION) != _OPTION:
        raise OutputError(
            "lies outside the site's folder",
            where=output,
            hint="if this is intended, give it for each run as the option `output`",
        )
    if os.path.exists(output) and not os.path.isdir(output):
        raise OutputError("is not a folder", where=output, hint="choose another output folder")


def _is_inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
