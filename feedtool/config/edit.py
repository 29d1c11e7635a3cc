"""Add sources to the text of feedtool.toml; every byte that was there stays."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from feedtool.config import Settings, parse_settings
from feedtool.config.load import FILE
from feedtool.errors import FeedtoolError, SettingsError

_LIST = re.compile(r"^[^\S\n]*[\"']?sources[\"']?\s*=\s*\[", re.MULTILINE)
_TRIES = 500

Values = Mapping[str, str | Sequence[str]]


def with_sources_added(old: str, sources: Sequence[Values]) -> str:
    """Return a settings text with sources added as tables at its end, or in its list where it has `sources = [ … ]`.

    Raises SettingsError where the new text would not say what the old one said and these sources.
    """
    try:
        before = _read(old)
        return _checked(with_sources(old, sources), before, len(sources))
    except FeedtoolError as error:
        new = _into_list(old, sources)
        if not new:
            hint = error.hint or "write a [[sources]] table by hand"
            raise SettingsError(
                f"the source can't be added: {error.what}", where=FILE, line=error.line, hint=hint
            ) from None
        return new


def _read(text: str) -> Settings:
    return parse_settings(text, file=FILE, environment={}, options={})


def _checked(new: str, before: Settings, count: int) -> str:
    """Return a text that says what was said before and `count` sources more; raise FeedtoolError where it does not."""
    after = _read(new)
    if replace(after, sources=()) != replace(before, sources=()) or len(after.sources) - len(before.sources) != count:
        raise SettingsError("it would change what the file says otherwise", where=FILE)
    return new


def _into_list(old: str, sources: Sequence[Values]) -> str:
    """Return the text with the sources at the end of its list, where it has `sources = [ … ]`: TOML allows no table beside
    that. Each place where the list may end is tried and read back; "" where none will do."""
    if not _LIST.search(old):
        return ""
    newline = "\r\n" if "\r\n" in old else "\n"
    items = [f"{{ {', '.join(f'{key} = {_toml(value)}' for key, value in values.items())} }}" for values in sources]
    for found in list(re.finditer(r"([^\S\n]*)\]", old))[:_TRIES]:
        own_line = not old[: found.start()].rpartition("\n")[2]
        for comma in ("", ","):
            if own_line:
                # Behind a comma that is missing, a comment may stand: the comma then begins the new line.
                added = "".join(
                    f"{found[1]}    {comma if not number else ''}{item},{newline}" for number, item in enumerate(items)
                )
            else:
                # Many in one line would be longer than a line may be.
                added = f"{comma}{' ' if comma else ''}{f',{newline}    '.join(items)}"
            place = found.start() if own_line else found.end() - 1
            try:
                return _checked(old[:place] + added + old[place:], _read(old), len(sources))
            except FeedtoolError:
                continue
    return ""


def with_sources(text: str, sources: Iterable[Values]) -> str:
    """Return a settings text with a `[[sources]]` table for each source at its end."""
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
    """Return a name for a source that none has yet: the name itself, or with a number."""
    number, tried = 1, name
    while tried in taken:
        number += 1
        tried = f"{name} {number}"
    return tried


def _toml(value: str | Sequence[str]) -> str:
    if isinstance(value, str):
        # A JSON string is a basic string of TOML, but for DEL, which has to be written out there.
        return json.dumps(value.encode("utf-8", "replace").decode(), ensure_ascii=False).replace("\x7f", "\\u007f")
    return f"[{', '.join(map(_toml, value))}]"
