"""Recover values from front matter that is not valid YAML, reading its `key: value` lines one by one.

A title with both quotes, an unquoted colon, `[重磅] x` or `@x` affects only its own line, not the article.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from feedtool.articles.keys import hiding_value
from feedtool.articles.yaml import Loaded, Value, YamlError, from_events, plain_values
from feedtool.articles.yaml_fast import normal
from feedtool.expressions import expression

_KEY = expression(r"(?P<quote>[\"']?)(?P<key>[A-Za-z_][\w .-]{0,60}?)(?P=quote)[ \t]*:(?:[ \t]+(?P<value>.*)|)\Z")
_ITEM = expression(r"[ \t]*-(?:[ \t]+(?P<value>.*)|)\Z")


class _KeyBlock(NamedTuple):
    """One key with its lines; `line` counts from 1."""

    key: str
    value: str
    lines: list[str]
    line: int


class _BlockValue(NamedTuple):
    """The value of a block, None if it is ambiguous; `refused` is True if YAML cannot read the block."""

    value: Value | None
    refused: bool


def recovered_values(text: str) -> Loaded | None:
    """Return the values of the lines, by YAML if possible, else the raw text; None if a line is ambiguous."""
    values: dict[str, Value] = {}
    notes: list[tuple[int, str]] = []
    first = 0
    for block in key_blocks(text):
        if block is None:
            return None
        value, refused = _read(block)
        if value is None:
            return None
        if refused and not first:
            first = block.line
        if block.key in values:
            notes.append((block.line, f'key "{block.key}" occurs twice; the last one counts'))
            value = hiding_value(normal(block.key), values[block.key], value)  # type: ignore[assignment]
        values[block.key] = value
    return Loaded(values, tuple(notes), broken_line=first) if values else None


def broken_keys(text: str) -> dict[str, Value]:
    """Return the keys whose lines YAML cannot read, with the values recovered from them."""
    broken: dict[str, Value] = {}
    for block in key_blocks(text):
        if block is not None:
            value, refused = _read(block)
            if refused and value is not None:
                broken[block.key] = value
    return broken


def key_blocks(text: str) -> Iterator[_KeyBlock | None]:
    """Yield each key with its lines, and None for a line that belongs to no key."""
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
            yield _KeyBlock(match["key"], (match["value"] or "").strip(), lines[position:end], position + 1)
        position = end


def _continues(line: str) -> bool:
    return not line.strip() or line[0] in " \t" or _ITEM.match(line.rstrip()) is not None


def _read(block: _KeyBlock) -> _BlockValue:
    text = "\n".join([*block.lines, ""])
    quick = plain_values(text, frozenset((normal(block.key),)))
    if quick is not None and len(quick) == 1:
        return _BlockValue(next(iter(quick.values())), refused=False)
    try:
        whole = from_events(text).values
        if len(whole) == 1:
            return _BlockValue(next(iter(whole.values())), refused=False)
    except YamlError:
        pass
    return _BlockValue(_raw_value(block), refused=True)


def _raw_value(block: _KeyBlock) -> Value | None:
    rest = [line for line in block.lines[1:] if line.strip()]
    items = [_ITEM.match(line.rstrip()) for line in rest]
    if not block.value and rest and all(items):
        return [_scalar((item["value"] or "").strip()) for item in items if item is not None]
    if rest and (any(items) or any(_KEY.match(line.strip()) for line in rest)):
        return None
    return _scalar(" ".join([block.value, *(line.strip() for line in rest)]))


def _scalar(text: str) -> str:
    try:
        values = from_events(f"a: {text}").values
        if len(values) == 1 and isinstance(values.get("a"), str):
            return str(values["a"])
    except YamlError:
        pass
    for quote, escaped in (("'", "''"), ('"', '\\"')):
        if len(text) > 1 and text[0] == text[-1] == quote:
            return text[1:-1].replace(escaped, quote)
    return text
