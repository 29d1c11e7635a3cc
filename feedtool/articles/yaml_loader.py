"""Load YAML front matter: by the quick engine, else by the careful one, else recovered line by line."""

from __future__ import annotations

import re
from collections.abc import Set

from feedtool.articles.yaml import AMBIGUOUS_CHARACTERS, MAXIMUM_SIZE, Loaded, YamlError, from_events, plain_values


def load(text: str, known_keys: Set[str]) -> Loaded:
    """Return the mapping in YAML front matter: all scalars are texts, null is "".

    Only keys in `known_keys` are certain to be included. Raise YamlError if the front matter cannot be read or exceeds the
    bounds (64 kB, 16 levels, 20,000 events, no aliases).
    """
    quick = plain_values(text, known_keys)
    return Loaded(quick) if quick is not None else load_fully(text)


def load_fully(text: str) -> Loaded:
    """Return the same as `load` with every key, and with notes on duplicate keys; slower."""
    if len(text) > MAXIMUM_SIZE:
        raise YamlError(f"front matter of {len(text):,} characters; at most {MAXIMUM_SIZE:,} are read", final=True)
    if AMBIGUOUS_CHARACTERS.search(text):
        text = AMBIGUOUS_CHARACTERS.sub(_replacement, text)
    try:
        return from_events(text)
    except YamlError as error:
        from feedtool.articles.yaml_recovery import recovered_values  # most front matter needs no recovery

        recovered = None if error.final else recovered_values(text)
        if recovered is None:
            raise
        line = recovered.broken_line or error.line
        return Loaded(recovered.values, (*recovered.notes, (line, error.what)), recovered=True)


def _replacement(match: re.Match[str]) -> str:
    character = match.group()
    if character in "\x85\u2028\u2029":
        return " "
    return character if character in "\t\r" else ""
