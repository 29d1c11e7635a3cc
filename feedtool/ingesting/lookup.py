"""Look up existing articles by guid, link or source.

The answers come from `.feedtool/ingest`, a database derived from the article files: deleting it costs only the time to read
their heads again. Files that have not changed are not opened, and the articles are not held in memory.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, tzinfo
from typing import Any

from feedtool import storage
from feedtool.articles import HEAD_SIZE, parse_document
from feedtool.articles.conflicts import CONFLICT_MARKER, ConflictSides, read_conflict
from feedtool.articles.provenance import Stamp, read_stamp, stamp_text
from feedtool.articles.writer import MatchingFields, read_matching_fields
from feedtool.catalog.environment import current_environment
from feedtool.catalog.fingerprints import fingerprint_of, is_racy
from feedtool.catalog.git import is_tracked
from feedtool.catalog.index import TRACKED, discard, unusable_error
from feedtool.catalog.signing import Signer, is_sealed, seal, user_signer
from feedtool.dates.parse import date_in_name, parse_date
from feedtool.digests import blake2b
from feedtool.errors import OutputError, remedy
from feedtool.html import plain_text
from feedtool.html.urls import link_key
from feedtool.ingesting.matches import ExistingArticle
from feedtool.models import Problem
from feedtool.similarity import TEXT_LENGTH

VERSION = 3
"""Increase it whenever the stored values, or the way they are computed, change their meaning."""

MAX_PARAMETERS = 500
"""Parameters in one query. Older versions of SQLite allow 999."""

_TABLES = """
CREATE TABLE IF NOT EXISTS folders (path TEXT PRIMARY KEY, mark BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS articles (
  path TEXT PRIMARY KEY, folder TEXT, size INTEGER, changed INTEGER, ctime INTEGER,
  guid TEXT, link TEXT, title TEXT, source TEXT, published INTEGER, stamp TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_guid ON articles (guid);
CREATE INDEX IF NOT EXISTS by_link ON articles (link) WHERE link != '';
CREATE INDEX IF NOT EXISTS by_source ON articles (source, published);
CREATE INDEX IF NOT EXISTS by_folder ON articles (folder);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
"""
_INSERT = "INSERT OR REPLACE INTO articles VALUES (?,?,?,?,?,?,?,?,?,?,?)"
_UNCONFIRMED: storage.Signature = (-1, 0, 0)
"""Stored for a file that is to be read again by the next run, whatever its stat data are."""
_SELECT_GUIDS = "SELECT guid FROM articles WHERE guid IN ("
_SELECT_ARTICLES = "SELECT path, guid, link, title, source, published FROM articles"


class LookupIndex:
    """The articles of a site; an implementation of `feedtool.ingesting.matches.ArticleLookup`.

    `source_folders` names each source's folder. Files in it without a stamp were added by other means, but may be the source's
    articles all the same. `unreadable` are the paths of files that cannot be read or contain an unfinished merge: they are listed
    as far as possible and not changed. `is_incomplete` is True if there may be articles that are not listed at all; an article that
    seems to be missing may then be one of them. `vanished` are articles of sources whose files no longer exist.
    """

    def __init__(self, root: str, path: str | None, *, zone: tzinfo = UTC) -> None:
        """Open the database at `path`, or create a new one if there is none or it cannot be used. With None, nothing is kept.

        A database that git tracks, or that is not signed with the user's key, is not used. Raise OutputError if none can be
        created; every method raises it when the disk is full.
        """
        self.root = root
        self.zone = zone
        self.source_folders: dict[str, str] = {}
        self.problems: list[Problem] = []
        self.unreadable: set[str] = set()
        self.is_incomplete = False
        self._conflicted: dict[str, list[ExistingArticle]] = {}
        self.vanished: list[ExistingArticle] = []
        self.leftovers: list[str] = []
        self.notes: list[str] = []
        self._key = b""
        self._since = time.time_ns()
        self._path = path
        self._signer = Signer() if path is None else user_signer()
        self.details = tuple(filter(None, ["" if path is None else self._signer.note()]))
        """Notes for users who ask for details."""
        try:
            self._connection = self._open()
        except (sqlite3.Error, OSError) as error:
            raise unusable_error(self._path or "", error) from None

    def refresh(self, prefix: str) -> None:
        """Bring the database up to date with the folder.

        A file that may have changed since it was read, by the same rule as in `build`, is read again. Folders and files that
        cannot be read are added to `problems`, articles of sources that no longer exist to `vanished`.
        """
        self._compare_environment()
        fingerprints = dict(self._execute("SELECT path, mark FROM folders"))
        # A folder that ingest created has articles in the database, but no fingerprint yet.
        fingerprints = {path: b"" for (path,) in self._execute("SELECT DISTINCT folder FROM articles")} | fingerprints
        self._since = time.time_ns()
        for folder in storage.walk_articles(self.root, problems=self.problems, prefix=prefix, leftovers=self.leftovers):
            if not _has_name(folder.path):
                continue
            fingerprint = fingerprint_of(folder.files, self._key, self._since)
            if fingerprints.pop(folder.path, None) != fingerprint:
                before = len(self.unreadable)
                self._refresh_folder(folder, prefix)
                # An unreadable file is read again, and reported, in each run.
                fingerprint = fingerprint if len(self.unreadable) == before else b""
                self._execute("INSERT OR REPLACE INTO folders VALUES (?,?)", (folder.path, fingerprint))
        unlisted = tuple(one.file for one in self.problems if one.file.endswith("/"))
        self.is_incomplete = self.is_incomplete or bool(unlisted)
        for gone in fingerprints:
            if f"{prefix}{gone}".startswith(unlisted):
                continue
            self.vanished += self._query(f"{_SELECT_ARTICLES} WHERE folder=? AND source!=''", gone)
            self._execute("DELETE FROM articles WHERE folder=?", (gone,))
            self._execute("DELETE FROM folders WHERE path=?", (gone,))

    def _compare_environment(self) -> None:
        """Have every file read again if what its row depends on has changed: code, libraries, or the zone of dates."""
        earlier = self._fact("environment")
        environment = current_environment(earlier[0] if earlier is not None else None)
        self._key = blake2b(f"{environment.text()} {self.zone!r}".encode(), digest_size=16).digest()
        if earlier is not None and earlier[1] != self._key:
            self._execute("UPDATE articles SET size=-1")
        if (present := (environment.row(), self._key)) != earlier:
            self._execute("INSERT OR REPLACE INTO facts VALUES ('environment', ?)", (marshal.dumps(present),))

    def _fact(self, name: str) -> Any | None:
        row = self._execute("SELECT value FROM facts WHERE name=?", (name,)).fetchone()
        return None if row is None else marshal.loads(row[0])  # noqa: S302 - our own bytes, as the seal shows

    def count(self) -> int:
        """Return the number of articles."""
        return int(self._execute("SELECT count(*) FROM articles").fetchone()[0])

    def by_guid(self, guid: str) -> Sequence[ExistingArticle]:
        """Return the articles with this guid, in the order of their paths."""
        return [
            *self._query(f"{_SELECT_ARTICLES} WHERE guid=? ORDER BY path LIMIT 100", guid),
            *self._conflicted.get(f"guid {guid}", ()),
        ]

    def existing_guids(self, guids: Sequence[str]) -> set[str]:
        """Return those of the guids that an article has."""
        unique = list(dict.fromkeys(guids))
        existing = {guid for guid in unique if self._conflicted and f"guid {guid}" in self._conflicted}
        for start in range(0, len(unique), MAX_PARAMETERS):
            batch = unique[start : start + MAX_PARAMETERS]
            # The query's text depends only on the number of guids; their values are parameters.
            rows = self._execute(_SELECT_GUIDS + ",".join("?" * len(batch)) + ")", batch)
            existing.update(guid for (guid,) in rows)
        return existing

    def by_link(self, key: str) -> Sequence[ExistingArticle]:
        """Return the articles whose link has this key, in the order of their paths."""
        rows = self._query(f"{_SELECT_ARTICLES} WHERE link=? AND link!='' ORDER BY path LIMIT 100", key)
        return [*rows, *(self._conflicted.get(f"link {key}", ()) if key else ())]

    def recent(self, source: str, count: int) -> Sequence[ExistingArticle]:
        """Return the newest articles of a source, and the newest in its folder that have no stamp."""
        rows = self._query(f"{_SELECT_ARTICLES} WHERE source=? ORDER BY published DESC, path LIMIT ?", source, count)
        folder = self.source_folders.get(source)
        if folder:
            query = f"{_SELECT_ARTICLES} WHERE folder=? AND source='' ORDER BY published DESC, path LIMIT ?"
            rows += self._query(query, folder, count)
        return rows

    def text(self, article: ExistingArticle) -> str:
        """Return the beginning of an article's plain text, "" if it cannot be read."""
        try:
            data = storage.read(f"{self.root}/{article.path}", 65_536)
        except OSError:
            return ""
        return plain_text(parse_document(data).body[: 8 * TEXT_LENGTH])[:TEXT_LENGTH]

    def stamp(self, path: str) -> Stamp:
        """Return the stamp of an article."""
        row = self._execute("SELECT stamp FROM articles WHERE path=?", (path,)).fetchone()
        return read_stamp(row[0]) if row else Stamp()

    def all_from_sources(self) -> Iterator[ExistingArticle]:
        """Yield the articles that have a source's stamp, newest first."""
        query = f"{_SELECT_ARTICLES} WHERE source != '' ORDER BY published DESC, path"
        yield from map(ExistingArticle._make, self._execute(query).fetchall())

    def add(self, path: str, data: bytes) -> None:
        """Add a file that was just written with this content."""
        signature = _proven(storage.signature_of(os.stat(f"{self.root}/{path}")), time.time_ns())
        name = path.rpartition("/")[2]
        self._insert(path[: len(path) - len(name)], (name, *signature), read_matching_fields(data, lambda: data))

    def add_pending(self, files: Iterable[tuple[str, MatchingFields]]) -> None:
        """Add files that are being written. Call `confirm` or `remove` for each of them afterwards."""
        rows = []
        for path, fields in files:
            name = path.rpartition("/")[2]
            rows.append(self._row(path[: len(path) - len(name)], (name, *_UNCONFIRMED), fields))
        self._execute_many(_INSERT, rows)

    def confirm(self, files: Iterable[tuple[str, os.stat_result]]) -> None:
        """Store the stat of pending files that exist now."""
        now = time.time_ns()
        rows = ((*_proven(storage.signature_of(status), now), path) for path, status in files)
        self._execute_many("UPDATE articles SET size=?, changed=?, ctime=? WHERE path=?", rows)

    def remove(self, path: str) -> None:
        """Delete the row of a file that was just removed or could not be written."""
        self._execute("DELETE FROM articles WHERE path=?", (path,))

    def commit(self) -> None:
        """Commit all changes so far."""
        if self._connection.in_transaction:
            self._execute("COMMIT")
        self._execute("BEGIN")

    def __enter__(self) -> LookupIndex:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # A run that was stopped may have added files that were never written, so the next run lists them anew.
        self._close(whole=kind is None or issubclass(kind, Exception))

    def _close(self, *, whole: bool) -> None:
        """Close the file and drop changes that were not committed.

        If it is not `whole`, it is not sealed, and the next run makes it anew.
        """
        with contextlib.suppress(sqlite3.Error, OSError):
            self._connection.close()
            if self._path is not None and whole:
                seal(self._path, self._signer)

    def _open(self) -> sqlite3.Connection:
        if self._path is None:
            return self._connect(":memory:")
        exists = os.path.lexists(self._path)
        is_in_git = exists and is_tracked(os.path.dirname(self._path))
        if not is_in_git and is_sealed(self._path, self._signer):
            with contextlib.suppress(sqlite3.DatabaseError):
                connection = self._connect(self._path)
                if connection.execute("PRAGMA user_version").fetchone()[0] == VERSION:
                    return connection
                connection.close()
        discard(self._path)
        if is_in_git:
            self.notes.append(f".feedtool/ingest {TRACKED}")
        elif exists and self._signer.is_persistent:
            what = "was damaged, of another version, not made by this user on this machine, or left by a run that was stopped"
            self.notes.append(f".feedtool/ingest {what}; it was made anew")
        return self._connect(self._path)

    def _connect(self, path: str) -> sqlite3.Connection:
        fresh = path == ":memory:" or not os.path.exists(path)
        connection = sqlite3.connect(path, timeout=5, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=OFF")
        connection.executescript(_TABLES)
        if fresh:
            connection.execute(f"PRAGMA user_version={VERSION}")
        connection.execute("BEGIN")
        return connection

    def _query(self, query: str, *values: Any) -> list[ExistingArticle]:
        return [ExistingArticle._make(row) for row in self._execute(query, values).fetchall()]

    def _execute(self, query: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        try:
            return self._connection.execute(query, values)
        except sqlite3.Error as error:
            raise unusable_error(self._path or "", error) from None

    def _execute_many(self, query: str, rows: Iterable[Sequence[Any]]) -> None:
        try:
            self._connection.executemany(query, rows)
        except sqlite3.Error as error:
            raise unusable_error(self._path or "", error) from None

    def _refresh_folder(self, folder: storage.Folder, prefix: str) -> None:
        rows = self._execute("SELECT path, size, changed, ctime FROM articles WHERE folder=?", (folder.path,))
        old = {row[0]: row[1:] for row in rows}
        changed: list[storage.ListedFile] = []
        for file in folder.files:
            path = folder.path + file[0]
            if _has_name(path) and old.pop(path, None) != file[1:]:
                changed.append(file)
        heads = storage.read_prefixes([file[0] for file in changed], HEAD_SIZE, folder=f"{self.root}/{folder.path}")
        for file, head in zip(changed, heads, strict=True):
            self._add_file(folder.path, file, head, prefix)
        for path in old:
            self.vanished += self._query(f"{_SELECT_ARTICLES} WHERE path=? AND source!=''", path)
        self._execute_many("DELETE FROM articles WHERE path=?", ((path,) for path in old))

    def _add_file(self, folder: str, listed: storage.ListedFile, head: bytes | OSError, prefix: str) -> None:
        """Add a file that is new or has changed, as far as it can be read; `head` are its first bytes."""
        path = folder + listed[0]
        full = f"{self.root}/{path}"
        unconfirmed = (listed[0], *_UNCONFIRMED)
        try:
            if isinstance(head, OSError):
                raise head
            conflict = read_conflict(storage.read_article(full)) if CONFLICT_MARKER in head else None
            if conflict is None:
                fields = read_matching_fields(head, lambda: storage.read_article(full))
                self._insert(folder, (listed[0], *_proven(listed[1:], self._since)), fields)
                return
        except OSError as error:
            self._add_unreadable_file(folder, listed[0], error, prefix)
            return
        hint = "finish the merge: keep one side and delete the marker lines"
        self._add_unreadable(
            path, f"{prefix}{path}", "contains the conflict markers of an unfinished merge", hint, line=conflict.line
        )
        self._insert(folder, unconfirmed, conflict.ours)
        self.is_incomplete = self.is_incomplete or not (conflict.ours.guid and conflict.theirs.guid)
        self._add_other_side(path, conflict)

    def _add_unreadable_file(self, folder: str, name: str, error: OSError, prefix: str) -> None:
        path = folder + name
        hint = "give feedtool permission to read it, or check the disk"
        self._add_unreadable(path, f"{prefix}{path}", f"cannot be read: {error.strerror or error}", hint)
        row = self._execute("SELECT guid FROM articles WHERE path=?", (path,)).fetchone()
        if row is not None:
            self._execute("UPDATE articles SET size=-1 WHERE path=?", (path,))
        else:
            self._insert(folder, (name, *_UNCONFIRMED), MatchingFields("", "", "", "", Stamp()))
        self.is_incomplete = self.is_incomplete or row is None or not row[0]

    def _add_unreadable(self, path: str, file: str, what: str, hint: str, *, line: int | None = None) -> None:
        self.unreadable.add(path)
        self.problems.append(Problem(file=file, line=line, code="FT310", message=what, hint=hint))

    def _add_other_side(self, path: str, conflict: ConflictSides) -> None:
        """Make the article findable by the values on the other side of its merge, too."""
        (article,) = self._query(f"{_SELECT_ARTICLES} WHERE path=?", path)
        guid, link = conflict.theirs.guid, link_key(conflict.theirs.link)
        other = article._replace(guid=guid, link=link, source=conflict.theirs.stamp.source or article.source)
        if guid and guid != article.guid:
            self._conflicted.setdefault(f"guid {guid}", []).append(other)
        if link and link != article.link:
            self._conflicted.setdefault(f"link {link}", []).append(other)

    def _insert(self, folder: str, listed: storage.ListedFile, fields: MatchingFields) -> None:
        self._execute(_INSERT, self._row(folder, listed, fields))

    def _row(self, folder: str, listed: storage.ListedFile, fields: MatchingFields) -> tuple[object, ...]:
        moment = parse_date(fields.date, zone=self.zone) or date_in_name(listed[0], zone=self.zone)
        published = int(moment.timestamp()) if moment else 0
        title = fields.title or listed[0].rpartition(".")[0]
        values = (fields.guid, link_key(fields.link), title, fields.stamp.source, published, stamp_text(fields.stamp))
        legal = (value if type(value) is int else str(value).encode("utf-8", "replace").decode() for value in values)
        return (folder + listed[0], folder, *listed[1:], *legal)


def make_folder(path: str) -> None:
    """Create the articles folder if it does not exist. Raise OutputError."""
    try:
        storage.make_folders(path)
    except OSError as error:
        raise OutputError(f"cannot be made: {error.strerror or error}", where=path, hint=remedy(error)) from None


def _has_name(path: str) -> bool:
    # SQLite cannot store a name without a valid encoding, and no source ever wrote such a file.
    return path.isascii() or not any("\ud800" <= character <= "\udfff" for character in path)


def _proven(signature: storage.Signature, since: int) -> storage.Signature:
    """Return the signature of a file that was read after `since`, or _UNCONFIRMED if it may change and keep its signature."""
    return _UNCONFIRMED if is_racy(signature[2], since) else signature
