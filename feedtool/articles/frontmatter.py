"""Parse the bytes of a file into front matter, body and notes on problems.

The front matter is a mapping of texts; `fields` and `reader` give it types: here a date is still text.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from feedtool.articles.encoding import Decoded, decode
from feedtool.articles.fences import MAXIMUM, Split, split
from feedtool.articles.field_table import FIRST_KEYS, KNOWN_KEYS
from feedtool.articles.fields import Note
from feedtool.articles.pelican_metadata import metadata_values, split_metadata
from feedtool.articles.yaml import Value, YamlError
from feedtool.articles.yaml_loader import load, load_fully
from feedtool.expressions import expression


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class Document:
    """A parsed file. `text[split.start:split.end]` is the front matter; `notes` are (line, column, note).

    `broken` is True if the front matter could not be read: the article must be left out. `recovered` is True if the front
    matter is not valid YAML and was read line by line.
    """

    text: str
    encoding: str
    split: Split
    values: dict[str, Value] = field(default_factory=dict)
    notes: list[tuple[int, int | None, Note]] = field(default_factory=list)
    broken: bool = False
    recovered: bool = False

    @property
    def body(self) -> str:
        """The text after the front matter, unchanged."""
        return self.text[self.split.body :]

    def line_of(self, key: str) -> int:
        """Return the line of a key (in lower case) in the file, or the front matter's first line if the key is not found."""
        matter = self.text[self.split.start : self.split.end]
        pattern = rf"^\s*[\"']?{re.escape(key).replace('_', '[_-]')}[\"']?\s*[:=]"
        match = re.search(pattern, matter, re.MULTILINE | re.IGNORECASE)
        if match is None:
            return self.split.line
        return self.split.line + matter.count("\n", 0, match.end() - 1)


def parse_document(data: bytes, *, every_key: bool = False, metadata: bool = False) -> Document:
    """Return the parsed file. Never raises; `every_key` also keeps the keys that feedtool does not know.

    With `metadata`, the front matter is Python-Markdown metadata instead of YAML: quotes and brackets are part of a value.
    """
    decoded = decode(data)
    text = decoded.text
    if "\r" in text and "\n" not in text:
        text = text.replace("\r", "\n")
    document = Document(text, decoded.encoding, split_metadata(text) if metadata else split(text, FIRST_KEYS))
    if metadata and document.split.form == "none":
        from feedtool.articles.html_head import html_metadata

        try:
            document.values, body = html_metadata(text)
            document.split = document.split._replace(body=body)
        except ValueError as error:
            _break(document, 1, "FT006", str(error), "remove the part that is not HTML")
    _note_encoding(document, decoded)
    parts = document.split
    if parts.unclosed:
        _break(document, parts.line, "FT005", "the front matter has no closing fence", "end it with a line of ---")
    elif parts.form == "none" and not document.values and not document.broken:
        _note_missing(document, data)
    elif parts.end - parts.start > MAXIMUM:
        _break(
            document, parts.line, "FT009", f"front matter of {parts.end - parts.start:,} characters",
            f"at most {MAXIMUM:,} are read; is the closing fence missing?",
        )  # fmt: skip
    elif parts.form != "none":
        _load(document, every_key=every_key)
    return document


def _note_encoding(document: Document, decoded: Decoded) -> None:
    if decoded.exact and decoded.encoding == "utf-8":
        return
    how = "" if decoded.exact else ", with invalid bytes replaced"
    message = f"not UTF-8; read as {decoded.encoding}{how}"
    document.notes.append((1, None, Note("", "FT003", message, "save it as UTF-8")))


def _note_missing(document: Document, data: bytes) -> None:
    if not document.text.strip("\ufeff \t\r\n"):
        _break(document, 1, "FT002", "the file is empty", "write an article or delete it")
    elif b"\0" in data[:8192] and document.encoding not in ("utf-16", "utf-32"):
        _break(
            document, 1, "FT001", "this is not a text file", "move pictures and other files out of the articles folder"
        )
    else:
        hint = "begin it with ---, lines such as `title: …` and `date: …`, and --- again"
        document.notes.append((document.split.line, None, Note("", "FT004", "no front matter", hint)))


def _break(document: Document, line: int, code: str, message: str, hint: str, column: int | None = None) -> None:
    document.broken = True
    document.notes.append((line, column, Note("", code, message, hint, "error")))


def _load(document: Document, *, every_key: bool) -> None:
    parts = document.split
    matter = document.text[parts.start : parts.end]
    if parts.form == "metadata":
        document.values = metadata_values(matter)
        return
    if parts.form != "yaml":
        _load_typed(document, matter)
        return
    try:
        loaded = load_fully(matter) if every_key else load(matter, KNOWN_KEYS)
    except YamlError as error:
        code = "FT009" if error.final else "FT006"
        line = parts.line + error.line - 1
        _break(document, line, code, f"cannot read the front matter: {error.what}", "quote the value", error.column)
        return
    document.values = loaded.values
    document.recovered = loaded.recovered
    for line, what in loaded.notes:
        if loaded.recovered and what == loaded.notes[-1][1]:
            message = f"front matter is not valid YAML ({what}); read line by line"
            note = Note("", "FT007", message, "quote the value, or run `feedtool check --fix`")
        else:
            note = Note("", "FT008", what, "keep one of them" if "twice" in what else "put it in quotes")
        document.notes.append((parts.line + line - 1, None, note))


def _load_typed(document: Document, matter: str) -> None:
    parts = document.split
    try:
        values = _toml(matter) if parts.form == "toml" else _json(matter)
        document.values = {str(key): as_text(value, 0) for key, value in values.items()}
    except RecursionError:
        _break(document, parts.line, "FT009", "front matter is nested too deep", "keep it flat")
    except ValueError as error:
        position = re.search(r"line (\d+),? column (\d+)", str(error))
        line, column = (int(position[1]), int(position[2])) if position else (1, None)
        what = re.sub(r"\s*[:(]?\s*\(?(?:at )?line \d+.*", "", str(error))
        name = parts.form.upper()
        _break(
            document,
            parts.line + line - 1,
            "FT006",
            f"front matter is not valid {name}: {what}",
            f"fix the {name}",
            column,
        )


def _toml(matter: str) -> dict[str, Any]:
    import tomllib

    if LONG_KEY.search(matter):
        raise RecursionError
    return tomllib.loads(matter.replace("\r\n", "\n"))


# tomllib takes quadratic time in the number of parts of a dotted key.
LONG_KEY = expression(r"(?:[\w\"'-]{1,80}[ \t]{0,8}\.[ \t]{0,8}){17}")


def _json(matter: str) -> dict[str, Any]:
    text = matter if matter.lstrip().startswith("{") else "{" + matter + "}"
    values = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    if not isinstance(values, dict):
        raise ValueError("not an object")
    return values


def as_text(value: Any, depth: int = 0) -> Value:
    """Return a parsed TOML or JSON value with all scalars as text; raise RecursionError beyond 16 levels."""
    if depth > 16:
        raise RecursionError
    if isinstance(value, dict):
        return {str(key): as_text(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [as_text(item, depth + 1) for item in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    return str(value)
