"""Read the files that speak for whole folders, such as Hugo's `_index.md`, and say what they give to the articles below."""

from __future__ import annotations

import os
from datetime import UTC, tzinfo

from feedtool import storage
from feedtool.articles.dialect import NO_FOLDER_VALUES, Dialect, FolderValues
from feedtool.publish.scan import is_racy

LARGEST = 1 << 20
"""Bytes of such a file that are read."""


class Sections:
    """What the folders of one run give, each file read once. What is given is part of a folder's fingerprint, and is worked
    out before an article of the folder is read: an edit in between is found by the next run."""

    def __init__(self, root: str, dialect: Dialect, now: int = 0, zone: tzinfo = UTC) -> None:
        self._root = root
        self._dialect = dialect
        self._now = now
        self._zone = zone
        self._start: FolderValues = getattr(dialect, "start", NO_FOLDER_VALUES)
        self._values: dict[tuple[str, ...], tuple[FolderValues, bool]] = {(): (self._start, False)}
        self._folders: dict[str, FolderValues] = {}

    def values_of(self, folder: str, sections: tuple[str, ...]) -> FolderValues:
        """Return what the articles of a folder are given; `sections` are the files that speak for it, the outermost first."""
        given, _ = self._read(sections)
        if given.digest:
            self._folders[folder] = given
        return given

    def values_in(self, folder: str) -> FolderValues:
        """Return what `given` returned for a folder before."""
        return self._folders.get(folder, self._start)

    def marked(self, folder: str, sections: tuple[str, ...], own: bytes) -> bytes:
        """Return the fingerprint of a folder whose own files have the fingerprint `own`.

        Where a section's file changed just now it never matches, as that of files does.
        """
        given, racy = self._read(sections)
        if given.digest:
            self._folders[folder] = given
        # Longer than a plain one: then heads that were read before say nothing, for they may have been given other values.
        return own + given.digest + (self._now.to_bytes(8, "big") if racy else b"")

    def _read(self, sections: tuple[str, ...]) -> tuple[FolderValues, bool]:
        known = self._values.get(sections)
        if known is not None:
            return known
        above, racy = self._read(sections[:-1])
        path = sections[-1]
        full = f"{self._root}/{path}"
        try:
            racy = racy or is_racy(os.stat(full).st_ctime_ns, self._now)
            given = self._dialect.section(above, path, storage.read(full, LARGEST), self._zone)
        except OSError:
            # What can't be read gives nothing; the next run asks again.
            given, racy = above, True
        self._values[sections] = (given, racy)
        return given, racy
