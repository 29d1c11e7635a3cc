"""Folders and paths in, article files listed and their bytes out; links are followed only within the articles."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from feedtool.errors import remedy
from feedtool.models import Problem
from feedtool.storage.writing import TEMPORARY

SUFFIXES = (".md", ".markdown", ".html", ".htm", ".txt")
LARGEST = 64 << 20
"""Bytes of an article file beyond which it is not read: nobody wrote that, and it would take the memory of all others."""


Found = tuple[str, int, int, int]
"""One article file as a folder lists it: name, size in bytes, mtime and ctime in nanoseconds.

A hand can put an mtime back; the ctime is the system's."""
Signature = tuple[int, int, int]
"""A file's size, mtime and ctime."""
UNSEEN: Signature = (-1, -1, -1)
"""How a file looks that nobody has looked at yet, or whose look says nothing: it equals that of no file."""


class Sorted(Protocol):
    """What a layout makes of a folder: the names of articles, folders to go into, files that speak for the folder."""

    @property
    def articles(self) -> list[str]: ...
    @property
    def folders(self) -> list[str]: ...
    @property
    def sections(self) -> tuple[str, ...]: ...


class Layout(Protocol):
    """Tells which files of a folder are articles, as a site's generator does."""

    @property
    def sorts(self) -> bool: ...
    def sort(self, folder: str, names: Sequence[str], folders: list[str], /) -> Sorted: ...


class Folder(NamedTuple):
    """One folder's article files in the order of their names; `path` is relative, "" or ending in "/".

    `sections` are the paths of the files that speak for it and for the folders above it, the outermost first.
    """

    path: str
    files: list[Found]
    sections: tuple[str, ...] = ()


class Listed(NamedTuple):
    """What one folder holds: its article files and its folders, both in the order of their names, and what is odd about it.

    `sections` are the names of the files that speak for the folder.
    """

    files: list[Found]
    below: list[str]
    problems: list[Problem]
    sections: tuple[str, ...] = ()


def walk_articles(
    root: str,
    *,
    problems: list[Problem],
    prefix: str,
    leftovers: list[str] | None = None,
    unseen: bool = False,
    layout: Layout | None = None,
) -> Iterator[Folder]:
    """Yield every folder below `root` that holds article files, in the order of their paths.

    Hidden folders are passed over. Links are followed only to files inside `root`; what can't be listed or leads
    outside is a Problem. To `leftovers` is added what killed runs left, for `sweep`. Where `unseen`, the files are
    UNSEEN: whoever opens them can look at them there, for a third of what it costs here. With a `layout`, only what it
    takes for articles is listed.
    """
    pending: list[tuple[str, tuple[str, ...]]] = [("", ())]
    while pending:
        path, above = pending.pop()
        listed = list_folder(root, path, prefix=prefix, leftovers=leftovers, unseen=unseen, layout=layout)
        problems += listed.problems
        sections = sections_of(path, above, listed.sections)
        if listed.files:
            yield Folder(path, listed.files, sections)
        pending.extend((f"{path}{name}/", sections) for name in reversed(listed.below))


def sections_of(path: str, above: tuple[str, ...], own: tuple[str, ...]) -> tuple[str, ...]:
    """Return the paths of the files that speak for a folder: those of the folders above it, then its own."""
    return (*above, *(path + name for name in own)) if own else above


def list_folder(
    root: str,
    path: str,
    *,
    prefix: str,
    leftovers: list[str] | None = None,
    unseen: bool = False,
    layout: Layout | None = None,
) -> Listed:
    """Return what the folder at `path` below `root` holds; `path` is "" or ends in "/"."""
    listed = Listed([], [], [])
    files = listed.files
    names: list[str] = []
    try:
        with _listed(f"{root}/{path}") as entries:
            for entry in entries:
                name = entry.name
                if name.endswith(SUFFIXES) and name[0] != "." and entry.is_file(follow_symlinks=False):
                    # Nearly every entry: a hundred thousand times a build.
                    if unseen:
                        names.append(name)
                        continue
                    found = entry.stat(follow_symlinks=False)
                    files.append((name, found.st_size, found.st_mtime_ns, found.st_ctime_ns))
                else:
                    if leftovers is not None and name.endswith(TEMPORARY) and entry.is_file(follow_symlinks=False):
                        leftovers.append(f"{root}/{path}{name}")
                    _sort_out(entry, listed, (root, path, prefix))
    except OSError as error:
        return Listed([], [], [*listed.problems, _unlisted(prefix + path, error)])
    files.sort()
    if names:
        # Names alone are sorted in a third of the time.
        names.sort()
        fresh = [(name, *UNSEEN) for name in names]
        files[:] = sorted(files + fresh) if files else fresh
    listed.below.sort()
    return listed if layout is None or not layout.sorts else _sorted(listed, path, layout)


