"""Checksums that only this user can make: the key in the user's state folder, and what is signed with it.

Files in `.feedtool/` hold HTML that was sanitized before. Whoever could put one there, as a commit does, could publish
anything. So every value in them has a checksum under a secret key that no repository holds.
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

VARIABLE = "FEEDTOOL_STATE_DIR"
"""Names the folder of the key where the usual place does not fit: in CI and in containers."""
FILE = "key"
SIZE = 32
SUM_SIZE = 16
SEAL = ".sum"
"""How the name of the file ends that holds the checksum of a whole database."""
JOURNALS = ("-wal", "-shm", "-journal")
"""How the names of files end that SQLite keeps beside a database."""
_FLAGS = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)


class Signer:
    """Makes checksums (keyed BLAKE2b, RFC 7693) with one key.

    `lasts` is False for a key that is forgotten with the process, because the user's can't be had: `why` says why.
    """

    __slots__ = ("_key", "lasts", "place", "why")

    def __init__(self, key: bytes | None = None, *, place: str = "", why: str = "") -> None:
        """Sign with `key`, or with a random one that nobody else will ever have."""
        self._key = os.urandom(SIZE) if key is None else key
        self.lasts = key is not None
        self.place = place
        self.why = why

    def sum(self, kind: bytes, *values: bytes) -> bytes:
        """Return the checksum of some values in their order, 16 bytes. `kind`, of 16 bytes at most, tells uses apart.

        The length of each value is signed too, so that no byte can move from one to its neighbour.
        """
        digest = blake2b(key=self._key, digest_size=SUM_SIZE, person=kind)
        for value in values:
            digest.update(len(value).to_bytes(8, "little"))
            digest.update(value)
        return digest.digest()

    def sum_of_file(self, kind: bytes, file: BinaryIO) -> bytes:
        """Return the checksum of what is left to read of a file, 16 bytes; raises OSError."""
        digest = blake2b(key=self._key, digest_size=SUM_SIZE, person=kind)
        while piece := file.read(1 << 20):
            digest.update(piece)
        return digest.digest()

    def note(self) -> str:
        """Return what to tell a user who asks for details: "" where the key lasts."""
        if self.lasts:
            return ""
        where = f"{self.place}: " if self.place else ""
        return f"{where}{self.why}; without the key, .feedtool/ is not used and every build is a cold one"


def seal(path: str, signer: Signer) -> None:
    """Sign a database that nobody writes to any more, in a file beside it; raises OSError.

    Between two runs a bit may flip in a value that SQLite has no means to doubt, a power cut leave half of a run, or a
    commit bring a database of somebody else.
    """
    if signer.lasts:
        with open(path + SEAL, "w", encoding="ascii") as file:
            file.write(_sum_of(path, signer))


def is_sealed(path: str, signer: Signer) -> bool:
    """Return True if a database is as it was left, and break its seal: a run that is killed leaves none.

    A journal beside it would become part of it when it is opened, so that there may be none.
    """
    try:
        with open(path + SEAL, "rb") as file:
            sealed = file.read(64).decode("ascii", "replace")
        os.unlink(path + SEAL)
        journals = any(os.path.lexists(path + suffix) for suffix in JOURNALS)
        return not journals and sealed == _sum_of(path, signer)
    except OSError:
        return False


def _sum_of(path: str, signer: Signer) -> str:
    with open(path, "rb") as file:
        return f"{signer.sum_of_file(b'lookup', file).hex()}\n"


def user_signer(environment: Mapping[str, str] | None = None, *, make: bool = True) -> Signer:
    """Return a signer with the user's key, which is made on first use (mode 600, in a folder of mode 700).

    Where it can't be read or made, or others may read it, return one with a random key: nothing is kept then. Raises nothing.
    With `make` False, no key is made.
    """
    place = ""
    try:
        folder = state_folder(os.environ if environment is None else environment)
        place = os.path.join(folder, FILE)
        if is_tracked(folder):
            return Signer(place=place, why="git tracks the folder of the key, so that others may know it")
        key = _read(place)
        if key is None and not make:
            return Signer(place=place, why="there is no key yet")
        return Signer(_made(folder, place) if key is None else key, place=place)
    except OSError as error:
        return Signer(place=place, why=error.strerror or str(error))
    except ValueError:
        return Signer(place=place, why="the path of the key can't be used")


def state_folder(environment: Mapping[str, str]) -> str:
    """Return the folder for what belongs to the user and to no site: FEEDTOOL_STATE_DIR, else where the system has such.

    That is $XDG_STATE_HOME/feedtool (XDG Base Directory Specification), %LOCALAPPDATA%\\feedtool on Windows, else
    ~/.local/state/feedtool, on macOS ~/Library/Application Support/feedtool. Raises OSError where there is no home.
    """
    if named := environment.get(VARIABLE):
        return os.path.abspath(named)
    # The specification has relative paths ignored.
    for variable in ("XDG_STATE_HOME", "LOCALAPPDATA" if sys.platform == "win32" else ""):
        if os.path.isabs(base := environment.get(variable, "")):
            return os.path.join(base, "feedtool")
    home = environment.get("HOME") or os.path.expanduser("~")
    if not os.path.isabs(home):
        raise OSError(errno.ENOENT, f"there is no home folder for the key; set {VARIABLE}")
    parts = ("Library", "Application Support") if sys.platform == "darwin" else (".local", "state")
    return os.path.join(home, *parts, "feedtool")


def _read(place: str) -> bytes | None:
    """Return the key, None where there is none; raises OSError where it may not be used."""
    try:
        descriptor = os.open(place, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _FLAGS)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "the key is a link; delete it") from None
        raise
    try:
        _check(os.fstat(descriptor))
        key = os.read(descriptor, SIZE + 1)
    finally:
        os.close(descriptor)
    if len(key) != SIZE:
        raise OSError(errno.EINVAL, "the key is damaged; delete it")
    return key


def _check(found: os.stat_result) -> None:
    """Raise OSError for a key that somebody else may have read or put there."""
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "the key is no regular file; delete it")
    if not hasattr(os, "geteuid"):  # Windows: the folder is the user's alone
        return
    if found.st_uid != os.geteuid():
        raise OSError(errno.EPERM, "the key belongs to another user; delete it")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise OSError(errno.EPERM, "other users may read the key; delete it")


def _made(folder: str, place: str) -> bytes:
    """Make the key and return it, or the one that another process made meanwhile; raises OSError."""
    _make_folder(folder)
    key = os.urandom(SIZE)
    temporary = f"{place}.{os.getpid()}-{os.urandom(4).hex()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, 0o600)
    try:
        try:
            os.write(descriptor, key)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        _name(temporary, place)
    except FileExistsError:
        key = b""
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
    # Read back: where a file system keeps no modes, it is better to know at once.
    found = _read(place)
    if found is None or (key and found != key):
        raise OSError(errno.EIO, "the key can't be kept")
    return found


def _make_folder(folder: str) -> None:
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        above = folder
        while not os.path.lexists(above) and above != os.path.dirname(above):
            above = os.path.dirname(above)
        if os.stat(above).st_uid != 0:
            # As with `sudo`: its owner could not use what root makes there.
            raise OSError(errno.EPERM, f"{above} belongs to another user")
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        if not os.path.isdir(folder):
            raise


def _name(temporary: str, place: str) -> None:
    """Give a whole file its name; raises FileExistsError where there is one of that name."""
    try:
        os.link(temporary, place)
    except FileExistsError:
        raise
    except (OSError, AttributeError):
        # No hard links there. Windows' rename replaces nothing; elsewhere, another process may win the same race.
        if sys.platform != "win32" and os.path.lexists(place):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), place) from None
        os.rename(temporary, place)
