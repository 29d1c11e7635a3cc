"""Front matter that YAML refuses in, what is plain to see in it out: `key: value` lines are read one by one.

A title with both quotes, an unquoted colon, `[重磅] x`, `@x`: each costs the line it stands in, not the article.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from feedtool.articles.keys import more_hiding
from feedtool.articles.yaml import Loaded, Value, YamlError, from_events, plain
from feedtool.articles.yaml_fast import normal
from feedtool.expressions import expression

_KEY = expression(r"(?P<quote>[\"']?)(?P<key>[A-Za-z_][\w .-]{0,60}?)(?P=quote)[ \t]*:(?:[ \t]+(?P<value>.*)|)\Z")
_ITEM = expression(r"[ \t]*-(?:[ \t]+(?P<value>.*)|)\Z")


class _Piece(NamedTuple):
    """One key with the lines that belong to it; `line` counts from 1."""

    key: str
    value: str
    lines: list[str]
    line: int


class _Read(NamedTuple):
    """What a piece says, None where that is not plain to see; `refused` where YAML would not have it."""

    value: Value | None
    refused: bool


def recovered_values(text: str) -> Loaded | None:
    """Return what the lines say, each by YAML if it can be, else as it stands; None where that is not plain to see."""
    values: dict[str, Value] = {}
    notes: list[tuple[int, str]] = []
    first = 0
    for piece in pieces(text):
        if piece is None:
            return None
        value, refused = _read(piece)
        if value is None:
            return None
        if refused and not first:
            first = piece.line
        if piece.key in values:
            notes.append((piece.line, f'key "{piece.key}" stands twice; the last one counts'))
            value = more_hiding(normal(piece.key), values[piece.key], value)  # type: ignore[assignment]
        values[piece.key] = value
    return Loaded(values, tuple(notes), broken_line=first) if values else None


def broken_keys(text: str) -> dict[str, Value]:
    """Return the keys whose lines YAML refuses, with the values that are recovered from them."""
    broken: dict[str, Value] = {}
    for piece in pieces(text):
        if piece is not None:
            value, refused = _read(piece)
            if refused and value is not None:
                broken[piece.key] = value
    return broken


def pieces(text: str) -> Iterator[_Piece | None]:
    """Yield the keys with their lines; None stands for a line that belongs to no key."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    position = 0
    while position < len(lines):
        line = lines[position]
        if not line.strip() or line.lstrip().startswith("#"):
            position += 1
            continue
        match = _KEY.match(line.rstrip())
        end = position + 1
        while end < len(lines) and _continues(lines[end]):
            end += 1
        if match is None:
            yield None
        else:
            yield _Piece(match["key"], (match["value"] or "").strip(), lines[position:end], position + 1)
        position = end


def _continues(line: str) -> bool:
    return not line.strip() or line[0] in " \t" or _ITEM.match(line.rstrip()) is not None


def _read(piece: _Piece) -> _Read:
    text = "\n".join([*piece.lines, ""])
    found = plain(text, frozenset((normal(piece.key),)))
    if found is not None and len(found) == 1:
        return _Read(next(iter(found.values())), refused=False)
    try:
        whole = from_events(text).values
        if len(whole) == 1:
            return _Read(next(iter(whole.values())), refused=False)
    except YamlError:
        pass
    return _Read(_as_it_stands(piece), refused=True)


def _as_it_stands(piece: _Piece) -> Value | None:
    rest = [line for line in piece.lines[1:] if line.strip()]
    items = [_ITEM.match(line.rstrip()) for line in rest]
    if not piece.value and rest and all(items):
        return [_scalar((item["value"] or "").strip()) for item in items if item is not None]
    if rest and (any(items) or any(_KEY.match(line.strip()) for line in rest)):
        return None
    return _scalar(" ".join([piece.value, *(line.strip() for line in rest)]))


def _scalar(text: str) -> str:
    try:
        found = from_events(f"a: {text}").values
        if len(found) == 1 and isinstance(found.get("a"), str):
            return str(found["a"])
    except YamlError:
        pass
    for quote, escaped in (("'", "''"), ('"', '\\"')):
        if len(text) > 1 and text[0] == text[-1] == quote:
            return text[1:-1].replace(escaped, quote)
    return text
