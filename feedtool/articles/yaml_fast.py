"""Read front matter of one-line values and plain lists without a YAML parser.

It knows the few forms that nearly every article has, proves key by key that the whole front matter consists of them, by its
characters or by a regular expression, and leaves all else to an engine by returning None. If it gives a result, the careful
engine gives the same one (`tests/test_yaml_engines.py`).
"""

from __future__ import annotations

import re
from collections.abc import Set
from functools import cache, lru_cache
from typing import Any

MAXIMUM = 8_192
EMPTY = frozenset(("", "~", "null", "Null", "NULL"))
"""The spellings of null in YAML."""

# A key's line, and the lines below it that may be its list.
BLOCKS = re.compile(r"[A-Za-z][^\n]*\n(?:[ -][^\n]*\n)*")

ODD = "\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ufeff\\ufffe\\uffff\\ud800-\\udfff"
"""Characters that YAML 1.1 and 1.2 treat differently or that neither allows, for a character class."""
_CACHE_SIZE = 1000
_NORMAL_FORMS: dict[str, str] = {}
_BLOCK_CACHE: dict[str, tuple[str, str, Any]] = {}
# Keys with a different value in nearly every article: not worth caching.
_UNIQUE_VALUES = frozenset(
    ("title", "date", "link", "guid", "id", "updated", "thumbnail", "headimg", "summary", "description")
)


def plain_lines(text: str, known_keys: Set[str]) -> dict[str, Any] | None:
    """Return the values of `known_keys`, texts and lists of texts; None if it needs a YAML parser."""
    if len(text) > MAXIMUM:
        return None
    blocks = BLOCKS.findall(text)
    size = 0
    values: dict[str, Any] = {}
    keys = set()
    for block in blocks:
        size += len(block)
        parsed = _BLOCK_CACHE.get(block) or _block(block)
        if parsed is None:
            return None
        key, name, value = parsed
        keys.add(key)
        if name in known_keys:
            if name in values:
                return None  # two spellings of one key
            values[name] = value.copy() if type(value) is list else value
    # Lines outside any block and repeated keys are left to an engine.
    return values if size == len(text) and len(keys) == len(blocks) > 0 else None


def _text(value: str) -> str | None:
    """Return the text of a scalar that is plain by its characters alone, else None."""
    if not value.isprintable():
        return None
    first = value[:1]
    if first == "'":
        inner = value[1:-1]
        if value[-1] != "'" or len(value) < 2:
            return None
        if "'" in inner:
            return inner.replace("''", "'") if "'" not in inner.replace("''", "") else None
        return inner
    # No YAML syntax begins with an alphanumeric character.
    plain = first.isalnum() and ": " not in value and " #" not in value and value[-1] not in ": "
    return value if plain and value not in EMPTY else None


def _list(text: str) -> list[str] | None:
    """Return the items of a block list if `_text` can read each of them, else None."""
    first, *lines = text.split("\n")
    if first.strip(" "):
        return None
    begin = lines[0][: lines[0].find("- ") + 2]
    if begin.strip(" ") != "-":
        return None
    items = [_text(line.removeprefix(begin)) if line.startswith(begin) else None for line in lines]
    return None if None in items else items  # type: ignore[return-value]


def _block(block: str) -> tuple[str, str, Any] | None:
    """Return key, name and value of one key's lines, None if they are not plain."""
    key, colon, text = block[:-1].partition(":")
    name = plain_name(key) if colon else None
    if name is None:
        return None
    value: Any
    if "\n" in text:
        value = _list(text)
    elif text.strip(" "):
        value = _text(text[1:]) if text[0] == " " else None
    else:
        value = ""
    if value is None:
        match = _block_pattern().fullmatch(block)
        if match is None:
            return None
        if match[2]:
            value = [scalar(line.lstrip(" ")[2:]) for line in match[2][:-1].split("\n")]
        else:
            value = scalar(match[1][:-1]) if match[1] else ""
    if name not in _UNIQUE_VALUES:
        if len(_BLOCK_CACHE) >= _CACHE_SIZE:
            _BLOCK_CACHE.clear()
        _BLOCK_CACHE[block] = (key, name, value)
    return (key, name, value)


@lru_cache(maxsize=_CACHE_SIZE)
def plain_name(key: str) -> str | None:
    """Return a key's `normal` form, None if the key needs an engine."""
    bare = key.replace("-", "").replace("_", "")
    plain = bare.isascii() and bare.isalnum() and key[0].isalpha() and len(key) < 62 and key not in EMPTY
    return normal(key) if plain else None


@cache
def _block_pattern() -> re.Pattern[str]:
    """Return the expression that proves the lines of one key plain; compiled on first use, because few blocks need it."""
    # Unquoted: does not begin with an indicator, contains no ": " and no " #", does not end with a colon or a space.
    bare = rf"[^-? :,\[\]{{}}#&*!|>'\"%@`=<{ODD}](?:[^: {ODD}]++|:(?![ \n])| ++(?![ #\n]))*"
    scalar = rf"(?:{bare}|'(?:[^'{ODD}]++|'')*' *+|\"[^\"\\{ODD}]*+\" *+)\n"
    column = rf"(?P<in> *+)- {scalar}(?:(?P=in)- {scalar})*"
    return re.compile(rf"[^:]*+:(?: ++({scalar})| *+\n((?:{column})?))")


def normal(key: str) -> str:
    """Return the form in which keys are compared: lower case, with `_` for `-`."""
    name = _NORMAL_FORMS.get(key)
    if name is None:
        name = key.strip().lower().replace("-", "_")
        if len(_NORMAL_FORMS) < _CACHE_SIZE:
            _NORMAL_FORMS[key] = name
    return name


def scalar(value: str) -> str:
    """Return the text of a scalar that is proved plain, quoted or not."""
    quote = value[:1]
    if quote == "'":
        value = value.rstrip(" ")[1:-1]
        return value.replace("''", "'") if "''" in value else value
    if quote == '"':
        return value.rstrip(" ")[1:-1]
    return "" if value in EMPTY else value
