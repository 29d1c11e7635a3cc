"""Files in, what each begins with and how it looks out: one after the other from memory, many at a time from a disk."""

from __future__ import annotations

import errno
import os
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter

from feedtool.storage.reading import READING, UNSEEN, Signature, signature_of

_ADVISE = getattr(os, "posix_fadvise", None)
_AT_ONCE = 128
"""Files that are open at the same time while a disk is read."""
_SAMPLE = 16
_EVERY = 4
"""Of so many files one is timed."""
_LATE = 0.000_1
"""Seconds that no file takes whose beginning is in memory, nor many in a row for want of a core."""


class _Pace:
    """Whether files come from a disk, as far as this process has seen."""

    def __init__(self) -> None:
        self.is_cold = False
        self.read = self.late = 0

    def count(self, seconds: float) -> None:
        """Take into account how long a file took."""
        self.read += 1
        self.late += seconds > _LATE
        if self.read == _SAMPLE:
            self.is_cold = self.late >= _SAMPLE // 4
            self.read = self.late = 0


_pace = _Pace()


def read_prefixes(
    names: list[str], size: int, looks: list[Signature] | None = None, *, folder: str = ""
) -> Iterator[bytes | OSError]:
    """Yield the first `size` bytes of each file of a folder (whole paths without one), or the OSError that kept us from them.

    To `looks` is added how each file looked before it was read. Where files turn out to come from a disk, the system is told
    of a hundred at a time before the first of them is read, which is ten times faster there, and a quarter slower elsewhere.
    """
    place = _opened(folder)
    begin = _opener(folder, place)
    try:
        for at, name in enumerate(names):
            if at % _EVERY:
                yield _read(_read_prefix(name, begin), size, looks)
                continue
            if _pace.is_cold:
                yield from _at_once(names[at:], begin, size, looks)
                return
            started = perf_counter()
            data = _read(_read_prefix(name, begin), size, looks)
            _pace.count(perf_counter() - started)
            yield data
    finally:
        if place is not None:
            os.close(place)


def _opened(folder: str) -> int | None:
    """Return a folder to open files in; None where a platform can't, or this folder is not to be read but only gone through."""
    if not folder or os.open not in os.supports_dir_fd:
        return None
    try:
        return os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    except OSError:
        return None


def _opener(folder: str, place: int | None) -> Callable[[str], int]:
    if place is None:
        return lambda name: os.open(folder + name, READING)
    # By far the most of a path is the way to the folder, which the system then goes but once.
    return partial(os.open, flags=READING, dir_fd=place)


def _at_once(
    names: list[str], begin: Callable[[str], int], size: int, looks: list[Signature] | None
) -> Iterator[bytes | OSError]:
    opened: deque[int | OSError] = deque()
    try:
        for name in names:
            one = _read_prefix(name, begin)
            if isinstance(one, OSError) and one.errno in (errno.EMFILE, errno.ENFILE) and opened:
                # So many files may not be open at once: those that are go first.
                yield from _emptied(opened, size, looks)
                one = _read_prefix(name, begin)
            if _ADVISE is not None and not isinstance(one, OSError):
                try:  # noqa: SIM105 - a third of what the call itself takes
                    _ADVISE(one, 0, size, os.POSIX_FADV_WILLNEED)
                except OSError:  # what is no regular file takes no advice
                    pass
            opened.append(one)
            if len(opened) == _AT_ONCE:
                yield from _emptied(opened, size, looks)
        yield from _emptied(opened, size, looks)
    finally:
        for one in opened:
            if not isinstance(one, OSError):
                os.close(one)


def _emptied(opened: deque[int | OSError], size: int, looks: list[Signature] | None) -> Iterator[bytes | OSError]:
    while opened:
        yield _read(opened.popleft(), size, looks)


def _read_prefix(name: str, begin: Callable[[str], int]) -> int | OSError:
    try:
        return begin(name)
    except OSError as error:
        return error


def _read(one: int | OSError, size: int, looks: list[Signature] | None) -> bytes | OSError:
    data: bytes | OSError
    # What keeps us from a file may pass: so it never looks as it did last time.
    look = UNSEEN
    if isinstance(one, OSError):
        data = one
    else:
        try:
            look = signature_of(os.fstat(one))
            data = os.read(one, size)
        except OSError as error:
            data, look = error, UNSEEN
        os.close(one)
    if looks is not None:
        looks.append(look)
    return data
