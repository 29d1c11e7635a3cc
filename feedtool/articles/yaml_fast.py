"""Front matter of nothing but one-line values and plain lists in, its texts out; None for all that is not that plain.

No YAML parser: it knows the few forms that nearly every article is written in, proves key by key that the whole front
matter is made of them, by its letters or by an expression, and leaves all else to an engine. Where it answers, the
careful engine gives the same answer (`tests/test_yaml_engines.py`).
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any

MAXIMUM = 8_192
EMPTY = frozenset(("", "~", "null", "Null", "NULL"))
"""What YAML takes for the absence of a value."""

# A key's line, and the lines below it that could be its list.
BLOCKS = re.compile(r"[A-Za-z][^\n]*\n(?:[ -][^\n]*\n)*")

ODD = "\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ufeff\\ufffe\\uffff\\ud800-\\udfff"
"""Characters that YAML 1.1 and 1.2 disagree about, or that neither allows, as they stand in a class of an expression."""
_REMEMBERED = 1000
_NAMES: dict[str, str] = {}
_SEEN: dict[str, tuple[str, str, Any]] = {}
# What hardly two articles share is not worth remembering.
_OWN = frozenset(("title", "date", "link", "guid", "id", "updated", "thumbnail", "headimg", "summary", "description"))


def plain_lines(text: str, known: frozenset[str]) -> dict[str, Any] | None:
    """Return the values of `known` keys, texts and lists of texts; None where it takes a YAML parser to tell."""
    if len(text) > MAXIMUM:
        return None
    blocks = BLOCKS.findall(text)
    size = 0
    values: dict[str, Any] = {}
    keys = set()
    for block in blocks:
        size += len(block)
        fact = _SEEN.get(block) or _block(block)
        if fact is None:
            return None
        key, name, value = fact
        keys.add(key)
        if name in known:
            if name in values:
                return None  # two spellings of one key
            values[name] = value.copy() if type(value) is list else value
    # Lines that are in no block, and a key that stands twice, are for an engine to judge.
    return values if size == len(text) and len(keys) == len(blocks) > 0 else None


def _text(value: str) -> str | None:
    """Return what a scalar says, where that can be told by its letters alone; None for all others."""
    if not value.isprintable():
        return None
    first = value[:1]
    if first == "'":
        said = value[1:-1]
        if value[-1] != "'" or len(value) < 2:
            return None
        if "'" in said:
            return said.replace("''", "'") if "'" not in said.replace("''", "") else None
        return said
    # Nothing that is alphanumeric begins anything in YAML.
    plain = first.isalnum() and ": " not in value and " #" not in value and value[-1] not in ": "
    return value if plain and value not in EMPTY else None


def _list(said: str) -> list[str] | None:
    """Return the items of a list in a column, where each is plain to see as `_text` has it; else None."""
    first, *lines = said.split("\n")
    if first.strip(" "):
        return None
    begin = lines[0][: lines[0].find("- ") + 2]
    if begin.strip(" ") != "-":
        return None
    items = [_text(line.removeprefix(begin)) if line.startswith(begin) else None for line in lines]
    return None if None in items else items  # type: ignore[return-value]


def _block(block: str) -> tuple[str, str, Any] | None:
    """Return key, name and value of one key's lines, None where they are not plain."""
    key, colon, said = block[:-1].partition(":")
    name = plain_name(key) if colon else None
    if name is None:
        return None
    value: Any
    if "\n" in said:
        value = _list(said)
    elif said.strip(" "):
        value = _text(said[1:]) if said[0] == " " else None
    else:
        value = ""
    if value is None:
        found = _careful().fullmatch(block)
        if found is None:
            return None
        if found[2]:
            value = [scalar(line.lstrip(" ")[2:]) for line in found[2][:-1].split("\n")]
        else:
            value = scalar(found[1][:-1]) if found[1] else ""
    if name not in _OWN:
        if len(_SEEN) >= _REMEMBERED:
            _SEEN.clear()
        _SEEN[block] = (key, name, value)
    return (key, name, value)


@lru_cache(maxsize=_REMEMBERED)
def plain_name(key: str) -> str | None:
    """Return a key's `normal` form, None where it takes an engine to read the key."""
    bare = key.replace("-", "").replace("_", "")
    plain = bare.isascii() and bare.isalnum() and key[0].isalpha() and len(key) < 62 and key not in EMPTY
    return normal(key) if plain else None


@cache
def _careful() -> re.Pattern[str]:
    """Return what proves the lines of one key plain; most are seen to be without it, and compiling it takes its time."""
    # Unquoted: begins with no indicator, holds no ": " and no " #", ends neither in a colon nor in a space.
    bare = rf"[^-? :,\[\]{{}}#&*!|>'\"%@`=<{ODD}](?:[^: {ODD}]++|:(?![ \n])| ++(?![ #\n]))*"
    scalar = rf"(?:{bare}|'(?:[^'{ODD}]++|'')*' *+|\"[^\"\\{ODD}]*+\" *+)\n"
    column = rf"(?P<in> *+)- {scalar}(?:(?P=in)- {scalar})*"
    return re.compile(rf"[^:]*+:(?: ++({scalar})| *+\n((?:{column})?))")


def normal(key: str) -> str:
    """Return a key as it is compared: in lower case, with `_` for `-`."""
    name = _NAMES.get(key)
    if name is None:
        name = key.strip().lower().replace("-", "_")
        if len(_NAMES) < _REMEMBERED:
            _NAMES[key] = name
    return name


def scalar(value: str) -> str:
    """Return what a scalar says that is proven plain, quoted or not."""
    quote = value[:1]
    if quote == "'":
        value = value.rstrip(" ")[1:-1]
        return value.replace("''", "'") if "''" in value else value
    if quote == '"':
        return value.rstrip(" ")[1:-1]
    return "" if value in EMPTY else value
