"""A site and the repository it lies in, the workflow that publishes it on GitHub Pages out; writes nothing."""

from __future__ import annotations

import os
import re
from hashlib import blake2b
from importlib.resources import files

from feedtool import __version__, storage
from feedtool.config import Settings

PLACE = ".github/workflows/feeds.yml"
"""Where it belongs, as seen from the root of the repository."""
RELEASED = f"feedtool[ingest]=={__version__}"


class UnfitError(ValueError):
    """A path or branch has signs that the workflow could not hold."""


def workflow(settings: Settings, *, site: str, branch: str, feedtool: str = RELEASED) -> str:
    """Return the text of the workflow. `site` is the site's folder as seen from the root of the repository.

    `feedtool` is what pip is told to install. Raises UnfitError.
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
    """Return the root of the git repository that a folder lies in, where GitHub looks for workflows; else the folder."""
    place, above = os.path.abspath(folder), ""
    while place != above:
        if os.path.exists(os.path.join(place, ".git")):
            return place
        place, above = os.path.dirname(place), place
    return os.path.abspath(folder)


def branch_of(top: str) -> str:
    """Return the branch that a repository is on, "main" where that can't be told."""
    try:
        head = storage.read_or_none(os.path.join(top, ".git", "HEAD")) or b""
    except OSError:
        head = b""
    found = re.fullmatch(r"ref: refs/heads/([A-Za-z0-9][A-Za-z0-9._/-]*)\s*", head.decode("ascii", "replace"))
    return found[1] if found else "main"


def _minute(title: str) -> int:
    """An odd minute of the site's own, never a quarter: not everybody shall come at once."""
    chosen = int.from_bytes(blake2b(title.encode("utf-8", "replace"), digest_size=2).digest()) % 60 | 1
    return chosen if chosen % 15 else chosen + 2
