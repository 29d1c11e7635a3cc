"""What earlier runs learned, so that this one need not: heads by folder, rendered entries, the last build's outcome.

Derived from the articles alone: deleting, corrupting or outdating it costs time and nothing else. Every value carries
a checksum, since a flipped bit must not reach a feed. It also holds the site's lock.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import sqlite3
import stat
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from feedtool.errors import LockedError, OutputError, remedy

VERSION = 5
"""Raised whenever what is kept, or what it was made from, changes its meaning."""

_TABLES = """
CREATE TABLE IF NOT EXISTS folders (path BLOB PRIMARY KEY, mark BLOB, rows BLOB, crc INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, value BLOB, crc INTEGER);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value BLOB, crc INTEGER) WITHOUT ROWID;
CREATE TEMP TABLE IF NOT EXISTS brief (key BLOB PRIMARY KEY, value BLOB, crc INTEGER);
"""
# A killed run must not harm it (WAL); a power cut may, and then checksums and SQLite notice.
_KEPT = ("journal_mode=WAL", "synchronous=OFF")
# Rows are large: a folder's heads, an article's entry.
_NEW = ("page_size=16384", "journal_mode=OFF", "synchronous=OFF")
SEAL = ".sum"
NEW = "-new"
"""How the name of an index ends until it is whole."""


@contextlib.contextmanager
def lock(folder: str) -> Iterator[None]:
    """Hold the site's lock; raises LockedError at once where another living process holds it.

    The lock is SQLite's own on a file of its own: the system frees it when its holder dies, however it dies.
    """
    path = os.path.join(folder, "lock")
    make_folder(folder)
    if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
        raise OutputError("is not a regular file", where=path, hint="delete it")
    try:
        connection = sqlite3.connect(path, timeout=0, isolation_level=None)
    except sqlite3.OperationalError:
        raise OutputError("cannot be written", where=folder, hint="check its permissions") from None
    try:
        try:
            connection.execute("PRAGMA journal_mode=MEMORY")
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if "readonly" in str(error) or "unable to open" in str(error):
                raise OutputError("cannot be written", where=folder, hint="check its permissions") from None
            raise LockedError(
                "another run of feedtool is at work on this site",
                where=os.path.dirname(folder),
                hint="wait for it to end, or stop it",
            ) from None
        except sqlite3.DatabaseError:
            # A full disk or a stray hand left garbage there. It is emptied, not replaced: all contend for one file.
            connection.close()
            try:
                os.truncate(path, 0)
                connection = sqlite3.connect(path, timeout=0, isolation_level=None)
                connection.execute("BEGIN EXCLUSIVE")
            except (OSError, sqlite3.OperationalError) as error:
                raise OutputError(f"cannot be used: {error}", where=path, hint="delete it") from None
        yield
    finally:
        connection.close()


def make_folder(folder: str) -> None:
    """Make the folder of what is derived, which git is not to track; raises OutputError where it can't be or is a link.

    What is neither file nor folder in it is removed: none of it is ours, and SQLite would write through links.
    """
    if os.path.islink(folder):
        # It may lead to `.git`, whose index is called like ours.
        raise OutputError("is a link; feedtool does not write through it", where=folder, hint="remove the link")
    try:
        os.makedirs(folder, exist_ok=True)
        for entry in list(os.scandir(folder)):
            if not entry.is_file(follow_symlinks=False) and not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.path)
        ignore = os.path.join(folder, ".gitignore")
        if not os.path.exists(ignore) or not os.path.getsize(ignore):
            with open(ignore, "w", encoding="ascii") as file:
                file.write("*\n")
    except OSError as error:
        what = f"cannot be made: {error.strerror or error}"
        raise OutputError(what, where=folder, hint=remedy(error)) from None


class Index:
    """The derived store of one site. Values are what `marshal` carries: tuples, lists, dicts, texts, bytes, numbers."""

    def __init__(self, path: str | None) -> None:
        """Open the index at `path`, making a new one where there is none or it can't be used; None keeps nothing."""
        self.path = path
        self.fresh = True
        self.rebuilt = False
        self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        if self.path is None:
            return self._made(":memory:")
        if os.path.exists(self.path):
            try:
                connection = _connected(self.path, _KEPT)
                if connection.execute("PRAGMA user_version").fetchone()[0] == VERSION:
                    self.fresh = False
                    return connection
                connection.close()
            except sqlite3.DatabaseError as error:
                if is_for_want_of_room(error):
                    raise
            self.rebuilt = True
        self._discard()
        return self._made(self.path + NEW)

    def _made(self, path: str) -> sqlite3.Connection:
        """Return a new database: `commit` gives it its name, so it needs no journal, and a killed run leaves none behind."""
        connection = _connected(path, _NEW)
        connection.execute(f"PRAGMA user_version={VERSION}")
        return connection

    def _discard(self) -> None:
        assert self.path is not None
        for suffix in ("", NEW):
            discard(self.path + suffix)

    def restart(self) -> None:
        """Throw everything away and begin anew: what is kept turned out to be damaged."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()
        if self.path is not None:
            self._discard()
        self._connection = self._open()
        self.fresh = self.rebuilt = True

    def begin(self) -> None:
        """Begin a run's changes; they are kept by `commit` together or not at all."""
        self._connection.execute("BEGIN")

    def commit(self) -> None:
        """Keep the run's changes; it is the last thing done with the index."""
        if self._connection.in_transaction:
            self._connection.execute("COMMIT")
        if self.path is not None and self.fresh:
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.close()
            os.replace(self.path + NEW, self.path)

    def close(self) -> None:
        """Let go of the file; changes that were not committed are dropped."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()

    def marks(self) -> dict[str, bytes]:
        """Return every known folder's mark: equal marks mean that no file in it changed. Raises IndexDamagedError."""
        rows = self._connection.execute("SELECT path, mark FROM folders").fetchall()
        if not all(type(value) is bytes for row in rows for value in row):
            raise IndexDamagedError
        return {_name(path): mark for path, mark in rows}

    def folder(self, path: str) -> Any | None:
        """Return what was kept of a folder, or None; raises IndexDamagedError."""
        row = self._connection.execute("SELECT rows, crc FROM folders WHERE path=?", (_bytes(path),)).fetchone()
        return None if row is None else _checked(row[0], row[1])

    def keep_folder(self, path: str, mark: bytes, rows: bytes) -> None:
        """Keep what is known of a folder's files, already marshalled."""
        self._connection.execute(
            "INSERT OR REPLACE INTO folders VALUES (?,?,?,?)", (_bytes(path), mark, rows, zlib.crc32(rows))
        )

    def forget_folders(self, paths: Iterable[str]) -> None:
        """Drop folders that are gone."""
        self._connection.executemany("DELETE FROM folders WHERE path=?", ((_bytes(path),) for path in paths))

    def entry(self, key: bytes) -> Any | None:
        """Return the rendered entry kept under `key`, or None; a damaged one is None too."""
        row = self._connection.execute("SELECT value, crc FROM entries WHERE key=?", (key,)).fetchone()
        if row is None:
            row = self._connection.execute("SELECT value, crc FROM temp.brief WHERE key=?", (key,)).fetchone()
        if row is None:
            return None
        try:
            return _checked(row[0], row[1])
        except IndexDamagedError:
            return None

    def keep_entries(self, entries: Iterable[tuple[bytes, bytes, int]], *, brief: bool = False) -> None:
        """Keep rendered entries under their keys, each marshalled and with its `checksum`; `brief` ones for this run only.

        Archives hold every article there is: kept for good, they would outweigh all else.
        """
        table = "temp.brief" if brief else "entries"
        self._connection.executemany(
            f"INSERT OR REPLACE INTO {table} VALUES (?,?,?)",  # noqa: S608 - one of two names of ours
            entries,
        )

    def lacks(self, keys: Iterable[bytes]) -> set[bytes]:
        """Return those of `keys` under which no entry is kept."""
        find = "SELECT 1 FROM entries WHERE key=?1 UNION ALL SELECT 1 FROM temp.brief WHERE key=?1"
        return {key for key in keys if self._connection.execute(find, (key,)).fetchone() is None}

    def keep_only_entries(self, keys: set[bytes]) -> None:
        """Drop the entries that no feed holds any more, once they outnumber the others."""
        (count,) = self._connection.execute("SELECT count(*) FROM entries").fetchone()
        if count > 2 * len(keys) + 100:
            known = [row[0] for row in self._connection.execute("SELECT key FROM entries")]
            self._connection.executemany(
                "DELETE FROM entries WHERE key=?", ((key,) for key in known if key not in keys)
            )

    def fact(self, name: str) -> Any | None:
        """Return what was kept under a name, or None."""
        row = self._connection.execute("SELECT value, crc FROM facts WHERE name=?", (name,)).fetchone()
        return None if row is None else _checked(row[0], row[1])

    def keep_fact(self, name: str, value: Any) -> None:
        """Keep a value under a name."""
        data = marshal.dumps(value)
        self._connection.execute("INSERT OR REPLACE INTO facts VALUES (?,?,?)", (name, data, zlib.crc32(data)))


