"""Write the output folder: only files whose bytes differ, each atomically, and remove only what an earlier build made.

Other files in the folder stay as they are.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from feedtool import registry, storage
from feedtool.errors import OutputError, refuse_newer_format, remedy

if TYPE_CHECKING:
    from feedtool.storage.write_threads import Threads

INLINE = 6
"""Up to this number of files, writing without threads is quicker."""
THREADS = 6
MANIFEST = ".feedtool-manifest"
"""Lists the files that feedtool made, one path a line. It lies in the output folder, so that it is deleted together with it."""
MANIFEST_VERSION = 1
_VERSION_LINE = "# feedtool manifest, format "
"""The first line begins with it; a manifest without one has format 1. No file of the output has such a name."""

FileStates = dict[str, tuple[int, int]]
"""Size and mtime in nanoseconds of each output file after the last build."""


class Publisher:
    """The output folder during one build. With `dry`, nothing is written, only counted."""

    def __init__(self, folder: str, earlier: FileStates, *, dry: bool = False) -> None:
        self.folder = os.path.realpath(folder)
        self._dry = dry
        self._earlier = earlier
        self._created = manifest(self.folder)
        self._kept: FileStates = {}
        self._touched: set[str] = set()
        self._claimed: set[str] = set()
        self._absent: set[str] = set()
        self._expected = 0
        self._safe: set[str] = set()
        self.written: list[str] = []
        self.unchanged = 0
        self.removed: list[str] = []
        self._threads: Threads | None = None

    def claim(self, paths: Iterable[str]) -> None:
        """Register the files that this build will make; raise OutputError if one of them exists and was not made by feedtool.

        The manifest is written before the files, so that files left by a killed run are recognized as feedtool's own.
        """
        claimed = set(paths)
        self._absent = claimed - self._created
        refuse_foreign(self.folder, self._absent, self._safe)
        if self._absent and not self._dry:
            self._write_manifest(self._created | claimed)
        self._created |= claimed
        self._claimed = claimed

    def expect(self, count: int) -> None:
        """Set how many files are likely to be written."""
        self._expected = count

    def is_intact(self, path: str) -> bool:
        """Return True if a file is as the last build left it."""
        state = self._earlier.get(path)
        if state is None or path not in self._created:
            return False
        try:
            status = os.lstat(os.path.join(self.folder, path))
        except OSError:
            return False
        return (status.st_size, status.st_mtime_ns) == state

    def keep_unchanged(self, path: str) -> None:
        """Count a file that `is_intact` and belongs to this build."""
        self._kept[path] = self._earlier[path]
        self.unchanged += 1

    def put(self, path: str, data: bytes | storage.Pieces) -> None:
        """Write a file of the output, if its bytes differ from those on disk."""
        full = storage.path_inside(self.folder, path, self._safe)
        # `claim` has checked the paths of new files. Others are checked now: no write goes through a link, even a new
        # one.
        is_old = path not in self._absent
        if is_old and os.path.islink(full):
            raise OutputError("is a link; feedtool does not write through it", where=full, hint="remove the link")
        if is_old and _same(full, data):
            self.unchanged += 1
            self._note(path, full)
            return
        self.written.append(path)
        if not self._dry:
            self._submit(partial(self._write, path, full, data))

    def _write(self, path: str, full: str, data: bytes | storage.Pieces) -> None:
        storage.write(full, data, touched=self._touched)
        self._note(path, full)

    def _note(self, path: str, full: str) -> None:
        if not self._dry:
            status = os.lstat(full)
            self._kept[path] = (status.st_size, status.st_mtime_ns)

    def _submit(self, job: Callable[[], None]) -> None:
        """Run a job at once if few files are to be written; else in a few threads, which mostly wait for fsync."""
        if self._expected <= INLINE:
            job()
            return
        if self._threads is None:
            from feedtool.storage.write_threads import Threads

            self._threads = Threads(THREADS)
        self._threads.submit(job)

    def _wait_for_writes(self) -> None:
        if self._threads is not None:
            self._threads.wait_for_writes()
        # After all renames, the folders are synced: a few in these threads, thousands of them in one call.
        if self._threads is None or len(self._touched) > storage.MAX_FOLDER_SYNCS:
            storage.fsync_folders(self._touched)
        else:
            for folder in sorted(self._touched):
                self._threads.submit(partial(storage.fsync_folders, (folder,)))
            self._threads.wait_for_writes()
        self.close()

    def close(self) -> None:
        """Wait for the writes that were started, and start no more; the site's lock is released afterwards."""
        if self._threads is not None:
            self._threads.close()
            self._threads = None

    def finish(self) -> FileStates:
        """Remove files that earlier builds made and this one did not; return the state of all files."""
        self._wait_for_writes()
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
        """Return the feeds that hold each id, as the last build published them; they are read from the feeds in the folder.

        Only one format is read: another may give an id in another form.
        """
        feeds_by_id: dict[str, tuple[str, list[str]]] = {}
        names = {path.rpartition("/")[2] for path in self._created}
        written = [form for form in registry.formats() if form.file in names]
        if not written:
            return {}
        form = min(written, key=lambda one: one.id_rank)
        for path in sorted(self._created):
            folder, _, name = path.rpartition("/")
            if name == form.file:
                for identity in form.ids(self._read(path)) or ():
                    feeds_by_id.setdefault(identity, ("", []))[1].append(folder)
        return feeds_by_id

    def _read(self, path: str) -> bytes:
        """Return the bytes of a file of the output; b"" if there is something else in its place."""
        try:
            full = storage.path_inside(self.folder, path)
            return b"" if os.path.islink(full) else storage.read(full)
        except (OSError, OutputError):
            return b""

    def remove_leftovers(self) -> None:
        """Remove temporary files that a killed run left."""
        for folder, _, names in os.walk(self.folder):
            storage.remove_leftovers(
                os.path.join(folder, name) for name in names if name.endswith(storage.TEMPORARY_SUFFIX)
            )

    def _write_manifest(self, paths: set[str]) -> None:
        lines = "".join(f"{line}\n" for line in (f"{_VERSION_LINE}{MANIFEST_VERSION}", *sorted(paths)))
        try:
            storage.write(os.path.join(self.folder, MANIFEST), lines.encode("utf-8", "surrogateescape"))
        except OSError as error:
            raise cannot_write(self.folder, error) from None


