"""What earlier runs learned, so that this one need not: heads by folder, rendered entries, the last build's outcome.

Derived from the articles alone: deleting, corrupting or outdating it costs time and nothing else. Every value carries
a checksum under the user's key and under its own name: neither a flipped bit nor what somebody else put there may reach a
feed. It also holds the site's lock.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import sqlite3
import stat
from collections.abc import Iterable, Iterator
from typing import Any

from feedtool.catalog.signing import JOURNALS, Signer
from feedtool.errors import LockedError, OutputError, remedy

VERSION = 6
"""Raised whenever what is kept, or what it was made from, changes its meaning."""

_TABLES = (
    "CREATE TABLE folders (path BLOB PRIMARY KEY, mark BLOB, mark_sum BLOB, rows BLOB, sum BLOB) WITHOUT ROWID",
    "CREATE TABLE entries (key BLOB PRIMARY KEY, value BLOB, sum BLOB)",
    "CREATE TABLE facts (name TEXT PRIMARY KEY, value BLOB, sum BLOB) WITHOUT ROWID",
)
_BRIEF = "CREATE TEMP TABLE brief (key BLOB PRIMARY KEY, value BLOB, sum BLOB)"
MARK, FOLDER, ENTRY, FACT = b"mark", b"folder", b"entry", b"fact"
"""What is signed: a value of one kind is none of another."""
OWNER = "owner"
"""The fact that tells whose index this is."""
# A killed run must not harm it (WAL); a power cut may, and then checksums and SQLite notice.
_KEPT = ("journal_mode=WAL", "synchronous=OFF")
# Rows are large: a folder's heads, an article's entry.
_NEW = ("page_size=16384", "journal_mode=OFF", "synchronous=OFF")
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

    def __init__(self, path: str | None, signer: Signer, *, tracked: bool = False) -> None:
        """Open the index at `path`, making a new one where there is none or it can't be used; None keeps nothing.

        One that git has `tracked`, or that was not made with the signer's key, is not used: `refused` then says why.
        """
        self.path = path
        self.fresh = True
        self.rebuilt = False
        self.refused = ""
        self._signer = signer
        self._tracked = tracked
        self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        if self.path is None:
            return self._made(":memory:")
        if os.path.exists(self.path):
            if self._tracked:
                self.refused = TRACKED
            elif (connection := self._opened(self.path)) is not None:
                return connection
        self._discard()
        return self._made(self.path + NEW)

    def _opened(self, path: str) -> sqlite3.Connection | None:
        """Return the index at `path`, None where it can't be used; `refused` or `rebuilt` say why."""
        connection, is_ours = None, True
        try:
            connection = sqlite3.connect(path, timeout=5, isolation_level=None)
            if connection.execute("PRAGMA user_version").fetchone()[0] == VERSION:
                is_ours = _has_expected_schema(connection) and is_owned(connection, self._signer)
                if is_ours:
                    _prepare(connection, _KEPT)
                    self.fresh = False
                    return connection
        except sqlite3.DatabaseError as error:
            if is_disk_full(error):
                raise
        if connection is not None:
            connection.close()
        self.rebuilt = is_ours
        # With a key of this process alone, no index is ours.
        self.refused = FOREIGN if not is_ours and self._signer.lasts else ""
        return None

    def _made(self, path: str) -> sqlite3.Connection:
        """Return a new database: `commit` gives it its name, so it needs no journal, and a killed run leaves none behind."""
        connection = sqlite3.connect(path, timeout=5, isolation_level=None)
        for pragma in _NEW:
            connection.execute(f"PRAGMA {pragma}")
        for table in _TABLES:
            connection.execute(table)
        _prepare(connection, ())
        connection.execute(f"PRAGMA user_version={VERSION}")
        data = marshal.dumps(None)
        row = (OWNER, data, self._signer.sum(FACT, OWNER.encode(), data))
        connection.execute("INSERT INTO facts VALUES (?,?,?)", row)
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

    def fingerprints(self) -> dict[str, bytes]:
        """Return every known folder's mark: equal marks mean that no file in it changed. Raises IndexDamagedError."""
        rows = self._connection.execute("SELECT path, mark, mark_sum FROM folders").fetchall()
        for path, mark, signed in rows:
            if type(path) is not bytes or type(mark) is not bytes or self._signer.sum(MARK, path, mark) != signed:
                raise IndexDamagedError
        return {_name(path): mark for path, mark, _ in rows}

    def folder(self, path: str) -> Any | None:
        """Return what was kept of a folder, or None; raises IndexDamagedError."""
        name = _bytes(path)
        row = self._connection.execute("SELECT mark, rows, sum FROM folders WHERE path=?", (name,)).fetchone()
        if row is None:
            return None
        mark, rows, signed = row
        if type(mark) is not bytes:
            raise IndexDamagedError
        return self._checked(rows, signed, FOLDER, name, mark)

    def keep_folder(self, path: str, mark: bytes, rows: bytes) -> None:
        """Keep what is known of a folder's files, already marshalled."""
        name = _bytes(path)
        sums = self._signer.sum(MARK, name, mark), self._signer.sum(FOLDER, name, mark, rows)
        self._connection.execute(
            "INSERT OR REPLACE INTO folders VALUES (?,?,?,?,?)", (name, mark, sums[0], rows, sums[1])
        )

    def forget_folders(self, paths: Iterable[str]) -> None:
        """Drop folders that are gone."""
        self._connection.executemany("DELETE FROM folders WHERE path=?", ((_bytes(path),) for path in paths))

    def entry(self, key: bytes) -> Any | None:
        """Return the rendered entry kept under `key`, or None; a damaged one is None too."""
        row = self._connection.execute("SELECT value, sum FROM entries WHERE key=?", (key,)).fetchone()
        if row is None:
            row = self._connection.execute("SELECT value, sum FROM temp.brief WHERE key=?", (key,)).fetchone()
        if row is None:
            return None
        try:
            return self._checked(row[0], row[1], ENTRY, key)
        except IndexDamagedError:
            return None

    def keep_entries(self, entries: Iterable[tuple[bytes, bytes, bytes]], *, brief: bool = False) -> None:
        """Keep rendered entries under their keys, each marshalled and with its `entry_sum`; `brief` ones for this run only.

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
        row = self._connection.execute("SELECT value, sum FROM facts WHERE name=?", (name,)).fetchone()
        return None if row is None else self._checked(row[0], row[1], FACT, name.encode())

    def keep_fact(self, name: str, value: Any) -> None:
        """Keep a value under a name."""
        data = marshal.dumps(value)
        row = (name, data, self._signer.sum(FACT, name.encode(), data))
        self._connection.execute("INSERT OR REPLACE INTO facts VALUES (?,?,?)", row)

    def _checked(self, value: Any, signed: Any, kind: bytes, *names: bytes) -> Any:
        # marshal may crash on bytes it did not write: the checksum comes first.
        if type(value) is not bytes or self._signer.sum(kind, *names, value) != signed:
            raise IndexDamagedError
        return marshal.loads(value)  # noqa: S302 - our own bytes, checked above


def wrong_sum(connection: sqlite3.Connection, signer: Signer) -> str:
    """Return which table of an index holds a value with a wrong checksum, "" where all are right."""
    queries = {
        "folders": (MARK, "SELECT mark_sum, path, mark FROM folders"),
        "folders ": (FOLDER, "SELECT sum, path, mark, rows FROM folders"),
        "entries": (ENTRY, "SELECT sum, key, value FROM entries"),
        "facts": (FACT, "SELECT sum, CAST(name AS BLOB), value FROM facts"),
    }
    for table, (kind, query) in queries.items():
        for signed, *values in connection.execute(query):
            if not all(type(value) is bytes for value in values) or signer.sum(kind, *values) != signed:
                return table.strip()
    return ""


def is_owned(connection: sqlite3.Connection, signer: Signer) -> bool:
    """Return True if an index was made with the signer's key."""
    row = connection.execute("SELECT value, sum FROM facts WHERE name=?", (OWNER,)).fetchone()
    return row is not None and type(row[0]) is bytes and signer.sum(FACT, OWNER.encode(), row[0]) == row[1]


