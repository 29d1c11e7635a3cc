"""Write article files in threads, which mostly wait for the disk, while the next source is read."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from feedtool import storage
from feedtool.errors import OutputError, remedy

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

    from feedtool.feedparse.clean import CleanEntry

THREADS = 2
"""More threads save no time on one disk, and take more CPU time."""


@dataclass(frozen=True, slots=True)
class PendingWrite:
    """One article that is being written to `path`, relative to the articles folder.

    `entry_keys` are to be remembered when the file exists.
    """

    entry: CleanEntry
    path: str
    entry_keys: tuple[str, ...]
    done: Future[os.stat_result]


class Writer:
    """Write files below one folder, each whole or not at all."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._touched: set[str] = set()
        self._threads: ThreadPoolExecutor | None = None

    def write(self, path: str, data: bytes) -> Future[os.stat_result]:
        """Start writing a file. The future returns the file's stat, or raises OSError."""
        if self._threads is None:
            from concurrent.futures import ThreadPoolExecutor

            self._threads = ThreadPoolExecutor(THREADS)
        return self._threads.submit(self._write, f"{self._root}/{path}", data)

    def write_now(self, path: str, data: bytes) -> None:
        """Write a file that exists already. Raise OSError.

        If it is a link to another article, that article is written.
        """
        full = os.path.realpath(f"{self._root}/{path}")
        if not full.startswith(self._root.rstrip(os.sep) + os.sep):
            raise OSError(errno.EINVAL, "it is a link that leads out of the articles folder", full)
        storage.write(full, data, touched=self._touched)

    def make_durable(self) -> None:
        """Make the written files survive a power cut. Raise OutputError."""
        try:
            storage.fsync_folders(self._touched)
        except OSError as error:
            what = f"cannot be written: {error.strerror or error}"
            raise OutputError(what, where=self._root, hint=remedy(error)) from None
        self._touched.clear()

    def close(self) -> None:
        """Wait for the writes that have started, and end the threads."""
        if self._threads is not None:
            self._threads.shutdown()
            self._threads = None

    def _write(self, path: str, data: bytes) -> os.stat_result:
        storage.write(path, data, touched=self._touched)
        return os.stat(path)
