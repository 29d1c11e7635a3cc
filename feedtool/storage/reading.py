"""List and read article files. Links are followed only to files within the articles folder."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from feedtool.errors import remedy
from feedtool.models import Problem
from feedtool.storage.writing import TEMPORARY_SUFFIX

SUFFIXES = (".md", ".markdown", ".html", ".htm", ".txt")
MAX_ARTICLE_SIZE = 64 << 20
"""Bytes. A larger article file is not read: no person wrote it, and it would take more memory than all other articles."""


ListedFile = tuple[str, int, int, int]
"""One article file in a folder's listing: name, size in bytes, mtime and ctime in nanoseconds.

Users can set an mtime back, but only the system sets a ctime.
"""
Signature = tuple[int, int, int]
"""A file's size in bytes, its mtime and its ctime in nanoseconds."""
NO_SIGNATURE: Signature = (-1, -1, -1)
"""The signature of a file whose stat was not read or proves nothing. It equals that of no file."""


class SortedFolder(Protocol):
    """The result of a layout for one folder: names of articles, folders to go into, and section files."""

    @property
    def articles(self) -> list[str]: ...
    @property
    def folders(self) -> list[str]: ...
    @property
    def sections(self) -> tuple[str, ...]: ...


class Layout(Protocol):
    """Decide which files of a folder are articles, as the site's generator does."""

    @property
    def sorts(self) -> bool: ...
    def sort(self, folder: str, names: Sequence[str], folders: list[str], /) -> SortedFolder: ...


class Folder(NamedTuple):
    """One folder's article files in the order of their names. `path` is relative, either "" or ending in "/".

    `sections` are the paths of the section files in this folder and in the folders above it, the outermost first. The settings in
    a section file hold for its folder and those below.
    """

    path: str
    files: list[ListedFile]
    sections: tuple[str, ...] = ()


class FolderListing(NamedTuple):
    """The content of one folder: its article files and subfolders, both in the order of their names, and problems with them.

    `sections` are the names of its section files.
    """

    files: list[ListedFile]
    folders: list[str]
    problems: list[Problem]
    sections: tuple[str, ...] = ()


def walk_articles(
    root: str,
    *,
    problems: list[Problem],
    prefix: str,
    leftovers: list[str] | None = None,
    skip_stat: bool = False,
    layout: Layout | None = None,
) -> Iterator[Folder]:
    """Yield every folder below `root` that contains article files, in the order of their paths.

    Hidden folders are skipped. Links are followed only to files inside `root`. A folder or file that cannot be listed or leads
    outside becomes a Problem. Temporary files of killed runs are appended to `leftovers`, for `remove_leftovers`. With
    `skip_stat`, each file's signature is NO_SIGNATURE: a caller that opens the file anyway gets its stat there for a third of the
    time. With a `layout`, only the files that it takes for articles are listed.
    """
    pending: list[tuple[str, tuple[str, ...]]] = [("", ())]
    while pending:
        path, above = pending.pop()
        listing = list_folder(root, path, prefix=prefix, leftovers=leftovers, skip_stat=skip_stat, layout=layout)
        problems += listing.problems
        sections = sections_of(path, above, listing.sections)
        if listing.files:
            yield Folder(path, listing.files, sections)
        pending.extend((f"{path}{name}/", sections) for name in reversed(listing.folders))


def sections_of(path: str, above: tuple[str, ...], own: tuple[str, ...]) -> tuple[str, ...]:
    """Return the paths of a folder's section files: those of the folders above it, then its own."""
    return (*above, *(path + name for name in own)) if own else above


