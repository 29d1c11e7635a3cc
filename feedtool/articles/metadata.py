"""Read and write Python-Markdown metadata, the `Key: value` lines that Pelican has in place of front matter.

The rules are those of its extension `meta` (markdown/extensions/meta.py): the block begins on the first line and ends at
a blank line or a line of `---` or `...`; a line indented by four spaces goes on with the value above. Values are text as it
stands: quotes, brackets and `#` mean nothing.
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
_MORE = re.compile(r"(?: {4}|\t)[ \t]*([^\r\n]*)\r?\n?")
_OPENING = re.compile(r"---(?:[ \t][^\n]*)?\r?\n")
_END = re.compile(r"(?:---|\.\.\.)(?:\s|\Z)")
LISTS = frozenset(("tags", "authors"))
"""Values that Pelican splits at semicolons or, where there is none, at commas (`pelican.readers.ensure_metadata_list`)."""
_NAMES = {"categories": "categories", "author": "authors", "updated": "modified", "language": "lang"}
_SINGLE = frozenset(("tags", "date", "modified", "status", "category", "author", "authors", "save_as", "url", "slug"))
"""Values of which Pelican takes the first line alone (`pelican.readers.DUPLICATES_DEFINITIONS_ALLOWED`)."""
_NESTED = frozenset(("source", "enclosures"))
"""Values that hold values: feedtool writes them as JSON in one line."""


def split_metadata(text: str) -> Split:
    """Tell the metadata of a Markdown file from its body; form "none" where the first line is no `Key: value`."""
    opening = _OPENING.match(text)
    start = opening.end() if opening else 0
    at, line = start, 2 if opening else 1
    met = False
    while at < len(text) and at - start <= MAXIMUM:
        found = _LINE.match(text, at)
        assert found is not None
        if not found[0].strip() or _END.match(found[0]):
            return Split("metadata", start, at, found.end(), line) if met else Split("none", 0, 0, 0, 1)
        if _KEY.match(found[0]) is None and not (met and _MORE.match(found[0])):
            break
        met = True
        at = found.end()
    return Split("metadata", start, at, at, line) if met else Split("none", 0, 0, 0, 1)


def metadata_values(matter: str) -> dict[str, Value]:
    """Return the values of a block by keys in lower case, as Pelican takes them: of a key that stands twice, the first."""
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
    """Return values under the keys that feedtool gives to other files: `modified` is `updated`, `category` is `categories`."""
    renamed = {name: key for key, name in _NAMES.items()}
    found = {renamed.get(key, key): value for key, value in values.items() if key != "category"}
    return found if "categories" in found or "category" not in values else {**found, "categories": values["category"]}


def _entries(matter: str) -> list[tuple[str, list[str]]]:
    entries: list[tuple[str, list[str]]] = []
    for line in _LINE.findall(matter):
        found = _KEY.match(line)
        if found is not None:
            entries.append((found[1].lower(), [found[2].strip()]))
        elif entries and line.strip():
            entries[-1][1].append(line.strip())
    return entries


def listed(lines: Sequence[str]) -> dict[str, None]:
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
    """Return the line, or lines, of one key; what is no text is written so that Pelican still reads the rest."""
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
        # Pelican knows one category; all of them stand beside it, for feedtool.
        first = f"category: {items[0]}{newline}" if items else ""
        return first + (f"categories: {'; '.join(items)}{newline}" if len(items) > 1 else "")
    # A semicolon says that commas belong to the names.
    joined = "; ".join(items) + (";" if len(items) == 1 and "," in items[0] else "")
    return f"{name}: {joined}{newline}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def edited_metadata(matter: str, changes: Mapping[str, Any], newline: str) -> str:
    """Return a block with keys set or (None) removed; every other line stays byte for byte."""
    wanted = {_NAMES.get(key.lower(), key.lower()): (key, value) for key, value in changes.items()}
    kept: list[str] = []
    done: set[str] = set()
    dropped = False
    for line in _LINE.findall(matter):
        found = _KEY.match(line)
        if found is None:
            kept += [] if dropped else [line]
            continue
        name = found[1].lower()
        key = "categories" if name == "category" and "categories" in wanted else name
        dropped = key in wanted
        if not dropped:
            kept.append(line)
        elif key not in done:
            done.add(key)
            original, value = wanted[key]
            fresh = metadata_lines(original, value, newline) if value is not None else ""
            # The key stays as the file spells it.
            kept.append(found[1] + fresh[len(name) :] if fresh.startswith(f"{name}:") else fresh)
    text = "".join(kept)
    if text and not text.endswith("\n"):
        text += newline
    added = [one for name, one in wanted.items() if name not in done and one[1] is not None]
    return text + "".join(metadata_lines(key, value, newline) for key, value in added)
