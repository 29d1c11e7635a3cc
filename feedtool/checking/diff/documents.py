"""Describe published documents: the names of feeds, and which documents belong to one feed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from feedtool import registry

OPML = "feeds.opml"
NO_FEED = "open it in a browser; if nothing is published there yet, accept it (option `accept`)"
_SURE = re.compile(
    r"(?:atom|rss2?|feeds?|index)\.xml|(?:feed|index)\.rdf|(?:feed|rss)\.json|[^/]*\.(?:rss|atom)"
    r"|[^/]*[._-](?:atom|rss2?|feed)\.xml",
    re.IGNORECASE,
)
_WORD = re.compile(r"(?<![a-z])(?:feeds?|rss2?|atom|rdf)(?![a-z])", re.IGNORECASE)


class Document(NamedTuple):
    """A published document by its path below the site's address; `data` is None if it is only known to exist.

    `problem` says why it could not be read, with a hint; nothing else is known of it then. `placed` is False if only
    this document was named, so that its place in the output is unknown. `url` is the address that answered.
    `unknown_host` is the name of a host that does not exist.
    """

    path: str
    data: bytes | None = None
    problem: str = ""
    hint: str = ""
    content_type: str = ""
    url: str = ""
    placed: bool = True
    unknown_host: str = ""


def feed_files() -> tuple[str, ...]:
    """Return the names of the documents of one feed; the first one that can be read is compared."""
    return tuple(form.file for form in sorted(registry.formats(), key=lambda one: one.entry_rank))


def folders_of(paths: Iterable[str]) -> dict[str, list[str]]:
    """Return the names of the feed documents in each folder of an output ("" for the site's own), from the output's paths."""
    feed_names = frozenset(feed_files())
    names_by_folder: dict[str, list[str]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        if name in feed_names:
            names_by_folder.setdefault(folder, []).append(name)
    return {folder: sorted(names_by_folder[folder]) for folder in sorted(names_by_folder)}


def is_feed_name(path: str) -> bool:
    """Return True if a file with this path must be a feed by its name: if it holds none, it counts as unreadable."""
    folder, _, name = path.rpartition("/")
    if _SURE.fullmatch(name) or name in feed_files():
        return True
    return name.lower().endswith(".xml") and _WORD.fullmatch(folder.rpartition("/")[2]) is not None


def may_be_a_feed(path: str) -> bool:
    """Return True if a file with this path may hold a feed; an archive (RFC 5005) is not a feed by itself."""
    if registry.format_of_archive(path) is not None:
        return False
    folder, _, name = path.rpartition("/")
    if registry.format_of_file(name) is not None:
        return True
    return name.lower().endswith((".xml", ".rdf", ".json")) or any(
        _WORD.search(part) for part in (name, folder.rpartition("/")[2])
    )


def sort_key(path: str) -> tuple[str, int, str]:
    """Return the key that sorts paths by folder, with the document of a feed that is compared first in front."""
    folder, _, name = path.rpartition("/")
    names = feed_files()
    return folder, names.index(name) if name in names else len(names), name


def list_problem(data: bytes) -> str:
    """Return why a published list of feeds cannot be read, "" if it can."""
    from feedtool.errors import FeedtoolError
    from feedtool.feedparse.opml import read_opml

    try:
        read_opml(data)
    except FeedtoolError as error:
        return f"it {error.what}"
    return ""
