"""Make checksums with a key that only this user has, and seal whole databases with them.

Files in `.feedtool/` contain HTML that was sanitized earlier. Anybody who could add such a file, for example with a commit,
could publish anything. So each value in them has a checksum under a secret key that no repository contains.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from feedtool.catalog.git import is_tracked
from feedtool.digests import blake2b

if TYPE_CHECKING:
    from typing import BinaryIO

STATE_DIR_VARIABLE = "FEEDTOOL_STATE_DIR"
"""The environment variable that names the key's folder, for CI and containers, where the usual one is unsuitable."""
KEY_FILE = "key"
KEY_SIZE = 32
CHECKSUM_SIZE = 16
SEAL_SUFFIX = ".sum"
"""The suffix of the file that contains the checksum of a whole database."""
JOURNAL_SUFFIXES = ("-wal", "-shm", "-journal")
"""The suffixes of the files that SQLite keeps beside a database."""
_FLAGS = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)


class Signer:
    """Make checksums (keyed BLAKE2b, RFC 7693) with one key.

    `is_persistent` is False for a random key that ends with the process because the user's key is not available; `reason` is
    then the reason, and `key_path` the path of the user's key as far as it is known.
    """

    __slots__ = ("_key", "is_persistent", "key_path", "reason")

    def __init__(self, key: bytes | None = None, *, place: str = "", why: str = "") -> None:
        """Sign with `key`, or with a random one that nobody else will ever have."""
        self._key = os.urandom(KEY_SIZE) if key is None else key
        self.is_persistent = key is not None
        self.key_path = place
        self.reason = why

    def checksum(self, kind: bytes, *values: bytes) -> bytes:
        """Return the checksum of some values in their order, 16 bytes.

        `kind`, at most 16 bytes, separates different uses of the key. The length of each value is signed too, so that no byte can
        move from a value to the next one.
        """
        digest = blake2b(key=self._key, digest_size=CHECKSUM_SIZE, person=kind)
        for value in values:
            digest.update(len(value).to_bytes(8, "little"))
            digest.update(value)
        return digest.digest()

    def file_checksum(self, kind: bytes, file: BinaryIO) -> bytes:
        """Return the checksum of the unread rest of a file, 16 bytes. Raise OSError."""
        digest = blake2b(key=self._key, digest_size=CHECKSUM_SIZE, person=kind)
        while piece := file.read(1 << 20):
            digest.update(piece)
        return digest.digest()

    def note(self) -> str:
        """Return a note for users who ask for details: why the key cannot be used, or "" if it is persistent."""
        if self.is_persistent:
            return ""
        where = f"{self.key_path}: " if self.key_path else ""
        return f"{where}{self.reason}; without the key, .feedtool/ is not used and every build is a cold one"


def seal(path: str, signer: Signer) -> None:
    """Sign a database that nobody writes to any more, in a file beside it. Raise OSError.

    Between two runs, a bit may flip in a value that SQLite cannot check, a power cut may lose a part of a run, or a commit may
    bring somebody else's database.
    """
    if signer.is_persistent:
        with open(path + SEAL_SUFFIX, "w", encoding="ascii") as file:
            file.write(_file_checksum(path, signer))


def is_sealed(path: str, signer: Signer) -> bool:
    """Return True if a database is unchanged since it was sealed, and remove its seal.

    Because the seal is removed here, a killed run leaves no sealed database. There must be no journal beside the database, since
    SQLite would apply it on opening.
    """
    try:
        with open(path + SEAL_SUFFIX, "rb") as file:
            sealed = file.read(64).decode("ascii", "replace")
        os.unlink(path + SEAL_SUFFIX)
        journals = any(os.path.lexists(path + suffix) for suffix in JOURNAL_SUFFIXES)
        return not journals and sealed == _file_checksum(path, signer)
    except OSError:
        return False


def _file_checksum(path: str, signer: Signer) -> str:
    with open(path, "rb") as file:
        return f"{signer.file_checksum(b'lookup', file).hex()}\n"


