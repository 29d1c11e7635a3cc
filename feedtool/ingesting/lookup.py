"""The articles folder in, answers to "is there an article with this guid, this link, of this source?" out.

Kept in `.feedtool/ingest`, a database derived from the article files: deleting it costs the time to read their heads
again and nothing else. Files that have not changed are not opened, and nothing is held in memory.
"""

from __future__ import annotations

import contextlib
import hashlib
import marshal
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, tzinfo
from typing import Any

from feedtool import storage
from feedtool.articles import HEAD_SIZE, parse_document
from feedtool.articles.conflicts import MARK, ConflictSides, read_conflict
from feedtool.articles.provenance import Stamp, read_stamp, stamp_text
from feedtool.articles.writer import MatchingFields, read_matching_fields
from feedtool.catalog.git import is_tracked
from feedtool.catalog.index import TRACKED, discard, unusable
from feedtool.catalog.signing import Signer, is_sealed, seal, user_signer
from feedtool.dates.parse import date_in_name, parse_date
from feedtool.errors import OutputError, remedy
from feedtool.html import plain_text
from feedtool.html.urls import link_key
from feedtool.ingesting.dedupe import ExistingArticle
from feedtool.models import Problem
from feedtool.similarity import TEXT

VERSION = 2
"""Raised whenever what is kept, or what it was made from, changes its meaning."""

