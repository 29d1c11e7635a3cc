"""Read the files that set values for whole folders, such as Hugo's `_index.md`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, tzinfo
from typing import Any

from feedtool import storage
from feedtool.articles.dialect import NO_FOLDER_VALUES, Dialect, FolderValues, Hidden
from feedtool.catalog.fingerprints import files_below
from feedtool.inputs import FOLDER, Inputs, Row, are_proven, current

LARGEST = 1 << 20
"""The number of bytes that are read of such a file."""
Stored = tuple[tuple[Row, ...], tuple[Any, ...]]
"""What the index keeps of a section file: the inputs of its values, and these as plain values."""


class Sections:
    """The values that the folders of one run give to their articles; each file is read at most once.

    The values are part of a folder's fingerprint. They are read before any article of the folder; an edit in between is
    found by the next run. `earlier` is what the last run kept, with the same dialect and zone: its values are used as long as
    their inputs are the same, so that a build without changes calls stat for section files and reads none.
    """

    def __init__(
        self,
        root: str,
        dialect: Dialect,
        now: int = 0,
        zone: tzinfo = UTC,
        *,
        earlier: Mapping[str, Stored] | None = None,
    ) -> None:
        self._files = files_below(root, lambda path: storage.read(f"{root}/{path}", LARGEST), now)
        self._earlier = earlier or {}
        self.kept: dict[str, Stored] = {}
        """What the next run gets as `earlier`, by the path of the section file."""
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
        try:
            values, rows = self._values_of_file(sections[-1], above)
        except OSError:
            # A file that cannot be read sets no values; the next run tries again.
            values, racy = above, True
        else:
            racy = racy or not are_proven(rows)
            self.kept[sections[-1]] = rows, (values.values, tuple(values.hidden), values.digest)
        self._values[sections] = (values, racy)
        return values, racy

    def _values_of_file(self, path: str, above: FolderValues) -> tuple[FolderValues, tuple[Row, ...]]:
        """Return the values of a section file below a folder with the values `above`, and their inputs. Raise OSError."""
        stored = self._earlier.get(path)
        rows = current(stored[0], self._files, {(FOLDER, path): above.digest}) if stored is not None else None
        if stored is not None and rows is not None:
            values, hidden, digest = stored[1]
            return FolderValues(values, Hidden(*hidden), digest), rows
        inputs = Inputs(self._files)
        inputs.note(FOLDER, path, above.digest)
        data = inputs.read(path)
        if data is None:
            raise FileNotFoundError(path)
        return self._dialect.section(above, path, data, self._zone), inputs.rows()
