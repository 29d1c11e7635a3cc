"""Scan the articles folder and return a fingerprint of each folder in it, without opening any file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from feedtool import storage
from feedtool.articles.dialect import NO_FOLDER_VALUES, PLAIN, Dialect, FolderValues
from feedtool.catalog.fingerprints import fingerprint_of
from feedtool.models import Problem
from feedtool.protocols import Mapper
from feedtool.storage import Folder

if TYPE_CHECKING:
    from feedtool.publish.sections import Sections, Stored

MAX_CHANGED = 100_000
"""Changed files whose names are held in memory; if there are more, the folders are walked a second time instead."""
GROUPS = 64
"""The number of groups into which known folders are divided when several processes scan them."""


class Place(NamedTuple):
    """The articles folder and all else that fingerprints depend on: the rules of reading, and the time.

    `dialect` decides which files are articles and which values folders give to them; `zone` is that of its dates.
    """

    root: str
    prefix: str
    rules: bytes
    now: int
    dialect: Dialect = PLAIN
    zone: tzinfo = UTC


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class Listing:
    """The state of the articles folder: the fingerprint of each folder, and the changed folders with their files.

    In a first build, `changed` can be iterated once and is `unread`: stat has not been called on its files. Whoever
    reads the files does that and adds the folder's fingerprint. `overflowed` means that more has changed than is held:
    walk the folders again to see it.
    """

    place: Place
    fingerprints: dict[str, bytes] = field(default_factory=dict)
    changed: Iterable[Folder] = ()
    problems: list[Problem] = field(default_factory=list)
    overflowed: bool = False
    unread: bool = False
    sections: Sections | None = None
    """The values that folders give to their articles, if the dialect has such values."""

    def folder_values(self, folder: str, sections: tuple[str, ...]) -> FolderValues:
        """Return the values that a folder's articles get; `sections` are the files that set them, the outermost first."""
        return NO_FOLDER_VALUES if self.sections is None else self.sections.values_of(folder, sections)

    def folder_values_in(self, folder: str) -> FolderValues:
        """Return the values that the articles of a folder that was listed get."""
        return NO_FOLDER_VALUES if self.sections is None else self.sections.values_in(folder)

    def fingerprint(self, folder: str, sections: tuple[str, ...], own: bytes | None) -> bytes | None:
        """Return the fingerprint of a folder from the one of its own files and the values that it gives to its articles."""
        if self.sections is None or own is None:
            return own
        return self.sections.fingerprint(folder, sections, own)


class _ListedFolder(NamedTuple):
    """A scanned folder: its fingerprint (None if it holds no articles), the names of its folders, and its problems."""

    fingerprint: bytes | None
    below: list[str]
    problems: list[Problem]
    sections: tuple[str, ...] = ()


def list_folders(
    place: Place,
    earlier: dict[str, bytes],
    mapper: Mapper,
    *,
    many: bool,
    sections: Mapping[str, Stored] | None = None,
) -> Listing:
    """Scan the articles folder once and return its listing; folders whose fingerprint differs from the `earlier` one
    are changed.

    If `many` files are expected, the known folders are scanned by the mapper. `sections` is what the last run kept of them.
    """
    listing = Listing(place)
    if place.dialect.inherits:
        from feedtool.publish.sections import Sections

        listing.sections = Sections(place.root, place.dialect, place.now, place.zone, earlier=sections)
    if not earlier:
        # Everything is new: the first files can be read while the last folders are still being listed.
        listing.changed = storage.walk_articles(
            place.root, problems=listing.problems, prefix=place.prefix, skip_stat=True, layout=place.dialect
        )
        listing.unread = True
        return listing
    ahead = _listed_ahead(place, earlier, mapper) if many else {}
    count = 0
    changed: list[Folder] = []
    listing.changed = changed
    pending: list[tuple[str, tuple[str, ...]]] = [("", ())]
    while pending:
        path, above = pending.pop()
        files: list[storage.ListedFile] | None = None
        listed = ahead.pop(path, None)
        holding = storage.sections_of(path, above, listed.sections) if listed is not None else above
        fingerprint = listing.fingerprint(path, holding, listed.fingerprint) if listed is not None else None
        if listed is None or (fingerprint is not None and fingerprint != earlier.get(path)):
            listed, files = _list_folder(place, path)
            holding = storage.sections_of(path, above, listed.sections)
            fingerprint = listing.fingerprint(path, holding, listed.fingerprint)
        listing.problems += listed.problems
        pending.extend((f"{path}{name}/", holding) for name in reversed(listed.below))
        if fingerprint is None:
            continue
        listing.fingerprints[path] = fingerprint
        if files is None or earlier.get(path) == fingerprint:
            continue
        count += len(files)
        if count > MAX_CHANGED:
            listing.overflowed = True
            changed.clear()
        if not listing.overflowed:
            changed.append(Folder(path, files, holding))
    return listing


def _list_folder(place: Place, path: str) -> tuple[_ListedFolder, list[storage.ListedFile]]:
    files, below, problems, sections = storage.list_folder(place.root, path, prefix=place.prefix, layout=place.dialect)
    fingerprint = fingerprint_of(files, place.rules, place.now) if files else None
    return _ListedFolder(fingerprint, below, problems, sections), files


def _listed_ahead(place: Place, earlier: dict[str, bytes], mapper: Mapper) -> dict[str, _ListedFolder]:
    """Return the present state of the known folders, scanned by the mapper."""
    paths = sorted(earlier)
    size = -(-len(paths) // GROUPS)
    lots = [paths[start : start + size] for start in range(0, len(paths), size)]
    ahead: dict[str, _ListedFolder] = {}
    for lot, listed in zip(lots, mapper(partial(_list_lot, place), lots), strict=True):
        ahead.update(zip(lot, listed, strict=True))
    return ahead


def _list_lot(place: Place, paths: list[str]) -> list[_ListedFolder]:
    return [_list_folder(place, path)[0] for path in paths]