AT_ONCE = 500
"""Values in one question: SQLite takes 999 in older versions."""

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
"""
_INSERT = "INSERT OR REPLACE INTO articles VALUES (?,?,?,?,?,?,?,?,?,?,?)"
_HELD = "SELECT guid FROM articles WHERE guid IN ("
_KNOWN = "SELECT path, guid, link, title, source, published FROM articles"


class LookupIndex:
    """What articles there are; fits `feedtool.ingesting.dedupe.Shelf`. `homes` names the folder of each source for files that
    bear no source's stamp: those were brought by other means, and may be the source's all the same.

    `sealed` are the paths of files that can't be read or are amid a merge: they are known as far as can be, and left alone.
    `blind` says that there may be articles which are not known at all: what is missed may be one of them.
    """

    def __init__(self, root: str, path: str | None, *, zone: tzinfo = UTC) -> None:
        """Open the database at `path`, making a new one where there is none or it can't be used; None keeps nothing.

        One that git tracks, or that is not signed with the user's key, is not used.
        Raises OutputError where there can be none, as every method does when the disk is full.
        """
        self.root = root
        self.zone = zone
        self.homes: dict[str, str] = {}
        self.problems: list[Problem] = []
        self.sealed: set[str] = set()
        self.blind = False
        self._conflicted: dict[str, list[ExistingArticle]] = {}
        self.vanished: list[ExistingArticle] = []
        self.leftovers: list[str] = []
        self.notes: list[str] = []
        self._path = path
        self._signer = Signer() if path is None else user_signer()
        self.details = tuple(filter(None, ["" if path is None else self._signer.note()]))
        """Notes that few want to know."""
        try:
            self._connection = self._open()
        except (sqlite3.Error, OSError) as error:
            raise unusable(self._path or "", error) from None

    def refresh(self, prefix: str) -> None:
        """Bring the database up to date with the folder; what can't be listed or read is added to `problems`,
        what sources wrote and is there no more to `vanished`."""
        known = dict(self._execute("SELECT path, mark FROM folders"))
        # A folder that ingest made itself has articles here, but no mark yet.
        known = {path: b"" for (path,) in self._execute("SELECT DISTINCT folder FROM articles")} | known
        now = time.time_ns()
        for folder in storage.walk_articles(self.root, problems=self.problems, prefix=prefix, leftovers=self.leftovers):
            if not _has_name(folder.path):
                continue
            mark = _fingerprint_of(folder, now)
            if known.pop(folder.path, None) != mark:
                before = len(self.sealed)
                self._refresh_folder(folder, prefix)
                # A sealed file is looked at, and told of, each time.
                mark = mark if len(self.sealed) == before else b""
                self._execute("INSERT OR REPLACE INTO folders VALUES (?,?)", (folder.path, mark))
        unlisted = tuple(one.file for one in self.problems if one.file.endswith("/"))
        self.blind = self.blind or bool(unlisted)
        for gone in known:
            if f"{prefix}{gone}".startswith(unlisted):
                continue
            self.vanished += self._ask(f"{_KNOWN} WHERE folder=? AND source!=''", gone)
            self._execute("DELETE FROM articles WHERE folder=?", (gone,))
            self._execute("DELETE FROM folders WHERE path=?", (gone,))

    def count(self) -> int:
        """Return how many articles there are."""
        return int(self._execute("SELECT count(*) FROM articles").fetchone()[0])

    def by_guid(self, guid: str) -> Sequence[ExistingArticle]:
        """Return the articles with this guid, in the order of their paths."""
        return [
            *self._ask(f"{_KNOWN} WHERE guid=? ORDER BY path LIMIT 100", guid),
            *self._conflicted.get(f"guid {guid}", ()),
        ]

    def holds(self, guids: Sequence[str]) -> set[str]:
        """Return those of the guids that an article has."""
        asked = list(dict.fromkeys(guids))
        found = {guid for guid in asked if self._conflicted and f"guid {guid}" in self._conflicted}
        for start in range(0, len(asked), AT_ONCE):
            some = asked[start : start + AT_ONCE]
            # The row values of a constant query: as many as there are guids, and nothing of theirs in the text.
            rows = self._execute(_HELD + ",".join("?" * len(some)) + ")", some)
            found.update(guid for (guid,) in rows)
        return found

    def by_link(self, key: str) -> Sequence[ExistingArticle]:
        """Return the articles whose link has this key, in the order of their paths."""
        rows = self._ask(f"{_KNOWN} WHERE link=? AND link!='' ORDER BY path LIMIT 100", key)
        return [*rows, *(self._conflicted.get(f"link {key}", ()) if key else ())]

    def recent(self, source: str, count: int) -> Sequence[ExistingArticle]:
        """Return the newest articles of a source, and of those in its folder that bear no stamp."""
        rows = self._ask(f"{_KNOWN} WHERE source=? ORDER BY published DESC, path LIMIT ?", source, count)
        home = self.homes.get(source)
        if home:
            query = f"{_KNOWN} WHERE folder=? AND source='' ORDER BY published DESC, path LIMIT ?"
            rows += self._ask(query, home, count)
        return rows

    def text(self, known: ExistingArticle) -> str:
        """Return the beginning of an article's plain text, "" where it can't be read."""
        try:
            data = storage.read(f"{self.root}/{known.path}", 65_536)
        except OSError:
            return ""
        return plain_text(parse_document(data).body[: 8 * TEXT])[:TEXT]

    def stamp(self, path: str) -> Stamp:
        """Return the stamp of an article."""
        row = self._execute("SELECT stamp FROM articles WHERE path=?", (path,)).fetchone()
        return read_stamp(row[0]) if row else Stamp()

    def every(self) -> Iterator[ExistingArticle]:
        """Yield the articles that bear a source's stamp, newest first."""
        query = f"{_KNOWN} WHERE source != '' ORDER BY published DESC, path"
        yield from map(ExistingArticle._make, self._execute(query).fetchall())

    def note(self, path: str, data: bytes) -> None:
        """Take in one file that was just written with this content."""
        status = os.stat(f"{self.root}/{path}")
        name = path.rpartition("/")[2]
        self._keep(path[: len(path) - len(name)], (name, status.st_size, status.st_mtime_ns, status.st_ctime_ns), data)

    def expect(self, files: Iterable[tuple[str, MatchingFields]]) -> None:
        """Take in files that are being written; for each, `arrived` has to follow, or `forget`."""
        rows = []
        for path, seen in files:
            name = path.rpartition("/")[2]
            rows.append(self._row(path[: len(path) - len(name)], (name, -1, 0, 0), seen))
        self._execute_many(_INSERT, rows)

    def arrived(self, files: Iterable[tuple[str, os.stat_result]]) -> None:
        """Take in what the system says of expected files that are there now."""
        rows = ((found.st_size, found.st_mtime_ns, found.st_ctime_ns, path) for path, found in files)
        self._execute_many("UPDATE articles SET size=?, changed=?, ctime=? WHERE path=?", rows)

    def forget(self, path: str) -> None:
        """Drop one file that was just removed."""
        self._execute("DELETE FROM articles WHERE path=?", (path,))

    def commit(self) -> None:
        """Keep what was learned so far."""
        if self._connection.in_transaction:
            self._execute("COMMIT")
        self._execute("BEGIN")

    def __enter__(self) -> LookupIndex:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # Of a run that was stopped, files may be noted that were never written: the next one looks for itself.
        self._close(whole=kind is None or issubclass(kind, Exception))

    def _close(self, *, whole: bool) -> None:
        """Let go of the file; what was not committed is dropped. One that is not `whole` is made anew by the next run."""
        with contextlib.suppress(sqlite3.Error, OSError):
            self._connection.close()
            if self._path is not None and whole:
                seal(self._path, self._signer)

    def _open(self) -> sqlite3.Connection:
        if self._path is None:
            return self._prepared(":memory:")
        there = os.path.lexists(self._path)
        tracked = there and is_tracked(os.path.dirname(self._path))
        if not tracked and is_sealed(self._path, self._signer):
            with contextlib.suppress(sqlite3.DatabaseError):
                connection = self._prepared(self._path)
                if connection.execute("PRAGMA user_version").fetchone()[0] == VERSION:
                    return connection
                connection.close()
        discard(self._path)
        if tracked:
            self.notes.append(f".feedtool/ingest {TRACKED}")
        elif there and self._signer.lasts:
            what = "was damaged, of another version, not made by this user on this machine, or left by a run that was stopped"
            self.notes.append(f".feedtool/ingest {what}; it was made anew")
        return self._prepared(self._path)

    def _prepared(self, path: str) -> sqlite3.Connection:
        fresh = path == ":memory:" or not os.path.exists(path)
        connection = sqlite3.connect(path, timeout=5, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=OFF")
        connection.executescript(_TABLES)
        if fresh:
            connection.execute(f"PRAGMA user_version={VERSION}")
        connection.execute("BEGIN")
        return connection

    def _ask(self, query: str, *values: Any) -> list[ExistingArticle]:
        return [ExistingArticle._make(row) for row in self._execute(query, values).fetchall()]

    def _execute(self, query: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        try:
            return self._connection.execute(query, values)
        except sqlite3.Error as error:
            raise unusable(self._path or "", error) from None

    def _execute_many(self, query: str, rows: Iterable[Sequence[Any]]) -> None:
        try:
            self._connection.executemany(query, rows)
        except sqlite3.Error as error:
            raise unusable(self._path or "", error) from None

    def _refresh_folder(self, folder: storage.Folder, prefix: str) -> None:
        rows = self._execute("SELECT path, size, changed, ctime FROM articles WHERE folder=?", (folder.path,))
        old = {row[0]: row[1:] for row in rows}
        for found in folder.files:
            path = folder.path + found[0]
            if _has_name(path) and old.pop(path, None) != found[1:]:
                self._read_entry(folder.path, found, prefix)
        for path in old:
            self.vanished += self._ask(f"{_KNOWN} WHERE path=? AND source!=''", path)
        self._execute_many("DELETE FROM articles WHERE path=?", ((path,) for path in old))

    def _read_entry(self, folder: str, found: storage.Found, prefix: str) -> None:
        """Take in a file that is new or has changed, as far as it can be read."""
        path = folder + found[0]
        full = f"{self.root}/{path}"
        unsure = (found[0], -1, 0, 0)
        try:
            head = storage.read(full, HEAD_SIZE)
            torn = read_conflict(storage.article(full)) if MARK in head else None
            if torn is None:
                self._insert(folder, found, read_matching_fields(head, lambda: storage.article(full)))
                return
        except OSError as error:
            hint = "give feedtool the right to read it, or look at the disk"
            self._seal(path, f"{prefix}{path}", f"cannot be read: {error.strerror or error}", hint)
            row = self._execute("SELECT guid FROM articles WHERE path=?", (path,)).fetchone()
            if row is not None:
                self._execute("UPDATE articles SET size=-1 WHERE path=?", (path,))
            else:
                self._insert(folder, unsure, MatchingFields("", "", "", "", Stamp()))
            self.blind = self.blind or row is None or not row[0]
            return
        hint = "finish the merge: keep one side, and take the lines of marks out"
        self._seal(path, f"{prefix}{path}", "holds the marks of a merge that is not finished", hint, line=torn.line)
        self._insert(folder, unsure, torn.ours)
        self.blind = self.blind or not (torn.ours.guid and torn.theirs.guid)
        self._note_other_side(path, torn)

    def _seal(self, path: str, file: str, what: str, hint: str, *, line: int | None = None) -> None:
        self.sealed.add(path)
        self.problems.append(Problem(file=file, line=line, code="FT310", message=what, hint=hint))

    def _note_other_side(self, path: str, torn: ConflictSides) -> None:
        """Let the article be found by what the other side of its merge says, too."""
        (known,) = self._ask(f"{_KNOWN} WHERE path=?", path)
        guid, link = torn.theirs.guid, link_key(torn.theirs.link)
        other = known._replace(guid=guid, link=link, source=torn.theirs.stamp.source or known.source)
        if guid and guid != known.guid:
            self._conflicted.setdefault(f"guid {guid}", []).append(other)
        if link and link != known.link:
            self._conflicted.setdefault(f"link {link}", []).append(other)

    def _keep(self, folder: str, found: storage.Found, data: bytes) -> None:
        self._insert(folder, found, read_matching_fields(data, lambda: data))

    def _insert(self, folder: str, found: storage.Found, seen: MatchingFields) -> None:
        self._execute(_INSERT, self._row(folder, found, seen))

    def _row(self, folder: str, found: storage.Found, seen: MatchingFields) -> tuple[object, ...]:
        moment = parse_date(seen.date, zone=self.zone) or date_in_name(found[0], zone=self.zone)
        published = int(moment.timestamp()) if moment else 0
        title = seen.title or found[0].rpartition(".")[0]
        values = (seen.guid, link_key(seen.link), title, seen.stamp.source, published, stamp_text(seen.stamp))
        legal = (value if type(value) is int else str(value).encode("utf-8", "replace").decode() for value in values)
        return (folder + found[0], folder, *found[1:], *legal)


def make_folder(path: str) -> None:
    """Make the articles folder where there is none; raises OutputError."""
    try:
        storage.make_folders(path)
    except OSError as error:
        raise OutputError(f"cannot be made: {error.strerror or error}", where=path, hint=remedy(error)) from None


def _has_name(path: str) -> bool:
    # A name in no encoding can't be kept, and no source ever wrote it.
    return path.isascii() or not any("\ud800" <= character <= "\udfff" for character in path)


def _fingerprint_of(folder: storage.Folder, now: int) -> bytes:
    """Return what tells this state of a folder from others; one with a file changed just now matches nothing."""
    newest = max(found[2] for found in folder.files)
    window = 2_000_000_000 if newest % 1_000_000_000 == 0 else 20_000_000
    racy = now.to_bytes(8, "big") if abs(now - newest) < window else b""
    return hashlib.blake2b(marshal.dumps([tuple(one) for one in folder.files], 2), digest_size=16).digest() + racy
