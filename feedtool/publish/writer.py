"""Files to publish in, an output folder that holds exactly these (and whatever is not ours) out.

Only bytes that differ are written, each file whole or not at all; only what an earlier build made is removed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from feedtool import storage
from feedtool.errors import OutputError, remedy

if TYPE_CHECKING:
    from feedtool.storage.write_threads import Threads

INLINE = 6
THREADS = 6
MANIFEST = ".feedtool-manifest"
"""Lists the files that feedtool made, one path a line, beside them: whoever deletes the folder deletes the list too."""

Known = dict[str, tuple[int, int]]
"""Size and mtime in nanoseconds of each output file as the last build left it."""


class Publisher:
    """The output folder during one build. With `dry` nothing is written, only counted."""

    def __init__(self, folder: str, known: Known, *, dry: bool = False) -> None:
        self.folder = os.path.realpath(folder)
        self._dry = dry
        self._earlier = known
        self._created = manifest(self.folder)
        self._kept: Known = {}
        self._touched: set[str] = set()
        self._claimed: set[str] = set()
        self._absent: set[str] = set()
        self._due = 0
        self._safe: set[str] = set()
        self.written: list[str] = []
        self.unchanged = 0
        self.removed: list[str] = []
        self._threads: Threads | None = None

    def claim(self, paths: Iterable[str]) -> None:
        """Say which files this build will make; raises OutputError where one stands there that feedtool did not make.

        The manifest is written before the files, so that what a killed run leaves is known to be ours.
        """
        wanted = set(paths)
        self._absent = wanted - self._created
        for path in sorted(self._absent):
            full = storage.path_inside(self.folder, path, self._safe)
            if os.path.lexists(full):
                raise OutputError(
                    "was not made by feedtool, and the build would overwrite it",
                    where=full,
                    hint="move it away, or choose another folder with --output",
                )
        if self._absent and not self._dry:
            self._write_manifest(self._created | wanted)
        self._created |= wanted
        self._claimed = wanted

    def expect(self, count: int) -> None:
        """Say how many files are likely to be written."""
        self._due = count

    def intact(self, path: str) -> bool:
        """Say whether a file is as the last build left it."""
        known = self._earlier.get(path)
        if known is None or path not in self._created:
            return False
        try:
            status = os.lstat(os.path.join(self.folder, path))
        except OSError:
            return False
        return (status.st_size, status.st_mtime_ns) == known

    def keep(self, path: str) -> None:
        """Count a file that is `intact` and is still wanted."""
        self._kept[path] = self._earlier[path]
        self.unchanged += 1

    def put(self, path: str, data: bytes | storage.Pieces) -> None:
        """Publish one file: write it only where the bytes there differ."""
        full = storage.path_inside(self.folder, path, self._safe)
        # What is new was looked for by `claim`; and no write goes through a link, whoever puts one there now.
        is_old = path not in self._absent
        if is_old and os.path.islink(full):
            raise OutputError("is a link; feedtool does not write through it", where=full, hint="remove the link")
        if is_old and _same(full, data):
            self.unchanged += 1
            self._note(path, full)
            return
        self.written.append(path)
        if not self._dry:
            self._later(partial(self._write, path, full, data))

    def _write(self, path: str, full: str, data: bytes | storage.Pieces) -> None:
        storage.write(full, data, touched=self._touched)
        self._note(path, full)

    def _note(self, path: str, full: str) -> None:
        if not self._dry:
            status = os.lstat(full)
            self._kept[path] = (status.st_size, status.st_mtime_ns)

    def _later(self, work: Callable[[], None]) -> None:
        """Write now while there is little to write; else in a few threads, which mostly wait for the disk's fsync."""
        if self._due <= INLINE:
            work()
            return
        if self._threads is None:
            from feedtool.storage.write_threads import Threads

            self._threads = Threads(THREADS)
        self._threads.submit(work)

    def _settle(self) -> None:
        if self._threads is not None:
            self._threads.wait_for_writes()
        # Once all renames are done, they are made to last: some folders at a time, or thousands at one stroke.
        if self._threads is None or len(self._touched) > storage.MAX_FOLDER_SYNCS:
            storage.fsync_folders(self._touched)
        else:
            for folder in sorted(self._touched):
                self._threads.submit(partial(storage.fsync_folders, (folder,)))
            self._threads.wait_for_writes()
        self.close()

    def close(self) -> None:
        """Wait for what is being written, and begin nothing more: the site's lock is let go of after it."""
        if self._threads is not None:
            self._threads.close()
            self._threads = None

    def finish(self) -> Known:
        """Remove what earlier builds made and this one did not; return the files as they are now."""
        self._settle()
        if self._dry:
            self.removed = sorted(path for path in self._created - self._claimed if os.path.isfile(self._full(path)))
            return {}
        stale = sorted(self._created - self._kept.keys())
        for path in stale:
            full = storage.path_inside(self.folder, path, self._safe)
            if storage.remove(full):
                self.removed.append(path)
            storage.remove_empty(os.path.dirname(full), below=self.folder)
        if stale or manifest(self.folder) != self._kept.keys():
            self._write_manifest(set(self._kept))
        return self._kept

    def _full(self, path: str) -> str:
        return os.path.join(self.folder, path)

    def ids(self) -> dict[str, tuple[str, list[str]]]:
        """Return the feeds that hold each id, read from the feeds in the folder: what an earlier build published.

        Read from one format: the others may give an id in another form.
        """
        found: dict[str, tuple[str, list[str]]] = {}
        names = {path.rpartition("/")[2] for path in self._created}
        wanted = next((name for name in ("feed.json", "rss.xml", "atom.xml") if name in names), "")
        for path in sorted(self._created):
            folder, _, name = path.rpartition("/")
            if name == wanted:
                for identity in ids_in(name, self._read(path)):
                    found.setdefault(identity, ("", []))[1].append(folder)
        return found

    def _read(self, path: str) -> bytes:
        """Return the bytes of a file of ours, none where somebody put something else there."""
        try:
            full = storage.path_inside(self.folder, path)
            return b"" if os.path.islink(full) else storage.read(full)
        except (OSError, OutputError):
            return b""

    def sweep(self) -> None:
        """Remove the halves of files that a killed run left."""
        for folder, _, names in os.walk(self.folder):
            storage.remove_leftovers(
                os.path.join(folder, name) for name in names if name.endswith(storage.TEMPORARY_SUFFIX)
            )

    def _write_manifest(self, paths: set[str]) -> None:
        lines = "".join(f"{path}\n" for path in sorted(paths))
        try:
            storage.write(os.path.join(self.folder, MANIFEST), lines.encode("utf-8", "surrogateescape"))
        except OSError as error:
            raise cannot_write(self.folder, error) from None


