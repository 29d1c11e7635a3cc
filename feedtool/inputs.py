"""Record what a result depends on besides its own file, so that the next run knows whether the result still holds.

An input is (kind, key, digest): a `file` by its path, with the digest of its content, or a `folder` by its path, with the
digest of the values that it gives to its articles. A result holds while all of its inputs are equal. Readers get other files
only through an Inputs object, so that none is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from feedtool.digests import blake2b

FILE = "file"
FOLDER = "folder"
Signature = tuple[int, ...]
"""The stat data of a file; () for a file that does not exist."""
Row = tuple[str, str, bytes, Signature | None]
"""An input as the index stores it: kind, key, digest, and the signature that a file had before it was read, None if that
signature proves nothing."""


class Files(NamedTuple):
    """Access to the files that results may depend on.

    `read` returns the first bytes of the file at a path, or None if there is none, and raises OSError. `signature` returns the
    stat data of the file, or None if it may change and keep them.
    """

    read: Callable[[str], bytes | None]
    signature: Callable[[str], Signature | None]


class Inputs:
    """The inputs of one result, which is being made."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._rows: dict[tuple[str, str], Row] = {}

    def read(self, path: str) -> bytes | None:
        """Return the first bytes of a file, None if there is none, and record it as an input. Raise OSError."""
        # If the file changes between the two, the next run finds another signature and reads it again.
        signature = self._files.signature(path)
        data = self._files.read(path)
        self._rows[FILE, path] = (FILE, path, _digest_of(data), signature)
        return data

    def note(self, kind: str, key: str, digest: bytes) -> None:
        """Record an input that is no file."""
        self._rows[kind, key] = (kind, key, digest, None)

    def rows(self) -> tuple[Row, ...]:
        """Return the inputs in the form that `current` takes."""
        return tuple(self._rows[name] for name in sorted(self._rows))


def current(rows: Iterable[Row], files: Files, digests: Mapping[tuple[str, str], bytes]) -> tuple[Row, ...] | None:
    """Return the inputs with the present signatures of files, or None if one has changed.

    Only files whose signature has changed are read. `digests` are the present ones of inputs that are no files, by kind and key.
    """
    found: list[Row] = []
    for kind, key, digest, signature in rows:
        if kind != FILE:
            if digests.get((kind, key)) != digest:
                return None
            found.append((kind, key, digest, signature))
            continue
        try:
            now = files.signature(key)
            if (now is None or now != signature) and _digest_of(files.read(key)) != digest:
                return None
        except OSError:
            return None
        found.append((kind, key, digest, now))
    return tuple(found)


def are_proven(rows: Iterable[Row]) -> bool:
    """Return True if no file among the inputs may change and keep its signature."""
    return all(kind != FILE or signature is not None for kind, _, _, signature in rows)


def _digest_of(data: bytes | None) -> bytes:
    return blake2b(data, digest_size=16).digest() if data is not None else b""
