"""Keep the heads of articles by folder, rendered entries and the facts of the last build, in a database of the site.

The index is derived from the articles alone: deleting it, corrupting it or letting it get old costs time and nothing else.
Each value has a checksum under the user's key and under its own name, so that neither a flipped bit nor a value that somebody
else put there reaches a feed. This module also provides the site's lock.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import sqlite3
import stat
from collections.abc import Iterable, Iterator
from typing import Any

from feedtool.catalog.signing import JOURNAL_SUFFIXES, Signer
from feedtool.errors import LockedError, OutputError, remedy

VERSION = 7
"""Increase it whenever the stored values, or the way they are computed, change their meaning."""

_TABLES = (
    "CREATE TABLE folders (path BLOB PRIMARY KEY, mark BLOB, mark_sum BLOB, rows BLOB, sum BLOB) WITHOUT ROWID",
    "CREATE TABLE entries (key BLOB PRIMARY KEY, value BLOB, sum BLOB)",
    "CREATE TABLE facts (name TEXT PRIMARY KEY, value BLOB, sum BLOB) WITHOUT ROWID",
)
_TEMPORARY_TABLE = "CREATE TEMP TABLE brief (key BLOB PRIMARY KEY, value BLOB, sum BLOB)"
FINGERPRINT, FOLDER, ENTRY, FACT = b"mark", b"folder", b"entry", b"fact"
"""The kinds of signed values. A kind is part of the checksum, so that a value of one kind cannot pass for one of another.

They are a part of the format on disk.
"""
OWNER = "owner"
"""The name of the fact that shows whose index this is."""
# A killed run must not damage it (WAL). A power cut may; the checksums and SQLite then detect that.
_EXISTING_PRAGMAS = ("journal_mode=WAL", "synchronous=OFF")
# Rows are large: the heads of a folder, or a rendered entry.
_NEW_PRAGMAS = ("page_size=16384", "journal_mode=OFF", "synchronous=OFF")
NEW_SUFFIX = "-new"
"""The suffix of an index's file name until the index is complete."""


