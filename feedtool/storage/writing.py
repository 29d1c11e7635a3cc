"""Write files whole or not at all, and never through a link or onto anything but a regular file.

The data goes to a temporary file in the same folder, which is fsynced and renamed; then the folder is fsynced. After a killed
run or a power cut there is either the old file or the new one.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable

from feedtool.digests import blake2b
from feedtool.errors import OutputError
from feedtool.pieces import Pieces, write_pieces

TEMPORARY_SUFFIX = ".feedtool-new"
"""The suffix of a file that is being written. A file with it that is found later was left by a killed run and may be removed."""
MAX_FOLDER_SYNCS = 200
"""For more folders than this, a single sync of all disks replaces the fsync of each folder."""
_WRITE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)


def write(path: str, data: bytes | Pieces, *, touched: set[str] | None = None) -> None:
    """Write `data` to `path`, whole or not at all, creating folders as needed. An old file's permissions and owner are kept.

    The file survives a power cut when this returns; with `touched`, only after those folders were passed to `fsync_folders`.
    Raise OSError, also instead of replacing a link or anything else that is not a regular file. When two processes write one file
    at the same time, one of them may fail: hold the lock.
    """
    unsynced: set[str] = set() if touched is None else touched
    try:
        _write(path, data, unsynced)
    except OSError as error:
        if not isinstance(error, IsADirectoryError):
            # Report the path that the caller knows, not that of the temporary file.
            error.filename = path
        raise
    unsynced.add(os.path.dirname(path))
    if touched is None:
        fsync_folders(unsynced)


def _write(path: str, data: bytes | Pieces, touched: set[str]) -> None:
    old = _stat_old_file(path)
    temporary = temporary_path(path)
    descriptor = _open_temporary(temporary, touched)
    try:
        _fill_and_close(descriptor, data, old)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def create(path: str, data: bytes) -> None:
    """Write a new file at `path`, whole or not at all. Raise FileExistsError if anything exists there, and OSError."""
    unsynced = {os.path.dirname(path)}
    temporary = temporary_path(path, str(os.getpid()))
    descriptor = _open_temporary(temporary, unsynced)
    try:
        _fill_and_close(descriptor, data, None)
        try:
            os.link(temporary, path)
        except (FileExistsError, FileNotFoundError):
            raise
        except OSError:
            # The file system has no hard links: reserve the name with an empty file, then replace that atomically.
            os.close(os.open(path, _WRITE_FLAGS, 0o666))
            os.replace(temporary, path)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
    fsync_folders(unsynced)


def temporary_path(path: str, tag: str = "") -> str:
    """Return the path at which a file is written before it is renamed to its own."""
    folder, name = os.path.split(path)
    ending = f".{tag}{TEMPORARY_SUFFIX}" if tag else TEMPORARY_SUFFIX
    if len(os.fsencode(name)) + len(ending) > 255:
        name = blake2b(os.fsencode(name), digest_size=16).hexdigest()
    return os.path.join(folder, name + ending)


def remove_leftover(path: str) -> None:
    """Remove the temporary file of `path` that a killed run left."""
    with contextlib.suppress(OSError):
        os.unlink(temporary_path(path))


def remove_leftovers(leftovers: Iterable[str]) -> None:
    """Remove the temporary files that `walk_articles` found."""
    for path in leftovers:
        with contextlib.suppress(OSError):
            os.unlink(path)


def _stat_old_file(path: str) -> os.stat_result | None:
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


def _open_temporary(temporary: str, touched: set[str]) -> int:
    try:
        return os.open(temporary, _WRITE_FLAGS, 0o666)
    except FileNotFoundError:
        make_folders(os.path.dirname(temporary), touched)
    except FileExistsError:
        # A killed run left it. Do not write into it: it may be a hard link to another file, or not a regular file.
        os.unlink(temporary)
    return os.open(temporary, _WRITE_FLAGS, 0o666)


def _fill_and_close(descriptor: int, data: bytes | Pieces, old: os.stat_result | None) -> None:
    """Write a new file's bytes, give it the permissions and owner of the old one, fsync and close it."""
    try:
        write_pieces(descriptor, (data,) if isinstance(data, bytes) else data)
        if old is not None:
            _copy_rights(descriptor, old)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _copy_rights(descriptor: int, old: os.stat_result) -> None:
    if not hasattr(os, "fchown"):  # Windows has neither fchown nor fchmod
        return
    new = os.fstat(descriptor)
    with contextlib.suppress(OSError):
        if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
            os.fchown(descriptor, old.st_uid, old.st_gid)
    with contextlib.suppress(OSError):
        os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


def make_folders(folder: str, touched: set[str] | None = None) -> None:
    """Create a folder and its parents as needed. Raise OSError.

    With `touched`, the folders to be fsynced are added to it instead of being fsynced here.
    """
    unsynced: set[str] = set() if touched is None else touched
    missing = []
    while folder and not os.path.isdir(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    for one in reversed(missing):
        with contextlib.suppress(
            FileExistsError
        ):  # another process made it; if it is a file, the check below finds out
            os.mkdir(one)
            unsynced.add(os.path.dirname(one))
    if missing and not os.path.isdir(missing[0]):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), missing[0])
    if touched is None:
        fsync_folders(unsynced)


def fsync_folders(folders: Iterable[str]) -> None:
    """Make renamed and created entries of folders survive a power cut, as far as the platform can. Raise OSError.

    It is no error if the platform cannot do it: Windows opens no folders, and some file systems have no fsync for them.
    """
    unique = sorted(set(folders))
    if len(unique) > MAX_FOLDER_SYNCS and hasattr(os, "sync"):
        os.sync()
        return
    for folder in unique:
        try:
            descriptor = os.open(folder or ".", os.O_RDONLY)
        except OSError:
            continue
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno in _DATA_LOSS:
                raise
        finally:
            os.close(descriptor)


_DATA_LOSS = (errno.EIO, errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def remove(path: str) -> bool:
    """Delete a file. Return False if it did not exist, or if a folder, which feedtool did not make, has its name. Raise OSError."""
    try:
        os.unlink(path)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return False
    except PermissionError:
        # Some systems report a folder with this error.
        if os.path.isdir(path) and not os.path.islink(path):
            return False
        raise
    return True


def remove_empty(folder: str, *, below: str) -> None:
    """Delete `folder` and its parents as long as they are empty and below `below`."""
    while folder.startswith(below + "/"):
        try:
            os.rmdir(folder)
        except OSError:
            return
        folder = os.path.dirname(folder)


def path_inside(root: str, relative: str, safe: set[str] | None = None) -> str:
    """Return the path of an output file. Raise OutputError if a link or `..` in it would lead out of the output folder.

    The file itself may be a link: the caller decides whether to write, read or delete it. `safe` collects the folders that were
    checked, so that each is checked only once in a run.
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