checksum = zlib.crc32
"""What is kept beside a value, to know it again by."""


class IndexDamagedError(Exception):
    """What the index holds is not what was put there; throw it away and begin anew."""


DAMAGE = (IndexDamagedError, sqlite3.DatabaseError)
"""What reading or writing a damaged index raises."""


_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_WRITE)


def is_for_want_of_room(error: Exception) -> bool:
    """Say whether SQLite only lacked room on the disk, which is no damage: what it holds is good when there is some again."""
    return getattr(error, "sqlite_errorcode", None) in _NO_ROOM


def discard(path: str) -> None:
    """Remove a database and what SQLite keeps beside it, or whatever stands in its place; raises OSError."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        try:
            os.unlink(path + suffix)
        except FileNotFoundError:
            pass
        except OSError:
            # All that lies in `.feedtool` may be deleted at any time.
            if not os.path.isdir(path + suffix):
                raise
            import shutil

            shutil.rmtree(path + suffix)


def seal(path: str) -> None:
    """Write down what a database that nobody writes to any more looks like; raises OSError.

    Between two runs a bit may flip in a value that SQLite has no means to doubt, or a power cut leave half of a run.
    """
    with open(path + SEAL, "w", encoding="ascii") as file:
        file.write(_look_of(path))


def is_sealed(path: str) -> bool:
    """Say whether a database is as it was left, and break its seal: a run that is killed leaves none."""
    try:
        with open(path + SEAL, "rb") as file:
            sealed = file.read(64).decode("ascii", "replace")
        os.unlink(path + SEAL)
        return sealed == _look_of(path)
    except OSError:
        return False


def _look_of(path: str) -> str:
    check = size = 0
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            check = zlib.crc32(piece, check)
            size += len(piece)
    return f"{size} {check:08x}\n"


def unusable(folder: str, error: Exception) -> OutputError:
    """Return the error for a database of a folder that can't be made or written."""
    hint = "look at the disk and at the permissions; the folder may be deleted at any time"
    what = "the disk is full" if is_for_want_of_room(error) else error
    return OutputError(f"cannot be used: {what}", where=folder, hint=hint)


def _connected(path: str, pragmas: tuple[str, ...]) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=5, isolation_level=None)
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}")
    connection.executescript(_TABLES)
    return connection


def _bytes(path: str) -> bytes:
    # Names on disk may be no valid UTF-8; as text SQLite would refuse them.
    return path.encode("utf-8", "surrogateescape")


def _name(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")


def _checked(value: Any, crc: Any) -> Any:
    # marshal may crash on bytes it did not write: the checksum comes first.
    if type(value) is not bytes or zlib.crc32(value) != crc:
        raise IndexDamagedError
    return marshal.loads(value)  # noqa: S302 - our own bytes, checked above