def user_signer(environment: Mapping[str, str] | None = None, *, create: bool = True) -> Signer:
    """Return a signer with the user's key, which is created on first use (mode 600, in a folder of mode 700).

    If the key cannot be read or created, or if others may read it, return a signer with a random key; nothing is kept then. With
    `create` False, no key is created. Raise nothing.
    """
    path = ""
    try:
        folder = state_folder(os.environ if environment is None else environment)
        path = os.path.join(folder, KEY_FILE)
        if is_tracked(folder):
            return Signer(place=path, why="git tracks the folder of the key, so others may know it")
        key = _read_key(path)
        if key is None and not create:
            return Signer(place=path, why="there is no key yet")
        return Signer(_create_key(folder, path) if key is None else key, place=path)
    except OSError as error:
        return Signer(place=path, why=error.strerror or str(error))
    except ValueError:
        return Signer(place=path, why="the path of the key cannot be used")


def state_folder(environment: Mapping[str, str]) -> str:
    """Return the folder for files that belong to the user and to no site: FEEDTOOL_STATE_DIR, or the system's usual place.

    That is $XDG_STATE_HOME/feedtool (XDG Base Directory Specification), %LOCALAPPDATA%\\feedtool on Windows, otherwise
    ~/.local/state/feedtool, on macOS ~/Library/Application Support/feedtool. Raise OSError if there is no home folder.
    """
    if named := environment.get(STATE_DIR_VARIABLE):
        return os.path.abspath(named)
    # The specification demands that relative paths be ignored.
    for variable in ("XDG_STATE_HOME", "LOCALAPPDATA" if sys.platform == "win32" else ""):
        if os.path.isabs(base := environment.get(variable, "")):
            return os.path.join(base, "feedtool")
    home = environment.get("HOME") or os.path.expanduser("~")
    if not os.path.isabs(home):
        raise OSError(errno.ENOENT, f"there is no home folder for the key; set {STATE_DIR_VARIABLE}")
    parts = ("Library", "Application Support") if sys.platform == "darwin" else (".local", "state")
    return os.path.join(home, *parts, "feedtool")


def _read_key(path: str) -> bytes | None:
    """Return the key, or None if there is none. Raise OSError if it must not be used."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _FLAGS)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "the key is a link; delete it") from None
        raise
    try:
        _check_key_file(os.fstat(descriptor))
        key = os.read(descriptor, KEY_SIZE + 1)
    finally:
        os.close(descriptor)
    if len(key) != KEY_SIZE:
        raise OSError(errno.EINVAL, "the key is damaged; delete it")
    return key


def _check_key_file(status: os.stat_result) -> None:
    """Raise OSError if somebody else may have read or created the key."""
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "the key is not a regular file; delete it")
    if not hasattr(os, "geteuid"):  # on Windows, only the user has access to the folder
        return
    if status.st_uid != os.geteuid():
        raise OSError(errno.EPERM, "the key belongs to another user; delete it")
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise OSError(errno.EPERM, "other users may read the key; delete it")


def _create_key(folder: str, path: str) -> bytes:
    """Create the key and return it, or the one that another process created in the meantime. Raise OSError."""
    _make_folder(folder)
    key = os.urandom(KEY_SIZE)
    temporary = f"{path}.{os.getpid()}-{os.urandom(4).hex()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, 0o600)
    try:
        try:
            os.write(descriptor, key)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        _rename_new(temporary, path)
    except FileExistsError:
        key = b""
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
    # Read the key back, to find out at once if the file system keeps no modes.
    stored = _read_key(path)
    if stored is None or (key and stored != key):
        raise OSError(errno.EIO, "the key cannot be stored")
    return stored


def _make_folder(folder: str) -> None:
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        ancestor = folder
        while not os.path.lexists(ancestor) and ancestor != os.path.dirname(ancestor):
            ancestor = os.path.dirname(ancestor)
        if os.stat(ancestor).st_uid != 0:
            # As with `sudo`: the owner of the folder could not use a key that root made there.
            raise OSError(errno.EPERM, f"{ancestor} belongs to another user")
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        if not os.path.isdir(folder):
            raise


def _rename_new(temporary: str, path: str) -> None:
    """Rename a complete file. Raise FileExistsError if there is a file with the new name."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except (OSError, AttributeError):
        # The file system has no hard links. Windows' rename replaces nothing; elsewhere, another process may win this race.
        if sys.platform != "win32" and os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path) from None
        os.rename(temporary, path)
