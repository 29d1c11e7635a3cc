"""Fingerprint the files of a folder by their stat data, and judge whether stat data prove that a file is unchanged.

`build` and `ingest` both decide with this module which article files they read again.
"""

from __future__ import annotations

import marshal
import os
import time
from collections.abc import Callable

from feedtool.digests import blake2b
from feedtool.inputs import Files, Signature
from feedtool.storage import ListedFile, signature_of

PART = 512
"""The number of a folder's files that are read, fingerprinted and stored as one piece."""
PLAIN_SIZE = 16
"""The size in bytes of the fingerprint of a folder whose files are proved by their stat data; others are longer."""
NEVER_EQUAL = bytes(PLAIN_SIZE)
"""A fingerprint that no folder has."""


def is_racy(changed: int, since: int) -> bool:
    """Return True if a file that was changed so recently may change again and keep the same stat data.

    `changed` is its ctime, and `since` the time at which the scan began, both in nanoseconds. A ctime of whole seconds
    comes from a file system with a coarse clock, such as FAT (2 s), HFS+ or an old NFS (1 s).
    """
    window = 2_000_000_000 if changed % 1_000_000_000 == 0 else 20_000_000
    return since - window < changed < time.time_ns() + window


class FolderFingerprint:
    """Computes the fingerprint of a folder's state from its files, PART by PART.

    `key`, at most 64 bytes, stands for everything else that the stored values of the files depend on. `since` is the time
    at which the scan began, in nanoseconds.
    """

    def __init__(self, key: bytes, since: int) -> None:
        self._since = since
        self._digest = blake2b(digest_size=PLAIN_SIZE, key=key)
        self._newest = 0

    def add(self, piece: bytes, newest: int) -> None:
        """Add the next files, as `piece_of` returns them, and the latest ctime among them."""
        self._digest.update(piece)
        self._newest = max(self._newest, newest)

    def digest(self) -> bytes:
        """Return the fingerprint. If a file changed just now, the fingerprint never equals a later one.

        Within one tick of the file system's clock, a file may change twice and keep the same stat data.
        """
        racy = self._since.to_bytes(8, "big") if is_racy(self._newest, self._since) else b""
        return self._digest.digest() + racy


def piece_of(files: list[ListedFile]) -> bytes:
    """Return some consecutive files as the bytes that are fingerprinted and stored; equal stat data give equal bytes."""
    return marshal.dumps(files, 2)


def fingerprint_of(files: list[ListedFile], key: bytes, since: int) -> bytes:
    """Return the fingerprint of a folder whose files are all listed; see FolderFingerprint."""
    fingerprint = FolderFingerprint(key, since)
    for start in range(0, len(files), PART):
        part = files[start : start + PART]
        fingerprint.add(piece_of(part), max([file[3] for file in part]))
    return fingerprint.digest()


def may_have_changed(*fingerprints: bytes) -> bool:
    """Return True if stored rows of a folder's files with one of these fingerprints must not be compared by stat data."""
    return max(map(len, fingerprints)) > PLAIN_SIZE


def files_below(folder: str, read: Callable[[str], bytes | None], since: int) -> Files:
    """Return access to the files below a folder, for recording them as inputs; `read` gets their paths below it.

    `since` is a time before the first of them is read, in nanoseconds.
    """

    def signature(path: str) -> Signature | None:
        try:
            found = signature_of(os.stat(os.path.join(folder, *path.split("/"))))
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except (OSError, ValueError):
            return None
        return None if is_racy(found[2], since) else found

    return Files(read, signature)
