"""Change the contents of `.feedtool/` as an attacker would; the table of a value shows its kind."""

from __future__ import annotations

import marshal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from feedtool.catalog.index import ENTRY, FACT, FINGERPRINT, FOLDER, OWNER
from feedtool.catalog.signing import Signer, seal

TEXT, SCRIPT = b"hello world", b"<script>alert(1)</script>"


def poison_index(path: Path, signer: Signer | None = None) -> int:
    """Put a script into every body of an index and return the number of changed entries.

    The index is signed with `signer`; without one, the checksums stay as they are.
    """
    changed = 0
    with closing(sqlite3.connect(path, isolation_level=None)) as index:
        for key, value, signed in index.execute("SELECT key, value, sum FROM entries").fetchall():
            poisoned = marshal.dumps(_replaced(marshal.loads(value)))
            changed += poisoned != value
            index.execute(
                "UPDATE entries SET value=?, sum=? WHERE key=?",
                (poisoned, signer.checksum(ENTRY, key, poisoned) if signer else signed, key),
            )
        if signer is not None:
            _sign(index, signer)
        index.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return changed


def poison_lookup(path: Path, signer: Signer | None, query: str) -> None:
    """Change the records of articles in the lookup by a query.

    The lookup is sealed with `signer`; without one, the seal stays as it is.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as lookup:
        assert lookup.execute(query).rowcount > 0
        lookup.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    if signer is not None:
        seal(str(path), signer)


def _sign(index: sqlite3.Connection, signer: Signer) -> None:
    for path, fingerprint, rows in index.execute("SELECT path, mark, rows FROM folders").fetchall():
        sums = signer.checksum(FINGERPRINT, path, fingerprint), signer.checksum(FOLDER, path, fingerprint, rows)
        index.execute("UPDATE folders SET mark_sum=?, sum=? WHERE path=?", (*sums, path))
    for name, value in index.execute("SELECT name, value FROM facts").fetchall():
        index.execute("UPDATE facts SET sum=? WHERE name=?", (signer.checksum(FACT, name.encode(), value), name))
    assert index.execute("SELECT 1 FROM facts WHERE name=?", (OWNER,)).fetchone()


def _replaced(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.replace(TEXT, SCRIPT)
    if isinstance(value, tuple | list):
        return type(value)(map(_replaced, value))
    return {key: _replaced(one) for key, one in value.items()} if isinstance(value, dict) else value
