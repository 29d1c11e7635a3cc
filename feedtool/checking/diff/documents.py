"""What is published: one document of it, the names that feeds have, and which of several are of one feed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

NAMES = ("atom.xml", "feed.json", "rss.xml")
"""Documents of one feed; the first that can be read is compared, since Atom says most of an entry."""
OPML = "feeds.opml"
NO_FEED = "open it in a browser; where nothing is published there yet, accept it with --accept"
_SURE = re.compile(
    r"(?:atom|rss2?|feeds?|index)\.xml|(?:feed|index)\.rdf|(?:feed|rss)\.json|[^/]*\.(?:rss|atom)"
    r"|[^/]*[._-](?:atom|rss2?|feed)\.xml",
    re.IGNORECASE,
)
_WORD = re.compile(r"(?<![a-z])(?:feeds?|rss2?|atom|rdf)(?![a-z])", re.IGNORECASE)
_ARCHIVED = re.compile(r"(?:.*/)?archive/\d+\.(?:xml|json)")


class Document(NamedTuple):
    """One published document by its path below the site's address; `data` None where it is only known to be there.

    `trouble` says why it could not be had, with a hint; then nothing is known of it. `placed` is False where only the
    document was named, so that nobody can tell whether a file of the output takes its place. `url` is the address that
    answered. `unknown_host` is the name of a host that does not exist.
    """

    path: str
    data: bytes | None = None
    trouble: str = ""
    hint: str = ""
    content_type: str = ""
    url: str = ""
    placed: bool = True
    unknown_host: str = ""


def folders_of(paths: Iterable[str]) -> dict[str, list[str]]:
    """Return the names of the feed documents in each folder ("" for the site's own), of the paths of an output."""
    found: dict[str, list[str]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        if name in NAMES:
            found.setdefault(folder, []).append(name)
    return {folder: sorted(found[folder]) for folder in sorted(found)}


def is_feed_name(path: str) -> bool:
    """Return True if a file with this path is a feed by its name: then it proves nothing where it holds none."""
    folder, _, name = path.rpartition("/")
    if _SURE.fullmatch(name):
        return True
    return name.lower().endswith(".xml") and _WORD.fullmatch(folder.rpartition("/")[2]) is not None


def may_be_a_feed(path: str) -> bool:
    """Return True if it is worth a look whether a file holds a feed; an archive of a feed (RFC 5005) is none by itself."""
    if _ARCHIVED.fullmatch(path):
        return False
    folder, _, name = path.rpartition("/")
    return name.lower().endswith((".xml", ".rdf", ".json")) or any(
        _WORD.search(part) for part in (name, folder.rpartition("/")[2])
    )


def in_order(path: str) -> tuple[str, int, str]:
    """Return what paths are sorted by: by folder, the document of a feed that is to be compared first."""
    folder, _, name = path.rpartition("/")
    return folder, NAMES.index(name) if name in NAMES else len(NAMES), name


def list_trouble(data: bytes) -> str:
    """Return why a published list of feeds cannot be read, "" where it can."""
    from feedtool.errors import FeedtoolError
    from feedtool.feedparse.opml import read_opml

    try:
        read_opml(data)
    except FeedtoolError as error:
        return f"it {error.what}"
    return ""
