"""Make the text of the workflow that publishes a site on GitHub Pages; nothing is written."""

from __future__ import annotations

import os
import re
from hashlib import blake2b
from importlib.resources import files

from feedtool import __version__, storage
from feedtool.config import Settings

PLACE = ".github/workflows/feeds.yml"
"""The workflow's path below the root of the repository."""
RELEASED = f"feedtool[ingest]=={__version__}"


class UnfitError(ValueError):
    """A path or branch has characters that the workflow cannot contain."""


def workflow(settings: Settings, *, site: str, branch: str, feedtool: str = RELEASED) -> str:
    """Return the text of the workflow. `site` is the site's folder, relative to the root of the repository.

    `feedtool` is the requirement that pip installs. Raise UnfitError for unsafe paths.
    """
    values = {
        "BRANCH": branch,
        "MINUTE": str(_minute(settings.site.title)),
        "SITE": site,
        "ARTICLES": settings.articles.path,
        "OUTPUT": settings.output,
        "FEEDTOOL": feedtool,
    }
    for value in values.values():
        if re.search(r'["\\$\s{}`]', value):
            raise UnfitError(value)
    text = files("feedtool").joinpath("data/scaffold/feeds.yml").read_text(encoding="utf-8")
    return re.sub(r"@([A-Z]+)@", lambda match: values[match[1]], text)


def repository(folder: str) -> str:
    """Return the root of the git repository that holds a folder, where GitHub looks for workflows; without one, the folder."""
    place, above = os.path.abspath(folder), ""
    while place != above:
        if os.path.exists(os.path.join(place, ".git")):
            return place
        place, above = os.path.dirname(place), place
    return os.path.abspath(folder)


def branch_of(top: str) -> str:
    """Return the current branch of a repository, "main" if it is unknown."""
    try:
        head = storage.read_or_none(os.path.join(top, ".git", "HEAD")) or b""
    except OSError:
        head = b""
    match = re.fullmatch(r"ref: refs/heads/([A-Za-z0-9][A-Za-z0-9._/-]*)\s*", head.decode("ascii", "replace"))
    return match[1] if match else "main"


def _minute(title: str) -> int:
    """Return an odd minute derived from the title, never a quarter, so that sites do not all run at the same time."""
    minute = int.from_bytes(blake2b(title.encode("utf-8", "replace"), digest_size=2).digest()) % 60 | 1
    return minute if minute % 15 else minute + 2
