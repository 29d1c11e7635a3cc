"""New articles in, files on the disk out: written by threads, which mostly wait for it, while the next source is read."""

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
"""More save no time on one disk, and cost more of the processor."""


@dataclass(frozen=True, slots=True)
class PendingWrite:
    """One article on its way to `path`, relative to the articles folder, and the marks to remember when it is there."""

    entry: CleanEntry
    path: str
    entry_keys: tuple[str, ...]
    done: Future[os.stat_result]


class Writer:
    """Writes files below one folder, each whole or not at all."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._touched: set[str] = set()
        self._threads: ThreadPoolExecutor | None = None

    def write(self, path: str, data: bytes) -> Future[os.stat_result]:
        """Begin to write a file; the answer is what the system then says of it, or raises OSError."""
        if self._threads is None:
            from concurrent.futures import ThreadPoolExecutor

            self._threads = ThreadPoolExecutor(THREADS)
        return self._threads.submit(self._write, f"{self._root}/{path}", data)

    def write_now(self, path: str, data: bytes) -> None:
        """Write a file that is there already; raises OSError. Where it is a link to another article, that is written."""
        full = os.path.realpath(f"{self._root}/{path}")
        if not full.startswith(self._root.rstrip(os.sep) + os.sep):
            raise OSError(errno.EINVAL, "it is a link that leads out of the articles folder", full)
        storage.write(full, data, touched=self._touched)

    def make_durable(self) -> None:
        """Make what was written outlast a power cut; raises OutputError."""
        try:
            storage.fsync_folders(self._touched)
        except OSError as error:
            what = f"cannot be written: {error.strerror or error}"
            raise OutputError(what, where=self._root, hint=remedy(error)) from None
        self._touched.clear()

    def close(self) -> None:
        """Wait for what was begun, and let the threads go."""
        if self._threads is not None:
            self._threads.shutdown()
            self._threads = None

    def _write(self, path: str, data: bytes) -> os.stat_result:
        storage.write(path, data, touched=self._touched)
        return os.stat(path)
