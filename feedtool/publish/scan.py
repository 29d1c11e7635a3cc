"""The articles folder in, its folders out with marks that tell whether anything in them changed; no file is opened."""

from __future__ import annotations

import marshal
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from feedtool import storage
from feedtool.articles.dialect import NO_FOLDER_VALUES, PLAIN, Dialect, FolderValues
from feedtool.digests import blake2b
from feedtool.models import Problem
from feedtool.protocols import Mapper
from feedtool.storage import Folder

if TYPE_CHECKING:
    from feedtool.publish.sections import Sections

HELD = 100_000
"""Changed files whose names are held at once; past that the folders are walked again instead."""
PART = 512
"""How many of a folder's files are read, marked and kept as one piece."""
GROUPS = 64
"""How many lots the folders that are known are shared out in, where processes look at them."""


class Place(NamedTuple):
    """What marks depend on besides the folders themselves: where they are, the rules of reading, and the time.

    `dialect` tells which files are articles, and what folders give to them; `zone` is that of its dates.
    """

    root: str
    prefix: str
    rules: bytes
    now: int
    dialect: Dialect = PLAIN
    zone: tzinfo = UTC


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class Listing:
    """The articles folder as it is now: each folder's mark, and the folders that changed, with their files.

    In a first build `changed` can be gone through once, and nobody has looked at its files yet (`unseen`): whoever
    reads them does, and adds the folder's mark. `overflowed` says that more changed than is held: walk again to see them.
    """

    place: Place
    fingerprints: dict[str, bytes] = field(default_factory=dict)
    changed: Iterable[Folder] = ()
    problems: list[Problem] = field(default_factory=list)
    overflowed: bool = False
    unseen: bool = False
    sections: Sections | None = None
    """What folders give to their articles, where the dialect has such a thing."""

    def folder_values(self, folder: str, sections: tuple[str, ...]) -> FolderValues:
        """Return what a folder's articles are given by the files that speak for it and for the folders above it."""
        return NO_FOLDER_VALUES if self.sections is None else self.sections.values_of(folder, sections)

    def folder_values_in(self, folder: str) -> FolderValues:
        """Return what the articles of a folder that was listed are given."""
        return NO_FOLDER_VALUES if self.sections is None else self.sections.values_in(folder)

    def fingerprint(self, folder: str, sections: tuple[str, ...], own: bytes | None) -> bytes | None:
        """Return a folder's mark, given that of its own files: what is given to them counts, too."""
        if self.sections is None or own is None:
            return own
        return self.sections.marked(folder, sections, own)


UNLIKE = bytes(16)
"""A mark that no folder has, whatever is in it."""


class FolderFingerprint:
    """Makes the mark of a folder, which tells this state of it from others, of its files PART by PART."""

    def __init__(self, place: Place) -> None:
        self._since = place.now
        self._digest = blake2b(digest_size=16, key=place.rules)
        self._newest = 0

    def add(self, piece: bytes, newest: int) -> None:
        """Take the next files into account, given as `piece_of` has them, and the latest ctime among them."""
        self._digest.update(piece)
        self._newest = max(self._newest, newest)

    def mark(self) -> bytes:
        """Return the mark. A file changed just now gives one that never matches.

        Within one tick of the file system's clock a file may change twice and look the same.
        """
        racy = self._since.to_bytes(8, "big") if is_racy(self._newest, self._since) else b""
        return self._digest.digest() + racy


def piece_of(files: list[storage.ListedFile]) -> bytes:
    """Return some files in a row as they are marked and kept: the same bytes for the same looks."""
    return marshal.dumps(files, 2)


def fingerprint_of(folder: Folder, place: Place) -> bytes:
    """Return the mark of a folder whose files are all at hand."""
    marking = FolderFingerprint(place)
    files = folder.files
    for start in range(0, len(files), PART):
        part = files[start : start + PART]
        marking.add(piece_of(part), max([found[3] for found in part]))
    return marking.mark()


def is_racy(changed: int, since: int) -> bool:
    """Say whether a file changed so shortly before a moment, or from it until now, that it may change again and look the same."""
    window = 2_000_000_000 if changed % 1_000_000_000 == 0 else 20_000_000
    return since - window < changed < time.time_ns() + window


class _ListedFolder(NamedTuple):
    """A folder as it was found: its mark, None where it holds no articles, the folders in it, and what is odd."""

    fingerprint: bytes | None
    below: list[str]
    problems: list[Problem]
    sections: tuple[str, ...] = ()


def list_folders(place: Place, known: dict[str, bytes], mapper: Mapper, *, many: bool) -> Listing:
    """Walk the articles folder once and tell which folders changed since the index saw them.

    Where `many` files are to be expected, the folders that are known are looked at by the mapper.
    """
    listing = Listing(place)
    if place.dialect.inherits:
        from feedtool.publish.sections import Sections

        listing.sections = Sections(place.root, place.dialect, place.now, place.zone)
    if not known:
        # All is new: the first files can be read while the last folders are still being found.
        listing.changed = storage.walk_articles(
            place.root, problems=listing.problems, prefix=place.prefix, skip_stat=True, layout=place.dialect
        )
        listing.unseen = True
        return listing
    ahead = _looked_at(place, known, mapper) if many else {}
    held = 0
    changed: list[Folder] = []
    listing.changed = changed
    pending: list[tuple[str, tuple[str, ...]]] = [("", ())]
    while pending:
        path, above = pending.pop()
        files: list[storage.ListedFile] | None = None
        seen = ahead.pop(path, None)
        sections = storage.sections_of(path, above, seen.sections) if seen is not None else above
        mark = listing.fingerprint(path, sections, seen.fingerprint) if seen is not None else None
        if seen is None or (mark is not None and mark != known.get(path)):
            seen, files = _list_folder(place, path)
            sections = storage.sections_of(path, above, seen.sections)
            mark = listing.fingerprint(path, sections, seen.fingerprint)
        listing.problems += seen.problems
        pending.extend((f"{path}{name}/", sections) for name in reversed(seen.below))
        if mark is None:
            continue
        listing.fingerprints[path] = mark
        if files is None or known.get(path) == mark:
            continue
        held += len(files)
        if held > HELD:
            listing.overflowed = True
            changed.clear()
        if not listing.overflowed:
            changed.append(Folder(path, files, sections))
    return listing


def _list_folder(place: Place, path: str) -> tuple[_ListedFolder, list[storage.ListedFile]]:
    files, below, problems, sections = storage.list_folder(place.root, path, prefix=place.prefix, layout=place.dialect)
    mark = fingerprint_of(Folder(path, files), place) if files else None
    return _ListedFolder(mark, below, problems, sections), files


def _looked_at(place: Place, known: dict[str, bytes], mapper: Mapper) -> dict[str, _ListedFolder]:
    """Return the folders that are known as they are now, those that are still where they were among them."""
    paths = sorted(known)
    size = -(-len(paths) // GROUPS)
    lots = [paths[start : start + size] for start in range(0, len(paths), size)]
    ahead: dict[str, _ListedFolder] = {}
    for lot, seen in zip(lots, mapper(partial(_look_at, place), lots), strict=True):
        ahead.update(zip(lot, seen, strict=True))
    return ahead


def _look_at(place: Place, paths: list[str]) -> list[_ListedFolder]:
    return [_list_folder(place, path)[0] for path in paths]