def list_folder(
    root: str,
    path: str,
    *,
    prefix: str,
    leftovers: list[str] | None = None,
    skip_stat: bool = False,
    layout: Layout | None = None,
) -> FolderListing:
    """Return what the folder at `path` below `root` contains. `path` is "" or ends in "/"."""
    listing = FolderListing([], [], [])
    files = listing.files
    names: list[str] = []
    try:
        with _scan(f"{root}/{path}") as entries:
            for entry in entries:
                name = entry.name
                if name.endswith(SUFFIXES) and name[0] != "." and entry.is_file(follow_symlinks=False):
                    # Nearly every entry takes this branch, up to a hundred thousand times in a build.
                    if skip_stat:
                        names.append(name)
                        continue
                    status = entry.stat(follow_symlinks=False)
                    files.append((name, status.st_size, status.st_mtime_ns, status.st_ctime_ns))
                else:
                    if (
                        leftovers is not None
                        and name.endswith(TEMPORARY_SUFFIX)
                        and entry.is_file(follow_symlinks=False)
                    ):
                        leftovers.append(f"{root}/{path}{name}")
                    _add_other_entry(entry, listing, (root, path, prefix))
    except OSError as error:
        return FolderListing([], [], [*listing.problems, _unreadable(prefix + path, error)])
    files.sort()
    if names:
        # Sorting the names alone takes a third of the time of sorting tuples.
        names.sort()
        unsigned = [(name, *NO_SIGNATURE) for name in names]
        files[:] = sorted(files + unsigned) if files else unsigned
    listing.folders.sort()
    return listing if layout is None or not layout.sorts else _apply_layout(listing, path, layout)


def _apply_layout(listing: FolderListing, path: str, layout: Layout) -> FolderListing:
    sorted_folder = layout.sort(path, [file[0] for file in listing.files], listing.folders)
    names = frozenset(sorted_folder.articles)
    files = listing.files if len(names) == len(listing.files) else [file for file in listing.files if file[0] in names]
    return FolderListing(files, sorted_folder.folders, listing.problems, sorted_folder.sections)


@contextlib.contextmanager
def _scan(folder: str) -> Iterator[Iterator[os.DirEntry[str]]]:
    """List a folder by its descriptor.

    The system then need not resolve the path for each file's stat, which saves a fifth of the time.
    """
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


def _add_other_entry(entry: os.DirEntry[str], listing: FolderListing, location: tuple[str, str, str]) -> None:
    name = entry.name
    if name[0] == ".":
        return
    if entry.is_dir(follow_symlinks=False):
        listing.folders.append(name)
        return
    if not name.lower().endswith(SUFFIXES):
        return
    root, path, prefix = location
    problems = listing.problems
    try:
        status = entry.stat()
    except OSError as error:
        problems.append(_unreadable(prefix + path + name, error))
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
    listing.files.append((name, *signature_of(status)))


def _unreadable(file: str, error: OSError) -> Problem:
    return Problem(file=file, code="FT001", message=f"cannot be read: {error.strerror or error}", hint=remedy(error))


def read(path: str, limit: int | None = None, *, max_size: int | None = None) -> bytes:
    """Return a file's bytes, or its first `limit` bytes.

    Raise OSError if it cannot be read, if it is not a regular file, or if it is larger than `max_size`. Never block on a pipe.
    """
    descriptor = os.open(path, READ_FLAGS)
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", path)
        if max_size is not None and status.st_size > max_size:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), path)
        if limit is not None:
            return os.read(descriptor, limit)
        with open(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)


def read_article(path: str) -> bytes:
    """Return the bytes of an article file. Raise OSError if it cannot be read or is larger than MAX_ARTICLE_SIZE."""
    return read(path, max_size=MAX_ARTICLE_SIZE)


def read_named_file(path: str) -> bytes:
    """Return the bytes of a file that the user named, waiting for them if it is a pipe. Raise OSError."""
    with open(path, "rb") as file:
        return file.read()


def signature_of(status: os.stat_result) -> Signature:
    """Return the numbers that show whether a file has changed, without reading it."""
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns)


READ_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def read_or_none(path: str) -> bytes | None:
    """Return a file's bytes, or None if there is no such file. Raise OSError if it cannot be read."""
    try:
        return read(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def read_start(path: str, size: int) -> bytes | None:
    """Return the first `size` bytes of a file, or None if there is no such file. Raise OSError if it cannot be read."""
    try:
        return read(path, size)
    except (FileNotFoundError, NotADirectoryError):
        return None
