"""Make sets of names from text, so that tables stay readable."""

from __future__ import annotations


def name_set(text: str) -> frozenset[str]:
    """Return the set of the names in `text`, separated by whitespace."""
    return frozenset(text.split())
