"""Write bytes that are in several pieces to a file descriptor, without joining them first."""

from __future__ import annotations

import os
from collections.abc import Sequence

Pieces = tuple[bytes, ...]
"""Bytes in several pieces: an entry is cut around its article's text, a document between its entries."""
_MAXIMUM_PIECES = 512
"""Pieces for one system call; POSIX guarantees 16, but all current systems accept 1024."""


def write_pieces(descriptor: int, pieces: Sequence[bytes]) -> None:
    """Write all pieces to a blocking file descriptor; raise OSError."""
    for start in range(0, len(pieces), _MAXIMUM_PIECES):
        batch = pieces[start : start + _MAXIMUM_PIECES]
        written = os.writev(descriptor, batch) if hasattr(os, "writev") else 0  # not available on Windows
        if written < sum(map(len, batch)):
            remaining = memoryview(b"".join(batch))[written:]
            while remaining:
                remaining = remaining[os.write(descriptor, remaining) :]
