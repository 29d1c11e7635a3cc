"""Add sources to the text of feedtool.toml without changing any other byte."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from feedtool.config import Settings, parse_settings
from feedtool.config.load import FILE
from feedtool.errors import FeedtoolError, SettingsError

_LIST = re.compile(r"^[^\S\n]*[\"']?sources[\"']?\s*=\s*\[", re.MULTILINE)
_MAX_TRIES = 500

Values = Mapping[str, str | Sequence[str]]


def with_sources_added(old: str, sources: Sequence[Values]) -> str:
    """Return the text with sources added as tables at its end, or to its list if it has `sources = [ … ]`.

    Raise SettingsError if the new text would not mean the same as the old text plus these sources.
    """
    try:
        before = _read(old)
        return _verified(with_sources(old, sources), before, len(sources))
    except FeedtoolError as error:
        new = _add_to_list(old, sources)
        if not new:
            hint = error.hint or "write a [[sources]] table by hand"
            raise SettingsError(
                f"the source cannot be added: {error.what}", where=FILE, line=error.line, hint=hint
            ) from None
        return new


def _read(text: str) -> Settings:
    return parse_settings(text, file=FILE, environment={}, options={})


def _verified(new: str, before: Settings, count: int) -> str:
    """Return `new` if it only adds `count` sources to the settings `before`; else raise FeedtoolError."""
    after = _read(new)
    if replace(after, sources=()) != replace(before, sources=()) or len(after.sources) - len(before.sources) != count:
        raise SettingsError("this would change other settings in the file", where=FILE)
    return new


def _add_to_list(old: str, sources: Sequence[Values]) -> str:
    """Return the text with the sources added to the end of its list `sources = [ … ]`, or "" if that is impossible.

    TOML allows no [[sources]] tables beside such a list. Try each place where the list may end, and verify the result by
    reading it.
    """
    if not _LIST.search(old):
        return ""
    newline = "\r\n" if "\r\n" in old else "\n"
    items = [f"{{ {', '.join(f'{key} = {_toml(value)}' for key, value in values.items())} }}" for values in sources]
    for match in list(re.finditer(r"([^\S\n]*)\]", old))[:_MAX_TRIES]:
        own_line = not old[: match.start()].rpartition("\n")[2]
        for comma in ("", ","):
            if own_line:
                # The last item may lack its comma and be followed by a comment, so the comma begins the new line.
                added = "".join(
                    f"{match[1]}    {comma if not number else ''}{item},{newline}" for number, item in enumerate(items)
                )
            else:
                # One line for all items could exceed the maximum length of a line.
                added = f"{comma}{' ' if comma else ''}{f',{newline}    '.join(items)}"
            position = match.start() if own_line else match.end() - 1
            try:
                return _verified(old[:position] + added + old[position:], _read(old), len(sources))
            except FeedtoolError:
                continue
    return ""


def with_sources(text: str, sources: Iterable[Values]) -> str:
    """Return the text with a `[[sources]]` table for each source appended."""
    newline = "\r\n" if "\r\n" in text else "\n"
    if text and not text.endswith("\n"):
        text += newline
    for values in sources:
        lines = ["", "[[sources]]", *(f"{key} = {_toml(value)}" for key, value in values.items())]
        if not text.strip():
            text, lines = "", lines[1:]
        text += newline.join([*lines, ""])
    return text


def free_name(name: str, taken: Sequence[str]) -> str:
    """Return a name that no other source has: `name` itself, or `name` followed by a number."""
    number, candidate = 1, name
    while candidate in taken:
        number += 1
        candidate = f"{name} {number}"
    return candidate


def _toml(value: str | Sequence[str]) -> str:
    if isinstance(value, str):
        # A JSON string is a valid basic string of TOML, except that TOML requires DEL to be escaped.
        return json.dumps(value.encode("utf-8", "replace").decode(), ensure_ascii=False).replace("\x7f", "\\u007f")
    return f"[{', '.join(map(_toml, value))}]"