def ids_in(name: str, data: bytes) -> list[str]:
    """Return the ids of the entries of a feed document of ours; none where it can't be read."""
    if name == "feed.json":
        import json

        try:
            items = json.loads(data).get("items", [])
            return [str(item["id"]) for item in items]
        except (ValueError, KeyError, TypeError, AttributeError):
            return []
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    root = etree.fromstring(data, parser) if data else None
    if root is None:
        return []
    path = "{*}entry/{*}id" if name == "atom.xml" else "channel/item/guid"
    return [element.text for element in root.iterfind(path) if element.text]


def cannot_write(path: str, error: OSError) -> OutputError:
    """Return the error for a place that can't be written to."""
    return OutputError(f"cannot be written: {error.strerror or error}", where=path, hint=remedy(error))


def manifest(folder: str) -> set[str]:
    """Return the paths that feedtool made in an output folder, as its manifest says; none where there is no manifest."""
    data = storage.read_or_none(os.path.join(folder, MANIFEST)) or b""
    # A manifest that someone edited must not make us delete elsewhere.
    return {path for path in data.decode("utf-8", "surrogateescape").splitlines() if not _is_unfit(path)}


def _is_unfit(path: str) -> bool:
    parts = path.split("/")
    return path == MANIFEST or any(sign in path for sign in "\0\\:") or not {"", ".", ".."}.isdisjoint(parts)


def _same(full: str, data: bytes | storage.Pieces) -> bool:
    pieces = (data,) if isinstance(data, bytes) else data
    try:
        return os.path.getsize(full) == sum(map(len, pieces)) and storage.read(full) == b"".join(pieces)
    except OSError:
        return False
