"""Load the rules for reading a site's articles from its settings and from the settings files of its generator."""

from __future__ import annotations

import errno
import os
import time
from functools import partial

from feedtool import storage
from feedtool.articles import Rules
from feedtool.articles.dialect import PLAIN, Dialect
from feedtool.catalog.fingerprints import files_below
from feedtool.config import Settings
from feedtool.dates.parse import load_zone
from feedtool.dialects import Remembered, load, settings_files
from feedtool.dialects.config import MAXIMUM_SIZE, UnreadableError
from feedtool.errors import SettingsError
from feedtool.filenames import require_utf8
from feedtool.models import Problem


def reading_rules(settings: Settings, remembered: Remembered | None = None) -> Rules:
    """Return the rules for reading article files.

    With `remembered`, the settings files of the site's generator are read only if they have changed.
    """
    return load_reading_rules(settings, remembered)[0]


def load_reading_rules(settings: Settings, remembered: Remembered | None = None) -> tuple[Rules, Remembered]:
    """Return the rules for reading article files, and what to remember for the next call."""
    require_utf8()
    dialect, remembered = load_dialect(settings, remembered)
    rules = Rules(
        dialect=dialect,
        zone=load_zone(settings.site.timezone),
        authority=settings.authority,
        hierarchy=settings.feeds.categories == "hierarchy",
        undated="error" if settings.feeds.undated == "error" else "skip",
        prefix=os.path.normpath(settings.articles.path).replace(os.sep, "/") + "/",
    )
    return rules, remembered


def load_dialect(settings: Settings, remembered: Remembered | None = None) -> tuple[Dialect, Remembered]:
    """Return the rules of the generator that also reads the articles, according to its own settings files.

    Raise SettingsError if one of these files cannot be read.
    """
    name = generator_of(settings)
    if name == "plain":
        return PLAIN, (name, "", (), {})
    folder, articles = generator_folder(settings)
    try:
        files = files_below(folder, partial(generator_file, folder), time.time_ns())
        return load(name, articles, files, remembered)
    except UnreadableError as error:
        # These settings may hide articles, which would be published without them.
        where = os.path.join(folder, *error.file.split("/"))
        hint = f'fix it for {name.capitalize()}, or set [articles] generator = "plain"'
        raise SettingsError(str(error), where=where, hint=hint) from None


def generator_problems(rules: Rules) -> list[Problem]:
    """Return a Problem for each of the generator's settings that feedtool could not follow."""
    names = settings_files(rules.dialect.name)
    return [
        Problem(
            file=names[0],
            code="FT103",
            message=what,
            hint="write it as a plain value, or look at what is published with `feedtool explain FILE`",
            severity="warning",
        )
        for what in rules.dialect.unsure
    ]


def generator_of(settings: Settings) -> str:
    """Return the name of the generator that also reads the articles.

    Settings that `init` wrote before feedtool supported Pelican name no generator: then the presence of its settings file decides.
    """
    name = settings.articles.generator
    if name == "plain" and settings.origins.get("articles.generator", "default") == "default":
        return "pelican" if os.path.isfile(os.path.join(settings.folder, "pelicanconf.py")) else name
    return name


def generator_folder(settings: Settings) -> tuple[str, str]:
    """Return the folder with the settings of the site's generator, and the path of the articles relative to it.

    It is the site's folder or one that contains the articles. If there are no such settings, return the
    site's folder and the configured path: `source/_posts` is in Hexo's folder.
    """
    root = os.path.realpath(os.path.join(settings.folder, settings.articles.path))
    candidates = [os.path.realpath(settings.folder)]
    ancestor = os.path.dirname(root)
    while len(candidates) < 6 and ancestor != os.path.dirname(ancestor):
        candidates.append(ancestor)
        ancestor = os.path.dirname(ancestor)
    files = settings_files(generator_of(settings))
    for folder in candidates:
        if root.startswith(folder.rstrip(os.sep) + os.sep) and any(
            os.path.isfile(os.path.join(folder, *name.split("/"))) for name in files
        ):
            return folder, os.path.relpath(root, folder).replace(os.sep, "/")
    parts = os.path.normpath(settings.articles.path).replace(os.sep, "/")
    return settings.folder, "" if parts == "." else parts


def generator_file(folder: str, name: str) -> bytes | None:
    """Return the first bytes of a file below a generator's folder, or None if there is no such file. Raise OSError."""
    path = os.path.join(folder, *name.split("/"))
    # A link in a pull request could bring other files of the machine into the feeds.
    root = os.path.realpath(folder)
    if os.path.lexists(path) and not os.path.realpath(path).startswith(root.rstrip(os.sep) + os.sep):
        raise OSError(errno.ELOOP, "leads out of the site's folder", path)
    return storage.read_start(path, MAXIMUM_SIZE + 1)
