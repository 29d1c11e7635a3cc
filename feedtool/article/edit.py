"""A file's text and changed keys in, the text with only those keys' lines changed out; all else stays.

It also writes the front matter of a new file, in the seed's order and quoting.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from feedtool.article.fences import Split, split
from feedtool.article.fields import KNOWN
from feedtool.article.yamltext import YamlError, load_fully
from feedtool.errors import FeedtoolError

Plain = str | Sequence[str] | bool

# Texts that YAML would take for something else, or that end where a reader would not expect it.
_BARE = re.compile(r"[^\W\d_](?:[\w ./()+，。、：；！？（）《》“”’－—-]*[^\W_]|[)）》”])?|\d{4}-\d\d-\d\dT[\d:+Z.-]+")
_WORDS = frozenset(["true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf"])


def front_matter(values: Mapping[str, Plain]) -> str:
    """Return a whole front matter block with both fences, keys in the order given, quoted as the seed quotes."""
    lines = "".join(_yaml_lines(key, value, "\n") for key, value in values.items())
    return f"---\n{lines}---\n"


def edit_front_matter(text: str, changes: Mapping[str, Plain | None]) -> str:
    """Return `text` with the given top-level keys set (None removes one); every other line stays byte for byte.

    New keys go to the end of the front matter; a file without front matter gets one. JSON front matter is refused
    with FeedtoolError.
    """
    found = split(text, KNOWN)
    if not changes:
        return text
    newline = "\r\n" if "\r\n" in text[: found.body + 2] else "\n"
    if found.form == "none":
        if found.unclosed:
            raise FeedtoolError("the front matter has no closing fence", hint="close it first")
        fresh = {key: value for key, value in changes.items() if value is not None}
        return front_matter(fresh).replace("\n", newline) + newline + text.lstrip("\ufeff")
    if found.form == "json":
        raise FeedtoolError("JSON front matter is not edited", hint="change it by hand")
    matter = text[found.start : found.end]
    for key, value in changes.items():
        matter = _changed(matter, found, key, value, newline)
    return text[: found.start] + matter + text[found.end :]


def _changed(matter: str, found: Split, key: str, value: Plain | None, newline: str) -> str:
    make = _toml_lines if found.form == "toml" else _yaml_lines
    fresh = "" if value is None else make(key, value, newline)
    place = _lines_of(matter, key, ":" if found.form == "yaml" else "=")
    if place is not None:
        return matter[: place[0]] + fresh + matter[place[1] :]
    if matter and not matter.endswith("\n"):
        matter += newline
    if found.form == "toml":
        # A key behind a table's header would belong to that table.
        table = re.search(r"^\s*\[", matter, re.MULTILINE)
        at = table.start() if table else len(matter)
        return matter[:at] + fresh + matter[at:]
    return matter + fresh


def _lines_of(matter: str, key: str, separator: str) -> tuple[int, int] | None:
    """Return where a top-level key's lines begin and end, lines that continue it included."""
    pattern = rf"^[\"']?{re.escape(key)}[\"']?[ \t]*{re.escape(separator)}[^\n]*(?:\n|\Z)"
    opening = re.search(pattern, matter, re.MULTILINE)
    if opening is None:
        return None
    end = opening.end()
    if separator == "=":
        return opening.start(), _toml_end(matter, opening.start(), end)
    for line in matter[end:].splitlines(keepends=True):
        if line[:1] not in (" ", "\t", "-") and line.strip():
            break
        if not line.strip() and not matter[end + len(line) :].startswith((" ", "\t", "-")):
            break
        end += len(line)
    return opening.start(), end


def _toml_end(matter: str, start: int, end: int) -> int:
    import tomllib

    while end < len(matter):
        try:
            tomllib.loads(matter[start:end].replace("\r\n", "\n"))
        except tomllib.TOMLDecodeError:
            following = matter.find("\n", end)
            end = len(matter) if following < 0 else following + 1
        else:
            break
    return end


def _yaml_lines(key: str, value: Plain, newline: str) -> str:
    if isinstance(value, bool):
        return f"{key}: {'true' if value else 'false'}{newline}"
    if isinstance(value, str):
        return f"{key}: {quoted(value)}{newline}"
    items = "".join(f" - {quoted(item)}{newline}" for item in value)
    # The seed writes a blank behind the colon; a list that is empty must still be a list.
    return f"{key}:{newline}{items}" if items else f"{key}: []{newline}"


def quoted(text: str) -> str:
    """Return a YAML scalar that reads back as `text` in YAML 1.1 and 1.2: bare where safe, else in single quotes."""
    if _BARE.fullmatch(text) and text.lower() not in _WORDS and ": " not in text and " #" not in text:
        return text
    if re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]", text):
        return json.dumps(text.encode("utf-8", "replace").decode(), ensure_ascii=True)
    single = "'" + text.replace("'", "''") + "'"
    try:
        if load_fully(f"a: {single}").values == {"a": text}:
            return single
    except YamlError:
        pass
    return json.dumps(text, ensure_ascii=True)


def _toml_lines(key: str, value: Plain, newline: str) -> str:
    if isinstance(value, bool):
        return f"{key} = {'true' if value else 'false'}{newline}"
    if isinstance(value, str):
        return f"{key} = {json.dumps(value, ensure_ascii=False)}{newline}"
    return f"{key} = [{', '.join(json.dumps(item, ensure_ascii=False) for item in value)}]{newline}"
