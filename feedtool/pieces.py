"""Bytes in pieces in, written one behind the other: they are never copied together only to be written."""

from __future__ import annotations

import os
from collections.abc import Sequence

Pieces = tuple[bytes, ...]
"""Bytes, cut somewhere: an entry where its article's text begins and ends, a document where its entries do."""
_AT_ONCE = 512
"""Pieces that one call of the system takes; POSIX promises 16, but the systems there are take 1024."""


def pour(descriptor: int, pieces: Sequence[bytes]) -> None:
    """Write all of the pieces to a descriptor that waits; raises OSError."""
    for start in range(0, len(pieces), _AT_ONCE):
        some = pieces[start : start + _AT_ONCE]
        written = os.writev(descriptor, some) if hasattr(os, "writev") else 0  # Windows has none
        if written < sum(map(len, some)):
            left = memoryview(b"".join(some))[written:]
            while left:
                left = left[os.write(descriptor, left) :]
