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
_LIST = rf"( *+)- {_SCALAR}(?:\1- {_SCALAR})*"
_ALL = re.compile(rf"(?:[A-Za-z][A-Za-z0-9_-]{{0,60}}+:(?: ++{_SCALAR}| *+\n(?:{_LIST})?))+")
_KEYS = re.compile(r"^([A-Za-z][^:]*): *([^\n]*)\n((?: *- [^\n]*\n)*)", re.MULTILINE)

_NAMES: dict[str, str] = {}
_LISTS: dict[str, list[str]] = {}
_REMEMBERED = 1000


def plain_lines(text: str, known: frozenset[str]) -> dict[str, Any] | None:
    """Return the values of `known` keys, texts and lists of texts; None where it takes a YAML parser to tell."""
    if len(text) > MAXIMUM or _ALL.fullmatch(text) is None:
        return None
    values: dict[str, Any] = {}
    keys = set()
    found = _KEYS.findall(text)
    for key, value, items in found:
        keys.add(key)
        name = _NAMES.get(key) or normal(key)
        if name in known:
            values[name] = _items(items) if items else _scalar(value)
    # A key that stands twice, or that is no text, is for an engine to complain of.
    return values if len(keys) == len(found) and EMPTY.isdisjoint(keys) else None


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


def _items(lines: str) -> list[str]:
    """Return the items of a list; articles of one folder often have the same."""
    items = _LISTS.get(lines)
    if items is None:
        items = [_scalar(line.lstrip(" ")[2:]) for line in lines[:-1].split("\n")]
        if len(_LISTS) >= _REMEMBERED:
            _LISTS.clear()
        _LISTS[lines] = items
    return items.copy()
