"""Read and write Python-Markdown metadata, the `Key: value` lines that Pelican uses instead of front matter.

The rules are those of the extension `meta` (markdown/extensions/meta.py): the block begins on the first line and ends at
a blank line or a line of `---` or `...`; a line indented by four spaces continues the value above. Values are plain text:
quotes, brackets and `#` have no meaning.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from feedtool.articles.fences import MAXIMUM, Split

if TYPE_CHECKING:
    from feedtool.articles.yaml import Value

_LINE = re.compile(r"[^\n]*(?:\n|\Z)")
_KEY = re.compile(r" {0,3}([A-Za-z0-9_-]+):[ \t]*([^\r\n]*)\r?\n?")
_CONTINUATION = re.compile(r"(?: {4}|\t)[ \t]*([^\r\n]*)\r?\n?")
_OPENING = re.compile(r"---(?:[ \t][^\n]*)?\r?\n")
_END = re.compile(r"(?:---|\.\.\.)(?:\s|\Z)")
LISTS = frozenset(("tags", "authors"))
"""Keys whose value Pelican splits at semicolons, or else at commas (`pelican.readers.ensure_metadata_list`)."""
_NAMES = {"categories": "categories", "author": "authors", "updated": "modified", "language": "lang"}
_EITHER = {"category": "categories", "author": "authors"}
_SINGLE = frozenset(("tags", "date", "modified", "status", "category", "author", "authors", "save_as", "url", "slug"))
"""Keys of whose value Pelican uses the first line only (`pelican.readers.DUPLICATES_DEFINITIONS_ALLOWED`)."""
_NESTED = frozenset(("source", "enclosures"))
"""Keys with nested values: feedtool writes them as JSON in one line."""


def split_metadata(text: str) -> Split:
    """Split the metadata of a Markdown file from its body; form "none" if the first line is not `Key: value`."""
    opening = _OPENING.match(text)
    start = opening.end() if opening else 0
    at, line = start, 2 if opening else 1
    has_key = False
    while at < len(text) and at - start <= MAXIMUM:
        match = _LINE.match(text, at)
        assert match is not None
        if not match[0].strip() or _END.match(match[0]):
            return Split("metadata", start, at, match.end(), line) if has_key else Split("none", 0, 0, 0, 1)
        if _KEY.match(match[0]) is None and not (has_key and _CONTINUATION.match(match[0])):
            break
        has_key = True
        at = match.end()
    return Split("metadata", start, at, at, line) if has_key else Split("none", 0, 0, 0, 1)


def metadata_values(matter: str) -> dict[str, Value]:
    """Return the values of a block by lower-case keys, as Pelican reads them: the first value of a repeated key counts."""
    values: dict[str, Value] = {}
    for key, lines in _entries(matter):
        if key in values:
            continue
        if key in _SINGLE:
            del lines[1:]
        if key in LISTS:
            values[key] = list(listed(lines))
        elif key == "categories":
            values[key] = [name for name in map(str.strip, ";".join(lines).split(";")) if name]
        elif key in _NESTED and lines[0][:1] in "[{":
            values[key] = _nested(lines[0])
        else:
            values[key] = "\n".join(lines).strip()
    return values


def by_feed_names(values: Mapping[str, Value]) -> dict[str, Value]:
    """Return values under the keys of other generators' files: `modified` becomes `updated`, `category` becomes `categories`."""
    renamed = {name: key for key, name in _NAMES.items()}
    named = {renamed.get(key, key): value for key, value in values.items() if key != "category"}
    return named if "categories" in named or "category" not in values else {**named, "categories": values["category"]}


def _entries(matter: str) -> list[tuple[str, list[str]]]:
    entries: list[tuple[str, list[str]]] = []
    for line in _LINE.findall(matter):
        match = _KEY.match(line)
        if match is not None:
            entries.append((match[1].lower(), [match[2].strip()]))
        elif entries and line.strip():
            entries[-1][1].append(line.strip())
    return entries


def listed(lines: Sequence[str]) -> dict[str, None]:
    """Return the items of a list, each once: one a line, or split at semicolons or commas if there is one line."""
    if len(lines) == 1:
        lines = lines[0].split(";" if ";" in lines[0] else ",")
    return dict.fromkeys(name for name in map(str.strip, lines) if name)


def _nested(text: str) -> Value:
    import json

    from feedtool.articles.frontmatter import as_text

    try:
        return as_text(json.loads(text, parse_int=str, parse_float=str, parse_constant=str))
    except (ValueError, RecursionError):
        return text


def metadata_lines(key: str, value: Any, newline: str = "\n") -> str:
    """Return the line or lines of one key; Pelican can still read the block if a value is not a text."""
    name = _NAMES.get(key, key)
    if isinstance(value, bool):
        return f"{name}: {'true' if value else 'false'}{newline}"
    if isinstance(value, str):
        return f"{name}: {_one_line(value)}{newline}"
    if isinstance(value, Mapping) or any(not isinstance(item, str) for item in value):
        import json

        return f"{name}: {json.dumps(value, ensure_ascii=False)}{newline}"
    items = [_one_line(item).replace(";", ",") for item in value]
    if name == "categories":
        # Pelican has one category; the key `categories` lists all of them for feedtool.
        first = f"category: {items[0]}{newline}" if items else ""
        return first + (f"categories: {'; '.join(items)}{newline}" if len(items) > 1 else "")
    # A semicolon makes commas part of the names.
    joined = "; ".join(items) + (";" if len(items) == 1 and "," in items[0] else "")
    return f"{name}: {joined}{newline}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def edited_metadata(matter: str, changes: Mapping[str, Any], newline: str) -> str:
    """Return a block with keys set, or removed where the value is None; other lines stay byte for byte."""
    changes_by_name = {_NAMES.get(key.lower(), key.lower()): (key, value) for key, value in changes.items()}
    kept: list[str] = []
    replaced: set[str] = set()
    is_replaced = False
    for line in _LINE.findall(matter):
        match = _KEY.match(line)
        if match is None:
            kept += [] if is_replaced else [line]
            continue
        name = match[1].lower()
        # Pelican reads one name from either key of a pair: a new value replaces both.
        other = _EITHER.get(name, name)
        key = other if other in changes_by_name else name
        is_replaced = key in changes_by_name
        if not is_replaced:
            kept.append(line)
        elif key not in replaced:
            replaced.add(key)
            original, value = changes_by_name[key]
            line_of_key = metadata_lines(original, value, newline) if value is not None else ""
            # Keep the key as the file spells it.
            kept.append(match[1] + line_of_key[len(name) :] if line_of_key.startswith(f"{name}:") else line_of_key)
    text = "".join(kept)
    if text and not text.endswith("\n"):
        text += newline
    added = [one for name, one in changes_by_name.items() if name not in replaced and one[1] is not None]
    return text + "".join(metadata_lines(key, value, newline) for key, value in added)