def refuse_foreign(folder: str, paths: Iterable[str], safe: set[str]) -> None:
    """Raise OutputError if one of these paths exists in an output folder whose manifest does not list it.

    `safe` holds the folders that are known to lead through no link.
    """
    for path in sorted(paths):
        full = storage.path_inside(folder, path, safe)
        if os.path.lexists(full):
            raise OutputError(
                "was not made by feedtool, and the build would overwrite it",
                where=full,
                hint="move it away, or choose another output folder",
            )


def cannot_write(path: str, error: OSError) -> OutputError:
    """Return the error for a file or folder that cannot be written."""
    return OutputError(f"cannot be written: {error.strerror or error}", where=path, hint=remedy(error))


def manifest(folder: str) -> set[str]:
    """Return the paths of the files that feedtool made in an output folder, from its manifest; an empty set without one.

    Raise OutputError if a newer feedtool wrote it in a format that this one does not know.
    """
    data = storage.read_or_none(os.path.join(folder, MANIFEST)) or b""
    first, _, rest = data.partition(b"\n")
    if first.startswith(_VERSION_LINE.encode()):
        version, data = first.decode("ascii", "replace").removeprefix(_VERSION_LINE).strip(), rest
        if version.isdecimal():
            where, hint = os.path.join(folder, MANIFEST), "update feedtool, or delete the output folder"
            refuse_newer_format(int(version[:9]), MANIFEST_VERSION, where=where, hint=hint)
    # An edited manifest must not make feedtool delete files elsewhere.
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
