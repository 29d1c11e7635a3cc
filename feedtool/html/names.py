"""Names written one after another go in, the set of them comes out, so that tables stay readable."""

from __future__ import annotations


def name_set(text: str) -> frozenset[str]:
    """Return the names in `text`, which space parts."""
    return frozenset(text.split())
