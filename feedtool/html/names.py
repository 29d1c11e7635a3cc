"""Split a string of names into a frozenset, so that tables of names stay readable."""

from __future__ import annotations


def name_set(text: str) -> frozenset[str]:
    """Return the set of the names in `text`, separated by whitespace."""
    return frozenset(text.split())
