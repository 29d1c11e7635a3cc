"""Read the first bytes and the stat of many files, with prefetching when they come from a disk."""

from __future__ import annotations

import errno
import os
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter

from feedtool.storage.reading import NO_SIGNATURE, READ_FLAGS, Signature, signature_of

_ADVISE = getattr(os, "posix_fadvise", None)
_MAX_OPEN = 128
"""Files that are open at the same time while they are prefetched."""
_SAMPLE_SIZE = 16
"""Timed files after which the speed is judged anew."""
_SAMPLE_INTERVAL = 4
"""One file of this many is timed."""
_SLOW = 0.000_1
"""Seconds. Opening and reading a file that is in the page cache never takes longer, and a wait for a free core does not make
many files in a row slower than this.
"""


class _DiskSpeed:
    """Remember whether files have to be read from a disk, as far as this process has measured."""

    def __init__(self) -> None:
        self.is_cold = False
        self.read = self.late = 0

    def count(self, seconds: float) -> None:
        """Add the seconds that one file took."""
        self.read += 1
        self.late += seconds > _SLOW
        if self.read == _SAMPLE_SIZE:
            self.is_cold = self.late >= _SAMPLE_SIZE // 4
            self.read = self.late = 0


_speed = _DiskSpeed()


def read_prefixes(
    names: list[str], size: int, signatures: list[Signature] | None = None, *, folder: str = ""
) -> Iterator[bytes | OSError]:
    """Yield the first `size` bytes of each file in a folder, or the OSError that prevented reading it.

    Without a `folder`, the names are whole paths. The signature that each file had before it was read is appended to
    `signatures`. When the files turn out to come from a disk, the system is asked to prefetch 128 files at a time before the
    first of them is read; this is ten times faster for a disk, and a quarter slower for files in memory.
    """
    descriptor = _open_folder(folder)
    open_file = _file_opener(folder, descriptor)
    try:
        for at, name in enumerate(names):
            if at % _SAMPLE_INTERVAL:
                yield _read_and_close(_try_open(name, open_file), size, signatures)
                continue
            if _speed.is_cold:
                yield from _read_prefetched(names[at:], open_file, size, signatures)
                return
            started = perf_counter()
            data = _read_and_close(_try_open(name, open_file), size, signatures)
            _speed.count(perf_counter() - started)
            yield data
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _open_folder(folder: str) -> int | None:
    """Return a descriptor of the folder to open files in.

    Return None if the platform cannot open files relative to a folder, or if this folder may be searched but not read.
    """
    if not folder or os.open not in os.supports_dir_fd:
        return None
    try:
        return os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    except OSError:
        return None


def _file_opener(folder: str, descriptor: int | None) -> Callable[[str], int]:
    """Return a function that opens a file of the folder."""
    if descriptor is None:
        return lambda name: os.open(folder + name, READ_FLAGS)
    # Most of a path is the path of its folder. With `dir_fd`, the system resolves that part only once.
    return partial(os.open, flags=READ_FLAGS, dir_fd=descriptor)


def _read_prefetched(
    names: list[str], open_file: Callable[[str], int], size: int, signatures: list[Signature] | None
) -> Iterator[bytes | OSError]:
    """Read files in groups: open and announce a group to the system, then read it."""
    opened: deque[int | OSError] = deque()
    try:
        for name in names:
            file = _try_open(name, open_file)
            if isinstance(file, OSError) and file.errno in (errno.EMFILE, errno.ENFILE) and opened:
                # The limit on open files is reached: read those that are open, then try again.
                yield from _read_opened(opened, size, signatures)
                file = _try_open(name, open_file)
            if _ADVISE is not None and not isinstance(file, OSError):
                try:  # noqa: SIM105 - contextlib.suppress would take a third of the time of the call
                    _ADVISE(file, 0, size, os.POSIX_FADV_WILLNEED)
                except OSError:  # not a regular file: no advice is possible
                    pass
            opened.append(file)
            if len(opened) == _MAX_OPEN:
                yield from _read_opened(opened, size, signatures)
        yield from _read_opened(opened, size, signatures)
    finally:
        for file in opened:
            if not isinstance(file, OSError):
                os.close(file)


def _read_opened(
    opened: deque[int | OSError], size: int, signatures: list[Signature] | None
) -> Iterator[bytes | OSError]:
    while opened:
        yield _read_and_close(opened.popleft(), size, signatures)


def _try_open(name: str, open_file: Callable[[str], int]) -> int | OSError:
    try:
        return open_file(name)
    except OSError as error:
        return error


def _read_and_close(file: int | OSError, size: int, signatures: list[Signature] | None) -> bytes | OSError:
    data: bytes | OSError
    # An error may be temporary, so a file with an error must never match an earlier signature.
    signature = NO_SIGNATURE
    if isinstance(file, OSError):
        data = file
    else:
        try:
            signature = signature_of(os.fstat(file))
            data = os.read(file, size)
        except OSError as error:
            data, signature = error, NO_SIGNATURE
        os.close(file)
    if signatures is not None:
        signatures.append(signature)
    return data
