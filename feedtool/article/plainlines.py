"""Front matter of nothing but one-line values and plain lists in, its texts out; None for all that is not that plain.

No YAML parser: it knows the few forms that nearly every article is written in, proves by one expression that the whole
front matter is made of them, and leaves all else to an engine. Where it answers, the careful engine gives the same
answer (`tests/test_yaml_engines.py`).
"""

from __future__ import annotations

import re
from typing import Any

MAXIMUM = 8_192
EMPTY = frozenset(("", "~", "null", "Null", "NULL"))
"""What YAML takes for the absence of a value."""

# Characters that YAML 1.1 and 1.2 disagree about, or that neither allows.
_ODD = "\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ufeff\\ufffe\\uffff\\ud800-\\udfff"
# Unquoted: begins with no indicator, holds no ": " and no " #", ends neither in a colon nor in a space.
_BARE = rf"[^-? :,\[\]{{}}#&*!|>'\"%@`=<{_ODD}](?:[^: {_ODD}]++|:(?![ \n])| ++(?![ #\n]))*"
_SCALAR = rf"(?:{_BARE}|'(?:[^'{_ODD}]++|'')*' *+|\"[^\"\\{_ODD}]*+\" *+)\n"
_LIST = rf"(?P<in> *+)- {_SCALAR}(?:(?P=in)- {_SCALAR})*"
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,60}+")
_BLOCK = re.compile(rf"({_KEY.pattern}):(?: ++({_SCALAR})| *+\n((?:{_LIST})?))")
# A key's line, and the lines below it that could be its list.
_BLOCKS = re.compile(r"[A-Za-z][^\n]*\n(?:[ -][^\n]*\n)*")

_REMEMBERED = 1000
_NAMES: dict[str, str] = {}
_PLAIN_KEYS: dict[str, str] = {}
_SEEN: dict[str, tuple[str, str, Any]] = {}
# What hardly two articles share is not worth remembering.
_OWN = frozenset(("title", "date", "link", "guid", "id", "updated", "thumbnail", "headimg", "summary", "description"))


def plain_lines(text: str, known: frozenset[str]) -> dict[str, Any] | None:
    """Return the values of `known` keys, texts and lists of texts; None where it takes a YAML parser to tell."""
    if len(text) > MAXIMUM:
        return None
    blocks = _BLOCKS.findall(text)
    size = 0
    values: dict[str, Any] = {}
    keys = set()
    for block in blocks:
        size += len(block)
        fact = _SEEN.get(block) or _line(block) or _block(block)
        if fact is None:
            return None
        key, name, value = fact
        keys.add(key)
        if name in known:
            values[name] = value.copy() if type(value) is list else value
    # Lines that are in no block, and a key that stands twice, are for an engine to judge.
    return values if size == len(text) and len(keys) == len(blocks) > 0 else None


def _line(block: str) -> tuple[str, str, str] | None:
    """Return key, name and value of most lines with a value of their own, which takes no expression; else None."""
    key, _, value = block[:-1].partition(": ")
    name = _PLAIN_KEYS.get(key)
    if name not in _OWN or not value.isprintable():
        return None
    first = value[:1]
    if first == "'":
        return (key, name, value[1:-1]) if value[-1] == "'" and len(value) > 1 and value.count("'") == 2 else None
    # Nothing that is alphanumeric begins anything in YAML, and of words that mean another thing none is this long.
    plain = first.isalnum() and len(value) > 5 and ": " not in value and " #" not in value and value[-1] not in ": "
    return (key, name, value) if plain else None


def _block(block: str) -> tuple[str, str, Any] | None:
    """Return key, name and value of one key's lines, None where they are not plain."""
    found = _BLOCK.fullmatch(block)
    if found is None or (key := found[1]) in EMPTY:
        return None
    name = normal(key)
    if len(_PLAIN_KEYS) < _REMEMBERED:
        _PLAIN_KEYS[key] = name
    if found[3]:
        value: Any = [_scalar(line.lstrip(" ")[2:]) for line in found[3][:-1].split("\n")]
    else:
        value = _scalar(found[2][:-1]) if found[2] else ""
    if name not in _OWN:
        if len(_SEEN) >= _REMEMBERED:
            _SEEN.clear()
        _SEEN[block] = (key, name, value)
    return (key, name, value)


def normal(key: str) -> str:
    """Return a key as it is compared: in lower case, with `_` for `-`."""
    name = _NAMES.get(key)
    if name is None:
        name = key.strip().lower().replace("-", "_")
        if len(_NAMES) < _REMEMBERED:
            _NAMES[key] = name
    return name


def _scalar(value: str) -> str:
    quote = value[:1]
    if quote == "'":
        value = value.rstrip(" ")[1:-1]
        return value.replace("''", "'") if "''" in value else value
    if quote == '"':
        return value.rstrip(" ")[1:-1]
    return "" if value in EMPTY else value
