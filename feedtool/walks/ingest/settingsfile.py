"""New sources in, `feedtool.toml` with a table for each at its end out; every byte that was there stays."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from feedtool import store
from feedtool.errors import FeedtoolError, SettingsError
from feedtool.settings import Settings, parse_settings
from feedtool.settings.find import FILE

Values = Mapping[str, str | Sequence[str]]


def append_source(settings: Settings, sources: Sequence[Values]) -> None:
    """Add sources to the site's feedtool.toml, making one where there is none.

    The file is read back before it is written: raises SettingsError when it would say anything but what it said and these
    sources, and leaves it alone.
    """
    path = settings.file or os.path.join(settings.folder, FILE)
    old = (store.read_or_none(path) or b"").decode("utf-8")
    new = with_sources(old, sources)
    try:
        before, after = (parse_settings(text, file=FILE, environment={}, options={}) for text in (old, new))
    except FeedtoolError as error:
        raise SettingsError(
            f"the source can't be added: {error.what}", where=FILE, line=error.line, hint=error.hint
        ) from None
    added = after.sources[len(before.sources) :]
    if replace(after, sources=()) != replace(before, sources=()) or len(added) != len(sources):
        raise SettingsError(
            "the source can't be added to this file", where=FILE, hint="write a [[sources]] table by hand"
        )
    store.write(path, new.encode())


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
