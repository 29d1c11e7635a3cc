"""Hold the output formats by name; a format is loaded when it is first asked for.

feedtool's own formats are named here and defined in `feedtool.feeds.formats`. A program adds one of its own:

    from feedtool.registry import Format, register_format
    register_format(Format(name="lines", file="feed.jsonl", ...))

It must do so before it reads settings, in each process that builds. Children that render are forked and inherit what
their parent has registered; nothing that renders is spawned.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from feedtool.expressions import expression

if TYPE_CHECKING:
    from feedtool.models import Entry, Feed
    from feedtool.pieces import Pieces

OWN_FORMATS: Mapping[str, str] = {
    "atom": "feedtool.feeds.formats.atom",
    "rss": "feedtool.feeds.formats.rss",
    "json": "feedtool.feeds.formats.jsonfeed",
}
"""The modules of feedtool's own formats, by name; each defines FORMAT. Pages and OPML list formats in this order."""
LAST = 100
_NAME = expression(r"[a-z][a-z0-9_]*")
_FILE = expression(r"[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)+")
_SUFFIX = expression(r"[a-z0-9]+")
_RESERVED = expression(r"feeds\.opml|feed\.css|site\.css|index\.html|sitemap(-\d+)?\.xml", re.IGNORECASE)
"""The other files of the output."""
_RESERVED_NAMES = frozenset({"page", "opml"})
"""Names that other renditions of an entry and other texts of pages have."""


class Format(NamedTuple):
    """An output format: how it is called, and the functions that write and read its documents.

    `name` is its name in `[feeds] formats`, `file` the name of its document in each feed's folder, `media_type` the type
    in links for autodiscovery (RFC 4287; RSS Advisory Board), and `title` its name for people. `words` say in a few words
    for whom the format is, by language; "en" is required.

    `entry` returns an entry in pieces of bytes, which fit into any document. `document` returns the document of a feed
    with such entries. If the format has archives (RFC 5005), `archive` is their suffix: `Feed.archive` is then the number
    of the archive to write, None for the current document, and the archive is the file `archive/<number>.<suffix>`.
    `ids` returns the ids of the entries in a document, in its order; None if it cannot be read. It raises nothing.
    The publish guard compares these alone for formats of other programs. Without archives it cannot tell there whether
    an entry that is missing from a full feed is lost or too old.

    `entry_rank` is low if documents hold most of an entry: the publish guard compares the format with the lowest.
    `id_rank` is low if documents hold ids as articles have them: deletions are found by the format with the lowest.

    `version` must change whenever other code changes the bytes than the module that defines `entry` or `document`;
    a change of that module is noticed.
    """

    name: str
    file: str
    media_type: str
    title: str
    words: Mapping[str, str]
    entry: Callable[[Entry], Pieces]
    document: Callable[[Feed, Sequence[Pieces]], Pieces]
    ids: Callable[[bytes], list[str] | None]
    archive: str | None = None
    entry_rank: int = LAST
    id_rank: int = LAST
    version: str = ""

    def archive_file(self, number: int) -> str:
        """Return the path of an archive in its feed's folder; raise ValueError if the format has no archives."""
        if self.archive is None:
            raise ValueError(f"the format {self.name} has no archives")
        return f"archive/{number}.{self.archive}"

    def file_of(self, archive: int | None) -> str:
        """Return the path in the feed's folder of an archive, or of the current document if `archive` is None."""
        return self.file if archive is None else self.archive_file(archive)


_registered: dict[str, Format] = {}


def register_format(new: Format) -> None:
    """Add an output format; raise ValueError if a name is invalid or another format has it."""
    if not _NAME.fullmatch(new.name) or new.name in _RESERVED_NAMES or new.name.endswith("_words"):
        raise ValueError(f'"{new.name}" cannot be the name of a format: use a-z, 0-9 and _')
    if not _FILE.fullmatch(new.file) or _RESERVED.fullmatch(new.file):
        raise ValueError(f'"{new.file}" cannot be the file of a format')
    if new.archive is not None and not _SUFFIX.fullmatch(new.archive):
        raise ValueError(f'"{new.archive}" cannot be the suffix of archives: use a-z and 0-9')
    if "en" not in new.words:
        raise ValueError(f'the format {new.name} needs words in English ("en")')
    if new.name in format_names():
        raise ValueError(f'there is a format "{new.name}" already')
    for other in formats():
        if new.file.lower() == other.file.lower() or (new.archive is not None and new.archive == other.archive):
            raise ValueError(f"the files of the format {new.name} have the same names as those of {other.name}")
    _registered[new.name] = new


def unregister_format(name: str) -> None:
    """Remove a format that `register_format` added; raise KeyError if there is none."""
    del _registered[name]


def format_names() -> tuple[str, ...]:
    """Return the names of all formats; this loads none of them."""
    return (*OWN_FORMATS, *_registered)


def format_of(name: str) -> Format:
    """Return the format of this name; raise KeyError if there is none."""
    return _registered[name] if name in _registered else _own_format(name)


@lru_cache(maxsize=len(OWN_FORMATS))
def _own_format(name: str) -> Format:
    own: Format = import_module(OWN_FORMATS[name]).FORMAT
    return own


def formats() -> tuple[Format, ...]:
    """Return all formats: feedtool's own, then the others as they were registered."""
    return tuple(map(format_of, format_names()))


def registered_among(names: Sequence[str]) -> tuple[Format, ...]:
    """Return those of some formats that `register_format` added; this loads nothing."""
    return tuple(_registered[name] for name in names if name in _registered)


def format_of_file(file: str) -> Format | None:
    """Return the format whose current document has this name, None if there is none."""
    return next((one for one in formats() if one.file == file), None)


def format_of_archive(path: str) -> Format | None:
    """Return the format of which a path in the output is an archive, None if it is no archive."""
    folder, _, name = path.rpartition("/")
    number, _, suffix = name.partition(".")
    if folder.rpartition("/")[2] != "archive" or not number.isdecimal() or not number.isascii():
        return None
    return next((one for one in formats() if one.archive == suffix), None)


__all__ = [
    "OWN_FORMATS",
    "Format",
    "format_names",
    "format_of",
    "format_of_archive",
    "format_of_file",
    "formats",
    "register_format",
    "registered_among",
    "unregister_format",
]
