"""Read the files that set values for whole folders, such as Hugo's `_index.md`."""

from __future__ import annotations

import os
from datetime import UTC, tzinfo

from feedtool import storage
from feedtool.articles.dialect import NO_FOLDER_VALUES, Dialect, FolderValues
from feedtool.catalog.fingerprints import is_racy

LARGEST = 1 << 20
"""The number of bytes that are read of such a file."""


class Sections:
    """The values that the folders of one run give to their articles; each file is read once.

    The values are part of a folder's fingerprint. They are read before any article of the folder; an edit in between is
    found by the next run.
    """

    def __init__(self, root: str, dialect: Dialect, now: int = 0, zone: tzinfo = UTC) -> None:
        self._root = root
        self._dialect = dialect
        self._now = now
        self._zone = zone
        self._start: FolderValues = getattr(dialect, "start", NO_FOLDER_VALUES)
        self._values: dict[tuple[str, ...], tuple[FolderValues, bool]] = {(): (self._start, False)}
        self._folders: dict[str, FolderValues] = {}

    def values_of(self, folder: str, sections: tuple[str, ...]) -> FolderValues:
        """Return the values for the articles of a folder; `sections` are the files that set them, the outermost first."""
        values, _ = self._read(sections)
        if values.digest:
            self._folders[folder] = values
        return values

    def values_in(self, folder: str) -> FolderValues:
        """Return the values that `values_of` returned for a folder before."""
        return self._folders.get(folder, self._start)

    def fingerprint(self, folder: str, sections: tuple[str, ...], own: bytes) -> bytes:
        """Return the fingerprint of a folder whose own files have the fingerprint `own`.

        If the file of a section changed just now, the result never equals a later one.
        """
        values, racy = self._read(sections)
        if values.digest:
            self._folders[folder] = values
        # Longer than a plain fingerprint: stored heads are not reused then, because they may have got other values.
        return own + values.digest + (self._now.to_bytes(8, "big") if racy else b"")

    def _read(self, sections: tuple[str, ...]) -> tuple[FolderValues, bool]:
        cached = self._values.get(sections)
        if cached is not None:
            return cached
        above, racy = self._read(sections[:-1])
        path = sections[-1]
        full = f"{self._root}/{path}"
        try:
            racy = racy or is_racy(os.stat(full).st_ctime_ns, self._now)
            values = self._dialect.section(above, path, storage.read(full, LARGEST), self._zone)
        except OSError:
            # A file that cannot be read sets no values; the next run tries again.
            values, racy = above, True
        self._values[sections] = (values, racy)
        return values, racy
