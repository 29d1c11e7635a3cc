"""Bytes and a path in, a file there out, whole or not at all; what is a link or no regular file is not written through.

Everything goes to a temporary file in the same folder, is fsynced and renamed, and then the folder is fsynced: a killed
run and a power cut leave the old file or the new one.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable

from feedtool.digests import blake2b
from feedtool.errors import OutputError
from feedtool.pieces import Pieces, pour

TEMPORARY = ".feedtool-new"
"""How the name of a file being written ends; one that is found later was left by a killed run and is ours to remove."""
MANY = 200
"""Folders from which on all disks are made to settle at one stroke."""
_WRITING = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)


def write(path: str, data: bytes | Pieces, *, touched: set[str] | None = None) -> None:
    """Put `data`, in pieces or in one, at `path`, whole or not at all, making folders as needed; an old file's permissions
    and owner are kept.

    It outlasts a power cut when this returns; given `touched`, only once that was given to `settle`. Raises OSError; a
    link, or what is no regular file, is not replaced. Of two who write one file at once, one may fail: hold the lock.
    """
    waiting: set[str] = set() if touched is None else touched
    try:
        _write(path, data, waiting)
    except OSError as error:
        if not isinstance(error, IsADirectoryError):
            # Not the name that it has meanwhile.
            error.filename = path
        raise
    waiting.add(os.path.dirname(path))
    if touched is None:
        fsync_folders(waiting)


def _write(path: str, data: bytes | Pieces, touched: set[str]) -> None:
    old = _replaced(path)
    temporary = beside(path)
    descriptor = _opened(temporary, touched)
    try:
        _fill(descriptor, data, old)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def create(path: str, data: bytes) -> None:
    """Put `data` at `path`, whole or not at all; raises FileExistsError where anything stands there, and OSError."""
    waiting = {os.path.dirname(path)}
    temporary = beside(path, str(os.getpid()))
    descriptor = _opened(temporary, waiting)
    try:
        _fill(descriptor, data, None)
        try:
            os.link(temporary, path)
        except (FileExistsError, FileNotFoundError):
            raise
        except OSError:
            # No hard links there: the name is taken first, empty, and then filled at one stroke.
            os.close(os.open(path, _WRITING, 0o666))
            os.replace(temporary, path)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
    fsync_folders(waiting)


def beside(path: str, mark: str = "") -> str:
    """Return the name under which a file is written before it gets its own."""
    folder, name = os.path.split(path)
    ending = f".{mark}{TEMPORARY}" if mark else TEMPORARY
    if len(os.fsencode(name)) + len(ending) > 255:
        name = blake2b(os.fsencode(name), digest_size=16).hexdigest()
    return os.path.join(folder, name + ending)


def tidy(path: str) -> None:
    """Remove the half of a file that a killed run left beside it."""
    with contextlib.suppress(OSError):
        os.unlink(beside(path))


def sweep(leftovers: Iterable[str]) -> None:
    """Remove the halves of files that `walk` found, and empty the list."""
    for path in leftovers:
        with contextlib.suppress(OSError):
            os.unlink(path)


def _replaced(path: str) -> os.stat_result | None:
    try:
        old = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_ISDIR(old.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(old.st_mode):
        what = "it is a link" if stat.S_ISLNK(old.st_mode) else "it is not a regular file"
        raise OSError(errno.EINVAL, what, path)
    return old


def _opened(temporary: str, touched: set[str]) -> int:
    try:
        return os.open(temporary, _WRITING, 0o666)
    except FileNotFoundError:
        make_folders(os.path.dirname(temporary), touched)
    except FileExistsError:
        # A killed run left it. Never written into: it may have another name elsewhere, or be no file at all.
        os.unlink(temporary)
    return os.open(temporary, _WRITING, 0o666)


def _fill(descriptor: int, data: bytes | Pieces, old: os.stat_result | None) -> None:
    """Write a new file's bytes, give it the rights of the old one, see it onto the disk, and close it."""
    try:
        pour(descriptor, (data,) if isinstance(data, bytes) else data)
        if old is not None:
            _liken(descriptor, old)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _liken(descriptor: int, old: os.stat_result) -> None:
    if not hasattr(os, "fchown"):  # Windows has neither
        return
    new = os.fstat(descriptor)
    with contextlib.suppress(OSError):
        if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
            os.fchown(descriptor, old.st_uid, old.st_gid)
    with contextlib.suppress(OSError):
        os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


def make_folders(folder: str, touched: set[str] | None = None) -> None:
    """Make a folder and those it lies in, as needed; raises OSError. Given `touched`, what has to be settled is added."""
    waiting: set[str] = set() if touched is None else touched
    missing = []
    while folder and not os.path.isdir(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    for one in reversed(missing):
        with contextlib.suppress(FileExistsError):  # another was quicker; or it is a file, and the next step tells
            os.mkdir(one)
            waiting.add(os.path.dirname(one))
    if missing and not os.path.isdir(missing[0]):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), missing[0])
    if touched is None:
        fsync_folders(waiting)


def fsync_folders(folders: Iterable[str]) -> None:
    """Make what was renamed or made in folders outlast a power cut, where the platform can; raises OSError.

    What a platform can't do is no error: Windows opens no folder, and some file systems know no fsync of one.
    """
    some = sorted(set(folders))
    if len(some) > MANY and hasattr(os, "sync"):
        os.sync()
        return
    for folder in some:
        try:
            descriptor = os.open(folder or ".", os.O_RDONLY)
        except OSError:
            continue
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno in _LOST:
                raise
        finally:
            os.close(descriptor)


_LOST = (errno.EIO, errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def remove(path: str) -> bool:
    """Delete a file; False where it was gone, or a folder stands there: that is somebody else's. Raises OSError."""
    try:
        os.unlink(path)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return False
    except PermissionError:
        # So some systems call what is a folder.
        if os.path.isdir(path) and not os.path.islink(path):
            return False
        raise
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
    """Return the path of an output file, or raise OutputError where a link or `..` would lead it elsewhere.

    The file itself may be a link: whoever writes, reads or deletes decides what becomes of that. `safe` remembers the folders
    that were looked at, so that each is looked at once a run.
    """
    safe = set() if safe is None else safe
    folder = root
    *parts, name = relative.split("/")
    if name in ("", ".", "..") or (os.sep == "\\" and any(sign in relative for sign in "\\:")):
        raise OutputError("leads out of the output folder", where=f"{root}{os.sep}{relative}", hint="delete it")
    for part in parts:
        folder = f"{folder}{os.sep}{part}"
        if folder in safe:
            continue
        if part in ("", ".", ".."):
            raise OutputError("leads out of the output folder", where=folder, hint="delete it")
        if os.path.islink(folder):
            raise OutputError(
                "is a link; feedtool does not write through it", where=folder, hint="make it a folder of its own"
            )
        safe.add(folder)
    return f"{folder}{os.sep}{name}"
