"""The site's local files: article folders are listed and read, output files written whole or not at all; no meanings.

Everything that writes goes to a temporary file in the same folder, is fsynced and renamed, so that a killed run
leaves the old file or the new one.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from typing import NamedTuple

from feedtool.errors import OutputError
from feedtool.model import Problem

SUFFIXES = (".md", ".markdown", ".html", ".htm", ".txt")
TEMPORARY = ".feedtool-new"
"""How the name of a file being written ends; one that is found later was left by a killed run and is ours to remove."""


Found = tuple[str, int, int, int]
"""One article file as a folder lists it: name, size in bytes, mtime and ctime in nanoseconds.

A hand can put an mtime back; the ctime is the system's."""


class Folder(NamedTuple):
    """One folder's article files in the order of their names; `path` is relative, "" or ending in "/"."""

    path: str
    files: list[Found]


class Listed(NamedTuple):
    """What one folder holds: its article files and its folders, both in the order of their names, and what is odd about it."""

    files: list[Found]
    below: list[str]
    problems: list[Problem]


def walk(root: str, *, problems: list[Problem], prefix: str) -> Iterator[Folder]:
    """Yield every folder below `root` that holds article files, in the order of their paths.

    Hidden folders are passed over. Links are followed only to files inside `root`; what can't be listed or leads
    outside is a Problem.
    """
    pending = [""]
    while pending:
        path = pending.pop()
        files, below, odd = list_folder(root, path, prefix=prefix)
        problems += odd
        if files:
            yield Folder(path, files)
        pending.extend(f"{path}{name}/" for name in reversed(below))


def list_folder(root: str, path: str, *, prefix: str) -> Listed:
    """Return what the folder at `path` below `root` holds; `path` is "" or ends in "/"."""
    listed = Listed([], [], [])
    files = listed.files
    try:
        with _listed(f"{root}/{path}") as entries:
            for entry in entries:
                name = entry.name
                if name.endswith(SUFFIXES) and name[0] != "." and entry.is_file(follow_symlinks=False):
                    # Nearly every entry: a hundred thousand times a build.
                    found = entry.stat(follow_symlinks=False)
                    files.append((name, found.st_size, found.st_mtime_ns, found.st_ctime_ns))
                else:
                    _sort_out(entry, listed, (root, path, prefix))
    except OSError as error:
        return Listed([], [], [*listed.problems, _unlisted(prefix + path, error)])
    files.sort()
    listed.below.sort()
    return listed


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
    listed.files.append((name, status.st_size, status.st_mtime_ns, status.st_ctime_ns))


def _unlisted(file: str, error: OSError) -> Problem:
    hint = "check its permissions" if error.errno in (errno.EACCES, errno.EPERM) else "look at the disk"
    return Problem(file=file, code="FT001", message=f"cannot be read: {error.strerror or error}", hint=hint)


def read(path: str, limit: int | None = None) -> bytes:
    """Return a file's bytes, or its first `limit`; raises OSError. Never waits on what is no regular file."""
    descriptor = os.open(path, _READING)
    try:
        if limit is not None:
            return os.read(descriptor, limit)
        with open(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)


def beginnings(paths: list[str], size: int) -> Iterator[bytes | OSError]:
    """Yield the first `size` bytes of each file, or the OSError that kept us from them.

    The system is told of a hundred files at a time before the first is read: from a cold disk that is ten times faster.
    """
    advise = getattr(os, "posix_fadvise", None)
    for start in range(0, len(paths), 128):
        opened: list[int | OSError] = []
        for path in paths[start : start + 128]:
            try:
                descriptor = os.open(path, _READING)
                opened.append(descriptor)
                if advise is not None:
                    advise(descriptor, 0, size, os.POSIX_FADV_WILLNEED)
            except OSError as error:
                opened.append(error)
        for one in opened:
            if isinstance(one, OSError):
                yield one
                continue
            try:
                data: bytes | OSError = os.read(one, size)
            except OSError as error:
                data = error
            os.close(one)
            yield data


_WRITING = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
_READING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def read_or_none(path: str) -> bytes | None:
    """Return a file's bytes, or None where there is no such file."""
    try:
        return read(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def write(path: str, data: bytes) -> None:
    """Put `data` at `path`, whole or not at all, making folders as needed; the permissions of an old file are kept."""
    temporary = path + TEMPORARY
    try:
        descriptor = os.open(temporary, _WRITING, 0o666)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        descriptor = os.open(temporary, _WRITING, 0o666)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            with contextlib.suppress(OSError):
                os.fchmod(file.fileno(), stat.S_IMODE(os.stat(path).st_mode))
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def settle(folder: str) -> None:
    """Make the renames in a folder outlast a power cut, where the platform can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove(path: str) -> bool:
    """Delete a file and the folders that this leaves empty, upwards to where one is not; False where it was gone."""
    try:
        os.unlink(path)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError):
        # A folder where a file of ours was is somebody else's.
        return False
    return True


def remove_empty(folder: str, *, below: str) -> None:
    """Delete `folder` and its parents as far as they are empty, staying below `below`."""
    while folder.startswith(below + "/"):
        try:
            os.rmdir(folder)
        except OSError:
            return
        folder = os.path.dirname(folder)


def inside(root: str, relative: str, safe: set[str] | None = None) -> str:
    """Return the path of an output file, or raise OutputError where a link or `..` would lead it out of `root`.

    `safe` remembers the folders that were looked at, so that each is looked at once a run.
    """
    safe = set() if safe is None else safe
    folder = root
    *parts, name = relative.split("/")
    for part in parts:
        folder = f"{folder}{os.sep}{part}"
        if folder in safe:
            continue
        real = os.path.realpath(folder) if part in ("", ".", "..") or os.path.islink(folder) else folder
        if real != root and not real.startswith(root.rstrip(os.sep) + os.sep):
            raise OutputError("leads out of the output folder", where=folder, hint="remove the link there")
        safe.add(folder)
    return f"{folder}{os.sep}{name}"