@contextlib.contextmanager
def lock(folder: str) -> Iterator[None]:
    """Hold the site's lock. Raise LockedError at once if another living process holds it.

    The lock is SQLite's own, on a separate file. The system releases it when the process ends, in whatever way it ends.
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
            # The file is not a database, for example after a full disk. Empty it in place: all runs must lock the same file.
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
    """Create the folder for derived files, with a `.gitignore` for all of it.

    Raise OutputError if it cannot be created or is a link. Anything in it that is neither a file nor a folder is removed:
    feedtool makes no such entries, and SQLite would write through links.
    """
    if os.path.islink(folder):
        # It may lead to `.git`, whose index has the same file name as ours.
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
    """The database of one site. Values are those that `marshal` supports: tuples, lists, dicts, strings, bytes and numbers."""

    def __init__(self, path: str | None, signer: Signer, *, tracked: bool = False) -> None:
        """Open the index at `path`, or create a new one if there is none or it cannot be used. With None, nothing is kept.

        An index that git tracks (`tracked`), or that was not made with the signer's key, is not used; `refused` is then the reason.
        """
        self.path = path
        self.fresh = True
        self.rebuilt = False
        self.refused = ""
        self._signer = signer
        self._is_tracked = tracked
        self._connection = self._open_or_create()

    def _open_or_create(self) -> sqlite3.Connection:
        if self.path is None:
            return self._create(":memory:")
        if os.path.exists(self.path):
            if self._is_tracked:
                self.refused = TRACKED
            elif (connection := self._open_existing(self.path)) is not None:
                return connection
        self._discard()
        return self._create(self.path + NEW_SUFFIX)

    def _open_existing(self, path: str) -> sqlite3.Connection | None:
        """Return a connection to the index at `path`. If it cannot be used, set `refused` or `rebuilt` and return None."""
        connection, is_ours = None, True
        try:
            connection = sqlite3.connect(path, timeout=5, isolation_level=None)
            if connection.execute("PRAGMA user_version").fetchone()[0] == VERSION:
                is_ours = _has_expected_schema(connection) and is_owned(connection, self._signer)
                if is_ours:
                    _prepare(connection, _EXISTING_PRAGMAS)
                    self.fresh = False
                    return connection
        except sqlite3.DatabaseError as error:
            if is_disk_full(error):
                raise
        if connection is not None:
            connection.close()
        self.rebuilt = is_ours
        # With a key that only this process has, no index can be ours.
        self.refused = FOREIGN if not is_ours and self._signer.is_persistent else ""
        return None

    def _create(self, path: str) -> sqlite3.Connection:
        """Return a connection to a new database.

        It gets its final name in `commit`, so it needs no journal and a killed run leaves no part of it behind.
        """
        connection = sqlite3.connect(path, timeout=5, isolation_level=None)
        for pragma in _NEW_PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        for table in _TABLES:
            connection.execute(table)
        _prepare(connection, ())
        connection.execute(f"PRAGMA user_version={VERSION}")
        data = marshal.dumps(None)
        row = (OWNER, data, self._signer.checksum(FACT, OWNER.encode(), data))
        connection.execute("INSERT INTO facts VALUES (?,?,?)", row)
        return connection

    def _discard(self) -> None:
        assert self.path is not None
        for suffix in ("", NEW_SUFFIX):
            discard(self.path + suffix)

    def restart(self) -> None:
        """Discard everything and start with an empty index, because the stored values turned out to be damaged."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()
        if self.path is not None:
            self._discard()
        self._connection = self._open_or_create()
        self.fresh = self.rebuilt = True

    def begin(self) -> None:
        """Begin the changes of a run. `commit` keeps all of them or none."""
        self._connection.execute("BEGIN")

    def commit(self) -> None:
        """Keep the changes of the run. Call nothing else on the index afterwards except `close`."""
        if self._connection.in_transaction:
            self._connection.execute("COMMIT")
        if self.path is not None and self.fresh:
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.close()
            os.replace(self.path + NEW_SUFFIX, self.path)

    def close(self) -> None:
        """Close the file and drop changes that were not committed."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()

    def fingerprints(self) -> dict[str, bytes]:
        """Return the fingerprint of each stored folder; an equal one means that no file in the folder changed.

        Raise IndexDamagedError.
        """
        rows = self._connection.execute("SELECT path, mark, mark_sum FROM folders").fetchall()
        for path, fingerprint, checksum in rows:
            if (
                type(path) is not bytes
                or type(fingerprint) is not bytes
                or self._signer.checksum(FINGERPRINT, path, fingerprint) != checksum
            ):
                raise IndexDamagedError
        return {_name(path): fingerprint for path, fingerprint, _ in rows}

    def folder(self, path: str) -> Any | None:
        """Return the stored rows of a folder, or None. Raise IndexDamagedError."""
        name = _bytes(path)
        row = self._connection.execute("SELECT mark, rows, sum FROM folders WHERE path=?", (name,)).fetchone()
        if row is None:
            return None
        fingerprint, rows, checksum = row
        if type(fingerprint) is not bytes:
            raise IndexDamagedError
        return self._load(rows, checksum, FOLDER, name, fingerprint)

    def keep_folder(self, path: str, fingerprint: bytes, rows: bytes) -> None:
        """Store the rows of a folder's files, which are marshalled already, and its fingerprint."""
        name = _bytes(path)
        checksums = (
            self._signer.checksum(FINGERPRINT, name, fingerprint),
            self._signer.checksum(FOLDER, name, fingerprint, rows),
        )
        self._connection.execute(
            "INSERT OR REPLACE INTO folders VALUES (?,?,?,?,?)", (name, fingerprint, checksums[0], rows, checksums[1])
        )

    def forget_folders(self, paths: Iterable[str]) -> None:
        """Delete folders that no longer exist."""
        self._connection.executemany("DELETE FROM folders WHERE path=?", ((_bytes(path),) for path in paths))

    def entry(self, key: bytes) -> Any | None:
        """Return the rendered entry stored under `key`, or None if there is none or it is damaged."""
        row = self._connection.execute("SELECT value, sum FROM entries WHERE key=?", (key,)).fetchone()
        if row is None:
            row = self._connection.execute("SELECT value, sum FROM temp.brief WHERE key=?", (key,)).fetchone()
        if row is None:
            return None
        try:
            return self._load(row[0], row[1], ENTRY, key)
        except IndexDamagedError:
            return None

    def keep_entries(self, entries: Iterable[tuple[bytes, bytes, bytes]], *, this_run_only: bool = False) -> None:
        """Store rendered entries, each as its key, its marshalled value and its `entry_checksum`.

        With `this_run_only`, they are dropped with the connection. Archives contain every article, and storing all of their entries
        would take more space than everything else.
        """
        table = "temp.brief" if this_run_only else "entries"
        self._connection.executemany(
            f"INSERT OR REPLACE INTO {table} VALUES (?,?,?)",  # noqa: S608 - the table is one of two constants
            entries,
        )

    def missing_entries(self, keys: Iterable[bytes]) -> set[bytes]:
        """Return those of `keys` under which no entry is stored."""
        find = "SELECT 1 FROM entries WHERE key=?1 UNION ALL SELECT 1 FROM temp.brief WHERE key=?1"
        return {key for key in keys if self._connection.execute(find, (key,)).fetchone() is None}

    def keep_only_entries(self, keys: set[bytes]) -> None:
        """Delete the entries that no feed contains any more, once they outnumber the others."""
        (count,) = self._connection.execute("SELECT count(*) FROM entries").fetchone()
        if count > 2 * len(keys) + 100:
            stored = [row[0] for row in self._connection.execute("SELECT key FROM entries")]
            self._connection.executemany(
                "DELETE FROM entries WHERE key=?", ((key,) for key in stored if key not in keys)
            )

    def fact(self, name: str) -> Any | None:
        """Return the value stored under a name, or None. Raise IndexDamagedError."""
        row = self._connection.execute("SELECT value, sum FROM facts WHERE name=?", (name,)).fetchone()
        return None if row is None else self._load(row[0], row[1], FACT, name.encode())

    def keep_fact(self, name: str, value: Any) -> None:
        """Store a value under a name."""
        data = marshal.dumps(value)
        row = (name, data, self._signer.checksum(FACT, name.encode(), data))
        self._connection.execute("INSERT OR REPLACE INTO facts VALUES (?,?,?)", row)

    def _load(self, value: Any, checksum: Any, kind: bytes, *names: bytes) -> Any:
        # marshal may crash on bytes that it did not write, so check the checksum first.
        if type(value) is not bytes or self._signer.checksum(kind, *names, value) != checksum:
            raise IndexDamagedError
        return marshal.loads(value)  # noqa: S302 - our own bytes, as the checksum shows