def entry_sum(signer: Signer, key: bytes, value: bytes) -> bytes:
    """Return the checksum that is kept with a rendered entry."""
    return signer.sum(ENTRY, key, value)


TRACKED = (
    "is tracked by git, so that anybody may have made it: it is not used, and is made anew each time until: "
    "git rm -r --cached .feedtool"
)
FOREIGN = "was not made by this user on this machine: it is not used, and was made anew"


class IndexDamagedError(Exception):
    """What the index holds is not what was put there; throw it away and begin anew."""


DAMAGE = (IndexDamagedError, sqlite3.DatabaseError)
"""What reading or writing a damaged index raises."""


_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_WRITE)


def is_disk_full(error: Exception) -> bool:
    """Say whether SQLite only lacked room on the disk, which is no damage: what it holds is good when there is some again."""
    return getattr(error, "sqlite_errorcode", None) in _NO_ROOM


def discard(path: str) -> None:
    """Remove a database and what SQLite keeps beside it, or whatever stands in its place; raises OSError."""
    for suffix in ("", *JOURNALS):
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


def unusable(folder: str, error: Exception) -> OutputError:
    """Return the error for a database of a folder that can't be made or written."""
    hint = "look at the disk and at the permissions; the folder may be deleted at any time"
    what = "the disk is full" if is_disk_full(error) else error
    return OutputError(f"cannot be used: {what}", where=folder, hint=hint)


def _has_expected_schema(connection: sqlite3.Connection) -> bool:
    """Return True if a database has our tables and nothing else: a view or a trigger of somebody else could run on for ever."""
    found = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return sorted(sql for (sql,) in found) == sorted(_TABLES)


def _prepare(connection: sqlite3.Connection, pragmas: tuple[str, ...]) -> None:
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}")
    connection.execute(_BRIEF)


def _bytes(path: str) -> bytes:
    # Names on disk may be no valid UTF-8; as text SQLite would refuse them.
    return path.encode("utf-8", "surrogateescape")


def _name(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")