def _sorted(listed: Listed, path: str, layout: Layout) -> Listed:
    kept = layout.sort(path, [found[0] for found in listed.files], listed.below)
    names = frozenset(kept.articles)
    files = listed.files if len(names) == len(listed.files) else [found for found in listed.files if found[0] in names]
    return Listed(files, kept.folders, listed.problems, kept.sections)


@contextlib.contextmanager
def _listed(folder: str) -> Iterator[Iterator[os.DirEntry[str]]]:
    """List a folder. Asked by the folder's descriptor, the system need not find the way to each file anew: a fifth less."""
    if os.scandir not in os.supports_fd:
        with os.scandir(folder) as entries:
            yield entries
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with os.scandir(descriptor) as entries:
            yield entries
    finally:
        os.close(descriptor)


def _sort_out(entry: os.DirEntry[str], listed: Listed, place: tuple[str, str, str]) -> None:
    name = entry.name
    if name[0] == ".":
        return
    if entry.is_dir(follow_symlinks=False):
        listed.below.append(name)
        return
    if not name.lower().endswith(SUFFIXES):
        return
    root, path, prefix = place
    problems = listed.problems
    try:
        status = entry.stat()
    except OSError as error:
        problems.append(_unlisted(prefix + path + name, error))
        return
    if entry.is_symlink():
        target = os.path.realpath(f"{root}/{path}{name}")
        if not target.startswith(os.path.realpath(root) + os.sep) or stat.S_ISDIR(status.st_mode):
            hint = "copy the file here, or point [articles] path at its folder"
            message = "a link that leads out of the articles folder, or to a folder, is not followed"
            problems.append(
                Problem(file=prefix + path + name, code="FT022", message=message, hint=hint, severity="warning")
            )
            return
    if not stat.S_ISREG(status.st_mode):
        problems.append(
            Problem(
                file=prefix + path + name,
                code="FT001",
                message="not a regular file",
                hint="remove it",
                severity="warning",
            )
        )
        return
    listed.files.append((name, *signature_of(status)))


def _unlisted(file: str, error: OSError) -> Problem:
    return Problem(file=file, code="FT001", message=f"cannot be read: {error.strerror or error}", hint=remedy(error))


def read(path: str, limit: int | None = None, *, most: int | None = None) -> bytes:
    """Return a file's bytes, or its first `limit`; raises OSError, also where it holds more than `most`.

    Never waits on what is no regular file, nor reads it.
    """
    descriptor = os.open(path, READING)
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", path)
        if most is not None and status.st_size > most:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), path)
        if limit is not None:
            return os.read(descriptor, limit)
        with open(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)


def article(path: str) -> bytes:
    """Return the bytes of an article file; raises OSError, also for one that is too large to be one."""
    return read(path, most=LARGEST)


def named(path: str) -> bytes:
    """Return the bytes of a file that a person named: a pipe will do, and is waited for. Raises OSError."""
    with open(path, "rb") as file:
        return file.read()


def signature_of(status: os.stat_result) -> Signature:
    """Return what tells a file's present state from others without reading it."""
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns)


READING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def read_or_none(path: str) -> bytes | None:
    """Return a file's bytes, or None where there is no such file."""
    try:
        return read(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def read_start(path: str, size: int) -> bytes | None:
    """Return the first `size` bytes of a file, None where there is no such file; raises OSError."""
    try:
        return read(path, size)
    except (FileNotFoundError, NotADirectoryError):
        return None