def table_with_wrong_checksum(connection: sqlite3.Connection, signer: Signer) -> str:
    """Return the name of a table in which a value has a wrong checksum, "" if all are right."""
    queries = {
        "folders": (FINGERPRINT, "SELECT mark_sum, path, mark FROM folders"),
        "folders ": (FOLDER, "SELECT sum, path, mark, rows FROM folders"),
        "entries": (ENTRY, "SELECT sum, key, value FROM entries"),
        "facts": (FACT, "SELECT sum, CAST(name AS BLOB), value FROM facts"),
    }
    for table, (kind, query) in queries.items():
        for checksum, *values in connection.execute(query):
            if not all(type(value) is bytes for value in values) or signer.checksum(kind, *values) != checksum:
                return table.strip()
    return ""


def is_owned(connection: sqlite3.Connection, signer: Signer) -> bool:
    """Return True if an index was made with the signer's key."""
    row = connection.execute("SELECT value, sum FROM facts WHERE name=?", (OWNER,)).fetchone()
    return row is not None and type(row[0]) is bytes and signer.checksum(FACT, OWNER.encode(), row[0]) == row[1]


def entry_checksum(signer: Signer, key: bytes, value: bytes) -> bytes:
    """Return the checksum that is stored with a rendered entry."""
    return signer.checksum(ENTRY, key, value)


TRACKED = (
    "is tracked by git, so anybody may have written it; it is not used, and is made anew in each run until you run: "
    "git rm -r --cached .feedtool"
)
FOREIGN = "was not made by this user on this machine: it is not used, and was made anew"


class IndexDamagedError(Exception):
    """The index contains values that feedtool did not put there. The caller discards it and starts with a new one."""


DAMAGE = (IndexDamagedError, sqlite3.DatabaseError)
"""The exceptions that reading or writing a damaged index raises."""


_DISK_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_WRITE)


def is_disk_full(error: Exception) -> bool:
    """Return True if SQLite failed only because the disk is full.

    That is no damage: the database is usable again when there is space.
    """
    return getattr(error, "sqlite_errorcode", None) in _DISK_FULL


def discard(path: str) -> None:
    """Remove a database and the files that SQLite keeps beside it, or anything else in their place. Raise OSError."""
    for suffix in ("", *JOURNAL_SUFFIXES):
        try:
            os.unlink(path + suffix)
        except FileNotFoundError:
            pass
        except OSError:
            # Everything in `.feedtool` may be deleted at any time.
            if not os.path.isdir(path + suffix):
                raise
            import shutil

            shutil.rmtree(path + suffix)


def unusable_error(folder: str, error: Exception) -> OutputError:
    """Return the error for a folder in which a database cannot be created or written."""
    hint = "check the disk and the permissions; the folder may be deleted at any time"
    what = "the disk is full" if is_disk_full(error) else error
    return OutputError(f"cannot be used: {what}", where=folder, hint=hint)


def _has_expected_schema(connection: sqlite3.Connection) -> bool:
    """Return True if a database has exactly our tables. Somebody else's view or trigger could run without end."""
    rows = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return sorted(sql for (sql,) in rows) == sorted(_TABLES)


def _prepare(connection: sqlite3.Connection, pragmas: tuple[str, ...]) -> None:
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}")
    connection.execute(_TEMPORARY_TABLE)


def _bytes(path: str) -> bytes:
    # File names need not be valid UTF-8, and SQLite would refuse such text.
    return path.encode("utf-8", "surrogateescape")


def _name(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")
